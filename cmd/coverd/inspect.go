package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coverd/index"
)

func newInspect(std stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "tell what is in a snapshot, how often its estimates are right, and where each byte goes",
		Example: `  coverd inspect coverd.snap
  coverd inspect --json coverd.snap`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(_ *cobra.Command, args []string) error { return runInspect(args[0], asJSON, std) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runInspect(path string, asJSON bool, std stdio) error {
	snap, err := openSnapshot(path)
	if err != nil {
		return err
	}
	info := snap.Info()
	if asJSON {
		return printJSON(std.out, struct {
			*index.Info
			Estimates *index.Calibration `json:"estimates,omitempty"`
		}{info, snap.Calibration()})
	}
	return inspectText(std.out, snap)
}

func inspectText(w io.Writer, snap *index.Snapshot) error {
	info := snap.Info()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "snapshot\t%s\n", info.ID)
	fmt.Fprintf(t, "content digest\t%s\n", info.ContentDigest)
	fmt.Fprintf(t, "format version\t%d\n", info.FormatVersion)
	fmt.Fprintf(t, "as of\t%s\n", info.AsOf)
	fmt.Fprintf(t, "built by\t%s\n", info.Tool)
	fmt.Fprintf(t, "Region boundaries\t%s\n", boundaries(info))
	if len(info.Prefer) > 0 {
		names := make([]string, len(info.Prefer))
		for i, n := range info.Prefer {
			names[i] = n.String()
		}
		fmt.Fprintf(t, "preferred networks\t%s\n", strings.Join(names, ", "))
	}
	if info.CountsAsWAN {
		fmt.Fprintf(t, "virtual WAN\tcounts\n")
	}
	for i := range info.Overrides {
		o := &info.Overrides[i]
		fmt.Fprintf(t, "overridden\tgate %s for %s by %s: %s (%s)\n", o.Gate, o.Source, o.By, o.Reason, o.Measured)
	}
	fmt.Fprintf(t, "premises\t%s\n", countText(info.Premises))
	fmt.Fprintf(t, "postcodes\t%s in %s outcodes\n", countText(info.Postcodes), countText(info.Outcodes))
	fmt.Fprintf(t, "claims\t%s distinct, in %s sets\n", countText(info.Claims), countText(info.ClaimSets))
	fmt.Fprintf(t, "areas\t%s\n", countText(info.Areas))
	if from := snap.HistoryFrom(); from < info.AsOf {
		fmt.Fprintf(t, "history\tfrom %s, %s, of premises that are gone %s\n", from, bytesText(info.HistoryBytes()), countText(int64(snap.DepartedLen())))
	}
	fmt.Fprintf(t, "bytes\t%s in the file, %s in memory%s\n", bytesText(info.Bytes), bytesText(info.Memory), perPremises(info))

	fmt.Fprintf(t, "\nsource\tcsp\tas of\tsequence\trows\taccepted\trejected\tfiles\n")
	for _, s := range info.Sources {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", cmp.Or(s.Kind, "-"), cmp.Or(s.CSP, "-"), cmp.Or(s.AsOf.String(), "-"),
			sequenceText(s.Sequence), countText(s.Rows), countText(s.Accepted), countText(s.Rejected), len(s.Files))
	}

	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, a := range info.Attributions {
		fmt.Fprintln(w, a)
	}

	calibrationText(t, snap.Calibration())

	fmt.Fprintf(t, "\nsection\tin the file\tunpacked\tof the file\n")
	bySize := slices.SortedStableFunc(slices.Values(info.Sections), func(a, b index.SectionInfo) int { return cmp.Compare(b.Stored, a.Stored) })
	rest := info.Bytes
	for _, s := range bySize {
		rest -= s.Stored
		fmt.Fprintf(t, "%s\t%s\t%s\t%.1f %%\n", s.Name, bytesText(s.Stored), bytesText(s.Raw), percent(s.Stored, info.Bytes))
	}
	fmt.Fprintf(t, "(header, table, digest)\t%s\t\t%.1f %%\n", bytesText(rest), percent(rest, info.Bytes))
	return t.Flush()
}

// calibrationText tells how often estimates were right, by what they rest on and
// how many of the premises behind them agree; the rest is in the JSON.
func calibrationText(w io.Writer, c *index.Calibration) {
	if c == nil {
		fmt.Fprintf(w, "\nestimates\tnot calibrated: confidences only order them\n")
		return
	}
	fmt.Fprintf(w, "\nestimates, %s postcodes held out\tagree\tcases\tright\tconfidence\n", countText(int64(c.Postcodes)))
	type row struct {
		basis      string
		agreement  index.Band
		none       bool
		cases      int64
		right      float64
		confidence float64
	}
	var rows []row
	for _, e := range c.Cases {
		if e.OneNetwork {
			continue
		}
		r := row{basis: e.Basis, none: e.Agreement == nil}
		if !r.none {
			r.agreement = *e.Agreement
		}
		i := slices.IndexFunc(rows, func(o row) bool { return o.basis == r.basis && o.none == r.none && o.agreement == r.agreement })
		if i < 0 {
			i, rows = len(rows), append(rows, r)
		}
		rows[i].cases += int64(e.Cases)
		rows[i].right += float64(e.Cases) * e.Share
		rows[i].confidence += float64(e.Cases) * e.Confidence
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.basis, b.basis), cmp.Compare(a.agreement.From, b.agreement.From))
	})
	for _, r := range rows {
		agree := "-"
		switch {
		case r.none:
		case r.agreement.To == 0:
			agree = "all"
		default:
			agree = fmt.Sprintf("%.0f to %.0f %%", 100*r.agreement.From, 100*r.agreement.To)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1f %%\t%.2f\n", strings.ReplaceAll(r.basis, "_", " "), agree, countText(r.cases), 100*r.right/float64(r.cases), r.confidence/float64(r.cases))
	}
}

func boundaries(info *index.Info) string {
	if info.Indicative {
		return "indicative, not the DCC's"
	}
	return "as given"
}

func perPremises(info *index.Info) string {
	if info.Premises == 0 {
		return ""
	}
	n := float64(info.Premises)
	return fmt.Sprintf(" (%.1f and %.1f bytes a premises)", float64(info.Bytes)/n, float64(info.Memory)/n)
}

func percent(part, whole int64) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// sequenceText writes a sequence number, which is a name and no count.
func sequenceText(n int64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coverd/geo"
	"coverd/index"
	"coverd/loader"
	"coverd/server"
)

type diffOptions struct {
	old, new string
	format   string
	outcode  string
	kinds    []string
	asJSON   bool
}

// firstChanges is how many of a kind are listed for people.
const firstChanges = 5

func newDiff(std stdio) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "tell what has changed from one snapshot to another",
		Long: `Tell what has changed from one snapshot to another: premises gained and lost, claims whose state, date, Variant or
anything else has changed, Regions and details of premises, postcodes new, terminated, restored and moved. States are
those that both snapshots tell of the day NEW is as of, so that the calendar alone changes nothing.

As text: how many of each kind, and the first few of each. As json: the counts, by kind, CSP and outcode. As ndjson and
csv: every change, in directory order of postcode; a cell that a spreadsheet would take for a formula has a ' in front.

Exit code 0, whether they differ or not.`,
		Example: `  coverd diff last.snap tonight.snap
  coverd diff --format csv --kind state_changed --kind date_moved last.snap tonight.snap > changes.csv
  coverd diff --format ndjson --outcode GU1 last.snap tonight.snap`,
		Args: cobra.ExactArgs(2),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.old, o.new = args[0], args[1]
			return runDiff(cmd.Context(), o, std)
		}),
	}
	var names []string
	for _, k := range index.ChangeKinds() {
		names = append(names, k.String())
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "text", "`text`, json, ndjson or csv")
	f.StringVar(&o.outcode, "outcode", "", "only what is told at postcodes of this `outcode`")
	f.StringSliceVar(&o.kinds, "kind", nil, "only changes of this `kind`, of several: "+strings.Join(names, ", "))
	f.BoolVar(&o.asJSON, "json", false, "the same as --format json")
	return cmd
}

// diffInfo is the JSON of coverd diff.
type diffInfo struct {
	Old snapshotInfo `json:"old"`
	New snapshotInfo `json:"new"`
	index.Delta
}

type snapshotInfo struct {
	ID   string    `json:"id"`
	AsOf index.Day `json:"as_of"`
}

// diffFilter says which changes are wanted.
type diffFilter struct {
	outcode geo.Outcode
	kinds   map[index.ChangeKind]bool // nil: all
}

func (f *diffFilter) wants(c *index.Change) bool {
	return (f.kinds == nil || f.kinds[c.Kind]) && (!f.outcode.IsValid() || c.Postcode.Outcode() == f.outcode)
}

func (o *diffOptions) filter() (f diffFilter, err error) {
	if o.outcode != "" {
		if f.outcode, err = geo.ParseOutcode(o.outcode); err != nil {
			return f, usagef("--outcode: %w", err)
		}
	}
	for _, name := range o.kinds {
		k, err := index.ParseChangeKind(name)
		if err != nil {
			return f, usagef("--kind: %w", err)
		}
		if f.kinds == nil {
			f.kinds = map[index.ChangeKind]bool{}
		}
		f.kinds[k] = true
	}
	return f, nil
}

func runDiff(ctx context.Context, o diffOptions, std stdio) error {
	if o.asJSON {
		o.format = "json"
	}
	write, ok := map[string]func(io.Writer, *diff) error{"text": diffText, "json": diffJSON, "ndjson": diffNDJSON, "csv": diffCSV}[o.format]
	if !ok {
		return usagef("--format %s: want text, json, ndjson or csv", o.format)
	}
	filter, err := o.filter()
	if err != nil {
		return err
	}
	d := diff{ctx: ctx, filter: filter}
	if d.old, err = openSnapshot(o.old); err != nil {
		return err
	}
	if d.new, err = openSnapshot(o.new); err != nil {
		return err
	}
	return write(std.out, &d)
}

// diff is two snapshots and what is wanted of the changes between them.
type diff struct {
	ctx      context.Context
	old, new *index.Snapshot
	filter   diffFilter
}

// changes yields those that are wanted. A snapshot built on the old one
// remembers them.
func (d *diff) changes() iter.Seq2[*index.Change, error] {
	all := index.Diff(d.old, d.new)
	if d.new.Info().Previous == d.old.ID() {
		if remembered, err := d.new.Changes(d.old.ID(), index.Cursor{}, d.filter.outcode); err == nil {
			all = func(yield func(index.Change) bool) {
				for _, c := range remembered {
					if !yield(c) {
						return
					}
				}
			}
		}
	}
	return func(yield func(*index.Change, error) bool) {
		for c := range all {
			if err := d.ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if d.filter.wants(&c) && !yield(&c, nil) {
				return
			}
		}
	}
}

func diffText(w io.Writer, d *diff) error {
	var counts index.ChangeCounts
	first := map[index.ChangeKind][]index.Change{}
	for c, err := range d.changes() {
		if err != nil {
			return err
		}
		if counts[c.Kind]++; counts[c.Kind] <= firstChanges {
			first[c.Kind] = append(first[c.Kind], *c)
		}
	}
	b := bufio.NewWriter(w)
	for i, s := range []*index.Snapshot{d.old, d.new} {
		fmt.Fprintf(b, "%s snapshot %s as of %v\n", []string{"from", "to"}[i], s.ID(), s.Info().AsOf)
	}
	fmt.Fprintln(b, plural(counts.Total(), "change", "changes"))
	for _, k := range index.ChangeKinds() {
		if counts[k] == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s: %s\n", k, countText(counts[k]))
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
		for _, c := range first[k] {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s -> %s\n", orDash(c.Postcode.String()), orDash(c.UPRN.String()), orDash(c.Address),
				orDash(strings.TrimSpace(c.CSP+" "+c.Network.String())), orDash(c.Before), orDash(c.After))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		if more := counts[k] - int64(len(first[k])); more > 0 {
			fmt.Fprintf(b, "  and %s more\n", countText(more))
		}
	}
	return b.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func diffJSON(w io.Writer, d *diff) error {
	info := diffInfo{
		Old: snapshotInfo{d.old.ID(), d.old.Info().AsOf}, New: snapshotInfo{d.new.ID(), d.new.Info().AsOf},
		Delta: *index.CountChanges(d.old, d.new),
	}
	if d.filter.kinds != nil || d.filter.outcode.IsValid() {
		kept := index.Delta{CSPs: info.CSPs, Outcodes: []index.OutcodeDelta{}}
		for c, err := range d.changes() {
			if err != nil {
				return err
			}
			kept.Add(c)
		}
		info.Delta = kept
	}
	return printJSON(w, info)
}

func diffNDJSON(w io.Writer, d *diff) error {
	b := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for c, err := range d.changes() {
		if err != nil {
			return err
		}
		wire := server.ChangeOf(c)
		line = append(wire.AppendJSON(line[:0]), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

func diffCSV(w io.Writer, d *diff) error {
	out := csv.NewWriter(bufio.NewWriterSize(w, 1<<16))
	err := out.Write([]string{"kind", "postcode", "uprn", "address_identifier", "network_region", "csp", "before", "after"})
	for c, stopped := range d.changes() {
		if stopped != nil {
			return stopped
		}
		if err != nil {
			return err
		}
		err = out.Write([]string{
			c.Kind.String(), c.Postcode.String(), c.UPRN.String(), loader.Inert(c.Address), c.Network.String(), loader.Inert(c.CSP), loader.Inert(c.Before), loader.Inert(c.After),
		})
	}
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

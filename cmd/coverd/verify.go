package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"coverd/bench"
	"coverd/index"
)

type verifyOptions struct {
	file     string
	sweep    int
	premises bool
	seed     uint64
	asJSON   bool
}

// verifyInfo is the JSON of coverd verify: what a replica compares.
type verifyInfo struct {
	File          string        `json:"file"`
	ID            string        `json:"id"`
	ContentDigest string        `json:"content_digest"`
	FormatVersion int           `json:"format_version"`
	AsOf          index.Day     `json:"as_of"`
	Bytes         int64         `json:"bytes"`
	Premises      int64         `json:"premises"`
	Sweeps        []index.Sweep `json:"sweeps,omitempty"`

	PremisesSweep *bench.PremisesSweep `json:"premises_sweep,omitempty"`
}

func newVerify(std stdio) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "check that a snapshot is whole",
		Long: `Check that a snapshot is whole: its digest, the checksum of every section, and that every number in it leads where
it should. It is the check that serve makes when it opens the file.

With --sweep N also compare its Region allocation with a test of each point against every polygon: at every located
postcode, at N random points, at N points beside borders and coasts, at vertices, midpoints of the longest edges, and
corners of edge cells. A million takes minutes and leaves nothing out.

With --premises also look for every premises by its UPRN, by its postcode, and among those at distance 0 from its own
location.

Exit code 1 if anything is wrong.`,
		Example: `  coverd verify coverd.snap
  coverd verify --sweep 1000000 coverd.snap
  coverd verify --premises coverd.snap`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runVerify(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	f.IntVar(&o.sweep, "sweep", 0, "also check Regions at this `number` of points of each kind")
	f.BoolVar(&o.premises, "premises", false, "also look for every premises by all that leads to it")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that the random points come from")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

func runVerify(ctx context.Context, o verifyOptions, std stdio) error {
	if o.sweep < 0 {
		return usagef("--sweep %d: want 0 or more", o.sweep)
	}
	start := time.Now()
	snap, err := openSnapshot(o.file)
	if err != nil {
		return err
	}
	info := snap.Info()
	v := verifyInfo{
		File: o.file, ID: info.ID, ContentDigest: info.ContentDigest, FormatVersion: info.FormatVersion,
		AsOf: info.AsOf, Bytes: info.Bytes, Premises: info.Premises,
	}
	if !o.asJSON {
		fmt.Fprintf(std.out, "%s: whole: snapshot %s as of %s, %s, %s premises, checked in %s\n",
			o.file, info.ID, info.AsOf, bytesText(info.Bytes), countText(info.Premises), tookText(time.Since(start)))
	}
	var wrong int64
	if o.sweep > 0 {
		if v.Sweeps, wrong, err = sweep(ctx, snap, o, std); err != nil {
			return err
		}
	}
	if o.premises {
		if v.PremisesSweep, err = sweepPremises(ctx, snap, o, std); err != nil {
			return err
		}
	}
	if o.asJSON {
		if err := printJSON(std.out, v); err != nil {
			return err
		}
	}
	if s := v.PremisesSweep; s != nil && s.Missing() > 0 {
		return fmt.Errorf("%s: premises were not found by their own keys %s times", o.file, countText(s.Missing()))
	}
	if wrong > 0 {
		return fmt.Errorf("%s: the Region of %s points is not that of the polygons around them", o.file, countText(wrong))
	}
	return nil
}

// sweep checks Region allocation, and prints each kind of point as it is done
// unless all is to be printed as JSON at the end.
func sweep(ctx context.Context, snap *index.Snapshot, o verifyOptions, std stdio) (sweeps []index.Sweep, wrong int64, err error) {
	if !o.asJSON {
		fmt.Fprintf(std.out, "%-28s %12s %8s %12s %10s\n", "Regions at", "points", "wrong", "in no Region", "most edges")
	}
	err = snap.SweepRegions(ctx, o.sweep, o.seed, func(s index.Sweep) {
		sweeps = append(sweeps, s)
		wrong += s.Wrong
		if o.asJSON {
			return
		}
		fmt.Fprintf(std.out, "%-28s %12s %8s %12s %10d\n", s.Name, countText(s.Points), countText(s.Wrong), countText(s.InNone), s.MaxEdges)
		if s.Wrong > 0 {
			fmt.Fprintf(std.out, "  the first at %.9f,%.9f\n", s.FirstWrong.Lat, s.FirstWrong.Lng)
		}
	})
	return sweeps, wrong, err
}

// sweepPremises looks for every premises by its keys, and prints what came of
// it unless all is to be printed as JSON at the end.
func sweepPremises(ctx context.Context, snap *index.Snapshot, o verifyOptions, std stdio) (*bench.PremisesSweep, error) {
	p := newProgress(std.err, false)
	s, err := bench.SweepPremises(ctx, snap, p.report)
	p.end()
	if err == nil && !o.asJSON {
		printPremisesSweep(std.out, s)
	}
	return s, err
}

func printPremisesSweep(w io.Writer, s *bench.PremisesSweep) {
	fmt.Fprintf(w, "%-28s %12s %8s\n", "premises found by", "asked", "missing")
	for _, f := range []struct {
		by string
		bench.Found
	}{{"UPRN", s.UPRN}, {"postcode", s.Postcode}, {"location, at distance 0", s.Location}} {
		fmt.Fprintf(w, "%-28s %12s %8s\n", f.by, countText(f.Asked), countText(f.Missing))
		switch {
		case f.Missing > 0:
			fmt.Fprintf(w, "  the first is %s\n", f.First)
		case f.Asked == 0:
			fmt.Fprint(w, "  nothing was checked: no premises has one\n")
		}
	}
	if s.Crowded > 0 {
		fmt.Fprintf(w, "%s premises are on spots with more than %d, of which a look-up gives no more: they come after all of these\n",
			countText(s.Crowded), index.MaxNearest)
	}
}

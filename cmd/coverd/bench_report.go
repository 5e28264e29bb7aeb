package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"coverd/bench"
	"coverd/fixtures"
)

type benchReportOptions struct {
	sizes       []int
	national    int
	register    string
	seed        uint64
	n           int
	round, open time.Duration
	out, work   string
	noPeers     bool
	quiet       bool
}

func newBenchReport(std stdio) *cobra.Command {
	var o benchReportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "measure everything at several sizes, and write it up",
		Long: `Synthesise, build and measure a country at each of several sizes: builds, look-ups in process, bytes a premises; at one of
them, --national, also every mix, HTTP, swaps, and peers where they are installed (Redis, PostgreSQL with PostGIS). Then write
RESULTS.md, which holds all against the budgets, results.json and charts.

Sizes beyond that of the country show what becomes of builds and look-ups. A peer that fails is left out.`,
		Example: `  coverd bench report --sizes 300000,1000000 --out report
  coverd bench report --sizes 1000000,3000000,10000000,30000000,60000000 --register codepo_gb --out report`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBenchReport(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.IntSliceVar(&o.sizes, "sizes", nil, "`numbers` of premises, with commas (required)")
	f.IntVar(&o.national, "national", 0, "the `size` at which everything is measured; by default the largest up to 30000000")
	f.StringVar(&o.register, "register", "", "postcode register, a `file`, glob or folder; by default postcodes are made up")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that premises and questions come from")
	f.IntVar(&o.n, "n", 200_000, "`number` of questions of each kind in process")
	f.DurationVar(&o.round, "round", time.Second, "`time` of each turn in closed loop")
	f.DurationVar(&o.open, "open", 10*time.Second, "`time` of each open loop, in seven turns")
	f.StringVar(&o.out, "out", "", "the `folder` to write (required)")
	f.StringVar(&o.work, "work", "", "the `folder` in which one is made, and removed again, for extracts and snapshots; by default the system's for temporary files")
	f.BoolVar(&o.noPeers, "no-peers", false, "leave Redis and PostgreSQL out even where they are installed")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	required(cmd, "sizes", "out")
	return cmd
}

func runBenchReport(ctx context.Context, o benchReportOptions, std stdio) error {
	for _, size := range o.sizes {
		if size < 1000 || size > fixtures.MaxPremises {
			return usagef("--sizes: %d: want 1000 to %d", size, fixtures.MaxPremises)
		}
	}
	switch {
	case len(o.sizes) == 0:
		return usagef("--sizes: none")
	case o.national != 0 && !slices.Contains(o.sizes, o.national):
		return usagef("--national %d: want one of --sizes", o.national)
	case o.n < 1:
		return usagef("--n %d: want 1 or more", o.n)
	case o.round <= 0 || o.open <= 0:
		return usagef("--round %v, --open %v: want more than nothing", o.round, o.open)
	}
	if err := os.MkdirAll(o.out, 0o777); err != nil { // better now than after everything was measured
		return err
	}
	run := newRun(o.seed)
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	p := newProgress(std.err, o.quiet)
	report, err := bench.Measure(ctx, *run, bench.ReportOptions{
		Binary: binary, Sizes: o.sizes, National: o.national, Register: o.register, Seed: o.seed, N: o.n, Round: o.round, Open: o.open,
		NoPeers: o.noPeers, Work: o.work, Progress: p.report,
	})
	p.end()
	if err != nil {
		return err
	}
	if err := report.WriteFiles(o.out); err != nil {
		return err
	}
	missed := 0
	for _, v := range report.Verdicts {
		if v.Verdict == bench.Missed {
			missed++
		}
	}
	fmt.Fprintf(std.out, "written to %s; %d of %d budgets missed\n", filepath.Join(o.out, "RESULTS.md"), missed, len(report.Verdicts))
	return nil
}

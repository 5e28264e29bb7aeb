package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"coverd/bench"
)

type benchSwapOptions struct {
	first, second string
	seed          uint64
	n             int
	load          loadOptions
	every         time.Duration
	work          string
	asJSON, quiet bool
}

func newBenchSwap(std stdio) *cobra.Command {
	var o benchSwapOptions
	cmd := &cobra.Command{
		Use:   "swap FILE OTHER",
		Short: "swap two snapshots under load",
		Long: `Serve a directory of two generations from a process of its own, and swap one for the other, again and again, while
postcodes, outcodes and locations are asked in open loop at a set share of capacity. Turns with swaps and without
alternate, so that noise strikes both. It tells latency with and without, how long a swap takes, and the most memory
that was resident, beside that of one snapshot. A single request that fails ends the run with exit code 1.

Both files are copied into a directory of its own, which is removed.`,
		Example: `  coverd bench swap tonight.snap yesterday.snap
  coverd bench swap tonight.snap yesterday.snap --open 60s --every 2s --json`,
		Args: cobra.ExactArgs(2),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.first, o.second = args[0], args[1]
			return runBenchSwap(cmd.Context(), o, std)
		}),
	}
	o.load.flags(cmd, 30*time.Second, "open loop without swaps, and again with them, in seven turns each", 0.3)
	f := cmd.Flags()
	f.Uint64Var(&o.seed, "seed", 1, "`number` that the questions come from")
	f.IntVar(&o.n, "n", 1024, "`number` of different questions of each kind")
	f.DurationVar(&o.every, "every", 500*time.Millisecond, "`time` from the end of a swap to the next")
	f.StringVar(&o.work, "work", "", "`folder` for the directory of generations; by default the system's for temporary files")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	return cmd
}

func runBenchSwap(ctx context.Context, o benchSwapOptions, std stdio) error {
	switch {
	case o.n < 1:
		return usagef("--n %d: want 1 or more", o.n)
	case o.every <= 0:
		return usagef("--every %v: want more than nothing", o.every)
	}
	if err := o.load.check(); err != nil {
		return err
	}
	run := newRun(o.seed)
	snap, err := openSnapshot(o.first)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	run.Snapshot = bench.Describe(snap)
	p := newProgress(std.err, o.quiet)
	run.Rows, err = bench.Swap(ctx, bench.NewCatalogue(snap), bench.SwapOptions{
		Binary: binary, Snapshots: [2]string{o.first, o.second}, Seed: o.seed, Keys: o.n,
		Connections: o.load.connections, Round: o.load.round, Open: o.load.open, Every: o.every, Share: o.load.share, Work: o.work, Progress: p.report,
	})
	p.end()
	if err != nil {
		return err
	}
	return printRun(std, run, o.asJSON)
}

package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"coverd/bench"
)

// loadOptions say how a server is loaded.
type loadOptions struct {
	connections int
	round, open time.Duration
	share       float64
}

// flags adds them; share and open are defaults, and of says of what open is the
// time.
func (o *loadOptions) flags(cmd *cobra.Command, open time.Duration, of string, share float64) {
	f := cmd.Flags()
	f.IntVar(&o.connections, "connections", 32, "`number` of connections in closed loop; open loop has twice as many")
	f.DurationVar(&o.round, "round", time.Second, "`time` of each turn in closed loop, which tells capacity")
	f.DurationVar(&o.open, "open", open, "`time` of "+of)
	f.Float64Var(&o.share, "share", share, "`share` of the throughput that open loop asks for")
}

// check refuses what could only go wrong later.
func (o *loadOptions) check() error {
	switch {
	case o.connections < 1 || o.connections > 10_000:
		return usagef("--connections %d: want 1 to 10000", o.connections)
	case o.round <= 0 || o.open <= 0:
		return usagef("--round %v, --open %v: want more than nothing", o.round, o.open)
	case o.share <= 0 || o.share > 1:
		return usagef("--share %v: want a share of more than 0, up to 1", o.share)
	}
	return nil
}

type benchHTTPOptions struct {
	benchOptions
	load    loadOptions
	noPeers bool
}

func newBenchHTTP(std stdio) *cobra.Command {
	var o benchHTTPOptions
	cmd := &cobra.Command{
		Use:   "http",
		Short: "serve a snapshot and ask it over HTTP",
		Long: `Serve a snapshot from a process of its own and ask it over loopback for postcodes (with the mix "mixed" those of average
size), outcodes and locations. Beside it, each in a process of its own and by turns in seven rounds: a bare fasthttp and
a bare net/http handler that answer with the same header fields and bodies, and Redis, GET of the same bytes, where it is installed and works.

Closed loop tells throughput. In open loop requests are sent at a set share of it whether or not earlier ones have been
answered, and latency counts from when each was due, so that none is left out that had to wait. The client takes its
part of the same processors; the time of the server's process alone is a row of its own, and so is its memory at rest.`,
		Example: `  coverd bench http --snapshot coverd.snap
  coverd bench http --snapshot coverd.snap --connections 64 --open 60s --share 0.3 --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBenchHTTP(cmd.Context(), o, std) }),
	}
	o.flags(cmd, 1024, "different questions of each kind")
	o.load.flags(cmd, 10*time.Second, "each open loop, in seven turns", 0.7)
	cmd.Flags().BoolVar(&o.noPeers, "no-peers", false, "leave Redis out even where it is installed")
	return cmd
}

func runBenchHTTP(ctx context.Context, o benchHTTPOptions, std stdio) error {
	if err := cmp.Or(o.check(), o.load.check()); err != nil {
		return err
	}
	run := newRun(o.seed)
	snap, err := openSnapshot(o.snapshot)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	run.Snapshot = bench.Describe(snap)
	p := newProgress(std.err, o.quiet)
	result, err := bench.HTTP(ctx, bench.NewCatalogue(snap), bench.HTTPOptions{
		Binary: binary, Snapshot: o.snapshot, Mix: o.mix, Seed: o.seed, Keys: o.n,
		Connections: o.load.connections, Round: o.load.round, Open: o.load.open, Share: o.load.share, NoPeers: o.noPeers, Progress: p.report,
	})
	p.end()
	if err != nil {
		return err
	}
	run.Rows, run.Skipped = result.Rows, result.Skipped
	return printRun(std, run, o.asJSON)
}

// newBenchBare is what bench http starts beside the server; nobody types it.
func newBenchBare(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:     "bare KIND",
		Short:   "answer every request with what comes on standard input, until that ends",
		Example: "  coverd bench bare fasthttp",
		Hidden:  true,
		Args:    cobra.ExactArgs(1),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			return bench.Bare(cmd.Context(), args[0], std.in, std.out)
		}),
	}
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coverd/bench"
)

// benchOptions are the flags that the measurements share.
type benchOptions struct {
	snapshot string
	seed     uint64
	mix      string
	n        int
	asJSON   bool
	quiet    bool
}

func newBench(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "measure look-ups, HTTP and builds, each beside its floor",
		Long: `Measure this coverd on this machine. Look-ups and HTTP have a floor beside them, measured by turns with them in the same
run: the least that anything must spend that does the like. That of a build is measured right after it. Questions come
from a seed, so that a run can be repeated.

A question mix is one of
  mixed       of twenty questions 12 hits, 3 hot, 2 misses, 2 new builds, 1 border
  hits        postcodes with premises
  misses      well-formed keys that nobody knows
  hot         hits, most of them in a few outcodes
  border      postcodes near another Region, points within 100 m of it
  new-builds  postcodes that are in the register and in no extract`,
		Example: `  coverd bench lookup --snapshot coverd.snap
  coverd bench lookup --snapshot coverd.snap --mix misses --seed 7 --json
  coverd bench http --snapshot coverd.snap
  coverd bench swap tonight.snap yesterday.snap
  coverd bench build --manifest coverd.toml
  coverd bench report --sizes 300000,1000000 --out report`,
	}
	cmd.AddCommand(newBenchLookup(std), newBenchHTTP(std), newBenchSwap(std), newBenchBuild(std), newBenchReport(std), newBenchBare(std))
	return cmd
}

func newBenchLookup(std stdio) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "lookup",
		Short: "ask a snapshot in process",
		Long: `Ask a snapshot every kind of question in process, from one goroutine: percentiles, allocations a question, and the
floor, which for keys is a plain map get of the same keys.

A question shorter than a microsecond is timed in batches of 128 for p50, and one by one for p99 and p99.9, the time it
takes to read the clock subtracted.`,
		Example: `  coverd bench lookup --snapshot coverd.snap
  coverd bench lookup --snapshot coverd.snap --mix border --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBenchLookup(cmd.Context(), o, std) }),
	}
	o.flags(cmd, 200_000, "questions of each kind")
	return cmd
}

// flags adds those that a measurement of a snapshot has.
func (o *benchOptions) flags(cmd *cobra.Command, n int, of string) {
	f := cmd.Flags()
	f.StringVar(&o.snapshot, "snapshot", "", "the snapshot `file` to ask (required)")
	f.Uint64Var(&o.seed, "seed", 1, "`number` that the questions come from")
	f.StringVar(&o.mix, "mix", bench.Mixed, "which questions: `name` of a mix")
	f.IntVar(&o.n, "n", n, "`number` of "+of)
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	required(cmd, "snapshot")
}

// check refuses what could only go wrong later.
func (o *benchOptions) check() error {
	if err := bench.CheckMix(o.mix); err != nil {
		return usagef("--mix: %w", err)
	}
	if o.n < 1 {
		return usagef("--n %d: want 1 or more", o.n)
	}
	return nil
}

func runBenchLookup(ctx context.Context, o benchOptions, std stdio) error {
	if err := o.check(); err != nil {
		return err
	}
	run := newRun(o.seed)
	snap, err := openSnapshot(o.snapshot)
	if err != nil {
		return err
	}
	run.Snapshot = bench.Describe(snap)
	p := newProgress(std.err, o.quiet)
	run.Rows, err = bench.Lookup(ctx, bench.NewCatalogue(snap), bench.LookupOptions{Mix: o.mix, Seed: o.seed, N: o.n, Progress: p.report})
	p.end()
	if err != nil {
		return err
	}
	return printRun(std, run, o.asJSON)
}

// newRun begins the record of a measurement.
func newRun(seed uint64) *bench.Run {
	return &bench.Run{Date: time.Now().Format(time.RFC3339), Command: commandLine(os.Args[1:]), Machine: bench.ThisMachine(), Seed: seed}
}

// commandLine is the command as others would give it: of paths that lead out of
// the folder it was given in, which are this machine's, the last part.
func commandLine(args []string) string {
	words := []string{"coverd"}
	for _, arg := range args {
		flag, value, both := strings.Cut(arg, "=")
		if !both {
			flag, value = "", arg
		}
		if value != "" && !filepath.IsLocal(value) {
			value = filepath.Base(value)
		}
		if both {
			flag += "="
		}
		words = append(words, flag+value)
	}
	return strings.Join(words, " ")
}

func printRun(std stdio, run *bench.Run, asJSON bool) error {
	if asJSON {
		return printJSON(std.out, run)
	}
	return run.WriteText(std.out)
}

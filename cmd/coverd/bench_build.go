package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"coverd/bench"
)

type benchBuildOptions struct {
	manifest string
	out      string
	asJSON   bool
	quiet    bool
}

func newBenchBuild(std stdio) *cobra.Command {
	var o benchBuildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "build a manifest, beside unpacking its files",
		Long: `Build a manifest in a process of its own: time, processor time and peak memory. Beside it, where zstd is installed, the
time that "zstd -dc FILES | wc -l" takes for the same extracts.`,
		Example: `  coverd bench build --manifest national/coverd.toml
  coverd bench build --manifest national/coverd.toml --out national.snap --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBenchBuild(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.manifest, "manifest", "", "the manifest `file` that names the inputs (required)")
	f.StringVar(&o.out, "out", "", "keep the snapshot in this `file`")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	required(cmd, "manifest")
	return cmd
}

func runBenchBuild(ctx context.Context, o benchBuildOptions, std stdio) error {
	run := newRun(0)
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	p := newProgress(std.err, o.quiet)
	result, err := bench.Build(ctx, bench.BuildOptions{Binary: binary, Manifest: o.manifest, Out: o.out, Progress: p.report})
	p.end()
	if err != nil {
		return err
	}
	run.Rows, run.Skipped, run.Snapshot = result.Rows, result.Skipped, result.Snapshot
	return printRun(std, run, o.asJSON)
}

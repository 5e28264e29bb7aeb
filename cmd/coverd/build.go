package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/index/generations"
	"coverd/loader"
)

type buildOptions struct {
	manifest string
	out      string
	previous string
	rejects  string
	reports  []string
	override []string
	by       string
	reason   string
	stage    bool
	keep     int
	hook     string
	hookTime time.Duration
	asJSON   bool
	quiet    bool
}

func newBuild(std stdio) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "build a snapshot from extracts, register and Region boundaries",
		Long: `Read what a manifest names, check every row, and make one snapshot of it, which is read back before it counts.

A manifest with a directory of snapshots gets a new generation there. The directory is locked for as long as the build
runs, and the active generation is what it follows, unless --previous says otherwise. The new one is written whole or not
at all, its rejected rows (....rejects.csv.zst) and its report (....report.html, ....report.json) beside it; then --hook is
run, and if that ends well the generation is made active, and old ones are removed. 'coverd snapshots' lists them and goes
back.

The hook is run by sh -c with COVERD_SNAPSHOT (the new snapshot's file), COVERD_PREVIOUS (that of the one before it) and
COVERD_REPORT_PAGE (the report's) in its environment; what it prints goes to standard error. If it fails, or does not end
in time, the generation stays staged.

With --out the snapshot is one file instead, and so it is, as coverd.snap beside the manifest, where that names no
directory. It takes the place of what is there, whole or not at all.

Rejected rows are counted by reason, and listed with file, line, column, reason and row; corrected there, they can be fed
back as an extract's corrections (see loader/EXTRACTS.md). Exit code 3 if an extract is refused: damaged, not what it claims
to be, or with too many bad rows; if a gate refuses what has changed since the active generation; or if the hook refuses.
The report says which, by how much, and how to go on. Whatever goes wrong, what was active still is.`,
		Example: `  coverd build --manifest coverd.toml
  coverd build --manifest coverd.toml --out coverd.snap
  coverd build --manifest coverd.toml --hook 'coverd lookup "GU1 1AA" | grep -q available'
  coverd build --manifest coverd.toml --override shrink=Arqiva --by 'A. Operator' --reason '400 flats were pulled down'
  coverd build --manifest tonight/coverd.toml --stage --rejects rejects.csv.gz --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBuild(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.manifest, "manifest", "", "the manifest `file` that names the inputs (required)")
	f.StringVar(&o.out, "out", "", "write this snapshot `file` instead of a generation")
	f.StringVar(&o.previous, "previous", "", "the snapshot `file` before this one (default the active generation): postcodes it holds and the register lacks were terminated since, and what has changed is remembered")
	f.StringVar(&o.rejects, "rejects", "", "list rejected rows in this CSV `file` (.gz and .zst compress)")
	f.StringArrayVar(&o.override, "override", nil, "let this build pass a gate that has refused it, `GATE=SOURCE` as the refusal says; may be given several times")
	f.StringVar(&o.by, "by", "", "`name` of who overrides, for the record in the snapshot")
	f.StringVar(&o.reason, "reason", "", "`text` that says why that is right, for the same record")
	f.BoolVar(&o.stage, "stage", false, "leave the new generation staged: 'coverd snapshots activate' makes it active")
	f.IntVar(&o.keep, "keep", generations.DefaultKeep, "`number` of generations to keep once there is a new one, at least 3; 0 keeps all")
	f.StringVar(&o.hook, "hook", "", "`command` that may look at the new generation before it is made active, and refuse it")
	f.DurationVar(&o.hookTime, "hook-timeout", 5*time.Minute, "how `long` the hook may take")
	f.StringArrayVar(&o.reports, "report", nil, "write the whole report to this `file` (.html, .json or .txt), of a refused build too; may be given several times")
	f.BoolVar(&o.asJSON, "json", false, "print the whole report as JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress and no summary, only errors")
	required(cmd, "manifest")
	return cmd
}

// built is what a build has made.
type built struct {
	File       string                   `json:"file"`
	ID         string                   `json:"id"`
	Content    string                   `json:"content_digest"`
	AsOf       string                   `json:"as_of"`
	Bytes      int64                    `json:"bytes"`
	Seconds    float64                  `json:"seconds"`
	Rejects    string                   `json:"rejects,omitempty"`    // the file with the rejected rows
	Report     string                   `json:"report,omitempty"`     // the page with its report
	Generation *generations.Generation  `json:"generation,omitempty"` // none if it is a file of its own
	Unchanged  bool                     `json:"unchanged,omitempty"`  // the generation was there before
	Pruned     []generations.Generation `json:"pruned,omitempty"`
}

// gcPercent lets garbage grow to a fifth of what is in use, not to as much again:
// a national build holds up to 2 GB in large pieces without pointers, which are
// as good as free to look through. It takes no more time that could be measured,
// and 1.2 GB less memory. What GOGC says goes before that.
const gcPercent = 20

func runBuild(ctx context.Context, o buildOptions, std stdio) (err error) {
	start := time.Now()
	said := debug.SetGCPercent(gcPercent)
	defer debug.SetGCPercent(said)
	if said != 100 {
		debug.SetGCPercent(said)
	}
	if to, err := os.Stat(o.out); err == nil && to.IsDir() {
		return usagef("--out %s: it is a directory; name a file in it", o.out)
	}
	manifest, err := loader.ReadManifest(o.manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; 'coverd synth' writes extracts with a manifest to start from", err)
	} else if err != nil {
		return err
	}
	if err := o.checkOutputs(manifest); err != nil {
		return err
	}
	if err := o.checkReports(manifest); err != nil {
		return err
	}
	to, err := o.destination(manifest, std)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	var previous *index.Snapshot
	if path := to.previous(); path != "" {
		if previous, err = openSnapshot(path); err != nil {
			return err
		}
	}
	if err := o.overrides(manifest, previous); err != nil {
		return err
	}
	used, err := to.usedOverrides()
	if err != nil {
		return err
	}
	progress, watch := newProgress(std.err, o.quiet), newStopwatch()
	res, err := loader.Build(ctx, manifest, loader.Options{
		Progress: func(s loader.Stage) {
			watch.stage(s.Name)
			progress.report(s.Name, s.Done, s.Total)
		},
		Rejects:       to.rejects(),
		Previous:      previous,
		PreviousPath:  to.previous(),
		UsedOverrides: used,
		Now:           start,
		Tool:          tool,
	})
	progress.end()
	switch {
	case err != nil && res == nil:
		return interrupted(ctx, err)
	case err != nil:
		res.Timings = watch.timings()
		return errors.Join(o.summarise(std, &res.Report, nil), to.refused(&res.Report, err))
	}
	made, err := to.publish(&outcome{ctx: ctx, res: res, watch: watch})
	if err != nil {
		return interrupted(ctx, err)
	}
	made.Seconds = time.Since(start).Seconds()
	return o.summarise(std, &res.Report, made)
}

// overrides adds those of the command line to the manifest's.
func (o *buildOptions) overrides(m *loader.Manifest, previous *index.Snapshot) error {
	if len(o.override) == 0 && (o.by != "" || o.reason != "") {
		return usagef("--by and --reason are for --override")
	}
	for _, text := range o.override {
		gate, source, ok := strings.Cut(text, "=")
		if !ok {
			return usagef("--override %s: want GATE=SOURCE, as the refusal says", text)
		}
		if err := m.Override(gate, source, o.by, o.reason, previous); err != nil {
			return usagef("--override %s: %w", text, err)
		}
	}
	return nil
}

// interrupted says of an error that comes of being told to stop that it does.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("told to stop: nothing has changed (%w)", err)
	}
	return err
}

// summarise says what came of a build, made being nil where it was refused.
func (o *buildOptions) summarise(std stdio, r *loader.Report, made *built) error {
	switch {
	case o.asJSON:
		return printJSON(std.out, struct {
			Snapshot *built `json:"snapshot"`
			*loader.Report
		}{made, r})
	case o.quiet:
		return nil
	case made == nil:
		return r.WriteSummary(std.err)
	}
	if err := r.WriteSummary(std.out); err != nil {
		return err
	}
	took := tookText(time.Duration(made.Seconds * float64(time.Second)))
	if made.Unchanged {
		fmt.Fprintf(std.out, "the same as %s: snapshot %s, %s, in %s\n", made.File, made.ID, bytesText(made.Bytes), took)
	} else {
		fmt.Fprintf(std.out, "written to %s: snapshot %s, %s, in %s\n", made.File, made.ID, bytesText(made.Bytes), took)
	}
	switch g := made.Generation; {
	case g == nil:
	case g.State == generations.Active:
		fmt.Fprintf(std.out, "generation %d is active\n", g.Sequence)
	default:
		fmt.Fprintf(std.out, "generation %d is %s; 'coverd snapshots activate %d' makes it active\n", g.Sequence, g.State, g.Sequence)
	}
	if made.Report != "" {
		fmt.Fprintf(std.out, "report: %s\n", made.Report)
	}
	if len(made.Pruned) > 0 {
		fmt.Fprintf(std.out, "removed %s, to keep %d\n", plural(int64(len(made.Pruned)), "old generation", "old generations"), o.keep)
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/loader"
)

type buildOptions struct {
	manifest string
	out      string
	previous string
	rejects  string
	asJSON   bool
	quiet    bool
}

func newBuild(std stdio) *cobra.Command {
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "build a snapshot from extracts, register and Region boundaries",
		Long: `Read what a manifest names, check every row, and write one snapshot file: whole or not at all, read back before it
takes its name. Rejected rows are counted by reason and, with --rejects, listed with file, line, column, reason and row.

Without --out the file goes into the manifest's snapshots directory as AS_OF-ID.snap, or beside the manifest as
coverd.snap where there is no such directory in it.

Exit code 3, and no file, if an extract is refused: damaged, not what it claims to be, or with too many bad rows.`,
		Example: `  coverd build --manifest coverd.toml --out coverd.snap
  coverd build --manifest tonight/coverd.toml --previous last.snap --rejects rejects.csv.gz --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runBuild(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.manifest, "manifest", "", "the manifest `file` that names the inputs (required)")
	f.StringVar(&o.out, "out", "", "the snapshot `file` to write")
	f.StringVar(&o.previous, "previous", "", "the snapshot `file` before this one: postcodes it holds and the register lacks were terminated since, and what has changed is remembered")
	f.StringVar(&o.rejects, "rejects", "", "list rejected rows in this CSV `file` (.gz and .zst compress)")
	f.BoolVar(&o.asJSON, "json", false, "print the summary as JSON")
	f.BoolVar(&o.quiet, "quiet", false, "no progress and no summary, only errors")
	required(cmd, "manifest")
	return cmd
}

// built is what a build has made.
type built struct {
	File    string  `json:"file"`
	ID      string  `json:"id"`
	Content string  `json:"content_digest"`
	AsOf    string  `json:"as_of"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// gcPercent lets garbage grow to a fifth of what is in use, not to as much again:
// a national build holds up to 2 GB in large pieces without pointers, which are
// as good as free to look through. It takes no more time that could be measured,
// and 1.2 GB less memory. What GOGC says goes before that.
const gcPercent = 20

func runBuild(ctx context.Context, o buildOptions, std stdio) error {
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
	var previous *index.Snapshot
	if o.previous != "" {
		if previous, err = openSnapshot(o.previous); err != nil {
			return err
		}
	}
	progress := newProgress(std.err, o.quiet)
	res, err := loader.Build(ctx, manifest, loader.Options{
		Progress: func(s loader.Stage) { progress.report(s.Name, s.Done, s.Total) },
		Rejects:  o.rejects,
		Previous: previous,
		Tool:     tool,
	})
	progress.end()
	if err != nil {
		if res == nil {
			return err
		}
		if e := o.summarise(std, &res.Summary, nil); e != nil {
			return e
		}
		return err
	}
	dir, name := o.place(manifest)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	snap, path, err := writeSnapshot(dir, name, res)
	if err != nil {
		return err
	}
	info := snap.Info()
	return o.summarise(std, &res.Summary, &built{
		File: path, ID: info.ID, Content: info.ContentDigest, AsOf: info.AsOf.String(), Bytes: info.Bytes, Seconds: time.Since(start).Seconds(),
	})
}

// place tells where the snapshot goes, and how it is called there.
func (o *buildOptions) place(m *loader.Manifest) (dir string, name func(*index.Info) string) {
	switch {
	case o.out != "":
		return filepath.Dir(o.out), func(*index.Info) string { return filepath.Base(o.out) }
	case m.Snapshots != "":
		return m.Snapshots, func(i *index.Info) string { return fmt.Sprintf("%s-%.12s.snap", i.AsOf, i.ID) }
	}
	return cmp.Or(m.Dir, "."), func(*index.Info) string { return "coverd.snap" }
}

// writeSnapshot writes what was built, reads it back as serve will, and only
// then gives it its name.
func writeSnapshot(dir string, name func(*index.Info) string, res *loader.Result) (snap *index.Snapshot, path string, err error) {
	write := func(w io.Writer) error {
		_, err := res.Built.WriteTo(w)
		res.Built = nil // so that the builder's and the reader's memory do not add up
		return err
	}
	check := func(tmp string) (string, error) {
		if snap, err = index.Open(tmp); err != nil {
			return "", fmt.Errorf("reading the new snapshot back: %w", err)
		}
		return name(snap.Info()), nil
	}
	path, err = writeFile(dir, write, check)
	return snap, path, err
}

// summarise says what came of a build, made being nil where it was refused.
func (o *buildOptions) summarise(std stdio, s *loader.Summary, made *built) error {
	switch {
	case o.asJSON:
		return printJSON(std.out, struct {
			Snapshot *built `json:"snapshot"`
			*loader.Summary
		}{made, s})
	case o.quiet:
		return nil
	case made == nil:
		return s.WriteText(std.err)
	}
	if err := s.WriteText(std.out); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "written to %s: snapshot %s, %s, in %s\n", made.File, made.ID, bytesText(made.Bytes),
		tookText(time.Duration(made.Seconds*float64(time.Second))))
	return nil
}

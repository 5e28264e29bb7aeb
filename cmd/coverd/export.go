package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"coverd/geo"
	"coverd/index"
	"coverd/index/generations"
	"coverd/loader"
)

type exportOptions struct {
	snapshot string
	out      string
	format   string
	what     string
	on       string
	pack     string
	outcodes []string
	asJSON   bool
	quiet    bool
}

func newExport(std stdio) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "write all of a snapshot back out: as extracts to build again, or as CSV, NDJSON or GeoJSON",
		Long: `Write a snapshot's content back out, so that nobody is locked in.

Without --format, --out names a new or empty folder: a coverd.toml, with the extracts, the register and the Regions that
it names. coverd build makes a snapshot with the same content_digest of it. These files are exact, for programs to read:
open none of them in a spreadsheet.

With --format, a list for people and programs, to standard output or the file --out, compressed if it ends in .zst or .gz:
csv (a row for each premises and network region; cells that a spreadsheet would take for a formula have a ' in front),
ndjson (a premises a line, as in the answer over HTTP) or geojson (for maps). States are those on the day --on.`,
		Example: `  coverd export --out again coverd.snap && coverd build --manifest again/coverd.toml
  coverd export --format csv --outcode GU1,GU2 coverd.snap > guildford.csv
  coverd export --format geojson --what areas --out areas.geojson coverd.snap
  coverd export --format ndjson --out premises.ndjson.zst coverd.snap`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.snapshot = args[0]
			return runExport(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "the `folder` for extracts, or with --format the file; by default, with --format, standard output")
	f.StringVar(&o.format, "format", "", "list in a `format`: csv, ndjson or geojson")
	f.StringVar(&o.what, "what", string(loader.ListPremises), "what to list: premises, areas, postcodes or regions")
	f.StringVar(&o.on, "on", "", "the `day` that states in a list are of, such as 2026-12-24; by default today in London")
	f.StringSliceVar(&o.outcodes, "outcode", nil, "list only premises or postcodes of these `outcodes`, such as GU1,GU2")
	f.StringVar(&o.pack, "pack", string(loader.PackZstd), "how extracts are packed: zstd, gzip or none")
	f.BoolVar(&o.asJSON, "json", false, "print what was written as JSON (extracts only)")
	f.BoolVar(&o.quiet, "quiet", false, "no progress")
	return cmd
}

func runExport(ctx context.Context, o exportOptions, std stdio) error {
	list, err := o.list()
	if err != nil {
		return err
	}
	if list == nil && o.out == "" {
		return usagef("say where to: --out FOLDER for extracts to build again, or --format for a list")
	}
	snap, err := openSnapshot(o.snapshot)
	if err != nil {
		return err
	}
	progress := newProgress(std.err, o.quiet)
	defer progress.end()
	tell := func(s loader.Stage) { progress.report(s.Name, s.Done, s.Total) }
	if list != nil {
		if list.Progress = tell; o.out == "" && isTerminal(std.out) {
			list.Progress = nil // it would be in the way
		}
		return o.writeList(ctx, snap, list, std)
	}
	start := time.Now()
	made, err := loader.Export(ctx, snap, o.out, loader.ExportOptions{Packing: loader.Packing(o.pack), Progress: tell})
	progress.end()
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(std.out, struct {
			*loader.Exported
			Content string  `json:"content_digest"`
			Seconds float64 `json:"seconds"`
		}{made, snap.Info().ContentDigest, time.Since(start).Seconds()})
	}
	bytes := int64(0)
	for _, f := range made.Files {
		bytes += f.Bytes
	}
	fmt.Fprintf(std.out, "written to %s: %s, %s in %s, in %s\nbuild it again: coverd build --manifest %s\n", filepath.Dir(made.Manifest),
		plural(made.Rows, "row", "rows"), bytesText(bytes), plural(int64(len(made.Files)), "file", "files"), tookText(time.Since(start)), made.Manifest)
	return nil
}

// list reads the options of a list; nil without --format.
func (o *exportOptions) list() (*loader.ListOptions, error) {
	if !slices.Contains(loader.Packings, loader.Packing(o.pack)) {
		return nil, usagef("--pack %s: want zstd, gzip or none", o.pack)
	}
	if o.format == "" {
		if len(o.outcodes) > 0 || o.on != "" || o.what != string(loader.ListPremises) {
			return nil, usagef("--what, --on and --outcode are for lists: say --format too")
		}
		return nil, nil
	}
	l := &loader.ListOptions{What: loader.Listed(o.what), Format: loader.ListFormat(o.format), Packing: loader.PackingOf(o.out)}
	if !slices.Contains(loader.ListFormats, l.Format) {
		return nil, usagef("--format %s: want csv, ndjson or geojson", o.format)
	}
	if !slices.Contains(loader.AllListed, l.What) {
		return nil, usagef("--what %s: want premises, areas, postcodes or regions", o.what)
	}
	var err error
	if l.On, err = dayOrToday(o.on); err != nil {
		return nil, err
	}
	for _, text := range o.outcodes {
		code, err := geo.ParseOutcode(strings.TrimSpace(text))
		if err != nil {
			return nil, usagef("--outcode %s: %w", text, err)
		}
		l.Outcodes = append(l.Outcodes, code)
	}
	if len(l.Outcodes) > 0 && l.What != loader.ListPremises && l.What != loader.ListPostcodes {
		return nil, usagef("--outcode narrows premises and postcodes; %s are listed whole", l.What)
	}
	return l, nil
}

// dayOrToday reads the day asked about; without one it is today in London.
func dayOrToday(text string) (index.Day, error) {
	if text == "" {
		london, err := time.LoadLocation("Europe/London") // package server brings the time zones along
		if err != nil {
			return 0, err
		}
		return index.DayOf(time.Now().In(london)), nil
	}
	day, err := index.ParseDay(text)
	if err != nil {
		return 0, usagef("--on: %w", err)
	}
	return day, nil
}

func (o *exportOptions) writeList(ctx context.Context, snap *index.Snapshot, l *loader.ListOptions, std stdio) error {
	return writeTo(o.out, o.snapshot, std, func(w io.Writer) error { return loader.List(ctx, snap, w, *l) })
}

// writeTo writes to a file, which appears whole or not at all, or to standard
// output. It refuses to write over what is being read.
func writeTo(out, in string, std stdio, write func(io.Writer) error) error {
	if out == "" || out == "-" {
		buf := bufio.NewWriterSize(std.out, 1<<18)
		if err := write(buf); err != nil {
			return err
		}
		return buf.Flush()
	}
	if sameFile(out, in) {
		return usagef("--out %s: it is what is read, which would be lost; choose another", out)
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return usagef("--out %s: it is a directory; name a file in it", out)
	}
	_, err := generations.WriteFile(cmp.Or(filepath.Dir(out), "."), write, func(string) (string, error) { return filepath.Base(out), nil })
	return err
}

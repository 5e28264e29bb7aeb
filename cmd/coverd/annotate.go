package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/loader"
)

type annotateOptions struct {
	snapshotFlags
	in, out string
	on      string
	columns []string
	asJSON  bool
	quiet   bool
}

func newAnnotate(std stdio) *cobra.Command {
	var o annotateOptions
	cmd := &cobra.Command{
		Use:   "annotate IN.csv",
		Short: "append what is known of coverage to each row of a planner's table",
		Long: `Copy a table, and append to each row what is known of the coverage there: a batch of answers without a server. Where
neither the Self Service Interface nor Service Request 12.1 is to be had, this is a way to provide coverage, WAN Variant
and auxiliary equipment for many Installation Locations at once (SEC Appendix H 3.2(c), "a reasonable alternative
method").

IN.csv has a header row, and commas, semicolons or tabs between its fields; - is standard input. It may be packed (gzip,
zstd), and so is OUT if its name ends in .gz or .zst. Every byte of it is kept as it is, in front of the new columns.

The columns to look up by are found by their names (UPRN; postcode, pcode; address; lat, long; easting, northing; x, y;
grid reference; in any case and spacing), or named: --column postcode="Site PC". A row is looked up by its UPRN, else its
postcode with its address, else its location: the next where one finds no premises. Where none does there is an estimate,
as over HTTP: coverd_basis is "premises" for what CSPs claim of the premises itself, and everything else is an estimate.

Columns appended: ` + strings.Join(loader.AnnotatedColumns, ", ") + `.

A row that cannot be answered says why in coverd_outcome and coverd_reason, and the rest goes on: exit code 0. What came
of the rows is told on standard error.`,
		Example: `  coverd annotate --snapshot coverd.snap --on 2026-12-24 --out planned.csv plan.csv
  coverd annotate --snapshots snapshots --column postcode='Site PC' - < plan.csv > planned.csv`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.in = args[0]
			return runAnnotate(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.out, "out", "", "the `file` to write; by default standard output")
	f.StringVar(&o.on, "on", "", "the `day` asked about, such as 2026-12-24; by default today in London")
	f.StringArrayVar(&o.columns, "column", nil, "a column to look up by, as `NAME=THEIRS`; NAME is one of "+keyList(loader.SheetKeys))
	f.BoolVar(&o.asJSON, "json", false, "tell what came of the rows as JSON, alone on standard error")
	f.BoolVar(&o.quiet, "quiet", false, "no progress, and no word of what came of the rows")
	return cmd
}

func runAnnotate(ctx context.Context, o annotateOptions, std stdio) error {
	given, err := givenColumns(o.columns, loader.SheetKeys)
	if err != nil {
		return err
	}
	on, err := dayOrToday(o.on)
	if err != nil {
		return err
	}
	snap, path, err := o.open()
	if err != nil {
		return err
	}
	if o.out != "" && sameFile(o.out, path) {
		return usagef("--out %s: it is the snapshot, which would be lost; choose another", o.out)
	}
	var sum *loader.Annotated
	err = writeTo(o.out, o.in, std, func(w io.Writer) error {
		sum, err = o.annotate(ctx, snap, on, given, w, std)
		return err
	})
	switch {
	case err != nil || o.quiet:
		return err
	case o.asJSON:
		return printJSON(std.err, sum)
	}
	return sum.WriteText(std.err)
}

func (o *annotateOptions) annotate(
	ctx context.Context, snap *index.Snapshot, on index.Day, given map[loader.SheetKey]string, w io.Writer, std stdio,
) (*loader.Annotated, error) {
	// With --json nothing else goes to standard error, for who reads it from there.
	progress := newProgress(std.err, o.quiet || o.asJSON || o.out == "" && isTerminal(std.out))
	defer progress.end()
	opts := loader.AnnotateOptions{
		On: on, Columns: given, Packing: loader.PackingOf(o.out),
		Progress: func(s loader.Stage) { progress.report(s.Name, s.Done, s.Total) },
	}
	if !o.quiet && !o.asJSON {
		opts.Found = func(found map[loader.SheetKey]string) {
			var parts []string
			for _, k := range loader.SheetKeys {
				if theirs, ok := found[k]; ok {
					parts = append(parts, fmt.Sprintf("%s in %q", k, theirs))
				}
			}
			fmt.Fprintf(std.err, "looked up by: %s\n", strings.Join(parts, ", "))
		}
	}
	return loader.Annotate(ctx, snap, o.in, std.in, w, opts)
}

func keyList(keys []loader.SheetKey) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// givenColumns reads --column: the table's column for some of the keys.
func givenColumns(list []string, keys []loader.SheetKey) (map[loader.SheetKey]string, error) {
	given := map[loader.SheetKey]string{}
	for _, c := range list {
		name, theirs, ok := strings.Cut(c, "=")
		key := loader.SheetKey(strings.TrimSpace(name))
		if !ok || !slices.Contains(keys, key) {
			return nil, usagef("--column %s: want NAME=THEIRS, NAME being one of %s", c, keyList(keys))
		}
		given[key] = strings.TrimSpace(theirs)
	}
	return given, nil
}

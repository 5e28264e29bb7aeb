package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/index/generations"
	"coverd/loader"
)

type accuracyOptions struct {
	outcomes  string
	snapshot  []string
	snapshots string
	columns   []string
	success   []string
	noWAN     []string
	lead      int
	least     int
	rejects   string
	asJSON    bool
	asCSV     bool
	quiet     bool
}

func newAccuracy(std stdio) *cobra.Command {
	var o accuracyOptions
	cmd := &cobra.Command{
		Use:   "accuracy",
		Short: "score installation outcomes against what had been indicated",
		Long: `Score what came of installations (service requests 8.14.1, Install Success, and 8.14.2, Install, No SM WAN) against what
the database had indicated about that day when it was read before: how many of those indicated available had no SM WAN, how
many of the others were a success, by CSP, network region and WAN Variant of the hub to fit, by outcode, and by what the
installer noted, with 95 % confidence intervals, the worst first. Where no premises was found the estimate is scored.

FILE has a header row and a row an installation, with a UPRN, or postcode and address, or a location; installation_date
(2026-12-24 or 24/12/2026); outcome ("Install Success" or "Install, No SM WAN", 8.14.1 or 8.14.2); and as far as there are
any chf_install_type, chf_location, premise_type, metal_obstruction_check, connectivity_obstruction_check,
shared_obstruction_check and aerial_install. Columns are found by their names, in any case and spacing, or named:
--column installation_date="Visit". It may be packed (gzip, zstd); - is standard input.

What had been indicated comes from the snapshots: each remembers the nights before it. What none reaches back to counts as
not known. A row that cannot be scored is told with its line and the reason, and the rest goes on: exit code 0.`,
		Example: `  coverd accuracy --outcomes outcomes.csv --snapshot coverd.snap
  coverd accuracy --outcomes outcomes.csv --snapshots snapshots --rejects rejects.csv --csv > accuracy.csv`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runAccuracy(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.outcomes, "outcomes", "", "the `file` of outcomes (required)")
	f.StringArrayVar(&o.snapshot, "snapshot", nil, "a snapshot `file`; more than one if none remembers all")
	f.StringVar(&o.snapshots, "snapshots", "", "the `directory` of generations: all that have been active")
	f.IntVar(&o.lead, "lead", 1, "how many `days` before the installation the database was read; 0 is the day itself")
	f.IntVar(&o.least, "least", 30, "the least `number` of outcomes indicated available by which a group is ranked")
	f.StringArrayVar(&o.columns, "column", nil, "a column to read, as `NAME=THEIRS`; NAME is one of "+keyList(loader.AccuracyKeys))
	f.StringArrayVar(&o.success, "success", nil, "a further `text` that stands for Install Success")
	f.StringArrayVar(&o.noWAN, "no-wan", nil, "a further `text` that stands for Install, No SM WAN")
	f.StringVar(&o.rejects, "rejects", "", "a `file` to write rejected rows to")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.asCSV, "csv", false, "print CSV, a row a group")
	f.BoolVar(&o.quiet, "quiet", false, "no progress, and no word of the columns")
	required(cmd, "outcomes")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.MarkFlagsOneRequired("snapshot", "snapshots")
	return cmd
}

func runAccuracy(ctx context.Context, o accuracyOptions, std stdio) error {
	given, err := givenColumns(o.columns, loader.AccuracyKeys)
	if err != nil {
		return err
	}
	switch {
	case o.lead < 0 || o.lead > 366:
		return usagef("--lead %d: want 0 to 366 days", o.lead)
	case o.least < 1:
		return usagef("--least %d: want at least 1", o.least)
	case o.rejects != "" && sameFile(o.rejects, o.outcomes):
		return usagef("--rejects %s: it is the file of outcomes, which would be lost; choose another", o.rejects)
	}
	paths, err := o.paths()
	if err != nil {
		return err
	}
	var snaps []*index.Snapshot
	for _, path := range paths {
		if o.rejects != "" && sameFile(o.rejects, path) {
			return usagef("--rejects %s: it is a snapshot, which would be lost; choose another", o.rejects)
		}
		snap, err := openSnapshot(path)
		if err != nil {
			return err
		}
		snaps = append(snaps, snap)
	}
	progress := newProgress(std.err, o.quiet)
	a, err := loader.Score(ctx, snaps, o.outcomes, std.in, loader.AccuracyOptions{
		Columns: given, Success: o.success, NoWAN: o.noWAN, Lead: o.lead, Least: o.least, Rejects: o.rejects,
		Progress: func(s loader.Stage) { progress.report(s.Name, s.Done, s.Total) },
		Found: func(found map[loader.SheetKey]string) {
			if !o.quiet {
				fmt.Fprintf(std.err, "columns: %s\n", foundText(found))
			}
		},
	})
	progress.end()
	switch {
	case err != nil:
		return err
	case o.asJSON:
		return printJSON(std.out, a)
	case o.asCSV:
		return a.WriteCSV(std.out)
	}
	return a.WriteText(std.out)
}

func foundText(found map[loader.SheetKey]string) string {
	var parts []string
	for _, k := range loader.AccuracyKeys {
		if theirs, ok := found[k]; ok {
			parts = append(parts, fmt.Sprintf("%s in %q", k, theirs))
		}
	}
	return strings.Join(parts, ", ")
}

// paths lists the snapshots to ask: of a directory all but those that were never
// in force, the oldest first.
func (o *accuracyOptions) paths() ([]string, error) {
	paths := slices.Clone(o.snapshot)
	if o.snapshots == "" {
		return paths, nil
	}
	dir, err := generations.Open(o.snapshots)
	if err != nil {
		return nil, err
	}
	list, err := dir.List()
	if err != nil {
		return nil, err
	}
	for _, g := range slices.Backward(list) {
		if g.State != generations.Staged && g.State != generations.Withdrawn {
			paths = append(paths, dir.Path(g))
		}
	}
	if len(paths) == 0 {
		return nil, errors.New(o.snapshots + " has no generation that was ever active; 'coverd build' or 'coverd snapshots activate NAME' makes one so")
	}
	return paths, nil
}

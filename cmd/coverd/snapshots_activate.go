package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"coverd/index/generations"
)

func newSnapshotsActivate(std stdio) *cobra.Command {
	var o snapshotsOptions
	cmd := &cobra.Command{
		Use:   "activate KEY",
		Short: "make a generation the active one",
		Long: `Make a generation the active one, whatever its state, once its file has been opened and verified. KEY is its name, its
sequence (413), or the beginning of its snapshot's ID.

It also mends a directory of which it is not known what is active.`,
		Example: `  coverd snapshots activate --snapshots snapshots 413
  coverd snapshots activate --snapshots snapshots 000413-7ec1b1d29b72.snap
  coverd snapshots activate --snapshots snapshots 7ec1b1d2`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(_ *cobra.Command, args []string) error { return runSnapshotsActivate(o, args[0], std) }),
	}
	o.flags(cmd)
	return cmd
}

func runSnapshotsActivate(o snapshotsOptions, key string, std stdio) error {
	return o.change(func(d *generations.Dir, l *generations.Lock) error {
		g, err := l.Activate(key)
		if err != nil {
			return err
		}
		before, err := withState(d, generations.Previous)
		if err != nil {
			return err
		}
		active := describe(d, g)
		if o.asJSON {
			return printJSON(std.out, struct {
				Active   generationInfo  `json:"active"`
				Previous *generationInfo `json:"previous"` // what a rollback goes to
			}{active, before})
		}
		fmt.Fprintf(std.out, "active: %s\n", active.text())
		if before != nil {
			fmt.Fprintf(std.out, "'coverd snapshots rollback' goes back to %s\n", before.text())
		}
		return nil
	})
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"coverd/index/generations"
)

func newSnapshotsRollback(std stdio) *cobra.Command {
	var o snapshotsOptions
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "go back to the generation that was active before",
		Long: `Go back to the generation that was active before, once its file has been opened and verified. The active one is
withdrawn: no build makes it active again, only 'coverd snapshots activate'. Called again, it goes one further back.`,
		Example: `  coverd snapshots rollback --snapshots snapshots`,
		Args:    cobra.NoArgs,
		RunE:    verb(func(*cobra.Command, []string) error { return runSnapshotsRollback(o, std) }),
	}
	o.flags(cmd)
	return cmd
}

func runSnapshotsRollback(o snapshotsOptions, std stdio) error {
	return o.change(func(d *generations.Dir, l *generations.Lock) error {
		from, err := d.Active()
		if err != nil {
			return err
		}
		g, err := l.Rollback()
		if err != nil {
			return err
		}
		next, err := withState(d, generations.Previous)
		if err != nil {
			return err
		}
		from.State = generations.Withdrawn
		active, withdrawn := describe(d, g), describe(d, from)
		if o.asJSON {
			return printJSON(std.out, struct {
				Active    generationInfo  `json:"active"`
				Withdrawn generationInfo  `json:"withdrawn"`
				Previous  *generationInfo `json:"previous"` // what another rollback goes to
			}{active, withdrawn, next})
		}
		fmt.Fprintf(std.out, "active: %s\nwithdrawn: %s; only 'coverd snapshots activate %d' makes it active again\n", active.text(), withdrawn.text(), from.Sequence)
		if next != nil {
			fmt.Fprintf(std.out, "another rollback goes back to %s\n", next.text())
		} else {
			fmt.Fprint(std.out, "there is nothing further back to roll back to\n")
		}
		fmt.Fprintf(std.out, "the next build follows %s, and is made active as ever: mend what was wrong before it, or build with --stage\n", g.Name)
		return nil
	})
}

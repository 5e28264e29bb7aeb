package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"coverd/index/generations"
)

func newSnapshotsDiscard(std stdio) *cobra.Command {
	var o snapshotsOptions
	var yes bool
	cmd := &cobra.Command{
		Use:   "discard KEY",
		Short: "remove a generation that is staged and not wanted",
		Long: `Remove one generation that is staged, with the files that go with it: a candidate that was looked at, by people or by the
hook, and refused. KEY is its name, its sequence (414), or the beginning of its snapshot's ID. What is or was served stays:
'rollback' withdraws it, 'prune' removes the oldest.

Without --yes it only tells what it would remove.`,
		Example: `  coverd snapshots discard --snapshots snapshots 414
  coverd snapshots discard --snapshots snapshots 414 --yes`,
		Args: cobra.ExactArgs(1),
		RunE: verb(func(_ *cobra.Command, args []string) error { return runSnapshotsDiscard(o, args[0], yes, std) }),
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "really remove it")
	return cmd
}

func runSnapshotsDiscard(o snapshotsOptions, key string, yes bool, std stdio) error {
	return o.change(func(d *generations.Dir, l *generations.Lock) error {
		g, err := l.Reject(key, true)
		if err != nil {
			return err
		}
		info := describe(d, g)
		if yes {
			if _, err := l.Reject(g.Name, false); err != nil {
				return err
			}
		}
		if o.asJSON {
			return printJSON(std.out, struct {
				Generation generationInfo `json:"generation"`
				Removed    bool           `json:"removed"`
			}{info, yes})
		}
		if yes {
			fmt.Fprintf(std.out, "removed: %s\n", info.text())
		} else {
			fmt.Fprintf(std.out, "with --yes, this would be removed: %s\n", info.text())
		}
		return nil
	})
}

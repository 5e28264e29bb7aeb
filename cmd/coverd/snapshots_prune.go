package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"coverd/index/generations"
)

func newSnapshotsPrune(std stdio) *cobra.Command {
	var o snapshotsOptions
	var keep int
	var yes bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "remove the oldest generations",
		Long: `Remove the oldest generations, with the files that go with them, until --keep are left. Never removed are the active
one, the one that a rollback goes to, and what was staged since the active one.

Without --yes it only tells what it would remove. 'coverd build' prunes by itself.`,
		Example: `  coverd snapshots prune --snapshots snapshots
  coverd snapshots prune --snapshots snapshots --keep 3 --yes`,
		Args: cobra.NoArgs,
		RunE: verb(func(*cobra.Command, []string) error { return runSnapshotsPrune(o, keep, yes, std) }),
	}
	o.flags(cmd)
	cmd.Flags().IntVar(&keep, "keep", generations.DefaultKeep, "`number` of generations to keep, at least 3; 0 keeps all")
	cmd.Flags().BoolVar(&yes, "yes", false, "really remove them")
	return cmd
}

// checkKeep refuses to keep too few generations.
func checkKeep(keep int) error {
	if keep != 0 && keep < 3 {
		return usagef("--keep %d: want at least 3, for the active one, the one to go back to and one more; or 0 to keep all", keep)
	}
	return nil
}

func runSnapshotsPrune(o snapshotsOptions, keep int, yes bool, std stdio) error {
	if err := checkKeep(keep); err != nil {
		return err
	}
	return o.change(func(d *generations.Dir, l *generations.Lock) error {
		list, err := l.Prune(keep, true)
		if err != nil {
			return err
		}
		infos := []generationInfo{}
		var bytes int64
		for _, g := range list {
			infos = append(infos, describe(d, g))
			bytes += g.Bytes
		}
		if yes {
			if _, err := l.Prune(keep, false); err != nil {
				return err
			}
		}
		if o.asJSON {
			return printJSON(std.out, struct {
				Generations []generationInfo `json:"generations"`
				Bytes       int64            `json:"bytes"`
				Removed     bool             `json:"removed"`
			}{infos, bytes, yes})
		}
		what := plural(int64(len(list)), "generation", "generations") + ", " + bytesText(bytes)
		switch {
		case len(list) == 0:
			fmt.Fprint(std.out, "nothing to remove\n")
			return nil
		case yes:
			fmt.Fprintf(std.out, "removed %s:\n", what)
		default:
			fmt.Fprintf(std.out, "with --yes, %s would be removed:\n", what)
		}
		return listText(std.out, infos)
	})
}

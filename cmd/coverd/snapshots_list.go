package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coverd/index/generations"
)

func newSnapshotsList(std stdio) *cobra.Command {
	var o snapshotsOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the generations, the newest first",
		Long: `List the generations, the newest first, by what a few kilobytes of each file say; 'coverd verify' looks at all of one.

Exit code 1 if it is not known which is active: the list is printed all the same, and 'coverd snapshots activate' mends it.`,
		Example: `  coverd snapshots list --snapshots snapshots
  coverd snapshots list --snapshots snapshots --json`,
		Args: cobra.NoArgs,
		RunE: verb(func(*cobra.Command, []string) error { return runSnapshotsList(o, std) }),
	}
	o.flags(cmd)
	return cmd
}

func runSnapshotsList(o snapshotsOptions, std stdio) error {
	d, err := o.open()
	if err != nil {
		return err
	}
	list, err := d.List()
	if err != nil && !errors.Is(err, generations.ErrPointer) {
		return err
	}
	infos := []generationInfo{}
	for _, g := range list {
		infos = append(infos, describe(d, g))
	}
	if o.asJSON {
		return errors.Join(printJSON(std.out, struct {
			Generations []generationInfo `json:"generations"`
		}{infos}), err)
	}
	return errors.Join(listText(std.out, infos), err)
}

func listText(w io.Writer, infos []generationInfo) error {
	if len(infos) == 0 {
		_, err := fmt.Fprintln(w, "no generations yet")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "state\tname\tas of\tpremises\tsize")
	for _, i := range infos {
		asOf, premises := i.AsOf.String(), countText(i.Premises)
		if i.Error != "" {
			asOf, premises = "cannot be read", "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", i.State, i.Name, asOf, premises, bytesText(i.Bytes))
	}
	return t.Flush()
}

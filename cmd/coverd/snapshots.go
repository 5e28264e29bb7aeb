package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/index/generations"
)

// snapshotsOptions are the flags that the verbs of coverd snapshots share.
type snapshotsOptions struct {
	dir    string
	asJSON bool
}

func newSnapshots(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshots",
		Short: "the generations of a directory of snapshots: list, activate, roll back, discard, prune",
		Long: `A directory of snapshots holds one generation for every build, and says which is active: the one that
'coverd serve --snapshots DIR' answers from. A generation is
  staged     built, and never active yet
  active     served
  previous   what a rollback goes to
  withdrawn  rolled back from; only 'activate' makes it active again
  old        was active earlier than the previous one

Whoever changes the directory has its lock; while a build runs, that is the build. To roll back at once, end it: the
directory stays whole.`,
		Example: `  coverd snapshots list --snapshots snapshots
  coverd snapshots rollback --snapshots snapshots
  coverd snapshots activate --snapshots snapshots 413
  coverd snapshots discard --snapshots snapshots 414 --yes
  coverd snapshots prune --snapshots snapshots --keep 7 --yes`,
	}
	cmd.AddCommand(newSnapshotsList(std), newSnapshotsActivate(std), newSnapshotsRollback(std), newSnapshotsDiscard(std), newSnapshotsPrune(std))
	return cmd
}

// flags adds the shared flags to a verb.
func (o *snapshotsOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.dir, "snapshots", "", "the `directory` of snapshots (required)")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	required(cmd, "snapshots")
}

// open opens the directory, which must be there.
func (o *snapshotsOptions) open() (*generations.Dir, error) {
	if _, err := os.Stat(o.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; 'coverd build' makes it, from a manifest that names it (snapshots = %q)", err, o.dir)
	}
	return generations.Open(o.dir)
}

// change runs f with the directory's lock.
func (o *snapshotsOptions) change(f func(d *generations.Dir, l *generations.Lock) error) error {
	d, err := o.open()
	if err != nil {
		return err
	}
	l, err := d.Lock()
	if err != nil {
		return err
	}
	return errors.Join(f(d, l), l.Unlock())
}

// generationInfo is a generation with what its file says of itself.
type generationInfo struct {
	generations.Generation
	File     string    `json:"file"`
	AsOf     index.Day `json:"as_of,omitzero"`
	Premises int64     `json:"premises"`
	Error    string    `json:"error,omitempty"` // why that cannot be read
}

func describe(d *generations.Dir, g generations.Generation) generationInfo {
	i := generationInfo{Generation: g, File: d.Path(g)}
	info, err := index.ReadInfo(i.File)
	if err != nil {
		i.Error = err.Error()
		return i
	}
	i.AsOf, i.Premises = info.AsOf, info.Premises
	return i
}

// text names a generation to people.
func (i generationInfo) text() string {
	if i.Error != "" {
		return i.Name
	}
	return fmt.Sprintf("%s (as of %s, %s premises)", i.Name, i.AsOf, countText(i.Premises))
}

// withState returns the newest generation in a state, if there is one.
func withState(d *generations.Dir, s generations.State) (*generationInfo, error) {
	list, err := d.List()
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		if g.State == s {
			return new(describe(d, g)), nil
		}
	}
	return nil, nil
}

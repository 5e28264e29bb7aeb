package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"coverd/index"
)

// snapshotFlags say which snapshot to answer from, for the verbs that do.
type snapshotFlags struct {
	snapshot  string
	snapshots string
}

// flags adds the flags to a verb.
func (o *snapshotFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.snapshot, "snapshot", "", "the snapshot `file` to answer from; this or --snapshots is required")
	cmd.Flags().StringVar(&o.snapshots, "snapshots", "", "the `directory` whose active generation to answer from")
}

func (o *snapshotFlags) check() error {
	switch {
	case o.snapshot == "" && o.snapshots == "":
		return usagef("give --snapshot FILE or --snapshots DIR")
	case o.snapshot != "" && o.snapshots != "":
		return usagef("--snapshot %s and --snapshots %s: give one of them", o.snapshot, o.snapshots)
	}
	return nil
}

// open opens and verifies the snapshot, and tells in which file it is.
func (o *snapshotFlags) open() (snap *index.Snapshot, path string, err error) {
	if err := o.check(); err != nil {
		return nil, "", err
	}
	if o.snapshot != "" {
		snap, err = openSnapshot(o.snapshot)
		return snap, o.snapshot, err
	}
	dir, err := (&snapshotsOptions{dir: o.snapshots}).open()
	if err != nil {
		return nil, "", err
	}
	active, err := dir.Active()
	if err != nil {
		return nil, "", err
	}
	snap, err = index.Open(dir.Path(active))
	return snap, dir.Path(active), adviseOn(err, "")
}

// openSnapshot opens and verifies a snapshot for a verb, and says what to do
// next where that fails.
func openSnapshot(path string) (*index.Snapshot, error) {
	snap, err := index.Open(path)
	if err != nil {
		return nil, adviseOn(err, path)
	}
	return snap, nil
}

// adviseOn adds to an error of opening a snapshot what to do next. path is where
// one would be built to; "": not as one file.
func adviseOn(err error, path string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && path != "":
		return fmt.Errorf("%w; build one with 'coverd build --manifest coverd.toml --out %s'", err, path)
	case errors.Is(err, index.ErrVersion):
		return fmt.Errorf("%w; build it again with this coverd (%s), or read it with the one that built it", err, release)
	case errors.Is(err, index.ErrCorrupt):
		return fmt.Errorf("%w; do not use it: copy it again from where it was built, or build it again", err)
	}
	return err
}

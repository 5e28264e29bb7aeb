package main

import (
	"errors"
	"fmt"
	"io/fs"

	"coverd/index"
)

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

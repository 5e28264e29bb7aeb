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
	switch {
	case err == nil:
		return snap, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w; build one with 'coverd build --manifest coverd.toml --out %s'", err, path)
	case errors.Is(err, index.ErrVersion):
		return nil, fmt.Errorf("%w; build it again with this coverd (%s), or read it with the one that built it", err, release)
	case errors.Is(err, index.ErrCorrupt):
		return nil, fmt.Errorf("%w; do not use it: copy it again from where it was built, or build it again", err)
	}
	return nil, err
}

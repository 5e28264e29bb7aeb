package generations

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// State is what a generation is to its directory.
type State string

// The states. A generation is staged, then active, then previous, then old;
// one that was rolled back from is withdrawn.
const (
	// Staged: never active since it was put there.
	Staged State = "staged"
	// Active: the one to serve.
	Active State = "active"
	// Previous: the one that a rollback goes to.
	Previous State = "previous"
	// Withdrawn: rolled back from. Nothing but an explicit activation makes it
	// active again.
	Withdrawn State = "withdrawn"
	// Old: was active earlier than the previous one.
	Old State = "old"
)

// A Generation is a snapshot file of a directory, as it was when it was looked
// at.
type Generation struct {
	Name     string `json:"name"`     // of the file: 000413-7ec1b1d29b72.snap
	Sequence int64  `json:"sequence"` // from 1; rises with every file staged, and is never used again
	ID       string `json:"id"`       // the first 12 digits of the snapshot's
	State    State  `json:"state"`
	Bytes    int64  `json:"bytes"` // of the file
}

// idDigits is how much of a snapshot's ID is in a file's name: 48 bits, so that
// two of the same directory never agree by chance.
const idDigits = 12

// extension is that of snapshot files.
const extension = "snap"

var (
	nameShape = regexp.MustCompile(`^([0-9]{6,18})-([0-9a-f]{12})\.(.+)$`)
	idShape   = regexp.MustCompile(`^[0-9a-f]{12,64}$`)
)

// stem is the part of the name that a generation's files share.
func stem(sequence int64, id string) string { return fmt.Sprintf("%06d-%s", sequence, id) }

// splitName takes apart the name of a file that belongs to a generation: its
// snapshot, whose extension that is, or a companion. It takes a name only as
// stem writes it, so that no two names are of one generation, and none leads
// out of the directory.
func splitName(name string) (sequence int64, id, suffix string, ok bool) {
	m := nameShape.FindStringSubmatch(name)
	if m == nil || strings.ContainsAny(m[3], `/\`) {
		return 0, "", "", false
	}
	sequence, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || sequence < 1 || !strings.HasPrefix(name, stem(sequence, m[2])+".") {
		return 0, "", "", false
	}
	return sequence, m[2], m[3], true
}

// parseName reads the name of a snapshot file.
func parseName(name string) (g Generation, ok bool) {
	sequence, id, suffix, ok := splitName(name)
	return Generation{Name: name, Sequence: sequence, ID: id, State: Staged}, ok && suffix == extension
}

// newestFirst orders generations.
func newestFirst(a, b Generation) int {
	return cmp.Or(cmp.Compare(b.Sequence, a.Sequence), strings.Compare(a.ID, b.ID))
}

// ErrUnknown says that there is no such generation.
var ErrUnknown = errors.New("no such generation")

// find returns the generation that a key means: its name, with or without the
// extension, its sequence, or the beginning of its ID. A number that is a
// sequence is one, whatever IDs begin with it.
func find(list []Generation, key string) (Generation, error) {
	if key == "" {
		return Generation{}, fmt.Errorf("%w: the key is empty", ErrUnknown)
	}
	if n, err := strconv.ParseInt(key, 10, 64); err == nil {
		if i := slices.IndexFunc(list, func(g Generation) bool { return g.Sequence == n }); i >= 0 {
			return list[i], nil
		}
	}
	var found []Generation
	var names []string
	for _, g := range list {
		whole := strings.HasPrefix(key, g.ID) && idShape.MatchString(key)
		if g.Name == key || strings.TrimSuffix(g.Name, "."+extension) == key || strings.HasPrefix(g.ID, strings.ToLower(key)) || whole {
			found = append(found, g)
			names = append(names, g.Name)
		}
	}
	switch len(found) {
	case 0:
		return Generation{}, fmt.Errorf("%w: %q; want a name, a sequence or the beginning of an ID, as 'coverd snapshots list' shows them", ErrUnknown, key)
	case 1:
		return found[0], nil
	}
	return Generation{}, fmt.Errorf("%w: %q begins the IDs of %s; say more of it", ErrUnknown, key, strings.Join(names, " and "))
}

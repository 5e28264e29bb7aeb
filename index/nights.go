package index

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"coverd/geo"
)

// Night is what a snapshot remembers of one of the builds that led to it: what
// changed from the snapshot before to the one after, which is that before of the
// next night, or the snapshot itself.
type Night struct {
	Since     string       `json:"since"`       // ID of the snapshot before
	SinceAsOf Day          `json:"since_as_of"` // its as-of day
	AsOf      Day          `json:"as_of"`       // that of the snapshot after
	Changes   ChangeCounts `json:"changes"`
	// TooBig tells that so much changed that it was not kept: see FORMAT.md.
	TooBig bool `json:"too_big,omitempty"`
}

// Nights lists the nights that the snapshot remembers, oldest first.
func (s *Snapshot) Nights() []Night {
	if s.journal == nil {
		return nil
	}
	list := make([]Night, len(s.journal.nights))
	for i := range list {
		list[i] = s.journal.nights[i].Night
	}
	return list
}

// ErrTooOld is what the errors of Changes wrap where the snapshot does not
// remember that far back.
var ErrTooOld = errors.New("changes since then are not known")

// Cursor is a place in the changes of a night. The zero value is before all.
type Cursor struct {
	Night string // the night's Since, or its first digits
	Event int    // of the night's premises and postcodes that changed, how many are done
	Part  int    // of the next one's changes, how many are done
}

// idDigits is how many digits of an ID are enough to name a snapshot.
const idDigits = 12

// String returns the cursor as text, and "" for the zero value.
func (c Cursor) String() string {
	if c == (Cursor{}) {
		return ""
	}
	return fmt.Sprintf("%.*s-%d-%d", idDigits, c.Night, c.Event, c.Part)
}

// ParseCursor undoes [Cursor.String].
func ParseCursor(s string) (Cursor, error) {
	id, rest, _ := strings.Cut(s, "-")
	event, part, ok := strings.Cut(rest, "-")
	e, err1 := strconv.ParseUint(event, 10, 31)
	p, err2 := strconv.ParseUint(part, 10, 31)
	if !ok || err1 != nil || err2 != nil || !IsSnapshotID(id) {
		return Cursor{}, fmt.Errorf("not a cursor: %q", s)
	}
	return Cursor{id, int(e), int(p)}, nil
}

// IsSnapshotID reports whether a text may be the ID of a snapshot, or its first
// digits, at least twelve: digits and small letters a to f.
func IsSnapshotID(s string) bool {
	if len(s) < idDigits || len(s) > 2*idBytes {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Changes yields what has changed since an earlier snapshot, by its ID or the
// first digits of it, night after night, each in the order of [Diff]; with every
// change the cursor that goes on behind it. It starts behind after, and has
// only what is told at an outcode unless that is the zero value. Since itself
// there are no changes.
//
// The error wraps [ErrTooOld] where the snapshot does not remember the one asked
// about, or has not got the night of the cursor, or there was too much to keep.
func (s *Snapshot) Changes(since string, after Cursor, outcode geo.Outcode) (iter.Seq2[Cursor, Change], error) {
	if IsSnapshotID(since) && strings.HasPrefix(s.ID(), since) {
		return func(func(Cursor, Change) bool) {}, nil
	}
	first, err := s.night(since)
	if err != nil {
		return nil, err
	}
	if after.Night != "" {
		at, err := s.night(after.Night)
		if err != nil {
			return nil, err
		}
		if at < first {
			return nil, fmt.Errorf("%w: the cursor is of a night before", ErrTooOld)
		}
		first = at
	}
	return func(yield func(Cursor, Change) bool) {
		for i := first; i < len(s.journal.nights); i++ {
			if !s.journal.changes(&s.journal.nights[i], after, outcode, yield) {
				return
			}
			after = Cursor{}
		}
	}, nil
}

// night finds the night since a snapshot.
func (s *Snapshot) night(since string) (int, error) {
	if s.journal != nil && IsSnapshotID(since) {
		for i := range s.journal.nights {
			if n := &s.journal.nights[i]; strings.HasPrefix(n.Since, since) {
				if n.TooBig {
					return 0, fmt.Errorf("%w: too much changed in the night after snapshot %s", ErrTooOld, n.Since)
				}
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("%w: snapshot %q is not among those that snapshot %s was built on, or too old", ErrTooOld, since, s.ID())
}

// changes yields those of a night behind a cursor.
func (j *journal) changes(n *night, after Cursor, outcode geo.Outcode, yield func(Cursor, Change) bool) bool {
	place := placeOf(outcode)
	var dict *dictionary
	var list []Change
	more := true
	for i := range n.blocks {
		b := &n.blocks[i]
		if after.Event >= b.before+b.events || outcode.IsValid() && (place < b.first || place > b.last) {
			continue
		}
		if dict == nil {
			if dict, _ = j.cached(n); dict == nil {
				return false
			}
		}
		at := b.before - 1
		_ = j.each(dict, b, func(e *event) bool { // which has been verified
			at++
			if at < after.Event || outcode.IsValid() && e.shown().postcode.Outcode() != outcode {
				return true
			}
			list = e.appendChanges(list[:0])
			for k := range list {
				if at == after.Event && k < after.Part {
					continue
				}
				next := Cursor{n.Since, at, k + 1}
				if k+1 == len(list) {
					next = Cursor{n.Since, at + 1, 0}
				}
				if more = yield(next, list[k]); !more {
					return false
				}
			}
			return true
		})
		if !more {
			return false
		}
	}
	return true
}

// cached is the dictionary of a night. The one asked for last is kept: most
// callers ask about the same night.
func (j *journal) cached(n *night) (*dictionary, error) {
	if last := j.last.Load(); last != nil && last.night == n {
		return last.dict, nil
	}
	dict, err := j.dictionary(n)
	if err == nil {
		j.last.Store(&readNight{n, dict})
	}
	return dict, err
}

// readNight is a night with its dictionary.
type readNight struct {
	night *night
	dict  *dictionary
}

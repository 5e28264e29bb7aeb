package requests

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Trouble is what is wrong with a ledger.
type Trouble string

// The troubles. After the first three it may be written to again as it is; after
// the others it has to be opened and checked anew.
const (
	Locked   Trouble = "locked"    // another program is writing to it
	Full     Trouble = "full"      // there is no room on the disk
	ReadOnly Trouble = "read_only" // it may not be written to
	Damaged  Trouble = "damaged"   // it is not what was written, or not all of it
	Newer    Trouble = "newer"     // a later version of this program has written it
	Failed   Trouble = "failed"    // the system says no, for another reason
)

// Error is that a ledger could not do what it was asked; nothing of that is
// acknowledged.
type Error struct {
	Trouble Trouble
	Err     error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Broken reports whether the ledger has to be opened anew.
func (e *Error) Broken() bool { return e.Trouble != Locked && e.Trouble != Full }

func damaged(format string, args ...any) error {
	return &Error{Damaged, fmt.Errorf(format, args...)}
}

// classify makes an [Error] of an error of SQLite or the system, but of those
// that say nothing of the ledger.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrKeyReused) || errors.Is(err, ErrCursor) || errors.Is(err, ErrForgotten) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Failed, err}
	if of, ok := errors.AsType[*sqlite.Error](err); ok {
		switch of.Code() & 0xff {
		case sqlite3.SQLITE_INTERRUPT: // by the context of who asked
			return context.DeadlineExceeded
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			e.Trouble = Locked
		case sqlite3.SQLITE_FULL:
			e.Trouble = Full
		case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
			e.Trouble = ReadOnly
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_MISMATCH,
			sqlite3.SQLITE_CONSTRAINT:
			e.Trouble = Damaged
		}
	}
	return e
}

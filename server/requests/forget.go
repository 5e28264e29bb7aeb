package requests

import (
	"context"
	"database/sql"
	"time"
)

// Forgotten is what was deleted at once.
type Forgotten struct {
	Events   int
	Requests int // closed by them, each with its answers
}

// Forget implements [Ledger].
//
// # Why by events
//
// The feed is a list of which the beginning may be missing, and nothing in
// between: that is what a cursor can be held against. The closing is the last
// event of a request, so that one that goes leaves nothing behind.
func (l *sqliteLedger) Forget(ctx context.Context, before time.Time, limit int) (Forgotten, error) {
	due := false
	err := each(ctx, l.readers, "SELECT at FROM event ORDER BY id LIMIT 1", func(s scanner) error {
		var at int64
		err := s.Scan(&at)
		due = at < micros(before)
		return err
	})
	if err != nil || !due {
		return Forgotten{}, classify(err)
	}
	var f Forgotten
	if err := l.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		f, err = forget(ctx, tx, before, limit)
		return err
	}); err != nil {
		return Forgotten{}, err // it may be under way: f is not looked at
	}
	return f, nil
}

func forget(ctx context.Context, tx *sql.Tx, before time.Time, limit int) (f Forgotten, err error) {
	var first []eventRow
	if err := each(ctx, tx, "SELECT "+eventColumns+" FROM event ORDER BY id LIMIT ?", func(s scanner) error {
		row, err := scanEvent(s)
		first = append(first, row)
		return err
	}, limit); err != nil {
		return f, err
	}
	rows := 0
	for i := 0; i < len(first) && rows < limit && first[i].at < micros(before); i++ {
		e := &first[i]
		if err := remove(ctx, tx, &rows, "DELETE FROM event WHERE id = ?", e.id); err != nil {
			return f, err
		}
		f.Events++
		if Status(e.status) != Closed {
			continue
		}
		if err := remove(ctx, tx, &rows, "DELETE FROM answer WHERE request = ?", e.request); err != nil {
			return f, err
		}
		if err := remove(ctx, tx, &rows, "DELETE FROM request WHERE id = ?", e.request); err != nil {
			return f, err
		}
		f.Requests++
	}
	if f.Requests > 0 {
		_, err = tx.ExecContext(ctx, "UPDATE mark SET forgotten = max(forgotten, ?) WHERE id = 1", micros(before))
	}
	return f, err
}

// Deleted implements [Ledger].
func (l *sqliteLedger) Deleted(ctx context.Context) (before time.Time, err error) {
	var at int64
	if err := l.readers.QueryRowContext(ctx, "SELECT forgotten FROM mark WHERE id = 1").Scan(&at); err != nil {
		return before, classify(err)
	}
	return fromMicros(at), nil
}

// remove deletes rows, and adds how many there were.
func remove(ctx context.Context, tx *sql.Tx, rows *int, query string, id int64) error {
	done, err := tx.ExecContext(ctx, query, id)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	*rows += int(n)
	return err
}

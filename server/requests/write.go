package requests

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"coverd/index"
)

// Add implements [Ledger].
func (l *sqliteLedger) Add(ctx context.Context, r *Request, first *Answer) (*Record, bool, error) {
	body := l.pack(first.Body)
	var rec *Record
	var added, reused bool
	err := l.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		row, found, err := byKey(ctx, tx, r.Key)
		if err != nil {
			return err
		}
		if found {
			if reused = row.Same != r.Same; !reused {
				rec = &row.Record
			}
			return nil
		}
		row = requestRow{
			Record: Record{Request: *r, Created: first.At, Status: Resolved, Answers: 1, Given: []Answer{*first}},
			region: first.Region.String(), snapshot: first.Snapshot,
		}
		if row.ID, err = nextID(ctx, tx, "request"); err != nil {
			return err
		}
		if row.Reference, err = freeReference(ctx, tx); err != nil {
			return err
		}
		if err := insert(ctx, tx, "request", requestColumns, summed(row.values())); err != nil {
			return err
		}
		answer := answerRow{Answer: *first, request: row.ID, n: 1, told: true}
		if err := insert(ctx, tx, "answer", answerColumns+", body", append(summed(answer.values()), body)); err != nil {
			return err
		}
		if _, err := addEvent(ctx, tx, &row, "", nil, first.At); err != nil {
			return err
		}
		rec, added = &row.Record, true
		return nil
	})
	switch {
	case err != nil:
		return nil, false, err
	case reused:
		return nil, false, ErrKeyReused
	case !added:
		rec, err = l.Get(ctx, rec.Reference)
	}
	return rec, added, err
}

func byKey(ctx context.Context, tx *sql.Tx, key string) (row requestRow, found bool, err error) {
	if key == "" {
		return row, false, nil
	}
	return one(scanRequest(tx.QueryRowContext(ctx, "SELECT "+requestColumns+" FROM request WHERE idempotency_key = ?", key)))
}

func byReference(ctx context.Context, tx *sql.Tx, ref Reference) (row requestRow, found bool, err error) {
	return one(scanRequest(tx.QueryRowContext(ctx, "SELECT "+requestColumns+" FROM request WHERE reference = ?", string(ref))))
}

// one tells a row that is not there from an error.
func one[R any](row R, err error) (R, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	return row, err == nil, err
}

// nextID is the number of a table's next row. AUTOINCREMENT never gives one twice,
// not even that of a row that is gone.
func nextID(ctx context.Context, tx *sql.Tx, table string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0) + 1", table).Scan(&id)
	return id, err
}

func freeReference(ctx context.Context, tx *sql.Tx) (Reference, error) {
	for range 100 {
		ref := NewReference()
		if _, taken, err := byReference(ctx, tx, ref); err != nil || !taken {
			return ref, err
		}
	}
	return "", damaged("100 references in a row are taken")
}

func insert(ctx context.Context, tx *sql.Tx, table, columns string, values []any) error {
	marks := make([]byte, 0, 2*len(values))
	for range values {
		marks = append(marks, ",?"...)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES ("+string(marks[1:])+")", values...)
	return err
}

// update writes what may change of a request.
func update(ctx context.Context, tx *sql.Tx, row *requestRow) error {
	_, err := tx.ExecContext(ctx, "UPDATE request SET status = ?, closed = ?, why = ?, answers = ?, region = ?, snapshot = ?, sum = ? WHERE id = ?",
		string(row.Status), micros(row.Closed), row.Why, int64(row.Answers), row.region, row.snapshot, sum(row.values()), row.ID)
	return err
}

// addEvent takes down that a request is where it is now, and was elsewhere. Its
// last answer has to be in row.Given.
func addEvent(ctx context.Context, tx *sql.Tx, row *requestRow, was Status, changes []Change, at time.Time) (e Event, err error) {
	e = Event{
		At: at, Reference: row.Reference, Party: row.Party, Own: row.OwnReference, Was: was, Status: row.Status, Changes: changes, Why: row.Why, Answer: *row.Last(),
	}
	e.Answer.Body = nil
	if e.ID, err = nextID(ctx, tx, "event"); err != nil {
		return e, err
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return e, err
	}
	r := eventRow{e.ID, row.ID, micros(at), string(was), string(row.Status), string(text), row.Why, int64(row.Answers)}
	return e, insert(ctx, tx, "event", eventColumns, summed(r.values()))
}

// lastAnswer adds a request's last answer to its row.
func lastAnswer(ctx context.Context, tx *sql.Tx, row *requestRow) (told bool, err error) {
	a, err := scanAnswer(tx.QueryRowContext(ctx, "SELECT "+answerColumns+" FROM answer WHERE request = ? AND n = ?", row.ID, row.Answers))
	if errors.Is(err, sql.ErrNoRows) {
		return false, damaged("request %s has lost its answer %d", row.Reference, row.Answers)
	}
	row.Given = []Answer{a.Answer}
	return a.told, err
}

// Cancel implements [Ledger].
func (l *sqliteLedger) Cancel(ctx context.Context, ref Reference, at time.Time) (*Record, bool, error) {
	var found, closed bool
	err := l.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		var row requestRow
		row, found, err = byReference(ctx, tx, ref)
		if err != nil || !found || row.Status == Closed {
			return err
		}
		closed = true
		_, err = closeRequest(ctx, tx, &row, WhyCancelled, at)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if !found {
		return nil, false, ErrNotFound
	}
	rec, err := l.Get(ctx, ref)
	return rec, closed, err
}

func closeRequest(ctx context.Context, tx *sql.Tx, row *requestRow, why string, at time.Time) (Event, error) {
	if _, err := lastAnswer(ctx, tx, row); err != nil {
		return Event{}, err
	}
	was := row.Status
	row.Status, row.Closed, row.Why = Closed, at, why
	if err := update(ctx, tx, row); err != nil {
		return Event{}, err
	}
	return addEvent(ctx, tx, row, was, nil, at)
}

// Reanswer implements [Ledger].
func (l *sqliteLedger) Reanswer(ctx context.Context, answers []Reanswer) ([]Event, error) {
	bodies := make([][]byte, len(answers))
	for i := range answers {
		bodies[i] = l.pack(answers[i].Answer.Body)
	}
	var events []Event
	err := l.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range answers {
			e, told, err := reanswer(ctx, tx, &answers[i], bodies[i])
			if err != nil {
				return fmt.Errorf("%s: %w", answers[i].Record.Reference, err)
			}
			if told {
				events = append(events, e)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}

func reanswer(ctx context.Context, tx *sql.Tx, a *Reanswer, body []byte) (e Event, told bool, err error) {
	row, found, err := byReference(ctx, tx, a.Record.Reference)
	if err != nil || !found || row.Status == Closed || row.Answers != a.Record.Answers {
		return e, false, err
	}
	toldBefore, err := lastAnswer(ctx, tx, &row)
	if err != nil {
		return e, false, err
	}
	was := row.Status
	status, changes := Next(was, row.Last(), &a.Answer)
	told = status != was || len(changes) > 0
	if !toldBefore {
		if _, err := tx.ExecContext(ctx, "UPDATE answer SET body = NULL WHERE request = ? AND n = ?", row.ID, row.Answers); err != nil {
			return e, false, err
		}
	}
	row.Status, row.Answers, row.Given = status, row.Answers+1, []Answer{a.Answer}
	row.region, row.snapshot = a.Answer.Region.String(), a.Answer.Snapshot
	answer := answerRow{Answer: a.Answer, request: row.ID, n: int64(row.Answers), told: told}
	if err := insert(ctx, tx, "answer", answerColumns+", body", append(summed(answer.values()), body)); err != nil {
		return e, false, err
	}
	if err := update(ctx, tx, &row); err != nil {
		return e, false, err
	}
	if told {
		e, err = addEvent(ctx, tx, &row, was, changes, a.Answer.At)
	}
	return e, told, err
}

// Expire implements [Ledger].
func (l *sqliteLedger) Expire(ctx context.Context, today index.Day, at time.Time, limit int) ([]Event, error) {
	const day = 24 * time.Hour
	// A day of London's begins at most an hour before one in UTC: what is a day
	// off here is left to ExpiredOn.
	before := today.Time().Add(-(CloseAfterCreation - 1) * day)
	query := "SELECT " + requestColumns + ` FROM request WHERE status IN ('resolved', 'confirmed', 'changed') AND
		(installation <> 0 AND installation < ? OR installation = 0 AND created < ?) ORDER BY id LIMIT ?`
	args := []any{int64(today - CloseAfterInstallation), micros(before), limit}
	var due []requestRow
	err := each(ctx, l.readers, query, func(s scanner) error {
		row, err := scanRequest(s)
		due = append(due, row)
		return err
	}, args...)
	if err != nil {
		return nil, classify(err)
	}
	if len(due) == 0 {
		return nil, nil
	}
	var events []Event
	err = l.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range due {
			row, found, err := byReference(ctx, tx, due[i].Reference)
			if err != nil {
				return err
			}
			why, over := ExpiredOn(today, index.DayOf(row.Created), row.Installation)
			if !found || row.Status == Closed || !over {
				continue
			}
			e, err := closeRequest(ctx, tx, &row, why, at)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return events, nil
}

// pack compresses a body, and puts a checksum of that before it; none is nil.
func (l *sqliteLedger) pack(body []byte) []byte {
	if body == nil {
		return nil
	}
	packed := l.zip.EncodeAll(body, make([]byte, 4, 4+len(body)/2))
	binary.LittleEndian.PutUint32(packed, crc32.Checksum(packed[4:], castagnoli))
	return packed
}

// checkPacked checks the checksum of a body.
func checkPacked(packed []byte) error {
	if packed != nil && (len(packed) < 4 || binary.LittleEndian.Uint32(packed) != crc32.Checksum(packed[4:], castagnoli)) {
		return damaged("an answer does not have its checksum")
	}
	return nil
}

// unpack is the reverse of pack.
func (l *sqliteLedger) unpack(packed []byte) ([]byte, error) {
	if packed == nil {
		return nil, nil
	}
	if err := checkPacked(packed); err != nil {
		return nil, err
	}
	body, err := l.unzip.DecodeAll(packed[4:], nil)
	if err != nil {
		return nil, damaged("an answer cannot be unpacked: %v", err)
	}
	return body, nil
}

package requests

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"coverd/geo"
)

// Get implements [Ledger].
func (l *sqliteLedger) Get(ctx context.Context, ref Reference) (*Record, error) {
	rec, err := l.get(ctx, ref)
	return rec, classify(err)
}

func (l *sqliteLedger) get(ctx context.Context, ref Reference) (*Record, error) {
	// One transaction, so that request and answers are of one moment.
	tx, err := l.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	row, found, err := byReference(ctx, tx, ref)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNotFound
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+answerColumns+", body FROM answer WHERE request = ? ORDER BY n", row.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err has told
	for rows.Next() {
		var packed []byte
		a, err := scanAnswer(rows, &packed)
		if err != nil {
			return nil, err
		}
		if a.Body, err = l.unpack(packed); err != nil {
			return nil, err
		}
		row.Given = append(row.Given, a.Answer)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(row.Given) != row.Answers {
		return nil, damaged("request %s has %d answers, and %d are there", ref, row.Answers, len(row.Given))
	}
	return &row.Record, nil
}

// List implements [Ledger].
func (l *sqliteLedger) List(ctx context.Context, f *Filter) ([]*Record, error) {
	where, args := "", []any(nil)
	and := func(condition string, value any) {
		if where != "" {
			where += " AND "
		}
		where, args = where+condition, append(args, value)
	}
	for _, c := range []struct{ column, value string }{
		{"status", string(f.Status)},
		{"party", f.Party},
		{"own_reference", f.OwnReference},
		{"postcode", codeText(f.Postcode)},
		{"outcode", codeText(f.Outcode)},
		{"region", f.Region.String()},
	} {
		if c.value != "" {
			and("request."+c.column+" = ?", c.value)
		}
	}
	if f.Open {
		and("request.status <> ?", string(Closed))
	}
	if !f.Since.IsZero() {
		and("request.created >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		and("request.created < ?", micros(f.Until))
	}
	if f.After != "" {
		var id int64
		err := l.readers.QueryRowContext(ctx, "SELECT id FROM request WHERE reference = ?", string(f.After)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		if err != nil {
			return nil, classify(err)
		}
		and("request.id < ?", id)
	}
	return l.list(ctx, where, "DESC", f.Limit, args)
}

// outdated goes through requests in their order. With the index of statuses, from
// which the plus sign keeps SQLite, each batch would sort all open ones that are
// left: 60,000 took half a minute, and take half a second.
const outdated = "+request.status IN ('resolved', 'confirmed', 'changed') AND request.snapshot <> ? AND request.id > ?"

// Outdated implements [Ledger].
func (l *sqliteLedger) Outdated(ctx context.Context, snapshot string, after int64, limit int) ([]*Record, error) {
	return l.list(ctx, outdated, "ASC", limit, []any{snapshot, after})
}

// qualified names the columns of a list by their table.
func qualified(table, columns string) string {
	b := []byte(table + ".")
	for i := range len(columns) {
		switch c := columns[i]; c {
		case ' ', '\t', '\n':
		case ',':
			b = append(append(b, ", "...), table+"."...)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

var joined = qualified("request", requestColumns) + ", " + qualified("answer", answerColumns)

func listQuery(where, order string) string {
	query := "SELECT " + joined + " FROM request JOIN answer ON answer.request = request.id AND answer.n = request.answers"
	if where != "" {
		query += " WHERE " + where
	}
	return query + " ORDER BY request.id " + order + " LIMIT ?"
}

// list reads requests with their last answers.
func (l *sqliteLedger) list(ctx context.Context, where, order string, limit int, args []any) (list []*Record, err error) {
	err = each(ctx, l.readers, listQuery(where, order), func(s scanner) error {
		halves := split{scanner: s, first: requestWidth + 1, all: requestWidth + answerWidth + 2}
		row, err := scanRequest(&halves)
		if err != nil {
			return err
		}
		a, err := scanAnswer(&halves)
		if err != nil {
			return err
		}
		row.Given = []Answer{a.Answer}
		list = append(list, &row.Record)
		return nil
	}, append(args, limit)...)
	if err != nil {
		return nil, classify(err)
	}
	return list, nil
}

// split gives the columns of one row to two scans.
type split struct {
	scanner
	first, all int
	values     []any
}

// Scan implements scanner.
func (s *split) Scan(dest ...any) error {
	if s.values == nil {
		s.values = make([]any, s.all)
		into := make([]any, s.all)
		for i := range into {
			into[i] = &s.values[i]
		}
		if err := s.scanner.Scan(into...); err != nil {
			return err
		}
	} else {
		s.values = s.values[s.first:]
	}
	for i, d := range dest {
		v, ok := d.(*any)
		if !ok {
			return errors.New("a column is wanted as something else than it is")
		}
		*v = s.values[i]
	}
	return nil
}

// keptEvents are the events that those which are kept come after and end with:
// each has the number of the one before and 1.
const keptEvents = `SELECT coalesce((SELECT min(id) - 1 FROM event), seq), seq
	FROM (SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0) AS seq)`

// Events implements [Ledger].
func (l *sqliteLedger) Events(ctx context.Context, after int64, limit int) (list []Event, from int64, err error) {
	list, from, err = l.events(ctx, after, limit)
	if err != nil {
		return nil, 0, classify(err)
	}
	return list, from, nil
}

func (l *sqliteLedger) events(ctx context.Context, after int64, limit int) (list []Event, from int64, err error) {
	// One transaction, so that none is deleted in between.
	tx, err := l.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	var first, last int64
	if err := tx.QueryRowContext(ctx, keptEvents).Scan(&first, &last); err != nil {
		return nil, 0, err
	}
	switch {
	case after < 0:
		after = first
	case after < first:
		return nil, 0, ErrForgotten
	case after > last:
		return nil, 0, ErrCursor
	}
	query := "SELECT " + qualified("event", eventColumns) + ", " + qualified("answer", answerColumns) + `, request.reference, request.party, request.own_reference
		FROM event JOIN request ON request.id = event.request JOIN answer ON answer.request = event.request AND answer.n = event.answer
		WHERE event.id > ? ORDER BY event.id LIMIT ?`
	err = each(ctx, tx, query, func(s scanner) error {
		all := split{scanner: s, first: eventWidth + 1, all: eventWidth + answerWidth + 5}
		row, err := scanEvent(&all)
		if err != nil {
			return err
		}
		e, err := row.event()
		if err != nil {
			return err
		}
		var ref, party, own any
		a, err := scanAnswer(&all, &ref, &party, &own)
		if err != nil {
			return err
		}
		r := &reader{values: []any{ref, party, own}}
		e.Answer, e.Reference, e.Party, e.Own = a.Answer, Reference(r.text()), r.text(), r.text()
		list = append(list, e)
		return r.fault
	}, after, limit)
	return list, after, err
}

// Checks implements [Ledger].
func (l *sqliteLedger) Checks(ctx context.Context, place Place, from, to time.Time) (checks []Check, err error) {
	where, args := "", []any(nil)
	switch {
	case place.UPRN != 0:
		// An answer that was given before the extracts had the premises is about it
		// too; what CSPs claimed of another premises is not.
		where, args = "request.id IN (SELECT request FROM answer WHERE uprn = ?) AND answer.uprn IN (0, ?)", []any{int64(place.UPRN), int64(place.UPRN)}
	case place.Postcode.IsValid():
		where, args = "request.postcode = ?", []any{place.Postcode.String()}
	default:
		// A degree of latitude has over 110 km, one of longitude, in Great Britain,
		// over 50: the rest is left to the distance.
		lat, lng := place.Within/110e3, place.Within/50e3
		where = "request.latitude BETWEEN ? AND ? AND request.longitude BETWEEN ? AND ?"
		args = []any{place.At.Lat - lat, place.At.Lat + lat, place.At.Lng - lng, place.At.Lng + lng}
	}
	if place.Party != "" {
		where, args = where+" AND request.party = ?", append(args, place.Party)
	}
	query := "SELECT " + joined + " FROM answer JOIN request ON request.id = answer.request WHERE " + where +
		" AND answer.n = 1 AND answer.at BETWEEN ? AND ? ORDER BY answer.at, answer.request, answer.n"
	err = each(ctx, l.readers, query, func(s scanner) error {
		halves := split{scanner: s, first: requestWidth + 1, all: requestWidth + answerWidth + 2}
		row, err := scanRequest(&halves)
		if err != nil {
			return err
		}
		a, err := scanAnswer(&halves)
		if err != nil {
			return err
		}
		if place.UPRN == 0 && !place.Postcode.IsValid() && geo.Distance(place.At, row.At) > math.Max(place.Within, 0) {
			return nil
		}
		checks = append(checks, Check{
			Reference: string(row.Reference), At: a.At, Snapshot: a.Snapshot, AsOf: a.AsOf, UPRN: cmp.Or(place.UPRN, a.UPRN), Postcode: row.Postcode,
			Latitude: row.At.Lat, Longitude: row.At.Lng, On: a.On, State: a.State, Basis: a.Basis, From: a.From,
		})
		return nil
	}, append(args, micros(from), micros(to))...)
	if err != nil {
		return nil, classify(err)
	}
	return checks, nil
}

// Count implements [Ledger].
func (l *sqliteLedger) Count(ctx context.Context) (map[Status]int64, error) {
	counts := map[Status]int64{}
	for _, s := range Statuses {
		counts[s] = 0
	}
	err := each(ctx, l.readers, "SELECT status, count(*) FROM request GROUP BY status", func(s scanner) error {
		var status string
		var n int64
		err := s.Scan(&status, &n)
		counts[Status(status)] = n
		return err
	})
	if err != nil {
		return nil, classify(err)
	}
	return counts, nil
}

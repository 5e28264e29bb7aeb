package requests

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func openLedger(t testing.TB, path string) Ledger {
	t.Helper()
	l, err := SQLite(path).openSyncing(context.Background(), nil, "OFF")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newLedger is an empty one, closed when the test ends.
func newLedger(t testing.TB) Ledger {
	t.Helper()
	l := openLedger(t, filepath.Join(t.TempDir(), "requests.db"))
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

// aRequest is one of many, each another.
func aRequest(i int) *Request {
	r := &Request{
		Key: fmt.Sprintf("key-%d", i), Party: fmt.Sprintf("Party %d", i%3), Role: Roles[i%len(Roles)], OwnReference: fmt.Sprintf("Plot %d", i),
		At: geo.LatLng{Lat: 51.25 + float64(i)*1e-3, Lng: -0.58}, Installation: index.Day(20800 + i),
	}
	switch i % 3 {
	case 0:
		r.Postcode = mustPostcode(fmt.Sprintf("GU1 %dAB", i%10))
		r.Outcode = r.Postcode.Outcode()
	case 1:
		r.Outcode = mustPostcode("CH4 0AA").Outcode()
	}
	r.Same = sha256.Sum256(fmt.Appendf(nil, "%+v", *r))
	return r
}

func anAnswer(snapshot string, change func(*Answer)) *Answer {
	a := &Answer{
		At: noon, Snapshot: snapshot, AsOf: 20779, On: 20800, Region: geo.South, RegionBasis: "boundary", Border: -1,
		State: index.Available, Basis: "nearest_premises", Network: index.NetworkSouth, Variant: "SKU1", Body: []byte(`{"snapshot":"` + snapshot + `"}`),
	}
	if change != nil {
		change(a)
	}
	return a
}

func TestLedger(t *testing.T) {
	ctx := t.Context()
	l := newLedger(t)
	r := aRequest(0)
	rec, added, err := l.Add(ctx, r, anAnswer("one", nil))
	if err != nil || !added || rec.Status != Resolved || rec.ID != 1 {
		t.Fatal(rec, added, err)
	}
	if ref, err := ParseReference(string(rec.Reference)); err != nil || ref != rec.Reference {
		t.Fatalf("%q reads as %q: %v", rec.Reference, ref, err)
	}
	want := &Record{
		ID: 1, Reference: rec.Reference, Request: *r, Created: noon, Status: Resolved, Answers: 1, Given: []Answer{*anAnswer("one", nil)},
	}
	same := func(got *Record) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(geo.Postcode{}, geo.Outcode{})); diff != "" {
			t.Fatal(diff)
		}
	}
	same(rec)
	rec, err = l.Get(ctx, rec.Reference)
	if err != nil {
		t.Fatal(err)
	}
	same(rec)
	if rec, added, err = l.Add(ctx, r, anAnswer("two", nil)); err != nil || added {
		t.Fatal(added, err)
	}
	same(rec)
	other := *r
	other.Same[0]++
	if _, _, err := l.Add(ctx, &other, anAnswer("two", nil)); err != ErrKeyReused {
		t.Fatal(err)
	}

	stale, err := l.Outdated(ctx, "two", 0, 10)
	if err != nil || len(stale) != 1 {
		t.Fatal(stale, err)
	}
	events, err := l.Reanswer(ctx, []Reanswer{{stale[0], *anAnswer("two", func(a *Answer) { a.InExtracts = true })}})
	if err != nil || len(events) != 1 || events[0].Status != Confirmed || events[0].Was != Resolved {
		t.Fatal(events, err)
	}
	if again, err := l.Reanswer(ctx, []Reanswer{{stale[0], *anAnswer("two", nil)}}); err != nil || len(again) != 0 {
		t.Fatal("an answer to what was read before it was answered", again, err)
	}
	if stale, err = l.Outdated(ctx, "two", 0, 10); err != nil || len(stale) != 0 {
		t.Fatal(stale, err)
	}
	if stale, err = l.Outdated(ctx, "three", 0, 10); err != nil || len(stale) != 1 || stale[0].Last().Snapshot != "two" {
		t.Fatal(stale, err)
	}
	for i, a := range []*Answer{
		anAnswer("three", func(a *Answer) { a.InExtracts = true }),
		anAnswer("four", func(a *Answer) { a.InExtracts, a.Variant = true, "SKU2" }),
	} {
		stale, err := l.Outdated(ctx, a.Snapshot, 0, 10)
		if err != nil || len(stale) != 1 {
			t.Fatal(stale, err)
		}
		events, err := l.Reanswer(ctx, []Reanswer{{stale[0], *a}})
		if err != nil || len(events) != i {
			t.Fatal(events, err)
		}
	}
	rec, closed, err := l.Cancel(ctx, rec.Reference, noon.Add(time.Hour))
	if err != nil || !closed || rec.Status != Closed || rec.Why != WhyCancelled || len(rec.Given) != 4 {
		t.Fatal(rec, err)
	}
	for i, kept := range []bool{true, true, false, true} {
		if got := rec.Given[i].Body != nil; got != kept {
			t.Errorf("the body of answer %d is kept: %v, want %v", i, got, kept)
		}
	}
	feed, _, err := l.Events(ctx, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range feed {
		told = append(told, fmt.Sprint(e.ID, " ", e.Was, ">", e.Status, " ", e.Changes, e.Why, " ", e.Answer.Snapshot))
	}
	if diff := cmp.Diff([]string{
		"1 >resolved [] one", "2 resolved>confirmed [] two", "3 confirmed>changed [{wan_variant SKU1 SKU2}] four", "4 changed>closed []cancelled four",
	}, told); diff != "" {
		t.Error(diff)
	}
	counts, err := l.Count(ctx)
	if err != nil || counts[Closed] != 1 || counts[Changed] != 0 {
		t.Error(counts, err)
	}
	if _, _, err := l.Cancel(ctx, "SR-0000-0000", noon); err != ErrNotFound {
		t.Error(err)
	}
}

// A night's batches are read in order, and not all sorted for each.
func TestOutdatedIsNotSorted(t *testing.T) {
	l, ok := newLedger(t).(*sqliteLedger)
	if !ok {
		t.Fatal("another ledger")
	}
	plan := ""
	err := each(t.Context(), l.readers, "EXPLAIN QUERY PLAN "+listQuery(outdated, "ASC"), func(s scanner) error {
		var id, parent, unused int
		var detail string
		err := s.Scan(&id, &parent, &unused, &detail)
		plan += detail + "; "
		return err
	}, "x", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "PRIMARY KEY") || strings.Contains(plan, "B-TREE") {
		t.Error(plan)
	}
}

// A ledger of the first version is brought to this one, with all that is in it.
func TestLedgerOfTheFirstVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "requests.db")
	l := openLedger(t, path)
	rec, _, err := l.Add(t.Context(), aRequest(1), anAnswer("one", nil))
	if err != nil {
		t.Fatal(err)
	}
	inner, ok := l.(*sqliteLedger)
	if !ok {
		t.Fatal("another ledger")
	}
	indexes := func() (n int) {
		t.Helper()
		if err := inner.db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = 'event_request'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, statement := range []string{"DROP INDEX event_request", "ALTER TABLE mark DROP COLUMN forgotten", "DELETE FROM goose_db_version WHERE version_id > 1"} {
		if _, err := inner.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, path)
	defer l.Close()
	if inner, ok = l.(*sqliteLedger); !ok || indexes() != 1 {
		t.Error("it has no index of events by request")
	}
	if got, err := l.Get(t.Context(), rec.Reference); err != nil || got.ID != rec.ID {
		t.Error(got, err)
	}
	if before, err := l.Deleted(t.Context()); err != nil || !before.IsZero() {
		t.Error(before, err)
	}
}

package requests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
	"coverd/index"
)

// model is the slow twin of a ledger: two lists, and everything looked for from
// the beginning.
type model struct {
	records []*Record
	events  []Event

	requests, happened int64           // in all, those that were deleted included
	told               map[string]bool // answers, by request and time
	deleted            time.Time
}

func toldAt(r *Record, at time.Time) string { return string(r.Reference) + at.String() }

func (m *model) event(rec *Record, was Status, changes []Change, at time.Time) {
	a := rec.Given[len(rec.Given)-1]
	a.Body = nil
	m.happened++
	if rec.Status != Closed {
		m.told[toldAt(rec, a.At)] = true
	}
	m.events = append(m.events, Event{
		ID: m.happened, At: at, Reference: rec.Reference, Party: rec.Party, Own: rec.OwnReference, Was: was, Status: rec.Status,
		Changes: changes, Why: rec.Why, Answer: a,
	})
}

func (m *model) byKey(key string) *Record {
	for _, rec := range m.records {
		if key != "" && rec.Key == key {
			return rec
		}
	}
	return nil
}

func (m *model) list(f *Filter) (list []*Record) {
	after := len(m.records)
	if f.After != "" {
		after = slices.IndexFunc(m.records, func(r *Record) bool { return r.Reference == f.After })
	}
	for i := after - 1; i >= 0; i-- {
		r := m.records[i]
		last := r.Given[len(r.Given)-1]
		if (f.Status == "" || r.Status == f.Status) && (!f.Open || r.Status != Closed) && (f.Party == "" || r.Party == f.Party) && (f.OwnReference == "" || r.OwnReference == f.OwnReference) &&
			(!f.Postcode.IsValid() || r.Postcode == f.Postcode) && (!f.Outcode.IsValid() || r.Outcode == f.Outcode) &&
			(f.Region == geo.NoRegion || last.Region == f.Region) &&
			(f.Since.IsZero() || !r.Created.Before(f.Since)) && (f.Until.IsZero() || r.Created.Before(f.Until)) && len(list) < f.Limit {
			list = append(list, withLast(r))
		}
	}
	return list
}

// withLast is a record with its last answer alone, as lists have it.
func withLast(r *Record) *Record {
	c := *r
	c.Given = []Answer{r.Given[len(r.Given)-1]}
	c.Given[0].Body = nil
	return &c
}

// kept drops the bodies of a record that are not kept.
func (m *model) kept(r *Record) *Record {
	c := *r
	c.Given = slices.Clone(r.Given)
	for i := range c.Given {
		if !m.told[toldAt(r, c.Given[i].At)] && i < len(c.Given)-1 {
			c.Given[i].Body = nil
		}
	}
	return &c
}

var exported = gocmp.AllowUnexported(geo.Postcode{}, geo.Outcode{})

// Whatever is done to a ledger, closing and opening it in between, it tells what
// the model tells.
func TestLedgerIsLikeItsModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		run++
		path := filepath.Join(dir, fmt.Sprint(run, ".db"))
		if err := os.WriteFile(path, nil, 0o600); err != nil { // which spares a sync
			t.Fatal(err)
		}
		l, err := SQLite(path).openSyncing(ctx, nil, "OFF")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { l.Close() }()
		m := &model{told: map[string]bool{}}
		clock := noon
		snapshot := "s0"
		pick := func(label string) *Record {
			if len(m.records) == 0 {
				t.Skip("no records")
			}
			return rapid.SampledFrom(m.records).Draw(t, label)
		}
		answer := func() Answer {
			return *anAnswer(snapshot, func(a *Answer) {
				a.At = clock
				a.Region = rapid.SampledFrom(geo.Regions[:]).Draw(t, "region")
				a.State = rapid.SampledFrom(index.States[:]).Draw(t, "state")
				a.InExtracts = rapid.Bool().Draw(t, "in extracts")
				a.UPRN = geo.UPRN(rapid.IntRange(0, 3).Draw(t, "uprn"))
				if rapid.Bool().Draw(t, "no body") {
					a.Body = nil
				}
			})
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				clock = clock.Add(time.Duration(rapid.IntRange(1, 40*3600).Draw(t, "seconds")) * time.Second)
			},
			"add": func(t *rapid.T) {
				r := aRequest(rapid.IntRange(0, 30).Draw(t, "request"))
				if rapid.Bool().Draw(t, "no key") {
					r.Key = ""
				} else if rapid.IntRange(0, 4).Draw(t, "other") == 0 {
					r.Same[0]++
				}
				if rapid.Bool().Draw(t, "no date") {
					r.Installation = 0
				}
				a := answer()
				rec, added, err := l.Add(ctx, r, &a)
				switch old := m.byKey(r.Key); {
				case old != nil && old.Same != r.Same:
					if !errors.Is(err, ErrKeyReused) {
						t.Fatal(err)
					}
				case old != nil:
					if err != nil || added {
						t.Fatal(added, err)
					}
					if diff := gocmp.Diff(m.kept(old), rec, exported); diff != "" {
						t.Fatal(diff)
					}
				default:
					want := &Record{
						ID: m.requests + 1, Request: *r, Created: clock, Status: Resolved, Answers: 1, Given: []Answer{a},
					}
					if err != nil || !added {
						t.Fatal(added, err)
					}
					want.Reference = rec.Reference
					if diff := gocmp.Diff(want, rec, exported); diff != "" {
						t.Fatal(diff)
					}
					m.records = append(m.records, want)
					m.requests++
					m.event(want, "", nil, clock)
				}
			},
			"cancel": func(t *rapid.T) {
				rec := pick("cancelled")
				open := rec.Status != Closed
				if open {
					was := rec.Status
					rec.Status, rec.Closed, rec.Why = Closed, clock, WhyCancelled
					m.event(rec, was, nil, clock)
				}
				got, closed, err := l.Cancel(ctx, rec.Reference, clock)
				if err != nil || closed != open {
					t.Fatal(closed, err)
				}
				if diff := gocmp.Diff(m.kept(rec), got, exported); diff != "" {
					t.Fatal(diff)
				}
			},
			"night": func(t *rapid.T) {
				snapshot = fmt.Sprint("s", rapid.IntRange(0, 3).Draw(t, "snapshot"))
				limit := rapid.IntRange(1, 5).Draw(t, "batch")
				var want []*Record
				for _, r := range m.records {
					if r.Status != Closed && r.Given[len(r.Given)-1].Snapshot != snapshot && len(want) < limit {
						want = append(want, r)
					}
				}
				due, err := l.Outdated(ctx, snapshot, 0, limit)
				if err != nil || len(due) != len(want) {
					t.Fatalf("%d due, want %d: %v", len(due), len(want), err)
				}
				var answers []Reanswer
				told := 0
				for i, r := range want {
					if diff := gocmp.Diff(withLast(r), due[i], exported); diff != "" {
						t.Fatal(diff)
					}
					a := answer()
					answers = append(answers, Reanswer{due[i], a})
					was, before := r.Status, r.Given[len(r.Given)-1]
					status, changes := slowNext(was, &before, &a)
					r.Status, r.Answers, r.Given = status, r.Answers+1, append(r.Given, a)
					if status != was || len(changes) > 0 {
						m.event(r, was, changes, clock)
						told++
					}
				}
				events, err := l.Reanswer(ctx, answers)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(append([]Event(nil), m.events[len(m.events)-told:]...), events); diff != "" {
					t.Fatal(diff)
				}
				if again, err := l.Reanswer(ctx, answers); err != nil || len(again) > 0 {
					t.Fatal("answers to what has been answered meanwhile:", again, err)
				}
			},
			"expire": func(t *rapid.T) {
				today := index.DayOf(clock)
				for _, r := range m.records {
					over, why := r.Installation != 0 && today-r.Installation > 30, WhyInstalled
					if r.Installation == 0 {
						over, why = today-index.DayOf(r.Created) > 400, WhyExpired
					}
					if over && r.Status != Closed {
						was := r.Status
						r.Status, r.Closed, r.Why = Closed, clock, why
						m.event(r, was, nil, clock)
					}
				}
				if _, err := l.Expire(ctx, today, clock, 1000); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				if l, err = SQLite(path).openSyncing(ctx, nil, "OFF"); err != nil {
					t.Fatal(err)
				}
			},
			"get": func(t *rapid.T) {
				rec := pick("got")
				got, err := l.Get(ctx, rec.Reference)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(m.kept(rec), got, exported); diff != "" {
					t.Fatal(diff)
				}
			},
			"list": func(t *rapid.T) {
				f := &Filter{Limit: rapid.IntRange(1, 7).Draw(t, "limit")}
				like := pick("like")
				for _, filter := range []struct { // in one order, so that what fails can be drawn again
					name string
					set  func()
				}{
					{"status", func() { f.Status = like.Status }},
					{"open", func() { f.Open = true }},
					{"party", func() { f.Party = like.Party }},
					{"own", func() { f.OwnReference = like.OwnReference }},
					{"postcode", func() { f.Postcode = like.Postcode }},
					{"outcode", func() { f.Outcode = like.Outcode }},
					{"region", func() { f.Region = like.Given[len(like.Given)-1].Region }},
					{"since", func() { f.Since = like.Created }},
					{"until", func() { f.Until = like.Created }},
					{"after", func() { f.After = like.Reference }},
				} {
					if rapid.IntRange(0, 3).Draw(t, filter.name) == 0 {
						filter.set()
					}
				}
				got, err := l.List(ctx, f)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(m.list(f), got, exported); diff != "" {
					t.Fatalf("%+v: %s", f, diff)
				}
				f.After = "SR-0000-0000"
				if got, err := l.List(ctx, f); !errors.Is(err, ErrNotFound) {
					t.Fatalf("after what there is not: %d, %v", len(got), err)
				}
			},
			"events": func(t *rapid.T) {
				gone := m.happened - int64(len(m.events))
				after := rapid.Int64Range(-1, m.happened).Draw(t, "after")
				limit := rapid.IntRange(1, 9).Draw(t, "limit")
				got, from, err := l.Events(ctx, after, limit)
				if after >= 0 && after < gone {
					if !errors.Is(err, ErrForgotten) {
						t.Fatal(err)
					}
					return
				}
				after = max(after, gone)
				if err != nil || from != after {
					t.Fatal(from, err)
				}
				i := int(after - gone)
				if diff := gocmp.Diff(append([]Event(nil), m.events[i:min(i+limit, len(m.events))]...), got); diff != "" {
					t.Fatal(diff)
				}
				if _, _, err := l.Events(ctx, m.happened+1, limit); !errors.Is(err, ErrCursor) {
					t.Fatal(err)
				}
			},
			"forget": func(t *rapid.T) {
				before := noon.Add(time.Duration(rapid.Int64Range(0, int64(clock.Sub(noon))).Draw(t, "before")))
				limit := rapid.IntRange(1, 9).Draw(t, "limit")
				var want Forgotten
				for rows := 0; len(m.events) > 0 && rows < limit && m.events[0].At.Before(before); rows++ {
					e := m.events[0]
					m.events = m.events[1:]
					want.Events++
					if e.Status == Closed {
						i := slices.IndexFunc(m.records, func(r *Record) bool { return r.Reference == e.Reference })
						rows += 1 + m.records[i].Answers
						m.records = slices.Delete(m.records, i, i+1)
						want.Requests++
					}
				}
				got, err := l.Forget(ctx, before, limit)
				if err != nil || got != want {
					t.Fatalf("%+v, want %+v: %v", got, want, err)
				}
				if want.Requests > 0 && before.After(m.deleted) {
					m.deleted = before
				}
				if got, err := l.Deleted(ctx); err != nil || !got.Equal(m.deleted.Truncate(time.Microsecond)) {
					t.Fatalf("deleted before %v, want %v: %v", got, m.deleted, err)
				}
			},
			"checks": func(t *rapid.T) {
				like := pick("like")
				place, from := Place{}, noon.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "from"))*time.Hour)
				by := rapid.IntRange(0, 2).Draw(t, "by")
				switch {
				case by == 0 && like.Last().UPRN != 0:
					place.UPRN = like.Last().UPRN
				case by == 1 && like.Postcode.IsValid():
					place.Postcode = like.Postcode
				default:
					place.At, place.Within = like.At, float64(rapid.IntRange(0, 300).Draw(t, "within"))
				}
				if rapid.Bool().Draw(t, "of a party") {
					place.Party = like.Party
				}
				var want []Check
				for _, r := range m.records {
					for _, a := range r.Given[:1] {
						here := (a.UPRN == 0 || a.UPRN == place.UPRN) && slices.ContainsFunc(r.Given, func(g Answer) bool { return g.UPRN == place.UPRN })
						if place.Postcode.IsValid() {
							here = r.Postcode == place.Postcode
						} else if place.UPRN == 0 {
							here = geo.Distance(r.At, place.At) <= place.Within
						}
						here = here && (place.Party == "" || r.Party == place.Party)
						if here && !a.At.Before(from) && !a.At.After(clock) {
							want = append(want, Check{string(r.Reference), a.At, a.Snapshot, a.AsOf, cmp.Or(place.UPRN, a.UPRN), r.Postcode, r.At.Lat, r.At.Lng, a.On, a.State, a.Basis, a.From})
						}
					}
				}
				slices.SortStableFunc(want, func(a, b Check) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
				got, err := l.Checks(ctx, place, from, clock)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(want, got, exported); diff != "" {
					t.Fatalf("%+v: %s", place, diff)
				}
			},
			"count": func(t *rapid.T) {
				want := map[Status]int64{Resolved: 0, Confirmed: 0, Changed: 0, Closed: 0}
				for _, r := range m.records {
					want[r.Status]++
				}
				got, err := l.Count(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			},
		})
	})
}

// slowNext is the life cycle, case by case.
func slowNext(status Status, before, now *Answer) (Status, []Change) {
	var changes []Change
	add := func(field, b, a string) {
		if b != a {
			changes = append(changes, Change{field, b, a})
		}
	}
	if before.InExtracts && !now.InExtracts {
		add("in_extracts", "true", "false")
	}
	add("region", before.Region.String(), now.Region.String())
	add("state", before.State.String(), now.State.String())
	if len(changes) > 0 {
		return Changed, changes
	}
	if now.InExtracts {
		return Confirmed, nil
	}
	return status, nil
}

func TestNext(t *testing.T) {
	base := anAnswer("one", nil)
	in := anAnswer("two", func(a *Answer) { a.InExtracts = true })
	for _, c := range []struct {
		name        string
		status      Status
		before, now *Answer
		want        Status
		changes     []Change
	}{
		{"nothing new", Resolved, base, anAnswer("two", nil), Resolved, nil},
		{"nothing new after a change", Changed, base, anAnswer("two", nil), Changed, nil},
		{"the place is there, as answered", Resolved, base, in, Confirmed, nil},
		{"and stays", Confirmed, in, in, Confirmed, nil},
		{"and is gone", Confirmed, in, base, Changed, []Change{{"in_extracts", "true", "false"}}},
		{"it is another Region", Resolved, base, anAnswer("two", func(a *Answer) { a.Region = geo.Central }), Changed, []Change{{"region", "South", "Central"}}},
		{"planned", Resolved, base, anAnswer("two", func(a *Answer) { a.State, a.From = index.Planned, 20900 }), Changed, []Change{{"state", "available", "planned"}, {"from", "", "2027-03-23"}}},
		{"another hub", Confirmed, in, anAnswer("two", func(a *Answer) {
			a.InExtracts, a.Network, a.Variant, a.Auxiliary = true, index.Network4GSouth, "4G", "T2"
		}), Changed, []Change{{"network_region", "South", "4G South"}, {"wan_variant", "SKU1", "4G"}, {"auxiliary_equipment", "", "T2"}}},
		{"surer, and from elsewhere", Resolved, base, anAnswer("two", func(a *Answer) { a.Basis, a.Border, a.RegionBasis = "coverage_area", 7, "nearest" }), Resolved, nil},
	} {
		got, changes := Next(c.status, c.before, c.now)
		if diff := gocmp.Diff(c.changes, changes); got != c.want || diff != "" {
			t.Errorf("%s: %s, want %s: %s", c.name, got, c.want, diff)
		}
	}
}

func TestReferences(t *testing.T) {
	const n = 10_000
	seen := map[Reference]bool{}
	var digits [8]map[byte]bool
	for range n {
		ref := NewReference()
		if got, err := ParseReference(string(ref)); err != nil || got != ref {
			t.Fatal(ref, got, err)
		}
		seen[ref] = true
		for i, at := range digitsAt {
			if digits[i] == nil {
				digits[i] = map[byte]bool{}
			}
			digits[i][ref[at]] = true
		}
	}
	// Of so many out of 2⁴⁰ two are the same once in 22,000 times, and twice two
	// once in 10⁹.
	if len(seen) < n-1 {
		t.Errorf("of %d references %d differ", n, len(seen))
	}
	for i := range digits {
		if len(digits[i]) != len(crockford) {
			t.Errorf("digit %d has %d values", i, len(digits[i]))
		}
	}
	for text, want := range map[string]Reference{
		"SR-7K3M-9QXD": "SR-7K3M-9QXD", "sr7k3m9qxd": "SR-7K3M-9QXD", " sr 7k3m 9qxd": "SR-7K3M-9QXD", "SR-OoIi-Ll00": "SR-0011-1100",
		"": "", "SR": "", "SR-7K3M-9QX": "", "SR-7K3M-9QXDD": "", "XR-7K3M-9QXD": "", "SR-7K3M-9QXU": "", "SR-7K3M-9QX\xff": "", "SR_7K3M_9QXD": "",
	} {
		if got, err := ParseReference(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

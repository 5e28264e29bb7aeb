package index

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coverd/geo"
)

// longNights is a world and what became of it: premises come, go and come back,
// days pass, or none, or so many that what is older is forgotten.
func longNights(t tb, rng *rand.Rand, rows, n, changes int) []*Snapshot {
	t.Helper()
	w := makeWorld(rng.Uint64(), rows)
	var lost []testRow
	list := []*Snapshot{w.open(t)}
	for range n {
		next := w.nightOn(rng, changes)
		gap := []Day{0, 1, 1, 1, 1, 3, 30, 210}[rng.IntN(8)]
		next.options.AsOf = w.options.AsOf + gap
		for i := range next.rows {
			next.rows[i].claim.AsOf = min(next.rows[i].claim.AsOf+gap-1, next.options.AsOf)
		}
		for i := range next.areas {
			next.areas[i].Claim.AsOf += gap - 1
		}
		for range rng.IntN(4) {
			if len(next.rows) == 0 {
				break
			}
			i := rng.IntN(len(next.rows))
			lost = append(lost, next.rows[i])
			next.rows = slices.DeleteFunc(next.rows, func(r testRow) bool { return r.UPRN != 0 && r.UPRN == next.rows[i].UPRN })
		}
		for range rng.IntN(3) {
			if len(lost) > 0 {
				r := lost[rng.IntN(len(lost))]
				r.claim.AsOf = next.options.AsOf
				next.rows = append(next.rows, r)
			}
		}
		next.options.CountsAsWAN = rng.IntN(20) == 0
		next.options.Previous = list[len(list)-1]
		list = append(list, next.open(t))
		w = next
	}
	return list
}

// remembered is what premises there are by what tells them from others, but for
// those that something else is told from by a number alone.
func remembered(list []*Snapshot) map[slowKey][]*Premises {
	keys := map[slowKey][]*Premises{}
	for i, s := range list {
		for k, p := range slowKeys(s) {
			if keys[k] == nil {
				keys[k] = make([]*Premises, len(list))
			}
			keys[k][i] = &p
		}
	}
	for k := range keys {
		for n := 1; keys[slowKey{k.uprn, k.pc, k.fold, k.at, n}] != nil; n++ {
			delete(keys, slowKey{k.uprn, k.pc, k.fold, k.at, n})
			delete(keys, slowKey{k.uprn, k.pc, k.fold, k.at, 0})
		}
	}
	return keys
}

// said is what a snapshot says of a premises, but for as-of days: its state and
// claims on some days.
func said(present, conflict bool, set ClaimSet, days []Day) string {
	if !present {
		return "not there"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "conflict %t", conflict)
	for i := range set.Len() {
		c, lent := set.At(i)
		plain := *c
		plain.AsOf = 0
		fmt.Fprintf(&b, "\n%+v, lent %t, counts %t", plain, lent, set.Counts(i))
		for _, d := range days {
			fmt.Fprintf(&b, " %+v", c.On(d))
		}
	}
	for _, d := range days {
		fit, ok := set.Fit(d)
		fmt.Fprintf(&b, "\n%v: %v, %t %s", d, set.State(d), ok, "")
		if ok {
			fmt.Fprintf(&b, "%s, %s %s", fit.Reason(), fit.Claim.CSP, fit.Claim.Network)
		}
	}
	return b.String()
}

// teller is a premises or one that has gone.
type teller interface {
	Known(known Day) (Indication, bool)
	AppendHistory(dst []Indication, from, to Day) []Indication
	IndicatedSince(on, since, until Day) (Day, bool)
}

// tellers finds all that a snapshot can tell of, by what tells them apart.
func tellers(t tb, s *Snapshot) map[slowKey]teller {
	t.Helper()
	all := map[slowKey]teller{}
	for k, p := range slowKeys(s) {
		all[k] = p
	}
	for i := range s.DepartedLen() {
		d := Departed{s, uint32(i)}
		k := slowKey{uprn: d.UPRN()}
		if k.uprn == 0 {
			if k.at = d.At(); d.Postcode().IsValid() && len(d.Address()) > 0 {
				k = slowKey{pc: d.Postcode(), fold: FoldAddress(string(d.Address()))}
			}
		} else if found, ok := s.Departed(k.uprn); !ok || found != d {
			t.Fatal("UPRN of one that has gone leads to", found, ok)
		}
		if !slices.Contains(s.AppendDeparted(nil, d.Postcode()), d) {
			t.Fatal(d.Postcode(), "does not have", d)
		}
		all[k] = d
	}
	return all
}

// TestHistoryIsWhatSnapshotsSaid compares what the last of many snapshots tells
// of each known day with what the one in force then said.
func TestHistoryIsWhatSnapshotsSaid(t *testing.T) {
	checkWorlds(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))
		list := longNights(t, rng, rapid.IntRange(0, 80).Draw(t, "rows"), rapid.IntRange(1, 6).Draw(t, "nights"), rapid.IntRange(0, 40).Draw(t, "changes"))
		checkHistory(t, rng, list)
	})
}

func checkHistory(t tb, rng *rand.Rand, list []*Snapshot) {
	t.Helper()
	last := list[len(list)-1]
	from, today := list[0].Info().AsOf, last.Info().AsOf
	for _, s := range list {
		if d := s.Info().AsOf; d <= today-keptDays {
			from = d
		}
	}
	if got := last.HistoryFrom(); got != from {
		t.Fatal("history from", got, "want", from)
	}
	var days []Day // known days that matter, and some others
	for _, s := range list {
		days = append(days, s.Info().AsOf-1, s.Info().AsOf)
	}
	days = append(days, from-2, from+Day(rng.IntN(50)), today+1, today+100)
	ons := []Day{from - 50, from, today, worldDay + 3, worldDay + 29, worldDay + 30, worldDay + 101, today + 400}
	force := func(known Day) (i int) {
		for k, s := range list {
			if s.Info().AsOf <= known {
				i = k
			}
		}
		return i
	}
	found := tellers(t, last)
	for k, by := range remembered(list) {
		at := func(known Day) (present bool, text string) {
			p := by[force(known)]
			if p == nil {
				return false, said(false, false, ClaimSet{}, nil)
			}
			return true, said(true, p.Conflict(), p.Claims(), ons)
		}
		who := found[k]
		if who == nil {
			for _, d := range days {
				if present, text := at(d); d >= from && present {
					t.Fatal(fmt.Sprintf("%+v is not found; on %v: %s", k, d, text))
				}
			}
			continue
		}
		for _, d := range days {
			i, ok := who.Known(d)
			if ok != (d >= from) {
				t.Fatal(fmt.Sprintf("%+v on %v: %t", k, d, ok))
			}
			if !ok {
				continue
			}
			_, want := at(d)
			if got := said(i.Present, i.Conflict, i.Claims, ons); got != want {
				t.Fatal(fmt.Sprintf("%+v on %v: want\n%s\ngot\n%s", k, d, want, got))
			}
		}
		checkStory(t, rng, who, last, days, ons)
	}
}

// checkStory compares what is told in one piece with what is told day by day.
func checkStory(t tb, rng *rand.Rand, who teller, last *Snapshot, days, ons []Day) {
	t.Helper()
	all := who.AppendHistory(nil, minDay, maxDay)
	for i, x := range all {
		if first, end := i == 0, i == len(all)-1; first != (x.From == 0) || end != (x.To == 0) || !first && x.From != all[i-1].To+1 {
			t.Fatal(fmt.Sprintf("%d of %+v", i, all))
		}
	}
	from := last.HistoryFrom()
	for range 3 {
		a, b := days[rng.IntN(len(days))], days[rng.IntN(len(days))]
		var want []Indication
		for _, x := range all {
			if a <= b && b >= from && (x.From == 0 || x.From <= b) && (x.To == 0 || x.To >= max(a, from)) {
				want = append(want, x)
			}
		}
		if got := who.AppendHistory(nil, a, b); !slices.Equal(got, want) {
			t.Fatal(fmt.Sprintf("from %v to %v: %+v, want %+v", a, b, got, want))
		}
		for _, on := range []Day{ons[rng.IntN(len(ons))]} {
			var at Day
			for d := min(b, last.Info().AsOf+500); d >= max(a, from); d-- {
				if i, _ := who.Known(d); i.Present && i.Claims.State(on) == Available {
					at = d
					break
				}
			}
			if got, ok := who.IndicatedSince(on, a, b); ok != (at != 0) || ok && got != at {
				t.Fatal(fmt.Sprintf("%v indicated from %v to %v: %v, %t, want %v", on, a, b, got, ok, at))
			}
		}
	}
}

// TestHistoryIsTheSameInAnyOrder: neither the order of rows nor the number of
// cores leaves a trace in it.
func TestHistoryIsTheSameInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 6))
	list := longNights(t, rng, 200, 3, 60)
	w := makeWorld(8, 200)
	w.options.AsOf = list[3].Info().AsOf + 1
	w.options.Previous = list[3]
	one, _ := w.build(t, nil)
	other, _ := w.build(t, func(rows []testRow) { slices.Reverse(rows) })
	if !bytes.Equal(one, other) {
		t.Error("another file from the same facts")
	}
}

func TestWithoutHistory(t *testing.T) {
	s := makeWorld(3, 40).open(t)
	today := s.Info().AsOf
	p := s.PremisesAt(0)
	if s.HistoryFrom() != today || s.DepartedLen() != 0 || s.AppendDeparted(nil, geo.Postcode{}) != nil {
		t.Error("it remembers something")
	}
	if _, ok := s.Departed(p.UPRN()); ok {
		t.Error("a premises has gone")
	}
	if _, ok := p.Known(today - 1); ok {
		t.Error("the day before is known")
	}
	want := Indication{Present: true, Conflict: p.Conflict(), Claims: p.Claims(), Snapshot: s.ID()}
	if i, ok := p.Known(today); !ok || i != want {
		t.Errorf("%+v, %t", i, ok)
	}
	if got := p.AppendHistory(nil, today-10, today+10); !slices.Equal(got, []Indication{want}) {
		t.Errorf("%+v", got)
	}
	if got := p.AppendHistory(nil, today-10, today-1); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestHistoryAllocatesNothing(t *testing.T) {
	list := longNights(t, rand.New(rand.NewPCG(2, 1)), 200, 4, 60)
	s := list[len(list)-1]
	today := s.Info().AsOf
	var kept []Indication
	for _, p := range []Premises{s.PremisesAt(0), s.PremisesAt(uint32(s.Info().Premises) / 2)} {
		kept = p.AppendHistory(kept[:0], minDay, maxDay)
		if n := testing.AllocsPerRun(100, func() {
			p.Known(today - 1)
			p.IndicatedSince(today, today-30, today)
			kept = p.AppendHistory(kept[:0], minDay, maxDay)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// TestHistoryFitsItsRoom: the less room, the less far it goes back, and what is
// left is told as before.
func TestHistoryFitsItsRoom(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	w := makeWorld(11, 300)
	list := []*Snapshot{w.open(t)}
	for range 12 {
		w = w.nightOn(rng, 30)
		w.options.Previous = list[len(list)-1]
		list = append(list, w.open(t))
	}
	old, now := list[11], list[12]
	kept := map[Day]bool{}
	for room := 20_000; room >= 0; room -= pick(500, 2500) {
		c := newComparer(old, now, 2)
		c.track = newTracker(old, now)
		c.run(func(*event) bool { return true })
		var lost []uint32
		for _, m := range c.matchers {
			lost = append(lost, m.lost...)
		}
		sections := historySections(old, now, c.track, lost, room, 2)
		again, size := w.open(t), 0
		raws := map[string][]byte{}
		for _, s := range sections {
			raws[s.name] = s.raw
			size += len(s.raw)
		}
		r := newReader(raws, 2)
		if again.past = nil; size > room {
			t.Fatalf("%d bytes in room for %d", size, room)
		}
		if again.readHistory(r); r.err != nil {
			t.Fatal(room, r.err)
		}
		from := again.HistoryFrom()
		kept[from] = true
		for row := range uint32(now.Info().Premises) {
			p, q := now.PremisesAt(row), again.PremisesAt(row)
			for d := from; d <= now.Info().AsOf; d++ {
				a, _ := p.Known(d)
				b, ok := q.Known(d)
				if x, y := said(a.Present, a.Conflict, a.Claims, nil), said(b.Present, b.Conflict, b.Claims, nil); !ok || x != y {
					t.Fatalf("room for %d, %v: want %s, got %s", room, d, x, y)
				}
			}
		}
	}
	if len(kept) < pick(6, 3) || !kept[worldDay] || !kept[now.Info().AsOf] {
		t.Errorf("it goes back to %v", kept)
	}
}

package index

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
)

// nights builds a world and some nights after it, each on the one before.
func nights(t tb, seed uint64, rows, n, changes int) []*Snapshot {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 3))
	w := makeWorld(seed, rows)
	list := []*Snapshot{w.open(t)}
	for range n {
		w = w.nightOn(rng, changes)
		w.options.Previous = list[len(list)-1]
		list = append(list, w.open(t))
	}
	return list
}

// listed collects the changes since a snapshot, from a cursor on.
func listed(t tb, s *Snapshot, since string, after Cursor, outcode geo.Outcode) (list []Change, cursors []Cursor) {
	t.Helper()
	changes, err := s.Changes(since, after, outcode)
	if err != nil {
		t.Fatal(err)
	}
	for c, change := range changes {
		list, cursors = append(list, change), append(cursors, c)
	}
	return list, cursors
}

// TestJournalTellsWhatDiffDid: the same changes night by night, also of one
// outcode, and on from any of them.
func TestJournalTellsWhatDiffDid(t *testing.T) {
	checkWorlds(t, func(t *rapid.T) {
		chain := nights(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 150).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "nights"), rapid.IntRange(0, 50).Draw(t, "changes"))
		last := chain[len(chain)-1]
		var want []Change
		for i := len(chain) - 2; i >= 0; i-- {
			want = append(slices.Collect(Diff(chain[i], chain[i+1])), want...)
			got, cursors := listed(t, last, chain[i].ID(), Cursor{}, geo.Outcode{})
			if d := gocmp.Diff(want, got, gocmp.Comparer(func(a, b Change) bool { return a == b })); d != "" {
				t.Fatalf("since %d of %d, want, got:\n%s", i, len(chain), d)
			}
			for k, c := range cursors {
				again, err := ParseCursor(c.String())
				if err != nil {
					t.Fatal(err)
				}
				if rest, _ := listed(t, last, chain[i].ID()[:12], again, geo.Outcode{}); !slices.Equal(rest, want[k+1:]) {
					t.Fatalf("after change %d, cursor %v: %d changes, want %d", k, c, len(rest), len(want)-k-1)
				}
			}
			for o := range last.AllOutcodes() {
				var of []Change
				for _, c := range want {
					if c.Postcode.Outcode() == o.Outcode() {
						of = append(of, c)
					}
				}
				if got, _ := listed(t, last, chain[i].ID(), Cursor{}, o.Outcode()); !slices.Equal(got, of) {
					t.Fatalf("%v: %d changes, want %d", o.Outcode(), len(got), len(of))
				}
			}
			n := last.Nights()[i]
			if wantNight := (Night{chain[i].ID(), chain[i].Info().AsOf, chain[i+1].Info().AsOf, CountChanges(chain[i], chain[i+1]).Kinds, false}); n != wantNight {
				t.Fatalf("night %d: %+v, want %+v", i, n, wantNight)
			}
		}
		if got, _ := listed(t, last, last.ID(), Cursor{}, geo.Outcode{}); len(got) > 0 {
			t.Fatalf("%d changes since itself", len(got))
		}
		if last.Info().Previous != chain[len(chain)-2].ID() {
			t.Fatalf("previous %q", last.Info().Previous)
		}
	})
}

// TestBuildCountsChanges: Delta is that of the snapshot as opened.
func TestBuildCountsChanges(t *testing.T) {
	w := makeWorld(7, 200)
	next := w.nightOn(rand.New(rand.NewPCG(7, 3)), 40)
	first, err := w.builder(t, nil).Build(t.Context())
	if err != nil || first.Delta != nil {
		t.Fatal(first.Delta, err)
	}
	old := w.open(t)
	next.options.Previous = old
	built, err := next.builder(t, nil).Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(CountChanges(old, next.open(t)), built.Delta, gocmp.AllowUnexported(geo.Outcode{})); d != "" || built.Delta.Kinds.Total() == 0 {
		t.Error(d)
	}
}

// TestJournalIsTheSameInAnyOrder: the order of rows leaves no trace in it.
func TestJournalIsTheSameInAnyOrder(t *testing.T) {
	w := makeWorld(8, 200)
	next := w.nightOn(rand.New(rand.NewPCG(8, 3)), 60)
	next.options.Previous = w.open(t)
	one, _ := next.build(t, nil)
	other, _ := next.build(t, func(rows []testRow) { slices.Reverse(rows) })
	if !bytes.Equal(one, other) {
		t.Error("another file from the same facts")
	}
}

func TestTooOld(t *testing.T) {
	chain := nights(t, 9, 60, 2, 20)
	for what, c := range map[string]struct {
		s     *Snapshot
		since string
		after Cursor
	}{
		"a snapshot without a journal": {chain[0], chain[1].ID(), Cursor{}},
		"a later snapshot":             {chain[1], chain[2].ID(), Cursor{}},
		"an unknown snapshot":          {chain[2], "0123456789abcdef", Cursor{}},
		"too few digits":               {chain[2], chain[0].ID()[:11], Cursor{}},
		"a cursor of no night":         {chain[2], chain[0].ID(), Cursor{Night: "0123456789ab"}},
		"a cursor of a night before":   {chain[2], chain[1].ID(), Cursor{Night: chain[0].ID()}},
	} {
		if _, err := c.s.Changes(c.since, c.after, geo.Outcode{}); !errors.Is(err, ErrTooOld) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, s := range []string{"", "x", "0123456789ab", "0123456789ab-1", "0123456789ab-1-", "0123456789ab--1-2", "0123456789AB-1-2", "0123456789ab-1-2-3", "0123456789ab-1-99999999999"} {
		if c, err := ParseCursor(s); err == nil {
			t.Errorf("cursor %q: %v", s, c)
		}
	}
}

// TestNightTooBigIsSaidToBe: its changes are counted and not kept, nor are those
// of the nights before it, which lead nowhere.
func TestNightTooBigIsSaidToBe(t *testing.T) {
	chain := nights(t, 10, 150, 2, 60)
	w, err := newNightWriter(100)
	if err != nil {
		t.Fatal(err)
	}
	newComparer(chain[1], chain[2], 1).run(func(e *event) bool { w.add(e); return true })
	if w.end(); !w.TooBig || w.log != nil {
		t.Fatalf("%d bytes of 100", len(w.log))
	}
	s := *chain[2]
	w.Night = Night{Since: chain[1].ID(), SinceAsOf: worldDay, AsOf: worldDay + 1, TooBig: true}
	s.journal = &journal{nights: []night{w.night}}
	if again, err := parseJournal(s.journal.encodeHead(), nil); err != nil || !again.nights[0].TooBig {
		t.Fatal(err)
	}
	if _, err := s.Changes(chain[1].ID(), Cursor{}, geo.Outcode{}); !errors.Is(err, ErrTooOld) || !strings.Contains(err.Error(), "too much changed") {
		t.Error(err)
	}
	if n := s.Nights(); len(n) != 1 || !n[0].TooBig {
		t.Errorf("%+v", n)
	}
	if kept, log := s.journal.carried(worldDay, 1<<30); len(kept) > 0 || len(log) > 0 {
		t.Errorf("%d nights handed on", len(kept))
	}
}

// TestOldNightsAreDropped: by their age, and the oldest first where there is no
// room.
func TestOldNightsAreDropped(t *testing.T) {
	j := chainOf(3)
	for _, c := range []struct {
		day  Day
		room int
		want []string
	}{
		{worldDay + 3, 60, []string{"0", "1", "2"}},
		{worldDay + 3, 59, []string{"1", "2"}},
		{worldDay + 3, 20, []string{"2"}},
		{worldDay + 3, 19, nil},
		{worldDay + 3, -1, nil},
		{worldDay + keptDays, 60, []string{"0", "1", "2"}},
		{worldDay + keptDays + 1, 60, []string{"1", "2"}},
		{worldDay + keptDays + 3, 60, nil},
	} {
		kept, log := j.carried(c.day, c.room)
		var got []string
		for i := range kept {
			got = append(got, kept[i].Since)
		}
		if !slices.Equal(got, c.want) || len(log) != 20*len(got) || len(got) > 0 && log[0] != got[0][0] {
			t.Errorf("on day %d with room for %d: nights %v, %d bytes, want %v", c.day-worldDay, c.room, got, len(log), c.want)
		}
	}
}

// chainOf is a journal of nights of 20 bytes each.
func chainOf(n int) *journal {
	j := new(journal)
	for i := range n {
		j.nights = append(j.nights, night{
			Night:  Night{Since: fmt.Sprint(i), SinceAsOf: worldDay + Day(i)},
			blocks: []block{{frame: frame{stored: 5}}, {frame: frame{stored: 8}}}, dict: frame{stored: 7},
		})
		j.log = append(j.log, bytes.Repeat([]byte{byte('0' + i)}, 20)...)
	}
	return j
}

// TestJournalOfAnotherLayoutIsPassedOver: one of a later program is no damage.
func TestJournalOfAnotherLayoutIsPassedOver(t *testing.T) {
	file := rewritten(t, tinyFile(t), sectionChangeHead, func([]byte) []byte { return []byte{journalLayout + 1, 7, 7} })
	s, err := OpenBytes(file)
	if err != nil || s.Nights() != nil {
		t.Fatal(s.Nights(), err)
	}
}

func TestCraftedJournalsAreRefused(t *testing.T) {
	file := tinyFile(t)
	gone := func([]byte) []byte { return nil }
	for _, c := range []struct {
		what, section string
		change        func(raw []byte) []byte
	}{
		{"no log", sectionChangeLog, gone},
		{"a log too long", sectionChangeLog, func(raw []byte) []byte { return append(raw, 0) }},
		{"a log too short", sectionChangeLog, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"a head cut off", sectionChangeHead, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"a head too long", sectionChangeHead, func(raw []byte) []byte { return append(raw, 0) }},
		{"an empty head", sectionChangeHead, func([]byte) []byte { return []byte{} }},
		{"nights without end", sectionChangeHead, func([]byte) []byte { return []byte{journalLayout, 0xff, 0xff, 0xff, 0x7f} }},
		{"another snapshot before", sectionChangeHead, func(raw []byte) []byte { raw[2] ^= 1; return raw }},
		{"a frame that is none", sectionChangeLog, func(raw []byte) []byte { raw[0] ^= 1; return raw }},
	} {
		refused(t, c.what, rewritten(t, file, c.section, c.change), "change.")
	}
}

// journalOf packs a dictionary and a block as a journal of one night.
func journalOf(t testing.TB, dict, events []byte, count int) (head, log []byte) {
	t.Helper()
	w, err := newNightWriter(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	w.Night = Night{Since: strings.Repeat("0", 2*idBytes), SinceAsOf: worldDay, AsOf: worldDay + 1}
	w.blocks = []block{{frame: w.pack(events), last: uint32(geo.Outcodes), events: count}}
	w.night.dict = w.pack(dict)
	j := journal{nights: []night{w.night}}
	return j.encodeHead(), w.log
}

// FuzzJournal takes anything for the events of a night and their dictionary:
// what is not refused can be told.
func FuzzJournal(f *testing.F) {
	chain := nights(f, 11, 120, 1, 60)
	w, err := newNightWriter(1 << 30)
	if err != nil {
		f.Fatal(err)
	}
	newComparer(chain[0], chain[1], 1).run(func(e *event) bool { w.add(e); return true })
	f.Add(w.dict.appendTo(nil), bytes.Clone(w.b), w.events, uint16(3), byte(7))
	f.Add([]byte{0, 0, 0}, []byte{}, 0, uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, dict, events []byte, count int, at uint16, with byte) {
		if events = bytes.Clone(events); int(at) < len(events) {
			events[at] ^= with
		}
		if count < 0 || count > 1<<20 {
			return
		}
		d, err := parseDictionary(dict, worldDay+1)
		if err != nil {
			return
		}
		b := block{last: uint32(geo.Outcodes), events: count}
		if b.each(events, d, func(*event) bool { return true }) != nil {
			return
		}
		var list []Change
		told := 0
		err = b.each(events, d, func(e *event) bool {
			told++
			list = e.appendChanges(list[:0])
			return true
		})
		if err != nil || told != count {
			t.Fatalf("%d events of %d: %v", told, count, err)
		}
	})
}

// FuzzJournalHead takes anything for the list of nights.
func FuzzJournalHead(f *testing.F) {
	head, log := journalOf(f, []byte{0, 0, 0}, nil, 0)
	f.Add(head, log)
	f.Fuzz(func(t *testing.T, head, log []byte) {
		j, err := parseJournal(head, log)
		if err != nil || j == nil {
			return
		}
		if err := j.verify(1); err == nil && len(j.nights) > 0 && !bytes.Equal(j.encodeHead(), head) && len(j.encodeHead()) > len(head) {
			t.Fatal("it comes out longer")
		}
	})
}

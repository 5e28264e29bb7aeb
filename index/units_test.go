package index

import (
	"strings"
	"sync"
	"testing"

	"coverd/geo"
)

var nowhere geo.Location

// TestRegionOfAPostcodeAndItsPremises has a case for every basis.
func TestRegionOfAPostcodeAndItsPremises(t *testing.T) {
	north, central, south := located(54.5, -1.5), located(53.5, -1.5), located(52.5, -1.5)
	offshore := located(52.5, -0.99) // 680 m
	atSea := located(52.5, -0.9)
	yes := says(NetworkSouth, AvailabilityTrue)
	w := small()
	type answer struct {
		region geo.Region
		basis  Basis
	}
	none := answer{}
	units := map[string]answer{}
	homes := map[geo.UPRN]answer{}
	unit := func(postcode string, r geo.Region, b Basis) { units[postcode] = answer{r, b} }
	home := func(postcode string, at geo.Location, a answer) {
		u := geo.UPRN(990_000_000_001 + len(homes))
		homes[u] = a
		w.add(u, postcode, at, "", yes)
	}

	// By location; a premises by its own, whatever its postcode's.
	w.live("GU1 1AA", south)
	unit("GU1 1AA", geo.South, BasisBoundary)
	home("GU1 1AA", south, answer{geo.South, BasisBoundary})
	home("GU1 1AA", north, answer{geo.North, BasisBoundary})
	home("GU1 1AA", offshore, answer{geo.South, BasisNearest})
	home("GU1 1AA", atSea, none) // no fallback from a location
	home("GU1 1AA", nowhere, answer{geo.South, BasisPostcode})
	w.live("GU1 1AB", offshore)
	unit("GU1 1AB", geo.South, BasisNearest)
	home("GU1 1AB", nowhere, answer{geo.South, BasisPostcode})
	w.live("GU1 1AD", atSea)
	unit("GU1 1AD", geo.NoRegion, NoBasis)

	// By outcode, where all of it that has a Region has the same.
	w.live("GU1 1AE", nowhere)
	unit("GU1 1AE", geo.South, BasisOutcode)
	home("GU1 1AE", nowhere, answer{geo.South, BasisOutcode})
	home("GU1 1AE", north, answer{geo.North, BasisBoundary}) // and does not lend it its Region
	home("GU1 1AF", nowhere, answer{geo.South, BasisOutcode})
	unit("GU1 1AF", geo.South, BasisOutcode) // in no register

	// By its premises, if it is in no register and they agree.
	home("GU2 1AA", central, answer{geo.Central, BasisBoundary})
	home("GU2 1AA", nowhere, answer{geo.Central, BasisPostcode})
	unit("GU2 1AA", geo.Central, BasisPremises)
	home("GU3 1AA", central, answer{geo.Central, BasisBoundary})
	home("GU3 1AA", south, answer{geo.South, BasisBoundary})
	home("GU3 1AA", nowhere, none)
	unit("GU3 1AA", geo.NoRegion, NoBasis)

	// An outcode over two Regions gives none.
	w.live("CH4 1AA", north)
	unit("CH4 1AA", geo.North, BasisBoundary)
	w.live("CH4 1AB", central)
	unit("CH4 1AB", geo.Central, BasisBoundary)
	w.live("CH4 1AD", nowhere)
	unit("CH4 1AD", geo.NoRegion, NoBasis)
	home("CH4 1AD", nowhere, none)

	// Nor does one in which nothing has a location; nor has a premises with nothing.
	w.live("SR43 1AA", nowhere)
	unit("SR43 1AA", geo.NoRegion, NoBasis)
	home("SR43 1AA", nowhere, none)
	home("", nowhere, none)
	home("", south, answer{geo.South, BasisBoundary})

	file, report := w.build(t, nil)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range units {
		u, ok := s.Postcode(mustPostcode(text))
		if got := u.Region(); !ok || got.Region != want.region || got.Basis != want.basis {
			t.Errorf("%s: %v by %v, want %v by %v", text, got.Region, got.Basis, want.region, want.basis)
		}
	}
	others := int64(0)
	for uprn, want := range homes {
		p, ok := s.UPRN(uprn)
		if got := p.Region(); !ok || got.Region != want.region || got.Basis != want.basis {
			t.Errorf("%v in %v: %v by %v, want %v by %v", uprn, p.Postcode(), got.Region, got.Basis, want.region, want.basis)
		}
		if want.region == geo.North || want.region == geo.Central {
			others++
		}
	}
	// All claim the South.
	if report.RegionMismatch != others {
		t.Errorf("%d claims of another Region, want %d", report.RegionMismatch, others)
	}
}

// TestTerminationsAreInferredFromThePreviousRegister builds three nights.
func TestTerminationsAreInferredFromThePreviousRegister(t *testing.T) {
	at := located(52.5, -1.5)
	long, _ := ParseMonth("2019-06")
	night := func(n int, prev *Snapshot, live ...string) *Snapshot {
		w := small()
		w.options.AsOf += Day(n)
		w.options.Previous = prev
		for _, p := range live {
			w.live(p, at)
		}
		if n == 0 {
			w.entries = append(w.entries, Entry{Postcode: mustPostcode("GU1 1AE"), At: at, Terminated: long})
		}
		w.add(1, "GU1 1AB", at, "", says(NetworkSouth, AvailabilityTrue)) // in the extracts throughout
		w.add(2, "GU1 9ZZ", at, "", says(NetworkSouth, AvailabilityTrue)) // and never in a register
		return w.open(t)
	}
	expect := func(s *Snapshot, text string, want RegisterStatus, after, by Day) {
		t.Helper()
		u, ok := s.Postcode(mustPostcode(text))
		if e := u.Entry(); !ok || u.Status() != want || e.TerminatedAfter != after || e.TerminatedBy != by {
			t.Errorf("%s: %v, between %v and %v; want %v, %v and %v", text, u.Status(), e.TerminatedAfter, e.TerminatedBy, want, after, by)
		}
	}
	d := worldDay
	first := night(0, nil, "GU1 1AA", "GU1 1AB", "GU1 1AD")
	second := night(7, first, "GU1 1AA")
	expect(second, "GU1 1AA", Live, 0, 0)
	expect(second, "GU1 1AB", Terminated, d, d+7)
	expect(second, "GU1 1AD", Terminated, d, d+7)
	expect(second, "GU1 1AE", Terminated, 0, 0) // as the register said outright
	expect(second, "GU1 9ZZ", NotInRegister, 0, 0)
	if u, _ := second.Postcode(mustPostcode("GU1 1AD")); u.At() != at || u.Region().Region != geo.South {
		t.Errorf("a terminated postcode lost its place: %v", u.Entry())
	}
	if u, _ := second.Postcode(mustPostcode("GU1 1AE")); u.Entry().Terminated != long {
		t.Errorf("a terminated postcode lost its month: %v", u.Entry())
	}
	if u, _ := second.Postcode(mustPostcode("GU1 1AB")); u.Len() != 1 {
		t.Error("the register hid a premises")
	}
	if near := second.NearestPostcodes(nil, at.LatLng(), 10, 1000); len(near) != 1 {
		t.Errorf("%d live postcodes near, want 1", len(near))
	}

	third := night(14, second, "GU1 1AA", "GU1 1AD")
	expect(third, "GU1 1AD", Live, 0, 0)         // it is back
	expect(third, "GU1 1AB", Terminated, d, d+7) // the dates stay
	expect(night(14, second), "GU1 9ZZ", NotInRegister, 0, 0)
	// A night without any register tells nothing of postcodes.
	if _, ok := night(14, second).Postcode(mustPostcode("GU1 1AA")); ok {
		t.Error("a postcode outlived the register")
	}
}

func TestPreviousSnapshotIsNoLater(t *testing.T) {
	w := small()
	later := w.open(t)
	w.options.AsOf--
	w.options.Previous = later
	if _, err := NewBuilder(w.land, w.options); err == nil || !strings.Contains(err.Error(), "2026-11-22") {
		t.Errorf("a previous snapshot of a later day: %v", err)
	}
	w.options.AsOf++ // the same night once more
	if _, err := NewBuilder(w.land, w.options); err != nil {
		t.Error(err)
	}
}

func TestTheFirstOfTwoRegisterEntriesStays(t *testing.T) {
	b, err := NewBuilder(squares(), small().options)
	if err != nil {
		t.Fatal(err)
	}
	e := Entry{Postcode: mustPostcode("GU1 1AA"), At: located(52.5, -1.5)}
	if !b.AddPostcode(e) {
		t.Error("the first was refused")
	}
	if e.At = located(54.5, -1.5); b.AddPostcode(e) {
		t.Error("the second was taken")
	}
	w := small()
	w.entries = []Entry{{Postcode: e.Postcode, At: located(52.5, -1.5)}, e}
	u, ok := w.open(t).Postcode(e.Postcode)
	if !ok || u.At() != located(52.5, -1.5) {
		t.Errorf("at %v", u.At())
	}
}

// TestRegisterRowsAtOnce: the register may be filled and asked side by side,
// which the race detector watches.
func TestRegisterRowsAtOnce(t *testing.T) {
	b, err := NewBuilder(squares(), small().options)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for k := range uint32(3) {
		wg.Go(func() {
			for n := range uint32(5000) {
				p, _ := geo.PostcodeFromOrdinal(3*n + k)
				e := Entry{Postcode: p, At: geo.Location{Lat: 52_000_000 + int32(n), Lng: -1_500_000}}
				b.AddPostcode(e)
				if got, ok := b.Postcode(p); !ok || got != e {
					t.Errorf("%v: %+v, %v", p, got, ok)
				}
			}
		})
	}
	wg.Wait()
}

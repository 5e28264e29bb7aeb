package geo

import (
	"cmp"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExtent(t *testing.T) {
	for name, p := range map[string]LatLng{
		"Bishop Rock": {49.8729, -6.4457}, "Soay, St Kilda": {57.8297, -8.6370}, "Lowestoft Ness": {52.4811, 1.7629}, "Out Stack": {60.8612, -0.8747},
	} {
		if !p.InExtent() || p.Swapped() || !p.IsValid() {
			t.Errorf("%s, at the end of Great Britain, is outside", name)
		}
		if q := (LatLng{p.Lng, p.Lat}); q.InExtent() || !q.Swapped() {
			t.Errorf("%s with its numbers exchanged is not told", name)
		}
	}
	for _, p := range []LatLng{{48.8566, 2.3522}, {0, 0}, {51.5, 2}, {51.5, -9}, {62, -1}, {-51.2, -0.5}} {
		if p.InExtent() || p.Swapped() {
			t.Errorf("%v is in Great Britain", p)
		}
	}
	for _, p := range []LatLng{{math.NaN(), 0}, {0, math.NaN()}, {90.1, 0}, {0, -180.1}, {math.Inf(1), 0}} {
		if p.IsValid() || p.InExtent() || p.Swapped() {
			t.Errorf("%v is a position", p)
		}
	}
}

func TestLocation(t *testing.T) {
	if got, want := (LatLng{51.2452785, -0.5823125}).Location(), (Location{51245279, -582313}); got != want {
		t.Errorf("%v, want %v: halves go away from zero", got, want)
	}
	if (Location{}).IsValid() || !(Location{0, 1}).IsValid() {
		t.Error("only the zero value is none")
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Location {
			return Location{rapid.Int32Range(-90e6, 90e6).Draw(t, name+" lat"), rapid.Int32Range(-180e6, 180e6).Draw(t, name+" lng")}
		}
		l, m := draw("l"), draw("m")
		if back := l.LatLng().Location(); back != l {
			t.Fatalf("%v comes back as %v", l, back)
		}
		want := cmp.Or(cmp.Compare(l.Lat, m.Lat), cmp.Compare(l.Lng, m.Lng))
		if got := l.Compare(m); cmp.Compare(got, 0) != want {
			t.Fatalf("Compare(%v, %v) = %d, want %d", l, m, got, want)
		}
	})
}

func TestRegions(t *testing.T) {
	for i, name := range []string{"North", "Central", "South"} {
		r := Regions[i]
		for _, s := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if got, err := ParseRegion(s); err != nil || got != r || got.String() != name {
				t.Errorf("%q: %v, %v", s, got, err)
			}
		}
	}
	for _, s := range []string{"", "north ", "4G North", "N"} {
		if r, err := ParseRegion(s); err == nil || r != NoRegion {
			t.Errorf("%q: %v, %v", s, r, err)
		}
	}
	if NoRegion.String() != "" || Region(9).String() != "" {
		t.Error("no Region has a name")
	}
}

func TestRegionSets(t *testing.T) {
	for bits := range 8 {
		var set RegionSet
		var only Region
		n := 0
		for i, r := range Regions {
			if bits>>i&1 == 1 {
				set, only, n = set.With(r), r, n+1
			}
		}
		for i, r := range Regions {
			if set.Has(r) != (bits>>i&1 == 1) {
				t.Errorf("%03b has %v: %v", bits, r, set.Has(r))
			}
		}
		if n != 1 {
			only = NoRegion
		}
		if set.Only() != only || set.With(NoRegion) != set || set.Has(NoRegion) {
			t.Errorf("%03b: only %v, want %v", bits, set.Only(), only)
		}
	}
}

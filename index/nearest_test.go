package index

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
)

func TestNearestTiesGoByPostcodeThenUPRNThenAddress(t *testing.T) {
	spot := located(52.5, -1.5)
	yes := says(NetworkSouth, AvailabilityTrue)
	w := small()
	w.add(7, "GU1 1AB", spot, "1", yes)
	w.add(9, "GU1 1AA", spot, "2", yes)
	w.add(0, "GU1 1AB", spot, "3", yes)
	w.add(0, "GU1 1AB", spot, "10", yes)
	w.add(8, "", spot, "", yes)
	w.add(3, "GU1 1AB", spot, "", yes)
	w.add(0, "", spot, "Plot 1", yes)
	w.add(5, "GU1 1AA", located(52.5, -1.500001), "0", yes) // a hair further
	s := w.open(t)
	var got []string
	for _, n := range s.Nearest(nil, spot.LatLng(), 100, 1000) {
		got = append(got, fmt.Sprintf("%v %v %s", n.Premises.Postcode(), n.Premises.UPRN(), n.Premises.Address()))
	}
	// Of two premises without UPRN the address decides, by its bytes.
	want := []string{"  Plot 1", " 8 ", "GU1 1AA 9 2", "GU1 1AB  10", "GU1 1AB  3", "GU1 1AB 3 ", "GU1 1AB 7 1", "GU1 1AA 5 0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ties (-want +got):\n%s", d)
	}
	for limit := range want {
		if few := s.Nearest(nil, spot.LatLng(), limit, 1000); len(few) != limit {
			t.Errorf("%d of limit %d", len(few), limit)
		}
	}
}

func TestNearestAtItsLimits(t *testing.T) {
	here := geo.LatLng{Lat: 52.5, Lng: -1.5}
	yes := says(NetworkSouth, AvailabilityTrue)
	w := small()
	for i := range 3 * MaxNearest {
		w.add(geo.UPRN(i+1), "GU1 1AA", here.Location(), "", yes)
	}
	w.add(1000, "GU1 1AA", nowhere, "", yes)
	far := located(52.51, -1.5)
	w.add(1001, "GU1 1AA", far, "", yes)
	w.live("GU1 1AA", here.Location())
	w.live("GU1 1AB", nowhere)
	s := w.open(t)
	exactly := geo.Distance(here, far.LatLng())
	for _, c := range []struct {
		name   string
		p      geo.LatLng
		limit  int
		radius float64
		want   int
	}{
		{"one", here, 1, 10, 1},
		{"none wanted", here, 0, 10, 0},
		{"less than none", here, -1, 10, 0},
		{"a hundred at most", here, 1000, 10, MaxNearest},
		{"the largest limit there is", here, math.MaxInt, 1e9, MaxNearest},
		{"no distance", here, 5, 0, 5},
		{"beside it, no distance", geo.LatLng{Lat: 52.500001, Lng: -1.5}, 5, 0, 0},
		{"a negative radius", here, 5, -1, 0},
		{"no radius", here, 5, math.NaN(), 0},
		{"no point", geo.LatLng{Lat: math.NaN(), Lng: -1.5}, 5, 10, 0},
		{"no such point", geo.LatLng{Lat: 52.5, Lng: 181}, 5, 10, 0},
		{"seen from the far one", far.LatLng(), 5, 1, 1},
		{"a radius that just reaches", far.LatLng(), 100, exactly, 100},
		{"and one that just does not", far.LatLng(), 100, math.Nextafter(exactly, 0), 1},
	} {
		if got := s.Nearest(nil, c.p, c.limit, c.radius); len(got) != c.want {
			t.Errorf("%s: %d, want %d", c.name, len(got), c.want)
		}
	}
	if got := s.NearestPostcodes(nil, here, 10, 50_000); len(got) != 1 {
		t.Errorf("%d postcodes with a location, want 1", len(got))
	}
	kept := s.Nearest([]Neighbour{{}}, here, 2, 10)
	if len(kept) != 3 || kept[0] != (Neighbour{}) {
		t.Errorf("what was in the slice is gone: %v", kept)
	}
	empty := small().open(t)
	if got := empty.Nearest(nil, here, 5, 50_000); len(got) != 0 {
		t.Errorf("%d in an empty snapshot", len(got))
	}
}

// TestNearestWhateverTheShape puts premises on a coarse grid, so that equal
// distances and piles are the rule, in numbers around the sizes of blocks.
func TestNearestWhateverTheShape(t *testing.T) {
	yes := says(NetworkSouth, AvailabilityTrue)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 31, 32, 33, 100, 511, 512, 513, 600}).Draw(t, "premises")
		width := rapid.SampledFrom([]int{1, 3, 12}).Draw(t, "width")
		grid := rapid.IntRange(0, width-1)
		point := rapid.Custom(func(t *rapid.T) geo.Location {
			return geo.Location{Lat: 52_500_000 + int32(grid.Draw(t, "row"))*1000, Lng: -1_500_000 + int32(grid.Draw(t, "column"))*1000}
		})
		seed := rapid.IntRange(1, 1<<20).Draw(t, "seed")
		w := small()
		for i := range n { // cheaper than to draw each
			k := (i*seed + i*i*7) % (width * width)
			at := geo.Location{Lat: 52_500_000 + int32(k/width)*1000, Lng: -1_500_000 + int32(k%width)*1000}
			w.add(geo.UPRN(i+1), []string{"", "GU1 1AA", "GU1 1AB", "E1 1AA"}[k%4], at, "", yes)
		}
		s := w.open(t)
		p := point.Draw(t, "point").LatLng()
		limit := rapid.IntRange(1, MaxNearest).Draw(t, "limit")
		radius := rapid.SampledFrom([]float64{0, 70, 250, 50_000}).Draw(t, "radius")
		got, want := s.Nearest(nil, p, limit, radius), slowNearest(slices.Collect(s.AllPremises()), p, limit, radius)
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

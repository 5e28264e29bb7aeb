package index

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"coverd/geo"
)

// slowAllocation is the rule of Regions and border distances, edge by edge.
// sure is false within a micrometre of a limit, where either answer will do.
func slowAllocation(land [3]geo.MultiPolygon, p geo.LatLng) (a Allocation, sure bool) {
	a.Border = -1
	var edge [4]float64 // distance to the nearest edge of each Region
	inside := geo.RegionSet(0)
	least := math.Inf(1)
	sure = true
	for i := len(geo.Regions) - 1; i >= 0; i-- {
		r := geo.Regions[i]
		var others [3]geo.MultiPolygon
		others[i] = land[i]
		edge[r] = slowBorder(others, p, geo.NoRegion)
		least = min(least, edge[r])
		if land[i].Contains(p) {
			inside = inside.With(r)
			a.Region, a.Basis = r, BasisBoundary
		}
	}
	near := func(d, limit float64) bool { return math.Abs(d-limit) < 2e-6 }
	if a.Region == geo.NoRegion {
		if sure = !near(least, MaxOffshore); least > MaxOffshore {
			return a, sure
		}
		a.Basis = BasisNearest
		for _, r := range geo.Regions {
			if a.Region == geo.NoRegion && edge[r] <= least+sameDistance {
				a.Region = r
			}
			if more := edge[r] - least; more > sameDistance/2 && more < sameDistance*2 {
				sure = false
			}
		}
	}
	other := math.Inf(1)
	for _, r := range geo.Regions {
		if r != a.Region {
			other = min(other, edge[r])
			if inside.Has(r) {
				other = 0
			}
		}
	}
	if other <= MaxBorder {
		a.Border = other
	}
	return a, sure && !near(other, MaxBorder)
}

// TestRegionAndBorderOnAnyMap draws small maps on a coarse grid, so that
// corners and whole edges are shared, coasts face each other over estuaries,
// and Regions now and then overlap.
func TestRegionAndBorderOnAnyMap(t *testing.T) {
	bases := map[Basis]int{}
	bordered, overlapped := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		corner := rapid.Custom(func(t *rapid.T) geo.LatLng {
			return geo.LatLng{
				Lat: 52 + float64(rapid.IntRange(0, 12).Draw(t, "lat"))/50,
				Lng: -2 + float64(rapid.IntRange(0, 12).Draw(t, "lng"))/30,
			}
		})
		var land [3]geo.MultiPolygon
		for i := range land {
			for range rapid.IntRange(1, 2).Draw(t, "polygons") {
				land[i] = append(land[i], geo.Polygon{rapid.SliceOfN(corner, 3, 5).Draw(t, "ring")})
			}
		}
		w := small()
		w.land = land
		s := w.open(t)
		for range 40 {
			p := corner.Draw(t, "point")
			p.Lat += float64(rapid.IntRange(-400, 400).Draw(t, "north")) / 1e4
			p.Lng += float64(rapid.IntRange(-400, 400).Draw(t, "east")) / 1e4
			want, sure := slowAllocation(land, p)
			if !sure {
				continue
			}
			got := s.Locate(p)
			if got.Region != want.Region || got.Basis != want.Basis || math.Abs(got.Border-want.Border) > 1e-6 {
				t.Fatalf("%v: %+v, want %+v", p, got, want)
			}
			if r := s.Region(p); r.Region != got.Region || r.Basis != got.Basis || r.Border != -1 {
				t.Fatalf("%v: Region says %+v, Locate %+v", p, r, got)
			}
			bases[got.Basis]++
			if got.Border > 0 {
				bordered++
			} else if got.Border == 0 && got.Basis == BasisBoundary {
				overlapped++
			}
		}
	})
	if bases[NoBasis] == 0 || bases[BasisBoundary] == 0 || bases[BasisNearest] == 0 || bordered == 0 || overlapped == 0 {
		t.Errorf("the maps are too tame: %v, %d with a border, %d overlapped", bases, bordered, overlapped)
	}
}

// TestBorderAcrossAnEstuary: 1.9 km off the coast of one Region and 4.6 km from
// another, whose coasts are further apart than any border distance.
func TestBorderAcrossAnEstuary(t *testing.T) {
	p := geo.LatLng{Lat: 52.5, Lng: -1.5}
	perLng := geo.MetricAt(52.5).PerLng
	at := func(metres float64) float64 { return p.Lng + metres/perLng }
	land := squares()
	land[1] = geo.MultiPolygon{{{{Lat: 52.4, Lng: at(-1900)}, {Lat: 52.6, Lng: at(-1900)}, {Lat: 52.6, Lng: -1.8}, {Lat: 52.4, Lng: -1.8}}}}
	land[2] = geo.MultiPolygon{{{{Lat: 52.4, Lng: at(4600)}, {Lat: 52.6, Lng: at(4600)}, {Lat: 52.6, Lng: -1.2}, {Lat: 52.4, Lng: -1.2}}}}
	w := small()
	w.land = land
	a := w.open(t).Locate(p)
	if a.Region != geo.Central || a.Basis != BasisNearest || math.Abs(a.Border-4600) > 5 {
		t.Errorf("%+v", a)
	}
}

// TestNearestTieGoesToTheFirstRegion looks from the sea at headlands on which
// two Regions meet: all points before one are as far from either.
func TestNearestTieGoesToTheFirstRegion(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		cape := geo.LatLng{Lat: 52.6 + rng.Float64()/20, Lng: rng.Float64() / 20} // near Greenwich, where longitudes round worst
		inland := geo.LatLng{Lat: cape.Lat, Lng: cape.Lng - 0.5 - rng.Float64()}
		land := squares()
		land[0] = geo.MultiPolygon{{square(57, -2, 1)}}
		land[1] = geo.MultiPolygon{{{cape, {Lat: cape.Lat + 0.3, Lng: cape.Lng - 0.5}, inland}}}
		land[2] = geo.MultiPolygon{{{cape, inland, {Lat: cape.Lat - 0.3, Lng: cape.Lng - 0.5 - rng.Float64()/10}}}}
		w := small()
		w.land = land
		s := w.open(t)
		for i := range 20 {
			angle := (float64(i)/20 - 0.5) * math.Pi / 4
			p := geo.LatLng{Lat: cape.Lat + math.Sin(angle)/100, Lng: cape.Lng + math.Cos(angle)/100}
			if a := s.Locate(p); a.Region != geo.Central || a.Basis != BasisNearest {
				t.Fatalf("%v: %+v", p, a)
			}
		}
	}
}

// TestOverlapGoesToTheFirstRegion: in both Regions, the land of the other is
// underfoot.
func TestOverlapGoesToTheFirstRegion(t *testing.T) {
	w := small()
	w.land[1][0][0] = square(52.98, -2, 1) // 2.2 km into the South
	s := w.open(t)
	for lat, want := range map[float64]Allocation{
		52.99:  {geo.Central, BasisBoundary, 0},
		52.981: {geo.Central, BasisBoundary, 0},
		52.97:  {geo.South, BasisBoundary, geo.Distance(geo.LatLng{Lat: 52.97, Lng: -1.5}, geo.LatLng{Lat: 52.98, Lng: -1.5})},
		53.01:  {geo.Central, BasisBoundary, geo.Distance(geo.LatLng{Lat: 53.01, Lng: -1.5}, geo.LatLng{Lat: 53, Lng: -1.5})},
	} {
		got := s.Locate(geo.LatLng{Lat: lat, Lng: -1.5})
		if got.Region != want.Region || got.Basis != want.Basis || math.Abs(got.Border-want.Border) > 1e-6 {
			t.Errorf("%v: %+v, want %+v", lat, got, want)
		}
		if got.NearBorder() != (want.Border <= NearBorder) {
			t.Errorf("%v: near a border %v", lat, got.NearBorder())
		}
	}
}

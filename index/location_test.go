package index

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// relocate packs locations and reads them back.
func relocate(t *testing.T, list []geo.Location) locations {
	t.Helper()
	raws := map[string][]byte{}
	raws[sectionPremBox], raws[sectionPremLoc] = packLocations(len(list), func(i int) geo.Location { return list[i] })
	r := newReader(raws, 2)
	l := r.locations(sectionPremBox, sectionPremLoc, len(list))
	if r.err != nil {
		t.Fatal(r.err)
	}
	return l
}

// TestLocationsComeBack packs places of every spread, some or all of them
// missing, and looks for the nearest to some points among them.
func TestLocationsComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	corners := []geo.Location{{Lat: maxLat, Lng: maxLng}, {Lat: -maxLat, Lng: -maxLng}, {Lat: maxLat, Lng: -maxLng}, {Lat: -maxLat, Lng: maxLng}}
	for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 200, 1100} {
		for _, spread := range []int32{1, 2, 3, 255, 256, 257, 4000, 2_000_000, 89_000_000} {
			for missing := range 4 { // in three
				centre := geo.Location{Lat: 52_500_000, Lng: -1_500_000}
				if spread > 30_000_000 {
					centre = geo.Location{}
				}
				list := make([]geo.Location, n)
				for i := range list {
					if rng.IntN(3) < missing {
						continue
					}
					list[i] = geo.Location{Lat: centre.Lat + rng.Int32N(spread), Lng: centre.Lng - rng.Int32N(spread)}
					if spread > 30_000_000 && rng.IntN(50) == 0 {
						list[i] = corners[rng.IntN(4)]
					}
				}
				l := relocate(t, list)
				for i, want := range list {
					if got := l.at(i); got != want {
						t.Fatalf("%d of %d, spread %d: %v, want %v", i, n, spread, got, want)
					}
				}
				near := newNearby(&l, n, 2, cmp.Compare[int])
				for range 6 {
					p := geo.LatLng{Lat: 52.5 + rng.Float64()*float64(spread)/1e6, Lng: -1.5 - rng.Float64()*float64(spread)/1e6}
					if n > 0 && rng.IntN(2) == 0 {
						if at := list[rng.IntN(n)]; at.IsValid() {
							p = at.LatLng()
						}
					}
					if !p.IsValid() {
						continue
					}
					limit, radius := 1+rng.IntN(MaxNearest), []float64{0, 3, 800, 50_000}[rng.IntN(4)]
					var q search
					if got, want := near.nearest(&q, p, limit, radius), slowHits(list, p, limit, radius); !slices.Equal(got, want) {
						t.Fatalf("%d nearest within %v m of %v, of %d, spread %d:\ngot  %v\nwant %v", limit, radius, p, n, spread, got, want)
					}
				}
			}
		}
	}
}

// slowHits measures every place.
func slowHits(list []geo.Location, p geo.LatLng, limit int, radius float64) (hits []hit) {
	for i, at := range list {
		if d := geo.Distance(p, at.LatLng()); at.IsValid() && d <= radius {
			hits = append(hits, hit{i, d})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.i, b.i)) })
	return append([]hit{}, hits[:min(len(hits), limit)]...)
}

// TestNearestOnACircle: where the plane cannot tell which is nearer, true
// distances must, however many there are.
func TestNearestOnACircle(t *testing.T) {
	for _, lat := range []float64{0, 52.5, -60.2, 79, 88} {
		for _, radius := range []float64{20, 3000, 40_000} {
			for _, n := range []int{3, 12, 40, 300} {
				p := geo.LatLng{Lat: lat, Lng: 1.5}
				var list []geo.Location
				m := geo.MetricAt(lat)
				for i := range n {
					angle := 2 * math.Pi * float64(i) / float64(n)
					list = append(list, geo.LatLng{Lat: lat + radius*math.Sin(angle)/m.PerLat, Lng: p.Lng + radius*math.Cos(angle)/m.PerLng}.Location())
				}
				l := relocate(t, list)
				near := newNearby(&l, n, 1, cmp.Compare[int])
				for _, limit := range []int{1, 10, MaxNearest} {
					var q search
					if got, want := near.nearest(&q, p, limit, 50_000), slowHits(list, p, limit, 50_000); !slices.Equal(got, want) {
						t.Fatalf("%d nearest of %d at %v m, latitude %v:\ngot  %v\nwant %v", limit, n, radius, lat, got, want)
					}
				}
			}
		}
	}
}

// TestNearestOfTheFirst searches some of the places only, as of the postcodes
// with a location the live ones: they may end within a block. There are enough
// of them for three levels of rectangles.
func TestNearestOfTheFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(70, 7))
	for range 40 {
		list := make([]geo.Location, 1+rng.IntN(20_000))
		n := rng.IntN(len(list) + 1)
		spread := []int32{50, 3000, 400_000}[rng.IntN(3)]
		for i := range list {
			if rng.IntN(10) > 0 {
				list[i] = geo.Location{Lat: 52_500_000 + rng.Int32N(spread), Lng: -1_500_000 + rng.Int32N(spread)}
			}
		}
		l := relocate(t, list)
		near := newNearby(&l, n, 2, cmp.Compare[int])
		for range 10 {
			p := geo.LatLng{Lat: 52.5 + rng.Float64()*float64(spread)/1e6, Lng: -1.5 + rng.Float64()*float64(spread)/1e6}
			limit, radius := 1+rng.IntN(MaxNearest), []float64{0, 3, 800, 50_000}[rng.IntN(4)]
			var q search
			if got, want := near.nearest(&q, p, limit, radius), slowHits(list[:n], p, limit, radius); !slices.Equal(got, want) {
				t.Fatalf("%d nearest within %v m of %v, of the first %d of %d:\ngot  %v\nwant %v", limit, radius, p, n, len(list), got, want)
			}
		}
	}
}

// TestNearestFarOff searches at radii beyond all that is asked for, for places
// as far off as they reach.
func TestNearestFarOff(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, radius := range []float64{50_000, 100_000, 500_000, 1e6, 2e6, 4e6, math.Inf(1)} {
		spread := min(radius/110_000, 20) // degrees
		for range 2000 {
			p := geo.LatLng{Lat: 1 + rng.Float64()*60}
			list := make([]geo.Location, 2+rng.IntN(5))
			for i := range list {
				list[i] = geo.LatLng{Lat: p.Lat + (rng.Float64()*2-1)*spread, Lng: (rng.Float64()*2 - 1) * spread * 2}.Location()
			}
			l := relocate(t, list)
			near := newNearby(&l, len(list), 1, cmp.Compare[int])
			for limit := 1; limit <= 2; limit++ {
				var q search
				if got, want := near.nearest(&q, p, limit, radius), slowHits(list, p, limit, radius); !slices.Equal(got, want) {
					t.Fatalf("%d nearest within %v m of %v, of %v:\ngot  %v\nwant %v", limit, radius, p, list, got, want)
				}
			}
		}
	}
}

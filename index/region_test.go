package index

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"coverd/geo"
)

// britain is the indicative Region boundaries that the loader embeds, read
// here the plain way.
var britain = sync.OnceValue(func() (land [3]geo.MultiPolygon) {
	packed, err := os.ReadFile("../loader/regions/indicative.geojson.zst")
	if err != nil {
		panic(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		panic(err)
	}
	defer dec.Close()
	raw, err := dec.DecodeAll(packed, nil)
	if err != nil {
		panic(err)
	}
	var doc struct {
		Features []struct {
			Properties struct{ Region string }
			Geometry   struct{ Coordinates [][][][2]float64 }
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		panic(err)
	}
	for _, f := range doc.Features {
		r, err := geo.ParseRegion(f.Properties.Region)
		if err != nil {
			panic(err)
		}
		for _, polygon := range f.Geometry.Coordinates {
			var g geo.Polygon
			for _, ring := range polygon {
				var out geo.Ring
				for _, c := range ring[:len(ring)-1] {
					out = append(out, geo.LatLng{Lat: c[1], Lng: c[0]})
				}
				g = append(g, out)
			}
			land[r-1] = append(land[r-1], g)
		}
	}
	return land
})

var (
	britainOnce sync.Once
	britainSnap *Snapshot
)

// britainSnapshot holds the boundaries and a few postcodes.
func britainSnapshot(t testing.TB) *Snapshot {
	t.Helper()
	britainOnce.Do(func() { britainSnap = buildBritain(t) })
	return britainSnap
}

func buildBritain(t testing.TB) *Snapshot {
	t.Helper()
	w := &world{land: britain(), options: Options{AsOf: worldDay, Tool: "test"}}
	for i, at := range []geo.LatLng{{Lat: 51.245279, Lng: -0.582312}, {Lat: 57.148216, Lng: -2.096655}, {Lat: 52.48, Lng: -1.9}} {
		w.entries = append(w.entries, Entry{Postcode: mustPostcode([]string{"GU1 1AA", "AB10 1AA", "B1 1AA"}[i]), At: at.Location()})
	}
	return w.open(t)
}

func TestRegionsEqualFullTest(t *testing.T) {
	s := britainSnapshot(t)
	err := s.SweepRegions(t.Context(), 2000, 1, func(sw Sweep) {
		t.Logf("%-32s %8d points, %d in no Region, at most %d edges tested", sw.Name, sw.Points, sw.InNone, sw.MaxEdges)
		if sw.Wrong > 0 {
			t.Errorf("%s: %d of %d wrong, the first at %v", sw.Name, sw.Wrong, sw.Points, sw.FirstWrong)
		}
		if sw.MaxEdges > 64 {
			t.Errorf("%s: %d edges tested at a point", sw.Name, sw.MaxEdges)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSweepFindsAWrongCover(t *testing.T) {
	w := makeWorld(1, 10)
	s := w.open(t)
	c := s.regions.cover
	for i := range c.Group {
		c.Group[i] ^= 1 // inside out
	}
	wrong := int64(0)
	if err := s.SweepRegions(t.Context(), 500, 1, func(sw Sweep) { wrong += sw.Wrong }); err != nil {
		t.Fatal(err)
	}
	if wrong == 0 {
		t.Error("a cover turned inside out passed")
	}
}

// slowBorder is the distance to the nearest edge of any other Region.
func slowBorder(land [3]geo.MultiPolygon, p geo.LatLng, own geo.Region) float64 {
	best := math.Inf(1)
	for i, shape := range land {
		if geo.Region(i+1) == own {
			continue
		}
		for _, g := range shape {
			for _, r := range g {
				for k, a := range r {
					b := r[(k+1)%len(r)]
					if math.Abs(a.Lat-p.Lat) < 0.6 && math.Abs(a.Lng-p.Lng) < 0.6 {
						best = min(best, geo.SegmentDistance(p, a, b))
					}
				}
			}
		}
	}
	return best
}

func TestBorderDistanceEqualsBruteForce(t *testing.T) {
	land, s := britain(), britainSnapshot(t)
	rng := rand.New(rand.NewPCG(8, 8))
	m := &s.regions.cover.Mesh
	near, far := 0, 0
	for near < 150 || far < 50 {
		v := m.Vertices[rng.IntN(len(m.Vertices))]
		reach := []float64{0.0001, 0.01, 0.05}[rng.IntN(3)]
		p := geo.LatLng{Lat: v.Lat + (rng.Float64()-0.5)*reach, Lng: v.Lng + (rng.Float64()-0.5)*reach}
		a := s.Locate(p)
		if a.Region == geo.NoRegion {
			continue
		}
		want := slowBorder(land, p, a.Region)
		switch {
		case want > MaxBorder:
			far++
			if a.Border != -1 {
				t.Fatalf("%v: border %v, want none: %v", p, a.Border, want)
			}
		default:
			near++
			if math.Abs(a.Border-want) > 1e-6 {
				t.Fatalf("%v: border %v, want %v", p, a.Border, want)
			}
			if a.NearBorder() != (want <= 5) {
				t.Fatalf("%v: near border %v at %v", p, a.NearBorder(), want)
			}
		}
	}
}

func TestOffshoreGetsTheNearestRegion(t *testing.T) {
	land, s := britain(), britainSnapshot(t)
	oracle := newOracle(&s.regions.cover.Mesh)
	rng := rand.New(rand.NewPCG(9, 9))
	m := &s.regions.cover.Mesh
	nearest, outside := 0, 0
	for nearest < 60 || outside < 60 {
		v := m.Vertices[rng.IntN(len(m.Vertices))]
		p := geo.LatLng{Lat: v.Lat + (rng.Float64()-0.5)*0.1, Lng: v.Lng + (rng.Float64()-0.5)*0.1}
		if oracle.first(p) >= 0 {
			continue
		}
		best, region := math.Inf(1), geo.NoRegion
		for _, r := range geo.Regions {
			var others [3]geo.MultiPolygon
			others[r-1] = land[r-1]
			if d := slowBorder(others, p, geo.NoRegion); d < best {
				best, region = d, r
			}
		}
		got := s.Region(p)
		if best > MaxOffshore {
			outside++
			if got.Region != geo.NoRegion {
				t.Fatalf("%v, %v m off: %v", p, best, got)
			}
			continue
		}
		nearest++
		if got.Region != region || got.Basis != BasisNearest {
			t.Fatalf("%v, %v m off %v: %v", p, best, region, got)
		}
	}
	for _, p := range []geo.LatLng{{Lat: math.NaN(), Lng: 0}, {Lat: 52, Lng: math.Inf(1)}, {Lat: 91, Lng: 0}, {Lat: -33.9, Lng: 18.4}, {Lat: 90, Lng: 0}} {
		if got := s.Locate(p); got.Region != geo.NoRegion {
			t.Errorf("%v: %v", p, got)
		}
	}
}

func BenchmarkRegion(b *testing.B) {
	s := britainSnapshot(b)
	rng := rand.New(rand.NewPCG(1, 1))
	var inland, border [4096]geo.LatLng
	m := &s.regions.cover.Mesh
	for i := range inland {
		for {
			inland[i] = geo.LatLng{Lat: 50 + rng.Float64()*9, Lng: -6 + rng.Float64()*7.5}
			if s.Region(inland[i]).Basis == BasisBoundary {
				break
			}
		}
		v := m.Vertices[rng.IntN(len(m.Vertices))]
		border[i] = geo.LatLng{Lat: v.Lat + (rng.Float64()-0.5)/5000, Lng: v.Lng + (rng.Float64()-0.5)/5000}
	}
	b.Run("land", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s.Region(inland[i&4095])
		}
	})
	b.Run("beside edges", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s.Region(border[i&4095])
		}
	})
	b.Run("land with border distance", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			s.Locate(inland[i&4095])
		}
	})
}

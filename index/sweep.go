package index

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golang/geo/s2"

	"coverd/geo"
)

// Sweep is one kind of point at which Region allocation was compared with a
// full point-in-polygon test.
type Sweep struct {
	Name       string     `json:"name"`
	Points     int64      `json:"points"`
	Wrong      int64      `json:"wrong"`
	FirstWrong geo.LatLng `json:"first_wrong,omitzero"`
	InNone     int64      `json:"in_none"`   // points in no Region
	MaxEdges   int        `json:"max_edges"` // most edges that any look-up tested
}

// SweepRegions compares Region allocation with a test of every point against
// every polygon: at every located postcode of the register, at n random points
// on and around the land, at n points within 100 m of a border edge or coast
// (half of them within 1 m), at every vertex, at the midpoints of the thousand
// longest edges, and at the corners of every edge cell. Of the kinds that are
// not random at most 10 n points are taken, evenly spread. The random points
// follow from the seed. It takes minutes for n of a million, which leaves
// nothing out of any map of Great Britain.
func (s *Snapshot) SweepRegions(ctx context.Context, n int, seed uint64, done func(Sweep)) error {
	m := &s.regions.cover.Mesh
	if len(m.Vertices) < 2 {
		return errors.New("no boundaries to sweep")
	}
	oracle := newOracle(m)
	random := func(stream uint64, f func(rng *rand.Rand) geo.LatLng) func(i int) geo.LatLng {
		return func(i int) geo.LatLng { return f(rand.New(rand.NewPCG(seed<<8|stream, uint64(i)))) }
	}
	located := make([]uint32, 0, s.keys.n)
	for u := range s.AllPostcodes() {
		if u.At().IsValid() {
			located = append(located, u.row)
		}
	}
	bound := geo.EmptyRect()
	for _, v := range m.Vertices {
		bound = bound.Extend(v)
	}
	edges := m.EdgeList()
	longest := longestEdges(m, edges, 1000)
	var cells []s2.CellID
	for id := range s.regions.cover.EdgeCells() {
		cells = append(cells, id)
	}
	for _, sw := range []struct {
		name string
		n    int
		at   func(i int) geo.LatLng
	}{
		{"postcodes", len(located), func(i int) geo.LatLng { return (Unit{s, located[i]}).At().LatLng() }},
		{"random points", n, random(1, func(rng *rand.Rand) geo.LatLng {
			return geo.LatLng{
				Lat: bound.Min.Lat + rng.Float64()*(bound.Max.Lat-bound.Min.Lat),
				Lng: bound.Min.Lng + rng.Float64()*(bound.Max.Lng-bound.Min.Lng),
			}
		})},
		{"beside edges", n, random(2, func(rng *rand.Rand) geo.LatLng {
			e := edges[rng.IntN(len(edges))]
			a, b := m.Vertices[e], m.Vertices[e+1]
			f, reach := rng.Float64(), 100.0
			if rng.IntN(2) == 0 {
				reach = 1
			}
			metric := geo.MetricAt(a.Lat)
			angle, d := rng.Float64()*2*math.Pi, rng.Float64()*reach
			return geo.LatLng{
				Lat: a.Lat + f*(b.Lat-a.Lat) + d*math.Sin(angle)/metric.PerLat,
				Lng: a.Lng + f*(b.Lng-a.Lng) + d*math.Cos(angle)/metric.PerLng,
			}
		})},
		{"vertices", len(m.Vertices), func(i int) geo.LatLng { return m.Vertices[i] }},
		{"midpoints of the longest edges", len(longest), func(i int) geo.LatLng {
			a, b := m.Vertices[longest[i]], m.Vertices[longest[i]+1]
			return geo.LatLng{Lat: (a.Lat + b.Lat) / 2, Lng: (a.Lng + b.Lng) / 2}
		}},
		{"corners of edge cells", 4 * len(cells), func(i int) geo.LatLng {
			ll := s2.LatLngFromPoint(s2.CellFromCellID(cells[i/4]).Vertex(i % 4))
			return geo.LatLng{Lat: ll.Lat.Degrees(), Lng: ll.Lng.Degrees()}
		}},
	} {
		at, step := sw.at, (sw.n+10*n-1)/max(10*n, 1)
		if step > 1 {
			sw.n /= step
			at = func(i int) geo.LatLng { return sw.at(i * step) }
		}
		res, err := s.sweep(ctx, oracle, sw.n, at)
		if err != nil {
			return err
		}
		res.Name = sw.name
		done(res)
	}
	return nil
}

func (s *Snapshot) sweep(ctx context.Context, oracle *oracle, n int, at func(i int) geo.LatLng) (Sweep, error) {
	var mu sync.Mutex
	var next atomic.Int64
	sum := Sweep{Points: int64(n)}
	firstWrong := n
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			mine := Sweep{}
			first := n
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				sum.Wrong += mine.Wrong
				sum.InNone += mine.InNone
				sum.MaxEdges = max(sum.MaxEdges, mine.MaxEdges)
				if first < firstWrong {
					firstWrong, sum.FirstWrong = first, at(first)
				}
			}()
			for ctx.Err() == nil {
				from := int(next.Add(1024)) - 1024
				if from >= n {
					return
				}
				for i := from; i < min(n, from+1024); i++ {
					p := at(i)
					got, ok := s.regions.cover.First(p)
					if !ok {
						got = -1
					}
					want := oracle.first(p)
					mine.MaxEdges = max(mine.MaxEdges, s.regions.cover.EdgesAt(p))
					if want < 0 {
						mine.InNone++
					}
					if got != want {
						mine.Wrong++
						first = min(first, i)
					}
				}
			}
		})
	}
	wg.Wait()
	return sum, ctx.Err()
}

// oracle is the plain point-in-polygon test. It passes over polygons whose
// rectangle does not hold the point, which cannot contain it, and otherwise
// looks at every edge.
type oracle struct {
	shapes []geo.MultiPolygon
	bounds [][]geo.Rect
}

func newOracle(m *geo.Mesh) *oracle {
	o := &oracle{}
	for i := range m.Len() {
		shape := m.Shape(i)
		var bounds []geo.Rect
		for _, g := range shape {
			bounds = append(bounds, g.Bound())
		}
		o.shapes, o.bounds = append(o.shapes, shape), append(o.bounds, bounds)
	}
	return o
}

// first returns the lowest shape containing p, or −1.
func (o *oracle) first(p geo.LatLng) int {
	for i, shape := range o.shapes {
		for j, g := range shape {
			if o.bounds[i][j].Contains(p) && g.Contains(p) {
				return i
			}
		}
	}
	return -1
}

// longestEdges returns the n longest of the edges.
func longestEdges(m *geo.Mesh, edges []uint32, n int) []uint32 {
	edges = slices.Clone(edges)
	slices.SortFunc(edges, func(a, b uint32) int {
		return cmp.Or(
			cmp.Compare(geo.Distance(m.Vertices[b], m.Vertices[b+1]), geo.Distance(m.Vertices[a], m.Vertices[a+1])),
			cmp.Compare(a, b))
	})
	return edges[:min(n, len(edges))]
}

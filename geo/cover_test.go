package geo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"
)

// bases are where shapes are drawn: in Great Britain, on the Greenwich
// meridian, where a step in longitude may be as small as a number can be, and
// at the seams of S2's cube.
var bases = []LatLng{
	{52, -1},
	{51.4, -0.25},  // Greenwich
	{44.75, -0.25}, // an edge of the cube
	{35.01, 44.75}, // a corner of the cube
	{-0.25, -0.25},
	{-33.9, 151.1},
	{10, 179.25}, // near the antimeridian
	{89.4, 20},   // near a pole
}

// drawShapes draws shapes from a lattice of few points, so that shapes share
// edges, touch in vertices, overlap, and have holes. Some points are moved by a
// last bit.
func drawShapes(t *rapid.T, base LatLng, step float64) []MultiPolygon {
	lattice := rapid.IntRange(0, 8)
	bits := rapid.SampledFrom([]float64{0, 0, 0, 0, 0, 0, 1, -1})
	moved := func(t *rapid.T, v float64) float64 {
		if n := bits.Draw(t, "bit"); n != 0 {
			return math.Nextafter(v, v+n)
		}
		return v
	}
	ring := rapid.Custom(func(t *rapid.T) Ring {
		r := make(Ring, rapid.IntRange(3, 9).Draw(t, "n"))
		for i := range r {
			r[i] = LatLng{moved(t, base.Lat+step*float64(lattice.Draw(t, "lat"))), moved(t, base.Lng+step*float64(lattice.Draw(t, "lng")))}
		}
		return r
	})
	poly := rapid.Custom(func(t *rapid.T) Polygon { return rapid.SliceOfN(ring, 1, 2).Draw(t, "rings") })
	multi := rapid.Custom(func(t *rapid.T) MultiPolygon { return rapid.SliceOfN(poly, 1, 3).Draw(t, "polygons") })
	return rapid.SliceOfN(multi, 1, 3).Draw(t, "shapes")
}

// adversaries are the points where a look-up is most likely to go wrong: on
// vertices, on edges and beside them, level with vertices, and at the corners
// of cells.
func adversaries(c *Cover, step float64) []LatLng {
	var points []LatLng
	m := &c.Mesh
	for _, v := range m.Vertices {
		points = append(points, v, LatLng{v.Lat + step/2, v.Lng}, LatLng{v.Lat, v.Lng + step/2},
			LatLng{math.Nextafter(v.Lat, 0), v.Lng}, LatLng{v.Lat, math.Nextafter(v.Lng, 200)})
	}
	for _, e := range m.EdgeList() {
		a, b := m.Vertices[e], m.Vertices[e+1]
		for _, f := range []float64{0.5, 0.25, 1. / 3} {
			points = append(points, LatLng{a.Lat + f*(b.Lat-a.Lat), a.Lng + f*(b.Lng-a.Lng)})
		}
	}
	cells := 0
	for id := range c.EdgeCells() {
		cell := s2.CellFromCellID(id)
		for k := range 4 {
			ll := s2.LatLngFromPoint(cell.Vertex(k))
			p := LatLng{ll.Lat.Degrees(), ll.Lng.Degrees()}
			points = append(points, p, LatLng{math.Nextafter(p.Lat, 90), p.Lng}, LatLng{p.Lat, math.Nextafter(p.Lng, -200)})
		}
		if cells++; cells == 100 {
			break
		}
	}
	return points
}

// checkCover holds a cover, and slabs, against the full test.
func checkCover(t interface{ Fatalf(string, ...any) }, c *Cover, shapes []MultiPolygon, points []LatLng) {
	m := &c.Mesh
	slabs := make([]Slabs, len(m.Polygons)-1)
	for g := range slabs {
		slabs[g] = NewSlabs(m, g)
	}
	for _, p := range points {
		if !p.IsValid() {
			continue
		}
		var got, want []int
		c.visit(p, func(s uint32) { got = append(got, int(s)) })
		slices.Sort(got)
		got = slices.Compact(got)
		for i, s := range shapes {
			if s.Contains(p) {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("at %v: got shapes %v, want %v", p, got, want)
		}
		first, ok := c.First(p)
		if ok != (len(want) > 0) || ok && first != want[0] {
			t.Fatalf("at %v: first %d, %v of %v", p, first, ok, want)
		}
		for g := range slabs {
			if got, want := slabs[g].Contains(m, p), m.Polygon(g).Contains(p); got != want {
				t.Fatalf("slabs of polygon %d at %v: %v, want %v", g, p, got, want)
			}
		}
	}
}

func TestCoverEqualsFullTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom(bases).Draw(t, "base")
		step := rapid.SampledFrom([]float64{1. / 16, 1. / 16, 0.01, 1e-6}).Draw(t, "step")
		shapes := drawShapes(t, base, step)
		o := CoverOptions{MaxEdges: rapid.IntRange(1, 6).Draw(t, "edges"), MaxLevel: rapid.IntRange(8, 14).Draw(t, "level")}
		if step < 0.01 {
			o.MaxLevel += 14 // cells of 2 m and less
		}
		c := NewCover(NewMesh(shapes), o)
		points := adversaries(c, step)
		for range 50 {
			points = append(points, LatLng{
				base.Lat + step*rapid.Float64Range(-1, 9).Draw(t, "lat"), base.Lng + step*rapid.Float64Range(-1, 9).Draw(t, "lng"),
			})
		}
		checkCover(t, c, shapes, points)
	})
}

func TestSharedBorderBelongsToExactlyOne(t *testing.T) {
	// A square cut by a ragged line: every point of the square, the line
	// included, is in exactly one half.
	rng := rand.New(rand.NewPCG(3, 4))
	line := []LatLng{{52, -1.5}}
	for i := 1; i < 40; i++ {
		line = append(line, LatLng{52 + float64(i)/40, -1.5 + rng.Float64()/10})
	}
	line = append(line, LatLng{53, -1.5})
	west := append(Ring{{53, -2}, {52, -2}}, line...)
	east := Ring{{52, -1}, {53, -1}}
	for _, p := range slices.Backward(line) {
		east = append(east, p)
	}
	c := NewCover(NewMesh([]MultiPolygon{{{west}}, {{east}}}), CoverOptions{})
	check := func(p LatLng) {
		if p.Lat >= 53 {
			return // the top border is outside by the half-open rule
		}
		n := 0
		c.visit(p, func(uint32) { n++ })
		if n != 1 {
			t.Fatalf("%v is in %d of two halves", p, n)
		}
	}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		check(a)
		for range 200 {
			f := rng.Float64()
			check(LatLng{a.Lat + f*(b.Lat-a.Lat), a.Lng + f*(b.Lng-a.Lng)})
		}
	}
}

// raggedBands are three Regions one above the other across Great Britain, whose
// two common borders, and coasts, are as ragged as real ones: 8n vertices.
func raggedBands(n int) []MultiPolygon {
	rng := rand.New(rand.NewPCG(9, 10))
	line := func(lat float64) Ring {
		r := make(Ring, n+1)
		for i := range r {
			r[i] = LatLng{lat, -5 + 6*float64(i)/float64(n)}
		}
		for step, size := n/2, 0.3; step > 0; step, size = step/2, size*0.55 {
			for i := step; i < n; i += 2 * step {
				r[i].Lat = (r[i-step].Lat+r[i+step].Lat)/2 + size*(rng.Float64()-0.5)
			}
		}
		return r
	}
	lines := []Ring{line(58), line(55), line(52.5), line(50.5)}
	var shapes []MultiPolygon
	for i := 1; i < len(lines); i++ {
		band := slices.Clone(lines[i])
		for j := range lines[i-1] {
			band = append(band, lines[i-1][n-j])
		}
		shapes = append(shapes, MultiPolygon{{band}})
	}
	return shapes
}

// landPoints are points spread over the rectangle that the bands lie in, and
// such as lie beside their borders.
func landPoints(m *Mesh, n int) (land, border []LatLng) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range n {
		land = append(land, LatLng{50.5 + 7.5*rng.Float64(), -5 + 6*rng.Float64()})
		v := m.Vertices[rng.IntN(len(m.Vertices))]
		border = append(border, LatLng{v.Lat + (rng.Float64()-0.5)*1e-4, v.Lng + (rng.Float64()-0.5)*1e-4})
	}
	return land, border
}

// At the size of a country the cover is still the full test's equal, no look-up
// tests more edges than it was told to, and the slabs' lists stay short.
func TestCoverOfACountry(t *testing.T) {
	shapes := raggedBands(1 << 11)
	c := NewCover(NewMesh(shapes), CoverOptions{})
	land, border := landPoints(&c.Mesh, 1000)
	points := slices.Concat(land, border)
	for i, v := range c.Mesh.Vertices {
		if i%16 == 0 {
			points = append(points, v)
		}
	}
	checkCover(t, c, shapes, points)
	cells := 0
	for id := range c.EdgeCells() {
		cells++
		ll := s2.LatLngFromPoint(id.Point())
		if n := c.EdgesAt(LatLng{ll.Lat.Degrees(), ll.Lng.Degrees()}); n < 1 || n > 16 {
			t.Fatalf("%d edges in a cell", n)
		}
	}
	if cells < 500 {
		t.Errorf("%d cells with edges", cells)
	}
}

func TestCoverOfNothing(t *testing.T) {
	for _, shapes := range [][]MultiPolygon{nil, {}, {{}}, {{{}}}, {{{{}}}}, {{{{{52, -1}, {53, -1}}}}}} {
		c := NewCover(NewMesh(shapes), CoverOptions{})
		if shape, ok := c.First(LatLng{52.5, -1}); ok || c.EdgesAt(LatLng{52.5, -1}) != 0 {
			t.Errorf("%v: found shape %d", shapes, shape)
		}
	}
	if _, ok := new(Cover).First(LatLng{52, -1}); ok {
		t.Error("the zero value has shapes")
	}
}

func BenchmarkCoverFirst(b *testing.B) {
	c := NewCover(NewMesh(raggedBands(1<<14)), CoverOptions{})
	land, border := landPoints(&c.Mesh, 1<<14)
	b.ReportAllocs()
	b.Run("land", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			c.First(land[i%len(land)])
		}
	})
	b.Run("border", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			c.First(border[i%len(border)])
		}
	})
	b.Run("cell alone", func(b *testing.B) { // the floor
		for i := 0; b.Loop(); i++ {
			p := land[i%len(land)]
			s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng))
		}
	})
	b.Run("all edges", func(b *testing.B) {
		shape := c.Mesh.Shape(0)
		for i := 0; b.Loop(); i++ {
			shape.Contains(land[i%len(land)])
		}
	})
	b.Run("slabs", func(b *testing.B) {
		s := NewSlabs(&c.Mesh, 0)
		for i := 0; b.Loop(); i++ {
			s.Contains(&c.Mesh, land[i%len(land)])
		}
	})
}

func BenchmarkNewCover(b *testing.B) {
	m := NewMesh(raggedBands(1 << 13))
	bytes := 0
	for b.Loop() {
		c := NewCover(m, CoverOptions{})
		bytes = 8*len(c.Starts) + 4*len(c.Contents) + 16*len(c.Refs) +
			4*(len(c.InsideEnd)+len(c.Inside)+len(c.GroupEnd)+len(c.Group)+len(c.EdgeEnd)+len(c.Edges))
	}
	b.ReportMetric(float64(bytes)/float64(len(m.Vertices)), "B/vertex")
}

func TestLookupAllocatesNothing(t *testing.T) {
	sq := MultiPolygon{{Ring{{52, -2}, {52, -1}, {53, -1}, {53, -2}}}}
	c := NewCover(NewMesh([]MultiPolygon{sq}), CoverOptions{})
	slabs := NewSlabs(&c.Mesh, 0)
	for name, f := range map[string]func(p LatLng){
		"First":    func(p LatLng) { c.First(p) },
		"EdgesAt":  func(p LatLng) { c.EdgesAt(p) },
		"Contains": func(p LatLng) { slabs.Contains(&c.Mesh, p) },
		"Distance": func(p LatLng) { SegmentDistance(p, LatLng{52, -2}, LatLng{52, -1}) },
	} {
		if n := testing.AllocsPerRun(100, func() { f(LatLng{52.0000001, -1.5}) }); n != 0 {
			t.Errorf("%s: allocs = %v, want 0", name, n)
		}
	}
}

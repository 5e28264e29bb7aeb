package geo

import "math"

// Slabs answers whether one polygon of a mesh contains a point by looking only
// at the edges that reach the point's latitude: the polygon's height is cut
// into equal slabs, about one to every eight edges, and each lists the edges
// that touch it. The answer is that of [Polygon.Contains], because an edge
// missing from a slab cannot cross any of its parallels.
//
// Edges that are tall stand in many slabs. A comb of 100,000 of them would be
// listed a thousand million times, so there are fewer slabs where that keeps
// the lists to eight entries an edge.
//
// Where one test against a border of 60,000 edges takes 160 µs, this takes
// under one.
type Slabs struct {
	bound  Rect
	height float64  // of a slab, degrees
	ends   []uint32 // slab i lists edges[ends[i-1]:ends[i]]
	edges  []uint32
}

// NewSlabs cuts polygon g of m into slabs.
func NewSlabs(m *Mesh, g int) Slabs {
	first, last := m.Rings[m.Polygons[g]], m.Rings[m.Polygons[g+1]]
	s := Slabs{bound: EmptyRect()}
	for _, v := range m.Vertices[first:last] {
		s.bound = s.bound.Extend(v)
	}
	if s.bound.empty() {
		return s
	}
	edges := int(last - first)
	for n := edges/8 + 1; ; n /= 2 {
		s.cut(n)
		total := 0
		s.each(m, g, func(from, to int, _ uint32) { total += to - from + 1 })
		if total <= 8*edges || n == 1 {
			s.edges = make([]uint32, total)
			break
		}
	}
	// Two passes, counting and placing: ends[i] first counts slab i, then is
	// where its next edge goes, and so at last where it stops.
	s.each(m, g, func(from, to int, _ uint32) {
		for i := from; i <= to; i++ {
			s.ends[i]++
		}
	})
	sum := uint32(0)
	for i, k := range s.ends {
		s.ends[i] = sum
		sum += k
	}
	s.each(m, g, func(from, to int, e uint32) {
		for i := from; i <= to; i++ {
			s.edges[s.ends[i]] = e
			s.ends[i]++
		}
	})
	return s
}

// cut makes n slabs.
func (s *Slabs) cut(n int) {
	s.height = (s.bound.Max.Lat - s.bound.Min.Lat) / float64(n)
	s.ends = make([]uint32, n)
}

// each calls f with the edges of polygon g and the first and last slab that
// each touches. Level edges are left out: nothing crosses them.
func (s *Slabs) each(m *Mesh, g int, f func(from, to int, e uint32)) {
	for r := m.Polygons[g]; r < m.Polygons[g+1]; r++ {
		for e := m.Rings[r]; e+1 < m.Rings[r+1]; e++ {
			if a, b := m.Vertices[e].Lat, m.Vertices[e+1].Lat; a != b {
				f(s.slab(min(a, b)), s.slab(max(a, b)), e)
			}
		}
	}
}

// slab returns the slab of a latitude; it never falls as the latitude rises,
// which is all that Contains needs of it.
func (s *Slabs) slab(lat float64) int {
	if s.height == 0 { // a polygon without height contains nothing
		return 0
	}
	i := math.Floor((lat - s.bound.Min.Lat) / s.height)
	return int(max(0, min(i, float64(len(s.ends)-1))))
}

// Bound returns the rectangle around the polygon.
func (s *Slabs) Bound() Rect { return s.bound }

// Contains reports whether the polygon contains p.
func (s *Slabs) Contains(m *Mesh, p LatLng) bool {
	if !s.bound.Contains(p) {
		return false
	}
	i, in := uint32(s.slab(p.Lat)), false
	for _, e := range s.edges[before(s.ends, i):s.ends[i]] {
		if Crosses(m.Vertices[e], m.Vertices[e+1], p) {
			in = !in
		}
	}
	return in
}

// EdgesAt returns how many edges Contains tests for p.
func (s *Slabs) EdgesAt(p LatLng) int {
	if !s.bound.Contains(p) {
		return 0
	}
	i := uint32(s.slab(p.Lat))
	return int(s.ends[i] - before(s.ends, i))
}

// Listed returns how many entries the slabs have, of four bytes each.
func (s *Slabs) Listed() int { return len(s.edges) }

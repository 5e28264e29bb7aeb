package index

import (
	"cmp"
	"slices"

	"coverd/geo"
)

// areas answers which coverage areas contain a point: the R-tree gives the
// polygons whose rectangle does, and each is then tested exactly. Immutable and
// safe for concurrent use.
type areas struct {
	mesh   geo.Mesh
	claims []uint32 // claim of each area
	ground []float64
	rank   []uint32 // place of each area in order of ground area, then of the list
	owner  []uint32 // area of each polygon
	slabs  []geo.Slabs
	boxes  tree
}

func newAreas(m geo.Mesh, claims []uint32) *areas {
	a := &areas{mesh: m, claims: claims}
	order := make([]uint32, m.Len())
	a.rank, a.ground = make([]uint32, m.Len()), make([]float64, 0, m.Len())
	polygons := len(m.Polygons)
	a.owner, a.slabs = make([]uint32, 0, polygons), make([]geo.Slabs, 0, polygons)
	for i := range m.Len() {
		order[i] = uint32(i)
		a.ground = append(a.ground, geo.GroundArea(m.Shape(i)))
		for g := m.Shapes[i]; g < m.Shapes[i+1]; g++ {
			s := geo.NewSlabs(&m, int(g))
			a.owner = append(a.owner, uint32(i))
			if m.Polygons[g] < m.Polygons[g+1] { // else nothing was left of it
				a.boxes.insert(s.Bound(), g)
			}
			a.slabs = append(a.slabs, s)
		}
	}
	slices.SortStableFunc(order, func(i, j uint32) int { return cmp.Compare(a.ground[i], a.ground[j]) })
	for place, i := range order {
		a.rank[i] = uint32(place)
	}
	return a
}

// listed is how many edges the slabs list.
func (a *areas) listed() (n int) {
	for i := range a.slabs {
		n += a.slabs[i].Listed()
	}
	return n
}

// appendAt appends the areas containing p, smallest on the ground first, then
// in the order they were given.
func (a *areas) appendAt(dst []uint32, p geo.LatLng) []uint32 {
	from := len(dst)
	a.boxes.search(geo.Rect{Min: p, Max: p}, func(g uint32) {
		if a.slabs[g].Contains(&a.mesh, p) {
			dst = append(dst, a.owner[g])
		}
	})
	// Where polygons of one area overlap, it came more than once.
	slices.SortFunc(dst[from:], func(i, j uint32) int { return cmp.Compare(a.rank[i], a.rank[j]) })
	return dst[:from+len(slices.Compact(dst[from:]))]
}

// Area returns coverage area i, in manifest order and then feature order, i being
// less than Info.Areas. Its rings share the snapshot's memory.
func (s *Snapshot) Area(i int) Area {
	return Area{s.claims[s.areas.claims[i]], s.areas.mesh.Shape(i)}
}

// AreaHit is a coverage area that contains a point.
type AreaHit struct {
	Claim  *Claim
	Ground float64 // its area on the ground, in square metres
	Index  int     // its number: manifest order, then feature order
}

// AppendAreas appends the coverage areas containing p, smallest on the ground
// first, then in manifest and feature order.
func (s *Snapshot) AppendAreas(dst []AreaHit, p geo.LatLng) []AreaHit {
	var buf [64]uint32
	for _, i := range s.areas.appendAt(buf[:0], p) {
		dst = append(dst, AreaHit{&s.claims[s.areas.claims[i]], s.areas.ground[i], int(i)})
	}
	return dst
}

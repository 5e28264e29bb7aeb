package geo

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/golang/geo/s2"
)

// Cover tells which shapes of a mesh contain a point, by cutting the sphere
// into S2 cells. Most cells lie wholly inside or outside every shape, and
// answer at once; in the others, edge cells, the few edges that pass through
// the cell decide, exactly.
//
// The answer is always that of [MultiPolygon.Contains], as long as no shape
// touches the antimeridian or a pole.
//
// # Why it is exact
//
// An S2 cell has curved edges in longitude and latitude, so the cover works
// with a rectangle around each cell, widened by a little more than any rounding
// can move a point across a cell's edge. Edges that miss the rectangle miss the
// cell. An edge cell keeps one reference point of its rectangle and, for each
// polygon with an edge in the rectangle, whether it contains that point. A
// point of the cell is compared with the reference by walking due east or west
// to the reference's longitude and then due north or south: the walk stays in
// the rectangle, so the cell's own edges are all that it can cross, and each
// crossing flips inside and outside. [Side] puts every point a hair's breadth
// off every edge, in the same direction for all, so that walks along an edge or
// through a vertex need no special case.
//
// All columns are pointer-free and are written to the snapshot file as they
// are.
type Cover struct {
	Mesh Mesh

	// Starts are the first leaf cells (s2.CellID) of consecutive ranges, in
	// order; the first is 0. Contents[i] is the content of range i.
	Starts   []uint64
	Contents []uint32

	// Content c has the shapes Inside[InsideEnd[c-1]:InsideEnd[c]] all around,
	// in order, and the edge groups GroupEnd[c-1] to GroupEnd[c], whose
	// reference point is Refs[c].
	Refs      []LatLng
	InsideEnd []uint32
	Inside    []uint32
	GroupEnd  []uint32

	// Group g is the edges Edges[EdgeEnd[g-1]:EdgeEnd[g]] of one polygon of
	// shape Group[g]>>1; bit 0 tells whether the polygon contains the
	// reference point.
	Group   []uint32
	EdgeEnd []uint32
	Edges   []uint32
}

// CoverOptions bound a cover's cells; the zero value gives the defaults.
type CoverOptions struct {
	MaxEdges int // split a cell crossed by more edges than this: default 16
	MaxLevel int // but never below this S2 level: default 22, about 2 m
}

// rectMargin widens a cell's rectangle, in degrees: 0.1 mm, a hundred thousand
// times the rounding of a conversion between position and cell.
const rectMargin = 1e-9

// NewCover cuts the mesh into cells.
func NewCover(m Mesh, o CoverOptions) *Cover {
	o.MaxEdges = cmp.Or(o.MaxEdges, 16)
	o.MaxLevel = cmp.Or(o.MaxLevel, 22)
	c := &coverer{o: o, m: &m, inside: map[string]uint32{}}
	c.out.Mesh = m

	root := node{rect: EmptyRect()}
	for _, v := range m.Vertices {
		root.rect = root.rect.Extend(v)
	}
	root.rect.Min.Lat, root.rect.Min.Lng = root.rect.Min.Lat-1, root.rect.Min.Lng-1
	root.rect.Max.Lat, root.rect.Max.Lng = root.rect.Max.Lat+1, root.rect.Max.Lng+1
	root.ref = root.rect.Min // outside everything
	m.edges(func(e, g, s uint32) {
		if n := len(root.groups); n == 0 || root.groups[n-1].polygon != g {
			root.groups = append(root.groups, group{polygon: g, shape: s})
		}
		last := &root.groups[len(root.groups)-1]
		last.edges = append(last.edges, e)
	})

	c.out.Starts, c.out.Contents = []uint64{0}, []uint32{c.content(0, node{})} // outside everything
	for face := range 6 {
		c.descend(s2.CellIDFromFace(face), &root)
	}
	return &c.out
}

// group is the edges of one polygon in a cell.
type group struct {
	polygon, shape uint32
	refIn          bool
	edges          []uint32
}

// node is a cell under way.
type node struct {
	rect   Rect
	ref    LatLng
	groups []group
	inside []uint32 // shapes, in order, without duplicates
}

type coverer struct {
	o      CoverOptions
	m      *Mesh
	out    Cover
	inside map[string]uint32 // inside list → content of an interior cell
}

// descend adds the cell, given its parent.
func (c *coverer) descend(id s2.CellID, parent *node) {
	n := node{rect: cellRect(id, parent.rect), inside: parent.inside}
	if n.rect.empty() {
		return
	}
	n.ref = LatLng{(n.rect.Min.Lat + n.rect.Max.Lat) / 2, (n.rect.Min.Lng + n.rect.Max.Lng) / 2}
	edges := 0
	for i := range parent.groups {
		pg := &parent.groups[i]
		g := group{polygon: pg.polygon, shape: pg.shape}
		for _, e := range pg.edges {
			if n.rect.meets(c.m.Vertices[e], c.m.Vertices[e+1]) {
				g.edges = append(g.edges, e)
			}
		}
		g.refIn = pg.refIn != c.m.odd(pg.edges, parent.ref, n.ref)
		switch {
		case len(g.edges) > 0:
			n.groups = append(n.groups, g)
			edges += len(g.edges)
		case g.refIn:
			n.inside = withShape(n.inside, g.shape)
		}
	}
	switch {
	case edges == 0 && len(n.inside) == 0:
		c.place(id, 0)
	case edges <= c.o.MaxEdges || id.Level() >= c.o.MaxLevel:
		c.place(id, c.content(edges, n))
	default:
		for _, child := range id.Children() {
			c.descend(child, &n)
		}
	}
}

// withShape returns a sorted list with s in it, leaving the given one alone.
func withShape(list []uint32, s uint32) []uint32 {
	i, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(slices.Clone(list), i, s)
}

// place gives the cell's leaf range a content. Cells come in order; what no
// cell claims is outside.
func (c *coverer) place(id s2.CellID, content uint32) {
	if content == 0 {
		return
	}
	out := &c.out
	start, end := uint64(id.RangeMin()), uint64(id.RangeMax())+2 // leaf cells are odd
	n := len(out.Starts)
	switch {
	case out.Starts[n-1] != start:
		out.Starts, out.Contents = append(out.Starts, start), append(out.Contents, content)
	case n > 1 && out.Contents[n-2] == content: // lengthen the range before
		out.Starts, out.Contents = out.Starts[:n-1], out.Contents[:n-1]
	default:
		out.Contents[n-1] = content
	}
	out.Starts, out.Contents = append(out.Starts, end), append(out.Contents, 0)
}

// content returns the number of a content, sharing those without edges.
func (c *coverer) content(edges int, n node) uint32 {
	key := ""
	if edges == 0 {
		key = fmt.Sprint(n.inside)
		if code, ok := c.inside[key]; ok {
			return code
		}
	}
	out := &c.out
	code := uint32(len(out.Refs))
	if edges == 0 {
		c.inside[key] = code
		n.ref = LatLng{}
	}
	out.Refs = append(out.Refs, n.ref)
	out.Inside = append(out.Inside, n.inside...)
	out.InsideEnd = append(out.InsideEnd, uint32(len(out.Inside)))
	for _, g := range n.groups {
		bit := uint32(0)
		if g.refIn {
			bit = 1
		}
		out.Group = append(out.Group, g.shape<<1|bit)
		out.Edges = append(out.Edges, g.edges...)
		out.EdgeEnd = append(out.EdgeEnd, uint32(len(out.Edges)))
	}
	out.GroupEnd = append(out.GroupEnd, uint32(len(out.Group)))
	return code
}

// odd reports whether the walk from p along its parallel to q's longitude, and
// then along that meridian to q, crosses an odd number of the edges.
func (m *Mesh) odd(edges []uint32, p, q LatLng) bool {
	corner := LatLng{p.Lat, q.Lng}
	odd := false
	for _, e := range edges {
		a, b := m.Vertices[e], m.Vertices[e+1]
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && Crosses(a, b, p) != Crosses(a, b, corner) {
			odd = !odd
		}
		if (a.Lng > q.Lng) != (b.Lng > q.Lng) && Side(a, b, corner) != Side(a, b, q) {
			odd = !odd
		}
	}
	return odd
}

// cellRect is a rectangle that surely contains every position that is both in
// the cell and in the rectangle within. Of a cell across the antimeridian it
// takes the side that within is on.
func cellRect(id s2.CellID, within Rect) Rect {
	b := s2.CellFromCellID(id).RectBound()
	r := Rect{
		LatLng{b.Lo().Lat.Degrees() - rectMargin, b.Lo().Lng.Degrees() - rectMargin},
		LatLng{b.Hi().Lat.Degrees() + rectMargin, b.Hi().Lng.Degrees() + rectMargin},
	}
	switch east, west := within.Max.Lng >= r.Min.Lng, within.Min.Lng <= r.Max.Lng; {
	case !b.Lng.IsInverted():
	case east && west:
		r.Min.Lng, r.Max.Lng = -180, 180
	case east:
		r.Max.Lng = 180
	case west:
		r.Min.Lng = -180
	default:
		return EmptyRect()
	}
	return within.intersect(r)
}

// intersect returns the common part of two rectangles.
func (r Rect) intersect(s Rect) Rect {
	return Rect{
		LatLng{max(r.Min.Lat, s.Min.Lat), max(r.Min.Lng, s.Min.Lng)},
		LatLng{min(r.Max.Lat, s.Max.Lat), min(r.Max.Lng, s.Max.Lng)},
	}
}

func (r Rect) empty() bool { return !(r.Min.Lat <= r.Max.Lat && r.Min.Lng <= r.Max.Lng) }

// meets reports whether the straight edge a→b has a point in the rectangle,
// borders included, exactly: unless the boxes are apart, or all four corners
// lie strictly on one side of the edge's line.
func (r Rect) meets(a, b LatLng) bool {
	if max(a.Lat, b.Lat) < r.Min.Lat || min(a.Lat, b.Lat) > r.Max.Lat ||
		max(a.Lng, b.Lng) < r.Min.Lng || min(a.Lng, b.Lng) > r.Max.Lng {
		return false
	}
	s := orient(a, b, r.Min)
	return s == 0 || s != orient(a, b, r.Max) ||
		s != orient(a, b, LatLng{r.Min.Lat, r.Max.Lng}) || s != orient(a, b, LatLng{r.Max.Lat, r.Min.Lng})
}

// find returns the content at a point.
func (c *Cover) find(p LatLng) uint32 {
	id := uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng)))
	lo, hi := 0, len(c.Starts)
	for lo+1 < hi {
		if mid := int(uint(lo+hi) >> 1); c.Starts[mid] <= id {
			lo = mid
		} else {
			hi = mid
		}
	}
	return c.Contents[lo]
}

// First returns the lowest shape containing p, or −1 and false when none does.
// p must be valid.
func (c *Cover) First(p LatLng) (shape int, ok bool) {
	shape = -1
	c.visit(p, func(s uint32) {
		if shape < 0 || int(s) < shape {
			shape = int(s)
		}
	})
	return shape, shape >= 0
}

// visit calls f with shapes containing p; a shape may come more than once,
// where several of its polygons contain p.
func (c *Cover) visit(p LatLng, f func(shape uint32)) {
	if len(c.Starts) == 0 {
		return
	}
	i := c.find(p)
	for _, s := range c.Inside[before(c.InsideEnd, i):c.InsideEnd[i]] {
		f(s)
	}
	for g := before(c.GroupEnd, i); g < c.GroupEnd[i]; g++ {
		edges := c.Edges[before(c.EdgeEnd, g):c.EdgeEnd[g]]
		if (c.Group[g]&1 == 1) != c.Mesh.odd(edges, p, c.Refs[i]) {
			f(c.Group[g] >> 1)
		}
	}
}

// before returns the end of the item before i, which is the start of item i.
func before(ends []uint32, i uint32) uint32 {
	if i == 0 {
		return 0
	}
	return ends[i-1]
}

// EdgesAt returns how many edges a look-up at p tests.
func (c *Cover) EdgesAt(p LatLng) int {
	i := c.find(p)
	n := 0
	for g := before(c.GroupEnd, i); g < c.GroupEnd[i]; g++ {
		n += int(c.EdgeEnd[g] - before(c.EdgeEnd, g))
	}
	return n
}

// EdgeCells yields the cells that have edges: the corners of these are where a
// look-up by cells is most likely to go wrong.
func (c *Cover) EdgeCells() iter.Seq[s2.CellID] {
	return func(yield func(s2.CellID) bool) {
		for i, content := range c.Contents {
			if c.GroupEnd[content] == before(c.GroupEnd, content) {
				continue
			}
			// A content with edges is of one cell, whose leaves are the range,
			// and the cell's number is in the middle of them.
			half := (c.Starts[i+1] - c.Starts[i]) / 2
			if !yield(s2.CellID(c.Starts[i] + half - 1)) {
				return
			}
		}
	}
}

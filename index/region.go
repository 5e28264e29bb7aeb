package index

import (
	"math"

	"coverd/geo"
)

// Basis says what a Region allocation rests on.
type Basis uint8

// The bases of a Region.
const (
	NoBasis       Basis = iota
	BasisBoundary       // the location lies in the Region
	BasisNearest        // just offshore or in a gap: the nearest land, at most 2 km away
	BasisPostcode       // the postcode's own Region
	BasisOutcode        // the outcode lies in one Region
	BasisPremises       // of a postcode the register lacks: all its premises lie in one Region
	bases
)

var basisNames = [...]string{"", "boundary", "nearest", "postcode", "outcode", "premises"}

// String returns the basis's name in answers, or "".
func (b Basis) String() string {
	if int(b) < len(basisNames) {
		return basisNames[b]
	}
	return ""
}

// Distances of the Region rules, in metres.
const (
	MaxOffshore = 2000 // how far off the land a location still gets a Region
	MaxBorder   = 5000 // how far the distance to another Region is told
	NearBorder  = 5    // within this a location is near the border
)

// Allocation is the Region of a place.
type Allocation struct {
	Region geo.Region // NoRegion: none; for a point, over 2 km off Great Britain
	Basis  Basis
	// Border is the distance in metres to the nearest land of another Region,
	// from 0 to 5,000; −1 when it is more, or not known.
	Border float64
}

// NearBorder reports whether another Region is within 5 m.
func (a Allocation) NearBorder() bool { return a.Border >= 0 && a.Border <= NearBorder }

// regions allocates points to Regions. It is immutable and safe for
// concurrent use.
type regions struct {
	cover *geo.Cover // shape r-1 is Region r
	// Runs are stretches of up to runEdges consecutive edges of a ring: fewer
	// boxes than edges, and the few edges of a near run are tested one by one.
	runs []run
	land tree // all runs: what is nearest to a point offshore
	// border holds the runs that can bear on a border distance, so that a
	// search far from any border ends at the root: those near another Region.
	border tree
	// shapes tells which Regions contain a point: several, where a map overlaps.
	// deep is whether it does so in some cell without edges.
	shapes *areas
	deep   bool
}

const (
	runEdges = 16
	// borderReach is how far from another Region a run may be and still bear on
	// a border distance: a point within MaxBorder of it is in the other Region,
	// or up to MaxOffshore off its coast.
	borderReach = MaxBorder + MaxOffshore
	// bordersLooks is how many runs and edges are looked at to find those, for each
	// run on average: of the boundaries of Great Britain some 20.
	bordersLooks = 1024
	// sameDistance is how little distances to the same point may differ, in
	// metres, by which edge they were measured to.
	sameDistance = 1e-6
)

// offshoreReaches are how far a point's land is looked for, in metres: most that
// is not in a Region is on a beach or a pier, and a tenth of the way is a
// hundredth of the edges.
var offshoreReaches = [...]float64{50, 400, MaxOffshore}

type run struct {
	first, last uint32 // edges first to last-1
	region      geo.Region
	bound       geo.Rect
}

func newRegions(c *geo.Cover) *regions {
	r := &regions{cover: c, shapes: newAreas(c.Mesh, nil)}
	m := &c.Mesh
	for s := range m.Len() {
		for g := m.Shapes[s]; g < m.Shapes[s+1]; g++ {
			for ring := m.Polygons[g]; ring < m.Polygons[g+1]; ring++ {
				first, end := m.Rings[ring], m.Rings[ring+1]-1
				for e := first; e < end; e += runEdges {
					q := run{first: e, last: min(e+runEdges, end), region: geo.Region(s + 1), bound: geo.EmptyRect()}
					for _, v := range m.Vertices[q.first : q.last+1] {
						q.bound = q.bound.Extend(v)
					}
					r.land.insert(q.bound, uint32(len(r.runs)))
					r.runs = append(r.runs, q)
				}
			}
		}
	}
	for i, end := range c.InsideEnd {
		first := uint32(0)
		if i > 0 {
			first = c.InsideEnd[i-1]
		}
		r.deep = r.deep || end-first > 1
	}
	// Generous by the rectangles, which only costs a few runs too many; and so it
	// is where boundaries that are none would take a look at everything for each.
	looks := bordersLooks * len(r.runs)
	for i, q := range r.runs {
		v := m.Vertices[q.first]
		if r.land.any(around(q.bound, borderReach), func(j uint32) bool {
			looks--
			return looks < 0 || r.runs[j].region != q.region
		}) || r.shapes.boxes.any(geo.Rect{Min: v, Max: v}, func(g uint32) bool {
			looks -= 1 + r.shapes.slabs[g].EdgesAt(v)
			return looks < 0 || r.isOther(g, v, q.region)
		}) {
			r.border.insert(q.bound, uint32(i))
		}
	}
	return r
}

// isOther reports whether a polygon is of any Region but one, and contains a
// point.
func (r *regions) isOther(polygon uint32, p geo.LatLng, than geo.Region) bool {
	return geo.Region(r.shapes.owner[polygon]+1) != than && r.shapes.slabs[polygon].Contains(&r.cover.Mesh, p)
}

// inOther reports whether a point is in any Region but one.
func (r *regions) inOther(p geo.LatLng, than geo.Region) bool {
	return r.shapes.boxes.any(geo.Rect{Min: p, Max: p}, func(g uint32) bool { return r.isOther(g, p, than) })
}

// locate allocates a point, without the distance to the border.
func (r *regions) locate(p geo.LatLng) Allocation {
	if !p.IsValid() {
		return Allocation{Border: -1}
	}
	if s, ok := r.cover.First(p); ok {
		return Allocation{geo.Region(s + 1), BasisBoundary, -1}
	}
	plane, least := geo.PlaneAt(p), math.Inf(1)
	var nearest [len(geo.Regions) + 1]float64 // by Region
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	for _, reach := range offshoreReaches {
		r.land.search(aroundPoint(p, reach), func(i uint32) {
			q := &r.runs[i]
			if !plane.RectBeyond(q.bound, min(least, MaxOffshore)+sameDistance) {
				nearest[q.region] = min(nearest[q.region], r.distance(&plane, p, q, min(nearest[q.region], MaxOffshore+sameDistance)))
				least = min(least, nearest[q.region])
			}
		})
		if least+sameDistance <= reach {
			break // nothing nearer is further out
		}
	}
	if least > MaxOffshore {
		return Allocation{Border: -1}
	}
	region := geo.North // what is nearest may be a corner that two Regions share
	for nearest[region] > least+sameDistance {
		region++
	}
	return Allocation{region, BasisNearest, -1}
}

// locateWithBorder is locate with the distance to the nearest land of another
// Region.
func (r *regions) locateWithBorder(p geo.LatLng) Allocation {
	a := r.locate(p)
	if a.Region == geo.NoRegion {
		return a
	}
	// On a sound map one look at the point's cell tells that nothing overlaps.
	if a.Basis == BasisBoundary && (r.deep || r.cover.EdgesAt(p) > 0) && r.inOther(p, a.Region) {
		a.Border = 0
		return a
	}
	plane, best := geo.PlaneAt(p), math.Inf(1)
	r.border.search(aroundPoint(p, MaxBorder), func(i uint32) {
		q := &r.runs[i]
		if most := min(best, MaxBorder); q.region != a.Region && !plane.RectBeyond(q.bound, most) {
			best = min(best, r.distance(&plane, p, q, most))
		}
	})
	if best <= MaxBorder {
		a.Border = best
	}
	return a
}

// distance is that from p to the nearest edge of a run; if it is more than most,
// it may be infinite.
func (r *regions) distance(plane *geo.Plane, p geo.LatLng, q *run, most float64) float64 {
	best := math.Inf(1)
	v := r.cover.Mesh.Vertices
	for e := q.first; e < q.last; e++ {
		if !plane.SegmentBeyond(v[e], v[e+1], min(best, most)) {
			best = min(best, geo.SegmentDistance(p, v[e], v[e+1]))
		}
	}
	return best
}

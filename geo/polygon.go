package geo

import (
	"math"
	"math/big"
)

// Ring is a closed line of vertices; the edge from the last vertex back to the
// first is implied, so the first is not repeated. Winding does not matter.
type Ring []LatLng

// Polygon is an outer ring and any holes, each inside it.
type Polygon []Ring

// MultiPolygon is a set of polygons; its area is their union.
type MultiPolygon []Polygon

// Side tells on which side of the directed edge a→b the point p lies, exactly:
// +1 left, −1 right, of the straight line in longitude (x) and latitude (y).
//
// A point on the line is moved by an infinitesimal step east, and, where the
// edge runs due east or west, by a smaller one north. This is the half-open
// crossing rule made total: every point is on exactly one side of every edge,
// and a point on a border shared by two polygons is inside exactly one.
// For a == b, which is no edge, the answer is −1.
func Side(a, b, p LatLng) int {
	switch s := orient(a, b, p); {
	case s != 0:
		return s
	case a.Lat < b.Lat:
		return -1 // a step east of an edge running north is to its right
	case a.Lat > b.Lat:
		return +1
	case a.Lng < b.Lng:
		return +1 // a step north of an edge running east is to its left
	default:
		return -1
	}
}

// orientErr bounds the relative rounding error of the plain determinant:
// (3+16ε)ε with ε = 2⁻⁵³ (J. R. Shewchuk, "Adaptive Precision Floating-Point
// Arithmetic and Fast Robust Geometric Predicates", 1997, ccwerrboundA).
const orientErr = (3 + 16*0x1p-53) * 0x1p-53

// tiny is the size from which, in degrees, the bits of a product of two numbers
// may lie too deep for a float64. Nothing real is so small, but "exactly" is not
// to depend on that.
const tiny = 0x1p-400

// orient is the sign of the cross product (b−a)×(p−a).
func orient(a, b, p LatLng) int {
	l := (a.Lng - p.Lng) * (b.Lat - p.Lat)
	r := (a.Lat - p.Lat) * (b.Lng - p.Lng)
	det := float64(l) - float64(r)
	bound := orientErr*(math.Abs(l)+math.Abs(r)) + tiny*tiny
	switch {
	case det > bound:
		return 1
	case det < -bound:
		return -1
	}
	return orientExact(a, b, p)
}

// orientExact evaluates the same determinant as an exact sum of products:
// a×b + b×p + p×a, each product split into its rounded value and its error by
// a fused multiply-add, and the twelve terms summed by exact expansion
// addition (Shewchuk 1997, §2). It allocates nothing, unless for [tiny] numbers.
func orientExact(a, b, p LatLng) int {
	for _, v := range [...]float64{a.Lat, a.Lng, b.Lat, b.Lng, p.Lat, p.Lng} {
		if v != 0 && math.Abs(v) < tiny {
			return orientRational(a, b, p)
		}
	}
	var e expansion
	for _, t := range [...][2]float64{
		{a.Lng, b.Lat},
		{-a.Lat, b.Lng},
		{b.Lng, p.Lat},
		{-b.Lat, p.Lng},
		{p.Lng, a.Lat},
		{-p.Lat, a.Lng},
	} {
		hi := t[0] * t[1]
		lo := math.FMA(t[0], t[1], -hi)
		e.add(lo)
		e.add(hi)
	}
	return e.sign()
}

// orientRational is orientExact at any scale.
func orientRational(a, b, p LatLng) int {
	product := func(x0, x1, y0, y1 float64) *big.Rat {
		x, y, v := new(big.Rat).SetFloat64(x0), new(big.Rat).SetFloat64(y0), new(big.Rat)
		x.Sub(x, v.SetFloat64(x1))
		return y.Sub(y, v.SetFloat64(y1)).Mul(x, y)
	}
	return product(a.Lng, p.Lng, b.Lat, p.Lat).Cmp(product(a.Lat, p.Lat, b.Lng, p.Lng))
}

// expansion is an exact sum: nonoverlapping components, smallest first.
type expansion struct {
	c [12]float64
	n int
}

// add is Shewchuk's GROW-EXPANSION with zero elimination.
func (e *expansion) add(b float64) {
	n, q := 0, b
	for i := range e.n {
		x := e.c[i]
		s := q + x
		bv := s - q
		err := (q - (s - bv)) + (x - bv)
		if err != 0 {
			e.c[n] = err
			n++
		}
		q = s
	}
	if q != 0 {
		e.c[n] = q
		n++
	}
	e.n = n
}

// sign is that of the largest component.
func (e *expansion) sign() int {
	if e.n == 0 {
		return 0
	}
	if e.c[e.n-1] > 0 {
		return 1
	}
	return -1
}

// Contains reports whether p is inside the ring by the even-odd crossing rule:
// half-open, so that of two rings sharing an edge exactly one contains a point
// on it.
func (r Ring) Contains(p LatLng) bool {
	in := false
	for i, b := range r {
		a := r[(i+len(r)-1)%len(r)]
		if Crosses(a, b, p) {
			in = !in
		}
	}
	return in
}

// Crosses reports whether the ray from p due east crosses the edge a→b.
func Crosses(a, b, p LatLng) bool {
	if (a.Lat > p.Lat) == (b.Lat > p.Lat) {
		return false
	}
	if a.Lng <= p.Lng && b.Lng <= p.Lng {
		return false
	}
	if a.Lng > p.Lng && b.Lng > p.Lng {
		return true
	}
	return (Side(a, b, p) > 0) == (a.Lat < b.Lat)
}

// Contains reports whether p is inside the outer ring and in no hole: whether
// it is inside an odd number of rings, so that a polygon whose hole reaches
// beyond its outer ring is at least the same to all that ask.
func (g Polygon) Contains(p LatLng) bool {
	in := false
	for _, r := range g {
		if r.Contains(p) {
			in = !in
		}
	}
	return in
}

// Contains reports whether p is inside any of the polygons. It looks at every
// edge: the obvious twin of the indexed look-ups.
func (m MultiPolygon) Contains(p LatLng) bool {
	for _, g := range m {
		if g.Contains(p) {
			return true
		}
	}
	return false
}

// Rect is a rectangle in latitude and longitude, borders included.
type Rect struct{ Min, Max LatLng }

// EmptyRect contains nothing; extending it by a point gives that point.
func EmptyRect() Rect {
	inf := math.Inf(1)
	return Rect{LatLng{inf, inf}, LatLng{-inf, -inf}}
}

// Extend returns the smallest rectangle around r and p.
func (r Rect) Extend(p LatLng) Rect {
	return Rect{
		LatLng{min(r.Min.Lat, p.Lat), min(r.Min.Lng, p.Lng)},
		LatLng{max(r.Max.Lat, p.Lat), max(r.Max.Lng, p.Lng)},
	}
}

// Contains reports whether p lies in r.
func (r Rect) Contains(p LatLng) bool {
	return p.Lat >= r.Min.Lat && p.Lat <= r.Max.Lat && p.Lng >= r.Min.Lng && p.Lng <= r.Max.Lng
}

// Bound returns the rectangle around the polygon: all that it contains lies in
// there.
func (g Polygon) Bound() Rect {
	r := EmptyRect()
	for _, ring := range g {
		for _, p := range ring {
			r = r.Extend(p)
		}
	}
	return r
}

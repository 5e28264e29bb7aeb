package index

import (
	"bytes"
	"cmp"
	"math"

	"coverd/geo"
)

// blocks finds the nearest of a list of places that is in Hilbert order: it
// boxes every 32 of them, every 16 boxes, and so on up to one, and walks down
// from there, nearest box first, past no box that could hold a nearer place
// than those found. It is a packed Hilbert R-tree (I. Kamel, C. Faloutsos,
// "On Packing R-trees", 1993) that costs half a byte a place, has no pointers,
// and gives exact answers, piles of places on one spot included.
type blocks struct {
	n      int
	at     func(i int) geo.Location
	ties   func(i, j int) int // orders places at the same distance
	levels [][]box            // the lowest first; the last has one box
}

// box is a rectangle in microdegrees; min above max means it is empty.
type box struct{ minLat, minLng, maxLat, maxLng int32 }

const (
	blockSize = 32
	fanOut    = 16
)

var emptyBox = box{math.MaxInt32, math.MaxInt32, math.MinInt32, math.MinInt32}

func (b *box) extend(c box) {
	b.minLat, b.minLng = min(b.minLat, c.minLat), min(b.minLng, c.minLng)
	b.maxLat, b.maxLng = max(b.maxLat, c.maxLat), max(b.maxLng, c.maxLng)
}

func newBlocks(n, workers int, at func(i int) geo.Location, ties func(i, j int) int) blocks {
	b := blocks{n: n, at: at, ties: ties}
	level := make([]box, (n+blockSize-1)/blockSize)
	parallel(len(level), workers, func(i int) {
		bx := emptyBox
		for j := i * blockSize; j < min(n, (i+1)*blockSize); j++ {
			if l := at(j); l.IsValid() {
				bx.extend(box{l.Lat, l.Lng, l.Lat, l.Lng})
			}
		}
		level[i] = bx
	})
	for len(level) > 0 {
		b.levels = append(b.levels, level)
		if len(level) == 1 {
			break
		}
		up := make([]box, (len(level)+fanOut-1)/fanOut)
		for i := range up {
			up[i] = emptyBox
			for _, c := range level[i*fanOut : min(len(level), (i+1)*fanOut)] {
				up[i].extend(c)
			}
		}
		level = up
	}
	return b
}

func (b *blocks) memory() (bytes int64) {
	for _, l := range b.levels {
		bytes += int64(16 * len(l))
	}
	return bytes
}

// hit is a place found.
type hit struct {
	i int
	d float64
}

// search is one search. What it finds is kept in an array, so that a search on
// the stack of its caller allocates nothing.
type search struct {
	b      *blocks
	p      geo.LatLng
	limit  int // at most MaxNearest
	radius float64
	// The least that a microdegree measures, in metres, within the radius: with
	// these a bound of a distance takes no trigonometry.
	perLat, perLng float64
	n              int
	found          [MaxNearest]hit // the first n, in order
}

// nearest finds up to limit places within radius metres of p, nearest first.
func (b *blocks) nearest(s *search, p geo.LatLng, limit int, radius float64) []hit {
	s.b, s.p, s.limit, s.radius, s.n = b, p, min(limit, MaxNearest), radius, 0
	if limit > 0 && radius >= 0 && len(b.levels) > 0 && p.IsValid() {
		s.perLat = minPerLat / 1e6
		s.perLng = geo.MetricAt(min(90, math.Abs(p.Lat)+radius/minPerLat)).PerLng * 0.999 / 1e6
		s.walk(len(b.levels)-1, 0)
	}
	return s.found[:s.n]
}

// bound is a lower bound of the distance to what is in a box and within the
// radius, squared.
func (s *search) bound(b box) float64 {
	lat, lng := s.p.Lat*1e6, s.p.Lng*1e6
	dLat := max(float64(b.minLat)-lat, lat-float64(b.maxLat), 0) * s.perLat
	dLng := max(float64(b.minLng)-lng, lng-float64(b.maxLng), 0) * s.perLng
	return dLat*dLat + dLng*dLng
}

// reach is the distance beyond which nothing can be among the found any more.
func (s *search) reach() float64 {
	if s.n == s.limit {
		return min(s.radius, s.found[s.limit-1].d)
	}
	return s.radius
}

// near reports whether a bound leaves room for something within reach. A square
// micrometre covers what rounding may add.
func (s *search) near(bound float64) bool {
	r := s.reach()
	return bound <= r*r+1e-12
}

// walk looks into box i of a level, which is within reach.
func (s *search) walk(level, i int) {
	if level == 0 {
		for j := i * blockSize; j < min(s.b.n, (i+1)*blockSize); j++ {
			l := s.b.at(j)
			if l.IsValid() && s.near(s.bound(box{l.Lat, l.Lng, l.Lat, l.Lng})) {
				if d := geo.Distance(s.p, l.LatLng()); d <= s.reach() {
					s.add(hit{j, d})
				}
			}
		}
		return
	}
	children := s.b.levels[level-1][i*fanOut : min(len(s.b.levels[level-1]), (i+1)*fanOut)]
	var order [fanOut]hit // by their bounds
	n := 0
	for c, child := range children {
		d := s.bound(child)
		if !s.near(d) {
			continue
		}
		k := n
		for ; k > 0 && order[k-1].d > d; k-- {
			order[k] = order[k-1]
		}
		order[k] = hit{i*fanOut + c, d}
		n++
	}
	for _, h := range order[:n] {
		if s.near(h.d) {
			s.walk(level-1, h.i)
		}
	}
}

// add puts a place where it belongs among the found, or drops it.
func (s *search) add(h hit) {
	k := s.n
	for k > 0 && s.before(h, s.found[k-1]) {
		k--
	}
	if k == s.limit {
		return
	}
	s.n = min(s.n+1, s.limit)
	copy(s.found[k+1:s.n], s.found[k:])
	s.found[k] = h
}

func (s *search) before(a, b hit) bool {
	if a.d != b.d {
		return a.d < b.d
	}
	return s.b.ties(a.i, b.i) < 0
}

// MaxNearest is the most that Nearest and NearestPostcodes give.
const MaxNearest = 100

// Neighbour is a premises and its distance in metres.
type Neighbour struct {
	Premises Premises
	Distance float64
}

// UnitNeighbour is a postcode and its distance in metres.
type UnitNeighbour struct {
	Unit     Unit
	Distance float64
}

// Nearest appends the nearest premises with coordinates: up to limit, at most
// MaxNearest, within radius metres of p, nearest first. Premises at the same
// distance are in order of postcode, UPRN and address identifier, absent ones
// first.
func (s *Snapshot) Nearest(dst []Neighbour, p geo.LatLng, limit int, radius float64) []Neighbour {
	var q search
	for _, h := range s.premBoxes.nearest(&q, p, limit, radius) {
		dst = append(dst, Neighbour{Premises{s, uint32(h.i)}, h.d})
	}
	return dst
}

// premisesTies orders premises at the same distance.
func (s *Snapshot) premisesTies(i, j int) int {
	a, b := Premises{s, uint32(i)}, Premises{s, uint32(j)}
	return cmp.Or(
		a.Postcode().Compare(b.Postcode()),
		cmp.Compare(a.UPRN(), b.UPRN()),
		bytes.Compare(a.Address(), b.Address()),
		cmp.Compare(i, j))
}

// NearestPostcodes appends the nearest live postcodes of the register, under
// the same rules.
func (s *Snapshot) NearestPostcodes(dst []UnitNeighbour, p geo.LatLng, limit int, radius float64) []UnitNeighbour {
	var q search
	for _, h := range s.pointBoxes.nearest(&q, p, limit, radius) {
		dst = append(dst, UnitNeighbour{Unit{s, uint32(s.points.at(h.i))}, h.d})
	}
	return dst
}

package index

import (
	"bytes"
	"cmp"
	"math"

	"coverd/geo"
)

// nearby finds the nearest of locations that are in Hilbert order: each block
// has its rectangle; every 16 rectangles get one around them, and so on up to
// one, and a search walks down from there, nearest first, past none that could
// hold a nearer place than those found. It is a packed Hilbert R-tree (I. Kamel,
// C. Faloutsos, "On Packing R-trees", 1993) that has no pointers, costs half a
// byte a place, and gives exact answers, piles of places on one spot included.
//
// # Why
//
// The premises of a postcode lie among those of the next ones, so that some
// twenty blocks of 64 reach a point in a town. Within a block every eight rows
// have a rectangle of their own, to 1/256 of the block's: of the 1,400 rows of
// those blocks a search then looks at 200.
type nearby struct {
	places *locations
	n      int                // of the places, the first
	ties   func(i, j int) int // orders places at the same distance
	parts  []part             // of the blocks, partsOf each
	levels [][]box            // over the blocks, the lowest first; the last has one box
}

// part is the rectangle around some rows of a block: the first and last codes
// of latitude and of longitude, shifted right until those of the block fit a
// byte. Rows without location leave it empty, the first above the last.
type part struct{ south, north, west, east uint8 }

const (
	fanOut   = 16
	partRows = 8
	partsOf  = blockRows / partRows
)

func newNearby(places *locations, n, workers int, ties func(i, j int) int) nearby {
	b := nearby{places: places, n: n, ties: ties, parts: make([]part, blocksOf(n)*partsOf)}
	shareOut(blocksOf(n), 1024, workers, func(block int) {
		r := places.rectangle(block)
		sLat, sLng := r.shifts()
		for i := range partsOf {
			p := part{south: 255, west: 255}
			for k := i * partRows; k < min((i+1)*partRows, n-block*blockRows); k++ {
				if lat, lng := r.codes(places.bits, k); lat < r.span {
					y, x := uint8(lat>>sLat), uint8(lng>>sLng)
					p = part{min(p.south, y), max(p.north, y), min(p.west, x), max(p.east, x)}
				}
			}
			b.parts[block*partsOf+i] = p
		}
	})
	for below, at := blocksOf(n), places.box; below > 0; {
		level := make([]box, (below+fanOut-1)/fanOut)
		for i := range level {
			level[i] = emptyBox
			for c := i * fanOut; c < min(below, (i+1)*fanOut); c++ {
				level[i].extend(at(c))
			}
		}
		b.levels = append(b.levels, level)
		if len(level) == 1 {
			break
		}
		below, at = len(level), func(i int) box { return level[i] }
	}
	return b
}

// shifts are the bits by which codes are shifted to fit a byte.
func (r *rectangle) shifts() (lat, lng uint) { return max(r.wLat, 8) - 8, max(r.wLng, 8) - 8 }

func (b *nearby) memory() (bytes int64) {
	bytes = int64(4 * len(b.parts))
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
	b      *nearby
	p      geo.LatLng
	limit  int // at most MaxNearest
	radius float64
	// The least that a microdegree measures, in metres, within the radius: with
	// these a bound of a distance takes no trigonometry.
	perLat, perLng float64
	lat, lng       float64 // of p, in microdegrees
	n              int
	found          [MaxNearest]hit // the first n, in order
}

// nearest finds up to limit places within radius metres of p, nearest first.
func (b *nearby) nearest(s *search, p geo.LatLng, limit int, radius float64) []hit {
	s.b, s.p, s.limit, s.radius, s.n = b, p, min(limit, MaxNearest), radius, 0
	if limit > 0 && radius >= 0 && len(b.levels) > 0 && p.IsValid() {
		s.perLat = minPerLat / 1e6
		s.perLng = geo.MetricAt(min(90, math.Abs(p.Lat)+radius/minPerLat)).PerLng * 0.999 / 1e6
		s.lat, s.lng = p.Lat*1e6, p.Lng*1e6
		s.walk(len(b.levels)-1, 0)
	}
	return s.found[:s.n]
}

// bound is a lower bound of the distance to what is in a box and within the
// radius, squared.
func (s *search) bound(b box) float64 {
	dLat := max(float64(b.minLat)-s.lat, s.lat-float64(b.maxLat), 0) * s.perLat
	dLng := max(float64(b.minLng)-s.lng, s.lng-float64(b.maxLng), 0) * s.perLng
	return dLat*dLat + dLng*dLng
}

// reach is the distance beyond which nothing can be among the found any more.
func (s *search) reach() float64 {
	if s.n == s.limit {
		return min(s.radius, s.found[s.limit-1].d)
	}
	return s.radius
}

// limitOf is the bound from which on nothing is within reach. A square
// micrometre covers what rounding may add.
func limitOf(reach float64) float64 { return reach*reach + 1e-12 }

func (s *search) near(bound float64) bool { return bound <= limitOf(s.reach()) }

// walk looks into box i of a level, which is within reach.
func (s *search) walk(level, i int) {
	below, at := blocksOf(s.b.n), s.b.places.box
	if level > 0 {
		boxes := s.b.levels[level-1]
		below, at = len(boxes), func(c int) box { return boxes[c] }
	}
	var order [fanOut]struct {
		bound, key float64
		i          int
	} // by key
	n := 0
	for c := i * fanOut; c < min(below, (i+1)*fanOut); c++ {
		b := at(c)
		d := s.bound(b)
		if !s.near(d) {
			continue
		}
		h, w := float64(b.maxLat-b.minLat)*s.perLat, float64(b.maxLng-b.minLng)*s.perLng
		key := d + (h*h+w*w)*keyFactor
		k := n
		for ; k > 0 && order[k-1].key > key; k-- {
			order[k] = order[k-1]
		}
		order[k].bound, order[k].key, order[k].i = d, key, c
		n++
	}
	for _, h := range order[:n] {
		switch {
		case !s.near(h.bound):
		case level == 0:
			s.look(h.i)
		default:
			s.walk(level-1, h.i)
		}
	}
}

const keyFactor = 1e-9

// look goes through the places of a block.
func (s *search) look(block int) {
	r := s.b.places.rectangle(block)
	sLat, sLng := r.shifts()
	lat, lng := s.lat-float64(r.minLat), s.lng-float64(r.minLng) // of p, from the corner
	reach := s.reach()
	limit := limitOf(reach)
	rows := min(blockRows, s.b.n-block*blockRows)
	for i, p := range s.b.parts[block*partsOf:][:partsOf] {
		y := max(float64(uint32(p.south)<<sLat)-lat, lat-float64((uint32(p.north)+1)<<sLat-1), 0) * s.perLat
		x := max(float64(uint32(p.west)<<sLng)-lng, lng-float64((uint32(p.east)+1)<<sLng-1), 0) * s.perLng
		if y*y+x*x > limit || p.south > p.north {
			continue
		}
		for k := i * partRows; k < min((i+1)*partRows, rows); k++ {
			north, east := r.codes(s.b.places.bits, k)
			y, x := (float64(north)-lat)*s.perLat, (float64(east)-lng)*s.perLng
			if y*y+x*x > limit || north >= r.span {
				continue
			}
			at := geo.Location{Lat: r.minLat + int32(north), Lng: r.minLng + int32(east)}
			if d := geo.Distance(s.p, at.LatLng()); d <= reach {
				s.add(hit{block*blockRows + k, d})
				reach = s.reach()
				limit = limitOf(reach)
			}
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
	for _, h := range s.nearPremises.nearest(&q, p, limit, radius) {
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
	for _, h := range s.nearPoints.nearest(&q, p, limit, radius) {
		dst = append(dst, UnitNeighbour{Unit{s, uint32(s.points.at(h.i))}, h.d})
	}
	return dst
}

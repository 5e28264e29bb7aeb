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
//
// # Why it runs on a plane first
//
// A distance takes 25 ns, most of it trigonometry, and a search for ten would
// ask for eighty. On the plane that touches the Earth at the point it takes 5.
// A few places more than asked for are kept, and at the end their distances are
// measured. Where places that may be among the nearest were dropped, because a
// pile of them are equally far, the search runs again with true distances.
type search struct {
	b      *nearby
	hidden *hiding // passed over; nil: none
	p      geo.LatLng
	limit  int // at most MaxNearest
	radius float64
	plane  bool
	slack  float64 // on the plane a distance d is within slack × d² of the true one, to first order
	// Metres of a microdegree: on the plane those at p; else the least within the
	// radius, so that a bound of a distance takes no trigonometry.
	perLat, perLng float64
	lat, lng       float64 // of p, in microdegrees
	row, column    int32   // of p, in whole ones, rounded down
	within         float64 // the square of the distance beyond which nothing can be among the nearest
	dropped        float64 // the least distance that there was no room for
	room           int
	n              int
	found          [MaxNearest + spare]hit // the first n, in order
}

const (
	spare = 16
	// minRadius is less than any radius of curvature of the Earth, in metres.
	minRadius = 6_330_000
)

// nearest finds up to limit places within radius metres of p, nearest first.
func (b *nearby) nearest(s *search, p geo.LatLng, limit int, radius float64) []hit {
	if limit <= 0 || !(radius >= 0) || len(b.levels) == 0 || !p.IsValid() {
		return nil
	}
	s.b, s.p, s.limit = b, p, min(limit, MaxNearest)
	s.lat, s.lng = p.Lat*1e6, p.Lng*1e6
	s.row, s.column = int32(math.Floor(s.lat)), int32(math.Floor(s.lng))
	// True distances are measured at the middle latitude, which is half as far
	// from p as the place is: by no more than tan(latitude) does a degree of
	// longitude change with it, and one of latitude by a hundredth of that. That
	// is to first order. A tenth more makes up for the rest while slack × d is
	// below 1/11: up to 500 km at 60° N, ten times what can be asked for. Further
	// off it is not proved; TestNearestFarOff finds no difference.
	if furthest := math.Abs(p.Lat) + radius/minPerLat; furthest < 80 {
		m := geo.MetricAt(p.Lat)
		s.perLat, s.perLng = m.PerLat/1e6, m.PerLng/1e6
		s.slack = (math.Tan(furthest*math.Pi/180) + 0.02) / (2 * minRadius)
		s.start(true, s.limit+spare, radius+1.1*s.slack*radius*radius)
		if s.dropped*s.dropped > s.within {
			return s.measure(radius)
		}
	}
	s.perLat = minPerLat / 1e6
	s.perLng = geo.MetricAt(min(90, math.Abs(p.Lat)+radius/minPerLat)).PerLng * 0.999 / 1e6
	s.start(false, s.limit, radius)
	return s.found[:s.n]
}

// start runs the search.
func (s *search) start(plane bool, room int, radius float64) {
	s.plane, s.room, s.radius, s.n, s.dropped = plane, room, radius, 0, math.Inf(1)
	s.within = squared(radius)
	s.walk(len(s.b.levels)-1, 0)
}

// measure turns distances on the plane into true ones.
func (s *search) measure(radius float64) []hit {
	n := s.n
	s.plane, s.room, s.n = false, s.limit, 0
	for _, h := range s.found[:n] {
		if h.d = geo.Distance(s.p, s.b.places.at(h.i).LatLng()); h.d <= radius {
			s.add(h)
		}
	}
	return s.found[:s.n]
}

// squared is the square of a distance, and a square micrometre more for what
// rounding may add.
func squared(d float64) float64 { return d*d + 1e-12 }

// bound is a lower bound of the distance to what is in a box and within the
// radius, squared. In whole numbers, which is faster, it is up to 0.1 m less
// than it could be.
func (s *search) bound(b *box) float64 {
	y := float64(max(b.minLat-s.row-1, s.row-b.maxLat, 0)) * s.perLat
	x := float64(max(b.minLng-s.column-1, s.column-b.maxLng, 0)) * s.perLng
	return y*y + x*x
}

// walk looks into box i of a level, which is within reach.
func (s *search) walk(level, i int) {
	var near [fanOut]struct { // boxes within reach
		bound, size float64
		i           int
	}
	n, first := 0, i*fanOut
	if level == 0 {
		for c := first; c < min(blocksOf(s.b.n), first+fanOut); c++ {
			b := s.b.places.box(c)
			if d := s.bound(&b); d <= s.within {
				near[n].bound, near[n].size, near[n].i = d, b.size(), c
				n++
			}
		}
	} else {
		boxes := s.b.levels[level-1][first:]
		boxes = boxes[:min(len(boxes), fanOut)]
		for c := range boxes {
			b := &boxes[c]
			if d := s.bound(b); d <= s.within {
				near[n].bound, near[n].size, near[n].i = d, b.size(), first+c
				n++
			}
		}
	}
	// The nearest first, and of those around p the smallest: places are dense
	// there, while a wide one may be of places that have nothing in common but a
	// missing postcode.
	for n > 0 {
		k := 0
		for j := 1; j < n; j++ {
			if near[j].bound < near[k].bound || near[j].bound == near[k].bound && near[j].size < near[k].size {
				k = j
			}
		}
		next := near[k]
		n--
		near[k] = near[n]
		switch {
		case next.bound > s.within:
			return
		case level == 0:
			s.look(next.i)
		default:
			s.walk(level-1, next.i)
		}
	}
}

// look goes through the places of a block.
func (s *search) look(block int) {
	r := s.b.places.rectangle(block)
	sLat, sLng := r.shifts()
	packed, width := s.b.places.bits, r.wLat+r.wLng
	latMask, lngMask := uint64(1)<<r.wLat-1, uint64(1)<<r.wLng-1
	lat, lng := s.lat-float64(r.minLat), s.lng-float64(r.minLng) // of p, from the corner
	rows := min(blockRows, s.b.n-block*blockRows)
	var near [partsOf]struct { // parts within reach
		bound float64
		i     int
	}
	n := 0
	for i, p := range s.b.parts[block*partsOf:][:partsOf] {
		b := box{
			r.minLat + int32(p.south)<<sLat, r.minLng + int32(p.west)<<sLng,
			r.minLat + (int32(p.north)+1)<<sLat - 1, r.minLng + (int32(p.east)+1)<<sLng - 1,
		}
		if d := s.bound(&b); d <= s.within && p.south <= p.north {
			near[n].bound, near[n].i = d, i
			n++
		}
	}
	for n > 0 {
		next := 0
		for j := 1; j < n; j++ {
			if near[j].bound < near[next].bound {
				next = j
			}
		}
		i, bound := near[next].i, near[next].bound
		n--
		near[next] = near[n]
		if bound > s.within {
			return
		}
		at := r.bit + uint(i*partRows)*width
		for k := i * partRows; k < min((i+1)*partRows, rows); k++ {
			v := load(packed, at)
			at += width
			north, east := v&latMask, v>>r.wLat&lngMask
			y, x := (float64(int64(north))-lat)*s.perLat, (float64(int64(east))-lng)*s.perLng
			d := y*y + x*x
			if d > s.within || north >= uint64(r.span) || s.hidden != nil && s.hidden.has(uint32(block*blockRows+k)) {
				continue
			}
			if s.plane {
				d = math.Sqrt(d)
			} else {
				at := geo.Location{Lat: r.minLat + int32(north), Lng: r.minLng + int32(east)}
				if d = geo.Distance(s.p, at.LatLng()); d > s.radius {
					continue
				}
			}
			s.add(hit{block*blockRows + k, d})
		}
	}
}

// add puts a place where it belongs among the found, or drops it.
func (s *search) add(h hit) {
	k := s.n
	for k > 0 && (h.d < s.found[k-1].d || h.d == s.found[k-1].d && !s.plane && s.b.ties(h.i, s.found[k-1].i) < 0) {
		k--
	}
	if s.n < s.room {
		s.n++
	} else if s.dropped = min(s.dropped, max(h.d, s.found[s.n-1].d)); k == s.room {
		return
	}
	copy(s.found[k+1:s.n], s.found[k:])
	s.found[k] = h
	if s.n < s.limit {
		return
	}
	reach := s.found[s.limit-1].d
	if s.plane {
		// Either distance may be wrong; a tenth more, for the other is the larger.
		reach += 2.2 * s.slack * reach * reach
	}
	s.within = min(s.within, squared(reach))
	for s.n > s.limit && s.found[s.n-1].d > reach {
		s.n-- // out of reach by now
	}
}

// within calls f with every place in a rectangle.
func (b *nearby) within(r box, f func(i int, lat, lng int32)) {
	if len(b.levels) > 0 {
		b.descend(&r, len(b.levels)-1, 0, f)
	}
}

func (b *nearby) descend(r *box, level, i int, f func(i int, lat, lng int32)) {
	for c := i * fanOut; c < (i+1)*fanOut; c++ {
		switch {
		case level > 0 && c < len(b.levels[level-1]):
			if b.levels[level-1][c].meets(r) {
				b.descend(r, level-1, c, f)
			}
		case level == 0 && c < blocksOf(b.n):
			if around := b.places.box(c); around.meets(r) {
				e := b.places.rectangle(c)
				for k := range min(blockRows, b.n-c*blockRows) {
					lat, lng := e.codes(b.places.bits, k)
					at := box{e.minLat + int32(lat), e.minLng + int32(lng), e.minLat + int32(lat), e.minLng + int32(lng)}
					if lat < e.span && at.meets(r) {
						f(c*blockRows+k, at.minLat, at.minLng)
					}
				}
			}
		}
	}
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

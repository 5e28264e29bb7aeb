package index

import (
	"math"
	"math/bits"
	"slices"

	"coverd/geo"
)

// holdout asks for estimates of places whose truth is known and hidden: one
// premises of a postcode at a time. It is for one goroutine.
//
// # What is asked
//
// At the premises' own location and at its postcode's, as of the snapshot's day,
// on all network regions and on one of its Region's: with nothing known of its
// postcode, and again with nothing known within 250 m of any of the postcode's
// premises, as in a new estate. The first tells how estimates do that have
// witnesses next door, the second how those do that have none; which of them an
// estimate resembles is told by the distance to its nearest witness. Of every
// eighth postcode also without location: from what is left of its sector, and
// from its outcode without that sector. And from the other premises of its
// postcode, as for an address that none of them has.
//
// Areas stay: they are a CSP's statement about land, there before the houses.
// Nor is an area's claim taken out of what a premises has on a network region
// where it has no other: that is what an answer about it would say.
type holdout struct {
	s      *Snapshot
	hidden hiding
	e      Estimate
	near   []Neighbour
	areas  []AreaHit
	homes  []geo.Location // of the postcode's premises
	empty  bool           // nothing is known within 250 m of them
	record func(e *Estimate, truth ClaimSet)
}

// holdoutRadius is within how many metres of a held-out postcode's premises
// nothing is used.
const holdoutRadius = 250

// hiding is premises that a search passes over.
type hiding struct {
	bits []uint64 // a bit a row
	rows []uint32
	not  int // sector passed over; −1: none
}

func (h *hiding) hide(row uint32) {
	if !h.has(row) {
		h.bits[row/64] |= 1 << (row % 64)
		h.rows = append(h.rows, row)
	}
}

// has reports whether a row is hidden; of a nil list none is.
func (h *hiding) has(row uint32) bool { return h != nil && h.bits[row/64]>>(row%64)&1 == 1 }

func (h *hiding) clear() {
	for _, row := range h.rows {
		h.bits[row/64] = 0
	}
	h.rows, h.not = h.rows[:0], -1
}

func newHoldout(s *Snapshot, record func(e *Estimate, truth ClaimSet)) *holdout {
	return &holdout{s: s, hidden: hiding{bits: make([]uint64, s.premises.n/64+1), not: -1}, record: record}
}

// postcode holds out a postcode that has premises, of which hash chooses one.
func (h *holdout) postcode(u Unit, hash uint64) {
	s, on := h.s, h.s.info.AsOf
	first, end := u.premises()
	row, hash := first+int(hash%uint64(end-first)), bits.RotateLeft64(hash, 32)
	p := Premises{s, uint32(row)}
	truth, region := p.Claims(), p.Region().Region
	questions := [...]NetworkRegion{NoNetwork, NetworkRegion(region) + NetworkRegion(hash&1)*(Network4GNorth-NetworkNorth)}
	ask := func(q whereabouts) {
		q.hidden = &h.hidden
		for i, only := range questions {
			h.e.Only = only
			if (i == 0 || region != geo.NoRegion) && s.estimate(&h.e, q, on) {
				h.record(&h.e, truth.Only(only))
			}
		}
	}
	pc := u.Postcode()
	places := [...]geo.Location{p.At(), u.At()}
	near := func() {
		for _, at := range places {
			if at.IsValid() {
				ask(h.around(at, pc))
			}
		}
	}
	defer h.hidden.clear()
	h.empty = false

	h.hidden.hide(uint32(row))
	if end-first > 1 {
		q := whereabouts{first: first, end: end, sector: pc.Sector(), outcode: pc.Outcode()}
		if at := u.At(); at.IsValid() {
			q.at, q.located, q.areas = at.LatLng(), true, s.AppendAreas(h.areas[:0], at.LatLng())
		}
		ask(q)
	}
	for row := first; row < end; row++ {
		h.hidden.hide(uint32(row))
	}
	near()
	h.clearGround(first, end)
	h.empty = true
	near()
	if hash>>1&7 == 0 {
		ask(whereabouts{sector: pc.Sector(), outcode: pc.Outcode()})
		if sector, ok := s.Sector(pc.Sector()); ok {
			h.hidden.not = int(sector.row)
			ask(whereabouts{outcode: pc.Outcode()})
		}
	}
}

// around is what is known around a place of a postcode.
func (h *holdout) around(at geo.Location, p geo.Postcode) whereabouts {
	q := whereabouts{at: at.LatLng(), located: true, sector: p.Sector(), outcode: p.Outcode()}
	var find search
	find.hidden = &h.hidden
	h.near = h.near[:0]
	for _, n := range h.s.nearPremises.nearest(&find, q.at, EstimateWitnesses, EstimateRadius) {
		h.near = append(h.near, Neighbour{Premises{h.s, uint32(n.i)}, n.d})
	}
	h.areas = h.s.AppendAreas(h.areas[:0], q.at)
	q.near, q.areas = h.near, h.areas
	return q
}

// clearGround hides all premises within 250 m of those of a postcode.
func (h *holdout) clearGround(first, end int) {
	h.homes = h.homes[:0]
	ground := emptyBox
	for row := first; row < end; row++ {
		if at := h.s.premises.at(row); at.IsValid() {
			h.homes = append(h.homes, at)
			ground.extend(box{at.Lat, at.Lng, at.Lat, at.Lng})
		}
	}
	if len(h.homes) == 0 {
		return
	}
	slices.SortFunc(h.homes, geo.Location.Compare)
	h.homes = slices.Compact(h.homes)
	m := geo.MetricAt(float64(ground.minLat) / 1e6)
	perLat, perLng := m.PerLat/1e6, m.PerLng/1e6
	dLat, dLng := int32(math.Ceil(holdoutRadius/perLat)), int32(math.Ceil(holdoutRadius/perLng))
	ground = box{ground.minLat - dLat, ground.minLng - dLng, ground.maxLat + dLat, ground.maxLng + dLng}
	h.s.nearPremises.within(ground, func(row int, lat, lng int32) {
		for _, at := range h.homes {
			y, x := float64(lat-at.Lat)*perLat, float64(lng-at.Lng)*perLng
			if y*y+x*x <= holdoutRadius*holdoutRadius {
				h.hidden.hide(uint32(row))
				return
			}
		}
	})
}

// discount takes the hidden premises of sectors from to end, and what is passed
// over there, out of the witnesses that those have.
func (h *hiding) discount(s *Snapshot, witnesses []witness, from, end int) []witness {
	less := func(set ClaimSet, n int) {
		for i := range witnesses {
			if w := &witnesses[i]; w.set == set { // a set may be there once for each Region
				took := min(n, w.n)
				w.n -= took
				n -= took
			}
		}
	}
	first, last := s.sectors[from].unit, s.sectors[end-1].unitEnd
	skipped := sectorRow{}
	if from <= h.not && h.not < end {
		skipped = s.sectors[h.not]
		s.profile(h.not, h.not+1, func(set ClaimSet, _ geo.Region, n int) { less(set, n) })
	}
	for _, row := range h.rows {
		p := Premises{s, row}
		if u, ok := p.Unit(); ok && first <= int(u.row) && int(u.row) < last && (int(u.row) < skipped.unit || skipped.unitEnd <= int(u.row)) {
			less(p.Claims(), 1)
		}
	}
	return slices.DeleteFunc(witnesses, func(w witness) bool { return w.n == 0 })
}

package index

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"

	"coverd/geo"
)

// contentRows is how many premises a worker encodes at a time.
const contentRows = 1 << 14

// contentDigest is a SHA-256 over the facts alone: premises with their own
// claims, areas, register and Regions, in an order and an encoding of its own,
// so that it depends neither on how the input was packed or ordered nor on how
// the file is. What is derived from these facts (claims lent by areas, Regions
// of places, summaries) is left out. FORMAT.md specifies it.
func (s *Snapshot) contentDigest(workers int) string {
	sum := sha256.New()
	var h facts
	flush := func(least int) {
		if len(h) > least {
			sum.Write(h)
			h = h[:0]
		}
	}
	h.bytes(appendClaims(nil, s.claims))
	h.num(int64(s.premises.n))
	flush(0)
	inOrder((s.premises.n+contentRows-1)/contentRows, workers, s.appendContent, func(b []byte) bool {
		sum.Write(b)
		return true
	})
	h.num(int64(len(s.areas.claims)))
	for _, i := range s.areas.inOrder(s.claims) {
		h.num(int64(s.areas.claims[i]))
		h.shape(s.areas.mesh.Shape(i))
	}
	for u := range s.AllPostcodes() {
		if e := u.Entry(); u.inRegister() {
			h.num(int64(e.Postcode.Ordinal()))
			h.loc(e.At)
			h.num(int64(e.Introduced))
			h.num(int64(e.Terminated))
			h.num(int64(e.TerminatedAfter))
			h.num(int64(e.TerminatedBy))
		}
		flush(1 << 16)
	}
	h.num(-1)
	for _, r := range geo.Regions {
		h.shape(s.RegionShape(r))
	}
	flush(0)
	return hex.EncodeToString(sum.Sum(nil))
}

// appendContent appends the premises of part of the blocks.
func (s *Snapshot) appendContent(_, part int, b []byte) []byte {
	h := facts(b)
	postcode, group := int64(-1), -1
	for row := part * contentRows; row < min(s.premises.n, (part+1)*contentRows); row++ {
		p := Premises{s, uint32(row)}
		if g := s.roster.group(row); g != group {
			group, postcode = g, -1 // of the premises without one
			if g < s.groupUnit.n {
				postcode = int64(s.keys.at(int(s.groupUnit.at(g))))
			}
		}
		h.num(postcode)
		h.num(int64(p.UPRN()))
		h.loc(p.At())
		address := p.Address()
		h.num(int64(len(address)))
		h.bytes(address)
		h.bool(p.Conflict())
		from, to := p.Claims().span()
		for i := from; i < to; i++ {
			if it := s.setItems[i]; it&1 == 0 {
				h.num(int64(it >> 1))
			}
		}
		h.num(-1)
	}
	return h
}

// inOrder lists the areas by size, then network region, then place in the list:
// that is all of their order that decides which claim is lent.
func (a *areas) inOrder(claims []Claim) []int {
	order := make([]int, len(a.claims))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(
			cmp.Compare(a.ground[i], a.ground[j]),
			cmp.Compare(claims[a.claims[i]].Network, claims[a.claims[j]].Network))
	})
	return order
}

// facts are what is digested.
type facts []byte

func (h *facts) num(v int64) { *h = binary.AppendVarint(*h, v) }

func (h *facts) bytes(b []byte) { *h = append(*h, b...) }

func (h *facts) bool(b bool) {
	if b {
		h.num(1)
	} else {
		h.num(0)
	}
}

func (h *facts) loc(l geo.Location) {
	h.num(int64(l.Lat))
	h.num(int64(l.Lng))
}

func (h *facts) shape(s geo.MultiPolygon) {
	h.num(int64(len(s)))
	for _, g := range s {
		h.num(int64(len(g)))
		for _, r := range g {
			h.num(int64(len(r)))
			for _, p := range r {
				h.num(int64(math.Float64bits(p.Lat)))
				h.num(int64(math.Float64bits(p.Lng)))
			}
		}
	}
}

package index

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"coverd/geo"
)

// rankAddresses sorts the address identifiers.
func (m *merger) rankAddresses() {
	t := &m.b.addresses
	ids := make([]AddressID, 0, t.len())
	for id := range AddressID(t.len()) {
		if _, ok := t.at(id); ok {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b AddressID) int {
		x, _ := t.at(a)
		y, _ := t.at(b)
		return compareAddress(x, y)
	})
	m.ranks = make([]uint32, t.len())
	m.addresses = make([]string, len(ids))
	m.fold = make([]uint32, len(ids))
	folded := make(map[string]uint32, len(ids))
	for rank, id := range ids {
		text, _ := t.at(id)
		m.ranks[id] = uint32(rank)
		m.addresses[rank] = text
		f := FoldAddress(text)
		n, ok := folded[f]
		if !ok {
			n = uint32(len(folded))
			folded[f] = n
		}
		m.fold[rank] = n
	}
}

// placeKey is the identity of a premises without UPRN: its postcode and folded
// address, or, without those, its coordinates.
type placeKey struct {
	postcode geo.Postcode
	fold     uint32
	at       geo.Location
}

func (m *merger) placeKey(r *row) placeKey {
	if r.postcode.IsValid() && r.address != 0 {
		return placeKey{postcode: r.postcode, fold: m.fold[m.ranks[r.address]]}
	}
	return placeKey{at: r.at}
}

// hash mixes one half of the key before the other joins it. Side by side in one
// number the upper half would decide seven bits of the slot at most: 128 slots
// for house number 1 of all the postcodes of a bucket.
func (k placeKey) hash() uint64 {
	if k.postcode.IsValid() {
		return mix(mix(uint64(k.postcode.Ordinal()))^uint64(k.fold)) >> 20
	}
	return mix(mix(uint64(uint32(k.at.Lat)))^uint64(uint32(k.at.Lng))) >> 20
}

// group finds the rows of a bucket that are of one premises.
func (m *merger) group(g *grouper, b *bucket) {
	if b.n == 0 || b.at(0).uprn() != 0 {
		g.group(b, hashUPRN, sameUPRN)
		return
	}
	g.group(b, func(r *row) uint64 { return m.placeKey(r).hash() }, func(x, y *row) bool { return m.placeKey(x) == m.placeKey(y) })
}

// A sieve is a set of numbers that may also claim to hold others: one in fifty
// with a hundred thousand in it.
type sieve [1 << 16]uint64

func (s *sieve) add(v uint64) { h := mix(v) >> 42; s[h>>6] |= 1 << (h & 63) }

func (s *sieve) has(v uint64) bool { h := mix(v) >> 42; return s[h>>6]>>(h&63)&1 == 1 }

// join gives rows without UPRN the UPRN of the only premises with their
// postcode and address, where there is just one.
func (m *merger) join(ctx context.Context, workers int) error {
	const several = ^geo.UPRN(0)
	wanted := map[placeKey]geo.UPRN{}
	// Few postcodes are wanted, so that few premises need to be looked at.
	var postcodes sieve
	s := &m.b.rows
	for i := range s.without {
		for r := range s.without[i].all {
			if k := m.placeKey(r); k.postcode.IsValid() {
				wanted[k] = 0
				postcodes.add(uint64(k.postcode.Ordinal()))
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	type hit struct {
		key  placeKey
		uprn geo.UPRN
	}
	hits := make([][]hit, workers)
	ws := make([]struct {
		worker
		sieve sieve  // of UPRNs of which a row has a wanted postcode
		few   bucket // their rows
	}, workers)
	err := s.each(ctx, workers, func(k int, b *bucket) {
		if b.n == 0 || b.at(0).uprn() == 0 {
			return
		}
		w := &ws[k]
		w.sieve, w.few = sieve{}, bucket{}
		for r := range b.all {
			if r.postcode.IsValid() && postcodes.has(uint64(r.postcode.Ordinal())) {
				w.sieve.add(r.key >> 24)
			}
		}
		for r := range b.all {
			if w.sieve.has(r.key >> 24) {
				w.few.add(*r)
			}
		}
		m.group(&w.grouper, &w.few)
		for _, head := range w.heads {
			rows := m.rowsOf(&w.worker, &w.few, head)
			postcode, address, _ := m.decide(rows)
			key := placeKey{postcode: postcode, fold: m.fold[address]}
			if _, ok := wanted[key]; ok && address != 0 {
				hits[k] = append(hits[k], hit{key, rows[0].UPRN})
			}
		}
	})
	if err != nil {
		return err
	}
	for _, h := range slices.Concat(hits...) {
		if wanted[h.key] == 0 {
			wanted[h.key] = h.uprn
		} else {
			wanted[h.key] = several
		}
	}
	for i := range s.without {
		b, kept := &s.without[i], 0
		for r := range b.all {
			k := m.placeKey(r)
			if u := wanted[k]; k.postcode.IsValid() && u != 0 && u != several {
				joined := *r
				joined.key |= uint64(u) << 24
				s.bucket(u, r.postcode, AddressID(r.address), r.at).add(joined)
				continue
			}
			*b.at(kept) = *r
			kept++
		}
		b.cut(kept)
	}
	return nil
}

// decide settles what the rows of one premises disagree on. For each of
// postcode, address and location, of the rows that give it, the CSP of highest
// precedence decides, then the later as-of, then the bytes.
func (m *merger) decide(rows []Row) (p geo.Postcode, address uint32, at geo.Location) {
	if len(rows) == 1 {
		return rows[0].Postcode, uint32(rows[0].Address), rows[0].At
	}
	var ofP, ofAddress, ofAt *Row
	better := func(r, than *Row, bytes int) bool {
		if than == nil {
			return true
		}
		return cmp.Or(
			cmp.Compare(m.briefs[r.Claim].precede, m.briefs[than.Claim].precede),
			-cmp.Compare(m.briefs[r.Claim].asOf, m.briefs[than.Claim].asOf),
			bytes) < 0
	}
	for i := range rows {
		r := &rows[i]
		if r.Postcode.IsValid() && better(r, ofP, r.Postcode.Compare(p)) {
			ofP, p = r, r.Postcode
		}
		if r.Address != 0 && better(r, ofAddress, strings.Compare(m.addresses[r.Address], m.addresses[address])) {
			ofAddress, address = r, uint32(r.Address)
		}
		if r.At.IsValid() && better(r, ofAt, r.At.Compare(at)) {
			ofAt, at = r, r.At
		}
	}
	return p, address, at
}

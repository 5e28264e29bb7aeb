package index

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"coverd/geo"
)

// rankAddresses sorts the address identifiers and returns their ranks by
// AddressID.
func (m *merger) rankAddresses() []uint32 {
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
	ranks := make([]uint32, t.len())
	m.addresses = make([]string, len(ids))
	m.fold = make([]uint32, len(ids))
	folded := make(map[string]uint32, len(ids))
	for rank, id := range ids {
		text, _ := t.at(id)
		ranks[id] = uint32(rank)
		m.addresses[rank] = text
		f := FoldAddress(text)
		n, ok := folded[f]
		if !ok {
			n = uint32(len(folded))
			folded[f] = n
		}
		m.fold[rank] = n
	}
	return ranks
}

// gather flattens the rows, giving claims and addresses their ranks, and frees
// them; those with a UPRN come first.
func (m *merger) gather() (rows []Row, withUPRN int) {
	ranks := m.rankAddresses()
	n := 0
	for _, r := range m.b.rows {
		n += len(r)
	}
	rows = make([]Row, n)
	head, tail := 0, n
	for i, chunk := range m.b.rows {
		for _, r := range chunk {
			r.Claim = ClaimID(m.rankOf[r.Claim])
			r.Address = AddressID(ranks[r.Address])
			if r.UPRN != 0 {
				rows[head] = r
				head++
			} else {
				tail--
				rows[tail] = r
			}
		}
		m.b.rows[i] = nil
	}
	m.b.rows = nil
	return rows, head
}

// placeKey is the identity of a premises without UPRN: its postcode and folded
// address, or, without those, its coordinates.
type placeKey struct {
	postcode geo.Postcode
	fold     uint32
	at       geo.Location
}

func (m *merger) key(r *Row) placeKey {
	if r.Postcode.IsValid() && r.Address != 0 {
		return placeKey{postcode: r.Postcode, fold: m.fold[r.Address]}
	}
	return placeKey{at: r.At}
}

func (k placeKey) compare(l placeKey) int {
	return cmp.Or(k.postcode.Compare(l.postcode), cmp.Compare(k.fold, l.fold), k.at.Compare(l.at))
}

// join gives rows without UPRN the UPRN of the only premises with their
// postcode and address, where there is just one. rows[:n] are sorted by UPRN.
// It returns the joined rows, sorted by UPRN, and the others, sorted by key.
func (m *merger) join(rows []Row, n int) (joined, alone []Row) {
	const several = ^geo.UPRN(0)
	wanted := map[placeKey]geo.UPRN{}
	for i := range rows[n:] {
		if k := m.key(&rows[n+i]); k.postcode.IsValid() {
			wanted[k] = 0
		}
	}
	if len(wanted) > 0 {
		for g := range groups(rows[:n], func(a, b *Row) bool { return a.UPRN == b.UPRN }) {
			postcode, address, _ := m.decide(g)
			if !postcode.IsValid() || address == 0 {
				continue
			}
			k := placeKey{postcode: postcode, fold: m.fold[address]}
			switch old, ok := wanted[k]; {
			case !ok:
			case old == 0:
				wanted[k] = g[0].UPRN
			default:
				wanted[k] = several
			}
		}
	}
	for _, r := range rows[n:] {
		k := m.key(&r)
		if u := wanted[k]; k.postcode.IsValid() && u != 0 && u != several {
			r.UPRN = u
			joined = append(joined, r)
		} else {
			alone = append(alone, r)
		}
	}
	slices.SortFunc(joined, func(a, b Row) int { return cmp.Compare(a.UPRN, b.UPRN) })
	slices.SortFunc(alone, func(a, b Row) int { return m.key(&a).compare(m.key(&b)) })
	return joined, alone
}

// groups yields the runs of rows that are the same.
func groups(rows []Row, same func(a, b *Row) bool) func(yield func([]Row) bool) {
	return func(yield func([]Row) bool) {
		for i := 0; i < len(rows); {
			j := i + 1
			for j < len(rows) && same(&rows[i], &rows[j]) {
				j++
			}
			if !yield(rows[i:j:j]) {
				return
			}
			i = j
		}
	}
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
			cmp.Compare(m.precede[r.Claim], m.precede[than.Claim]),
			-cmp.Compare(m.claims[r.Claim].AsOf, m.claims[than.Claim].AsOf),
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

// sortRows sorts by UPRN, in place, on several cores: it partitions around a
// sampled median and sorts both sides at once.
func sortRows(rows []Row, workers int) {
	byUPRN := func(a, b Row) int { return cmp.Compare(a.UPRN, b.UPRN) }
	if workers < 2 || len(rows) < 1<<14 {
		slices.SortFunc(rows, byUPRN)
		return
	}
	sample := make([]geo.UPRN, 1001)
	for i := range sample {
		sample[i] = rows[i*(len(rows)-1)/1000].UPRN
	}
	slices.Sort(sample)
	pivot := sample[500]
	i, j := 0, len(rows)
	for i < j {
		if rows[i].UPRN < pivot {
			i++
		} else {
			j--
			rows[i], rows[j] = rows[j], rows[i]
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { sortRows(rows[:i], workers/2) })
	sortRows(rows[i:], workers-workers/2)
	wg.Wait()
}

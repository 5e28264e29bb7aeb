package index

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// book numbers what may be said of premises, in the order it comes: aspects from
// 1 on, 0 being that there is no such premises. Those of several snapshots are
// the same where they say the same on every day, whatever the day they said so.
type book struct {
	claims   map[pastClaim]uint32
	aspects  map[string]uint32
	list     []pastClaim
	contents []pastAspect
}

// pastClaim is a claim without its as-of day, and whether it counts towards the
// state of a premises.
type pastClaim struct {
	Claim
	counts bool
}

// pastAspect is what was said of a premises: claims, doubled, plus 1 if lent by
// an area, in order of network region and CSP.
type pastAspect struct {
	conflict bool
	items    []uint32
}

func newBook() *book {
	return &book{claims: map[pastClaim]uint32{}, aspects: map[string]uint32{}, contents: make([]pastAspect, 1)}
}

// timeless is the claim with the as-of day that all claims have that say the same
// on every day: none, but where a date of the claim's decides with it whether the
// plan was missed when the claim was made.
func (c *Claim) timeless() Claim {
	t := *c
	switch t.AsOf = 0; {
	case c.Availability != AvailabilityFalse || c.Anticipated == 0:
	case c.Anticipated <= c.AsOf:
		t.AsOf = c.Anticipated
	case c.Anticipated <= 0:
		t.AsOf = c.Anticipated - 1
	}
	return t
}

// numbers returns the number of every claim of a snapshot.
func (b *book) numbers(s *Snapshot) []uint32 {
	list := make([]uint32, len(s.claims))
	for i := range s.claims {
		c := pastClaim{s.claims[i].timeless(), s.facts[i].counts}
		n, ok := b.claims[c]
		if !ok {
			n = uint32(len(b.list))
			b.claims[c] = n
			b.list = append(b.list, c)
		}
		list[i] = n
	}
	return list
}

// aspect returns the number of a claim set of a snapshot, whose claims have the
// numbers given.
func (b *book) aspect(numbers []uint32, set ClaimSet, conflict bool) uint32 {
	key := []byte{byte(b2i(conflict))}
	from, to := set.span()
	for _, it := range set.s.setItems[from:to] {
		key = binary.LittleEndian.AppendUint32(key, numbers[it>>1]<<1|it&1)
	}
	n, ok := b.aspects[string(key)]
	if !ok {
		n = uint32(len(b.contents))
		b.aspects[string(key)] = n
		a := pastAspect{conflict: conflict}
		for key = key[1:]; len(key) > 0; key = key[4:] {
			a.items = append(a.items, binary.LittleEndian.Uint32(key))
		}
		b.contents = append(b.contents, a)
	}
	return n
}

// kinds returns the aspect of every kind of premises of a snapshot.
func (b *book) kinds(s *Snapshot) []uint32 {
	numbers, list := b.numbers(s), make([]uint32, s.Kinds())
	for k := range list {
		set, _, conflict := s.Kind(uint32(k))
		list[k] = b.aspect(numbers, set, conflict)
	}
	return list
}

// codes returns the aspect of every code of a history.
func (b *book) codes(h *history) []uint32 {
	if h == nil {
		return nil
	}
	numbers, list := b.numbers(h.past), make([]uint32, h.past.ClaimSets())
	for code := 1; code < len(list); code++ {
		list[code] = b.aspect(numbers, ClaimSet{s: h.past, code: uint32(code)}, h.conflicts[code])
	}
	return list
}

// encode encodes the aspects that are used, in an order that is up to what they
// say, and returns the code of each.
func (b *book) encode(raw []byte, used []bool) (encoded []byte, codes []uint32, n int) {
	usedClaims := make([]bool, len(b.list))
	var aspects []uint32
	for a := uint32(1); int(a) < len(b.contents); a++ {
		if used[a] {
			aspects = append(aspects, a)
			for _, it := range b.contents[a].items {
				usedClaims[it>>1] = true
			}
		}
	}
	var claims []uint32
	for c, used := range usedClaims {
		if used {
			claims = append(claims, uint32(c))
		}
	}
	slices.SortFunc(claims, func(x, y uint32) int { return b.list[x].compare(&b.list[y]) })
	number := make([]uint32, len(b.list))
	raw = binary.AppendUvarint(raw, uint64(len(claims)))
	for i, c := range claims {
		number[c] = uint32(i)
		raw = append(appendClaim(raw, &b.list[c].Claim), byte(b2i(b.list[c].counts)))
	}

	items := make([][]uint32, len(b.contents))
	for _, a := range aspects {
		for _, it := range b.contents[a].items {
			items[a] = append(items[a], number[it>>1]<<1|it&1)
		}
	}
	slices.SortFunc(aspects, func(x, y uint32) int {
		return cmp.Or(slices.Compare(items[x], items[y]), cmp.Compare(b2i(b.contents[x].conflict), b2i(b.contents[y].conflict)))
	})
	codes = make([]uint32, len(b.contents))
	raw = binary.AppendUvarint(raw, uint64(len(aspects)))
	for i, a := range aspects {
		codes[a] = uint32(i) + 1
		raw = append(raw, byte(b2i(b.contents[a].conflict)))
		raw = binary.AppendUvarint(raw, uint64(len(items[a])))
		for _, it := range items[a] {
			raw = binary.AppendUvarint(raw, uint64(it))
		}
	}
	return raw, codes, len(aspects)
}

func (c *pastClaim) compare(d *pastClaim) int {
	return cmp.Or(c.Claim.Compare(&d.Claim), cmp.Compare(b2i(c.counts), b2i(d.counts)))
}

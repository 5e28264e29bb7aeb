package index

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"coverd/geo"
)

// A night's dictionary holds what its changed premises have in common: claims,
// aspects made of them, and pairs of aspects, before and after. What changes
// follow from a pair is worked out when it is read.

// Limits of a dictionary, which also bound the memory that a crafted one can
// take. A night that needs more is too big.
const (
	maxDictionary  = 4 << 20 // bytes
	maxNightClaims = 1 << 16
	maxNightPairs  = 1 << 17 // and aspects
)

// dictionaryWriter numbers what is put into it in the order it comes.
type dictionaryWriter struct {
	claims  map[Claim]uint64
	aspects map[string]uint64
	pairs   map[[2]uint64]uint64 // aspects plus 1; 0: not there
	known   map[*outcome]uint64
	raw     [3][]byte // claims, aspects, pairs
	key     []byte
}

func newDictionaryWriter() *dictionaryWriter {
	return &dictionaryWriter{claims: map[Claim]uint64{}, aspects: map[string]uint64{}, pairs: map[[2]uint64]uint64{}, known: map[*outcome]uint64{}}
}

// numbered returns the number of a key, and whether it is new.
func numbered[K comparable](m map[K]uint64, k K) (n uint64, added bool) {
	n, ok := m[k]
	if !ok {
		n = uint64(len(m))
		m[k] = n
	}
	return n, !ok
}

// pair returns the number of the pair that an outcome is of.
func (w *dictionaryWriter) pair(o *outcome) uint64 {
	n, ok := w.known[o]
	if !ok {
		key := [2]uint64{w.aspect(o.before), w.aspect(o.after)}
		var added bool
		if n, added = numbered(w.pairs, key); added {
			w.raw[2] = binary.AppendUvarint(binary.AppendUvarint(w.raw[2], key[0]), key[1])
		}
		w.known[o] = n
	}
	return n
}

func (w *dictionaryWriter) aspect(a *aspect) uint64 {
	if a == nil {
		return 0
	}
	w.key = append(w.key[:0], byte(a.region)|byte(b2i(a.conflict))<<2)
	w.key = binary.AppendUvarint(w.key, uint64(len(a.claims)))
	for _, h := range a.claims {
		n, added := numbered(w.claims, *h.Claim)
		if added {
			w.raw[0] = appendClaim(w.raw[0], h.Claim)
		}
		w.key = binary.AppendUvarint(w.key, n<<2|uint64(b2i(h.lent))<<1|uint64(b2i(h.counts)))
	}
	n, ok := w.aspects[string(w.key)]
	if !ok {
		n = uint64(len(w.aspects))
		w.aspects[string(w.key)] = n
		w.raw[1] = append(w.raw[1], w.key...)
	}
	return n + 1
}

// fits reports whether the dictionary is within its limits.
func (w *dictionaryWriter) fits() bool {
	return len(w.claims) <= maxNightClaims && len(w.aspects) <= maxNightPairs && len(w.known) <= maxNightPairs &&
		len(w.raw[0])+len(w.raw[1])+len(w.raw[2]) <= maxDictionary-3*binary.MaxVarintLen64
}

func (w *dictionaryWriter) appendTo(b []byte) []byte {
	for i, n := range []int{len(w.claims), len(w.aspects), len(w.pairs)} {
		b = append(binary.AppendUvarint(b, uint64(n)), w.raw[i]...)
	}
	return b
}

// dictionary is one as read.
type dictionary struct {
	day      Day
	aspects  []aspect
	pairs    [][2]uint32 // aspects plus 1; 0: not there
	outcomes []atomic.Pointer[outcome]
}

// count reads a number of things of at least a byte each.
func (d *decoder) count(most int, what string) int {
	n := d.uvarint()
	if d.err == nil && (n > uint64(most) || n > uint64(len(d.b))) {
		d.err = fmt.Errorf("%d %s in %d bytes", n, what, len(d.b))
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

// below reads a number below n.
func (d *decoder) below(n uint64, what string) uint64 {
	v := d.uvarint()
	if d.err == nil && v >= n {
		d.err = fmt.Errorf("%s %d of %d", what, v, n)
	}
	if d.err != nil {
		return 0
	}
	return v
}

// parseDictionary reads a dictionary and evaluates its claims on a day.
func parseDictionary(raw []byte, day Day) (*dictionary, error) {
	d := decoder{b: raw}
	out := &dictionary{day: day}
	claims := make([]Claim, d.count(maxNightClaims, "claims"))
	for i := range claims {
		if claims[i] = d.claim(); d.err != nil {
			return nil, d.err
		}
	}
	out.aspects = make([]aspect, d.count(maxNightPairs, "aspects"))
	for i := range out.aspects {
		a, flags := &out.aspects[i], d.byte(1<<3)
		a.region, a.conflict = geo.Region(flags&3), flags>>2 == 1
		n := d.count(len(d.b), "claims of an aspect")
		for range n {
			it := d.below(uint64(len(claims))<<2, "claim")
			if d.err != nil {
				return nil, d.err
			}
			h := held{&claims[it>>2], it>>1&1 == 1, it&1 == 1}
			if k := len(a.claims); k > 0 && a.claims[k-1].about(h) > 0 {
				return nil, fmt.Errorf("claims of aspect %d out of order", i)
			}
			a.claims = append(a.claims, h)
		}
		a.evaluate(day)
	}
	out.pairs = make([][2]uint32, d.count(maxNightPairs, "pairs"))
	for i := range out.pairs {
		p := &out.pairs[i]
		for k := range p {
			p[k] = uint32(d.below(uint64(len(out.aspects))+1, "aspect"))
		}
		if d.err == nil && p[0] == 0 && p[1] == 0 {
			d.err = fmt.Errorf("pair %d of nothing", i)
		}
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = fmt.Errorf("%d bytes after the last pair", len(d.b))
	}
	if d.err != nil {
		return nil, d.err
	}
	out.outcomes = make([]atomic.Pointer[outcome], len(out.pairs))
	return out, nil
}

// outcome returns that of a pair.
func (d *dictionary) outcome(pair uint32) *outcome {
	o := d.outcomes[pair].Load()
	if o == nil {
		side := func(n uint32) *aspect {
			if n == 0 {
				return nil
			}
			return &d.aspects[n-1]
		}
		p := d.pairs[pair]
		o = newOutcome(side(p[0]), side(p[1]), d.day)
		d.outcomes[pair].Store(o) // or that of another reader: they are equal
	}
	return o
}

package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"coverd/geo"
)

// keyset is the postcodes of a snapshot, numbered in directory order: a bit for
// each of the 4,000 that an outcode could have.
//
// # Why
//
// Great Britain's 1.75 million postcodes of 2,900 outcodes take 1.5 MB so,
// which stays in the processor's caches; a postcode's number is two table
// look-ups and a count of bits. Sorted keys took 6.3 MB and two binary searches
// of 22 steps, the last of them in memory; with these and columns for what is
// known of a postcode a look-up took 510 ns, where it takes 100.
type keyset struct {
	outcodes column   // ordinals, rising
	bits     []byte   // 4,000 an outcode
	number   []uint32 // by ordinal: the outcode's number, plus 1
	ranks    []uint32 // postcodes before each run of rankBits
	n        int
}

const rankBits = 512

func packKeyset(n int, ordinal func(i int) uint32) (outcodes, packed []byte) {
	var list []uint32
	for i := range n {
		o := ordinal(i) / uint32(geo.Inwards)
		if len(list) == 0 || list[len(list)-1] != o {
			list = append(list, o)
			packed = append(packed, make([]byte, keysetBytes(len(list))-len(packed))...)
		}
		at := (len(list)-1)*geo.Inwards + int(ordinal(i)%uint32(geo.Inwards))
		packed[at/8] |= 1 << (at % 8)
	}
	return columnOf(len(list), func(i int) int64 { return int64(list[i]) }), packed
}

// keysetBytes is the size of the bits of n outcodes, in whole words.
func keysetBytes(n int) int { return (n*geo.Inwards + 63) / 64 * 8 }

func (r *reader) keyset(outcodes, packed string) (k keyset) {
	k.outcodes, k.bits = r.column(outcodes), r.bytes(packed)
	r.check(outcodes, k.outcodes.within(0, int64(geo.Outcodes)-1))
	r.check(outcodes, k.outcodes.ascending(true))
	if r.err != nil {
		return k
	}
	if len(k.bits) != keysetBytes(k.outcodes.n) {
		r.check(packed, fmt.Errorf("%d bytes for %d outcodes", len(k.bits), k.outcodes.n))
		return k
	}
	k.number = make([]uint32, geo.Outcodes)
	for i := range k.outcodes.n {
		k.number[k.outcodes.at(i)] = uint32(i + 1)
	}
	for w := range len(k.bits) / 8 {
		if w*64%rankBits == 0 {
			k.ranks = append(k.ranks, uint32(k.n))
		}
		k.n += bits.OnesCount64(k.word(w))
	}
	r.most = max(r.most, k.n) // each has its bit, which may be all there is of it
	if end := k.outcodes.n * geo.Inwards; end%64 != 0 && k.word(end/64)>>(end%64) != 0 {
		r.check(packed, errors.New("postcodes after the last outcode's"))
	}
	return k
}

func (k *keyset) word(i int) uint64 { return binary.LittleEndian.Uint64(k.bits[i*8:]) }

func (k *keyset) memory() int64 { return int64(4 * (len(k.number) + len(k.ranks))) }

// outcode returns the number of an outcode.
func (k *keyset) outcode(o geo.Outcode) (n int, ok bool) {
	n = int(k.number[o.Ordinal()]) - 1
	return n, n >= 0
}

// find returns the number of a postcode.
func (k *keyset) find(p geo.Postcode) (n int, ok bool) {
	ordinal := p.Ordinal()
	o := int(k.number[ordinal/uint32(geo.Inwards)]) - 1
	if o < 0 {
		return 0, false
	}
	at := uint(o*geo.Inwards) + uint(ordinal%uint32(geo.Inwards))
	i := at / 64
	w := k.word(int(i))
	if w>>(at%64)&1 == 0 {
		return 0, false
	}
	n = int(k.ranks[at/rankBits]) + bits.OnesCount64(w&(1<<(at%64)-1))
	for j := at / rankBits * (rankBits / 64); j < i; j++ {
		n += bits.OnesCount64(k.word(int(j)))
	}
	return n, true
}

// at returns the ordinal of postcode n, which must be in range.
func (k *keyset) at(n int) uint32 {
	lo, hi := 0, len(k.ranks)
	for lo+1 < hi {
		if mid := int(uint(lo+hi) >> 1); int(k.ranks[mid]) <= n {
			lo = mid
		} else {
			hi = mid
		}
	}
	i, left := lo*(rankBits/64), n-int(k.ranks[lo])
	w := k.word(i)
	for c := bits.OnesCount64(w); c <= left; c = bits.OnesCount64(w) {
		left -= c
		i++
		w = k.word(i)
	}
	for ; left > 0; left-- {
		w &= w - 1
	}
	at := i*64 + bits.TrailingZeros64(w)
	return uint32(k.outcodes.at(at/geo.Inwards))*uint32(geo.Inwards) + uint32(at%geo.Inwards)
}

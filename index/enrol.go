package index

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"coverd/geo"
)

// enrolled is what a roster is made of.
type enrolled struct {
	n, kinds      int
	address, kind func(row int) uint32
	uprn          func(row int) geo.UPRN
	starts        []uint64 // by block: rows that start a group
}

// rosterPart is the number of blocks that a worker packs at a time.
const rosterPart = 512

// packRoster writes the two sections of a roster. odd are the rows of each
// block whose UPRN is in no run.
func packRoster(in *enrolled, odd []uint64, workers int) (heads, packed []byte) {
	heads = make([]byte, blocksOf(in.n)*headSize)
	parts := make([][]byte, (blocksOf(in.n)+rosterPart-1)/rosterPart)
	shareOut(len(parts), 1, workers, func(part int) {
		var b blockPacker
		for block := part * rosterPart; block < min(len(odd), (part+1)*rosterPart); block++ {
			b.pack(in, block, odd[block], heads[block*headSize:][:headSize])
		}
		parts[part] = b.out
	})
	size := bitPadding
	for _, p := range parts {
		size += len(p)
	}
	packed = make([]byte, 0, size)
	start, before := 0, uint32(0) // of the part, in words; groups before the block
	for block := range odd {
		if block%rosterPart == 0 {
			start = len(packed) / 8
			packed = append(packed, parts[block/rosterPart]...)
			parts[block/rosterPart] = nil
		}
		h := heads[block*headSize:]
		binary.LittleEndian.PutUint32(h, binary.LittleEndian.Uint32(h)+uint32(start))
		binary.LittleEndian.PutUint32(h[4:], before)
		before += uint32(bits.OnesCount64(in.starts[block]))
	}
	return heads, append(packed, make([]byte, bitPadding)...)
}

// blockPacker packs blocks, one after another. Rows past the last are packed as
// zeros.
type blockPacker struct {
	out   []byte
	start int // of the block, in bytes
	at    uint
}

func (b *blockPacker) put(v uint64, width uint) {
	store(b.out[b.start:], b.at, v)
	b.at += width
}

func (b *blockPacker) pack(in *enrolled, block int, odd uint64, h []byte) {
	b.start, b.at = len(b.out), 128
	b.out = append(b.out, make([]byte, 8*(3+3*blockRows))...) // no row takes more than three words
	first := block * blockRows
	rows := min(blockRows, in.n-first)
	binary.LittleEndian.PutUint32(h, uint32(b.start/8))
	binary.LittleEndian.PutUint64(h[8:], in.starts[block])
	binary.LittleEndian.PutUint64(b.out[b.start+8:], odd)
	b.kinds(in, first, rows, h)
	b.addresses(in, first, rows, h)
	b.uprns(in, first, rows, odd, h)
	b.out = b.out[:b.start+int(b.at+63)/64*8]
}

func (b *blockPacker) kinds(in *enrolled, first, rows int, h []byte) {
	var buf [blockRows]uint32
	list := buf[:0]
	for row := first; row < first+rows; row++ {
		if k := in.kind(row); !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	h[26] = byte(len(list))
	for i := range blockRows {
		place := 0
		if i < rows {
			place, _ = slices.BinarySearch(list, in.kind(first+i))
		}
		b.put(uint64(place), widthBelow(len(list)))
	}
	for _, k := range list {
		b.put(uint64(k), widthBelow(in.kinds))
	}
}

func (b *blockPacker) addresses(in *enrolled, first, rows int, h []byte) {
	var list [blockRows]uint32
	for i := range rows {
		list[i] = in.address(first + i)
	}
	w, w2 := twoWidths(list[:])
	mask := uint64(0)
	for i, a := range list {
		if uint(bits.Len32(a)) > w {
			mask |= 1 << i
		}
	}
	binary.LittleEndian.PutUint64(b.out[b.start:], mask)
	h[24], h[25] = byte(w), byte(w2)
	binary.LittleEndian.PutUint16(h[28:], uint16(b.at))
	b.split(mask, w, w2, func(i int) uint64 { return uint64(list[i]) })
}

// split puts a block's values: those not in the mask with one width, then the
// others with another.
func (b *blockPacker) split(mask uint64, w, w2 uint, value func(i int) uint64) {
	for i := range blockRows {
		if mask>>i&1 == 0 {
			b.put(value(i), w)
		}
	}
	for i := range blockRows {
		if mask>>i&1 == 1 {
			b.put(value(i), w2)
		}
	}
}

// twoWidths returns the two widths that hold the values in fewest bits, the
// second being that of the largest, or 0 where the first will do for all.
func twoWidths(values []uint32) (w, w2 uint) {
	var count [33]int // by width
	for _, v := range values {
		n := bits.Len32(v)
		count[n]++
		w2 = max(w2, uint(n))
	}
	w = w2
	least, below := int(w2)*len(values), 0
	for k := range w2 {
		below += count[k]
		if size := below*int(k) + (len(values)-below)*int(w2); size < least {
			least, w = size, k
		}
	}
	if w == w2 {
		w2 = 0
	}
	return w, w2
}

func (b *blockPacker) uprns(in *enrolled, first, rows int, odd uint64, h []byte) {
	var uprn, base [blockRows]uint64 // base by run; 0: nothing is in it
	var runOf [blockRows]int
	runs, least := 1, uint64(0)
	for i := range rows {
		if i > 0 && in.starts[first/blockRows]>>i&1 == 1 {
			runs++
		}
		u, k := uint64(in.uprn(first+i)), runs-1
		uprn[i], runOf[i] = u, k
		if odd>>i&1 == 0 && (base[k] == 0 || u < base[k]) {
			base[k] = u
		}
		if u > 0 && (least == 0 || u < least) {
			least = u
		}
	}
	code := func(i int) uint64 {
		switch {
		case uprn[i] == 0:
			return 0
		case odd>>i&1 == 0:
			return uprn[i] - base[runOf[i]]
		}
		return uprn[i] - least + 1
	}
	var wBase, w, w2 int
	for i := range rows {
		if odd>>i&1 == 0 {
			w, wBase = max(w, bits.Len64(code(i))), max(wBase, bits.Len64(base[runOf[i]]-least))
		} else {
			w2 = max(w2, bits.Len64(code(i)))
		}
	}
	binary.LittleEndian.PutUint64(h[16:], least) // of its eight bytes five
	h[21], h[22], h[23] = byte(wBase), byte(w), byte(w2)
	binary.LittleEndian.PutUint16(h[30:], uint16(b.at))
	for _, u := range base[:runs] {
		b.put(max(u, least)-least, uint(wBase))
	}
	b.split(odd, uint(w), uint(w2), code)
}

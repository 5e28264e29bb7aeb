package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"coverd/geo"
)

// roster holds what is known of each premises but its location: to which group
// it belongs, its address, its kind (claim set and flags), and its UPRN. Rows
// are in blocks of 64, each with a head of fixed size and its values in widths
// of its own.
//
// # Why
//
// Within 64 neighbours little differs. Of ten blocks nine have at most three
// kinds, so that a row holds a place in the block's list of them: 0.9 bits,
// where columns for the country took 19. Addresses are numbered by how many
// premises have them, and half have one of the first hundred: a row has one of
// two widths, by a mask, and its place follows from a count of bits: 10 bits
// for 16. UPRNs mostly run with the postcode: see planUPRNs. Heads of one size
// and two masks that are always there (6 bits a premises) let any value be
// found without a scan.
//
// Offsets are in 64-bit words, so that 4 bytes reach 32 GiB.
type roster struct {
	n         int
	heads     []byte
	bits      []byte
	kindWidth uint
}

// A head is: where the block's bits start, in words (4 bytes); how many groups
// start before it (4); which rows start one (8); the least UPRN (5); widths of
// the runs' bases, of UPRNs in a run, and of other UPRNs; the two widths of
// addresses; the number of kinds; a zero (1 each); and where, in bits from the
// block's, addresses and UPRNs start (2 each).
//
// The bits are: a mask of the rows whose address is of the second width; one of
// those whose UPRN is in no run; the rows' places in the list of kinds; that
// list; addresses of the first and then of the second width; the bases of the
// runs, less the least UPRN; UPRNs in runs, less their run's base; the other
// UPRNs, less the least, plus 1, 0 being none.
type head []byte

const headSize = 32

func (r *roster) head(row int) head { return head(r.heads[row/blockRows*headSize:][:headSize]) }

func (h head) bit() uint       { return uint(binary.LittleEndian.Uint32(h)) * 64 }
func (h head) before() int     { return int(binary.LittleEndian.Uint32(h[4:])) }
func (h head) starts() uint64  { return binary.LittleEndian.Uint64(h[8:]) }
func (h head) base() uint64    { return binary.LittleEndian.Uint64(h[16:]) & (1<<40 - 1) }
func (h head) kinds() uint     { return uint(h[26]) }
func (h head) addresses() uint { return h.bit() + uint(binary.LittleEndian.Uint16(h[28:])) }
func (h head) uprns() uint     { return h.bit() + uint(binary.LittleEndian.Uint16(h[30:])) }

// later are the rows that start a run other than the block's first.
func (h head) later() uint64 { return h.starts() &^ 1 }

func ones(v uint64) uint { return uint(bits.OnesCount64(v)) }

// group returns the number of the group that a row is in.
func (r *roster) group(row int) int {
	h := r.head(row)
	return h.before() + bits.OnesCount64(h.starts()&(2<<(uint(row)%blockRows)-1)) - 1
}

// kind returns a row's kind.
func (r *roster) kind(row int) int {
	h := r.head(row)
	w, at := uint(bits.Len(h.kinds()-1)), h.bit()+128
	place := load(r.bits, at+uint(row)%blockRows*w) & (1<<w - 1)
	return int(load(r.bits, at+blockRows*w+uint(place)*r.kindWidth) & (1<<r.kindWidth - 1))
}

// address returns the number of a row's address.
func (r *roster) address(row int) int {
	h := r.head(row)
	mask, i, at := binary.LittleEndian.Uint64(r.bits[h.bit()/8:]), uint(row)%blockRows, h.addresses()
	second := ones(mask & (1<<i - 1))
	w, w2 := uint(h[24]), uint(h[25])
	if mask>>i&1 == 0 {
		return int(load(r.bits, at+(i-second)*w) & (1<<w - 1))
	}
	at += (blockRows - ones(mask)) * w
	return int(load(r.bits, at+second*w2) & (1<<w2 - 1))
}

// uprn returns a row's UPRN, or 0.
func (r *roster) uprn(row int) geo.UPRN {
	h := r.head(row)
	odd, i, at := binary.LittleEndian.Uint64(r.bits[h.bit()/8+8:]), uint(row)%blockRows, h.uprns()
	wBase, w := uint(h[21]), uint(h[22])
	before, codes := ones(odd&(1<<i-1)), at+(1+ones(h.later()))*wBase
	if odd>>i&1 == 0 {
		run := ones(h.later() & (2<<i - 1))
		return geo.UPRN(h.base() + load(r.bits, at+run*wBase)&(1<<wBase-1) + load(r.bits, codes+(i-before)*w)&(1<<w-1))
	}
	w2 := uint(h[23])
	codes += (blockRows - ones(odd)) * w
	if v := load(r.bits, codes+before*w2) & (1<<w2 - 1); v > 0 {
		return geo.UPRN(h.base() + v - 1)
	}
	return 0
}

// inRun looks for a UPRN in the run that a row is the first of.
func (r *roster) inRun(row int, u geo.UPRN) (found int, ok bool) {
	h := r.head(row)
	odd, first, at := binary.LittleEndian.Uint64(r.bits[h.bit()/8+8:]), uint(row)%blockRows, h.uprns()
	wBase, w := uint(h[21]), uint(h[22])
	least := h.base() + load(r.bits, at+ones(h.later()&(2<<first-1))*wBase)&(1<<wBase-1)
	if uint64(u) < least || uint64(u)-least >= 1<<w {
		return 0, false
	}
	want := uint64(u) - least
	end := first + 1 + uint(bits.TrailingZeros64(h.starts()>>first>>1)) // beyond the block: the last run
	end = min(end, blockRows, first+uint(r.n-row))
	at += (1+ones(h.later()))*wBase + (first-ones(odd&(1<<first-1)))*w
	for i := first; i < end; i++ {
		if odd>>i&1 == 1 {
			continue
		}
		if load(r.bits, at)&(1<<w-1) == want {
			return row + int(i-first), true
		}
		at += w
	}
	return 0, false
}

// roster reads a roster of n rows and checks every one.
func (r *reader) roster(heads, packed string, n, addresses, kinds int) roster {
	t := roster{n: n, heads: r.bytes(heads), bits: r.bytes(packed), kindWidth: widthBelow(kinds)}
	if r.err != nil {
		return t
	}
	if len(t.heads) != blocksOf(n)*headSize || len(t.bits) < bitPadding {
		r.check(heads, fmt.Errorf("%d bytes for the blocks of %d rows", len(t.heads), n))
		return t
	}
	before := 0
	for row := 0; row < n; row += blockRows {
		h := t.head(row)
		if h.before() != before || row == 0 && h.starts()&1 == 0 || n-row < blockRows && h.starts()>>(n-row) != 0 {
			r.check(heads, fmt.Errorf("groups of block %d", row/blockRows))
			return t
		}
		before += bits.OnesCount64(h.starts())
	}
	r.check(packed, inParallel(blocksOf(n), r.workers, func(block int) error { return t.checkBlock(block, addresses, kinds) }))
	return t
}

// widthBelow is the bits that a number below n takes.
func widthBelow(n int) uint { return uint(bits.Len(uint(max(n, 1) - 1))) }

func (r *roster) checkBlock(block, addresses, kinds int) error {
	first := block * blockRows
	h := r.head(first)
	end := uint(len(r.bits)-bitPadding) * 8
	if h.kinds() == 0 || h.kinds() > blockRows || h[24] > 32 || h[25] > 32 || h[21] > 40 || h[22] > 40 || h[23] > 41 || h.bit()+128 > end {
		return fmt.Errorf("head of block %d", block)
	}
	second := binary.LittleEndian.Uint64(r.bits[h.bit()/8:])
	odd := binary.LittleEndian.Uint64(r.bits[h.bit()/8+8:])
	w := uint(bits.Len(h.kinds() - 1))
	if h.bit()+128+blockRows*w+h.kinds()*r.kindWidth > end ||
		h.addresses()+ones(^second)*uint(h[24])+ones(second)*uint(h[25]) > end ||
		h.uprns()+(1+ones(h.later()))*uint(h[21])+ones(^odd)*uint(h[22])+ones(odd)*uint(h[23]) > end {
		return fmt.Errorf("block %d reaches over the end", block)
	}
	for row := first; row < min(r.n, first+blockRows); row++ {
		place := load(r.bits, h.bit()+128+uint(row)%blockRows*w) & (1<<w - 1)
		if uint(place) >= h.kinds() || r.kind(row) >= kinds || r.address(row) >= addresses || r.uprn(row) > maxUPRN {
			return fmt.Errorf("premises %d leads to nothing", row)
		}
	}
	return nil
}

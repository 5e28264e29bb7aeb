package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// directory is a sorted list of UPRNs and the row of each, 64 to a block. It
// finds the last that is not above a given one.
//
// # Why
//
// A row takes 25 bits and a UPRN, less the first of its block, some 10 to 12.
// Without UPRNs here each step of the search would decode a premises somewhere
// in memory: 25 steps took 1.4 µs. The blocks' first UPRNs are some 2 MB at
// national scale and near the processor; a look-up then reads one block.
type directory struct {
	heads    []byte // first UPRN (5 bytes), width of the others (1), where the bits start, in words (4)
	bits     []byte // the block's UPRNs, less the first, then its rows
	rowWidth uint
}

const (
	dirRows = 64
	dirHead = 10
)

// keyed is an entry of a directory.
type keyed struct {
	uprn uint64
	row  uint32
}

func (a keyed) compare(b keyed) int {
	if a.uprn != b.uprn {
		return cmp.Compare(a.uprn, b.uprn)
	}
	return cmp.Compare(a.row, b.row)
}

// packDirectory writes the two sections of a directory of some of n rows. Its
// last block is filled up with its last entry.
func packDirectory(list []keyed, n int) (heads, packed []byte) {
	rowWidth := widthBelow(n)
	for first := 0; first < len(list); first += dirRows {
		block := list[first:min(len(list), first+dirRows)]
		width := uint(bits.Len64(block[len(block)-1].uprn - block[0].uprn))
		start := len(packed)
		heads = binary.LittleEndian.AppendUint64(heads, block[0].uprn|uint64(width)<<40)
		heads = binary.LittleEndian.AppendUint32(heads[:len(heads)-2], uint32(start/8))
		packed = append(packed, make([]byte, 8*(width+rowWidth)+bitPadding)...)
		for i := range uint(dirRows) {
			e := block[min(int(i), len(block)-1)]
			store(packed[start:], i*width, e.uprn-block[0].uprn)
			store(packed[start:], dirRows*width+i*rowWidth, uint64(e.row))
		}
		packed = packed[:start+int(8*(width+rowWidth))]
	}
	return heads, append(packed, make([]byte, bitPadding)...)
}

func (d *directory) first(block int) uint64 {
	return binary.LittleEndian.Uint64(d.heads[block*dirHead:]) & (1<<40 - 1)
}

// floor returns the last entry whose UPRN is not above u.
func (d *directory) floor(u uint64) (e keyed, ok bool) {
	lo, hi := 0, len(d.heads)/dirHead
	if hi == 0 || d.first(0) > u {
		return keyed{}, false
	}
	for lo+1 < hi {
		if mid := int(uint(lo+hi) >> 1); d.first(mid) <= u {
			lo = mid
		} else {
			hi = mid
		}
	}
	h := d.heads[lo*dirHead:][:dirHead]
	first := d.first(lo)
	width, at := uint(h[5]), uint(binary.LittleEndian.Uint32(h[6:]))*64
	want, i, code := u-first, uint(0), uint64(0)
	for step := uint(dirRows / 2); step > 0; step /= 2 {
		if v := load(d.bits, at+(i+step)*width) & (1<<width - 1); v <= want {
			i, code = i+step, v
		}
	}
	row := load(d.bits, at+dirRows*width+i*d.rowWidth) & (1<<d.rowWidth - 1)
	return keyed{first + code, uint32(row)}, true
}

// directory reads a directory of some of n rows, and checks where it leads.
func (r *reader) directory(heads, packed string, n int) directory {
	d := directory{heads: r.bytes(heads), bits: r.bytes(packed), rowWidth: widthBelow(n)}
	if r.err != nil {
		return d
	}
	if len(d.heads)%dirHead != 0 || len(d.bits) < bitPadding {
		r.check(heads, fmt.Errorf("%d bytes of blocks", len(d.heads)))
		return d
	}
	r.check(packed, inParallel(len(d.heads)/dirHead, r.workers, func(block int) error {
		h := d.heads[block*dirHead:]
		width, at := uint(h[5]), uint(binary.LittleEndian.Uint32(h[6:]))*64
		if width > 40 || at/8+8*(width+d.rowWidth) > uint(len(d.bits)-bitPadding) {
			return fmt.Errorf("block %d reaches over the end", block)
		}
		for i := range uint(dirRows) {
			if row := load(d.bits, at+dirRows*width+i*d.rowWidth) & (1<<d.rowWidth - 1); row >= uint64(n) {
				return fmt.Errorf("block %d leads to premises %d of %d", block, row, n)
			}
		}
		return nil
	}))
	return d
}

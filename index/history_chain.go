package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// history is what a snapshot remembers of the nights before it, premises by
// premises: what was said of each before it was said otherwise.
//
// # Why
//
// The question is "what was said of this premises on that day", asked of a
// postcode's premises on the way to an answer that takes a few microseconds, so
// the journal, which has whole nights in compressed blocks, is no place to look.
// Thirteen months of nights change one premises in five, so that a bit a premises
// tells which have a past at all, in the least room that numbers of a fifth of
// the rows take. What there is of 256 rows is behind each other: of a year some 60
// events, walked through up to the row's own in a few dozen nanoseconds. An event
// names the night and what was said before it; neighbours were told much the
// same, so that it holds a place in the block's list of what there is. Night and
// place take 16 to 18 bits, head and list 11 more an event, where a night, a
// row and an aspect would take 49.
//
// Premises that are gone have rows of their own, behind those that are there.
type history struct {
	ids  []string // of the snapshots before, oldest first
	days []Day    // their as-of days, and the snapshot's own; at least two

	// past has the claims that were made. Its claim set 0 is that of no premises,
	// set i that of aspect i−1.
	past      *Snapshot
	conflicts []bool // by claim set

	rows       int // of premises, and those that are gone
	heads      []byte
	bits       []byte
	nightWidth uint
	codeWidth  uint

	gone departures
}

// A head is: where the block's bits start, in words (4 bytes); how long its list
// is (4); which rows have a past (32).
//
// The bits are the list, of codes of what was said, and the events of the rows
// in order. An event is a bit that tells the last of its row; the night, less 1;
// and the place in the list of what was said before it.
const (
	pastRows     = 256
	pastHeadSize = 8 + pastRows/8
)

// chain is what is remembered of one premises: events, oldest first.
type chain struct {
	h     *history
	list  uint // where the block's list starts
	at    uint // the next event
	width uint // of places in the list
	ended bool
}

// chain returns that of a row.
func (h *history) chain(row int) chain {
	head := h.heads[row/pastRows*pastHeadSize:][:pastHeadSize]
	word, bit := uint(row)%pastRows/64, uint64(1)<<(uint(row)%64)
	mask := binary.LittleEndian.Uint64(head[8+8*word:])
	if mask&bit == 0 {
		return chain{h: h, ended: true}
	}
	c, before := h.block(head), ones(mask&(bit-1))
	for i := range word {
		before += ones(binary.LittleEndian.Uint64(head[8+8*i:]))
	}
	stride := c.stride()
	for before > 0 {
		before -= uint(load(h.bits, c.at) & 1)
		c.at += stride
	}
	return c
}

// block returns the chain of the first row of a block that has one.
func (h *history) block(head []byte) chain {
	list := uint(binary.LittleEndian.Uint32(head)) * 64
	n := int(binary.LittleEndian.Uint32(head[4:]))
	return chain{h: h, list: list, at: list + uint(n)*h.codeWidth, width: widthBelow(n)}
}

func (c *chain) stride() uint { return 1 + c.h.nightWidth + c.width }

// next returns the next event: the night that the snapshot of days[night] came
// in, and the code of what was said before.
func (c *chain) next() (night int, code uint32, ok bool) {
	if c.ended {
		return 0, 0, false
	}
	h, v := c.h, load(c.h.bits, c.at)
	c.at += c.stride()
	c.ended = v&1 == 1
	night = int(v>>1&(1<<h.nightWidth-1)) + 1
	place := uint(v >> (1 + h.nightWidth) & (1<<c.width - 1))
	return night, uint32(load(h.bits, c.list+place*h.codeWidth) & (1<<h.codeWidth - 1)), true
}

// has reports whether a row has a past.
func (h *history) has(row uint32) bool {
	return h.heads[row/pastRows*pastHeadSize+8+row%pastRows/8]>>(row%8)&1 == 1
}

// indication is what a code stands for.
func (h *history) indication(code uint32) Indication {
	return Indication{Present: code > 0, Conflict: h.conflicts[code], Claims: ClaimSet{s: h.past, code: code}, Past: true}
}

// checkBlocks checks that every chain ends, in its block, and leads to something
// that is there.
func (h *history) checkBlocks(workers int) error {
	blocks := (h.rows + pastRows - 1) / pastRows
	if len(h.heads) != blocks*pastHeadSize || len(h.bits) < bitPadding || len(h.bits)%8 != 0 {
		return fmt.Errorf("%d bytes for the blocks of %d rows", len(h.heads), h.rows)
	}
	return inParallel(blocks, workers, func(block int) error {
		if err := h.checkBlock(block, blocks); err != nil {
			return fmt.Errorf("block %d: %w", block, err)
		}
		return nil
	})
}

func (h *history) checkBlock(block, blocks int) error {
	head := h.heads[block*pastHeadSize:][:pastHeadSize]
	end := uint(len(h.bits) - bitPadding)
	if block+1 < blocks {
		end = 8 * uint(binary.LittleEndian.Uint32(h.heads[(block+1)*pastHeadSize:]))
	}
	end *= 8
	n := uint(binary.LittleEndian.Uint32(head[4:]))
	c := h.block(head)
	if block == 0 && c.list != 0 || end > 8*uint(len(h.bits)-bitPadding) || n > end || c.at > end {
		return fmt.Errorf("a list of %d from bit %d to %d", n, c.list, end)
	}
	for i, last := uint(0), int64(-1); i < n; i++ {
		code := int64(load(h.bits, c.list+i*h.codeWidth) & (1<<h.codeWidth - 1))
		if code <= last || int(code) >= h.past.ClaimSets() {
			return fmt.Errorf("its list has %d after %d, of %d", code, last, h.past.ClaimSets())
		}
		last = code
	}
	row := block * pastRows
	for w := range pastRows / 64 {
		mask := binary.LittleEndian.Uint64(head[8+8*w:])
		if left := h.rows - row - 64*w; left < 64 && mask>>max(left, 0) != 0 {
			return fmt.Errorf("rows past the last of %d", h.rows)
		}
		for range bits.OnesCount64(mask) {
			for before, ended := 0, false; !ended; {
				if c.at+c.stride() > end {
					return fmt.Errorf("a row's events reach over bit %d", end)
				}
				v := load(h.bits, c.at)
				place := uint(v >> (1 + h.nightWidth) & (1<<c.width - 1))
				night := int(v>>1&(1<<h.nightWidth-1)) + 1
				if place >= n || night <= before || night >= len(h.days) {
					return fmt.Errorf("an event of night %d after %d, place %d of %d", night, before, place, n)
				}
				c.at, before, ended = c.at+c.stride(), night, v&1 == 1
			}
		}
	}
	if end-c.at >= 64 {
		return fmt.Errorf("%d bits behind its events", end-c.at)
	}
	for ; c.at < end; c.at++ {
		if load(h.bits, c.at)&1 != 0 {
			return errors.New("bits behind its events that are not zero")
		}
	}
	return nil
}

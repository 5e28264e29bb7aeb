package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A column is a list of whole numbers, each in the same number of bits. It
// holds no pointer and is written to the file as it stands.
//
// Layout (little-endian): base int64, count uint64, width uint8, seven zero
// bytes, then the values less base, packed from the lowest bit up, then eight
// zero bytes so that any value can be fetched with one eight-byte load. Values
// are at most 57 bits wide, which keeps a value within such a load wherever it
// starts.
type column struct {
	base  int64
	n     int
	width uint
	mask  uint64
	bits  []byte
}

const (
	columnHeader  = 24
	columnPadding = 8
	maxWidth      = 57
)

// columnOf packs n values. It panics if they span more than 57 bits: none of
// the quantities stored comes near.
func columnOf(n int, value func(i int) int64) []byte {
	lo, hi := int64(0), int64(0)
	for i := range n {
		v := value(i)
		if i == 0 {
			lo, hi = v, v
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	width := uint(bits.Len64(uint64(hi - lo)))
	if width > maxWidth {
		panic(fmt.Sprintf("index: column of %d bits", width))
	}
	raw := make([]byte, columnHeader+(uint64(n)*uint64(width)+7)/8+columnPadding)
	binary.LittleEndian.PutUint64(raw[0:], uint64(lo))
	binary.LittleEndian.PutUint64(raw[8:], uint64(n))
	raw[16] = byte(width)
	if width == 0 {
		return raw
	}
	data, at := raw[columnHeader:], uint(0)
	for i := range n {
		p := data[at>>3:]
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)|uint64(value(i)-lo)<<(at&7))
		at += width
	}
	return raw
}

// parseColumn reads a column, keeping raw. Every length is checked against raw.
func parseColumn(raw []byte) (column, error) {
	if len(raw) < columnHeader+columnPadding {
		return column{}, fmt.Errorf("column of %d bytes", len(raw))
	}
	n, width := binary.LittleEndian.Uint64(raw[8:]), uint(raw[16])
	if width > maxWidth || n > 1<<40 || uint64(len(raw)) != columnHeader+(n*uint64(width)+7)/8+columnPadding {
		return column{}, fmt.Errorf("column of %d values of %d bits in %d bytes", n, width, len(raw))
	}
	base := int64(binary.LittleEndian.Uint64(raw[0:]))
	if base < -1<<60 || base > 1<<60 {
		return column{}, fmt.Errorf("column with base %d", base)
	}
	return column{base: base, n: int(n), width: width, mask: 1<<width - 1, bits: raw[columnHeader:]}, nil
}

// at returns value i, which must be in range.
func (c *column) at(i int) int64 {
	at := uint(i) * c.width
	return c.base + int64(binary.LittleEndian.Uint64(c.bits[at>>3:])>>(at&7)&c.mask)
}

// bounds returns the smallest and largest value; ok is false for no values.
func (c *column) bounds() (lo, hi int64, ok bool) {
	for i := range c.n {
		v := c.at(i)
		if i == 0 {
			lo, hi = v, v
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi, c.n > 0
}

// within checks that every value is in [lo, hi].
func (c *column) within(lo, hi int64) error {
	// The packed range is nearly always enough to tell.
	if c.base >= lo && c.base <= hi && uint64(hi-c.base) >= c.mask {
		return nil
	}
	if l, h, ok := c.bounds(); ok && (l < lo || h > hi) {
		return fmt.Errorf("values %d to %d, want %d to %d", l, h, lo, hi)
	}
	return nil
}

// ascending checks that values never fall, and rise at every step if strict.
func (c *column) ascending(strict bool) error {
	for i := 1; i < c.n; i++ {
		if a, b := c.at(i-1), c.at(i); b < a || strict && b == a {
			return fmt.Errorf("value %d (%d) follows %d", i, b, a)
		}
	}
	return nil
}

// search returns the first i in [lo, hi) whose value is at least v, or hi.
// Values in the range must ascend.
func (c *column) search(lo, hi int, v int64) int {
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); c.at(mid) < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

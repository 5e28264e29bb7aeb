package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A column is a list of whole numbers, each in the same number of bits. It
// holds no pointer and is used where it lies in the file. Several columns of
// equal length may share their bits, record by record: see recordsOf.
//
// Values are at most 57 bits wide, which keeps a value within one eight-byte
// load wherever it starts.
type column struct {
	base   int64
	n      int
	mask   uint64
	stride uint // from a value to the next, in bits
	first  uint // of value 0
	width  uint
	bits   []byte
}

// field is a column to be written.
type field struct {
	name  string
	value func(i int) int64
}

const (
	recordsHeader = 16 // count, number of fields
	fieldHeader   = 16 // base, width
	bitPadding    = 8
	maxWidth      = 57
)

// load returns the bits from bit at on, of which the lowest 57 are those of b.
// Eight bytes must be there.
func load(b []byte, at uint) uint64 {
	return binary.LittleEndian.Uint64(b[at>>3:]) >> (at & 7)
}

// store sets bits that are zero, from bit at on: v, of at most 57 bits.
func store(b []byte, at uint, v uint64) {
	b = b[at>>3:]
	binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)|v<<(at&7))
}

// columnOf packs a column of n values.
func columnOf(n int, value func(i int) int64) []byte { return recordsOf(n, field{"", value}) }

// recordsOf packs n records, the fields of each one after another, so that what
// is asked for together is in one or two cache lines. FORMAT.md has the layout.
// It panics if the values of a field span more than 57 bits: none of the
// quantities stored comes near.
func recordsOf(n int, fields ...field) []byte {
	lows, widths, stride := make([]int64, len(fields)), make([]uint, len(fields)), uint(0)
	for k, f := range fields {
		lo, hi := int64(0), int64(0)
		for i := range n {
			v := f.value(i)
			if i == 0 {
				lo, hi = v, v
			}
			lo, hi = min(lo, v), max(hi, v)
		}
		lows[k], widths[k] = lo, uint(bits.Len64(uint64(hi-lo)))
		if widths[k] > maxWidth {
			panic(fmt.Sprintf("index: column %s of %d bits", f.name, widths[k]))
		}
		stride += widths[k]
	}
	head := recordsHeader + fieldHeader*len(fields)
	raw := make([]byte, uint64(head)+(uint64(n)*uint64(stride)+7)/8+bitPadding)
	binary.LittleEndian.PutUint64(raw, uint64(n))
	raw[8] = byte(len(fields))
	first := uint(0)
	for k, f := range fields {
		h := raw[recordsHeader+fieldHeader*k:]
		binary.LittleEndian.PutUint64(h, uint64(lows[k]))
		h[8] = byte(widths[k])
		if widths[k] > 0 {
			at := first
			for i := range n {
				store(raw[head:], at, uint64(f.value(i)-lows[k]))
				at += stride
			}
		}
		first += widths[k]
	}
	return raw
}

// parseRecords reads the columns of records, keeping raw. Every length is
// checked against raw.
func parseRecords(raw []byte, fields int) ([]column, error) {
	head := recordsHeader + fieldHeader*fields
	if len(raw) < head+bitPadding || int(raw[8]) != fields {
		return nil, fmt.Errorf("column of %d bytes, want %d fields", len(raw), fields)
	}
	n, stride := binary.LittleEndian.Uint64(raw), uint(0)
	out := make([]column, fields)
	for k := range out {
		h := raw[recordsHeader+fieldHeader*k:]
		c := column{base: int64(binary.LittleEndian.Uint64(h)), n: int(n), width: uint(h[8]), first: stride, bits: raw[head:]}
		if c.width > maxWidth || c.base < -1<<60 || c.base > 1<<60 {
			return nil, fmt.Errorf("column of %d bits with base %d", c.width, c.base)
		}
		c.mask = 1<<c.width - 1
		stride += c.width
		out[k] = c
	}
	if n > 1<<40 || uint64(len(raw)) != uint64(head)+(n*uint64(stride)+7)/8+bitPadding {
		return nil, fmt.Errorf("column of %d values of %d bits in %d bytes", n, stride, len(raw))
	}
	for k := range out {
		out[k].stride = stride
	}
	return out, nil
}

// parseColumn reads a single column.
func parseColumn(raw []byte) (column, error) {
	c, err := parseRecords(raw, 1)
	if err != nil {
		return column{}, err
	}
	return c[0], nil
}

// at returns value i, which must be in range.
func (c *column) at(i int) int64 {
	return c.base + int64(load(c.bits, uint(i)*c.stride+c.first)&c.mask)
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

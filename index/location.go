package index

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"coverd/geo"
)

// locations are places in rows, 64 to a block, each as its offset from the
// south-west corner of its block's rectangle. Rows are in Hilbert order, so
// that the rectangles are small, and they serve twice: the search for what is
// nearest walks them.
//
// # Why
//
// At national scale a premises takes 25.2 bits so, against 48 in two columns
// over the whole country. Blocks of 32 would take 24.2 and twice as many
// rectangles, 5 bits a premises for 2.5; offsets from the postcode's own
// location some 3 bits less, and another look-up for each. All rows of a block
// have the same width, so that any is one eight-byte load.
type locations struct {
	n     int
	boxes []byte
	bits  []byte
}

const (
	blockRows = 64
	// Before the blocks' entries is the number of rows (8 bytes). A block's entry
	// is the least latitude and longitude (int32), the number of
	// latitudes its rectangle spans, 0 if no row has a location, the largest
	// longitude less the least, and where its bits start, in words (uint32).
	boxSize = 20
	boxHead = 8
)

// box is a rectangle in microdegrees; min above max means it is empty.
type box struct{ minLat, minLng, maxLat, maxLng int32 }

// emptyBox is further from every box than an int32 is from overflowing.
var emptyBox = box{1 << 30, 1 << 30, -1 << 30, -1 << 30}

func (b *box) extend(c box) {
	b.minLat, b.minLng = min(b.minLat, c.minLat), min(b.minLng, c.minLng)
	b.maxLat, b.maxLng = max(b.maxLat, c.maxLat), max(b.maxLng, c.maxLng)
}

// meets reports whether two boxes have a point in common.
func (b *box) meets(c *box) bool {
	return b.minLat <= c.maxLat && c.minLat <= b.maxLat && b.minLng <= c.maxLng && c.minLng <= b.maxLng
}

// size grows with a box.
func (b *box) size() float64 { return float64(b.maxLat-b.minLat) + float64(b.maxLng-b.minLng) }

// rectangle is a block's entry, decoded.
type rectangle struct {
	minLat, minLng int32
	span, extent   uint32 // the code for no location, and the largest code of a longitude
	bit            uint   // where row 0 of the block is
	wLat, wLng     uint
}

func (l *locations) rectangle(block int) rectangle {
	e := l.boxes[boxHead+block*boxSize:][:boxSize]
	r := rectangle{
		minLat: int32(binary.LittleEndian.Uint32(e)), minLng: int32(binary.LittleEndian.Uint32(e[4:])),
		span: binary.LittleEndian.Uint32(e[8:]), extent: binary.LittleEndian.Uint32(e[12:]),
		bit: uint(binary.LittleEndian.Uint32(e[16:])) * 64,
	}
	r.wLat, r.wLng = uint(bits.Len32(r.span)), uint(bits.Len32(r.extent))
	return r
}

// codes returns a row's offsets; of one without location, that in latitude is
// the span.
func (r *rectangle) codes(b []byte, i int) (lat, lng uint32) {
	v := load(b, r.bit+uint(i)*(r.wLat+r.wLng))
	return uint32(v & (1<<r.wLat - 1)), uint32(v >> r.wLat & (1<<r.wLng - 1))
}

// at returns the location of a row, or the zero value.
func (l *locations) at(row int) geo.Location {
	e := l.boxes[boxHead+row/blockRows*boxSize:][:boxSize]
	span, extent := binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
	wLat, wLng := uint(bits.Len32(span)), uint(bits.Len32(extent))
	v := load(l.bits, uint(binary.LittleEndian.Uint32(e[16:]))*64+uint(row)%blockRows*(wLat+wLng))
	lat, lng := uint32(v&(1<<wLat-1)), uint32(v>>wLat&(1<<wLng-1))
	if lat >= span {
		return geo.Location{}
	}
	return geo.Location{Lat: int32(binary.LittleEndian.Uint32(e) + lat), Lng: int32(binary.LittleEndian.Uint32(e[4:]) + lng)}
}

// box returns the rectangle around a block's rows.
func (l *locations) box(block int) box {
	e := l.boxes[boxHead+block*boxSize:][:boxSize]
	b := box{minLat: int32(binary.LittleEndian.Uint32(e)), minLng: int32(binary.LittleEndian.Uint32(e[4:]))}
	span := int32(binary.LittleEndian.Uint32(e[8:]))
	if span == 0 {
		return emptyBox
	}
	b.maxLat, b.maxLng = b.minLat+span-1, b.minLng+int32(binary.LittleEndian.Uint32(e[12:]))
	return b
}

// blocksOf is how many blocks n rows take.
func blocksOf(n int) int { return (n + blockRows - 1) / blockRows }

// packLocations writes the two sections of n locations.
func packLocations(n int, at func(row int) geo.Location) (boxes, packed []byte) {
	boxes = make([]byte, boxHead, boxHead+blocksOf(n)*boxSize)
	binary.LittleEndian.PutUint64(boxes, uint64(n))
	packed = make([]byte, 0, 4*n+bitPadding)
	for first := 0; first < n; first += blockRows {
		end := min(n, first+blockRows)
		b := emptyBox
		for row := first; row < end; row++ {
			if p := at(row); p.IsValid() {
				b.extend(box{p.Lat, p.Lng, p.Lat, p.Lng})
			}
		}
		span, extent := uint32(0), uint32(0)
		if b == emptyBox {
			b.minLat, b.minLng = 0, 0
		} else {
			span, extent = uint32(b.maxLat-b.minLat)+1, uint32(b.maxLng-b.minLng)
		}
		start := len(packed)
		for _, v := range [...]uint32{uint32(b.minLat), uint32(b.minLng), span, extent, uint32(start / 8)} {
			boxes = binary.LittleEndian.AppendUint32(boxes, v)
		}
		wLat, width := bits.Len32(span), bits.Len32(span)+bits.Len32(extent)
		packed = append(packed, make([]byte, 8*width+bitPadding)...)
		for row := first; row < end; row++ {
			v := uint64(span)
			if p := at(row); p.IsValid() {
				v = uint64(p.Lat-b.minLat) | uint64(p.Lng-b.minLng)<<wLat
			}
			store(packed[start:], uint((row-first)*width), v)
		}
		packed = packed[:start+8*width]
	}
	return boxes, append(packed, make([]byte, bitPadding)...)
}

// locations reads locations of n rows and checks every one.
func (r *reader) locations(boxes, packed string, n int) locations {
	l := locations{n: n, boxes: r.bytes(boxes), bits: r.bytes(packed)}
	if r.err != nil {
		return l
	}
	if len(l.boxes) != boxHead+blocksOf(n)*boxSize || binary.LittleEndian.Uint64(l.boxes) != uint64(n) || len(l.bits) < bitPadding {
		r.check(boxes, fmt.Errorf("%d bytes, want the blocks of %d rows", len(l.boxes), n))
		return l
	}
	r.check(boxes, inParallel(blocksOf(n), r.workers, l.checkBlock))
	return l
}

func (l *locations) checkBlock(block int) error {
	r := l.rectangle(block)
	lat, lng := int64(r.minLat), int64(r.minLng)
	if lat < -maxLat || lng < -maxLng || lat+int64(r.span) > maxLat+1 || lng+int64(r.extent) > maxLng {
		return fmt.Errorf("block %d reaches over the Earth's edge", block)
	}
	if r.bit/8+8*(r.wLat+r.wLng) > uint(len(l.bits)-bitPadding) {
		return fmt.Errorf("block %d reaches over the end", block)
	}
	for i := range min(blockRows, l.n-block*blockRows) {
		if lat, lng := r.codes(l.bits, i); lat > r.span || lng > r.extent {
			return fmt.Errorf("row %d lies outside of its block's rectangle", block*blockRows+i)
		}
	}
	return nil
}

package geo

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// OSTN15 is a grid of shifts between the National Grid projection of ETRS89
// and OSGB36, a node every kilometre, to be read off by bilinear
// interpolation.
//
// © Crown copyright and database rights, Ordnance Survey and the Ministry of
// Defence 2016. All rights reserved. ostn15/LICENSE has the terms.
const (
	ostnColumns = 701
	ostnRows    = 1251
	ostnNodes   = ostnColumns * ostnRows
)

// ostnPacked is the two grids as packOSTN15 makes it: 3.5 MB of shifts in 0.7.
//
//go:embed ostn15/ostn15.zst
var ostnPacked []byte

// ostnGrid is the shifts in millimetres, east less 82,140 and north plus
// 84,180 taken off, row by row from the south-west.
type ostnGrid struct{ east, north []uint16 }

var loadOSTN15 = sync.OnceValue(func() *ostnGrid {
	g, err := unpackOSTN15(ostnPacked)
	if err != nil {
		panic("geo: the embedded OSTN15 grid: " + err.Error()) // checked by the tests of every build
	}
	return g
})

// LoadOSTN15 unpacks the shift grid, which the first conversion would
// otherwise do: about 15 ms, once.
func LoadOSTN15() { loadOSTN15() }

// predict is what a node would be if the surface were flat there.
func predict(grid []uint16, i int) uint16 {
	switch row, column := i/ostnColumns, i%ostnColumns; {
	case row > 0 && column > 0:
		return grid[i-1] + grid[i-ostnColumns] - grid[i-ostnColumns-1]
	case column > 0:
		return grid[i-1]
	case row > 0:
		return grid[i-ostnColumns]
	}
	return 0
}

// packOSTN15 compresses the grids: each node less its prediction, zigzag, high
// bytes apart from low bytes.
func packOSTN15(east, north []uint16) ([]byte, error) {
	raw := make([]byte, 0, 4*ostnNodes)
	for _, grid := range [][]uint16{east, north} {
		high := make([]byte, ostnNodes)
		for i, v := range grid {
			d := int16(v - predict(grid, i))
			z := uint16(d<<1 ^ d>>15)
			raw, high[i] = append(raw, byte(z)), byte(z>>8)
		}
		raw = append(raw, high...)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(raw, nil), enc.Close()
}

func unpackOSTN15(packed []byte) (*ostnGrid, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	raw, err := dec.DecodeAll(packed, make([]byte, 0, 4*ostnNodes))
	if err != nil {
		return nil, err
	}
	if len(raw) != 4*ostnNodes {
		return nil, fmt.Errorf("%d bytes, want %d", len(raw), 4*ostnNodes)
	}
	var g ostnGrid
	for _, grid := range []*[]uint16{&g.east, &g.north} {
		low, high := raw[:ostnNodes], raw[ostnNodes:2*ostnNodes]
		raw = raw[2*ostnNodes:]
		*grid = make([]uint16, ostnNodes)
		for i := range *grid {
			z := binary.LittleEndian.Uint16([]byte{low[i], high[i]})
			(*grid)[i] = predict(*grid, i) + (z>>1 ^ -(z & 1))
		}
	}
	return &g, nil
}

// shiftAt returns the shift from the ETRS89 projection to OSGB36 at a
// projected position, in metres. The two differ by some 100 m, so a position
// that is on the National Grid may be just off the shifts: it gets those of the
// rim.
func shiftAt(g Grid) (shift Grid) {
	o := loadOSTN15()
	e, n := max(0, min(g.E/1000, ostnColumns-1)), max(0, min(g.N/1000, ostnRows-1))
	column, row := min(int(e), ostnColumns-2), min(int(n), ostnRows-2)
	x, y := e-float64(column), n-float64(row)
	i := row*ostnColumns + column
	at := func(v []uint16) float64 {
		return (1-x)*(1-y)*float64(v[i]) + x*(1-y)*float64(v[i+1]) +
			(1-x)*y*float64(v[i+ostnColumns]) + x*y*float64(v[i+ostnColumns+1])
	}
	return Grid{(at(o.east) + 82140) / 1000, (at(o.north) - 84180) / 1000}
}

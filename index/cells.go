package index

import (
	"math"
	"sync/atomic"

	"coverd/geo"
)

// cells remembers, for a grid of cells over Great Britain, what is the same all
// over a cell because no edge runs through it: which Region it is in, or which
// coverage areas. The first point asked about in a cell is looked up; the others
// get its answer, there and in all cells of the tile that can be reached without
// meeting an edge. Of a cell with edges it is known which shapes they are of. It
// is safe for concurrent use.
//
// Why: a build asks for the areas of 30 million premises and the Regions of 80
// million places. The R-tree with the exact test of what it finds took 570 ns a
// premises, the S2 cover 90 ns a place; with cells it is 120 and 35. Of cells of
// 1/800° (139 by 80 m) 3.3 million have an edge of the national extracts' areas,
// whose outlines come to 350,000 km, and two premises in five are in one; asking
// only about the areas that the edges are of is what makes these cheap. The
// tables take some 200 MB until the rows are merged. Half the cell would halve
// the premises that must ask, and take 350 MB more.
//
// Long edges make much of a small file: 300 triangles across the country touch 4
// million cells. Where it would be more than maxTouches there are no cells at
// all: nil ones know nothing, and every point is looked up.
type cells struct {
	tiles   [cellRows / tileSize * cellColumns / tileSize]atomic.Pointer[tile]
	touches []touch
}

// A tile's cells are unknown, an answer, or touched and the number of a touch.
type tile [tileSize * tileSize]atomic.Uint32

// touch says that a shape has an edge in a cell.
type touch struct {
	shape uint32
	next  uint32        // number of another in the same cell, plus 1
	rest  atomic.Uint32 // of the first: what is known of the other shapes, or unknownCell
}

const (
	unknownCell = 0
	firstAnswer = 1
	touched     = 1 << 31

	cellsPerDegree = 800
	tileSize       = 32
	cellsSouth     = 49 // degrees
	cellsWest      = -9
	cellRows       = (62 - cellsSouth) * cellsPerDegree
	cellColumns    = (2 - cellsWest) * cellsPerDegree

	maxTouches = 1 << 26 // 800 MB

	// cellMargin is how near an edge may come to a cell without touching it, in
	// cells: 0.1 mm, which is more than any rounding.
	cellMargin = 1e-6
)

// newCells marks the cells that the edges of a mesh touch. It returns nil where
// that takes more than so many touches.
func newCells(m *geo.Mesh, most int) *cells {
	c := &cells{}
	for shape := range uint32(m.Len()) {
		for ring := m.Polygons[m.Shapes[shape]]; ring < m.Polygons[m.Shapes[shape+1]]; ring++ {
			v := m.Vertices[m.Rings[ring]:m.Rings[ring+1]]
			for i := range len(v) - 1 {
				if c.touch(shape, v[i], v[i+1]); len(c.touches) > most {
					return nil
				}
			}
		}
	}
	return c
}

// touch marks the cells of an edge, row by row.
func (c *cells) touch(shape uint32, a, b geo.LatLng) {
	if a.Lat > b.Lat {
		a, b = b, a
	}
	x0, y0, x1, y1 := toCells(a, b)
	first, last := max(0, math.Floor(y0-cellMargin)), min(cellRows-1, math.Floor(y1+cellMargin))
	for y := first; y <= last; y++ {
		from, to := x0, x1
		if y1 > y0 { // the part of the edge that is in the row
			slope := (x1 - x0) / (y1 - y0)
			from = x0 + (max(y0, y-cellMargin)-y0)*slope
			to = x0 + (min(y1, y+1+cellMargin)-y0)*slope
		}
		from, to = min(from, to)-cellMargin, max(from, to)+cellMargin
		for x := max(0, math.Floor(from)); x <= min(cellColumns-1, math.Floor(to)); x++ {
			c.touchCell(shape, c.cell(uint32(x), uint32(y)))
		}
	}
}

func (c *cells) touchCell(shape uint32, cell *atomic.Uint32) {
	next, known := uint32(0), cell.Load()
	if known&touched != 0 {
		next = known&^touched + 1
	}
	if next > 0 && c.touches[next-1].shape == shape {
		return // shapes come one after another, so no further one can be this
	}
	cell.Store(touched | uint32(len(c.touches)))
	c.touches = append(c.touches, touch{shape: shape, next: next})
}

func toCells(a, b geo.LatLng) (x0, y0, x1, y1 float64) {
	return (a.Lng - cellsWest) * cellsPerDegree, (a.Lat - cellsSouth) * cellsPerDegree,
		(b.Lng - cellsWest) * cellsPerDegree, (b.Lat - cellsSouth) * cellsPerDegree
}

// cellOf returns the column and row of a point; ok is false outside the grid.
func cellOf(p geo.LatLng) (x, y uint32, ok bool) {
	c, r := (p.Lng-cellsWest)*cellsPerDegree, (p.Lat-cellsSouth)*cellsPerDegree
	if !(c >= 0 && c < cellColumns && r >= 0 && r < cellRows) {
		return 0, 0, false
	}
	return uint32(c), uint32(r), true
}

// ask returns what is known of a point's cell; outside the grid, nothing is.
func (c *cells) ask(p geo.LatLng) uint32 {
	if x, y, ok := cellOf(p); ok && c != nil {
		return c.cell(x, y).Load()
	}
	return unknownCell
}

// tell gives the cell of a point, of which nothing is known, an answer.
func (c *cells) tell(p geo.LatLng, answer uint32) {
	x, y, ok := cellOf(p)
	if !ok || c == nil {
		return
	}
	t := c.tile(x, y)
	var buf [2 * tileSize]uint32
	reached := append(buf[:0], y%tileSize*tileSize+x%tileSize)
	reach := func(i uint32) {
		if t[i].CompareAndSwap(unknownCell, answer) {
			reached = append(reached, i)
		}
	}
	t[reached[0]].Store(answer)
	for len(reached) > 0 {
		i := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		if i%tileSize > 0 {
			reach(i - 1)
		}
		if i%tileSize < tileSize-1 {
			reach(i + 1)
		}
		if i >= tileSize {
			reach(i - tileSize)
		}
		if i < tileSize*(tileSize-1) {
			reach(i + tileSize)
		}
	}
}

func (c *cells) cell(x, y uint32) *atomic.Uint32 {
	return &c.tile(x, y)[y%tileSize*tileSize+x%tileSize]
}

func (c *cells) tile(x, y uint32) *tile {
	slot := &c.tiles[y/tileSize*(cellColumns/tileSize)+x/tileSize]
	t := slot.Load()
	for t == nil {
		slot.CompareAndSwap(nil, new(tile))
		t = slot.Load()
	}
	return t
}

// locator is [regions.locate] with cells.
type locator struct {
	regions *regions
	cells   *cells
}

func newLocator(r *regions) *locator { return &locator{r, newCells(&r.cover.Mesh, maxTouches)} }

func (l *locator) locate(p geo.LatLng) Allocation {
	known := l.cells.ask(p)
	if known >= firstAnswer && known < touched {
		return Allocation{geo.Region(known - firstAnswer), BasisBoundary, -1}
	}
	a := l.regions.locate(p)
	if a.Basis == BasisBoundary && known == unknownCell {
		l.cells.tell(p, firstAnswer+uint32(a.Region))
	}
	return a
}

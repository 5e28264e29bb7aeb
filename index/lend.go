package index

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"coverd/geo"
)

// lender is [areas.appendAt] with [cells]: each list of areas that some cell has
// is kept once, and cells hold its number.
type lender struct {
	areas *areas
	cells *cells
	lists atomic.Pointer[[][]uint32] // only ever grows
	mu    sync.Mutex                 // guards what follows, and the writing of lists
	codes map[string]uint32
}

func newLender(a *areas) *lender {
	l := &lender{areas: a, cells: newCells(&a.mesh), codes: map[string]uint32{}}
	l.lists.Store(new([][]uint32))
	return l
}

// appendAt appends the areas containing p, smallest first.
func (l *lender) appendAt(dst []uint32, p geo.LatLng) []uint32 {
	known := l.cells.ask(p)
	if known >= firstAnswer {
		return append(dst, (*l.lists.Load())[known-firstAnswer]...)
	}
	from := len(dst)
	dst = l.areas.appendAt(dst, p)
	if known == unknownCell {
		l.cells.tell(p, firstAnswer+l.code(dst[from:]))
	}
	return dst
}

// code gives a list of areas its number.
func (l *lender) code(list []uint32) uint32 {
	var key []byte
	for _, i := range list {
		key = binary.LittleEndian.AppendUint32(key, i)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	code, ok := l.codes[string(key)]
	if !ok {
		lists := *l.lists.Load()
		code = uint32(len(lists))
		l.codes[string(key)] = code
		lists = append(lists, slices.Clone(list)) // readers look no further than their own length
		l.lists.Store(&lists)
	}
	return code
}

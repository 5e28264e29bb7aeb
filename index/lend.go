package index

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"coverd/geo"
)

// lender is [areas.appendAt] with [cells]: each list of areas that some cell has
// is kept once, and cells hold its number. Areas that overlap at random make
// almost as many lists as there are cells; when there is no room for more, the
// cells that want one stay unknown.
type lender struct {
	areas *areas
	cells *cells
	lists atomic.Pointer[[][]uint32] // only ever grows
	mu    sync.Mutex                 // guards what follows, and the writing of lists
	codes map[string]uint32
	room  int // bytes that lists may still take
}

const listRoom = 1 << 28

func newLender(a *areas) *lender {
	l := &lender{areas: a, cells: newCells(&a.mesh, maxTouches), codes: map[string]uint32{}, room: listRoom}
	l.lists.Store(new([][]uint32))
	return l
}

// appendAt appends the areas containing p, smallest first.
func (l *lender) appendAt(dst []uint32, p geo.LatLng) []uint32 {
	if l.cells == nil {
		return l.areas.appendAt(dst, p)
	}
	known := l.cells.ask(p)
	switch {
	case known >= touched:
		return l.appendTouched(dst, p, &l.cells.touches[known&^touched])
	case known >= firstAnswer:
		return append(dst, l.list(known)...)
	}
	from := len(dst)
	dst = l.areas.appendAt(dst, p)
	if code := l.code(dst[from:]); code != unknownCell {
		l.cells.tell(p, code)
	}
	return dst
}

// appendTouched is appendAt in a cell with edges: only the areas these are of
// must be asked about the point, the others contain all of the cell or nothing.
func (l *lender) appendTouched(dst []uint32, p geo.LatLng, first *touch) []uint32 {
	from := len(dst)
	ask := func(f func(area uint32)) {
		for t := first; ; t = &l.cells.touches[t.next-1] {
			f(t.shape)
			if t.next == 0 {
				return
			}
		}
	}
	if rest := first.rest.Load(); rest != unknownCell {
		dst = append(dst, l.list(rest)...)
	} else {
		others := l.areas.appendAt(nil, p)
		ask(func(area uint32) {
			others = slices.DeleteFunc(others, func(o uint32) bool { return o == area })
		})
		first.rest.Store(l.code(others))
		dst = append(dst, others...)
	}
	ask(func(area uint32) {
		if !l.areas.contains(area, p) {
			return
		}
		dst = append(dst, area)
		for i := len(dst) - 1; i > from && l.areas.rank[dst[i]] < l.areas.rank[dst[i-1]]; i-- {
			dst[i], dst[i-1] = dst[i-1], dst[i]
		}
	})
	return dst
}

// contains reports whether an area contains p.
func (a *areas) contains(area uint32, p geo.LatLng) bool {
	for g := a.mesh.Shapes[area]; g < a.mesh.Shapes[area+1]; g++ {
		if a.slabs[g].Contains(&a.mesh, p) {
			return true
		}
	}
	return false
}

// list undoes code.
func (l *lender) list(code uint32) []uint32 { return (*l.lists.Load())[code-firstAnswer] }

// code gives a list of areas its number, from firstAnswer up, or unknownCell
// where there is no room for it.
func (l *lender) code(list []uint32) uint32 {
	var key []byte
	for _, i := range list {
		key = binary.LittleEndian.AppendUint32(key, i)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	code, ok := l.codes[string(key)]
	if !ok {
		takes := 100 + 8*len(list) // the list, its key, and what a map has about it
		if takes > l.room {
			return unknownCell
		}
		l.room -= takes
		lists := *l.lists.Load()
		code = firstAnswer + uint32(len(lists))
		l.codes[string(key)] = code
		lists = append(lists, slices.Clone(list)) // readers look no further than their own length
		l.lists.Store(&lists)
	}
	return code
}

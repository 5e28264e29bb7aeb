package index

import (
	"coverd/geo"
)

// postcodeTable numbers postcodes. It is a table of sectors with a page for each
// that has a postcode: 23 MB for Great Britain's 1.75 million in 11,000 sectors,
// where a map takes 60. Finding a postcode is two loads, in the cache for
// neighbours, and the table lists postcodes in directory order without sorting.
// It may be read concurrently.
type postcodeTable struct {
	sectors []uint32 // by ordinal: the sector's page, plus 1
	pages   [][geo.Inwards / 10]uint32
}

// noPlace is the number of a postcode that is not in the table.
const noPlace = ^uint32(0)

func newPostcodeTable() *postcodeTable { return &postcodeTable{sectors: make([]uint32, geo.Sectors)} }

func (t *postcodeTable) at(p geo.Postcode) uint32 {
	n := p.Ordinal()
	if page := t.sectors[n/uint32(geo.Inwards/10)]; page > 0 {
		return t.pages[page-1][n%uint32(geo.Inwards/10)] - 1
	}
	return noPlace
}

func (t *postcodeTable) set(p geo.Postcode, place uint32) {
	n := p.Ordinal()
	page := &t.sectors[n/uint32(geo.Inwards/10)]
	if *page == 0 {
		t.pages = append(t.pages, [geo.Inwards / 10]uint32{})
		*page = uint32(len(t.pages))
	}
	t.pages[*page-1][n%uint32(geo.Inwards/10)] = place + 1
}

// all yields the numbers, in directory order of their postcodes, to be changed.
func (t *postcodeTable) all(yield func(place *uint32) bool) {
	for _, page := range t.sectors {
		if page == 0 {
			continue
		}
		for i, stored := range &t.pages[page-1] {
			if stored == 0 {
				continue
			}
			place := stored - 1
			if !yield(&place) {
				return
			}
			t.pages[page-1][i] = place + 1
		}
	}
}

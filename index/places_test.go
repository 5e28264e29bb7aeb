package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// TestPostcodeTable: it is a map that lists its keys in order, at the ends of
// the grammar and where postcodes are close to each other too.
func TestPostcodeTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	ordinals := []uint32{0, uint32(geo.Postcodes - 1)}
	for range 5000 {
		ordinals = append(ordinals, uint32(rnd.IntN(geo.Postcodes)), uint32(1000+rnd.IntN(900)))
	}
	table := newPostcodeTable()
	want := map[geo.Postcode]uint32{}
	for i, n := range ordinals { // some of them more than once
		p, ok := geo.PostcodeFromOrdinal(n)
		if !ok {
			t.Fatalf("no postcode %d", n)
		}
		if place, ok := want[p]; ok && table.at(p) != place || !ok && table.at(p) != noPlace {
			t.Fatalf("%v is at %d before it is set", p, table.at(p))
		}
		table.set(p, uint32(i))
		want[p] = uint32(i)
	}
	var order []geo.Postcode
	for p := range want {
		order = append(order, p)
	}
	slices.SortFunc(order, geo.Postcode.Compare)
	n := uint32(0)
	for place := range table.all {
		if p := order[n]; *place != want[p] {
			t.Fatalf("%v is at %d, want %d", p, *place, want[p])
		}
		*place = n
		n++
	}
	if n != uint32(len(order)) {
		t.Errorf("%d postcodes listed, want %d", n, len(order))
	}
	for i, p := range order {
		if table.at(p) != uint32(i) {
			t.Errorf("%v is at %d, and was moved to %d", p, table.at(p), i)
		}
	}
	for range 5000 {
		p, _ := geo.PostcodeFromOrdinal(uint32(rnd.IntN(geo.Postcodes)))
		if _, ok := want[p]; !ok && table.at(p) != noPlace {
			t.Errorf("%v is at %d, and was never set", p, table.at(p))
		}
	}
}

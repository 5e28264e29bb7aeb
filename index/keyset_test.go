package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// TestKeysetKnowsItsPostcodes draws sets of postcodes, dense and sparse.
func TestKeysetKnowsItsPostcodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, span := range []uint32{1, 3, 4_000, 4_001, 64_000, uint32(geo.Postcodes)} {
		for _, n := range []int{0, 1, 2, 500, 9000} {
			from := rng.Uint32N(uint32(geo.Postcodes) - span + 1)
			in := map[uint32]bool{}
			for range n {
				in[from+rng.Uint32N(span)] = true
			}
			if span == 4_000 && n == 9000 { // every postcode of two outcodes
				for i := range span {
					in[from/4_000*4_000+i] = true
				}
			}
			var list []uint32
			for o := range in {
				list = append(list, o)
			}
			slices.Sort(list)
			raws := map[string][]byte{}
			raws[sectionUnitOut], raws[sectionUnitMap] = packKeyset(len(list), func(i int) uint32 { return list[i] })
			r := newReader(raws, 1)
			k := r.keyset(sectionUnitOut, sectionUnitMap)
			if r.err != nil || k.n != len(list) {
				t.Fatal(k.n, len(list), r.err)
			}
			for i, o := range list {
				p, _ := geo.PostcodeFromOrdinal(o)
				if got, ok := k.find(p); !ok || got != i || k.at(i) != o {
					t.Fatalf("postcode %d of %d: %d, %v, %v; want %v", i, n, got, ok, k.at(i), o)
				}
				if q, ok := geo.PostcodeFromOrdinal(o + 1); ok && !in[o+1] {
					if got, ok := k.find(q); ok {
						t.Fatalf("found %v, as %d", q, got)
					}
				}
			}
		}
	}
}

// TestADenseRegisterIsBuilt: postcodes of which nothing is known but that they
// are there take an eighth of a byte each.
func TestADenseRegisterIsBuilt(t *testing.T) {
	w := small()
	from := mustPostcode("GU1 1AA").Outcode().Ordinal() * uint32(geo.Inwards)
	n := 40 * geo.Inwards
	for i := range uint32(n) {
		p, _ := geo.PostcodeFromOrdinal(from + i)
		w.entries = append(w.entries, Entry{Postcode: p})
	}
	if s := w.open(t); s.Info().Postcodes != int64(n) {
		t.Errorf("%d postcodes, want %d", s.Info().Postcodes, n)
	}
}

// TestOutcodesWithoutPostcodesAreRefused: a look-up of such an outcode would
// find nothing behind its number, and that of one after it the wrong one.
func TestOutcodesWithoutPostcodesAreRefused(t *testing.T) {
	file, _ := tinyWorld().build(t, nil)
	const size = geo.Inwards / 8 // of an outcode's bits
	for at, what := range []string{"the first", "one in between", "the last"} {
		bad := rewritten(t, file, sectionUnitOut, func(raw []byte) []byte {
			c, err := parseColumn(raw)
			if err != nil {
				t.Fatal(err)
			}
			a, b := c.at(0), c.at(1)
			return values(slices.Insert([]int64{a, b}, at, []int64{a - 1, a + 1, b + 1}[at])...)(nil)
		})
		bad = rewritten(t, bad, sectionUnitMap, func(raw []byte) []byte {
			raw = slices.Insert(raw[:2*size], at*size, make([]byte, size)...)
			return append(raw, make([]byte, keysetBytes(3)-len(raw))...)
		})
		refused(t, what, bad, "2 of 3 outcodes have a postcode")
	}
}

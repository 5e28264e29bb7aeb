package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// TestBucket: chunks are one list, also when it is cut and written over.
func TestBucket(t *testing.T) {
	for _, n := range []int{0, 1, 15, 17, chunkRows - 1, chunkRows, chunkRows + 1, 3*chunkRows + 5} {
		var b bucket
		for i := range n {
			b.add(row{line: uint32(i)})
		}
		for _, keep := range []int{n, n - n/3, min(n, chunkRows), 0} {
			b.cut(keep)
			i := 0
			for r := range b.all {
				if r.line != uint32(i) || r != b.at(i) {
					t.Fatalf("%d rows cut to %d: row %d is %d", n, keep, i, r.line)
				}
				i++
			}
			if i != keep || b.n != keep {
				t.Errorf("%d rows cut to %d: %d, and says %d", n, keep, i, b.n)
			}
		}
	}
}

// TestGroup: every row is in one group, with all of its UPRN, and groups come in
// the order of their first rows; with one grouper for buckets of every size.
func TestGroup(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var g grouper
	for _, n := range []int{0, 1, 50_000, 10, chunkRows} {
		var b bucket
		var want [][]uint32 // rows of each UPRN
		at := map[geo.UPRN]int{}
		for i := range uint32(n) {
			u := geo.UPRN(1 + rnd.IntN(1+n/2))
			if _, ok := at[u]; !ok {
				at[u] = len(want)
				want = append(want, nil)
			}
			want[at[u]] = append(want[at[u]], i)
			b.add(row{key: uint64(u)<<24 | uint64(i%7), line: i})
		}
		g.group(&b, hashUPRN, sameUPRN)
		var got [][]uint32
		for _, head := range g.heads {
			var rows []uint32
			for i := head + 1; i > 0; i = g.next[i-1] {
				rows = append(rows, i-1)
			}
			slices.Sort(rows)
			got = append(got, rows)
		}
		if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d rows: %d groups, want %d", n, len(got), len(want))
		}
	}
}

// TestManyRowsInOneBucket: premises written over rows of many chunks, and the
// same file whatever the order of the rows.
func TestManyRowsInOneBucket(t *testing.T) {
	const n = 3 * chunkRows / 2 // three rows each, all with UPRNs of one stretch
	w := small()
	yes := says(NetworkSouth, AvailabilityTrue)
	for u := range geo.UPRN(n) {
		at := located(52.5+float64(u%100)/1e4, -1.5)
		w.add(4096+u, "GU1 1AA", at, "1", yes)
		w.add(4096+u, "GU1 1AA", at, "1", says(Network4GSouth, AvailabilityFalse))
		w.add(4096+u, "GU1 1AA", at, "1", yes)
	}
	file, report := w.build(t, nil)
	if report.Premises != n || report.Merged != n {
		t.Errorf("%d premises, %d rows merged, want %d each", report.Premises, report.Merged, n)
	}
	again, _ := w.build(t, slices.Reverse)
	if !slices.Equal(file, again) {
		t.Error("another order of rows, another file")
	}
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	for u := range geo.UPRN(n) {
		if p, ok := s.UPRN(4096 + u); !ok || p.Claims().Len() != 2 || p.At() != located(52.5+float64(u%100)/1e4, -1.5) {
			t.Fatalf("UPRN %d: %v", 4096+u, ok)
		}
	}
}

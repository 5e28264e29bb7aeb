package index

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortParallelSorts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 1<<12 - 1, 1 << 12, 1<<14 + 1, 100_003} {
		for workers := 1; workers <= 5; workers++ {
			list := rng.Perm(n)
			if n > 5000 && workers == 2 {
				slices.Sort(list) // as it may well be
			}
			sortParallel(list, workers, cmp.Compare[int])
			for i, v := range list {
				if i != v {
					t.Fatalf("%d by %d: %d at %d", n, workers, v, i)
				}
			}
		}
	}
}

func TestGatherAndInOrderKeepOrder(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1 << 13, 50_001} {
		for workers := 1; workers <= 3; workers++ {
			var want []int
			for i := range n {
				for range i % 3 {
					want = append(want, i)
				}
			}
			got := gather(n, workers, func(i int, list []int) []int {
				for range i % 3 {
					list = append(list, i)
				}
				return list
			})
			if !slices.Equal(got, want) {
				t.Fatalf("%d by %d: gathered %d, want %d", n, workers, len(got), len(want))
			}
			at := 0
			inOrder(n, workers, func(_, i int, b []byte) []byte { return append(b, byte(i), byte(i>>8), byte(i>>16)) }, func(b []byte) bool {
				if i := int(b[0]) | int(b[1])<<8 | int(b[2])<<16; len(b) != 3 || i != at {
					t.Fatalf("%d by %d: %d handed on, want %d", n, workers, i, at)
				}
				at++
				return true
			})
			if at != n {
				t.Fatalf("%d by %d: %d handed on", n, workers, at)
			}
			at = 0
			inOrder(n, workers, func(_, i int, b []int) []int { return append(b, i) }, func(b []int) bool {
				at++
				return b[0] < n/2
			})
			if want := min(n, n/2+1); at != want {
				t.Fatalf("%d by %d: %d handed on until told to stop, want %d", n, workers, at, want)
			}
		}
	}
}

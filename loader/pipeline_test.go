package loader

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInOrder(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		for _, jobs := range []int{0, 1, 100} {
			var want, got []int
			for i := range jobs {
				want = append(want, i*i)
			}
			busy := make([]atomic.Int32, workers)
			for r := range inOrder(workers, slices.Values(numbers(jobs)), func(w, i int) int {
				if busy[w].Add(1) != 1 {
					t.Error("two jobs on one worker")
				}
				defer busy[w].Add(-1)
				return i * i
			}) {
				got = append(got, r)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d workers (-want +got):\n%s", workers, diff)
			}
		}
	}
}

// When a walk is left, no more jobs are taken, and nothing is still at work.
func TestInOrderLeft(t *testing.T) {
	var taken, working atomic.Int32
	jobs := func(yield func(int) bool) {
		for i := range 1000 {
			taken.Add(1)
			if !yield(i) {
				return
			}
		}
	}
	n := 0
	for range inOrder(3, jobs, func(_, i int) int { working.Add(1); defer working.Add(-1); return i }) {
		if n++; n == 5 {
			break
		}
	}
	if working.Load() != 0 {
		t.Error("still at work")
	}
	if got := taken.Load(); got > 50 {
		t.Errorf("%d jobs taken for 5 results", got)
	}
}

func numbers(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

package index

import (
	"slices"
	"sync"
	"sync/atomic"
)

// shareOut calls f for 0 to n-1, in stretches that workers take in turn.
func shareOut(n, stretch, workers int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, (n+stretch-1)/stretch) {
		wg.Go(func() {
			for {
				from := int(next.Add(int64(stretch))) - stretch
				if from >= n {
					return
				}
				for i := from; i < min(n, from+stretch); i++ {
					f(i)
				}
			}
		})
	}
	wg.Wait()
}

// inParallel calls f for 0 to n-1 and returns the first of its errors, first by
// number.
func inParallel(n, workers int, f func(i int) error) error {
	var mu sync.Mutex
	var first error
	at := n
	shareOut(n, 1024, workers, func(i int) {
		if err := f(i); err != nil {
			mu.Lock()
			defer mu.Unlock()
			if i < at {
				at, first = i, err
			}
		}
	})
	return first
}

// gather returns what f appends for 0 to n-1, in that order.
func gather[T any](n, workers int, f func(i int, list []T) []T) []T {
	const stretch = 1 << 13
	parts := make([][]T, (n+stretch-1)/stretch)
	shareOut(len(parts), 1, workers, func(part int) {
		for i := part * stretch; i < min(n, (part+1)*stretch); i++ {
			parts[part] = f(i, parts[part])
		}
	})
	return slices.Concat(parts...)
}

// sortParallel sorts a list in which no two are equal.
func sortParallel[T any](list []T, workers int, compare func(a, b T) int) {
	if workers < 2 || len(list) < 1<<12 {
		slices.SortFunc(list, compare)
		return
	}
	half := len(list) / 2
	var wg sync.WaitGroup
	wg.Go(func() { sortParallel(list[:half], workers/2, compare) })
	sortParallel(list[half:], workers-workers/2, compare)
	wg.Wait()
	left, right := slices.Clone(list[:half]), list[half:]
	for i := range list {
		if len(left) == 0 {
			break // what is left of the right half is where it belongs
		}
		if len(right) == 0 || compare(left[0], right[0]) < 0 {
			list[i], left = left[0], left[1:]
		} else {
			list[i], right = right[0], right[1:]
		}
	}
}

// inOrder hands what f appends for 0 to n-1 to use, in that order, from one
// goroutine, until use returns false. f is told which of the workers it runs on.
func inOrder[T any](n, workers int, f func(worker, i int, list []T) []T, use func(list []T) bool) {
	ready := make([]chan []T, n)
	for i := range ready {
		ready[i] = make(chan []T, 1)
	}
	// Who has a buffer takes the next number: so the lowest under way always has
	// one, and nobody waits for ever.
	free := make(chan []T, 2*workers)
	for range cap(free) {
		free <- nil
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for list := range free {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				ready[i] <- f(w, i, list[:0])
			}
		})
	}
	defer wg.Wait()
	defer close(free)
	defer next.Store(int64(n))
	for i := range n {
		list := <-ready[i]
		if !use(list) {
			return
		}
		free <- list
	}
}

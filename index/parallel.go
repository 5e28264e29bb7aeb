package index

import (
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

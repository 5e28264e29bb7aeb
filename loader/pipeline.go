package loader

import (
	"context"
	"iter"
	"sync"
)

// inOrder applies work to jobs, on several goroutines at once, and yields the
// results in the order of the jobs. work is told which of the workers it runs
// on, so that it may use that one's memory. When the walk ends, early or not,
// all goroutines have.
func inOrder[J, R any](workers int, jobs iter.Seq[J], work func(worker int, job J) R) iter.Seq[R] {
	type task struct {
		job  J
		done chan R
	}
	return func(yield func(R) bool) {
		tasks := make(chan task)
		order := make(chan chan R, 2*workers)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for t := range tasks {
					t.done <- work(w, t.job)
				}
			})
		}
		wg.Go(func() {
			defer close(order)
			defer close(tasks)
			for job := range jobs {
				t := task{job, make(chan R, 1)}
				select {
				case order <- t.done:
				case <-stop:
					return
				}
				select {
				case tasks <- t:
				case <-stop:
					return
				}
			}
		})
		defer wg.Wait()
		defer close(stop)
		for done := range order {
			if !yield(<-done) {
				return
			}
		}
	}
}

// each yields what next returns, until that fails or ctx has ended: why is in end
// then, which is [io.EOF] where there is no more.
func each[T any](ctx context.Context, next func() (T, error), end *error) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			if *end = ctx.Err(); *end != nil {
				return
			}
			v, err := next()
			if err != nil {
				*end = err
				return
			}
			if !yield(v) {
				return
			}
		}
	}
}

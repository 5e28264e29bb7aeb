package server

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
	"weak"

	"coverd/index"
)

// spent is a snapshot that is not served any more, for as long as something
// refers to it.
type spent struct{ weak.Pointer[index.Snapshot] }

// Bounds of the wait for those who still read a replaced snapshot.
const (
	// collectMost is when it is said that there seems to be no end to it: an
	// answer takes at most requestTimeout to be sent.
	collectMost = 2 * requestTimeout
	// awaitMost is how long the next swap waits, lest there be three snapshots in
	// memory. A reader that dawdles must not hold up a rollback.
	awaitMost = time.Second
)

// awaitCollection waits until what was replaced before is out of memory.
func (r *reloader) awaitCollection(ctx context.Context) {
	for deadline := time.Now().Add(awaitMost); !r.collected() && time.Now().Before(deadline); {
		pause(ctx, 5*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
	}
}

// collected forgets what is out of memory, and reports whether all is.
func (r *reloader) collected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = slices.DeleteFunc(r.spent, func(s spent) bool { return s.Value() == nil })
	return len(r.spent) == 0
}

// collect has the memory of replaced snapshots returned to the system, each
// after its last reader, until ctx ends.
//
// # Why
//
// A snapshot holds hardly any pointers and nearly all of the heap, so that the
// collector, left alone, may run minutes later: with two of them in memory, and a
// third when the next is opened.
func (r *reloader) collect(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.replaced:
			r.collectAll(ctx)
		}
	}
}

func (r *reloader) collectAll(ctx context.Context) {
	begin, told := time.Now(), false
	wait := time.Millisecond
	for runtime.GC(); !r.collected(); runtime.GC() {
		if !told && time.Since(begin) > collectMost {
			told = true
			r.s.log.Warn("a replaced snapshot is still in memory", "after", time.Since(begin).Round(time.Second).String())
		}
		pause(ctx, wait)
		if ctx.Err() != nil {
			return
		}
		wait = min(2*wait, time.Second)
	}
	debug.FreeOSMemory()
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

package server

import (
	"runtime"
	"sync"
)

// outOfTheWay does something long on a thread that gives way to all others, and
// returns when it is done. The thread ends with it: a priority that was given
// up is not given back.
//
// # Why one processor more
//
// To Go's scheduler that thread is as good as any: it would take one of the
// processors that goroutines run on, half of what a machine of two cores has, and
// leave to the kernel only what is left. With one more, as many as before answer,
// and which thread has a core is the kernel's to say. At national scale, on two
// cores, p99 while a snapshot was opened went from 6.7 to 4.0 ms.
func outOfTheWay(work func()) {
	processors.lend(1)
	defer processors.lend(-1)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		giveWay()
		work()
	})
	wg.Wait()
}

// lender is who has lent processors: one to each that is out of the way, of which
// there are several where a process has several servers.
type lender struct {
	mu   sync.Mutex
	own  int // processors there were before
	lent int
}

var processors lender

func (l *lender) lend(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lent == 0 {
		l.own = runtime.GOMAXPROCS(0)
	}
	if l.lent += n; l.lent == 0 {
		setProcessors(l.own)
	} else {
		runtime.GOMAXPROCS(l.own + l.lent)
	}
}

// setProcessors sets GOMAXPROCS, and leaves it to the runtime to follow a limit
// of the container where it is as the runtime would have it.
func setProcessors(n int) {
	runtime.SetDefaultGOMAXPROCS()
	if runtime.GOMAXPROCS(0) != n {
		runtime.GOMAXPROCS(n)
	}
}

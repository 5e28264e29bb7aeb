package server

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// giveWay is by how much the niceness of a thread that works out of the way is
// above the process's: it gets a tenth of a core where others want it, and all
// of one where none does. Much less would be too little: a collection stops
// every thread, this one included, and waits until it has come that far.
const giveWay = 10

// outOfTheWay does something long on a thread that gives way to all others, and
// returns when it is done. The thread ends with it: a priority that was given
// up is not given back.
func outOfTheWay(work func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		if p, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil { // 20 less the niceness
			_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(20-p+giveWay, 19)) // without it all works too
		}
		work()
	})
	wg.Wait()
}

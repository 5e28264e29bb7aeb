package server

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// outOfTheWay does something long on a thread that gives way to all others, and
// returns when it is done. The thread ends with it: a priority that was given
// up is not given back.
func outOfTheWay(work func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19) // without it all works too
		work()
	})
	wg.Wait()
}

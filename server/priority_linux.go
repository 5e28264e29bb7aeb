package server

import "golang.org/x/sys/unix"

// niceness is by how much that of a thread that works out of the way is above
// the process's: it gets a tenth of a core where others want it, and all of one
// where none does. Much less would be too little: on a machine that is busy with
// something else a swap would take minutes, and a collection, which stops every
// thread, this one included, would wait until it has come that far.
const niceness = 10

// giveWay has the calling thread give way to others.
func giveWay() {
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil { // 20 less the niceness
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(20-p+niceness, 19)) // without it all works too
	}
}

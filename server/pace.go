package server

import (
	"runtime/debug"

	"coverd/index"
)

// Growth of the heap after which the collector runs, in percent of what is alive.
//
// # Why
//
// Go's own 100 is when the heap has doubled. Nearly all of it is the snapshot,
// which never turns to garbage: with one of 300 MB, as at national scale, the
// process would grow to 600 MB for nothing. It holds hardly any pointers, so that
// to mark it costs next to nothing. Of a small one a tenth would be filled by a
// few requests, and the collector always at work.
//
// While a snapshot is opened beside the one that is served, the heap doubles and
// little of it is garbage, a tenth. A collection then is worse than useless: it
// begins on the thread whose allocation calls for it, which is the one that gives
// way, and the world is stopped until that thread has had its turn. At national
// scale that was 20 to 60 ms without an answer, three times a swap.
const (
	growthSmall   = 100
	growthLarge   = 10
	growthOpening = 150

	largeSnapshot = 64 << 20 // bytes in memory
)

// paceOpening has the collector wait while a snapshot is opened.
func (s *Server) paceOpening() { s.pace(growthOpening) }

// paceServing has the collector run as suits the snapshot that is served.
func (s *Server) paceServing(info *index.Info) {
	if info.Memory > largeSnapshot {
		s.pace(growthLarge)
	} else {
		s.pace(growthSmall)
	}
}

func (s *Server) pace(growth int) {
	if s.paces {
		debug.SetGCPercent(growth)
	}
}

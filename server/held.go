package server

import (
	"sync"
	"sync/atomic"
	"time"

	"coverd/index"
	"coverd/server/api"
)

// held is a snapshot and what every answer from it repeats.
type held struct {
	*index.Snapshot
	ref     api.SnapshotRef
	etag    string // of an answer, up to its day
	id      []byte
	regions func() *regionDocuments // made when first asked for
	ready   *ready
	// outcodes are answers by the outcode's row, as far as there are any yet.
	outcodes []atomic.Pointer[dayAnswer]
	offer    Offer
	// staleAfter is when its data is older than the server accepts; zero: never.
	staleAfter time.Time

	// Scratches are of one snapshot, because what they keep refers to it: a
	// pool of the server's would keep every snapshot that was ever served.
	scratches sync.Pool
}

// hold makes what goes with a snapshot.
func (s *Server) hold(snap *index.Snapshot, offer Offer) *held {
	info := snap.Info()
	ref := api.SnapshotRef{ID: info.ID, AsOf: api.Some(info.AsOf), IndicativeRegions: info.Indicative}
	h := &held{
		Snapshot: snap,
		ref:      ref,
		etag:     `"` + info.ID,
		id:       []byte(info.ID),
		outcodes: make([]atomic.Pointer[dayAnswer], info.Outcodes),
		ready:    newReady(snap),
		regions:  sync.OnceValue(func() *regionDocuments { return newRegionDocuments(snap, ref) }),
		offer:    offer,
	}
	if s.maxDataAge > 0 {
		h.staleAfter = s.clock.startOf(info.AsOf).Add(s.maxDataAge)
	}
	return h
}

// refAt names the snapshot at a time, which is in a day.
func (h *held) refAt(now time.Time, today index.Day) api.SnapshotRef {
	ref := h.ref
	ref.AgeDays = max(0, int(today-h.ref.AsOf.V))
	ref.Stale = h.stale(now)
	return ref
}

// stale reports whether the data is older than the server accepts.
func (h *held) stale(now time.Time) bool { return !h.staleAfter.IsZero() && now.After(h.staleAfter) }

// File is the path of the file that is answered from; "" where the snapshot came
// without one.
func (s *Server) File() string { return s.snap.Load().offer.Path }

// Swap has all questions from now on answered from another snapshot, and
// returns the one before. Those under way are answered from that one to their
// end; after the last of them nothing here refers to it, so that it is the
// collector's once the caller has let it go.
func (s *Server) Swap(next *index.Snapshot) (old *index.Snapshot) {
	old = s.snap.Swap(s.hold(next, Offer{})).Snapshot
	s.paceServing(next.Info())
	s.desk.swapped()
	return old
}

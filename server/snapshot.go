package server

import "coverd/server/api"

// answerSnapshot answers what the snapshot is and what it was made from.
func (q *scratch) answerSnapshot([]byte) {
	q.body = append(q.body, encode(&api.SnapshotAnswer{Info: q.snap.Info(), AgeDays: q.ref.AgeDays, Stale: q.ref.Stale})...)
	q.send()
}

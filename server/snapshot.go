package server

// answerSnapshot answers what the snapshot is and what it was made from.
func (q *scratch) answerSnapshot([]byte) {
	q.body = append(q.body, encode(q.snap.Info())...)
	q.send()
}

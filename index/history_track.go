package index

// tracker finds, while two snapshots are compared, which premises of the new one
// have a past, and where in the old one it is.
type tracker struct {
	book      *book
	old, now  []uint32 // aspect by kind
	past      []uint32 // aspect by code of the old one's history
	remembers *history // the old one's; nil: none
	from      []uint32 // by row: its row in the old one, plus 1, if it has a past; or came, or 0
	forgotten int      // how many of the nights of the old one's history are not remembered any more
}

// came marks the premises that were not in the old snapshot.
const came = ^uint32(0)

func newTracker(old, now *Snapshot) *tracker {
	b := newBook()
	return &tracker{
		book: b, past: b.codes(old.past), old: b.kinds(old), now: b.kinds(now),
		remembers: old.past, from: make([]uint32, now.premises.n),
	}
}

// same takes a premises that is in both snapshots. Each row of the new one is
// taken once, so that goroutines do not meet.
func (t *tracker) same(old, now, oldKind, nowKind uint32) {
	if t.old[oldKind] != t.now[nowKind] || t.remembers != nil && t.remembers.has(old) {
		t.from[now] = old + 1
	}
}

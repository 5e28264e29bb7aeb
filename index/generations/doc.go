// Package generations keeps the snapshots of successive nights in one
// directory, says which of them is to be served, and goes back to an earlier one
// in one step.
//
//	d, err := generations.Open("snapshots")
//	active, err := d.Active()                 // what to serve
//	snap, err := index.Open(d.Path(active))
//
// Who changes the directory takes its lock, which the kernel gives back however
// the process ends:
//
//	l, err := d.Lock()                        // or ErrLocked, and by whom
//	defer l.Unlock()
//	g, err := l.Stage(write, check)           // a new generation, staged
//	path, err := l.Attach(g, "report.html", write)
//	g, err = l.Activate(g.Name)               // now it is served
//	gone, err := l.Prune(generations.DefaultKeep, false)
//	g, err = l.Rollback()                     // and now the one before it
//
// # The directory
//
//	000412-1f0c2a9be4d7.snap              a snapshot: sequence and ID; written once, never changed
//	000413-7ec1b1d29b72.snap
//	000413-7ec1b1d29b72.report.html       a companion: goes with its generation
//	generations.json                      the pointer: what is active, what was before, what was withdrawn
//	.lock                                 locked while something is changed, and by whom
//	.generation-4711-0.tmp                what a lock holder is writing; swept by the next
//
// A generation is [Staged] when it is put there, [Active] while it is the one to
// serve, then [Previous], then [Old]. One that was rolled back from is
// [Withdrawn]; nothing makes it active again but an explicit [Lock.Activate],
// not even a build that makes the same snapshot once more.
//
// # Why write-once files and a pointer
//
// A reader may have a file open, or be about to, at any time, and has no lock.
// So no file of a name ever changes, and what is active is one small file that a
// rename replaces: a reader sees the old state or the new, and a rollback is as
// quick as an activation, with nothing copied. A symbolic link would do for what
// is active, but not say what was before, nor what must not come back. The
// pointer has a checksum, since a bit that flips in it must not name another
// generation; a pointer that is damaged or lost is an error, not a guess, and
// activating a generation by name mends it.
//
// # Why in this order
//
// A file is written to a temporary name, synced, read back as those who serve it
// will, renamed, and the directory synced. Without the first sync the name may
// last and the content not; without the second what was reported done may be
// undone. The pointer is written, in the same way, only after the file that it
// names is known to last. What is removed goes in the other order: nothing that
// the pointer needs is ever removed, and names in it of what is gone are
// passed over. So a crash at any point leaves the old state or the new, and at
// worst temporary files, which the next lock holder sweeps. The tests crash it
// at every operation, and with each of the syncs left out, which they must
// notice.
//
// What a sync says has failed is lost, though a second try may succeed: the
// kernel reports it once and drops the pages. So the file is discarded and the
// operation fails.
//
// # Why a lock of the kernel's
//
// A file whose existence is the lock outlives a killed process, and then somebody
// has to judge whether it is stale. flock is gone with the process. Holders of
// the lock are the only ones who write here, so that every temporary file that a
// new holder finds is of a dead one.
package generations

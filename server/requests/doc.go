// Package requests keeps service requests: what a party asked about a location
// where no premises was found, every answer it was given, and what became of it.
// A [Ledger] is where they are kept; [SQLite] is one in a file, with nothing to
// set up. A [Keeper] holds a ledger open, and says why where it cannot.
//
// # Life cycle
//
// A request is answered when it is made, and again after every new snapshot until
// it is closed:
//
//	resolved ──▶ confirmed ◀──▶ changed ──▶ closed
//
// What makes it go from one to the next is in [Next], and nowhere else. Each step
// is an event, and so is each further change: events are numbered in the order in
// which they became durable, so that who has seen one number can ask for what
// came after it. A request is deleted with its closing, and events are from the
// oldest on, so that the feed has a beginning and no gaps.
//
// # Acknowledged means on disk
//
// SQLite runs with a write-ahead log and synchronous=FULL: a commit returns once
// the log has been synced. One goroutine writes, and whatever waits when it begins
// is one transaction with one sync, however many ask; each is told only after it.
//
// On two cores, 64 parties at a time, some 2,000 requests a second are kept by 60
// syncs; 20,000 open ones are answered again in 15 s. To open and check a ledger of
// 60 MB takes 2 s, during which all else is answered.
//
// A log that was cut or altered on disk is a shorter log to SQLite: it drops what
// follows the first frame that does not fit, and says nothing. Therefore every
// transaction counts itself, and after its sync the count is noted in a file
// beside the ledger, unsynced: FILE-acknowledged. A ledger that ends before the
// number noted has lost what somebody was told is safe, and is not opened. A power
// cut cannot make it so: the note is written after what it notes is on disk.
//
// SQLite's pages have no checksums either. So every row has one of its own, which
// is checked whenever it is read, and of all rows when the file is opened.
//
// # What is never done
//
// A damaged file is neither repaired, moved nor deleted: it is somebody's evidence.
// It is looked at again from time to time, so that a restored one is found. After
// a failed sync nobody knows what is on disk, and a second one may report success:
// the file is closed, and checked before it is written to again: at once, and after
// a pause that grows to 8 s where that was in vain.
package requests

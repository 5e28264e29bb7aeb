package requests

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Commit is a transaction that was tried.
type Commit struct {
	Writes int // how many were acknowledged by it, if Err is nil
	Took   time.Duration
	Err    error
}

// maxWrites is how many writes are one transaction at most.
const maxWrites = 256

// writer is the one goroutine that writes. What has come while it waited for the
// disk becomes one transaction.
type writer struct {
	l         *sqliteLedger
	committed func(Commit)
	writes    chan write
	stopped   chan struct{} // closed when nothing more is taken
	ended     chan struct{} // closed when the goroutine has ended
}

// write is something to be written: do is called within a transaction, at most
// once, and done is told when that is durable or was given up.
type write struct {
	do   func(ctx context.Context, tx *sql.Tx) error
	done chan error // of one slot
}

var errClosed = errors.New("the ledger is closed")

func startWriter(l *sqliteLedger, committed func(Commit)) *writer {
	w := &writer{l: l, committed: committed, writes: make(chan write, maxWrites), stopped: make(chan struct{}), ended: make(chan struct{})}
	go w.run() // until stop
	return w
}

func (w *writer) stop() {
	close(w.stopped)
	<-w.ended
}

// write has do's changes written, and returns when they are durable. An error of
// do undoes all that is in the same transaction: what it only finds out it must
// not return. After the error that ctx has ended, do may be at work still: what it
// sets must not be looked at, nor be the caller's results.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, tx *sql.Tx) error) error {
	done := make(chan error, 1)
	select {
	case w.writes <- write{do, done}:
	case <-w.stopped:
		return &Error{Failed, errClosed}
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-w.ended:
		select {
		case err := <-done:
			return err
		default:
			return &Error{Failed, errClosed}
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) run() {
	defer close(w.ended)
	batch := make([]write, 0, maxWrites)
	for {
		select {
		case first := <-w.writes:
			batch = w.gather(append(batch[:0], first))
		case <-w.stopped:
			return
		}
		begin := time.Now()
		err := classify(w.commit(batch))
		if w.committed != nil {
			w.committed(Commit{len(batch), time.Since(begin), err})
		}
		for _, one := range batch {
			one.done <- err
		}
	}
}

// gather adds what waits.
func (w *writer) gather(batch []write) []write {
	for len(batch) < maxWrites {
		select {
		case one := <-w.writes:
			batch = append(batch, one)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch as one transaction, and notes its number once it is
// durable. Nobody is waited for: who has given up may find it done.
func (w *writer) commit(batch []write) (err error) {
	ctx := context.Background()
	tx, err := w.l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// SQLite may have done so itself. Where it could not be done, the next
			// transaction cannot begin, and the ledger is opened anew.
			_ = tx.Rollback()
		}
	}()
	for _, one := range batch {
		if err = one.do(ctx, tx); err != nil {
			return err
		}
	}
	var transactions int64
	if err = tx.QueryRowContext(ctx, "UPDATE mark SET transactions = transactions + 1 WHERE id = 1 RETURNING transactions").Scan(&transactions); err != nil {
		return err
	}
	if err = tx.Commit(); err != nil {
		return err
	}
	return w.l.seal.note(transactions)
}

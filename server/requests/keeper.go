package requests

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Opener opens a ledger. committed is told of each transaction.
type Opener interface {
	Open(ctx context.Context, committed func(Commit)) (Ledger, error)
	// String names where the ledger is.
	String() string
}

// Condition is how it stands with a ledger. Its zero value is that it has not
// been opened yet.
type Condition struct {
	Open    bool
	Trouble Trouble // "": none; with Open, that of the last write, and the next is tried
	Err     error
	Since   time.Time
	Retry   time.Duration // until it is tried again by itself; 0: by the next who asks
}

// Unavailable is that a ledger cannot be asked for now.
type Unavailable struct{ Condition }

func (e *Unavailable) Error() string {
	if e.Err != nil {
		return "the ledger of service requests cannot be used: " + e.Err.Error()
	}
	return "the ledger of service requests is still being opened"
}

func (e *Unavailable) Unwrap() error { return e.Err }

// Bounds of the pause before a ledger is tried again: one that could not be opened,
// and one that could and has failed within reopenMost, as on a disk that can be
// read. The latter is short: who writes finds out that the disk is well again.
const (
	retryLeast = time.Second
	retryMost  = time.Minute
	reopenMost = 8 * time.Second
)

// Keeper holds a ledger open: it opens it again when it has failed, and tries
// later where that is in vain. It is safe for concurrent use.
type Keeper struct {
	opener    Opener
	committed func(Commit)
	changed   func(Condition)

	first  chan struct{}  // closed when it has been tried for the first time
	broken chan Condition // of one slot: it has to be opened anew

	mu        sync.RWMutex // held by who uses the ledger, until what went wrong is told; for writing by who replaces it
	ledger    Ledger       // nil: none is open
	condMu    sync.Mutex
	condition Condition
}

// NewKeeper makes a keeper, which [Keeper.Run] has to set to work. changed is
// told of each change of the condition, one at a time, but not each time that a
// ledger in trouble is opened in vain; committed of transactions.
func NewKeeper(o Opener, committed func(Commit), changed func(Condition)) *Keeper {
	return &Keeper{opener: o, committed: committed, changed: changed, first: make(chan struct{}), broken: make(chan Condition, 1)}
}

// String names where the ledger is.
func (k *Keeper) String() string { return k.opener.String() }

// Condition returns how it stands.
func (k *Keeper) Condition() Condition {
	k.condMu.Lock()
	defer k.condMu.Unlock()
	return k.condition
}

func (k *Keeper) set(c Condition) {
	k.condMu.Lock()
	defer k.condMu.Unlock()
	before := k.condition
	if c.Trouble == before.Trouble && (c.Open == before.Open || c.Trouble != "") && !before.Since.IsZero() {
		c.Since = before.Since
		k.condition = c
		return
	}
	c.Since = time.Now()
	k.condition = c
	k.changed(c)
}

// Run opens the ledger, and keeps it open until ctx ends. Then it closes it,
// after whoever uses it.
func (k *Keeper) Run(ctx context.Context) {
	var once sync.Once
	var wait time.Duration // before it is tried again
	var trouble Condition  // of the ledger before, where that failed soon
	for {
		ledger, err := k.opener.Open(ctx, k.wrote)
		if err == nil {
			k.replace(ledger, Condition{Open: true, Trouble: trouble.Trouble, Err: trouble.Err})
		} else if ctx.Err() == nil {
			wait = min(max(2*wait, retryLeast), retryMost)
			if TroubleOf(err) != trouble.Trouble {
				trouble = Condition{} // it is another by now, and over when the ledger is open
			}
			k.set(Condition{Trouble: TroubleOf(err), Err: err, Retry: wait})
		}
		once.Do(func() { close(k.first) })
		if err == nil {
			opened := time.Now()
			select {
			case trouble = <-k.broken:
			case <-ctx.Done():
				k.replace(nil, k.Condition())
				return
			}
			if c := trouble; time.Since(opened) < reopenMost {
				wait = min(max(2*wait, retryLeast), reopenMost)
				c.Retry = wait
				k.replace(nil, c)
			} else {
				k.replace(nil, c)
				wait, trouble = 0, Condition{} // it is checked at once
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// wrote is told of a transaction: what troubled the one before is over where this
// is done. That a call of [Keeper.Write] has succeeded says less: there may have
// been nothing to write.
func (k *Keeper) wrote(c Commit) {
	if c.Err == nil {
		k.set(Condition{Open: true})
	}
	if k.committed != nil {
		k.committed(c)
	}
}

// replace puts another ledger, or none, in the place of that which is open, and
// closes that.
func (k *Keeper) replace(next Ledger, c Condition) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ledger != nil {
		_ = k.ledger.Close() // what was acknowledged is durable, whatever is wrong with the file now
	}
	k.ledger = next
	select {
	case <-k.broken: // of the one before
	default:
	}
	k.set(c)
}

// TroubleOf is the trouble of an error.
func TroubleOf(err error) Trouble {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Trouble
	}
	return Failed
}

// Read calls f with the ledger, waiting until it has been tried to open it. It
// returns f's error, or [Unavailable] where there is none to be had or it has
// failed.
func (k *Keeper) Read(ctx context.Context, f func(Ledger) error) error {
	select {
	case <-k.first:
	default:
		select {
		case <-k.first:
		case <-ctx.Done():
			return &Unavailable{Condition{Retry: retryLeast}}
		}
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.ledger == nil {
		c := k.Condition()
		c.Open = false
		return &Unavailable{c}
	}
	err := f(k.ledger)
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	c := after(e)
	if !c.Open {
		select {
		case k.broken <- c:
		default:
		}
	}
	return &Unavailable{c}
}

// Write is Read for what writes.
func (k *Keeper) Write(ctx context.Context, f func(Ledger) error) error {
	return k.Read(ctx, func(l Ledger) error {
		err := f(l)
		if e, ok := errors.AsType[*Error](err); ok {
			k.set(after(e))
		}
		return err
	})
}

// after is how it stands with a ledger after an error.
func after(e *Error) Condition {
	if e.Broken() {
		return Condition{Trouble: e.Trouble, Err: e.Err, Retry: retryLeast}
	}
	return Condition{Open: true, Trouble: e.Trouble, Err: e.Err}
}

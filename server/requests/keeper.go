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
	Trouble Trouble // "": none; with Open, that of the last write
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

// Bounds of the pause before a ledger that could not be opened is tried again.
const (
	retryLeast = time.Second
	retryMost  = time.Minute
)

// Keeper holds a ledger open: it opens it again when it has failed, and tries
// later where that is in vain. It is safe for concurrent use.
type Keeper struct {
	opener    Opener
	committed func(Commit)
	changed   func(Condition)

	first  chan struct{} // closed when it has been tried for the first time
	broken chan struct{} // of one slot: it has to be opened anew

	mu        sync.RWMutex // held by who uses the ledger; for writing by who replaces it
	ledger    Ledger       // nil: none is open
	condMu    sync.Mutex
	condition Condition
}

// NewKeeper makes a keeper, which [Keeper.Run] has to set to work. changed is
// told of each change of the condition, one at a time; committed of transactions.
func NewKeeper(o Opener, committed func(Commit), changed func(Condition)) *Keeper {
	return &Keeper{opener: o, committed: committed, changed: changed, first: make(chan struct{}), broken: make(chan struct{}, 1)}
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
	if c.Open == before.Open && c.Trouble == before.Trouble && !before.Since.IsZero() {
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
	for wait := retryLeast; ; {
		ledger, err := k.opener.Open(ctx, k.committed)
		if ctx.Err() == nil || err == nil {
			if err == nil {
				k.replace(ledger)
				k.set(Condition{Open: true})
				wait = retryLeast
			} else {
				k.set(Condition{Trouble: TroubleOf(err), Err: err, Retry: wait})
			}
		}
		once.Do(func() { close(k.first) })
		if err == nil {
			select {
			case <-k.broken:
				wait = 0 // it is checked at once
			case <-ctx.Done():
			}
			k.replace(nil)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		wait = min(max(2*wait, retryLeast), retryMost)
	}
}

// replace puts another ledger in the place of that which is open, and closes that.
func (k *Keeper) replace(next Ledger) {
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
	err := k.use(ctx, f)
	if e, ok := errors.AsType[*Error](err); ok {
		k.failed(e)
		return &Unavailable{conditionAfter(e)}
	}
	return err
}

// Write is Read for what writes.
func (k *Keeper) Write(ctx context.Context, f func(Ledger) error) error {
	err := k.use(ctx, f)
	if e, ok := errors.AsType[*Error](err); ok {
		c := conditionAfter(e)
		k.set(c) // first: once it is opened anew it is open
		k.failed(e)
		return &Unavailable{c}
	}
	if err == nil {
		k.set(Condition{Open: true})
	}
	return err
}

func (k *Keeper) use(ctx context.Context, f func(Ledger) error) error {
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
	return f(k.ledger)
}

// conditionAfter is how it stands after an error.
func conditionAfter(e *Error) Condition {
	if !e.Broken() {
		return Condition{Open: true, Trouble: e.Trouble, Err: e.Err}
	}
	return Condition{Trouble: e.Trouble, Err: e.Err, Retry: retryLeast}
}

// failed has the ledger opened anew where that is called for.
func (k *Keeper) failed(e *Error) {
	if !e.Broken() {
		return
	}
	select {
	case k.broken <- struct{}{}:
	default:
	}
}

package requests

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// flaky opens ledgers of which each fails at its first write.
type flaky struct {
	SQLite
	opened, closed atomic.Int64
}

func (f *flaky) Open(ctx context.Context, committed func(Commit)) (Ledger, error) {
	f.opened.Add(1)
	l, err := f.SQLite.Open(ctx, committed)
	return &failing{Ledger: l, of: f}, err
}

type failing struct {
	Ledger
	of     *flaky
	failed atomic.Bool
}

var errSync = errors.New("disk I/O error")

func (l *failing) Add(ctx context.Context, r *Request, first *Answer) (*Record, bool, error) {
	if l.failed.CompareAndSwap(false, true) && l.of.opened.Load() < 3 {
		return nil, false, &Error{Failed, errSync}
	}
	return l.Ledger.Add(ctx, r, first)
}

func (l *failing) Close() error {
	l.of.closed.Add(1)
	return l.Ledger.Close()
}

// After a failed sync nothing is written before the ledger has been closed, opened
// and checked.
func TestKeeperOpensAnew(t *testing.T) {
	t.Parallel()
	f := &flaky{SQLite: SQLite(filepath.Join(t.TempDir(), "requests.db"))}
	told := make(chan Condition, 100)
	k := NewKeeper(f, nil, func(c Condition) { told <- c })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		k.Run(ctx)
		close(done)
	}()
	for i := range int64(2) {
		err := addTo(k, int(i))
		if troubleWith(t, err) != Failed || !errors.Is(err, errSync) {
			t.Fatal(err)
		}
		until(t, "it is opened anew", func() bool { return f.opened.Load() == i+2 && k.Condition().Open })
	}
	if err := addTo(k, 2); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	if f.opened.Load() != 3 || f.closed.Load() != 3 {
		t.Errorf("%d opened, %d closed", f.opened.Load(), f.closed.Load())
	}
	if err := addTo(k, 3); troubleWith(t, err) != "" {
		t.Error("after its end:", err)
	}
	close(told)
	var states []bool
	for c := range told {
		states = append(states, c.Open)
	}
	if len(states) != 5 || !states[0] || states[1] || !states[4] {
		t.Errorf("told of %v", states)
	}
}

// What fails within a transaction leaves nothing, and is in nobody's way.
func TestFailedTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "requests.db")
	l, ok := openLedger(t, path).(*sqliteLedger)
	if !ok {
		t.Fatal("not of SQLite")
	}
	defer l.Close()
	broken := errors.New("broken")
	for i := range 3 {
		err := l.writer.write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, "UPDATE mark SET transactions = 99"); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) || TroubleOf(err) != Failed {
			t.Fatal(err)
		}
		if _, _, err := l.Add(t.Context(), aRequest(i), anAnswer("one", nil)); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := l.List(t.Context(), &Filter{Limit: 10}); err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	if noted, err := readSeal(path); err != nil || noted != 3 {
		t.Fatalf("%d transactions noted: %v", noted, err)
	}
}

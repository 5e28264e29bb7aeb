package requests

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// flaky opens ledgers of which the first two fail when a request is added, and
// later ones once when they are told to.
type flaky struct {
	SQLite
	opened, closed atomic.Int64
	fail           atomic.Bool
}

func (f *flaky) Open(ctx context.Context, committed func(Commit)) (Ledger, error) {
	f.opened.Add(1)
	l, err := f.SQLite.Open(ctx, committed)
	return &failing{Ledger: l, of: f}, err
}

type failing struct {
	Ledger
	of *flaky
}

var errSync = errors.New("disk I/O error")

func (l *failing) Add(ctx context.Context, r *Request, first *Answer) (*Record, bool, error) {
	if l.of.opened.Load() < 3 || l.of.fail.CompareAndSwap(true, false) {
		return nil, false, &Error{Failed, errSync}
	}
	return l.Ledger.Add(ctx, r, first)
}

func (l *failing) Close() error {
	l.of.closed.Add(1)
	return l.Ledger.Close()
}

// After a failed sync nothing is written before the ledger has been closed, opened
// and checked; and where that does not help it is opened less and less often, and
// told of once.
func TestKeeperOpensAnew(t *testing.T) {
	t.Parallel()
	f := &flaky{SQLite: SQLite(filepath.Join(t.TempDir(), "requests.db"))}
	synctest.Test(t, func(t *testing.T) {
		var told []bool
		k := NewKeeper(f, nil, func(c Condition) { told = append(told, c.Open) })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			k.Run(ctx)
			close(done)
		}()
		for i, pause := range []time.Duration{time.Second, 2 * time.Second} {
			err := addTo(k, i)
			if troubleWith(t, err) != Failed || !errors.Is(err, errSync) {
				t.Fatal(err)
			}
			synctest.Wait()
			if c := k.Condition(); c.Open || c.Trouble != Failed || c.Retry != pause || f.closed.Load() != int64(i+1) {
				t.Errorf("%+v, %d closed", c, f.closed.Load())
			}
			<-time.After(pause)
			synctest.Wait()
			if c := k.Condition(); !c.Open || c.Trouble != Failed || f.opened.Load() != int64(i+2) {
				t.Errorf("%+v, %d opened", c, f.opened.Load())
			}
		}
		if err := addTo(k, 2); err != nil || k.Condition().Trouble != "" {
			t.Fatal(err, k.Condition())
		}

		// One that has held is opened anew at once.
		<-time.After(reopenMost)
		f.fail.Store(true)
		if err := addTo(k, 3); troubleWith(t, err) != Failed {
			t.Fatal(err)
		}
		synctest.Wait()
		if c := k.Condition(); !c.Open || c.Trouble != "" || f.opened.Load() != 4 {
			t.Errorf("%+v, %d opened", c, f.opened.Load())
		}
		if diff := cmp.Diff([]bool{true, false, true, false, true}, told); diff != "" {
			t.Error(diff)
		}
		cancel()
		<-done
		if f.closed.Load() != 4 {
			t.Errorf("%d closed", f.closed.Load())
		}
		if err := addTo(k, 3); troubleWith(t, err) != "" {
			t.Error("after its end:", err)
		}
	})
}

// damagedThen cannot be opened the second time.
type damagedThen struct {
	flaky
	tries atomic.Int64
}

func (d *damagedThen) Open(ctx context.Context, committed func(Commit)) (Ledger, error) {
	if d.tries.Add(1) == 2 {
		return nil, damaged("of no use")
	}
	return d.flaky.Open(ctx, committed)
}

// A ledger that was put back is not said to have what ailed the one before the
// damage.
func TestKeeperForgetsAnOlderTrouble(t *testing.T) {
	t.Parallel()
	d := &damagedThen{flaky: flaky{SQLite: SQLite(filepath.Join(t.TempDir(), "requests.db"))}}
	synctest.Test(t, func(t *testing.T) {
		var told []Condition
		k := NewKeeper(d, nil, func(c Condition) { told = append(told, Condition{Open: c.Open, Trouble: c.Trouble}) })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			k.Run(ctx)
			close(done)
		}()
		if err := addTo(k, 0); troubleWith(t, err) != Failed {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		cancel()
		<-done
		if diff := cmp.Diff([]Condition{{Open: true}, {Trouble: Failed}, {Trouble: Damaged}, {Open: true}}, told); diff != "" {
			t.Error(diff)
		}
	})
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

package requests

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"coverd/index"
)

// Of many who send the same request at once, one makes it and all are told of it;
// and few transactions serve many.
func TestOneKeyIsOneRequest(t *testing.T) {
	var commits, writes atomic.Int64
	l, err := SQLite(t.TempDir()+"/requests.db").Open(t.Context(), func(c Commit) {
		commits.Add(1)
		writes.Add(int64(c.Writes))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const keys, each = 20, 15
	var refs [keys]sync.Map
	var made atomic.Int64
	var wg sync.WaitGroup
	for i := range keys * each {
		wg.Go(func() {
			rec, added, err := l.Add(t.Context(), aRequest(i%keys), anAnswer("one", nil))
			if err != nil {
				t.Error(err)
				return
			}
			refs[i%keys].Store(rec.Reference, true)
			if added {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	for i := range refs {
		n := 0
		refs[i].Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("key %d has %d requests", i, n)
		}
	}
	if made.Load() != keys || writes.Load() != keys*each || commits.Load() >= writes.Load() {
		t.Errorf("%d made; %d writes in %d transactions", made.Load(), writes.Load(), commits.Load())
	}
	list, err := l.List(t.Context(), &Filter{Limit: 1000})
	if err != nil || len(list) != keys {
		t.Error(len(list), err)
	}
}

// Two servers may have one ledger for a while, as when one takes over from the
// other.
func TestTwoServers(t *testing.T) {
	path := t.TempDir() + "/requests.db"
	first := openLedger(t, path)
	defer first.Close()
	const each = 60
	// Who finds it locked for two seconds is refused, as on a slow machine may be
	// one of two who write all the time; it tries again.
	patiently := func(do func() error) (err error) {
		for range 100 {
			if err = do(); TroubleOf(err) != Locked {
				break
			}
		}
		return err
	}
	add := func(l Ledger, i int) {
		added := false
		if err := patiently(func() (err error) {
			_, added, err = l.Add(t.Context(), aRequest(i), anAnswer("one", nil))
			return err
		}); err != nil || !added {
			t.Error(i, added, err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range each {
			add(first, i)
		}
	})
	for i := range each / 10 {
		var second Ledger
		if err := patiently(func() (err error) {
			second, err = SQLite(path).openSyncing(t.Context(), nil, "OFF") // while the first writes
			return err
		}); err != nil {
			t.Error(err)
			break
		}
		defer second.Close()
		add(second, each+i)
	}
	wg.Wait()
	list, err := first.List(t.Context(), &Filter{Limit: 1000})
	if err != nil || len(list) != each+each/10 {
		t.Error(len(list), err)
	}
}

// Who has given up shares nothing with the writer, which may be at it still: that
// is the race detector's to find.
func TestGivenUpAndDoneAllTheSame(t *testing.T) {
	l, ok := openLedger(t, t.TempDir()+"/requests.db").(*sqliteLedger)
	if !ok {
		t.Fatal("not of SQLite")
	}
	defer l.Close()
	var recs [3]*Record
	for i := range recs {
		rec, _, err := l.Add(t.Context(), aRequest(i), anAnswer("one", nil))
		if err != nil {
			t.Fatal(err)
		}
		recs[i] = rec
	}
	for name, call := range map[string]func(ctx context.Context) error{
		"add": func(ctx context.Context) error {
			_, _, err := l.Add(ctx, aRequest(9), anAnswer("one", nil))
			return err
		},
		"reanswer": func(ctx context.Context) error {
			_, err := l.Reanswer(ctx, []Reanswer{{recs[0], *anAnswer("two", nil)}})
			return err
		},
		"cancel": func(ctx context.Context) error {
			_, _, err := l.Cancel(ctx, recs[1].Reference, noon)
			return err
		},
		"expire": func(ctx context.Context) error {
			_, err := l.Expire(ctx, index.DayOf(noon)+2*CloseAfterCreation, noon, 9)
			return err
		},
		"forget": func(ctx context.Context) error {
			_, err := l.Forget(ctx, noon.AddDate(1, 0, 0), 9)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			begun, release, released := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				released <- l.writer.write(context.Background(), func(context.Context, *sql.Tx) error {
					close(begun)
					<-release
					return nil
				})
			}()
			<-begun
			ctx, cancel := context.WithCancel(t.Context())
			gaveUp := make(chan error, 1)
			go func() { gaveUp <- call(ctx) }()
			for len(l.writer.writes) == 0 { // until it is in the queue
				runtime.Gosched()
			}
			cancel()
			close(release) // at the same time
			if err := <-gaveUp; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if err := <-released; err != nil {
				t.Error(err)
			}
			if err := l.writer.write(t.Context(), func(context.Context, *sql.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
}

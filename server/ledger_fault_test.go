package server

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"coverd/index"
	"coverd/server/api"
	"coverd/server/requests"
)

// faultyDisk keeps a ledger that can be opened and read at any time, and is not
// written to while the disk is ill.
type faultyDisk struct {
	requests.SQLite
	ill    atomic.Bool
	with   requests.Trouble
	opened atomic.Int64
	writes atomic.Int64 // that were in vain
}

func (d *faultyDisk) Open(ctx context.Context, committed func(requests.Commit)) (requests.Ledger, error) {
	d.opened.Add(1)
	l, err := d.SQLite.Open(ctx, committed)
	return faultyLedger{l, d}, err
}

func (d *faultyDisk) fault() error {
	if !d.ill.Load() {
		return nil
	}
	d.writes.Add(1)
	return &requests.Error{Trouble: d.with, Err: errors.New("it cannot be written to")}
}

type faultyLedger struct {
	requests.Ledger
	disk *faultyDisk
}

func (l faultyLedger) Add(ctx context.Context, r *requests.Request, first *requests.Answer) (*requests.Record, bool, error) {
	if err := l.disk.fault(); err != nil {
		return nil, false, err
	}
	return l.Ledger.Add(ctx, r, first)
}

func (l faultyLedger) Reanswer(ctx context.Context, answers []requests.Reanswer) ([]requests.Event, error) {
	if err := l.disk.fault(); err != nil {
		return nil, err
	}
	return l.Ledger.Reanswer(ctx, answers)
}

// While a ledger can be opened and not written to, requests are refused at once,
// nobody tries without a pause but who asks, and the log is not filled. Seconds
// after the disk is well again requests are taken, and those that wait are answered
// again.
func TestLedgerThatCannotBeWrittenTo(t *testing.T) {
	const hour = 3600 // one a second asks
	for _, c := range []struct {
		trouble        requests.Trouble
		opened, writes int64
	}{
		{requests.Failed, hour / 5, hour / 5},
		{requests.Full, 1, hour + hour/5},
	} {
		path := filepath.Join(t.TempDir(), "requests.db")
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			disk := &faultyDisk{SQLite: requests.SQLite(path), with: c.trouble}
			log := new(lines)
			s := testServer(t, Options{Requests: disk, Log: log.logger(), Now: func() time.Time { return noon.Add(time.Since(begin)) }})
			stop := startDesk(s)
			defer stop()
			s.Swap(snapshotWith(t))
			r := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, merrow, "", 201)
			synctest.Wait()

			disk.ill.Store(true)
			next := snapshotWith(t, index.Row{UPRN: 8, Postcode: mustPostcode("CH4 0AA"), At: at(53.9, -3)})
			s.Swap(next) // there is something to write, whether or not somebody asks
			for range hour {
				<-time.After(time.Second)
				resp := submit(s, api.ServiceRequestPath, merrow, "")
				if wait, err := strconv.Atoi(string(resp.Header.Peek("Retry-After"))); resp.StatusCode() != 503 || err != nil || wait < 1 || wait > 10 {
					t.Fatalf("%s: %d, Retry-After %d: %s", c.trouble, resp.StatusCode(), wait, resp.Body())
				}
			}
			if opened, writes := disk.opened.Load(), disk.writes.Load(); opened > c.opened || writes > c.writes {
				t.Errorf("%s: within an hour it was opened %d times, and written to %d times", c.trouble, opened, writes)
			}
			if n := log.count("\n"); n > 10 {
				t.Errorf("%s: the log has %d lines: %s", c.trouble, n, log)
			}

			disk.ill.Store(false)
			<-time.After(10 * time.Second)
			submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, merrow, "", 201)
			synctest.Wait()
			if a := r2(t, s, r.Reference); a.Snapshot.ID != next.ID() {
				t.Errorf("%s: not answered again: %+v", c.trouble, a)
			}
			if now := s.desk.keeper.Condition(); !now.Open || now.Trouble != "" {
				t.Errorf("%s: %+v", c.trouble, now)
			}
		})
	}
}

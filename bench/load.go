package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// target is what a load is put on: requests as they go over the wire, and how
// an answer is read off it.
type target struct {
	name     string
	addr     string
	requests [][]byte
	// read reads one answer to its end, and tells whether the server closes the
	// connection after it. What the answer holds goes to body unless that is nil.
	read func(in *bufio.Reader, body io.Writer) (closes bool, err error)
	cpu  func() time.Duration // that the process behind it has taken
}

// load is what came of a run against a target.
type load struct {
	n       int64
	elapsed time.Duration
	cpu     time.Duration
	// latency is from when a request was due, in open loop, or sent, in closed.
	latency *hdrhistogram.Histogram
	// late is how late the client itself sent requests that no earlier answer
	// held up: the part of latency that is its own.
	late *hdrhistogram.Histogram
}

func newLoad() load { return load{latency: newHistogram(), late: newHistogram()} }

func (l *load) rate() float64 { return float64(l.n) / l.elapsed.Seconds() }

// worker is one connection and what it has seen.
type worker struct {
	load
	t    *target
	in   *bufio.Reader
	next int

	mu   sync.Mutex // of conn, which whoever ends the run cuts off
	conn net.Conn
}

// connect opens a connection, in place of the one before.
func (w *worker) connect(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.t.addr)
	if err != nil {
		return err
	}
	w.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	w.in.Reset(conn)
	return ctx.Err() // if it ends later, cut finds this connection
}

func (w *worker) close() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
}

// cut makes what waits for the connection give up.
func (w *worker) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conn.SetDeadline(time.Unix(1, 0))
}

// ask sends the worker's next request and reads the answer. If the server
// closes the connection after it, as some do after so many requests, the next
// one goes over another.
func (w *worker) ask(ctx context.Context, body io.Writer) error {
	request := wrapped(w.t.requests, w.next)
	w.next++
	if _, err := w.conn.Write(request); err != nil {
		return err
	}
	closes, err := w.t.read(w.in, body)
	if err == nil && closes {
		err = w.connect(ctx)
	}
	return err
}

// holds asks each request once, and reports the first answer that is not the
// body beside it.
func (t *target) holds(ctx context.Context, bodies [][]byte) error {
	_, err := t.drive(ctx, 1, func(w *worker, _ time.Time) error {
		var body bytes.Buffer
		for i, want := range bodies {
			body.Reset()
			if err := w.ask(ctx, &body); err != nil {
				return err
			}
			if !bytes.Equal(body.Bytes(), want) {
				return fmt.Errorf("answer %d of %d bytes is not that of %d expected: %.100q", i, body.Len(), len(want), body.Bytes())
			}
		}
		return nil
	})
	return err
}

// closed asks from so many connections, each as soon as it has its answer,
// until the time is over: throughput, and what a patient client sees.
func (t *target) closed(ctx context.Context, connections int, d time.Duration) (*load, error) {
	return t.drive(ctx, connections, func(w *worker, start time.Time) error {
		for sent := start; sent.Sub(start) < d; {
			if err := w.ask(ctx, nil); err != nil {
				return err
			}
			now := time.Now()
			record(w.latency, now.Sub(sent))
			w.n++
			sent = now
		}
		return nil
	})
}

// open asks at a set rate, whether or not earlier answers have come: request i
// is due at i/rate, and its latency counts from then. A client that waits for a
// slow answer before it asks again would leave out just the requests that would
// have waited, which is called coordinated omission.
func (t *target) open(ctx context.Context, connections int, rate float64, d time.Duration) (*load, error) {
	var ticket atomic.Int64
	total := int64(rate * d.Seconds())
	return t.drive(ctx, connections, func(w *worker, start time.Time) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		for i := ticket.Add(1) - 1; i < total; i = ticket.Add(1) - 1 {
			due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
			if wait := time.Until(due); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
					return ctx.Err()
				}
				record(w.late, time.Since(due))
			}
			if err := w.ask(ctx, nil); err != nil {
				return err
			}
			record(w.latency, time.Since(due))
			w.n++
		}
		return nil
	})
}

// drive connects, has each connection do its work, and adds up.
func (t *target) drive(ctx context.Context, connections int, work func(w *worker, start time.Time) error) (*load, error) {
	workers := make([]*worker, 0, connections)
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	for i := range connections {
		w := &worker{load: newLoad(), t: t, in: bufio.NewReaderSize(nil, 64<<10), next: i * len(t.requests) / connections}
		workers = append(workers, w)
		if err := w.connect(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	// A request that hangs ends with the run instead of hanging it.
	stop := context.AfterFunc(ctx, func() {
		for _, w := range workers {
			w.cut()
		}
	})
	defer stop()
	sum := newLoad()
	before, start := t.cpu(), time.Now()
	var g errgroup.Group
	for _, w := range workers {
		g.Go(func() error { return work(w, start) })
	}
	err := g.Wait()
	sum.elapsed, sum.cpu = time.Since(start), t.cpu()-before
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, errors.Join(ctx.Err(), err))
	}
	for _, w := range workers {
		sum.n += w.n
		sum.latency.Merge(w.latency)
		sum.late.Merge(w.late)
	}
	return &sum, nil
}

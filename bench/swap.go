package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coverd/index"
	"coverd/index/generations"
	"coverd/server"
)

// SwapOptions say how a swap is measured. What is not required may be zero.
type SwapOptions struct {
	Binary    string    // coverd, which is started as a child: required
	Snapshots [2]string // the files to swap, of which the catalogue is of the first: required

	Seed        uint64
	Keys        int           // different questions of a kind: 1,024 by default
	Connections int           // 32 by default
	Round       time.Duration // of closed loop: one second by default
	Open        time.Duration // of open loop, quiet and again with swaps: 30 seconds by default
	Share       float64       // of capacity, in open loop: 0.3 by default
	Every       time.Duration // from the end of a swap to the next: half a second by default
	Work        string        // where a directory for generations is made and removed; by default the system's
	Progress    Progress
}

func (o *SwapOptions) setDefaults() {
	o.Keys = cmp.Or(o.Keys, 1024)
	o.Connections = cmp.Or(o.Connections, 32)
	o.Round = cmp.Or(o.Round, time.Second)
	o.Open = cmp.Or(o.Open, 30*time.Second)
	o.Share = cmp.Or(o.Share, 0.3)
	o.Every = cmp.Or(o.Every, 500*time.Millisecond)
}

// Rows of a swap.
const (
	rowSwap       = "open loop during swaps"
	rowQuiet      = "open loop without"
	rowSwapTook   = "swap, from being asked for to being served"
	rowSwapMemory = "resident during swaps, times that of one snapshot"
)

// Swap starts the server on a directory of two generations, and has it swap one
// for the other while it is asked in open loop for postcodes, outcodes and
// locations by turns. A request that fails is the end of the run.
func Swap(ctx context.Context, c *Catalogue, o SwapOptions) (rows []Row, err error) {
	o.setDefaults()
	work, err := os.MkdirTemp(o.Work, "coverd-bench-swap-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	names, err := stageBoth(filepath.Join(work, "generations"), o.Snapshots, o.Progress)
	if err != nil {
		return nil, err
	}
	requests, err := c.swapRequests(&o)
	if err != nil {
		return nil, err
	}
	serve, err := startServe(ctx, o.Binary, "--snapshots", filepath.Join(work, "generations"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, serve.stop()) }()
	s := swapRun{o: &o, serve: serve, names: names, t: target{name: serve.name, addr: serve.addr, requests: requests, read: readHTTP, cpu: serve.cpu}}
	return s.measure(ctx)
}

// stageBoth makes a directory of generations of two files, the first active.
func stageBoth(dir string, files [2]string, progress Progress) (names [2]string, err error) {
	d, err := generations.Open(dir)
	if err != nil {
		return names, err
	}
	l, err := d.Lock()
	if err != nil {
		return names, err
	}
	defer func() { err = errors.Join(err, l.Unlock()) }()
	for i, file := range files {
		progress.report("stage the snapshots", i, len(files))
		g, err := l.Stage(func(w io.Writer) error { return copyFile(w, file) }, openedID)
		if err != nil {
			return names, fmt.Errorf("%s: %w", file, err) // such as that it is the same as the first
		}
		names[i] = g.Name
	}
	_, err = l.Activate(names[0])
	return names, err
}

func openedID(path string) (string, error) {
	snap, err := index.Open(path)
	if err != nil {
		return "", err
	}
	return snap.ID(), nil
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return errors.Join(err, f.Close())
}

// swapRequests are questions of three kinds by turns.
func (c *Catalogue) swapRequests(o *SwapOptions) (requests [][]byte, err error) {
	questions, err := c.httpQuestions(&HTTPOptions{Mix: Mixed, Seed: o.Seed, Keys: o.Keys})
	if err != nil {
		return nil, err
	}
	answers, err := server.New(c.Snap, server.Options{})
	if err != nil {
		return nil, err
	}
	var uris [][]string
	for _, q := range questions {
		list, _, err := answered(answers, Mixed, o.Keys, q.uri)
		if err != nil {
			return nil, err
		}
		uris = append(uris, list)
	}
	for i := range o.Keys {
		for _, list := range uris {
			requests = append(requests, httpRequest(wrapped(list, i)))
		}
	}
	return requests, nil
}

// swapRun is a measurement under way.
type swapRun struct {
	o      *SwapOptions
	serve  *child
	t      target
	names  [2]string
	active int

	took *hdrhistogram.Histogram
	peak int64 // most that was resident, in bytes
}

func (s *swapRun) measure(ctx context.Context) ([]Row, error) {
	s.took = newHistogram()
	var rates []float64
	for round := range 3 {
		s.o.Progress.report("capacity", round, 3)
		l, err := s.t.closed(ctx, s.o.Connections, s.o.Round)
		if err != nil {
			return nil, err
		}
		rates = append(rates, l.rate())
	}
	rate := s.o.Share * median(rates)
	one, _ := s.serve.resident()
	var quiet, during openRun
	for round := range rounds {
		s.o.Progress.report("quiet and during swaps", round, rounds)
		l, err := s.t.open(ctx, 2*s.o.Connections, rate, s.o.Open/rounds)
		if err != nil {
			return nil, err
		}
		quiet.add(l)
		if l, err = s.during(ctx, rate); err != nil {
			return nil, err
		}
		during.add(l)
	}
	wait(ctx, time.Second) // the last one that was replaced is freed
	after, _ := s.serve.resident()

	p99 := func(r *openRun) float64 { return float64(r.latency.ValueAtQuantile(99)) / 1e3 }
	row := Row{
		Name: rowSwap, Unit: unitUs, Floor: rounded(p99(&quiet)), FloorOf: "p99 of the same load without swaps",
		Ratio: rounded(p99(&during) / max(2*p99(&quiet), 1000)),
		Note: fmt.Sprintf("%d swaps, none failed of %s requests; the ratio is p99 to the greater of 1 ms and twice the p99 without; %s",
			s.took.TotalCount(), thousands(float64(during.n)), openNote(&during, rate, s.o.Share, s.o.Open)),
	}
	row.percentiles(during.latency, 1e-3)
	without := Row{Name: rowQuiet, Unit: unitUs, Note: openNote(&quiet, rate, s.o.Share, s.o.Open)}
	without.percentiles(quiet.latency, 1e-3)
	took := Row{Name: rowSwapTook, Unit: unitSecond, Note: "to open and verify included, while questions are answered"}
	took.percentiles(s.took, 1e-9)
	memory := Row{
		Name: rowSwapMemory, N: s.took.TotalCount(), Unit: unitTimes, P50: rounded(float64(s.peak) / float64(max(one, 1))),
		Note: fmt.Sprintf("%.0f MiB before the first swap, %.0f MiB at the most, %.0f MiB after the last", mib(one), mib(s.peak), mib(after)),
	}
	return []Row{row, without, took, memory}, nil
}

// during is an open loop with swaps from its beginning to its end.
func (s *swapRun) during(ctx context.Context, rate float64) (l *load, err error) {
	over, cancel := context.WithCancel(ctx)
	var swapping error
	var wg sync.WaitGroup
	wg.Go(func() {
		for over.Err() == nil && swapping == nil {
			begin := time.Now()
			s.active = 1 - s.active
			if swapping = s.activate(ctx); swapping == nil {
				record(s.took, time.Since(begin))
				wait(over, s.o.Every)
			}
		}
	})
	wg.Go(func() {
		for over.Err() == nil {
			now, _ := s.serve.resident()
			s.peak = max(s.peak, now)
			wait(over, 20*time.Millisecond)
		}
	})
	l, err = s.t.open(ctx, 2*s.o.Connections, rate, s.o.Open/rounds)
	cancel()
	wg.Wait()
	return l, errors.Join(err, swapping)
}

// activate has the generation served that is to be the active one.
func (s *swapRun) activate(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.serve.admin+"/snapshots/"+s.names[s.active]+"/activate", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	var said struct{ Result, Detail string }
	err = json.NewDecoder(resp.Body).Decode(&said)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("activate: %s: %w", resp.Status, err)
	}
	if !slices.Contains([]string{"swapped", "unchanged"}, said.Result) {
		return fmt.Errorf("activate: %s: %s: %s", resp.Status, said.Result, said.Detail)
	}
	return nil
}

// wait waits, unless ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

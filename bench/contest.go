package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coverd/server"
)

// contest is one question asked of coverd and of those beside it.
type contest struct {
	serve   *child
	redis   *redisServer // nil: not there
	answers *server.Server
	o       *HTTPOptions
	q       httpQuestion
}

// contestant is a target, and how it fared in each round.
type contestant struct {
	target
	row     string // of its throughput
	peer    bool   // one that fails is left out, and not the end of the run
	failed  bool
	n       int64
	rates   []float64 // requests a second
	cpus    []float64 // processor time a request, in microseconds
	latency *hdrhistogram.Histogram
}

// measure asks by turns in closed loop, then with one client, then in open
// loop.
func (f *contest) measure(ctx context.Context, r *HTTPResult) (err error) {
	uris, bodies, err := answered(f.answers, f.o.Mix, f.o.Keys, f.q.uri)
	if err != nil {
		return err
	}
	requests := make([][]byte, len(uris))
	size, longest := 0, 0
	for i, uri := range uris {
		requests[i] = httpRequest(uri)
		size += len(bodies[i])
		if len(bodies[i]) > len(bodies[longest]) {
			longest = i
		}
	}
	fields := fieldsOf(f.answers, uris[longest]) // short answers have one less
	enter := func(c *child, row string) *contestant {
		return &contestant{target: target{name: c.name, addr: c.addr, requests: requests, read: readHTTP, cpu: c.cpu}, row: row, latency: newHistogram()}
	}
	ours := enter(f.serve, rowHTTP)
	if err := ours.holds(ctx, bodies); err != nil {
		return err
	}
	field := []*contestant{ours}
	for _, bare := range []struct{ kind, row string }{{BareFastHTTP, ""}, {BareNetHTTP, rowNetHTTP}} {
		c, err2 := startBare(ctx, f.o.Binary, bare.kind, fields, bodies)
		if err2 != nil {
			return err2
		}
		defer func() { err = errors.Join(err, c.stop()) }()
		field = append(field, enter(c, bare.row))
	}
	floor := field[1]
	if f.redis != nil {
		t, err := f.redis.bodies(ctx, bodies)
		if err == nil {
			err = t.holds(ctx, bodies)
		}
		if err == nil {
			field = append(field, &contestant{target: *t, row: rowRedis, peer: true, latency: newHistogram()})
		} else if err := r.skip(ctx, rowRedis+f.q.name, err); err != nil {
			return err
		}
	}
	if err := f.rounds(ctx, r, field); err != nil {
		return err
	}
	for _, c := range field {
		if c != floor && !c.failed {
			r.Rows = append(r.Rows, c.throughput(f.q.name, floor, float64(size)/float64(len(bodies))))
		}
	}
	r.Rows = append(r.Rows, Row{
		Name: rowCPU + f.q.name, N: ours.n, Unit: unitUs, P50: rounded(median(ours.cpus)),
		Floor: rounded(median(floor.cpus)), FloorOf: ofFastHTTP, Ratio: rounded(medianRatio(ours.cpus, floor.cpus)),
		Note: "of the server's process, a request: the client, on the same cores, is not in it",
	})
	if err := f.oneClient(ctx, r, ours, floor); err != nil {
		return err
	}
	return f.openLoop(ctx, r, ours, floor)
}

// rounds lets everybody have a turn in closed loop, round by round.
func (f *contest) rounds(ctx context.Context, r *HTTPResult, field []*contestant) error {
	for round := range rounds {
		f.o.Progress.report("HTTP, "+f.q.name, round, rounds)
		for turn := range field {
			c := field[(round+turn)%len(field)] // nobody always goes first
			if c.failed {
				continue
			}
			err := c.turn(ctx, f.o)
			if err != nil && c.peer {
				c.failed = true
				err = r.skip(ctx, c.row+f.q.name, err)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// oneClient asks by turns over a single connection.
func (f *contest) oneClient(ctx context.Context, r *HTTPResult, ours, floor *contestant) error {
	var both [2]openRun
	for round := range rounds {
		f.o.Progress.report("HTTP, "+f.q.name+", one client", round, rounds)
		for turn := range both {
			i := (round + turn) % len(both)
			l, err := []*contestant{ours, floor}[i].closed(ctx, 1, 2*f.o.Round/rounds)
			if err != nil {
				return err
			}
			both[i].add(l)
		}
	}
	r.Rows = append(r.Rows, latencyRow(rowOne+f.q.name, &both[0], &both[1], ""))
	return nil
}

// openRun is what came of one target over the turns of an open loop, or of a
// closed one with a single client.
type openRun struct {
	load
	medians []float64 // latency of each turn
}

func (o *openRun) add(l *load) {
	if o.latency == nil {
		o.load = newLoad()
	}
	o.n += l.n
	o.elapsed += l.elapsed
	o.latency.Merge(l.latency)
	o.late.Merge(l.late)
	o.medians = append(o.medians, float64(l.latency.ValueAtQuantile(50)))
}

// openLoop asks by turns at a share of capacity, and reads from the server's
// own histogram how long its handler took.
func (f *contest) openLoop(ctx context.Context, r *HTTPResult, ours, floor *contestant) error {
	rate, part := f.o.Share*median(ours.rates), f.o.Open/rounds
	var both [2]openRun
	var inside handlerTurns
	before, err := scrape(ctx, f.serve.admin, f.q.route)
	if err != nil {
		return err
	}
	for round := range rounds {
		f.o.Progress.report("HTTP, "+f.q.name+", open loop", round, rounds)
		for turn := range both {
			i := (round + turn) % len(both)
			l, err := []*contestant{ours, floor}[i].open(ctx, 2*f.o.Connections, rate, part)
			if err != nil {
				return err
			}
			both[i].add(l)
			if i > 0 {
				continue
			}
			now, err := scrape(ctx, f.serve.admin, f.q.route)
			if err != nil {
				return err
			}
			inside.add(now.since(before))
			before = now // nobody but us asks it
		}
	}
	mine, bare := &both[0], &both[1]
	if mine.n == 0 || bare.n == 0 {
		r.Skipped = append(r.Skipped, rowOpen+f.q.name+": too short for a single request")
		return nil
	}
	r.Rows = append(r.Rows, latencyRow(rowOpen+f.q.name, mine, bare, openNote(mine, rate, f.o.Share, rounds*part)), inside.row(rowHandler+f.q.name))
	r.Curves = append(r.Curves, curve("coverd, "+f.q.name, mine.latency), curve("bare fasthttp, "+f.q.name, bare.latency))
	return nil
}

// slack is by how much an open loop may outlast its time and still count as
// sustained.
const slack = 1.05

// openNote tells what was asked for and what came of it. A client that finds no
// connection free sends late, and so does a machine that is busy with others.
func openNote(l *openRun, rate, share float64, planned time.Duration) string {
	note := fmt.Sprintf("%s requests/s, %.0f %% of capacity, from when each was due, in %d turns; achieved %s/s; %.1f %% of requests found their connection free, and were sent %.0f µs late at p50, %.0f µs at p99",
		thousands(*rounded(rate)), 100*share, rounds, thousands(*rounded(l.rate())), 100*float64(l.late.TotalCount())/float64(max(l.n, 1)),
		float64(l.late.ValueAtQuantile(50))/1e3, float64(l.late.ValueAtQuantile(99))/1e3)
	if l.elapsed.Seconds() > slack*planned.Seconds() {
		note = "not sustained: " + note
	}
	return note
}

// turn is a contestant's turn in a round.
func (c *contestant) turn(ctx context.Context, o *HTTPOptions) error {
	l, err := c.closed(ctx, o.Connections, o.Round)
	if err != nil {
		return err
	}
	c.n += l.n
	c.rates = append(c.rates, l.rate())
	c.cpus = append(c.cpus, float64(l.cpu)/float64(time.Microsecond)/float64(max(l.n, 1)))
	c.latency.Merge(l.latency)
	return nil
}

// throughput is a contestant's row: requests a second, beside the floor's.
func (c *contestant) throughput(question string, floor *contestant, size float64) Row {
	return Row{
		Name: c.row + question, N: c.n, Unit: unitRate, P50: rounded(median(c.rates)),
		Floor: rounded(median(floor.rates)), Ratio: rounded(medianRatio(c.rates, floor.rates)), FloorOf: ofFastHTTP,
		Note: fmt.Sprintf("closed loop, %d rounds; %.1f kB a body; latency %.0f µs at p50, %.0f µs at p99", len(c.rates), size/1e3,
			float64(c.latency.ValueAtQuantile(50))/1e3, float64(c.latency.ValueAtQuantile(99))/1e3),
	}
}

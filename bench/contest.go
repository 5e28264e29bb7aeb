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
	redis   *redisServer // nil: not installed
	answers *server.Server
	o       *HTTPOptions
	q       httpQuestion
}

// contestant is a target, and how it fared in each round.
type contestant struct {
	target
	n       int64
	rates   []float64 // requests a second
	cpus    []float64 // processor time a request, in microseconds
	latency *hdrhistogram.Histogram
}

// measure asks by turns in closed loop, then with one client, then in open
// loop.
func (f *contest) measure(ctx context.Context, r *HTTPResult) (err error) {
	uris, bodies := answered(f.answers, f.o.Keys, f.q.uri)
	requests := make([][]byte, len(uris))
	size := 0
	for i, uri := range uris {
		requests[i] = httpRequest(uri)
		size += len(bodies[i])
	}
	enter := func(c *child) *contestant {
		return &contestant{target: target{name: c.name, addr: c.addr, requests: requests, read: readHTTP, cpu: c.cpu}, latency: newHistogram()}
	}
	ours := enter(f.serve)
	field := []*contestant{ours}
	for _, kind := range []string{BareFastHTTP, BareNetHTTP} {
		bare, err2 := startBare(ctx, f.o.Binary, kind, bodies)
		if err2 != nil {
			return err2
		}
		defer func() { err = errors.Join(err, bare.stop()) }()
		field = append(field, enter(bare))
	}
	names := []string{rowHTTP, "", rowNetHTTP, rowRedis}
	if f.redis != nil {
		t, err := f.redis.bodies(ctx, bodies)
		if err != nil {
			return err
		}
		field = append(field, &contestant{target: *t, latency: newHistogram()})
	}
	for round := range rounds {
		f.o.Progress.report("HTTP, "+f.q.name, round, rounds)
		for turn := range field {
			if err := field[(round+turn)%len(field)].turn(ctx, f.o); err != nil {
				return err
			}
		}
	}
	floor := field[1]
	for i, c := range field {
		if c != floor {
			r.Rows = append(r.Rows, c.throughput(names[i]+f.q.name, floor, float64(size)/float64(len(bodies))))
		}
	}
	r.Rows = append(r.Rows, Row{
		Name: rowCPU + f.q.name, N: ours.n, Unit: unitUs, P50: rounded(median(ours.cpus)),
		Floor: rounded(median(floor.cpus)), FloorOf: ofFastHTTP, Ratio: rounded(medianRatio(ours.cpus, floor.cpus)),
		Note: "of the server's process, a request: the client, on the same cores, is not in it",
	})
	f.o.Progress.report("HTTP, "+f.q.name+", one client", rounds, rounds)
	one, err := ours.closed(ctx, 1, 2*f.o.Round)
	if err != nil {
		return err
	}
	bareOne, err := floor.closed(ctx, 1, 2*f.o.Round)
	if err != nil {
		return err
	}
	r.Rows = append(r.Rows, latencyRow(rowOne+f.q.name, one.latency, bareOne.latency, ""))
	return f.openLoop(ctx, r, ours, floor)
}

// openLoop asks at a share of capacity, and reads from the server's own
// histogram how long its handler took.
func (f *contest) openLoop(ctx context.Context, r *HTTPResult, ours, floor *contestant) error {
	f.o.Progress.report("HTTP, "+f.q.name+", open loop", rounds, rounds)
	rate := f.o.Share * median(ours.rates)
	before, err := scrape(ctx, f.serve.admin, f.q.route)
	if err != nil {
		return err
	}
	open, err := ours.open(ctx, 2*f.o.Connections, rate, f.o.Open)
	if err != nil {
		return err
	}
	after, err := scrape(ctx, f.serve.admin, f.q.route)
	if err != nil {
		return err
	}
	bare, err := floor.open(ctx, 2*f.o.Connections, rate, f.o.Open)
	if err != nil {
		return err
	}
	late := func(q float64) float64 { return float64(open.late.ValueAtQuantile(q)) / 1e3 }
	r.Rows = append(r.Rows, latencyRow(rowOpen+f.q.name, open.latency, bare.latency, fmt.Sprintf(
		"%.0f requests/s, %.0f %% of capacity, from when each was due; the client itself was %.0f µs late at p50, %.0f µs at p99",
		rate, 100*f.o.Share, late(50), late(99))))
	if inside := after.since(before); inside.count() > 0 {
		us := func(q float64) *float64 { return rounded(1e6 * inside.quantile(q)) }
		r.Rows = append(r.Rows, Row{
			Name: rowHandler + f.q.name, N: int64(inside.count()), Unit: unitUs, P50: us(0.5), P99: us(0.99), P999: us(0.999),
			Note: "in open loop, by the server's histogram; its bounds double, and between two of them the line is straight",
		})
	}
	r.Curves = append(r.Curves, curve("coverd, "+f.q.name, open.latency), curve("bare fasthttp, "+f.q.name, bare.latency))
	return nil
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
func (c *contestant) throughput(name string, floor *contestant, size float64) Row {
	return Row{
		Name: name, N: c.n, Unit: unitRate, P50: rounded(median(c.rates)),
		Floor: rounded(median(floor.rates)), Ratio: rounded(medianRatio(c.rates, floor.rates)), FloorOf: ofFastHTTP,
		Note: fmt.Sprintf("closed loop, %d rounds; %.1f kB a body; latency %.0f µs at p50, %.0f µs at p99", len(c.rates), size/1e3,
			float64(c.latency.ValueAtQuantile(50))/1e3, float64(c.latency.ValueAtQuantile(99))/1e3),
	}
}

package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coverd/geo"
	"coverd/index"
	"coverd/server"
)

// HTTPOptions say how HTTP is measured. What is not required may be zero.
type HTTPOptions struct {
	Binary   string // coverd, which is started as a child: required
	Snapshot string // the file that the catalogue is of: required

	Mix         string // Mixed by default, with postcodes of the average size
	Seed        uint64
	Keys        int           // different questions of a kind: 1,024 by default
	Connections int           // 32 by default
	Round       time.Duration // of closed loop: one second by default
	Open        time.Duration // of open loop: ten seconds by default
	Share       float64       // of capacity, in open loop: 0.7 by default
	NoPeers     bool          // leave Redis out
	Progress    Progress
}

func (o *HTTPOptions) setDefaults() {
	o.Mix = cmp.Or(o.Mix, Mixed)
	o.Keys = cmp.Or(o.Keys, 1024)
	o.Connections = cmp.Or(o.Connections, 32)
	o.Round = cmp.Or(o.Round, time.Second)
	o.Open = cmp.Or(o.Open, 10*time.Second)
	o.Share = cmp.Or(o.Share, 0.7)
}

// HTTPResult is what HTTP measured.
type HTTPResult struct {
	Rows    []Row
	Curves  []Curve  // latency in open loop
	Skipped []string // what was not measured, and why
}

// Curve is a distribution of latencies, for a chart.
type Curve struct {
	Name   string       `json:"name"`
	Unit   string       `json:"unit"`
	Points [][2]float64 `json:"points"` // percentile and latency
}

// Rows of HTTP: each is followed by a question's name.
const (
	rowHTTP    = "HTTP, "          // requests a second
	rowNetHTTP = "bare net/http, " // likewise
	rowRedis   = "Redis GET, "     // likewise, of the same bytes
	rowCPU     = "processor, "     // a request, the server's process alone
	rowOne     = "one client, "    // latency with a single connection
	rowOpen    = "open loop, "     // latency from when a request was due
	rowHandler = "handler, "       // by the server's own clock, in open loop
	rowReady   = "start to ready"

	ofFastHTTP = "bare fasthttp, same bytes"
)

// HTTP starts the server and, with the very bodies that it answers with, the
// bare handlers, each in a process of its own, and asks them by turns.
func HTTP(ctx context.Context, c *Catalogue, o HTTPOptions) (result *HTTPResult, err error) {
	o.setDefaults()
	questions, err := c.httpQuestions(&o)
	if err != nil {
		return nil, err
	}
	answers, err := server.New(c.Snap, server.Options{})
	if err != nil {
		return nil, err
	}
	serve, err := startServe(ctx, o.Binary, o.Snapshot)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, serve.stop()) }()
	result = &HTTPResult{}
	now, peak := serve.resident()
	result.Rows = append(result.Rows, Row{
		Name: rowReady, N: 1, Unit: unitSecond, P50: rounded(serve.ready.Seconds()),
		Note: fmt.Sprintf("until it listens, the snapshot verified; resident %.0f MiB, %.0f MiB at its peak", mib(now), mib(peak)),
	})
	var redis *redisServer
	if o.NoPeers {
		result.Skipped = append(result.Skipped, "Redis: left out")
	} else if redis, err = startRedis(ctx); errors.Is(err, errNotInstalled) {
		result.Skipped = append(result.Skipped, "Redis: "+err.Error())
	} else if err != nil {
		return nil, err
	} else {
		defer func() { err = errors.Join(err, redis.stop()) }()
	}
	for _, q := range questions {
		f := contest{serve: serve, redis: redis, answers: answers, o: &o, q: q}
		if err := f.measure(ctx, result); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	for i := range result.Rows[1:] {
		result.Rows[1+i].Mix = o.Mix
	}
	return result, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// httpQuestion is one of the questions asked over HTTP.
type httpQuestion struct {
	name  string
	route string // as the server's metrics call it
	uri   func(i int) string
}

// httpQuestions are a postcode, an outcode and a location, each many times
// over: that of a single one would be an answer from the processor's caches.
func (c *Catalogue) httpQuestions(o *HTTPOptions) ([]httpQuestion, error) {
	keys, err := c.Draw(o.Mix, o.Seed, o.Keys)
	if err != nil {
		return nil, fmt.Errorf("mix %s: %w", o.Mix, err)
	}
	postcodes := keys.Postcodes
	if o.Mix == Mixed {
		if postcodes, err = c.averagePostcodes(o.Seed, o.Keys); err != nil {
			return nil, err
		}
	}
	return []httpQuestion{
		{qPostcode, "/v1/postcodes/{postcode}", func(i int) string { return postcodeURI(wrapped(postcodes, i)) }},
		{qOutcode, "/v1/outcodes/{outcode}", func(i int) string { return outcodeURI(wrapped(keys.Outcodes, i)) }},
		{qLocation, "/v1/locations", func(i int) string { return locationURI(wrapped(keys.Points, i)) }},
	}, nil
}

// averagePostcodes draws postcodes with as many premises as the average has, or
// as nearly as there are.
func (c *Catalogue) averagePostcodes(seed uint64, n int) ([]geo.Postcode, error) {
	if len(c.filled) == 0 {
		return nil, fmt.Errorf("postcodes with premises: %w", errNone)
	}
	sum := 0
	for _, unit := range c.filled {
		sum += unit.Len()
	}
	average := (sum + len(c.filled)/2) / len(c.filled)
	var like []index.Unit
	for slack := 0; len(like) == 0; slack++ {
		for _, unit := range c.filled {
			if d := unit.Len() - average; max(d, -d) == slack {
				like = append(like, unit)
			}
		}
	}
	rng := random("average", seed)
	postcodes := make([]geo.Postcode, n)
	for i := range postcodes {
		postcodes[i] = like[rng.IntN(len(like))].Postcode()
	}
	return postcodes, nil
}

// latencyRow is a row of microseconds, beside those of a floor.
func latencyRow(name string, h, floor *hdrhistogram.Histogram, note string) Row {
	us := func(h *hdrhistogram.Histogram, q float64) *float64 {
		return rounded(float64(h.ValueAtQuantile(q)) / 1e3)
	}
	r := Row{Name: name, N: h.TotalCount(), Unit: unitUs, P50: us(h, 50), P99: us(h, 99), P999: us(h, 99.9), Note: note}
	r.Floor, r.FloorOf = us(floor, 50), ofFastHTTP
	r.Ratio = rounded(float64(h.ValueAtQuantile(50)) / float64(floor.ValueAtQuantile(50)))
	return r
}

// curve is a histogram's percentiles up to 99.99.
func curve(name string, h *hdrhistogram.Histogram) Curve {
	c := Curve{Name: name, Unit: unitUs}
	for _, p := range []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99} {
		c.Points = append(c.Points, [2]float64{p, *rounded(float64(h.ValueAtQuantile(p)) / 1e3)})
	}
	return c
}

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
	rowAtRest  = "resident at rest, over an empty process"

	ofFastHTTP = "bare fasthttp, same bytes"
)

// skip takes down that a peer was not measured, and why. It returns the error
// where that is the end of the run.
func (r *HTTPResult) skip(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	r.Skipped = append(r.Skipped, what+": "+err.Error())
	return nil
}

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
	serve, err := startServe(ctx, o.Binary, "--snapshot", o.Snapshot)
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
	if err := result.atRest(ctx, &o, now, c.Snap.Info().Premises); err != nil {
		return nil, err
	}
	unmixed := len(result.Rows)
	var redis *redisServer
	if o.NoPeers {
		result.Skipped = append(result.Skipped, "Redis: left out")
	} else if redis, err = startRedis(ctx); err == nil {
		defer func() {
			if e := redis.stop(); e != nil && err == nil {
				err = result.skip(ctx, "Redis, to its end", e)
			}
		}()
	} else if err := result.skip(ctx, "Redis", err); err != nil {
		return nil, err
	}
	for _, q := range questions {
		f := contest{serve: serve, redis: redis, answers: answers, o: &o, q: q}
		if err := f.measure(ctx, result); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	for i := range result.Rows[unmixed:] {
		result.Rows[unmixed+i].Mix = o.Mix
	}
	return result, nil
}

// atRest is how much more memory the server takes than a process of the same
// program that has nothing to serve, where the system tells.
func (r *HTTPResult) atRest(ctx context.Context, o *HTTPOptions, resident, premises int64) (err error) {
	empty, err := startBare(ctx, o.Binary, BareFastHTTP, nil, [][]byte{{'x'}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.stop()) }()
	nothing, _ := empty.resident()
	if resident == 0 || nothing == 0 {
		r.Skipped = append(r.Skipped, rowAtRest+": this system does not tell")
		return nil
	}
	r.Rows = append(r.Rows, Row{
		Name: rowAtRest, N: premises, Unit: unitEach, P50: rounded(float64(resident-nothing) / float64(max(premises, 1))),
		Note: fmt.Sprintf("%.1f MiB, everything loaded; an empty process has %.1f MiB", mib(resident), mib(nothing)),
	})
	return nil
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
	postcodes, err := c.postcodesToAnswer(keys, o.Mix, o.Seed)
	if err != nil {
		return nil, err
	}
	return []httpQuestion{
		{qPostcode, "/v1/postcodes/{postcode}", func(i int) string { return postcodeURI(wrapped(postcodes, i)) }},
		{qOutcode, "/v1/outcodes/{outcode}", func(i int) string { return outcodeURI(wrapped(keys.Outcodes, i)) }},
		{qLocation, "/v1/locations", func(i int) string { return locationURI(wrapped(keys.Points, i)) }},
	}, nil
}

// postcodesToAnswer are the postcodes that are asked for as JSON: of the mix
// Mixed as many of average size, because it is the size that decides.
func (c *Catalogue) postcodesToAnswer(keys *Keys, mix string, seed uint64) ([]geo.Postcode, error) {
	if mix != Mixed {
		return keys.Postcodes, nil
	}
	return c.averagePostcodes(seed, len(keys.Postcodes))
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

// latencyRow is a row of microseconds over all turns, beside those of a floor.
func latencyRow(name string, l, floor *openRun, note string) Row {
	r := Row{Name: name, Unit: unitUs, Note: note, FloorOf: ofFastHTTP, Ratio: rounded(medianRatio(l.medians, floor.medians))}
	r.percentiles(l.latency, 1e-3)
	r.Floor = rounded(float64(floor.latency.ValueAtQuantile(50)) / 1e3)
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

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// buckets is a cumulative histogram as Prometheus has it: how many were at most
// so long, by upper bound in seconds.
type buckets map[float64]float64

// scrape reads the server's own histogram of the time in its handler for a
// route.
func scrape(ctx context.Context, admin, route string) (buckets, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", resp.Status)
	}
	return readBuckets(resp.Body, route)
}

func readBuckets(r io.Reader, route string) (buckets, error) {
	b := buckets{}
	prefix := `coverd_request_duration_seconds_bucket{route="` + route + `",le="`
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), prefix)
		if !ok {
			continue
		}
		bound, count, _ := strings.Cut(rest, `"} `)
		le, err := strconv.ParseFloat(bound, 64) // +Inf included
		if err == nil {
			b[le], err = strconv.ParseFloat(count, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return b, lines.Err()
}

// since is what was counted after an earlier scrape.
func (b buckets) since(before buckets) buckets {
	d := buckets{}
	for le, n := range b {
		d[le] = n - before[le]
	}
	return d
}

// count is how many there are.
func (b buckets) count() float64 { return b[math.Inf(1)] }

// within is the share that took at most so long; le is one of the bounds.
func (b buckets) within(le float64) float64 { return b[le] / b.count() }

// quantile is the q-quantile in seconds, on a straight line between the bounds
// of its bucket; NaN of nothing. What is beyond the last bound is told as that.
func (b buckets) quantile(q float64) float64 {
	if b.count() == 0 {
		return math.NaN()
	}
	rank, below, low := q*b.count(), 0.0, 0.0
	for _, le := range slices.Sorted(maps.Keys(b)) {
		n := b[le]
		switch {
		case n >= rank && math.IsInf(le, 1):
			return low
		case n >= rank && n > below:
			return low + (le-low)*(rank-below)/(n-below)
		}
		below, low = n, le
	}
	return low
}

// handlerBudget is what the handler may take at p99, in seconds: one of the
// histogram's bounds, so that a p99 is known for sure to be within it or not.
const handlerBudget = 20e-6

// handlerTurns is how long the server's handler took, by its own histogram, in
// each turn. Medians over turns are what a turn in which somebody else had the
// machine does not move.
type handlerTurns struct {
	n                      float64
	p50, p99, p999, within []float64
}

func (h *handlerTurns) add(b buckets) {
	if b.count() == 0 {
		return
	}
	h.n += b.count()
	h.p50, h.p99, h.p999 = append(h.p50, b.quantile(0.5)), append(h.p99, b.quantile(0.99)), append(h.p999, b.quantile(0.999))
	h.within = append(h.within, b.within(handlerBudget))
}

func (h *handlerTurns) row(name string) Row {
	r := Row{Name: name, N: int64(h.n), Unit: unitUs}
	us := func(turns []float64) *float64 { return rounded(1e6 * median(turns)) }
	r.P50, r.P99 = us(h.p50), us(h.p99)
	if h.n >= enoughForP999 {
		r.P999 = us(h.p999)
	}
	r.Note = fmt.Sprintf("in open loop, by the server's histogram, each the median of %d turns; between two bounds the line is straight; %.2f %% within %.0f µs",
		len(h.p50), 100*median(h.within), 1e6*handlerBudget)
	return r
}

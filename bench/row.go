package bench

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Row is one figure, with the floor measured beside it in the same run. What
// was not measured, or does not apply, is nil.
type Row struct {
	Name string   `json:"name"`
	N    int64    `json:"n"`    // questions, requests or runs
	Unit string   `json:"unit"` // of the percentiles and of the floor
	P50  *float64 `json:"p50"`
	P99  *float64 `json:"p99"`
	P999 *float64 `json:"p999"`
	// Allocs are allocations a question, by the runtime's count: the median over
	// rounds.
	Allocs *float64 `json:"allocs"`
	// Floor is the p50 of what FloorOf names, and Ratio the median over rounds
	// of this to that: rounds are interleaved, so that noise strikes both.
	Floor *float64 `json:"floor"`
	Ratio *float64 `json:"ratio"`

	Mean    *float64 `json:"mean,omitempty"`
	FloorOf string   `json:"floor_of,omitempty"`
	Mix     string   `json:"mix,omitempty"`
	Note    string   `json:"note,omitempty"`
}

// The units of rows.
const (
	unitNs     = "ns"
	unitUs     = "µs"
	unitSecond = "s"
	unitRate   = "requests/s"
	unitBytes  = "bytes"
)

// enoughForP999 is how many questions a p99.9 must be of: of fewer it would be
// the figure of less than ten.
const enoughForP999 = 10_000

// percentiles sets number and percentiles to those of a histogram, scaled. What
// is of too few is left out.
func (r *Row) percentiles(h *hdrhistogram.Histogram, scale float64) {
	at := func(q float64) *float64 { return rounded(float64(h.ValueAtQuantile(q)) * scale) }
	r.N = h.TotalCount()
	if r.N == 0 {
		return
	}
	r.P50, r.P99 = at(50), at(99)
	if r.N >= enoughForP999 {
		r.P999 = at(99.9)
	}
}

// rounded is v with four significant digits: what is behind them is noise. What
// is no number was not measured.
func rounded(v float64) *float64 {
	switch {
	case v == 0:
		return new(v)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return nil
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return new(math.Round(v*scale) / scale)
}

package bench

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	rounds    = 7   // interleaved, of every comparison
	batchSize = 128 // questions between two looks at the clock
	// Below this many nanoseconds the median is that of batches: the clock
	// takes some 40 ns to read, and keeps the processor from looking ahead.
	tooShortToTime = 1000
)

// timing is how long one kind of question takes, in nanoseconds.
type timing struct {
	mean   float64
	rounds []float64 // the mean of each round
	allocs []float64 // a question, likewise
	batch  float64   // median of the batches
	single *hdrhistogram.Histogram
}

// race times contestants, that answer question i, by turns: in each of the
// rounds each answers an equal part of n questions in batches and then each as
// many one by one. The overhead of the clock, which it returns, is subtracted
// from the latter.
func race(ctx context.Context, n int, contestants ...func(i int)) (timings []timing, overhead float64, err error) {
	clock := clockOverhead()
	timings = make([]timing, len(contestants))
	batches := make([][]float64, len(contestants))
	next := make([]int, len(contestants)) // each asks the same questions in the same order
	for c, ask := range contestants {
		timings[c].single = newHistogram()
		for i := range max(n/rounds, batchSize) { // warm
			ask(i)
		}
	}
	part := max(n/rounds/batchSize, 1)
	for c := range batches {
		batches[c] = make([]float64, 0, rounds*part) // so that it does not grow while allocations are counted
	}
	for r := range rounds {
		for turn := range contestants {
			c := (r + turn) % len(contestants) // nobody always goes first
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			ask, t := contestants[c], &timings[c]
			var sum time.Duration
			before := mallocs()
			for range part {
				from := next[c]
				start := time.Now()
				for i := range batchSize {
					ask(from + i)
				}
				took := time.Since(start)
				next[c] += batchSize
				sum += took
				batches[c] = append(batches[c], float64(took)/batchSize)
			}
			t.allocs = append(t.allocs, float64(mallocs()-before)/float64(part*batchSize))
			t.rounds = append(t.rounds, float64(sum)/float64(part*batchSize))
			for range part * batchSize {
				start := time.Now()
				ask(next[c])
				took := time.Since(start)
				next[c]++
				record(t.single, took-clock)
			}
		}
	}
	for c := range timings {
		t := &timings[c]
		t.mean = mean(t.rounds)
		t.batch = median(batches[c])
	}
	return timings, float64(clock), nil
}

// p50 is the median: of batches where a question is too short to be timed.
func (t *timing) p50() float64 {
	if t.batch < tooShortToTime {
		return t.batch
	}
	return float64(t.single.ValueAtQuantile(50))
}

// row makes a row of a contestant and its floor, which may be nil.
func (t *timing) row(name, unit string, floor *timing, floorOf string) Row {
	scale := 1.0
	if unit == unitUs {
		scale = 1e-3
	}
	r := Row{
		Name: name, Unit: unit, Mean: rounded(t.mean * scale),
		// The runtime's count is that of the process: what the collector or a
		// metric does once is in one round, and below a hundredth it is theirs.
		Allocs: new(float64(int64(median(t.allocs)*100)) / 100),
	}
	r.percentiles(t.single, scale)
	r.P50 = rounded(t.p50() * scale)
	if floor != nil {
		r.Floor, r.Ratio, r.FloorOf = rounded(floor.p50()*scale), rounded(medianRatio(t.rounds, floor.rounds)), floorOf
	}
	return r
}

// clockOverhead is what timing nothing takes.
func clockOverhead() time.Duration {
	h := newHistogram()
	for range 20_000 {
		start := time.Now()
		record(h, time.Since(start))
	}
	return time.Duration(h.ValueAtQuantile(50))
}

// newHistogram counts nanoseconds up to a minute, to three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, int64(time.Minute), 3) }

// record counts a duration; what is longer than a minute is a minute.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, 1), time.Minute))) // in range, so it takes it
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(max(len(v), 1))
}

// median is the middle one, of an even number the mean of the two; 0 of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// medianRatio is the median of a's to b's, round by round.
func medianRatio(a, b []float64) float64 {
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

package bench

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Contestants answer the same questions in the same order, as often each, and
// go on where they stopped.
func TestRaceIsFair(t *testing.T) {
	var asked [2][]int
	timings, _, err := race(t.Context(), 1,
		func(i int) { asked[0] = append(asked[0], i) },
		func(i int) { asked[1] = append(asked[1], i) })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(asked[0], asked[1]) || len(asked[0]) != batchSize+2*rounds*batchSize {
		t.Fatalf("asked %d and %d questions", len(asked[0]), len(asked[1]))
	}
	for i, q := range asked[0][batchSize:] { // the first are to warm up
		if q != i {
			t.Fatalf("question %d is number %d", i, q)
		}
	}
	for _, timed := range timings {
		if len(timed.rounds) != rounds || timed.single.TotalCount() != rounds*batchSize {
			t.Errorf("%+v", timed)
		}
	}
}

func TestRaceCountsAllocations(t *testing.T) {
	var kept []byte
	timings, _, err := race(t.Context(), 1, func(int) { kept = make([]byte, 64) }, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	_ = kept
	if a, b := median(timings[0].allocs), median(timings[1].allocs); math.Abs(a-1) > 0.05 || b > 0.05 {
		t.Errorf("%v and %v allocations a question, want 1 and 0", a, b)
	}
}

func TestRaceCanBeStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := race(ctx, 1, func(int) {}); err == nil {
		t.Error("it went on")
	}
}

func TestPercentilesAreThoseOfTheSortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(1, 1e9), 1, 200).Draw(t, "ns")
		h := newHistogram()
		for _, v := range list {
			if err := h.RecordValue(v); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(list)
		for _, q := range []float64{50, 99, 99.9} {
			want := list[max(int(q/100*float64(len(list))+0.5), 1)-1] // the library rounds the rank
			if got := h.ValueAtQuantile(q); math.Abs(float64(got-want)) > float64(want)/500+1 {
				t.Fatalf("p%v is %d, want %d", q, got, want)
			}
		}
	})
}

func TestMedians(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
	if got := medianRatio([]float64{2, 9, 4}, []float64{1, 1, 1}); got != 4 {
		t.Errorf("%v", got)
	}
}

func TestRounded(t *testing.T) {
	for in, want := range map[float64]float64{0: 0, 123456: 123500, 0.0123456: 0.01235, -98765: -98770, 5: 5} {
		if got := *rounded(in); math.Abs(got-want) > math.Abs(want)*1e-12 {
			t.Errorf("%v rounds to %v, want %v", in, got, want)
		}
	}
}

// Every kind of question is asked beside a floor; look-ups allocate nothing.
// Answers come from a pool, which under the race detector forgets at random:
// package server holds them to nothing.
func TestLookup(t *testing.T) {
	rows, err := Lookup(t.Context(), catalogue(t), LookupOptions{Seed: 1, N: 1000, Keys: 256})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]Row{}
	for _, r := range rows {
		names[r.Name] = r
		if r.N < rounds*batchSize || *r.P50 <= 0 || *r.P99 <= 0 || r.P999 != nil || *r.Floor <= 0 || *r.Ratio <= 0 || r.FloorOf == "" || r.Mix != Mixed {
			t.Errorf("%+v", r)
		}
	}
	answers := []string{qPostcodeJSON, qOutcodeJSON, qLocationJSON}
	for _, name := range []string{qPostcode, qPremises, qPostcodeJSON, qRegionLand, qRegionBorder, qLocation, qLocationJSON, qNearest, qUPRN, qOutcode, qSector, qOutcodeJSON} {
		r, ok := names[name]
		if !ok {
			t.Errorf("%s was not asked", name)
		} else if !slices.Contains(answers, name) && *r.Allocs > 0.05 { // less is the runtime's
			t.Errorf("%s: %v allocations", name, *r.Allocs)
		}
	}
}

func TestWriteText(t *testing.T) {
	run := Run{Machine: Machine{Processor: "abacus", Cores: 2, Platform: "linux/amd64", Go: "go1.26"}, Rows: []Row{
		{Name: "postcode", N: 1792, Unit: "ns", P50: new(123.4), P99: new(4567.0), Allocs: new(0.0), Floor: new(61.7), Ratio: new(2.0), FloorOf: "map get", Mix: "hits"},
	}, Skipped: []string{"Redis: not installed"}}
	var b strings.Builder
	if err := run.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "2 cores of abacus, linux/amd64, go1.26\n\n" +
		"QUESTION  MIX   N     UNIT  P50    P99    P99.9  ALLOCS  FLOOR  RATIO  OF\n" +
		"postcode  hits  1792  ns    123.4  4,567  -      0       61.7   2      map get\n" +
		"not measured: Redis: not installed\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

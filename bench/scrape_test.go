package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"

	"coverd/server"
)

// TestBudgetIsABound of the server's histogram: how many kept to it is counted.
func TestBudgetIsABound(t *testing.T) {
	srv, err := server.New(catalogue(t).Snap, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var listeners [2]net.Listener
	for i := range listeners {
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, listeners[0], listeners[1]) }()
	b, err := scrape(t.Context(), listeners[1].Addr().String(), "/v1/postcodes/{postcode}")
	if _, ok := b[handlerBudget]; !ok || err != nil {
		t.Errorf("%v is none of %v: %v", handlerBudget, b, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The quantile read off buckets lies in the bucket of the true one.
func TestQuantileOfBuckets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	bounds := []float64{250e-9, 500e-9, 1e-6, 2e-6, 4e-6, 8e-6}
	for range 200 {
		var values []float64
		for range 1 + rng.IntN(500) {
			values = append(values, rng.ExpFloat64()*2e-6)
		}
		slices.Sort(values)
		var text strings.Builder
		text.WriteString("# HELP x\ncoverd_request_duration_seconds_bucket{route=\"/other\",le=\"1\"} 9\n")
		for _, le := range append(slices.Clone(bounds), math.Inf(1)) {
			n, _ := slices.BinarySearchFunc(values, le, func(v, le float64) int {
				if v <= le {
					return -1
				}
				return 1
			})
			fmt.Fprintf(&text, "coverd_request_duration_seconds_bucket{route=\"/r\",le=\"%s\"} %d\n", fmt.Sprint(le), n+10)
		}
		after, err := readBuckets(strings.NewReader(text.String()), "/r")
		if err != nil {
			t.Fatal(err)
		}
		before := buckets{}
		for le := range after {
			before[le] = 10
		}
		b := after.since(before)
		if int(b.count()) != len(values) {
			t.Fatalf("%v of %d", b.count(), len(values))
		}
		for _, q := range []float64{0.5, 0.99, 0.999} {
			truth := values[min(len(values)-1, int(math.Ceil(q*float64(len(values))))-1)]
			got := b.quantile(q)
			i, _ := slices.BinarySearch(bounds, truth) // truth is in bucket i
			low, high := 0.0, bounds[len(bounds)-1]
			if i > 0 {
				low = bounds[i-1]
			}
			if i < len(bounds) {
				high = bounds[i]
			}
			if got < low || got > high {
				t.Fatalf("quantile %v: %v, want %v to %v", q, got, low, high)
			}
		}
	}
	if !math.IsNaN(buckets{}.quantile(0.5)) {
		t.Error("a quantile of nothing")
	}
}

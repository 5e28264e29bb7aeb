package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPace(t *testing.T) {
	began := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	p := progress{began: began, from: 100}
	for _, c := range []struct {
		after       time.Duration
		done, total int64
		want        []any
	}{
		{0, 100, 500, nil},
		{10 * time.Second, 100, 500, nil},
		{10 * time.Second, 300, 500, []any{"per_second", int64(20), "stage_ends", "2026-11-25T03:00:20Z"}},
		{10 * time.Second, 300, 0, []any{"per_second", int64(20)}}, // the total is not known
		{20 * time.Second, 500, 500, []any{"per_second", int64(20)}},
	} {
		want := append([]any{"done", c.done, "total", c.total}, c.want...)
		if d := cmp.Diff(want, p.pace(began.Add(c.after), c.done, c.total)); d != "" {
			t.Errorf("%d of %d after %v (-want +got):\n%s", c.done, c.total, c.after, d)
		}
	}
}

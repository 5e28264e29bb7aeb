package bench

import (
	"context"
	"errors"
	"testing"
)

func TestSweepPremises(t *testing.T) {
	snap := catalogue(t).Snap
	last := int64(0)
	s, err := SweepPremises(t.Context(), snap, func(_ string, done, _ int64) { last = done })
	if err != nil {
		t.Fatal(err)
	}
	n := snap.Info().Premises
	if s.Premises != n || last != n || s.UPRN != (Found{n, 0, -1}) || s.Postcode != (Found{n, 0, -1}) || s.Location != (Found{n, 0, -1}) || s.Missing() != 0 {
		t.Errorf("%+v of %d, told %d", s, n, last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SweepPremises(ctx, snap, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("told to end: %v", err)
	}
}

// What is missing is counted, and the first of it named.
func TestFound(t *testing.T) {
	a, b := Found{First: -1}, Found{First: -1}
	a.count(true, 1)
	a.count(false, 9)
	a.count(false, 4)
	b.count(false, 7)
	for _, f := range []Found{sum(a, b), sum(b, a)} {
		if want := (Found{Asked: 4, Missing: 3, First: 4}); f != want {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
	if got := sum(a, Found{First: -1}); got != a {
		t.Errorf("%+v", got)
	}
}

func sum(a, b Found) Found {
	a.add(b)
	return a
}

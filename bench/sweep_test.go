package bench

import (
	"context"
	"errors"
	"slices"
	"testing"

	"coverd/geo"
	"coverd/index"
)

func TestSweepPremises(t *testing.T) {
	snap := catalogue(t).Snap
	last := int64(0)
	s, err := SweepPremises(t.Context(), snap, func(_ string, done, _ int64) { last = done })
	if err != nil {
		t.Fatal(err)
	}
	n := snap.Info().Premises
	if all := (Found{Asked: n}); s.Premises != n || last != n || s.UPRN != all || s.Postcode != all || s.Location != all || s.Missing() != 0 || s.Crowded != 0 {
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
	homes := slices.Collect(catalogue(t).Snap.AllPremises())
	var a, b Found
	a.count(true, homes[1])
	a.count(false, homes[9])
	a.count(false, homes[4])
	b.count(false, homes[7])
	for _, f := range []Found{sum(a, b), sum(b, a)} {
		if want := (Found{Asked: 4, Missing: 3, First: homes[4].UPRN().String(), row: homes[4].Row()}); f != want {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
	if got := sum(a, Found{}); got != a {
		t.Errorf("%+v", got)
	}
}

// A block of flats with more premises on one spot than a look-up gives: those
// beyond are found by their place in the order.
func TestSweepOfACrowd(t *testing.T) {
	const flats = index.MaxNearest + 50
	snap, err := world(func(b *index.Builder) error {
		claim := claimed(b)
		postcode, err := geo.ParsePostcode("GU1 1AA")
		if err != nil {
			return err
		}
		at := geo.LatLng{Lat: 51.2, Lng: -0.5}.Location()
		b.AddPostcode(index.Entry{Postcode: postcode, At: at})
		for i := range flats {
			b.Add([]index.Row{{UPRN: geo.UPRN(990_000_000_001 + i), Postcode: postcode, At: at, Claim: claim, Line: uint32(1 + i)}})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := SweepPremises(t.Context(), snap, nil)
	if err != nil || s.Location.Asked != flats || s.Crowded != flats-index.MaxNearest || s.Missing() != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	for name, lie := range map[string]func(list []index.Neighbour) []index.Neighbour{
		"given one too few":                func(list []index.Neighbour) []index.Neighbour { return list[:len(list)-1] },
		"the last in place of the first":   func(list []index.Neighbour) []index.Neighbour { return append(list[1:], lastOf(snap)) },
		"the last of them is a metre away": func(list []index.Neighbour) []index.Neighbour { list[len(list)-1].Distance = 1; return list },
		"those given are all a metre away": moved,
		"nothing is found":                 func(list []index.Neighbour) []index.Neighbour { return list[:0] },
	} {
		s := newSweeper(snap)
		s.nearest = func(list []index.Neighbour, p geo.LatLng, limit int, radius float64) []index.Neighbour {
			return lie(snap.Nearest(list, p, limit, radius))
		}
		for p := range snap.AllPremises() {
			s.look(p)
		}
		if s.Location.Missing == 0 || s.Location.First == "" || s.UPRN.Missing+s.Postcode.Missing != 0 {
			t.Errorf("%s: %+v", name, s.PremisesSweep)
		}
	}
}

func lastOf(snap *index.Snapshot) index.Neighbour {
	homes := slices.Collect(snap.AllPremises())
	return index.Neighbour{Premises: homes[len(homes)-1]}
}

func moved(list []index.Neighbour) []index.Neighbour {
	for i := range list {
		list[i].Distance = 1
	}
	return list
}

// Look-ups that lead to another premises or to none are found out, and the
// first that is missing is named.
func TestSweepOfLies(t *testing.T) {
	snap := catalogue(t).Snap
	homes := slices.Collect(snap.AllPremises())
	other := homes[0]
	elsewhere, _ := snap.Postcode(other.Postcode())
	for _, c := range []struct {
		name string
		lie  func(s *sweeper)
		of   func(s *sweeper) Found
		want int64
	}{
		{"another UPRN", func(s *sweeper) {
			s.uprn = func(geo.UPRN) (index.Premises, bool) { return other, true }
		}, func(s *sweeper) Found { return s.UPRN }, int64(len(homes) - 1)},
		{"no UPRN", func(s *sweeper) {
			s.uprn = func(geo.UPRN) (index.Premises, bool) { return index.Premises{}, false }
		}, func(s *sweeper) Found { return s.UPRN }, int64(len(homes))},
		{"another postcode", func(s *sweeper) {
			s.postcode = func(geo.Postcode) (index.Unit, bool) { return elsewhere, true }
		}, func(s *sweeper) Found { return s.Postcode }, int64(len(homes) - elsewhere.Len())},
		{"no postcode", func(s *sweeper) {
			s.postcode = func(geo.Postcode) (index.Unit, bool) { return index.Unit{}, false }
		}, func(s *sweeper) Found { return s.Postcode }, int64(len(homes))},
	} {
		s := newSweeper(snap)
		c.lie(s)
		first := ""
		for _, p := range homes {
			before := s.Missing()
			s.look(p)
			if first == "" && s.Missing() > before {
				first = p.UPRN().String()
			}
		}
		if got := c.of(s); got.Missing != c.want || got.First != first || s.Missing() != got.Missing {
			t.Errorf("%s: %+v, want %d missing, the first %s", c.name, s.PremisesSweep, c.want, first)
		}
	}
}

func sum(a, b Found) Found {
	a.add(b)
	return a
}

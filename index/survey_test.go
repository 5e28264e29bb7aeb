package index

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"coverd/geo"
)

// A survey finds what its parts find when each is asked for alone.
func TestSurveyEqualsItsParts(t *testing.T) {
	var got Surroundings
	var want Estimate
	estimated := map[string]int{}
	for seed := range uint64(3) {
		w := makeWorld(seed, 600)
		s := w.open(t)
		rng := rand.New(rand.NewPCG(seed, 5))
		all := slices.Collect(s.AllPremises())
		for range 300 {
			p := geo.LatLng{Lat: 51.9 + rng.Float64()*1.2, Lng: -2.1 + rng.Float64()*1.7}
			if q := all[rng.IntN(len(all))]; rng.IntN(3) > 0 && q.At().IsValid() {
				p = q.At().LatLng()
			}
			limit := []int{1, 3, 10, 11, MaxNearest}[rng.IntN(5)]
			radius := []float64{0, 20, 499, 500, 600, 50_000}[rng.IntN(6)]
			on := worldDay + Day(rng.IntN(120)-10)
			s.Survey(&got, p, limit, radius, on)
			if alone := s.AppendAreas(nil, p); !slices.Equal(got.Areas, alone) {
				t.Fatalf("%v: areas %v, alone %v", p, got.Areas, alone)
			}
			if alone := s.Nearest(nil, p, limit, radius); !slices.Equal(got.Premises, alone) {
				t.Fatalf("%v, %d within %v m: premises %v, alone %v", p, limit, radius, got.Premises, alone)
			}
			if alone := s.NearestPostcodes(nil, p, limit, radius); !slices.Equal(got.Postcodes, alone) {
				t.Fatalf("%v, %d within %v m: postcodes %v, alone %v", p, limit, radius, got.Postcodes, alone)
			}
			ok := s.EstimateAt(&want, p, on)
			if ok != got.Estimated || ok && !sameEstimate(&got.Estimate, &want) {
				t.Fatalf("%v: estimate %t %+v, alone %t %+v", p, got.Estimated, got.Estimate, ok, want)
			}
			if ok {
				estimated[want.Basis]++
			}
		}
	}
	for _, basis := range []string{EstimateArea, EstimateNearest, EstimateSector} {
		if estimated[basis] == 0 {
			t.Errorf("no estimate by %s among the questions: %v", basis, estimated)
		}
	}
}

// sameEstimate compares what estimates tell, whatever memory they keep.
func sameEstimate(a, b *Estimate) bool {
	x, y := *a, *b
	x.witnesses, y.witnesses, x.fits, y.fits = nil, nil, nil, nil
	if len(x.Networks) != len(y.Networks) {
		return false
	}
	for i := range x.Networks {
		p, q := x.Networks[i], y.Networks[i]
		for _, l := range [][2][]Count{{p.States, q.States}, {p.From, q.From}, {p.Variants, q.Variants}, {p.Auxiliary, q.Auxiliary}, {p.Likelihoods, q.Likelihoods}} {
			if !slices.Equal(l[0], l[1]) {
				return false
			}
		}
		if p.Network != q.Network || p.FromArea != q.FromArea {
			return false
		}
	}
	x.Networks, y.Networks = nil, nil
	return reflect.DeepEqual(x, y)
}

package index

import (
	"cmp"
	"slices"

	"coverd/geo"
)

// slowNearest measures every premises.
func slowNearest(all []Premises, p geo.LatLng, limit int, radius float64) (list []Neighbour) {
	for _, q := range all {
		if d := geo.Distance(p, q.At().LatLng()); q.At().IsValid() && d <= radius {
			list = append(list, Neighbour{q, d})
		}
	}
	slices.SortFunc(list, func(a, b Neighbour) int {
		return cmp.Or(
			cmp.Compare(a.Distance, b.Distance),
			a.Premises.Postcode().Compare(b.Premises.Postcode()),
			cmp.Compare(a.Premises.UPRN(), b.Premises.UPRN()),
			slices.Compare(a.Premises.Address(), b.Premises.Address()),
			cmp.Compare(a.Premises.Row(), b.Premises.Row()))
	})
	return list[:min(len(list), limit)]
}

// slowNearestUnits measures every live postcode.
func slowNearestUnits(s *Snapshot, p geo.LatLng, limit int, radius float64) (list []UnitNeighbour) {
	for u := range s.AllPostcodes() {
		if d := geo.Distance(p, u.At().LatLng()); u.Status() == Live && u.At().IsValid() && d <= radius {
			list = append(list, UnitNeighbour{u, d})
		}
	}
	slices.SortFunc(list, func(a, b UnitNeighbour) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), a.Unit.Postcode().Compare(b.Unit.Postcode()))
	})
	return list[:min(len(list), limit)]
}

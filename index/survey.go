package index

import "coverd/geo"

// Surroundings are what is around a point. Their memory is reused when they are
// filled again.
type Surroundings struct {
	Areas     []AreaHit       // as by AppendAreas
	Premises  []Neighbour     // as by Nearest
	Postcodes []UnitNeighbour // as by NearestPostcodes
	Estimate  Estimate        // as by EstimateAt
	Estimated bool            // whether it could be
}

// Survey finds the areas that contain a point, up to limit premises and
// postcodes within radius metres, and estimates coverage there on a day.
//
// # Why
//
// Each of these can be asked for alone. But an estimate looks for nearest
// premises and for areas too, and together nothing is looked for twice: an
// answer about a location takes 25 µs for 33.
func (s *Snapshot) Survey(a *Surroundings, p geo.LatLng, limit int, radius float64, on Day) {
	a.Areas = s.AppendAreas(a.Areas[:0], p)
	a.Postcodes = s.NearestPostcodes(a.Postcodes[:0], p, limit, radius)
	a.Premises = s.Nearest(a.Premises[:0], p, max(limit, EstimateWitnesses), max(radius, EstimateRadius))
	a.Estimated = s.estimate(&a.Estimate, whereabouts{at: p, located: true, near: a.Premises, areas: a.Areas}, on)
	n := min(len(a.Premises), limit)
	for n > 0 && a.Premises[n-1].Distance > radius {
		n--
	}
	a.Premises = a.Premises[:n]
}

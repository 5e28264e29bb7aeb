package bench

import (
	"math"

	"coverd/geo"
	"coverd/index"
)

// The kinds of questions asked in process, as rows name them.
const (
	qPostcode     = "postcode"
	qPremises     = "postcode with its premises"
	qPostcodeJSON = "postcode as JSON"
	qRegionLand   = "Region of a point on land"
	qRegionBorder = "Region of a point beside a border"
	qLocation     = "location"
	qLocationJSON = "location as JSON"
	qNearest      = "nearest 10 premises"
	qUPRN         = "UPRN"
	qOutcode      = "outcode"
	qSector       = "sector"
	qOutcodeJSON  = "outcode as JSON"
)

// nearestLimit and nearestRadius are how far a location answer looks by
// default.
const (
	nearestLimit  = 10
	nearestRadius = 50_000
)

// sink is where results go that nothing else needs, so that no compiler takes
// the question away. It is written at the end of questions only.
var sink uint64 //nolint:unused // it is written to, and that is its use

// asker asks a snapshot questions in process, with memory that it reuses as a
// server does. It is for one goroutine.
type asker struct {
	snap *index.Snapshot
	on   index.Day

	spread  index.Distribution
	details []index.Details
	near    []index.Neighbour
	units   []index.UnitNeighbour
	areas   []index.AreaHit
}

// postcode finds a postcode, its status, how many premises it has, its Region.
func (a *asker) postcode(p geo.Postcode) {
	unit, ok := a.snap.Postcode(p)
	if !ok {
		return
	}
	sink += uint64(unit.Status()) + uint64(unit.Len()) + uint64(unit.Region().Region)
}

// premises reads all that an answer shows of a postcode's premises: identity,
// location, claims, their states and the hub to fit.
func (a *asker) premises(p geo.Postcode) {
	unit, ok := a.snap.Postcode(p)
	if !ok {
		return
	}
	sum := uint64(unit.Status()) + uint64(unit.Region().Region)
	a.details = unit.AppendDetails(a.details[:0])
	for i := range a.details {
		home := &a.details[i]
		claims, region, _ := a.snap.Kind(home.Kind)
		sum += uint64(home.UPRN) + uint64(len(home.Address)) + uint64(home.At.Lat) + uint64(home.At.Lng) + uint64(region.Region)
		sum += uint64(claims.State(a.on))
		for c := range claims.Len() {
			claim, _ := claims.At(c)
			sum += uint64(claim.On(a.on).State)
		}
		if fit, ok := claims.Fit(a.on); ok {
			sum += uint64(fit.Status.State)
		}
	}
	sink += sum
}

func (a *asker) region(p geo.LatLng) { sink += uint64(a.snap.Region(p).Region) }

// location asks for all that is at a location or near it. What an answer
// estimates from that is not in it.
func (a *asker) location(p geo.LatLng) {
	at := a.snap.Locate(p)
	a.areas = a.snap.AppendAreas(a.areas[:0], p)
	a.near = a.snap.Nearest(a.near[:0], p, nearestLimit, nearestRadius)
	a.units = a.snap.NearestPostcodes(a.units[:0], p, nearestLimit, nearestRadius)
	sink += uint64(at.Region) + uint64(len(a.areas)) + uint64(len(a.near)) + uint64(len(a.units))
}

func (a *asker) nearest(p geo.LatLng) {
	a.near = a.snap.Nearest(a.near[:0], p, nearestLimit, nearestRadius)
	sink += uint64(len(a.near))
}

func (a *asker) uprn(u geo.UPRN) {
	if home, ok := a.snap.UPRN(u); ok {
		sink += uint64(home.Row())
	}
}

// outcode asks on varying days, of which most are none of those that a
// snapshot was built for.
func (a *asker) outcode(o geo.Outcode, i int) {
	if outcode, ok := a.snap.Outcode(o); ok {
		outcode.Distribution(&a.spread, a.on+index.Day(i&63))
		sink += uint64(a.spread.Summary.Premises)
	}
}

func (a *asker) sector(q geo.Sector, i int) {
	if sector, ok := a.snap.Sector(q); ok {
		sector.Distribution(&a.spread, a.on+index.Day(i&63))
		sink += uint64(a.spread.Summary.Premises)
	}
}

// uriOf are the questions of the HTTP routes.
func postcodeURI(p geo.Postcode) string { return "/v1/postcodes/" + escaped(p.String()) }
func outcodeURI(o geo.Outcode) string   { return "/v1/outcodes/" + o.String() }

func locationURI(p geo.LatLng) string {
	b := append([]byte(nil), "/v1/locations?latitude="...)
	b = appendDegrees(b, p.Lat)
	b = append(b, "&longitude="...)
	return string(appendDegrees(b, p.Lng))
}

// wrapped is the key that question i asks for.
func wrapped[K any](keys []K, i int) K { return keys[i%len(keys)] }

// microdegrees is how exactly points are asked for.
func microdegrees(v float64) float64 { return math.Round(v*1e6) / 1e6 }

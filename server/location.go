package server

import (
	"errors"
	"math"
	"strconv"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// answerLocation allocates a location to a Region and says what coverage to
// expect there, what claims it, and what is near.
func (q *scratch) answerLocation([]byte) {
	q.beginLocation()
	p, ok := q.where()
	if !ok {
		return
	}
	limit, ok := q.count(defaultNearest, maxNearest)
	if !ok {
		return
	}
	radius, ok := q.radius()
	if !ok {
		return
	}
	if _, ok := q.resolve(p, limit, radius); !ok {
		q.outside()
		return
	}
	a := &q.location
	a.NextStep = q.nextStep(api.ServiceRequestBody{Latitude: a.Location.Latitude, Longitude: a.Location.Longitude}, atLocation)
	if q.explain {
		a.Explanation = q.explainLocation()
	}
	q.body = a.AppendJSON(q.body)
	q.send()
}

// resolve makes q.location the answer about a location, whose notation is in its
// query, and returns the Region. What to do next is left to who asks. With ok
// false it is over 2 km off Great Britain, and there is no answer.
func (q *scratch) resolve(p geo.LatLng, limit int, radius float64) (region index.Allocation, ok bool) {
	a := &q.location
	region = q.snap.Locate(p)
	if region.Region == geo.NoRegion {
		return region, false
	}
	a.Query.Limit, a.Query.Radius = limit, api.Number(radius)
	a.Region = regionOf(region)
	a.Location.Latitude, a.Location.Longitude = api.Degrees(p.Lat), api.Degrees(p.Lng)
	if g, ok := geo.GridFromLatLng(p); ok {
		g = geo.Grid{E: math.Round(g.E), N: math.Round(g.N)}
		a.Location.Easting, a.Location.Northing = api.GridMetres(g.E), api.GridMetres(g.N)
		from := len(q.text)
		q.text = g.AppendRef(q.text, 10)
		a.Location.GridReference = api.Text(q.kept(from))
	}
	q.around(p, limit, radius)
	return region, true
}

// beginLocation empties the answer about a location.
func (q *scratch) beginLocation() {
	a := &q.location
	*a = api.LocationAnswer{
		Query: api.LocationQuery{
			Latitude: api.NoNumber(), Longitude: api.NoNumber(), Easting: api.NoNumber(), Northing: api.NoNumber(), On: api.Some(q.on),
		},
		Coverage: api.Estimate{Networks: a.Coverage.Networks},
		Outcome:  api.LocationResolved, Areas: a.Areas[:0], NearestPremises: a.NearestPremises[:0], NearestPostcodes: a.NearestPostcodes[:0],
		Snapshot: q.ref,
	}
}

// around fills in what contains a location, what is near it, and what coverage
// to expect there.
func (q *scratch) around(p geo.LatLng, limit int, radius float64) {
	a, s := &q.location, &q.surroundings
	q.snap.Survey(s, p, limit, radius, q.on)
	q.estimated(&a.Coverage, &s.Estimate, s.Estimated)
	for _, h := range s.Areas {
		c := h.Claim
		status := c.On(q.on)
		a.Areas = append(a.Areas, api.Area{
			CSP: c.CSP, NetworkRegion: c.Network.String(), State: status.State.String(), Overdue: status.Overdue, From: api.Some(status.From),
			WANTechnology: api.Text(c.Technology), WANVariant: api.Text(c.Variant), ConnectivityLikelihood: api.Text(c.Likelihood.String()),
			AuxiliaryEquipment: api.Text(c.Auxiliary), CoverageEndDate: api.Some(c.End), AdditionalInformation: api.Text(c.Info), AsOf: api.Some(c.AsOf),
		})
	}
	for _, n := range s.Premises {
		a.NearestPremises = append(a.NearestPremises, api.NearestPremises{
			UPRN: api.Some(n.Premises.UPRN()), Postcode: api.Some(n.Premises.Postcode()),
			AddressIdentifier: api.Text(view(n.Premises.Address())), Distance: api.Metres(n.Distance), State: q.snap.ready.state(n.Premises, q.on).String(),
		})
	}
	for _, n := range s.Postcodes {
		a.NearestPostcodes = append(a.NearestPostcodes, api.NearestPostcode{Postcode: api.Some(n.Unit.Postcode()), Distance: api.Metres(n.Distance)})
	}
}

const locationHint = "give latitude and longitude in degrees, or easting and northing in metres, or grid_reference"

// where reads the location in one of its three notations. With ok false the
// problem has been answered.
func (q *scratch) where() (p geo.LatLng, ok bool) {
	const degrees, metres = 1<<paramLatitude | 1<<paramLongitude, 1<<paramEasting | 1<<paramNorthing
	const places = degrees | metres | 1<<paramGridReference
	query := &q.location.Query
	switch q.given & places {
	case degrees:
		lat, ok := q.coordinate(paramLatitude, geo.ParseDegrees[[]byte])
		if !ok {
			return p, false
		}
		lng, ok := q.coordinate(paramLongitude, geo.ParseDegrees[[]byte])
		if !ok {
			return p, false
		}
		query.Latitude, query.Longitude = api.Number(lat), api.Number(lng)
		return q.checked(geo.LatLng{Lat: lat, Lng: lng})
	case metres:
		e, ok := q.coordinate(paramEasting, geo.ParseMetres[[]byte])
		if !ok {
			return p, false
		}
		n, ok := q.coordinate(paramNorthing, geo.ParseMetres[[]byte])
		if !ok {
			return p, false
		}
		query.Easting, query.Northing = api.Number(e), api.Number(n)
		return q.fromGrid(geo.Grid{E: e, N: n})
	case 1 << paramGridReference:
		r, err := geo.ParseGridRef(q.values[paramGridReference])
		if err != nil {
			q.problem(api.Problem{
				Code: api.MalformedGridReference, Parameter: "grid_reference", Detail: err.Error(),
				Hint: "two letters and an even number of digits, 2 to 10, such as SU 99049 50522",
			})
			return p, false
		}
		query.GridReference = api.Text(view(q.values[paramGridReference]))
		q.location.Location.GridSquare = int(r.Size)
		return q.fromGrid(r.Centre())
	case 0:
		q.problem(api.Problem{Code: api.MalformedCoordinate, Detail: "no location is given", Hint: locationHint})
	case 1 << paramLatitude, 1 << paramLongitude, 1 << paramEasting, 1 << paramNorthing:
		q.problem(api.Problem{Code: api.MalformedCoordinate, Detail: "half a location is given", Hint: locationHint})
	default:
		q.problem(api.Problem{Code: api.MalformedCoordinate, Detail: "more than one location is given", Hint: locationHint})
	}
	return p, false
}

func (q *scratch) coordinate(p parameter, parse func([]byte) (float64, error)) (float64, bool) {
	v, err := parse(q.values[p])
	if err != nil {
		q.problem(api.Problem{Code: api.MalformedCoordinate, Parameter: parameterNames[p], Detail: err.Error(), Hint: locationHint})
	}
	return v, err == nil
}

func (q *scratch) fromGrid(g geo.Grid) (geo.LatLng, bool) {
	p, ok := g.LatLng()
	if !ok {
		q.outside()
	}
	return p, ok
}

// checked refuses degrees that cannot be meant.
func (q *scratch) checked(p geo.LatLng) (geo.LatLng, bool) {
	switch {
	case p.Swapped():
		q.problem(api.Problem{
			Code: api.MalformedCoordinate, Parameter: "latitude", Detail: "latitude and longitude are swapped",
			Hint: "did you mean latitude=" + number(p.Lng) + "&longitude=" + number(p.Lat) + "?",
		})
	case !p.IsValid():
		q.problem(api.Problem{Code: api.MalformedCoordinate, Parameter: "latitude", Detail: "a latitude is at most 90 degrees", Hint: locationHint})
	default:
		return p, true
	}
	return p, false
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// outside answers for a point that is off Great Britain.
func (q *scratch) outside() {
	p := api.Problem{
		Code: api.OutsideGreatBritain, Detail: "the location is over 2 km off Great Britain, as far as the Region boundaries go",
		Hint: "check sign and order: in Great Britain latitude is 49.8 to 61 and longitude -8.7 to 1.8",
	}
	switch {
	case q.given.has(paramEasting):
		p.Hint = "check order and unit: in Great Britain easting is 50000 to 656000 and northing 5000 to 1221000, in metres; degrees are given as latitude and longitude"
	case q.given.has(paramGridReference):
		p.Hint = "check the letters: most squares of the grid's edge are sea"
	}
	q.problem(p)
}

// asPostcodeError takes a postcode error apart.
func asPostcodeError(err error) (*geo.PostcodeError, bool) {
	return errors.AsType[*geo.PostcodeError](err)
}

package server

import (
	"bytes"
	"strconv"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// answerOutcode answers how coverage is distributed over an outcode, and a
// page of its sectors.
func (q *scratch) answerOutcode(key []byte) {
	o, err := geo.ParseOutcode(key)
	if err != nil {
		q.codeProblem(err, api.MalformedOutcode, "outcode", geo.SuggestOutcode(key))
		return
	}
	limit, ok := q.count(defaultPage, maxPage)
	if !ok {
		return
	}
	var after geo.Sector
	if q.given.has(paramAfter) {
		if after, err = geo.ParseSector(q.values[paramAfter]); err != nil {
			q.malformedAfter("sector")
			return
		}
	}
	outcode, ok := q.snap.Outcode(o)
	if !ok {
		hint := "ask at /v1/locations with the latitude and longitude of the place"
		if unusual := o.Hint(); unusual != "" {
			hint = unusual + "; if it is right all the same, " + hint
		}
		q.problem(api.Problem{Code: api.UnknownOutcode, Parameter: "outcode", Detail: "neither register nor extracts have a postcode of " + o.String(), Hint: hint})
		return
	}
	kept := &q.snap.outcodes[outcode.Row()]
	if a := kept.Load(); a != nil && a.day == q.on && a.stale == q.ref.Stale && q.given == 0 {
		q.sendBody(a.body)
		return
	}
	outcode.Distribution(&q.spread, q.on)
	a := q.beginPlace(api.PlaceQuery{Outcode: api.Some(o), On: api.Some(q.on)}, api.OutcodeNotInExtracts, o)
	for sector := range outcode.Sectors() {
		if after.IsValid() && sector.Sector().Compare(after) <= 0 {
			continue
		}
		if len(a.Inside) == limit {
			a.Next = nextPage(q, "/v1/outcodes/", o, a.Inside[limit-1].Sector.V)
			break
		}
		a.Inside = append(a.Inside, api.PlaceItem{
			Sector: api.Some(sector.Sector()), Region: api.Text(sector.Regions().Only().String()), Summary: summaryOf(sector.Summary(q.on)),
		})
	}
	if q.explain {
		a.Explanation = q.explainPlace("outcode", o.String(), regionNames(outcode.Regions()))
	}
	q.body = a.AppendJSON(q.body)
	if q.given == 0 {
		kept.Store(&dayAnswer{q.on, q.ref.Stale, bytes.Clone(q.body)})
	}
	q.send()
}

// dayAnswer is the answer about an outcode, today, to who asks for nothing more.
// Outcodes are few, and what they sum up is much: those of all Great Britain take
// 4 MB, and an answer made before goes out in half the time.
type dayAnswer struct {
	day   index.Day
	stale bool
	body  []byte
}

// answerSector answers how coverage is distributed over a sector, and a page
// of its postcodes.
func (q *scratch) answerSector(key []byte) {
	k, err := geo.ParseSector(key)
	if err != nil {
		q.codeProblem(err, api.MalformedSector, "sector", geo.SuggestSector(key))
		return
	}
	limit, ok := q.count(defaultPage, maxPage)
	if !ok {
		return
	}
	var after geo.Postcode
	if q.given.has(paramAfter) {
		if after, err = geo.ParsePostcode(q.values[paramAfter]); err != nil {
			q.malformedAfter("postcode")
			return
		}
	}
	sector, ok := q.snap.Sector(k)
	if !ok {
		p := api.Problem{
			Code: api.UnknownSector, Parameter: "sector", Detail: "neither register nor extracts have a postcode of " + k.String(),
			Hint: "ask at /v1/locations with the latitude and longitude of the place",
		}
		if _, known := q.snap.Outcode(k.Outcode()); known {
			p.Hint = "its outcode is known: ask at /v1/outcodes/" + k.Outcode().String() + ", or " + p.Hint
		}
		q.problem(p)
		return
	}
	sector.Distribution(&q.spread, q.on)
	a := q.beginPlace(api.PlaceQuery{Sector: api.Some(k), On: api.Some(q.on)}, api.SectorNotInExtracts, k.Outcode())
	for i := range sector.Len() {
		unit := sector.Unit(i)
		if after.IsValid() && unit.Postcode().Compare(after) <= 0 {
			continue
		}
		if len(a.Inside) == limit {
			a.Next = nextPage(q, "/v1/sectors/", k, a.Inside[limit-1].Postcode.V)
			break
		}
		a.Inside = append(a.Inside, api.PlaceItem{
			Postcode: api.Some(unit.Postcode()), Status: unit.Status().String(),
			Region: api.Text(unit.Region().Region.String()), Summary: summaryOf(q.snap.ready.summary(unit, q.on)),
		})
	}
	if q.explain {
		a.Explanation = q.explainPlace("sector", k.String(), regionNames(sector.Regions()))
	}
	q.body = a.AppendJSON(q.body)
	q.send()
}

// beginPlace fills q.place with what q.spread holds, and with what comes with
// the absence of premises where there are none.
func (q *scratch) beginPlace(query api.PlaceQuery, reason string, o geo.Outcode) *api.PlaceAnswer {
	a, d := &q.place, &q.spread
	*a = api.PlaceAnswer{
		Query: query, Outcome: api.PremisesFound, Summary: summaryOf(d.Summary),
		Regions: a.Regions[:0], NetworkRegions: a.NetworkRegions[:0], Technologies: d.Technologies, Variants: d.Variants,
		Postcodes: api.PostcodeCounts{Live: d.LivePostcodes, NotInExtracts: d.NotInExtracts},
		Inside:    a.Inside[:0], Snapshot: q.ref,
	}
	for r, n := range d.Regions {
		if n > 0 && r != int(geo.NoRegion) {
			a.Regions = append(a.Regions, api.Count{Name: geo.Region(r).String(), N: n})
		}
	}
	if n := d.Regions[geo.NoRegion]; n > 0 {
		a.Regions = append(a.Regions, api.Count{Name: "none", N: n})
	}
	for n, count := range d.Networks {
		if count > 0 {
			a.NetworkRegions = append(a.NetworkRegions, api.Count{Name: index.NetworkRegion(n).String(), N: count})
		}
	}
	if d.Location.IsValid() {
		q.point.Latitude, q.point.Longitude = degrees(d.Location)
		a.Location = &q.point
	}
	if d.Bounds[0].IsValid() {
		q.bounds.South, q.bounds.West = degrees(d.Bounds[0])
		q.bounds.North, q.bounds.East = degrees(d.Bounds[1])
		a.Bounds = &q.bounds
	}
	if d.Summary.Premises == 0 {
		a.Outcome, a.Reason = api.NoPremisesFound, reason
		located := d.Location.IsValid() && q.snap.EstimateAt(&q.estimate, d.Location.LatLng(), q.on)
		q.estimated(&q.apiEstimate, &q.estimate, located)
		a.Estimate = &q.apiEstimate
		body := api.ServiceRequestBody{Outcode: api.Some(o)}
		body.Latitude, body.Longitude = degrees(d.Location)
		a.NextStep = q.nextStep(body, atMiddle)
	}
	return a
}

// malformedAfter answers for an `after` that names nothing to go on from.
func (q *scratch) malformedAfter(what string) {
	q.problem(api.Problem{
		Code: api.MalformedParameter, Parameter: "after", Detail: strconv.Quote(string(q.values[paramAfter])) + " is not a " + what,
		Hint: "leave it out for the first page, whose next is the path of the second",
	})
}

// code is an outcode, sector or postcode: letters, digits, and at most a space.
type code interface{ AppendTo(b []byte) []byte }

// nextPage is the path of the page of key after the item last.
func nextPage[K, L code](q *scratch, path string, key K, last L) api.Text {
	b, from := q.text, len(q.text)
	b = append(b, path...)
	b = encodeSpace(key.AppendTo(b), from)
	b = encodeSpace(last.AppendTo(append(b, "?after="...)), from)
	if q.given.has(paramLimit) {
		b = append(append(b, "&limit="...), q.values[paramLimit]...) // digits
	}
	if q.given.has(paramOn) {
		b = q.on.AppendTo(append(b, "&on="...))
	}
	q.text = b
	return api.Text(q.kept(from))
}

// encodeSpace percent-encodes the space from an offset on, if there is one.
func encodeSpace(b []byte, from int) []byte {
	i := bytes.IndexByte(b[from:], ' ')
	if i < 0 {
		return b
	}
	i += from
	b = append(b, "20"...)
	copy(b[i+3:], b[i+1:])
	copy(b[i:], "%20")
	return b
}

package server

import (
	"strings"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// known is the axis of days that the database is read on.
type known struct {
	at    index.Day // the known day asked for; 0: today
	past  bool      // it is before the snapshot's own as-of day
	since index.Day // the first known day that `indicated_since` asks about; 0: it does not
	first uint32    // the row of the first of details
}

var knownDays = set(paramKnown, paramIndicatedSince)

// parseKnown reads `known` and `indicated_since`; it reports whether all is well.
func (q *scratch) parseKnown() bool {
	today := q.day.day
	if q.given.has(paramKnown) {
		day, ok := q.date(paramKnown)
		switch from := q.snap.HistoryFrom(); {
		case !ok:
			return false
		case day > today:
			q.problem(api.Problem{
				Code: api.MalformedParameter, Parameter: "known", Detail: day.String() + " is after today, " + today.String() + ": nobody knows what will be said then",
				Hint: "for what is said now of a day to come, give that day as on, and leave known out",
			})
			return false
		case day < from:
			q.problem(api.Problem{
				Code: api.HistoryTooOld, Parameter: "known", Detail: "what was said on " + day.String() + " is not remembered",
				Hint: "snapshot " + q.snap.ID() + " remembers from " + from.String() + " on: give that day as known, or one after it",
			})
			return false
		}
		q.at, q.past = day, day < q.snap.ref.AsOf.V
	}
	if q.given.has(paramIndicatedSince) {
		day, ok := q.date(paramIndicatedSince)
		switch until := q.until(); {
		case !ok:
			return false
		case day > until:
			which := "read on"
			if until < q.readOn() {
				which = "asked about"
			}
			q.problem(api.Problem{
				Code: api.MalformedParameter, Parameter: "indicated_since", Detail: day.String() + " is after " + until.String() + ", the day that the database is " + which,
				Hint: "give the first of the days to look at, such as thirty days before",
			})
			return false
		}
		q.since = day
	}
	return true
}

// until is the last known day that `indicated_since` asks about: not after the
// day asked about, since what is said of a day once it is over indicated nothing.
func (q *scratch) until() index.Day { return min(q.readOn(), q.on) }

// readOn is the known day asked for, or today.
func (q *scratch) readOn() index.Day {
	if q.at != 0 {
		return q.at
	}
	return q.day.day
}

// remembered is a premises, or one that has gone.
type remembered interface {
	UPRN() geo.UPRN
	Postcode() geo.Postcode
	Address() []byte
	At() geo.Location
	Region() index.Allocation
	Known(known index.Day) (index.Indication, bool)
	AppendHistory(dst []index.Indication, from, to index.Day) []index.Indication
	IndicatedSinceOn(only index.NetworkRegion, on, since, until index.Day) (known index.Day, ok bool)
}

var yes, no = true, false

// indicated answers `indicated_since` of a premises.
func (q *scratch) indicated(p remembered, only index.NetworkRegion) api.IndicatedSince {
	known, ok := p.IndicatedSinceOn(only, q.on, q.since, q.until())
	return q.indicatedOn(known, ok)
}

func (q *scratch) indicatedOn(known index.Day, ok bool) api.IndicatedSince {
	i := api.IndicatedSince{Since: api.Some(q.since), Indicated: &no}
	if from := q.snap.HistoryFrom(); from > q.since {
		i.RememberedFrom, i.Indicated = api.Some(from), nil
	}
	if ok {
		i.Indicated, i.Known = &yes, api.Some(known)
	}
	return i
}

// appendIndicated appends that to the JSON of a premises.
func (q *scratch) appendIndicated(b []byte, p index.Premises) []byte {
	past := api.Premises{IndicatedSince: q.indicatedOn(p.IndicatedSince(q.on, q.since, q.until()))}
	return past.AppendPast(b)
}

// premisesThen describes a premises as it was on the known day; ok is false where
// it was not there.
func (q *scratch) premisesThen(p remembered, only index.NetworkRegion) (out api.Premises, state index.State, ok bool) {
	i, _ := p.Known(q.at)
	if !i.Present {
		return api.Premises{}, 0, false
	}
	claims := i.Claims.Only(only)
	state = claims.State(q.on)
	region := p.Region()
	out = api.Premises{
		UPRN: api.Some(p.UPRN()), AddressIdentifier: api.Text(view(p.Address())),
		Region: api.Text(region.Region.String()), RegionBasis: api.Text(region.Basis.String()),
		State: state.String(), Conflict: i.Conflict,
	}
	out.Latitude, out.Longitude = degrees(p.At())
	q.claimsOf(&out, claims)
	forgetAsOf(out.Networks) // also of claims that are made still: by a later extract
	if d, gone := p.(index.Departed); gone {
		out.Departed = api.Some(d.Since())
	}
	if q.since != 0 {
		out.IndicatedSince = q.indicated(p, only)
	}
	return out, state, true
}

// forgetAsOf leaves out what is not remembered of claims.
func forgetAsOf(list []api.Network) {
	for i := range list {
		list[i].AsOf = api.Date{}
	}
}

// answerPostcodeThen answers what was known of a postcode on a day before the
// snapshot's own: of its premises, and of those that have gone from it. What the
// register says is what it says now.
func (q *scratch) answerPostcodeThen(p geo.Postcode, network index.NetworkRegion) {
	a := &q.postcode
	unit, registeredNow := q.snap.Postcode(p)
	departed := q.snap.AppendDeparted(nil, p)
	switch outcode, ok := q.snap.Outcode(p.Outcode()); {
	case registeredNow:
		a.Postcode, a.Region = registered(unit), regionOf(unit.Region())
	case ok:
		a.Postcode, a.Region = unregistered(p), regionOf(outcodeRegion(outcode))
	case len(departed) == 0:
		q.unknownPostcode(p)
		return
	default:
		a.Postcode = unregistered(p)
	}
	a.Outcome = api.PremisesFound
	var there []remembered
	q.details = q.details[:0]
	add := func(p remembered) {
		if i, ok := p.Known(q.at); ok && i.Present {
			there = append(there, p)
			q.details = append(q.details, index.Details{Address: p.Address()})
		}
	}
	if registeredNow {
		for i := range unit.Len() {
			add(unit.Premises(i))
		}
	}
	for _, d := range departed {
		add(d)
	}
	var sum index.Summary
	for _, i := range q.narrowed() {
		premises, state, _ := q.premisesThen(there[i], network)
		sum.Add(state, 1)
		a.Premises = append(a.Premises, premises)
	}
	a.Summary = summaryOf(sum)
	if len(a.Premises) == 0 {
		a.Outcome = api.NoPremisesFound
		switch {
		case len(there) > 0:
			a.Reason = api.AddressNotMatched
			q.candidates()
		case !registeredNow:
			a.Reason = api.PostcodeNotInRegister
		case unit.Status() == index.Terminated:
			a.Reason = api.PostcodeTerminated
		default:
			a.Reason = api.PostcodeNotInExtracts
		}
	}
	q.body = a.AppendJSON(q.body)
	q.send()
}

// answerPremisesThen answers what was known of a premises on a day before the
// snapshot's own.
func (q *scratch) answerPremisesThen(u geo.UPRN, network index.NetworkRegion) {
	a := &q.premises
	p, ok := q.find(u)
	if ok {
		a.Premises, _, ok = q.premisesThen(p, network)
	}
	if !ok {
		problem := api.Problem{
			Code: api.UnknownUPRN, Parameter: "uprn", Detail: "on " + q.at.String() + " no extract had a premises with UPRN " + u.String(),
			Hint: "extracts lag behind new buildings: ask at /v1/locations with the latitude and longitude of the place",
		}
		if p != nil {
			problem.Hint = "what was said of it on other days is at " + historyPath(u)
		}
		q.problem(problem)
		return
	}
	if postcode := p.Postcode(); postcode.IsValid() {
		q.register = unregistered(postcode)
		if unit, ok := q.snap.Postcode(postcode); ok {
			q.register = registered(unit)
		}
		a.Postcode = &q.register
	}
	q.body = a.AppendJSON(q.body)
	q.send()
}

// find finds a premises, or one that has gone.
func (q *scratch) find(u geo.UPRN) (remembered, bool) {
	if p, ok := q.snap.UPRN(u); ok {
		return p, true
	}
	if d, ok := q.snap.Departed(u); ok {
		return d, true
	}
	return nil, false
}

func historyPath(u geo.UPRN) string {
	return strings.Replace(knownPaths[routeHistory], "{uprn}", u.String(), 1)
}

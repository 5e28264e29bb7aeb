package server

import (
	"cmp"
	"strings"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/licence"
	"coverd/server/receipts"
)

// installParameters are those of /v1/install-and-leave: a place, days, and the
// receipts to hold against them.
var installParameters = set(paramUPRN, paramPostcode, paramAddress, paramLatitude, paramLongitude, paramEasting, paramNorthing, paramGridReference,
	paramInstallationDate, paramCutOff, paramCheckDate, paramApplicableDate, paramReceipt, paramParty)

const placeHint = "give uprn, or postcode (and address, where it has several premises), or latitude and longitude"

// answerInstallAndLeave holds what the database said, and the checks on record,
// against the licence.
func (q *scratch) answerInstallAndLeave([]byte) {
	a := api.InstallAndLeaveAnswer{
		Query:   api.InstallAndLeaveQuery{Latitude: api.NoNumber(), Longitude: api.NoNumber()},
		Outcome: api.PremisesFound, Note: licence.Note, Snapshot: q.ref,
	}
	in := licence.Input{Today: q.day.day, London: q.srv.clock.london}
	if !q.days(&in) || !q.installPlace(&a, &in) || !q.handedIn(&in) || !q.checkDate(&in) {
		return
	}
	q.recorded(&in)
	a.Rules, a.Checks = licence.Evaluate(in)
	a.Query.InstallationDate, a.Query.CutOff = api.Some(in.Installation), api.Some(in.CutOff)
	a.Query.Party = api.Text(q.values[paramParty])
	a.Query.CheckDate, a.Query.ApplicableDate = api.Some(in.CheckDate), api.Some(in.Applicable)
	if in.HistoryFrom != 0 {
		a.History = &api.KnownDays{From: api.Some(in.HistoryFrom), To: api.Some(in.Today)}
	}
	q.body = append(q.body, encode(&a)...)
	q.sendUnkept(typeJSON)
}

// days reads the days of the question.
func (q *scratch) days(in *licence.Input) (ok bool) {
	for _, p := range []struct {
		parameter
		day *index.Day
	}{
		{paramInstallationDate, &in.Installation}, {paramCutOff, &in.CutOff}, {paramCheckDate, &in.CheckDate}, {paramApplicableDate, &in.Applicable},
	} {
		if q.given.has(p.parameter) {
			if *p.day, ok = q.date(p.parameter); !ok {
				return false
			}
		}
	}
	switch {
	case in.Installation == 0:
		q.problem(api.Problem{Code: api.MalformedDate, Parameter: "installation_date", Detail: "it is not given", Hint: "give the Installation Date as YYYY-MM-DD"})
	case in.CutOff == 0:
		q.problem(api.Problem{
			Code: api.MalformedDate, Parameter: "cut_off", Detail: "it is not given",
			Hint: "give the date of 49.8(c) before which the SM WAN must become available, as YYYY-MM-DD; it was 2021-01-01 when the condition was written",
		})
	default:
		return true
	}
	return false
}

// checkDate fills in the day that the database is read for 49.8(c), where it was
// not given: that of the last receipt about the place up to the Installation
// Date, else that date, or today where it lies ahead.
func (q *scratch) checkDate(in *licence.Input) (ok bool) {
	switch {
	case in.CheckDate > in.Today:
		q.problem(api.Problem{Code: api.MalformedDate, Parameter: "check_date", Detail: "it lies ahead", Hint: "it is a day on which the database was read: today is " + in.Today.String()})
		return false
	case in.CheckDate > in.Installation:
		q.problem(api.Problem{Code: api.MalformedDate, Parameter: "check_date", Detail: "it is after the Installation Date", Hint: "49.8(c) is about what the database indicated up to the installation"})
		return false
	case in.CheckDate == 0:
		in.CheckDate = in.LastCheck(min(in.Installation, in.Today))
	}
	return true
}

// installPlace finds the place, and what is remembered of it.
func (q *scratch) installPlace(a *api.InstallAndLeaveAnswer, in *licence.Input) (ok bool) {
	const location = 1<<paramLatitude | 1<<paramLongitude | 1<<paramEasting | 1<<paramNorthing | 1<<paramGridReference
	uprn, postcode, located := q.given.has(paramUPRN), q.given.has(paramPostcode), q.given&location != 0
	switch {
	case uprn && !postcode && !located:
		return q.installUPRN(a, in)
	case postcode && !uprn && !located:
		return q.installPostcode(a, in)
	case located && !uprn && !postcode:
		return q.installLocation(a, in)
	case uprn || postcode || located:
		q.problem(api.Problem{Code: api.MalformedParameter, Detail: "more than one place is given", Hint: placeHint})
	default:
		q.problem(api.Problem{Code: api.MalformedParameter, Detail: "no place is given", Hint: placeHint})
	}
	return false
}

func (q *scratch) installUPRN(a *api.InstallAndLeaveAnswer, in *licence.Input) (ok bool) {
	u, err := geo.ParseUPRN(q.values[paramUPRN])
	if err != nil {
		q.malformedUPRN(err)
		return false
	}
	a.Query.UPRN = api.Some(u)
	p, ok := q.find(u)
	if !ok {
		q.unknownUPRN(u)
		return false
	}
	q.installPremises(a, in, p)
	return true
}

// installPostcode finds the one premises that a postcode, and an address where it
// takes one, name: one that is there, or else one that has gone.
func (q *scratch) installPostcode(a *api.InstallAndLeaveAnswer, in *licence.Input) (ok bool) {
	p, err := geo.ParsePostcode(q.values[paramPostcode])
	if err != nil {
		q.codeProblem(err, api.MalformedPostcode, "postcode", geo.SuggestPostcodeFunc(q.values[paramPostcode], q.exists))
		return false
	}
	address := strings.TrimSpace(string(q.values[paramAddress]))
	a.Query.Postcode, a.Query.Address = api.Some(p), api.Text(address)
	there, present := q.premisesEver(p)
	if len(there) == 0 {
		problem := api.Problem{
			Code: api.NoPremisesFound, Parameter: "postcode", Detail: "no premises is known at " + p.String(),
			Hint: "ask with the latitude and longitude of the place: what checks on record show of it is held against the licence",
		}
		if _, outcode := q.snap.Outcode(p.Outcode()); !outcode && !q.exists(p) {
			problem.Code = api.UnknownPostcode
		}
		q.problem(problem)
		return false
	}
	q.matcher.Ask([]byte(address))
	matches := []int{}
	if address == "" {
		for i := range cmp.Or(present, len(there)) {
			matches = append(matches, i)
		}
	} else if matches, _ = q.matcher.AppendFound(matches, q.details[:present]); len(matches) == 0 {
		matches, _ = q.matcher.AppendFound(matches, q.details)
	}
	if len(matches) == 1 {
		q.installPremises(a, in, there[matches[0]])
		return true
	}
	problem := api.Problem{Code: api.SeveralPremises, Parameter: "address", Hint: "give the address of one of them, or its uprn"}
	for _, i := range q.matcher.AppendCandidates(nil, q.details, maxCandidates) {
		s := api.Suggestion{Text: string(q.details[i].Address), Kind: "address"}
		if u := there[i].UPRN(); u != 0 {
			s.Reason = "UPRN " + u.String()
		}
		problem.Suggestions = append(problem.Suggestions, s)
	}
	switch {
	case address == "":
		problem.Detail = "several premises have the postcode " + p.String()
	case len(matches) == 0:
		problem.Detail = "no premises of " + p.String() + " has the address " + address
	default:
		problem.Detail = "several premises of " + p.String() + " have the address " + address
	}
	q.problem(problem)
	return false
}

// premisesEver lists the premises of a postcode, those that are present first, then
// those that have gone. Their addresses are in q.details.
func (q *scratch) premisesEver(p geo.Postcode) (there []remembered, present int) {
	q.details = q.details[:0]
	if unit, ok := q.snap.Postcode(p); ok {
		q.details, present = unit.AppendDetails(q.details), unit.Len()
		for i := range present {
			there = append(there, unit.Premises(i))
		}
	}
	for _, d := range q.snap.AppendDeparted(nil, p) {
		q.details = append(q.details, index.Details{Address: d.Address()})
		there = append(there, d)
	}
	return there, present
}

// installPremises takes a premises, or one that has gone.
func (q *scratch) installPremises(a *api.InstallAndLeaveAnswer, in *licence.Input, p remembered) {
	in.Place = licence.Place{UPRN: p.UPRN(), Postcode: p.Postcode(), Address: string(p.Address()), Location: p.At()}
	q.remember(in, p)
	a.Premises = &api.LicencePremises{UPRN: api.Some(p.UPRN()), Postcode: api.Some(p.Postcode()), AddressIdentifier: api.Text(in.Place.Address)}
	a.Premises.Latitude, a.Premises.Longitude = degrees(p.At())
}

// installLocation reads a location, of which no more is known than checks show.
func (q *scratch) installLocation(a *api.InstallAndLeaveAnswer, in *licence.Input) (ok bool) {
	q.location.Query = api.LocationQuery{Latitude: api.NoNumber(), Longitude: api.NoNumber(), Easting: api.NoNumber(), Northing: api.NoNumber()}
	p, ok := q.where()
	if !ok {
		return false
	}
	if q.snap.Locate(p).Region == geo.NoRegion {
		q.outside()
		return false
	}
	a.Outcome = api.LocationResolved
	in.Place = licence.Place{Location: p.Location()}
	l := in.Place.Location.LatLng()
	a.Query.Latitude, a.Query.Longitude = api.Number(l.Lat), api.Number(l.Lng)
	return true
}

// remember fills in what the database said of a premises on the days that are
// remembered.
func (q *scratch) remember(in *licence.Input, p remembered) {
	in.HistoryFrom = q.snap.HistoryFrom()
	for _, i := range p.AppendHistory(nil, in.HistoryFrom, in.Today) {
		known := licence.Indication{From: max(i.From, in.HistoryFrom), To: in.Today, Present: i.Present, Snapshot: i.Snapshot}
		if i.To != 0 {
			known.To = min(i.To, in.Today)
		}
		if i.Present {
			known.Claims = i.Claims
		}
		if known.From <= known.To {
			in.History = append(in.History, known)
		}
	}
}

// handedIn reads the receipts that are handed in.
func (q *scratch) handedIn(in *licence.Input) (ok bool) {
	if !q.given.has(paramReceipt) {
		return true
	}
	if !q.hasReceipts() {
		return false
	}
	for text := range strings.SplitSeq(string(q.values[paramReceipt]), ",") {
		s, err := receipts.Verify(q.srv.receipts.Keys(), text)
		if err != nil {
			q.problem(api.Problem{
				Code: api.InvalidReceipt, Parameter: "receipt", Detail: err.Error(),
				Hint: "give receipts as they came, several with a comma between them; 'coverd receipt verify' and POST /v1/receipts/verify say what is wrong with one",
			})
			return false
		}
		in.Checks = append(in.Checks, checkOf(receipts.Reference(text), &s))
	}
	return true
}

// checkOf is the check that a receipt proves.
func checkOf(reference string, s *receipts.Statement) licence.Check {
	c := licence.Check{
		Reference: reference, At: s.Time(), Snapshot: s.Snapshot, AsOf: s.AsOf, Network: s.Network, Known: s.Known, On: s.On, Basis: s.Basis,
		Place: licence.Place{UPRN: s.Place.UPRN.V, Postcode: s.Place.Postcode.V, Address: s.Place.Address},
	}
	if l := s.Place.Location; l != nil && !l.Latitude.IsZero() {
		c.Place.Location = geo.LatLng{Lat: float64(l.Latitude), Lng: float64(l.Longitude)}.Location()
	}
	said := s.Indicated
	if s.Area != nil {
		said, c.Basis = *s.Area, licence.BasisArea
	} else if s.Estimate && c.Basis == licence.BasisArea {
		c.Basis = "coverage area around the postcode" // and not around the place
	}
	for _, state := range index.States {
		if state.String() == said.State {
			c.State = state
		}
	}
	c.From, c.Until = said.From, said.Until
	return c
}

package server

import (
	"bytes"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// maxCandidates is the most addresses that are named where none matches.
const maxCandidates = 100

// answerPostcode answers what is known of a postcode, or which kind of absence
// it is.
func (q *scratch) answerPostcode(key []byte) {
	p, err := geo.ParsePostcode(key)
	if err != nil {
		q.codeProblem(err, api.MalformedPostcode, "postcode", geo.SuggestPostcodeFunc(key, q.exists))
		return
	}
	network, ok := q.network()
	if !ok {
		return
	}
	if q.given.has(paramAddress) && len(bytes.TrimSpace(q.values[paramAddress])) == 0 {
		q.problem(api.Problem{Code: api.MalformedParameter, Parameter: "address", Detail: "it is empty", Hint: "leave it out for all premises of the postcode"})
		return
	}
	q.estimate.Only = network
	a := &q.postcode
	*a = api.PostcodeAnswer{
		Query:    api.PostcodeQuery{Postcode: p, On: api.Some(q.on), Known: api.Some(q.at), IndicatedSince: api.Some(q.since), Address: api.Text(view(q.values[paramAddress])), NetworkRegion: api.Text(network.String())},
		Premises: a.Premises[:0], Candidates: a.Candidates[:0], Snapshot: q.ref,
	}
	q.found = q.found[:0]
	unit, ok := q.snap.Postcode(p)
	if q.past {
		q.answerPostcodeThen(p, network)
		return
	}
	switch {
	case !ok:
		outcode, known := q.snap.Outcode(p.Outcode())
		if !known {
			q.unknownPostcode(p)
			return
		}
		a.Postcode = unregistered(p)
		a.Region = regionOf(outcodeRegion(outcode))
		q.noPremises(p, api.PostcodeNotInRegister)
	case unit.Len() == 0:
		a.Postcode = registered(unit)
		a.Region = regionOf(unit.Region())
		reason := api.PostcodeNotInExtracts
		if unit.Status() == index.Terminated {
			reason = api.PostcodeTerminated
		}
		q.noPremises(p, reason)
	default:
		a.Postcode = registered(unit)
		a.Region = regionOf(unit.Region())
		a.Outcome = api.PremisesFound
		if !q.list(unit, network) {
			q.candidates()
			q.noPremises(p, api.AddressNotMatched)
		}
	}
	if q.explain {
		a.Explanation = q.explainPostcode(unit, network)
	}
	q.appendPostcode()
	q.send()
}

// appendPostcode appends the answer. Premises that were described are in it;
// of those that were matched, all is ready-made but where they are.
func (q *scratch) appendPostcode() {
	a := &q.postcode
	if len(a.Premises) == len(q.found) {
		q.body = a.AppendJSON(q.body)
		return
	}
	b := append(a.AppendOpening(q.body), '{')
	for i, f := range q.found {
		if i > 0 {
			b = append(b, "},{"...)
		}
		b = q.snap.ready.appendPremises(b, &q.details[f.at], f.kind, f.spell)
		if q.since != 0 {
			b = q.appendIndicated(b, q.snap.PremisesAt(q.first+uint32(f.at)))
		}
	}
	q.body = a.AppendClosing(append(b, '}'))
}

// list fills in the postcode's premises, those with the address asked for
// where one was, and counts them; it reports whether there are any.
func (q *scratch) list(unit index.Unit, network index.NetworkRegion) bool {
	q.details, q.first = unit.AppendDetails(q.details[:0]), unit.Premises(0).Row()
	for _, i := range q.narrowed() {
		q.found = append(q.found, found{at: i})
	}
	if network != index.NoNetwork || !q.match() {
		q.describe(unit, network)
	}
	return len(q.found) > 0
}

// narrowed is the places in q.details of the premises with the address asked for,
// where one was, else of all.
func (q *scratch) narrowed() []int {
	q.places = q.places[:0]
	if !q.given.has(paramAddress) {
		for i := range q.details {
			q.places = append(q.places, i)
		}
		return q.places
	}
	q.matcher.Ask(q.values[paramAddress])
	var grade index.AddressGrade
	if q.places, grade = q.matcher.AppendFound(q.places, q.details); grade != index.AddressNone {
		q.postcode.AddressMatch.Grade = grade.String()
	}
	return q.places
}

// match finds what is ready-made for the premises found, and counts them; it
// reports whether there is something for each.
func (q *scratch) match() bool {
	var sum index.Summary
	for i := range q.found {
		f := &q.found[i]
		var ok bool
		if f.kind, f.spell, ok = q.snap.ready.find(q.details[f.at].Kind, q.on); !ok {
			return false
		}
		sum.Add(q.snap.ready.spells[f.spell].state, 1)
	}
	q.postcode.Summary = summaryOf(sum)
	return true
}

// describe does without: it fills in what is known of the premises found, by
// their claims on one network region alone unless that is NoNetwork, and
// counts them.
func (q *scratch) describe(unit index.Unit, network index.NetworkRegion) {
	var sum index.Summary
	for _, f := range q.found {
		premises, state := q.premisesOf(unit.Premises(f.at), network)
		if q.since != 0 {
			premises.IndicatedSince = q.indicated(unit.Premises(f.at), network)
		}
		sum.Add(state, 1)
		q.postcode.Premises = append(q.postcode.Premises, premises)
	}
	q.postcode.Summary = summaryOf(sum)
}

// candidates names the addresses there are at the postcode, those most like the
// one asked for first.
func (q *scratch) candidates() {
	q.places = q.matcher.AppendCandidates(q.places[:0], q.details, maxCandidates)
	for _, i := range q.places {
		q.postcode.Candidates = append(q.postcode.Candidates, view(q.details[i].Address))
	}
}

// noPremises fills in what comes with the absence of premises at a postcode.
func (q *scratch) noPremises(p geo.Postcode, reason string) {
	a := &q.postcode
	a.Outcome, a.Reason = api.NoPremisesFound, reason
	q.estimated(&q.apiEstimate, &q.estimate, q.snap.EstimatePostcode(&q.estimate, p, q.on))
	a.Estimate = &q.apiEstimate
	body := api.ServiceRequestBody{Postcode: api.Some(p), Latitude: a.Postcode.Latitude, Longitude: a.Postcode.Longitude}
	text := atPostcode
	if reason == api.PostcodeTerminated {
		text = atRetired
	}
	a.NextStep = q.nextStep(body, text)
}

// Texts of the next step.
const (
	raiseRequest = "Raise a Service Management Service Request with the DCC, giving the latitude and longitude of the premises: it is answered with coverage and Region (SEC Appendix H 3.3). "

	atPostcode = raiseRequest + "The body has those of the postcode: put the premises' own in their place if you have them."
	atRetired  = raiseRequest + "The postcode is retired: ask for the one in use now, and put the premises' own coordinates in place of the postcode's."
	atLocation = raiseRequest + "The body has those that were asked about."
	atMiddle   = raiseRequest + "The body has those of the middle of the postcodes there: put the premises' own in their place."
	atNowhere  = raiseRequest + "The body lacks them: the register has no coordinates to go by."
)

// nextStep describes the service request to raise: text where the body has a
// location and is ready to post.
func (q *scratch) nextStep(body api.ServiceRequestBody, text string) *api.NextStep {
	if q.given.has(paramOn) && installable(q.on, q.day.day) {
		body.InstallationDate = api.Some(q.on)
	}
	q.next = api.NextStep{
		Action: api.RaiseServiceRequest, Text: text, Method: "POST", Path: api.ServiceRequestPath, Body: body, Needs: q.next.Needs[:0],
	}
	if body.Latitude.IsZero() {
		q.next.Text = atNowhere
		q.next.Needs = append(q.next.Needs, "latitude", "longitude")
	}
	return &q.next
}

// outcodeRegion is the Region of a postcode of which no more than the outcode
// is known: the outcode's, where that lies in one.
func outcodeRegion(o index.Outcode) index.Allocation {
	a := index.Allocation{Region: o.Regions().Only(), Border: -1}
	if a.Region != geo.NoRegion {
		a.Basis = index.BasisOutcode
	}
	return a
}

// unknownPostcode answers for a postcode that is well formed, in neither
// register nor extracts, and of an outcode that is not known either.
func (q *scratch) unknownPostcode(p geo.Postcode) {
	hint := "new postcodes are in use before directories list them: ask at /v1/locations with the latitude and longitude of the place"
	if unusual := p.Hint(); unusual != "" {
		hint = unusual + "; if it is right all the same, ask at /v1/locations with the latitude and longitude of the place"
	}
	q.problem(api.Problem{
		Code: api.UnknownPostcode, Parameter: "postcode", Hint: hint,
		Detail:      p.String() + " is well formed, and neither register nor extracts know it or the outcode " + p.Outcode().String(),
		Suggestions: api.SuggestionsOf(geo.SuggestPostcodeFunc(p.String(), q.exists)),
	})
}

// exists reports whether the snapshot knows a postcode.
func (q *scratch) exists(p geo.Postcode) bool {
	_, ok := q.snap.Postcode(p)
	return ok
}

// answerValidate answers what is to be said of a text as a postcode.
func (q *scratch) answerValidate(key []byte) {
	text := string(key)
	a := api.ValidateAnswer{Query: api.ValidateQuery{Postcode: text}, Snapshot: q.ref, Verdict: api.VerdictWellFormed}
	p, err := geo.ParsePostcode(text)
	if e, bad := asPostcodeError(err); bad {
		a.Verdict = api.VerdictMalformed
		a.Detail, a.Hint = api.Text(e.Msg), api.Text(e.Hint)
		if e.Err == geo.ErrOutOfArea {
			a.Verdict = api.VerdictOutOfArea
		} else {
			a.Position = &e.Pos
		}
	} else {
		a.Postcode, a.Hint = api.Some(p), api.Text(p.Hint())
		a.Status = api.Text(index.NotInRegister.String())
		if unit, ok := q.snap.Postcode(p); ok {
			a.Status, a.InExtracts = api.Text(unit.Status().String()), unit.Len() > 0
		}
	}
	a.Suggestions = []api.Suggestion{}
	if a.Verdict != api.VerdictOutOfArea && !q.exists(p) {
		a.Suggestions = api.SuggestionsOf(geo.SuggestPostcodeFunc(text, q.exists))
	}
	q.body = append(q.body, encode(&a)...)
	q.send()
}

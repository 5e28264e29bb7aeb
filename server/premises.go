package server

import (
	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// answerPremises answers what is known of a premises by its UPRN.
func (q *scratch) answerPremises(key []byte) {
	u, err := geo.ParseUPRN(key)
	if err != nil {
		q.malformedUPRN(err)
		return
	}
	network, ok := q.network()
	if !ok {
		return
	}
	a := &q.premises
	*a = api.PremisesAnswer{
		Query:   api.PremisesQuery{UPRN: api.Some(u), On: api.Some(q.on), Known: api.Some(q.at), IndicatedSince: api.Some(q.since), NetworkRegion: api.Text(network.String())},
		Outcome: api.PremisesFound, Snapshot: q.ref,
	}
	if q.past {
		q.answerPremisesThen(u, network)
		return
	}
	p, ok := q.snap.UPRN(u)
	if !ok {
		q.unknownUPRN(u)
		return
	}
	if unit, ok := p.Unit(); ok {
		q.register = registered(unit)
		a.Postcode = &q.register
	}
	d := p.Details()
	if k, spell, ok := q.snap.ready.find(d.Kind, q.on); ok && network == index.NoNetwork {
		b := q.snap.ready.appendPremises(a.AppendOpening(q.body), &d, k, spell)
		if q.since != 0 {
			b = q.appendIndicated(b, p)
		}
		q.body = a.AppendClosing(b)
	} else {
		if a.Premises, _ = q.premisesOf(p, network); q.since != 0 {
			a.IndicatedSince = q.indicated(p, network)
		}
		q.body = a.AppendJSON(q.body)
	}
	q.send()
}

// unknownUPRN answers for a UPRN that no extract has.
func (q *scratch) unknownUPRN(u geo.UPRN) {
	p := api.Problem{
		Code: api.UnknownUPRN, Parameter: "uprn", Detail: "no extract has a premises with UPRN " + u.String(),
		Hint: "extracts lag behind new buildings: ask at /v1/postcodes/{postcode}, or at /v1/locations with the latitude and longitude of the place",
	}
	if d, ok := q.snap.Departed(u); ok {
		p.Detail += ", nor had since " + d.Since().String()
		p.Hint = "what was said of it before is at " + historyPath(u)
	}
	q.problem(p)
}

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
		q.problem(api.Problem{
			Code: api.MalformedUPRN, Parameter: "uprn", Detail: err.Error(),
			Hint: "a UPRN is a number of up to twelve digits, such as 990061391234",
		})
		return
	}
	network, ok := q.network()
	if !ok {
		return
	}
	p, ok := q.snap.UPRN(u)
	if !ok {
		q.problem(api.Problem{
			Code: api.UnknownUPRN, Parameter: "uprn", Detail: "no extract has a premises with UPRN " + u.String(),
			Hint: "extracts lag behind new buildings: ask at /v1/postcodes/{postcode}, or at /v1/locations with the latitude and longitude of the place",
		})
		return
	}
	a := &q.premises
	*a = api.PremisesAnswer{
		Query:   api.PremisesQuery{UPRN: api.Some(u), On: api.Some(q.on), NetworkRegion: api.Text(network.String())},
		Outcome: api.PremisesFound, Snapshot: q.ref,
	}
	if unit, ok := p.Unit(); ok {
		q.register = registered(unit)
		a.Postcode = &q.register
	}
	if q.explain {
		a.Explanation = q.explainPremises(p, network)
	}
	d := p.Details()
	if k, spell, ok := q.snap.ready.find(d.Kind, q.on); ok && network == index.NoNetwork {
		q.body = a.AppendClosing(q.snap.ready.appendPremises(a.AppendOpening(q.body), &d, k, spell))
	} else {
		a.Premises, _ = q.premisesOf(p, network)
		q.body = a.AppendJSON(q.body)
	}
	q.send()
}

package server

import (
	"net/url"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// answerHistory answers what was said of a premises, known day by known day. A
// page ends between two indications, so that the next begins on the day after.
func (q *scratch) answerHistory(key []byte) {
	u, err := geo.ParseUPRN(key)
	if err != nil {
		q.malformedUPRN(err)
		return
	}
	network, ok := q.network()
	if !ok {
		return
	}
	limit, ok := q.count(defaultPage, maxPage)
	if !ok {
		return
	}
	from, to := q.snap.HistoryFrom(), q.day.day
	if q.given.has(paramFrom) {
		if from, ok = q.date(paramFrom); !ok {
			return
		}
	}
	if q.given.has(paramTo) {
		if to, ok = q.date(paramTo); !ok {
			return
		}
	}
	if from > to {
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "from", Detail: from.String() + " is after " + to.String() + ", the last day asked for",
			Hint: "leave from and to out for all that is remembered",
		})
		return
	}
	p, ok := q.find(u)
	if !ok {
		q.unknownUPRN(u)
		return
	}
	a := api.HistoryAnswer{
		Query:   api.HistoryQuery{UPRN: api.Some(u), On: api.Some(q.on), From: api.Some(from), To: api.Some(to), NetworkRegion: api.Text(network.String()), Limit: limit},
		Outcome: api.PremisesFound, UPRN: api.Some(u), Postcode: api.Some(p.Postcode()), AddressIdentifier: api.Text(p.Address()),
		RememberedFrom: api.Some(q.snap.HistoryFrom()), History: []api.Indication{}, Snapshot: q.ref,
	}
	if _, gone := p.(index.Departed); gone {
		a.Outcome = api.NoPremisesFound
	}
	a.Latitude, a.Longitude = degrees(p.At())
	for _, i := range p.AppendHistory(nil, from, to) {
		if len(a.History) == limit {
			a.Next = api.Text(q.nextHistory(u, a.History[limit-1].To.V+1))
			break
		}
		a.History = append(a.History, q.indication(&i, network))
	}
	q.body = append(q.body, encode(&a)...)
	q.send()
}

// indication describes what was said.
func (q *scratch) indication(i *index.Indication, network index.NetworkRegion) api.Indication {
	out := api.Indication{From: api.Some(i.From), To: api.Some(i.To), Present: i.Present, Conflict: i.Conflict, Networks: []api.Network{}, Snapshot: i.Snapshot}
	if i.Present {
		var p api.Premises
		claims := i.Claims.Only(network)
		q.claimsOf(&p, claims)
		if i.Past {
			forgetAsOf(p.Networks)
		}
		out.State, out.Fit, out.Networks = api.Text(claims.State(q.on).String()), p.Fit, p.Networks
	}
	return out
}

// nextHistory is the path of the page from a day on.
func (q *scratch) nextHistory(u geo.UPRN, from index.Day) string {
	v := url.Values{"from": {from.String()}}
	for _, p := range []parameter{paramOn, paramTo, paramNetwork, paramLimit} {
		if q.given.has(p) {
			v.Set(parameterNames[p], string(q.values[p]))
		}
	}
	return historyPath(u) + "?" + v.Encode()
}

// malformedUPRN answers for a text that is no UPRN.
func (q *scratch) malformedUPRN(err error) {
	q.problem(api.Problem{
		Code: api.MalformedUPRN, Parameter: "uprn", Detail: err.Error(),
		Hint: "a UPRN is a number of up to twelve digits, such as 990061391234",
	})
}

package server

import (
	"net/url"
	"strconv"

	"github.com/valyala/fasthttp"

	"coverd/index"
	"coverd/server/api"
	"coverd/server/receipts"
)

// keysPath is where the keys are published that receipts are verified with.
const keysPath = "/.well-known/jwks.json"

const typeKeySet = "application/jwk-set+json"

// receiptable reports whether the receipt that is asked for, if one is, can be
// given; else the problem has been answered.
func (q *scratch) receiptable() bool {
	if !q.given.has(paramReceipt) || q.route == routeInstallAndLeave {
		return true
	}
	if string(q.values[paramReceipt]) != "1" {
		q.problem(api.Problem{Code: api.MalformedParameter, Parameter: "receipt", Detail: "it is not 1", Hint: "receipt=1 asks for one; leave it out for none"})
		return false
	}
	return q.hasReceipts()
}

func (q *scratch) hasReceipts() bool {
	if q.srv.receipts == nil {
		q.problem(api.Problem{
			Code: api.ReceiptsNotGiven, Parameter: "receipt", Detail: "this server has no keys to sign with",
			Hint: "whoever runs it starts it with --receipt-keys DIR, which makes a key",
		})
		return false
	}
	return true
}

// sendReceipted answers 200 with q.body and its receipt. It is of this second,
// and nobody's but who asked: it is kept by no cache.
func (q *scratch) sendReceipted() {
	q.srv.lookAtKeys()
	s := q.statement()
	s.IssuedAt, s.AnswerSHA256 = q.now.Unix(), receipts.Digest(q.body)
	compact, err := q.srv.receipts.Sign(s)
	if err != nil {
		q.srv.log.Error("a receipt cannot be signed", "error", err.Error())
		q.problem(api.Problem{Code: api.ReceiptsNotGiven, Parameter: "receipt", Detail: "the key to sign with is not there", Hint: "ask again without receipt, or later; the log of the server says what is wrong"})
		q.unkept(typeProblem)
		return
	}
	q.body = receipts.Attach(q.body, compact)
	q.sendUnkept(typeJSON)
}

// statement is what a receipt says of the answer that has been made.
func (q *scratch) statement() (s receipts.Statement) {
	s.Snapshot, s.AsOf, s.On, s.Known = q.ref.ID, q.ref.AsOf.V, q.on, q.readOn()
	query := make(url.Values)
	query.Set("on", q.on.String())
	path := ""
	switch q.route {
	case routePostcode:
		path = "/v1/postcodes/" + url.PathEscape(q.postcode.Query.Postcode.String())
		q.statePostcode(&s)
		q.repeat(query, paramAddress)
		q.repeat(query, paramIndicatedSince)
		query.Set("known", s.Known.String())
		s.Network = string(q.postcode.Query.NetworkRegion)
	case routePremises:
		path = "/v1/premises/" + q.premises.Query.UPRN.V.String()
		q.statePremises(&s)
		q.repeat(query, paramIndicatedSince)
		query.Set("known", s.Known.String())
		s.Network = string(q.premises.Query.NetworkRegion)
	case routeLocation:
		path = "/v1/locations"
		s.StateLocation(&q.location)
		setNumber(query, "latitude", q.location.Query.Latitude)
		setNumber(query, "longitude", q.location.Query.Longitude)
		setNumber(query, "easting", q.location.Query.Easting)
		setNumber(query, "northing", q.location.Query.Northing)
		setText(query, "grid_reference", q.location.Query.GridReference)
		q.repeat(query, paramLimit)
		q.repeat(query, paramRadius)
	default: // an outcode or a sector
		a := &q.place
		if a.Query.Sector.V.IsValid() {
			path, s.Place.Sector = "/v1/sectors/"+url.PathEscape(a.Query.Sector.V.String()), a.Query.Sector
		} else {
			path, s.Place.Outcode = "/v1/outcodes/"+a.Query.Outcode.V.String(), a.Query.Outcode
		}
		s.Outcome, s.Reason, s.Summary = a.Outcome, a.Reason, new(a.Summary)
		s.StateEstimate(a.Estimate)
		q.repeat(query, paramLimit)
		q.repeat(query, paramAfter)
	}
	setText(query, "network", api.Text(s.Network))
	for _, p := range []parameter{paramKnown, paramIndicatedSince, paramExplain} {
		q.repeat(query, p)
	}
	s.Question = "GET " + path + "?" + query.Encode()
	return s
}

// repeat repeats a parameter of the request as it was given, if it was.
func (q *scratch) repeat(query url.Values, p parameter) {
	if q.given.has(p) {
		query.Set(parameterNames[p], string(q.values[p]))
	}
}

func setText(query url.Values, name string, t api.Text) {
	if t != "" {
		query.Set(name, string(t))
	}
}

func setNumber(query url.Values, name string, n api.Number) {
	if !n.IsZero() {
		query.Set(name, strconv.FormatFloat(float64(n), 'f', -1, 64))
	}
}

// statePostcode states what was answered about a postcode.
func (q *scratch) statePostcode(s *receipts.Statement) {
	a := &q.postcode
	s.Outcome, s.Reason, s.Region, s.Summary = a.Outcome, a.Reason, string(a.Region.Name), new(a.Summary)
	s.Place.Postcode, s.Place.Address = api.Some(a.Query.Postcode), string(a.Query.Address)
	if a.Outcome != api.PremisesFound {
		s.StateEstimate(a.Estimate)
		return
	}
	s.Basis = receipts.BasisClaims
	if q.past {
		stateThen(s, a.Premises)
		return
	}
	unit, _ := q.snap.Postcode(a.Query.Postcode)
	network, _ := q.network()
	for i, f := range q.found {
		p := unit.Premises(f.at)
		said := indicated(p.Claims().Only(network), q.on)
		if i > 0 && said != s.Indicated {
			s.Indicated = receipts.Indicated{} // they differ
			return
		}
		s.Indicated = said
	}
	if len(q.found) == 1 {
		namePremises(&s.Place, unit.Premises(q.found[0].at))
	}
}

// stateThen states what was answered of premises as they were.
func stateThen(s *receipts.Statement, list []api.Premises) {
	for i := range list {
		p := &list[i]
		said := receipts.Indicated{State: p.State}
		if f := p.Fit; f != nil && (p.State == index.Available.String() || p.State == index.Planned.String()) {
			said.From = f.From.V
			for _, n := range p.Networks {
				if n.NetworkRegion == f.NetworkRegion && n.State == p.State {
					said.Until = n.CoverageEndDate.V
					break
				}
			}
		}
		if i > 0 && said != s.Indicated {
			s.Indicated = receipts.Indicated{} // they differ
			return
		}
		s.Indicated = said
	}
	if len(list) == 1 {
		p := &list[0]
		s.Place.UPRN, s.Place.Address = p.UPRN, string(p.AddressIdentifier)
		if !p.Latitude.IsZero() {
			s.Place.Location = &api.Point{Latitude: p.Latitude, Longitude: p.Longitude}
		}
	}
}

// statePremises states what was answered about a premises.
func (q *scratch) statePremises(s *receipts.Statement) {
	a := &q.premises
	p, _ := q.find(a.Query.UPRN.V)
	network, _ := q.network()
	s.Outcome, s.Region, s.Basis = a.Outcome, p.Region().Region.String(), receipts.BasisClaims
	then, _ := p.Known(q.readOn())
	s.Indicated = indicated(then.Claims.Only(network), q.on)
	if a.Postcode != nil {
		s.Place.Postcode = api.Some(a.Postcode.Postcode)
	}
	namePremises(&s.Place, p)
}

// indicated is what claims say of a day.
func indicated(c index.ClaimSet, on index.Day) (i receipts.Indicated) {
	i.State = c.State(on).String()
	if fit, ok := c.Fit(on); ok {
		i.From, i.Until = spanOf(fit.Status, fit.Claim)
	}
	return i
}

// spanOf is from and until when there is coverage.
func spanOf(s index.Status, c *index.Claim) (from, until index.Day) {
	if s.State != index.Available && s.State != index.Planned {
		return 0, 0
	}
	return s.From, c.End
}

func namePremises(out *receipts.Place, p remembered) {
	out.UPRN, out.Address = api.Some(p.UPRN()), string(p.Address())
	if at := p.At(); at.IsValid() {
		out.Location = new(api.Point)
		out.Location.Latitude, out.Location.Longitude = degrees(at)
	}
}

// lookAtKeys has the receipt keys read again if they have changed. What is wrong
// with them is said when it is news.
func (s *Server) lookAtKeys() {
	before, trouble := s.receipts.Keys().Names()[0], ""
	if err := s.receipts.Look(); err != nil {
		trouble = err.Error()
	}
	if now := s.receipts.Keys().Names()[0]; now != before {
		s.log.Info("receipts are signed with another key", "key", now)
	}
	old, _ := s.keysTrouble.Swap(trouble).(string)
	switch {
	case old == trouble:
	case trouble == "":
		s.log.Info("the receipt keys can be read again")
	default:
		s.log.Error("the receipt keys cannot be read again; those that are known stay in use", "error", trouble)
	}
}

// answerKeys publishes the keys.
func (q *scratch) answerKeys([]byte) {
	if !q.hasReceipts() {
		return
	}
	q.srv.lookAtKeys()
	h := &q.ctx.Response.Header
	h.SetContentType(typeKeySet)
	h.SetCanonical(headerCacheControl, []byte("max-age=300"))
	q.ctx.Response.SetBodyRaw(q.srv.receipts.Document())
}

// answerVerifyReceipt checks the receipt in the body, or the answer with one.
func (q *scratch) answerVerifyReceipt([]byte) {
	if !q.ctx.IsPost() {
		q.ctx.Response.Header.Set(fasthttp.HeaderAllow, "POST")
		q.problem(api.Problem{Code: api.MethodNotAllowed, Detail: string(q.ctx.Method()) + " is not taken here", Hint: "POST the receipt, or the whole answer that it came in"})
		return
	}
	if !q.hasReceipts() {
		return
	}
	q.srv.lookAtKeys()
	q.body = append(q.body, encode(receipts.Judge(q.srv.receipts.Keys(), q.ctx.PostBody(), nil))...)
	q.sendUnkept(typeJSON)
}

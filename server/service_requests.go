package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/requests"
)

// ledgerTimeout is how long a question waits for the ledger: less than whoever
// asks waits for an answer.
const ledgerTimeout = 4 * time.Second

// answerKept answers what is asked of service requests. Nobody may keep such an
// answer: it changes without another snapshot.
func (q *scratch) answerKept(r route, key []byte) {
	post := q.ctx.IsPost()
	get := q.ctx.IsGet() || q.ctx.IsHead()
	takes := routeTable[r].takes
	switch {
	case q.srv.desk == nil:
		q.problem(api.Problem{
			Code:   api.ServiceRequestsNotTaken,
			Detail: "this server answers at once and keeps no service requests",
			Hint: "GET /v1/locations?latitude=&longitude= has coverage and Region for the place; to have requests kept here, start the server with --requests FILE; " +
				"else raise the request itself with the DCC (SEC Appendix H 3.3)",
		})
	case r == routeServiceRequestCancel && !post,
		r == routeServiceRequests && !get && !post,
		(r == routeServiceRequest || r == routeServiceRequestChanges) && !get:
		q.notAllowed()
	case r == routeServiceRequests && post:
		if q.parse(0) {
			q.addServiceRequest()
		}
	case q.parse(takes):
		routeTable[r].answer(q, key)
	}
	h := &q.ctx.Response.Header
	h.SetCanonical(headerCacheControl, []byte("no-store"))
	h.Del(fasthttp.HeaderETag)
}

// reply answers with v as JSON.
func (q *scratch) reply(status int, v any) {
	h := &q.ctx.Response.Header
	h.SetContentType(typeJSON)
	h.SetCanonical(headerSnapshot, q.snap.id)
	q.status = status
	q.ctx.Response.SetStatusCode(status)
	body := encode(v)
	if c := q.coding(len(body)); c != identity {
		body = appendCoded(nil, body, c)
	}
	q.ctx.Response.SetBodyRaw(body)
}

// waiting is a context for the ledger.
func waiting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), ledgerTimeout)
}

// addServiceRequest answers a service request, once it is kept.
func (q *scratch) addServiceRequest() {
	key, ok := q.idempotencyKey()
	if !ok {
		return
	}
	r, ok := q.readBody()
	if !ok {
		return
	}
	if r.Installation != 0 {
		q.on = r.Installation
	}
	q.beginLocation()
	if r.At, ok = q.where(); !ok {
		return
	}
	answer, claimed := q.answerRequest(&r)
	if answer.Region == geo.NoRegion {
		q.outside()
		return
	}
	r.Key, r.Same = key, sameness(&r)
	q.srv.desk.sign(&r, &answer, claimed)
	var rec *requests.Record
	var added bool
	ctx, cancel := waiting()
	defer cancel()
	if err := q.srv.desk.keeper.Write(ctx, func(l requests.Ledger) (err error) {
		rec, added, err = l.Add(ctx, &r, &answer)
		return err
	}); err != nil {
		q.ledgerProblem(err)
		return
	}
	status := fasthttp.StatusOK
	if added {
		status = fasthttp.StatusCreated
		q.srv.desk.metrics.events.WithLabelValues(string(requests.Resolved)).Inc()
		if q.srv.snap.Load() != q.snap {
			signal(q.srv.desk.signals) // another snapshot has come meanwhile
		}
	}
	q.ctx.Response.Header.Set(fasthttp.HeaderLocation, api.ServiceRequestPath+"/"+string(rec.Reference))
	q.reply(status, serviceRequestOf(rec, true))
}

// answerServiceRequest answers how it stands with a request.
func (q *scratch) answerServiceRequest(key []byte) {
	q.withReference(key, func(ctx context.Context, ref requests.Reference) (rec *requests.Record, err error) {
		err = q.srv.desk.keeper.Read(ctx, func(l requests.Ledger) error {
			rec, err = l.Get(ctx, ref)
			return err
		})
		return rec, err
	})
}

// cancelServiceRequest closes a request. One that is closed stays as it is.
func (q *scratch) cancelServiceRequest(key []byte) {
	q.withReference(key, func(ctx context.Context, ref requests.Reference) (rec *requests.Record, err error) {
		err = q.srv.desk.keeper.Write(ctx, func(l requests.Ledger) error {
			var closed bool
			if rec, closed, err = l.Cancel(ctx, ref, q.now.UTC().Truncate(time.Millisecond)); closed {
				q.srv.desk.metrics.events.WithLabelValues(string(requests.Closed)).Inc()
			}
			return err
		})
		return rec, err
	})
}

// withReference answers with the request of a reference, as f finds it.
func (q *scratch) withReference(key []byte, f func(ctx context.Context, ref requests.Reference) (*requests.Record, error)) {
	ref, err := requests.ParseReference(string(key))
	if err != nil {
		q.problem(api.Problem{
			Code: api.MalformedReference, Parameter: "reference", Detail: strconv.Quote(clip(string(key))) + " is not a reference such as SR-7K3M-9QXD",
			Hint: "it stands in the answer to the request, and in its Location header",
		})
		return
	}
	ctx, cancel := waiting()
	defer cancel()
	rec, err := f(ctx, ref)
	if err != nil {
		q.ledgerProblem(err)
		return
	}
	q.reply(fasthttp.StatusOK, serviceRequestOf(rec, true))
}

// ledgerProblem answers for what the ledger could not or would not do.
func (q *scratch) ledgerProblem(err error) {
	unavailable, isUnavailable := errors.AsType[*requests.Unavailable](err)
	switch {
	case errors.Is(err, requests.ErrNotFound):
		q.problem(api.Problem{
			Code: api.UnknownReference, Parameter: "reference", Detail: "no service request has this reference",
			Hint: "check it with GET /v1/service-requests, by your own_reference for instance",
		})
	case errors.Is(err, requests.ErrKeyReused):
		q.problem(api.Problem{
			Code: api.IdempotencyKeyReused, Parameter: headerIdempotencyKey, Detail: "this key was used for a service request that asks something else",
			Hint: "make another key for another request; to repeat a request, send what was sent before",
		})
	case errors.Is(err, requests.ErrCursor):
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "since", Detail: "nothing has happened yet up to there: the ledger is another, or was put back from an older copy",
			Hint: "leave it out to begin with the first change there is",
		})
	case errors.Is(err, requests.ErrForgotten):
		q.problem(api.Problem{
			Code: api.ChangesTooOld, Parameter: "since", Detail: "not all that has happened since then is kept: closed requests, and changes as old as these, are deleted after a time",
			Hint: "list the requests there are with GET /v1/service-requests, and leave since out to go on from the first change that is kept",
		})
	case isUnavailable:
		q.unavailable(unavailable.Condition)
	default: // the time is over
		q.unavailable(requests.Condition{Retry: time.Second})
	}
}

// unavailable answers that the ledger cannot be asked. What is the matter in
// detail, the operator is told.
func (q *scratch) unavailable(c requests.Condition) {
	p := api.Problem{
		Code: api.LedgerUnavailable, Detail: ledgerDetails[c.Trouble],
		Hint: "nothing was acknowledged: send it again later, with the same Idempotency-Key, which keeps it from being kept twice; " +
			"GET /v1/locations answers about coverage and Region meanwhile",
	}
	q.problem(p)
	retry := max(time.Second, min(c.Retry, time.Minute))
	q.ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, strconv.Itoa(int(retry/time.Second)))
}

var ledgerDetails = map[requests.Trouble]string{
	"":                "the ledger of service requests took too long to answer",
	requests.Locked:   "the ledger of service requests is locked by another program",
	requests.Full:     "there is no room on the disk of the ledger of service requests",
	requests.ReadOnly: "the ledger of service requests cannot be written to",
	requests.Damaged:  "the ledger of service requests is damaged, and an operator has to restore it",
	requests.Newer:    "the ledger of service requests was written by a later version of this program",
	requests.Failed:   "the ledger of service requests has failed",
}

// answerServiceRequests answers with a page of requests.
func (q *scratch) answerServiceRequests([]byte) {
	f, ok := q.filter()
	if !ok {
		return
	}
	limit := f.Limit
	f.Limit++ // is there another?
	var recs []*requests.Record
	ctx, cancel := waiting()
	defer cancel()
	if err := q.srv.desk.keeper.Read(ctx, func(l requests.Ledger) (err error) {
		recs, err = l.List(ctx, &f)
		return err
	}); errors.Is(err, requests.ErrNotFound) {
		q.problem(api.Problem{
			Code: api.UnknownReference, Parameter: parameterNames[paramAfter], Detail: "no service request has the reference " + string(f.After) + ", so there is no page after it",
			Hint: "leave it out for the first page, whose next is the path of the second",
		})
		return
	} else if err != nil {
		q.ledgerProblem(err)
		return
	}
	a := api.ServiceRequestList{ServiceRequests: []api.ServiceRequest{}}
	if len(recs) > limit {
		recs = recs[:limit]
		query := url.Values{}
		for name, value := range q.ctx.QueryArgs().All() {
			query.Set(string(name), string(value))
		}
		query.Set("after", string(recs[limit-1].Reference))
		a.Next = api.Text(api.ServiceRequestPath + "?" + query.Encode())
	}
	for _, rec := range recs {
		a.ServiceRequests = append(a.ServiceRequests, *serviceRequestOf(rec, false))
	}
	q.reply(fasthttp.StatusOK, &a)
}

// filter reads what a list is narrowed to.
func (q *scratch) filter() (f requests.Filter, ok bool) {
	if f.Limit, ok = q.count(defaultPage, maxPage); !ok {
		return f, false
	}
	malformed := func(p parameter, detail, hint string) {
		q.problem(api.Problem{Code: api.MalformedParameter, Parameter: parameterNames[p], Detail: detail, Hint: hint})
		ok = false
	}
	text := func(p parameter) string { return string(q.values[p]) }
	if q.given.has(paramStatus) {
		f.Open = strings.EqualFold(text(paramStatus), "open")
		if f.Status, ok = requests.ParseStatus(text(paramStatus)); !ok && !f.Open {
			malformed(paramStatus, strconv.Quote(clip(text(paramStatus)))+" is not a status", "the statuses are resolved, confirmed, changed and closed; open is all but the last")
			return f, false
		}
	}
	var err error
	if q.given.has(paramPostcode) {
		if f.Postcode, err = geo.ParsePostcode(text(paramPostcode)); err != nil {
			q.codeProblem(err, api.MalformedPostcode, memberPostcode, geo.SuggestPostcodeFunc(text(paramPostcode), q.exists))
			return f, false
		}
	}
	if q.given.has(paramOutcode) {
		if f.Outcode, err = geo.ParseOutcode(text(paramOutcode)); err != nil {
			q.codeProblem(err, api.MalformedOutcode, memberOutcode, geo.SuggestOutcode(text(paramOutcode)))
			return f, false
		}
	}
	if q.given.has(paramRegion) {
		if f.Region, err = geo.ParseRegion(text(paramRegion)); err != nil {
			malformed(paramRegion, err.Error(), "leave it out for all Regions")
			return f, false
		}
	}
	if q.given.has(paramAfter) {
		if f.After, err = requests.ParseReference(text(paramAfter)); err != nil {
			q.malformedAfter("reference")
			return f, false
		}
	}
	for p, day := range map[parameter]*time.Time{paramSince: &f.Since, paramUntil: &f.Until} {
		if !q.given.has(p) {
			continue
		}
		d, err := index.ParseDay(q.values[p])
		if err != nil {
			q.problem(api.Problem{Code: api.MalformedDate, Parameter: parameterNames[p], Detail: err.Error(), Hint: "give the first or last day of creation as YYYY-MM-DD, in London"})
			return f, false
		}
		if p == paramUntil {
			d++ // to its end
		}
		*day = q.srv.clock.startOf(d)
	}
	f.Party, f.OwnReference = text(paramParty), text(paramOwnReference)
	return f, true
}

// answerServiceRequestChanges answers with what has happened since.
func (q *scratch) answerServiceRequestChanges([]byte) {
	limit, ok := q.count(defaultPage, maxPage)
	if !ok {
		return
	}
	since := int64(-1)
	if q.given.has(paramSince) {
		var err error
		if since, err = strconv.ParseInt(string(q.values[paramSince]), 10, 64); err != nil || since < 0 {
			q.problem(api.Problem{
				Code: api.MalformedParameter, Parameter: "since", Detail: strconv.Quote(clip(string(q.values[paramSince]))) + " is not a cursor",
				Hint: "give the cursor of the answer before, or leave it out to begin with the first change",
			})
			return
		}
	}
	var events []requests.Event
	ctx, cancel := waiting()
	defer cancel()
	if err := q.srv.desk.keeper.Read(ctx, func(l requests.Ledger) (err error) {
		events, since, err = l.Events(ctx, since, limit+1)
		return err
	}); err != nil {
		q.ledgerProblem(err)
		return
	}
	a := api.ServiceRequestChanges{Changes: []api.RequestChange{}}
	more := len(events) > limit
	for i := range events[:min(len(events), limit)] {
		a.Changes = append(a.Changes, requestChangeOf(&events[i]))
		since = events[i].ID
	}
	a.Cursor = strconv.FormatInt(since, 10)
	if more {
		a.Next = api.Text(api.ServiceRequestPath + "/changes?since=" + a.Cursor + "&limit=" + strconv.Itoa(limit))
	}
	q.reply(fasthttp.StatusOK, &a)
}

// serviceRequestOf is a record in the words of the wire; in full with its
// answers.
func serviceRequestOf(rec *requests.Record, full bool) *api.ServiceRequest {
	last := rec.Last()
	a := &api.ServiceRequest{
		Reference: string(rec.Reference), Status: string(rec.Status), Created: rec.Created, Region: requestRegion(last), Coverage: requestCoverage(last),
		Query: api.RequestQuery{
			Postcode: api.Some(rec.Postcode), Outcode: api.Some(rec.Outcode), Latitude: api.Number(rec.At.Lat), Longitude: api.Number(rec.At.Lng),
			InstallationDate: api.Some(rec.Installation), Party: api.Text(rec.Party), Role: api.Text(rec.Role), OwnReference: api.Text(rec.OwnReference),
		},
		Answered: last.At, Answers: rec.Answers, Snapshot: requestSnapshot(last),
	}
	if rec.Status == requests.Closed {
		a.Closed = &api.RequestClosed{At: rec.Closed, Why: rec.Why}
	}
	if full {
		a.Answer, a.Receipt = json.RawMessage(last.Body), receiptOf(last)
		for i := range rec.Given {
			g := &rec.Given[i]
			a.History = append(a.History, api.RequestAnswer{
				At: g.At, On: api.Some(g.On), Region: requestRegion(g), Coverage: requestCoverage(g), Snapshot: requestSnapshot(g), Receipt: receiptOf(g),
			})
		}
	}
	return a
}

func requestChangeOf(e *requests.Event) api.RequestChange {
	c := api.RequestChange{
		Cursor: strconv.FormatInt(e.ID, 10), At: e.At, Reference: string(e.Reference), Party: api.Text(e.Party), OwnReference: api.Text(e.Own),
		Was: api.Text(e.Was), Status: string(e.Status), Changes: []api.FieldChange{}, Why: api.Text(e.Why),
		Region: requestRegion(&e.Answer), Coverage: requestCoverage(&e.Answer), Snapshot: requestSnapshot(&e.Answer),
	}
	for _, f := range e.Changes {
		c.Changes = append(c.Changes, api.FieldChange{Field: f.Field, Before: api.Text(f.Before), After: api.Text(f.After)})
	}
	return c
}

func requestRegion(a *requests.Answer) api.Region {
	r := regionOf(index.Allocation{Region: a.Region, Border: a.Border})
	r.Basis = api.Text(a.RegionBasis)
	return r
}

func requestCoverage(a *requests.Answer) api.RequestCoverage {
	c := api.RequestCoverage{State: a.State.String(), Basis: api.Text(a.Basis), InExtracts: a.InExtracts, UPRN: api.Some(a.UPRN)}
	if a.Network != index.NoNetwork {
		c.Fit = &api.RequestFit{NetworkRegion: a.Network.String(), WANVariant: api.Text(a.Variant), AuxiliaryEquipment: api.Text(a.Auxiliary), From: api.Some(a.From)}
	}
	return c
}

func requestSnapshot(a *requests.Answer) api.RequestSnapshot {
	return api.RequestSnapshot{ID: a.Snapshot, AsOf: api.Some(a.AsOf)}
}

func receiptOf(a *requests.Answer) *string {
	if a.Receipt == "" {
		return nil
	}
	return &a.Receipt
}

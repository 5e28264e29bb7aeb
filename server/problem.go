package server

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/server/api"
)

const (
	typeJSON    = "application/json"
	typeGeoJSON = "application/geo+json"
	typeProblem = "application/problem+json"
)

// problem answers with a problem document: p, with what goes with its code.
func (q *scratch) problem(p api.Problem) {
	p.Snapshot = &q.ref
	body := document(&p)
	q.header(typeProblem, kindProblem, identity)
	q.status = p.Status
	q.ctx.Response.SetStatusCode(p.Status)
	q.ctx.Response.SetBodyRaw(body)
}

// document completes a problem and encodes it.
func document(p *api.Problem) []byte {
	for _, k := range api.ProblemKinds {
		if k.Code == p.Code {
			p.Type, p.Title, p.Status = api.ProblemTypePrefix+k.Code, k.Title, k.Status
		}
	}
	return encode(p)
}

// encode is encoding/json without escaping for HTML, which no answer is.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a type that cannot be encoded
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// codeProblem answers for a text that is no postcode, outcode or sector, or
// one out of area.
func (q *scratch) codeProblem(err error, malformed, parameter string, suggestions []geo.Suggestion) {
	e, ok := errors.AsType[*geo.PostcodeError](err)
	if !ok {
		q.problem(api.Problem{Code: malformed, Parameter: parameter, Detail: err.Error()})
		return
	}
	p := api.Problem{Code: malformed, Parameter: parameter, Detail: e.Msg, Hint: e.Hint, Suggestions: api.SuggestionsOf(suggestions)}
	if errors.Is(err, geo.ErrOutOfArea) {
		p.Code, p.Suggestions = api.OutOfArea, nil
	}
	q.problem(p)
}

const detailBodyTooLarge = "a body has at most 64 KiB"

// requestError answers for a request that fasthttp could not read. No
// snapshot was asked.
func (s *Server) requestError(ctx *fasthttp.RequestCtx, err error) {
	p := api.Problem{Code: api.BadRequest, Detail: "the request cannot be read"}
	timeout, isTimeout := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	_, isSmallBuffer := errors.AsType[*fasthttp.ErrSmallBuffer](err)
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		p = api.Problem{Code: api.BodyTooLarge, Detail: detailBodyTooLarge}
	case isSmallBuffer:
		p = api.Problem{Code: api.HeaderTooLarge, Detail: "request line and headers have at most 8 KiB together"}
	case isTimeout && timeout.Timeout():
		p = api.Problem{Code: api.RequestTimeout, Detail: "a request has five seconds to arrive"}
	}
	s.refuse(ctx, &p)
}

// refuse answers a request that no route has seen, and closes its connection.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, p *api.Problem) {
	body := document(p)
	ctx.Response.Reset()
	ctx.Response.SetStatusCode(p.Status)
	ctx.Response.Header.SetContentType(typeProblem)
	ctx.Response.SetBodyRaw(body)
	ctx.SetConnectionClose()
	s.metrics.refused.WithLabelValues(p.Code).Inc()
}

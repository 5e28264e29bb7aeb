package server

import (
	"bytes"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"coverd/server/api"
)

// route is one of the things that can be asked.
type route uint8

const (
	routeOther route = iota // no such path
	routePostcode
	routeValidate
	routeOutcode
	routeSector
	routePremises
	routeHistory
	routeLocation
	routeRegions
	routeRegion
	routeSnapshot
	routeChanges
	routeInstallAndLeave
	routeVerifyReceipt
	routeKeys
	routeWANMatrix
	routeServiceRequests
	routeServiceRequestChanges
	routeServiceRequest
	routeServiceRequestCancel
	routes
)

// routeTable says of each route its path, as people and metrics call it, which
// parameters it takes, and who answers it. The part of the path between braces
// is the key.
var routeTable = [routes]struct {
	path   string
	takes  parameterSet
	answer func(q *scratch, key []byte)
}{
	routeOther:                 {path: "other"},
	routePostcode:              {"/v1/postcodes/{postcode}", set(paramOn, paramAddress, paramNetwork, paramKnown, paramIndicatedSince, paramReceipt, paramExplain), (*scratch).answerPostcode},
	routeValidate:              {"/v1/postcodes/{postcode}/validate", 0, (*scratch).answerValidate},
	routeOutcode:               {"/v1/outcodes/{outcode}", set(paramOn, paramLimit, paramAfter, paramReceipt, paramExplain), (*scratch).answerOutcode},
	routeSector:                {"/v1/sectors/{sector}", set(paramOn, paramLimit, paramAfter, paramReceipt, paramExplain), (*scratch).answerSector},
	routePremises:              {"/v1/premises/{uprn}", set(paramOn, paramNetwork, paramKnown, paramIndicatedSince, paramReceipt, paramExplain), (*scratch).answerPremises},
	routeHistory:               {"/v1/premises/{uprn}/history", set(paramOn, paramNetwork, paramFrom, paramTo, paramLimit), (*scratch).answerHistory},
	routeLocation:              {"/v1/locations", set(paramOn, paramLatitude, paramLongitude, paramEasting, paramNorthing, paramGridReference, paramLimit, paramRadius, paramReceipt, paramExplain), (*scratch).answerLocation},
	routeRegions:               {"/v1/regions", 0, (*scratch).answerRegions},
	routeRegion:                {"/v1/regions/{name}", 0, (*scratch).answerRegion},
	routeSnapshot:              {"/v1/snapshot", 0, (*scratch).answerSnapshot},
	routeChanges:               {"/v1/changes", set(paramSince, paramOutcode, paramLimit, paramAfter), (*scratch).answerChanges},
	routeInstallAndLeave:       {"/v1/install-and-leave", installParameters, (*scratch).answerInstallAndLeave},
	routeVerifyReceipt:         {"/v1/receipts/verify", 0, (*scratch).answerVerifyReceipt},
	routeKeys:                  {keysPath, 0, (*scratch).answerKeys},
	routeWANMatrix:             {"/v1/request-wan-matrix", 0, (*scratch).answerWANMatrix},
	routeServiceRequests:       {"/v1/service-requests", set(paramStatus, paramParty, paramOwnReference, paramPostcode, paramOutcode, paramRegion, paramSince, paramUntil, paramLimit, paramAfter), (*scratch).answerServiceRequests},
	routeServiceRequestChanges: {"/v1/service-requests/changes", set(paramSince, paramLimit), (*scratch).answerServiceRequestChanges},
	routeServiceRequest:        {"/v1/service-requests/{reference}", 0, (*scratch).answerServiceRequest},
	routeServiceRequestCancel:  {"/v1/service-requests/{reference}/cancel", 0, (*scratch).cancelServiceRequest},
}

// methods are those that a path takes, as Allow lists them.
func (r route) methods() string {
	switch r {
	case routeWANMatrix, routeVerifyReceipt, routeServiceRequestCancel:
		return "POST"
	case routeServiceRequests:
		return "GET, HEAD, POST"
	default:
		return "GET, HEAD"
	}
}

// match finds the route of a path as it was sent, and the key in it, still
// encoded: a slash in a key is none of the path's.
func match(path []byte) (r route, key []byte) {
	rest, ok := bytes.CutPrefix(path, []byte("/v1/"))
	if !ok {
		if string(path) == keysPath {
			return routeKeys, nil
		}
		return routeOther, nil
	}
	noun, rest, deeper := bytes.Cut(rest, []byte("/"))
	key, verb, deepest := bytes.Cut(rest, []byte("/"))
	if deepest {
		if string(noun) == "postcodes" && string(verb) == "validate" {
			return routeValidate, key
		}
		if string(noun) == "premises" && string(verb) == "history" {
			return routeHistory, key
		}
		if string(noun) == "service-requests" && string(verb) == "cancel" {
			return routeServiceRequestCancel, key
		}
		return routeOther, nil
	}
	if !deeper {
		switch string(noun) {
		case "locations":
			return routeLocation, nil
		case "regions":
			return routeRegions, nil
		case "snapshot":
			return routeSnapshot, nil
		case "changes":
			return routeChanges, nil
		case "install-and-leave":
			return routeInstallAndLeave, nil
		case "request-wan-matrix":
			return routeWANMatrix, nil
		case "service-requests":
			return routeServiceRequests, nil
		}
		return routeOther, nil
	}
	switch string(noun) {
	case "postcodes":
		return routePostcode, key
	case "outcodes":
		return routeOutcode, key
	case "sectors":
		return routeSector, key
	case "premises":
		return routePremises, key
	case "regions":
		return routeRegion, key
	case "receipts":
		if string(key) == "verify" {
			return routeVerifyReceipt, nil
		}
	case "service-requests":
		if string(key) == "changes" {
			return routeServiceRequestChanges, nil
		}
		return routeServiceRequest, key
	}
	return routeOther, nil
}

// handle answers a request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	snap := s.snap.Load()
	q, ok := snap.scratches.Get().(*scratch)
	if !ok {
		q = new(scratch)
	}
	q.begin(s, snap, ctx)
	q.answer()
	s.metrics.observe(q.route, q.status, s.clock.now().Sub(q.now))
	if q.lent {
		ctx.SetUserValue(scratchOf{}, q) // which is closed when the answer has been sent
	} else {
		_ = q.Close()
	}
}

// scratchOf is what a request's scratch goes by until it is closed.
type scratchOf struct{}

func (q *scratch) answer() {
	r, key := match(q.ctx.URI().PathOriginal())
	q.route = r
	from := len(q.text)
	q.text = appendDecoded(q.text, key)
	key = q.text[from:]
	switch {
	case r == routeOther:
		q.problem(api.Problem{
			Code: api.UnknownPath, Detail: "there is nothing at " + string(q.ctx.Path()),
			Hint: "ask at " + list(paths(), "or"),
		})
	case r >= routeServiceRequests:
		q.answerKept(r, key)
	case r == routeWANMatrix && !q.ctx.IsPost():
		q.notAllowed()
	case !q.ctx.IsGet() && !q.ctx.IsHead() && r != routeVerifyReceipt && r != routeWANMatrix:
		q.notAllowed()
	case q.parse(routeTable[r].takes) && q.receiptable():
		routeTable[r].answer(q, key)
	}
}

// notAllowed answers for a method that a path does not take.
func (q *scratch) notAllowed() {
	allow := q.route.methods()
	q.ctx.Response.Header.Set(fasthttp.HeaderAllow, allow)
	q.problem(api.Problem{Code: api.MethodNotAllowed, Detail: string(q.ctx.Method()) + " is not taken here", Hint: useMethods(allow)})
}

func useMethods(allow string) string {
	return "use " + strings.ReplaceAll(strings.ReplaceAll(allow, "GET, HEAD", "GET"), ", ", " or ")
}

// appendDecoded appends s without its percent-encoding.
func appendDecoded(b, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if v, ok := percent(s[i+1:]); ok {
				c, i = v, i+2
			}
		}
		b = append(b, c)
	}
	return b
}

// paths lists what can be asked, for those who asked for something else.
func paths() []string {
	var list []string
	for r := routePostcode; r < routes; r++ {
		list = append(list, knownPaths[r])
	}
	return list
}

// knownPaths are the paths of routeTable, which cannot be named by what it
// names.
var knownPaths [routes]string

func init() {
	for r := range routeTable {
		knownPaths[r] = routeTable[r].path
	}
}

// send answers 200 with q.body, which is JSON, or 304 where the client has it.
func (q *scratch) send() {
	q.lent = true
	if q.given.has(paramReceipt) {
		q.sendReceipted()
		return
	}
	q.sendBody(q.body)
}

// sendBody is send for a body that stays as it is.
func (q *scratch) sendBody(body []byte) {
	c := q.coding(len(body))
	if !q.modified(typeJSON, c) {
		return
	}
	if c != identity {
		q.coded, q.lent = appendCoded(q.coded[:0], body, c), true
		q.ctx.Response.SetBodyRaw(q.coded)
		return
	}
	q.ctx.Response.SetBodyRaw(body)
}

// sendUnkept answers 200 with q.body, which no cache keeps.
func (q *scratch) sendUnkept(contentType string) {
	q.lent = true
	q.unkept(contentType)
	body := q.body
	if c := q.coding(len(body)); c != identity {
		q.coded = appendCoded(q.coded[:0], body, c)
		body = q.coded
	}
	q.ctx.Response.SetBodyRaw(body)
}

// unkept sets the header of an answer that no cache keeps.
func (q *scratch) unkept(contentType string) {
	h := &q.ctx.Response.Header
	h.SetContentType(contentType)
	h.SetCanonical(headerSnapshot, q.snap.id)
	h.SetCanonical(headerCacheControl, noStore)
	h.Del(fasthttp.HeaderETag)
}

var noStore = []byte("no-store")

// modified sets the header of an answer, and reports whether the client lacks
// its body.
func (q *scratch) modified(contentType string, c coding) bool {
	q.header(contentType, kindAnswer, c)
	if notModified(q.ctx.Request.Header.Peek(fasthttp.HeaderIfNoneMatch), q.etag) {
		q.status = fasthttp.StatusNotModified
		q.ctx.Response.SetStatusCode(q.status)
		return false
	}
	return true
}

// notModified evaluates If-None-Match (RFC 9110, 13.1.2): a list of tags, weak
// or strong, or an asterisk.
func notModified(list, etag []byte) bool {
	for len(list) > 0 {
		var tag []byte
		tag, list, _ = bytes.Cut(list, []byte(","))
		tag = bytes.TrimPrefix(bytes.TrimSpace(tag), []byte("W/"))
		if len(tag) == 1 && tag[0] == '*' || len(tag) > 0 && bytes.Equal(tag, etag) {
			return true
		}
	}
	return false
}

// list joins words as people do: a, b or c.
func list(words []string, conjunction string) string {
	var b []byte
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b = append(append(append(b, ' '), conjunction...), ' ')
		default:
			b = append(b, ", "...)
		}
		b = append(b, w...)
	}
	return string(b)
}

func set(list ...parameter) (s parameterSet) {
	for _, p := range list {
		s |= 1 << p
	}
	return s
}

func (s parameterSet) has(p parameter) bool { return s>>p&1 == 1 }

func (s parameterSet) names() (names []string) {
	for p := range parameterNames {
		if s.has(parameter(p)) {
			names = append(names, parameterNames[p])
		}
	}
	slices.Sort(names)
	return names
}

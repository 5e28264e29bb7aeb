package server

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"coverd/server/api"
	"coverd/server/duis"
)

const typeXML = "application/xml; charset=utf-8"

// wanMatrix is what there is to answering Service Request 12.1 besides the
// snapshot.
type wanMatrix struct {
	codes   duis.Codes
	answers *prometheus.CounterVec // by outcome
	cut     *prometheus.CounterVec // by field
	logged  atomic.Int64           // when a cut was logged last, in nanoseconds
}

// Outcomes of a RequestWANMatrix, as metrics call them.
const outcomeFault = "fault"

func (w *wanMatrix) init(codes *duis.Codes) error {
	w.codes = duis.DefaultCodes()
	if codes != nil {
		w.codes = *codes
	}
	w.answers = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "coverd_wan_matrix_answers_total", Help: "Answers to RequestWANMatrix, by outcome.",
	}, []string{"outcome"})
	for _, o := range []string{api.PremisesFound, api.NoPremisesFound, api.SeveralPremisesFound, outcomeFault} {
		w.answers.WithLabelValues(o)
	}
	w.cut = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "coverd_wan_matrix_texts_cut_total", Help: "Texts of CSPs that were longer than DUIS allows and were cut off, by field.",
	}, []string{"field"})
	for _, f := range duis.Fields {
		w.cut.WithLabelValues(f)
	}
	return w.codes.Check()
}

// answerWANMatrix answers a RequestWANMatrix, which has no date: it asks about
// today. Nothing of it is kept by a cache, since a POST is not told apart by its
// URL.
func (q *scratch) answerWANMatrix([]byte) {
	w := &q.srv.wanMatrix
	h := &q.ctx.Request.Header
	asJSON := prefersJSON(h.Peek(fasthttp.HeaderAccept))
	request, err := duis.Parse(q.ctx.Request.Body())
	if charset := foreignCharset(string(h.ContentType())); charset != "" {
		err = &duis.Fault{
			Code: duis.NotXML, Detail: "the Content-Type says that the body is " + strconv.Quote(charset), Hint: "send UTF-8", Line: 1, Column: 1,
		}
	}
	if f, isFault := errors.AsType[*duis.Fault](err); isFault {
		w.answers.WithLabelValues(outcomeFault).Inc()
		q.wanMatrixFault(f, asJSON)
		return
	}
	found := request.Find(q.snap.Snapshot)
	var a duis.Answer
	a.To(request, &found, &w.codes, q.on)
	q.tellCut(a.Cut)
	outcome := api.PremisesFound
	switch found.Reason {
	case "":
	case duis.SeveralPremises:
		outcome = api.SeveralPremisesFound
	default:
		outcome = api.NoPremisesFound
	}
	w.answers.WithLabelValues(outcome).Inc()
	if asJSON {
		q.body = append(q.body, encode(q.wanMatrixJSON(request, &found, &a, outcome))...)
		q.sendUnkept(typeJSON)
		return
	}
	q.body = a.AppendXML(q.body, q.now)
	q.sendUnkept(typeXML)
}

// wanMatrixFault answers 400 for a body that is no request.
func (q *scratch) wanMatrixFault(f *duis.Fault, asJSON bool) {
	if asJSON {
		q.problem(api.Problem{Code: api.MalformedWANMatrix, Detail: f.Error(), Hint: f.Hint, Parameter: f.Element})
		q.unkept(typeProblem)
		return
	}
	q.status = fasthttp.StatusBadRequest
	q.ctx.Response.SetStatusCode(q.status)
	q.body, q.lent = f.AppendXML(q.body), true
	q.unkept(typeXML)
	q.ctx.Response.SetBodyRaw(q.body)
}

// tellCut counts texts that were cut off, and logs one of them every so often:
// the same claim is answered with many times a second.
func (q *scratch) tellCut(list []duis.Cut) {
	const every = 10 * time.Minute
	w := &q.srv.wanMatrix
	for _, c := range list {
		w.cut.WithLabelValues(c.Field).Inc()
		last := w.logged.Load()
		if now := q.now.UnixNano(); now-last >= int64(every) && w.logged.CompareAndSwap(last, now) {
			q.srv.log.Warn("a text of a CSP is longer than DUIS allows, and was cut off", "csp", c.CSP, "field", c.Field, "characters", c.Length, "most", c.Most)
		}
	}
}

// wanMatrixJSON is the answer with what XML has no place for.
func (q *scratch) wanMatrixJSON(request *duis.Request, found *duis.Found, a *duis.Answer, outcome string) *api.WANMatrixAnswer {
	out := &api.WANMatrixAnswer{
		Query: api.WANMatrixQuery{
			RequestID: api.Text(request.RequestID), SchemaVersion: request.Version.Text, UPRN: api.Some(request.UPRN),
			Postcode: api.Text(request.PostCode), AddressIdentifier: api.Text(request.AddressIdentifier), On: api.Some(q.on),
		},
		Outcome: outcome, ResponseCode: a.Code.Code, ResponseText: a.Code.Text, Region: api.Text(found.Region.String()), Snapshot: q.ref,
	}
	if found.Grade != 0 {
		out.AddressMatch.Grade = found.Grade.String()
	}
	for i := range a.Responses {
		out.Responses = append(out.Responses, wanMatrixResponse(&a.Responses[i]))
	}
	for _, p := range found.Candidates {
		out.Candidates = append(out.Candidates, api.Candidate{UPRN: api.Some(p.UPRN()), AddressIdentifier: api.Text(p.Address())})
	}
	switch outcome {
	case api.PremisesFound:
		p, _ := q.premisesOf(found.Premises, 0)
		out.Premises = &p
	case api.NoPremisesFound:
		out.Reason = found.Reason
		q.wanMatrixAbsence(request, out)
	}
	return out
}

// wanMatrixAbsence adds what is known of the place of a postcode without the
// premises.
func (q *scratch) wanMatrixAbsence(request *duis.Request, out *api.WANMatrixAnswer) {
	if !request.Postcode.IsValid() || out.Reason == api.UnknownPostcode {
		return
	}
	q.postcode.Postcode = unregistered(request.Postcode)
	if unit, ok := q.snap.Postcode(request.Postcode); ok {
		q.postcode.Postcode = registered(unit)
	}
	q.noPremises(request.Postcode, out.Reason)
	out.Estimate, out.NextStep = q.postcode.Estimate, q.postcode.NextStep
}

func wanMatrixResponse(r *duis.Response) api.WANMatrixResponse {
	out := api.WANMatrixResponse{CSPRegion: r.Region.String(), ResponseCode: r.Code.Code}
	if r.Coverage {
		out.CoverageAvailability = &r.Available
		out.AnticipatedCoverageDate = api.Some(r.Anticipated)
		out.WANTechnology, out.ConnectivityLikelihood = api.Text(r.Technology), api.Text(r.Likelihood)
		out.AuxiliaryEquipmentRequired, out.AdditionalInformation = api.Text(r.Auxiliary), api.Text(r.Information)
	}
	return out
}

// prefersJSON reports whether a list in Accept puts JSON before XML (RFC 9110,
// 12.5.1). XML is what is answered to who does not care.
func prefersJSON(accept []byte) bool {
	weights := map[string]int{}
	for item := range bytes.SplitSeq(accept, []byte(",")) {
		name, rest, _ := bytes.Cut(item, []byte(";"))
		q := 1000
		for parameter := range bytes.SplitSeq(rest, []byte(";")) {
			if bytes.HasPrefix(bytes.TrimSpace(parameter), []byte("q=")) {
				q = thousandths(parameter)
			}
		}
		name = bytes.ToLower(bytes.TrimSpace(name))
		switch string(name) {
		case "application/xml", "text/xml", "*/*", "application/*":
			weights["xml"] = max(weights["xml"], q)
		case "application/json", "application/problem+json":
			weights["json"] = max(weights["json"], q)
		}
	}
	return weights["json"] > weights["xml"] || weights["json"] > 0 && weights["json"] == weights["xml"] && !bytes.Contains(accept, []byte("xml"))
}

// foreignCharset is the charset of a content type, where it is not UTF-8 or a
// part of it.
func foreignCharset(contentType string) string {
	for parameter := range strings.SplitSeq(contentType, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		value = strings.Trim(value, `"`)
		if strings.EqualFold(name, "charset") && !strings.EqualFold(value, "utf-8") && !strings.EqualFold(value, "us-ascii") {
			return value
		}
	}
	return ""
}

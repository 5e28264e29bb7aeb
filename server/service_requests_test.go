package server

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"

	"coverd/server/api"
	"coverd/server/receipts"
	"coverd/server/requests"
)

// keeping is a server that keeps service requests, in a file of its own.
func keeping(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Requests == nil {
		o.Requests = requests.SQLite(filepath.Join(t.TempDir(), "requests.db"))
	}
	s := testServer(t, o)
	t.Cleanup(startDesk(s))
	return s
}

// startDesk has a server keep service requests until it is stopped.
func startDesk(s *Server) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		s.desk.run(ctx)
		close(done)
	}()
	return func() {
		cancel()
		<-done
	}
}

// submit posts a body.
func submit(s *Server, uri, body, key string) *fasthttp.Response {
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.Header.SetMethod("POST")
	req.SetRequestURI(uri)
	req.SetBodyString(body)
	if key != "" {
		req.Header.Set(headerIdempotencyKey, key)
	}
	ctx.Init(&req, nil, quiet{})
	s.handle(&ctx)
	var resp fasthttp.Response
	ctx.Response.CopyTo(&resp)
	ctx.ResetUserValues()
	return &resp
}

// submitted posts a body whose answer must have a status, and decodes it.
func submitted[T any](t testing.TB, s *Server, uri, body, key string, status int) T {
	t.Helper()
	resp := submit(s, uri, body, key)
	if resp.StatusCode() != status {
		t.Fatalf("POST %s %s: status %d, want %d: %s", uri, body, resp.StatusCode(), status, resp.Body())
	}
	if got := string(resp.Header.Peek("Cache-Control")); got != "no-store" {
		t.Errorf("POST %s: Cache-Control %q", uri, got)
	}
	return decodedAs[T](t, resp.Body())
}

func decodedAs[T any](t testing.TB, body []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

const merrow = `{"latitude":51.249370,"longitude":-0.549301,"postcode":"GU1 1AB","installation_date":"2026-12-24","party":"Supplier","role":"is","own_reference":"Plot 14"}`

func TestServiceRequest(t *testing.T) {
	signer, err := receipts.Open(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	s := keeping(t, Options{Receipts: signer})
	resp := submit(s, api.ServiceRequestPath, merrow, "one")
	if resp.StatusCode() != 201 {
		t.Fatalf("%d %s", resp.StatusCode(), resp.Body())
	}
	a := decodedAs[api.ServiceRequest](t, resp.Body())
	if got := string(resp.Header.Peek("Location")); got != "/v1/service-requests/"+a.Reference {
		t.Errorf("Location %q", got)
	}
	if a.Status != "resolved" || !a.Created.Equal(noon) || a.Region.Name != "South" || a.Region.Basis != "boundary" || a.Snapshot.ID != s.Snapshot().ID() ||
		a.Coverage.State != "available" || a.Coverage.Basis != "coverage_area" || a.Coverage.Fit == nil || a.Coverage.Fit.WANVariant != "SKU1" || a.Coverage.InExtracts ||
		a.Query.Role != "IS" || a.Query.OwnReference != "Plot 14" || a.Query.Outcode.V.String() != "GU1" || a.Closed != nil || len(a.History) != 1 ||
		a.Receipt == nil {
		t.Fatalf("%s", resp.Body())
	}
	if v := receipts.Judge(signer.Keys(), resp.Body(), nil); !v.Valid || v.Answer != receipts.AnswerMatches || v.Statement.Snapshot != a.Snapshot.ID || v.Statement.Region != "South" ||
		!strings.HasPrefix(v.Statement.Question, "POST /v1/service-requests {") {
		t.Errorf("%+v", v)
	}
	// The answer is that of the location, on the day of installation, but that it
	// does not say to raise what has been raised.
	want := get[map[string]any](t, s, "/v1/locations?latitude=51.249370&longitude=-0.549301&on=2026-12-24", 200)
	if want["next_step"] == nil {
		t.Error("the answer about the location has no next step")
	}
	delete(want, "next_step")
	if diff := cmp.Diff(want, decodedAs[map[string]any](t, a.Answer)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(resp.Body()), string(encode(get[json.RawMessage](t, s, "/v1/service-requests/"+strings.ToLower(a.Reference), 200)))); diff != "" {
		t.Error("asked for again, it is another:", diff)
	}

	// The same key: the same request, or a problem.
	again := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, strings.Replace(merrow, `"postcode":"GU1 1AB"`, ` "postcode" : "gu11ab" `, 1), "one", 200)
	if again.Reference != a.Reference {
		t.Errorf("%s, then %s", a.Reference, again.Reference)
	}
	if p := submitted[api.Problem](t, s, api.ServiceRequestPath, strings.Replace(merrow, "Plot 14", "Plot 15", 1), "one", 422); p.Code != api.IdempotencyKeyReused {
		t.Error(p)
	}
	if b := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, merrow, "", 201); b.Reference == a.Reference {
		t.Error("without a key it is another request")
	}

	closed := submitted[api.ServiceRequest](t, s, "/v1/service-requests/"+a.Reference+"/cancel", "", "", 200)
	if closed.Status != "closed" || closed.Closed == nil || closed.Closed.Why != "cancelled" {
		t.Errorf("%+v", closed)
	}
	if twice := submitted[api.ServiceRequest](t, s, "/v1/service-requests/"+a.Reference+"/cancel", "", "", 200); twice.Closed.At != closed.Closed.At {
		t.Errorf("closed twice: %+v", twice)
	}
	feed := get[api.ServiceRequestChanges](t, s, "/v1/service-requests/changes", 200)
	if len(feed.Changes) != 3 || feed.Changes[2].Why != "cancelled" || feed.Cursor != "3" || feed.Next != "" {
		t.Errorf("%+v", feed)
	}
	page := get[api.ServiceRequestChanges](t, s, "/v1/service-requests/changes?since=1&limit=1", 200)
	if len(page.Changes) != 1 || page.Cursor != "2" || page.Next != "/v1/service-requests/changes?since=2&limit=1" {
		t.Errorf("%+v", page)
	}
	if rest := get[api.ServiceRequestChanges](t, s, "/v1/service-requests/changes?since=3", 200); len(rest.Changes) != 0 || rest.Cursor != "3" {
		t.Errorf("%+v", rest)
	}
	problem(t, s, "/v1/service-requests/changes?since=4", api.MalformedParameter)
	problem(t, s, "/v1/service-requests/changes?since=x", api.MalformedParameter)
	problem(t, s, "/v1/service-requests/SR-0000-0000", api.UnknownReference)
	problem(t, s, "/v1/service-requests/SR-0000-000", api.MalformedReference)
	problem(t, s, "/v1/service-requests/SR-0000-0000/cancel", api.MethodNotAllowed)

	submitted[api.ServiceRequest](t, s, api.ServiceRequestPath+"/"+a.Reference+"/cancel", "", "", 200) // which it is already
	if n := testutil.ToFloat64(s.desk.metrics.events.WithLabelValues("closed")); n != 1 {
		t.Errorf("%v requests were counted as closed", n)
	}
}

// What is wrong with a request is told by the member it is about, and nothing is
// kept of it.
func TestServiceRequestProblems(t *testing.T) {
	s := keeping(t, Options{})
	const place = `"latitude":51.2452,"longitude":-0.5823`
	long := strings.Repeat("x", maxText+1)
	for _, c := range []struct{ body, code, member, say string }{
		{"", api.MalformedBody, "", "no body"},
		{"[]", api.MalformedBody, "", "object"},
		{"null", api.MalformedBody, "", "object"},
		{`{"latitude":51.2452,`, api.MalformedBody, "", "byte"},
		{`{` + place + `} {}`, api.MalformedBody, "", "follows"},
		{`{` + place + `,}`, api.MalformedBody, "", "JSON"},
		{"{" + place + ",\"party\":\"\xff\"}", api.MalformedBody, "", "UTF-8"},
		{`{` + place + `,"Party":"x"}`, api.UnknownMember, "Party", "member"},
		{`{` + place + `,"latitude":51.2452}`, api.MalformedMember, "latitude", "twice"},
		{`{` + place + `,"party":"x","party":null}`, api.MalformedMember, "party", "twice"},
		{`{"latitude":"51.2452","longitude":-0.5823}`, api.MalformedMember, "latitude", "number"},
		{`{"latitude":[51.2452],"longitude":-0.5823}`, api.MalformedMember, "latitude", "number"},
		{`{` + place + `,"party":7}`, api.MalformedMember, "party", "string"},
		{`{` + place + `,"party":{"name":"x"}}`, api.MalformedMember, "party", "string"},
		{`{` + place + `,"party":""}`, api.MalformedMember, "party", "empty"},
		{`{` + place + `,"party":" x"}`, api.MalformedMember, "party", "space"},
		{`{` + place + `,"party":"a\u0000b"}`, api.MalformedMember, "party", "printed"},
		{`{` + place + `,"own_reference":"a\u202eb"}`, api.MalformedMember, "own_reference", "printed"},
		{`{` + place + `,"own_reference":"` + long + `"}`, api.MalformedMember, "own_reference", "100"},
		{`{` + place + `,"role":"XX"}`, api.MalformedMember, "role", "XX"},
		{`{}`, api.MalformedCoordinate, "", "no location"},
		{`{"latitude":null,"longitude":null}`, api.MalformedCoordinate, "", "no location"},
		{`{"latitude":51.2452}`, api.MalformedCoordinate, "", "half"},
		{`{` + place + `,"grid_reference":"SU 99049 50522"}`, api.MalformedCoordinate, "", "more than one"},
		{`{"latitude":-0.5823,"longitude":51.2452}`, api.MalformedCoordinate, "latitude", "swapped"},
		{`{"latitude":1e400,"longitude":51.2452}`, api.MalformedCoordinate, "latitude", ""},
		{`{"latitude":48.85,"longitude":2.35}`, api.OutsideGreatBritain, "", "2 km"},
		{`{"easting":1,"northing":1}`, api.OutsideGreatBritain, "", "2 km"},
		{`{"grid_reference":"XX"}`, api.MalformedGridReference, "grid_reference", ""},
		{`{` + place + `,"postcode":"GU1 1A"}`, api.MalformedPostcode, "postcode", ""},
		{`{` + place + `,"postcode":"BT1 1AA"}`, api.OutOfArea, "postcode", ""},
		{`{` + place + `,"outcode":"G"}`, api.MalformedOutcode, "outcode", ""},
		{`{` + place + `,"postcode":"GU1 1AA","outcode":"GU2"}`, api.MalformedMember, "outcode", "GU1 1AA"},
		{`{` + place + `,"installation_date":"24/12/2026"}`, api.MalformedDate, "installation_date", ""},
		{`{` + place + `,"installation_date":"2026-10-31"}`, api.MalformedDate, "installation_date", "ago"},
		{`{` + place + `,"installation_date":"2036-12-31"}`, api.MalformedDate, "installation_date", "ahead"},
	} {
		resp := submit(s, api.ServiceRequestPath, c.body, "")
		p := decodedAs[api.Problem](t, resp.Body())
		if p.Code != c.code || p.Status != resp.StatusCode() || p.Parameter != c.member || !strings.Contains(p.Detail, c.say) || p.Hint == "" && p.Suggestions == nil {
			t.Errorf("%s: %d %s", c.body, resp.StatusCode(), resp.Body())
		}
	}
	for _, key := range []string{"a b", strings.Repeat("k", maxKey+1), "schlüssel"} {
		if p := submitted[api.Problem](t, s, api.ServiceRequestPath, `{`+place+`}`, key, 400); p.Code != api.MalformedIdempotencyKey {
			t.Error(key, p)
		}
	}
	if p := submitted[api.Problem](t, s, api.ServiceRequestPath+"?on=2026-12-24", `{`+place+`}`, "", 400); p.Code != api.UnknownParameter {
		t.Error(p)
	}
	if l := get[api.ServiceRequestList](t, s, api.ServiceRequestPath, 200); len(l.ServiceRequests) != 0 {
		t.Errorf("kept: %+v", l)
	}
	for _, c := range []struct{ uri, code, parameter string }{
		{"?status=done", api.MalformedParameter, "status"},
		{"?postcode=X", api.MalformedPostcode, "postcode"},
		{"?outcode=1", api.MalformedOutcode, "outcode"},
		{"?region=East", api.MalformedParameter, "region"},
		{"?after=1", api.MalformedParameter, "after"},
		{"?after=SR-0000-0000", api.UnknownReference, "after"},
		{"?after=SR-0000-0000&status=closed", api.UnknownReference, "after"},
		{"?since=1", api.MalformedDate, "since"},
		{"?until=1", api.MalformedDate, "until"},
		{"?limit=0", api.MalformedParameter, "limit"},
		{"?on=2026-12-24", api.UnknownParameter, "on"},
	} {
		if p := problem(t, s, api.ServiceRequestPath+c.uri, c.code); p.Parameter != c.parameter {
			t.Errorf("%s: %+v", c.uri, p)
		}
	}
}

// Without a place to keep them, they are refused, and all else is answered.
func TestServiceRequestsNotTaken(t *testing.T) {
	s := testServer(t, Options{})
	for _, uri := range []string{"", "/changes", "/SR-0000-0000", "/SR-0000-0000/cancel"} {
		if p := submitted[api.Problem](t, s, api.ServiceRequestPath+uri, merrow, "", 501); p.Code != api.ServiceRequestsNotTaken {
			t.Error(uri, p)
		}
	}
}

// Each next step can be taken as it stands.
func TestNextStepsArePostable(t *testing.T) {
	s := keeping(t, Options{})
	for _, uri := range []string{
		"/v1/postcodes/GU11AB", "/v1/postcodes/GU11AD", "/v1/postcodes/GU11AE", "/v1/postcodes/GU11AA?address=99&on=2026-12-24",
		"/v1/postcodes/GU11AB?on=2020-01-01", "/v1/postcodes/GU11AB?on=9999-12-31", "/v1/outcodes/GU2", "/v1/sectors/GU2%204",
		"/v1/locations?latitude=51.2452&longitude=-0.5823&on=2026-12-24", "/v1/locations?easting=499049&northing=150522",
	} {
		var a struct {
			NextStep *struct {
				Path, Method string
				Needs        []string
				Body         json.RawMessage
			} `json:"next_step"`
		}
		_, _, body := s.Answer("GET", uri)
		if err := json.Unmarshal(body, &a); err != nil || a.NextStep == nil || a.NextStep.Method != fasthttp.MethodPost || len(a.NextStep.Needs) != 0 {
			t.Fatalf("GET %s: %v: %s", uri, err, body)
		}
		r := submitted[api.ServiceRequest](t, s, a.NextStep.Path, string(a.NextStep.Body), "", 201)
		if r.Region.Name != "South" {
			t.Errorf("GET %s: next step %s: %+v", uri, a.NextStep.Body, r)
		}
	}
	// One that lacks a location says so, and is refused for that.
	_, _, body := s.Answer("GET", "/v1/postcodes/GU11AF")
	a := decodedAs[api.PostcodeAnswer](t, body)
	if diff := cmp.Diff([]string{"latitude", "longitude"}, a.NextStep.Needs); diff != "" {
		t.Error(diff)
	}
}

// Each filter finds the one request that it should, and a page leads to the next.
func TestServiceRequestList(t *testing.T) {
	now := clockAt(noon)
	s := keeping(t, Options{Now: now.now})
	const elsewhere = `{"latitude":54.01,"longitude":-3,"postcode":"CH4 9ZZ","party":"A & B+C","own_reference":"1/2"}`
	first := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, merrow, "", 201)
	now.set(noon.AddDate(0, 0, 1))
	second := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, elsewhere, "", 201)
	submitted[api.ServiceRequest](t, s, api.ServiceRequestPath+"/"+second.Reference+"/cancel", "", "", 200)
	for query, want := range map[string]string{
		"status=resolved": first.Reference, "status=open": first.Reference, "status=CLOSED": second.Reference, "party=Supplier": first.Reference, "party=A%20%26%20B%2BC": second.Reference,
		"own_reference=Plot+14": first.Reference, "own_reference=1%2F2": second.Reference, "postcode=gu11ab": first.Reference, "outcode=ch4": second.Reference,
		"region=south": first.Reference, "region=North": second.Reference, "until=2026-12-01": first.Reference, "since=2026-12-02": second.Reference,
		"limit=1": second.Reference, "after=" + second.Reference: first.Reference, "since=2026-12-01&until=2026-12-01": first.Reference,
	} {
		l := get[api.ServiceRequestList](t, s, api.ServiceRequestPath+"?"+query, 200)
		if len(l.ServiceRequests) != 1 || l.ServiceRequests[0].Reference != want || (l.Next != "") != (query == "limit=1") {
			t.Errorf("%s: %+v, want %s", query, l, want)
		}
	}
	for range 4 {
		submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, elsewhere, "", 201)
	}
	seen := map[string]bool{}
	pages := 0
	for next := api.ServiceRequestPath + "?party=A%20%26%20B%2BC&limit=2"; next != ""; pages++ {
		l := get[api.ServiceRequestList](t, s, next, 200)
		for _, r := range l.ServiceRequests {
			if seen[r.Reference] || r.Query.Party != "A & B+C" || r.Answer != nil || r.History != nil {
				t.Errorf("%+v", r)
			}
			seen[r.Reference] = true
		}
		next = string(l.Next)
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d on %d pages", len(seen), pages)
	}
}

package server

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"coverd/server/api"
)

// ask answers a request with headers given in pairs.
func ask(s *Server, method, uri string, headers ...string) *fasthttp.Response {
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(uri)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	ctx.Init(&req, nil, quiet{})
	s.handle(&ctx)
	var out fasthttp.Response
	ctx.Response.CopyTo(&out)
	return &out
}

func header(r *fasthttp.Response, name string) string { return string(r.Header.Peek(name)) }

func TestConditionalRequests(t *testing.T) {
	s := testServer(t, Options{})
	const uri = "/v1/postcodes/GU11AA"
	first := ask(s, "GET", uri)
	etag := header(first, "ETag")
	if id := s.Snapshot().ID(); !strings.Contains(etag, id) || !strings.Contains(etag, "2026-12-01") || header(first, "Coverd-Snapshot") != id {
		t.Errorf("ETag %s, snapshot %s", etag, header(first, "Coverd-Snapshot"))
	}
	for _, c := range []struct {
		given string
		want  int
	}{
		{etag, 304}, {"W/" + etag, 304}, {`"x", ` + etag, 304}, {"*", 304}, {`"x"`, 200}, {etag[:len(etag)-2] + `"`, 200}, {"", 200},
	} {
		r := ask(s, "GET", uri, "If-None-Match", c.given)
		if r.StatusCode() != c.want || (c.want == 304) != (len(r.Body()) == 0) || header(r, "ETag") != etag {
			t.Errorf("If-None-Match %s: %d, %d bytes, ETag %s; want %d", c.given, r.StatusCode(), len(r.Body()), header(r, "ETag"), c.want)
		}
	}
	// Another day is another answer.
	if other := header(ask(s, "GET", uri+"?on=2026-12-24"), "ETag"); other == etag {
		t.Errorf("the same ETag for two days: %s", etag)
	}
	// What is not a 200 is not a 304 either (RFC 9110, 13.2.1).
	if r := ask(s, "GET", "/v1/postcodes/ZE10AA", "If-None-Match", "*"); r.StatusCode() != 404 {
		t.Errorf("a problem turned into %d", r.StatusCode())
	}
}

// An answer for today must not be kept into tomorrow.
func TestMaxAgeEndsAtMidnightInLondon(t *testing.T) {
	for _, c := range []struct {
		now  string
		want int
		day  string
	}{
		{"2026-12-01T12:00:00Z", 300, "2026-12-01"},
		{"2026-12-01T23:55:00Z", 300, "2026-12-01"},
		{"2026-12-01T23:58:20Z", 100, "2026-12-01"},
		{"2026-12-01T23:59:59.5Z", 0, "2026-12-01"},
		{"2026-12-02T00:00:00Z", 300, "2026-12-02"},
		{"2026-07-01T22:59:00Z", 60, "2026-07-01"}, // summer time: midnight is at 23:00 UTC
		{"2026-07-01T23:00:00Z", 300, "2026-07-02"},
		{"2026-10-25T00:30:00Z", 300, "2026-10-25"}, // the day of 25 hours
		{"2026-10-25T23:59:00Z", 60, "2026-10-25"},
		{"2026-03-29T22:59:00Z", 60, "2026-03-29"}, // the day of 23
	} {
		now, err := time.Parse(time.RFC3339Nano, c.now)
		if err != nil {
			t.Fatal(err)
		}
		s := testServer(t, Options{Now: func() time.Time { return now }})
		r := ask(s, "GET", "/v1/premises/990061391234")
		if got := header(r, "Cache-Control"); got != fmt.Sprintf("max-age=%d", c.want) {
			t.Errorf("at %s: %s, want max-age=%d", c.now, got, c.want)
		}
		if !strings.Contains(string(r.Body()), `"on":"`+c.day+`"`) {
			t.Errorf("at %s it is not %s: %s", c.now, c.day, r.Body())
		}
	}
}

// The day is kept while it lasts, and no longer: not when it ends, and not
// when a clock that was ahead is set back.
func TestDayFollowsTheClock(t *testing.T) {
	now := time.Date(2026, 12, 1, 23, 59, 59, 0, time.UTC)
	s := testServer(t, Options{Now: func() time.Time { return now }})
	for _, step := range []struct {
		by   time.Duration
		want string
	}{{0, "2026-12-01"}, {time.Second, "2026-12-02"}, {-time.Second, "2026-12-01"}, {72 * time.Hour, "2026-12-04"}} {
		now = now.Add(step.by)
		if a := get[api.PremisesAnswer](t, s, "/v1/premises/990061391234", 200); a.Query.On.V.String() != step.want {
			t.Errorf("at %v it is %v", now, a.Query.On.V)
		}
	}
}

// What is kept of an outcode is today's answer and no other's.
func TestOutcodeFollowsTheDay(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := testServer(t, Options{Now: func() time.Time { return now }})
	different := map[string]bool{}
	for range 60 {
		for _, outcode := range []string{"GU1", "GU2", "gu1"} {
			uri := "/v1/outcodes/" + outcode
			_, _, want := having(s, s.snap.Load().ready).Answer("GET", uri) // which has kept nothing
			for range 2 {
				if _, _, got := s.Answer("GET", uri); !bytes.Equal(got, want) {
					t.Fatalf("%s on %v:\n%s\nmade now:\n%s", uri, now, got, want)
				}
			}
			different[string(want)] = true
			if _, _, one := s.Answer("GET", uri+"?limit=1"); outcode == "GU1" && bytes.Equal(one, want) {
				t.Fatalf("%s?limit=1: %s", uri, one)
			}
		}
		now = now.AddDate(0, 0, 1)
	}
	if len(different) != 2*60 {
		t.Errorf("%d different answers about two outcodes in 60 days", len(different))
	}
}

func TestMethods(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct {
		method, uri string
		status      int
	}{
		{"HEAD", "/v1/postcodes/GU11AA", 200},
		{"POST", "/v1/postcodes/GU11AA", 405},
		{"OPTIONS", "/v1/snapshot", 405},
		{"DELETE", "/v1/snapshot", 405},
		{"POST", "/v1/service-requests", 501}, // unless they are kept somewhere
		{"POST", "/nowhere", 404},
	} {
		r := ask(s, c.method, c.uri)
		if r.StatusCode() != c.status || c.status == 405 && header(r, "Allow") != "GET, HEAD" {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.uri, r.StatusCode(), header(r, "Allow"))
		}
	}
}

// Who uses a method that is taken nowhere is told what is taken there.
func TestMethodsTakenNowhere(t *testing.T) {
	s := testServer(t, Options{})
	for uri, want := range map[string]string{
		"/v1/snapshot": "GET, HEAD", "/v1/service-requests": "GET, HEAD, POST", "/v1/service-requests/SR-7K3M-9QXD": "GET, HEAD",
		"/v1/service-requests/SR-7K3M-9QXD/cancel": "POST", "/v1/request-wan-matrix": "POST", "/v1/receipts/verify?x=1": "POST", "/nowhere": "GET, HEAD",
	} {
		var ctx fasthttp.RequestCtx
		var req fasthttp.Request
		req.Header.SetMethod("PUT")
		req.SetRequestURI(uri)
		ctx.Init(&req, nil, quiet{})
		s.gated(s.handle)(&ctx)
		if ctx.Response.StatusCode() != 405 || header(&ctx.Response, "Allow") != want || !strings.Contains(string(ctx.Response.Body()), `"hint":"use `+strings.Split(want, ",")[0]) {
			t.Errorf("PUT %s: Allow %q, want %q: %s", uri, header(&ctx.Response, "Allow"), want, ctx.Response.Body())
		}
	}
}

// Nothing is allocated for a question, once its like has been seen.
func TestQueriesAllocateNothing(t *testing.T) {
	s := testServer(t, Options{})
	for _, uri := range []string{
		"/v1/postcodes/gu11aa",
		"/v1/postcodes/GU1%201AA?on=2026-12-24",
		"/v1/postcodes/GU1%201AA?address=flat%202,%20wey%20house",
		"/v1/postcodes/GU1%201AA?address=apt.+2+wey+hse",
		"/v1/postcodes/GU1%201AA?address=99",
		"/v1/postcodes/GU11AB",
		"/v1/postcodes/GU19ZZ",
		"/v1/outcodes/GU1",
		"/v1/sectors/GU1%201",
		"/v1/sectors/GU1%201?limit=1&on=2026-12-24", // there is a next page
		"/v1/outcodes/GU1?limit=1",
		"/v1/premises/990061391234",
		"/v1/premises/990061391234?indicated_since=2026-11-01",
		"/v1/postcodes/gu11aa?indicated_since=2026-11-24",
		"/v1/postcodes/gu11aa?known=2026-11-30",
		"/v1/regions",
		"/v1/locations?latitude=51.2452&longitude=-0.5823",
		"/v1/locations?easting=499049&northing=150522&on=2026-12-24",
	} {
		var ctx fasthttp.RequestCtx
		var req fasthttp.Request
		req.SetRequestURI(uri)
		ctx.Init(&req, nil, quiet{})
		q := new(scratch) // the pool, under the race detector, forgets at random
		again := func() {
			ctx.Response.Reset()
			ctx.Request.SetRequestURI(uri)
			q.begin(s, s.snap.Load(), &ctx)
			q.answer()
			s.metrics.observe(q.route, q.status, s.clock.now().Sub(q.now))
		}
		again()
		if ctx.Response.StatusCode() != 200 {
			t.Fatalf("GET %s: %s", uri, ctx.Response.Body())
		}
		if n := testing.AllocsPerRun(100, again); n != 0 {
			t.Errorf("GET %s: %v allocations, want 0", uri, n)
		}
	}
}

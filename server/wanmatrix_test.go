package server

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/duis"
)

// postXML posts a body to /v1/request-wan-matrix, with headers in pairs.
func postXML(s *Server, body string, headers ...string) (*fasthttp.Response, string) {
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.Header.SetMethod("POST")
	req.SetRequestURI("/v1/request-wan-matrix")
	req.Header.SetContentType("application/xml")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	req.SetBodyString(body)
	ctx.Init(&req, nil, quiet{})
	s.handle(&ctx)
	text := string(ctx.Response.Body())
	ctx.ResetUserValues()
	return &ctx.Response, text
}

func wanMatrixBody(version, inside string) string {
	return `<RequestWANMatrix xmlns="` + duis.Namespace + `" schemaVersion="` + version + `">` + inside + `</RequestWANMatrix>`
}

func partialAddress(postcode, address string) string {
	return "<PartialAddress><PostCode>" + postcode + "</PostCode><AddressIdentifier>" + address + "</AddressIdentifier></PartialAddress>"
}

// postJSON posts and decodes the JSON answer.
func postJSON[T any](t *testing.T, s *Server, status int, body string) T {
	t.Helper()
	r, text := postXML(s, body, "Accept", "application/json")
	if r.StatusCode() != status || header(r, "Cache-Control") != "no-store" || header(r, "Etag") != "" {
		t.Fatalf("%d, %s: %s", r.StatusCode(), &r.Header, text)
	}
	var v T
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestRequestWANMatrix(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct{ version, inside, want string }{
		{"5.4", "<UPRN>990061391234</UPRN>", "<CSPRegion>South</CSPRegion><CSPRegionResponseCode>I0</CSPRegionResponseCode><CoverageAvailability>true</CoverageAvailability><WANTechnology>Cellular</WANTechnology><ConnectivityLikelihood>High</ConnectivityLikelihood></DSPWANMatrixResponse></DSPWANMatrix>"},
		{"5.1", partialAddress("gu11aa", "Apt 2, Wey Hse"), "<CSPRegion>South</CSPRegion><CoverageAvailability>false</CoverageAvailability><AnticipatedCoverageDate>2026-12-12</AnticipatedCoverageDate>"},
		{"5.4", partialAddress("GU1 1AA", "99"), "<ResponseCode>E120101</ResponseCode>"},
		{"5.4", partialAddress("GU1 1AA", "14"), "<CSPRegion>South</CSPRegion><CSPRegionResponseCode>E120102</CSPRegionResponseCode>"},
		{"5.1", partialAddress("GU1 1AA", ""), "<ResponseCode>E120103</ResponseCode>"},
	} {
		r, text := postXML(s, wanMatrixBody(c.version, c.inside))
		if r.StatusCode() != 200 || string(r.Header.ContentType()) != typeXML || header(r, "Cache-Control") != "no-store" || header(r, "Coverd-Snapshot") != s.Snapshot().ID() {
			t.Errorf("%s: %d, %s", c.inside, r.StatusCode(), &r.Header)
		}
		if !strings.Contains(text, c.want) || !strings.Contains(text, "<ResponseDateTime>2026-12-01T12:00:00Z<") {
			t.Errorf("%s: %s\nwant %s", c.inside, text, c.want)
		}
	}
	if n := testutil.ToFloat64(s.wanMatrix.answers.WithLabelValues(api.NoPremisesFound)); n != 1 {
		t.Errorf("%v answers without premises", n)
	}
}

// The JSON twin says what XML has no place for.
func TestRequestWANMatrixInJSON(t *testing.T) {
	s := testServer(t, Options{})
	ask := func(inside string) api.WANMatrixAnswer {
		return postJSON[api.WANMatrixAnswer](t, s, 200, wanMatrixBody("5.4", inside))
	}
	a := ask(partialAddress("GU1 1AA", "apt 2 wey hse"))
	if a.Outcome != api.PremisesFound || a.AddressMatch.Grade != "normalised" || a.ResponseCode != "I0" || a.Premises == nil || a.Premises.UPRN.V != 990000000001 || len(a.Premises.Networks) != 2 || a.Region != "South" {
		t.Errorf("%+v", a)
	}
	if len(a.Responses) != 2 || *a.Responses[0].CoverageAvailability || !*a.Responses[1].CoverageAvailability || a.Responses[1].CSPRegion != "4G South" || a.Query.On.V.String() != "2026-12-01" {
		t.Errorf("%+v", a.Responses)
	}
	a = ask(partialAddress("GU1 1AA", ""))
	if a.Outcome != api.SeveralPremisesFound || a.ResponseCode != "E120103" || len(a.Candidates) != 5 || a.Candidates[0].AddressIdentifier != "12" || a.Candidates[0].UPRN.V != 990061391234 || a.Premises != nil || a.Estimate != nil {
		t.Errorf("%+v", a)
	}
	a = ask(partialAddress("GU1 1AA", "Flat 3, Wey House"))
	if a.Outcome != api.NoPremisesFound || a.Reason != api.AddressNotMatched || a.Candidates[0].AddressIdentifier != "Flat 2, Wey House" || a.Estimate == nil || a.NextStep == nil || a.NextStep.Body.Latitude.IsZero() {
		t.Errorf("%+v", a)
	}
	if a = ask(partialAddress("GU1 1AB", "1")); a.Reason != api.PostcodeNotInExtracts || a.Estimate.Basis != index.EstimateArea || a.Responses[0].CoverageAvailability != nil {
		t.Errorf("%+v", a)
	}
	for inside, reason := range map[string]string{
		"<UPRN>1</UPRN>":               api.UnknownUPRN,
		partialAddress("ZE1 0AA", "1"): api.UnknownPostcode,
		partialAddress("BT1 1AA", "1"): api.OutOfArea,
		partialAddress("GU1 1AD", "1"): api.PostcodeTerminated,
		partialAddress("GU1 9ZZ", "1"): api.PostcodeNotInRegister,
	} {
		if a := ask(inside); a.Outcome != api.NoPremisesFound || a.Reason != reason || a.ResponseCode != "E120101" || len(a.Responses) != 1 {
			t.Errorf("%s: %+v", inside, a)
		}
	}
	p := postJSON[api.Problem](t, s, 400, wanMatrixBody("5.4", "<UPRN>x</UPRN>"))
	if p.Code != api.MalformedWANMatrix || p.Parameter != "UPRN" || !strings.Contains(p.Detail, "line 1, column ") || p.Hint == "" {
		t.Errorf("%+v", p)
	}
}

// A long answer is compressed for who asks for it, as any other.
func TestRequestWANMatrixIsCompressed(t *testing.T) {
	s := testServer(t, Options{})
	body := wanMatrixBody("5.4", partialAddress("GU1 1AA", "apt 2 wey hse"))
	_, plain := postXML(s, body, "Accept", "application/json")
	r, _ := postXML(s, body, "Accept", "application/json", "Accept-Encoding", "gzip")
	got, err := r.BodyGunzip()
	if err != nil || string(got) != plain || header(r, "Content-Encoding") != "gzip" || header(r, "Cache-Control") != "no-store" {
		t.Errorf("%v: %s\n%s\nwant %s", err, &r.Header, got, plain)
	}
}

func TestRequestWANMatrixRefuses(t *testing.T) {
	s := testServer(t, Options{})
	for body, code := range map[string]string{
		"":                            duis.NotXML,
		"<a>":                         duis.UnexpectedContent,
		"<!DOCTYPE a>":                duis.ForbiddenXML,
		wanMatrixBody("5.2", ""):      duis.UnsupportedVersion,
		wanMatrixBody("5.4", ""):      duis.MissingContent,
		strings.Repeat("<a/>", 5_000): duis.TooMuch,
		wanMatrixBody("5.4", partialAddress("GU1 1A", "1")): duis.MalformedValue,
	} {
		r, text := postXML(s, body)
		var fault struct {
			XMLName            xml.Name
			Code, Detail, Hint string
			Line, Column       int
		}
		if err := xml.Unmarshal([]byte(text), &fault); err != nil {
			t.Fatal(err)
		}
		if r.StatusCode() != 400 || string(r.Header.ContentType()) != typeXML || header(r, "Cache-Control") != "no-store" || fault.XMLName.Local != "Fault" || fault.Code != code || fault.Detail == "" || fault.Hint == "" || fault.Line != 1 {
			t.Errorf("%.40q: %d, %+v", body, r.StatusCode(), fault)
		}
	}
	good := wanMatrixBody("5.4", "<UPRN>990061391234</UPRN>")
	if r, text := postXML(s, good, "Content-Type", "text/xml; charset=ISO-8859-1"); r.StatusCode() != 400 || !strings.Contains(text, "ISO-8859-1") {
		t.Errorf("%d %s", r.StatusCode(), text)
	}
	if r, text := postXML(s, good, "Content-Type", `text/xml; charset="utf-8"`); r.StatusCode() != 200 {
		t.Errorf("%d %s", r.StatusCode(), text)
	}
	r := ask(s, "GET", "/v1/request-wan-matrix")
	if r.StatusCode() != 405 || header(r, "Allow") != "POST" {
		t.Errorf("GET: %d, %s", r.StatusCode(), &r.Header)
	}
}

func TestPrefersJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/xml": false, "text/html, */*": false, "application/json": true, "application/json, */*": true, "application/JSON; charset=utf-8": true,
		"application/json;q=0.5, application/xml": false, "application/xml;q=0.5, application/json": true, "application/xml, application/json": false, "application/json;q=0": false,
		"application/json; v=1; q=0.4, text/xml;q=0.3": true,
	} {
		if got := prefersJSON([]byte(accept)); got != want {
			t.Errorf("%q: %v", accept, got)
		}
	}
}

// What is too long is cut off, counted each time, and logged once in a while.
func TestCutTextsAreCountedAndLogged(t *testing.T) {
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{AsOf: testDay, CSPs: []string{"Telefonica"}, Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b.Add([]index.Row{{UPRN: 1, At: at(51.2453, -0.5822), Line: 2, Claim: b.Claim(testClaim(func(c *index.Claim) { c.Info = strings.Repeat("ŷ", 251) }))}})
	snap, err := frozen(b)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	now := noon
	s, err := New(snap, Options{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, text := postXML(s, wanMatrixBody("5.1", "<UPRN>1</UPRN>")); !strings.Contains(text, ">"+strings.Repeat("ŷ", 250)+"<") {
			t.Error(text)
		}
	}
	if n := testutil.ToFloat64(s.wanMatrix.cut.WithLabelValues("AdditionalInformation")); n != 3 {
		t.Errorf("%v counted", n)
	}
	if n := strings.Count(log.String(), "cut off"); n != 1 || !strings.Contains(log.String(), "characters=251 most=250") {
		t.Errorf("%d logged: %s", n, log.String())
	}
	now = now.Add(time.Hour)
	postXML(s, wanMatrixBody("5.1", "<UPRN>1</UPRN>"))
	if n := strings.Count(log.String(), "cut off"); n != 2 {
		t.Errorf("%d logged", n)
	}
}

func TestCodesAreConfigurable(t *testing.T) {
	codes := duis.DefaultCodes()
	codes.NoPremises = duis.Code{Code: "X9", Text: "Nobody there"}
	s := testServer(t, Options{WANMatrixCodes: &codes})
	if _, text := postXML(s, wanMatrixBody("5.4", "<UPRN>1</UPRN>")); !strings.Contains(text, "<ResponseCode>X9</ResponseCode><ResponseText>Nobody there</ResponseText>") {
		t.Error(text)
	}
	codes.NoData.Code = "X9"
	if _, err := New(s.Snapshot(), Options{WANMatrixCodes: &codes}); err == nil {
		t.Error("two outcomes with one code")
	}
}

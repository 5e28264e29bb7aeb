package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"
	"pgregory.net/rapid"

	"coverd/server/api"
	"coverd/server/receipts"
)

var updateReceipts = flag.Bool("receipts.update", false, "rewrite the golden statements")

var regexpDigest = regexp.MustCompile(`"answer_sha256":"[0-9a-f]{64}"`)

// signing is a test's server that gives receipts, at a time that the test sets.
func signing(t testing.TB, now *time.Time, o Options) (*Server, *receipts.Signer) {
	t.Helper()
	signer, err := receipts.Open(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	o.Receipts, o.Now = signer, func() time.Time { return *now }
	return testServer(t, o), signer
}

// askReceipt asks with receipt=1, and returns the receipt, which must be good
// and of the answer, and the answer without it.
func askReceipt(t *testing.T, s *Server, uri string) (statement receipts.Statement, compact string, answer []byte) {
	t.Helper()
	joint := "?"
	if strings.Contains(uri, "?") {
		joint = "&"
	}
	status, _, body := s.Answer("GET", uri+joint+"receipt=1")
	answer, compact, ok := receipts.Detach(body)
	if status != 200 || !ok {
		t.Fatalf("GET %s: %d %s", uri, status, body)
	}
	v := receipts.Judge(s.receipts.Keys(), body, nil)
	if !v.Valid || v.Answer != receipts.AnswerMatches {
		t.Fatalf("GET %s: %+v", uri, v)
	}
	return *v.Statement, compact, answer
}

// receiptQuestions are questions that a receipt is given of, one of each kind of
// answer.
var receiptQuestions = []string{
	"/v1/premises/990000000001?on=2026-11-22",
	"/v1/premises/000990061391234",
	"/v1/premises/990000000001?network=4g%20south",
	"/v1/premises/990000000007",
	"/v1/postcodes/gu1%201aa",
	"/v1/postcodes/GU11AA?address=flat+2%2C+wey+house",
	"/v1/postcodes/GU11AA?address=99+%26+more",
	"/v1/postcodes/GU1%203AA?on=2027-01-01",
	"/v1/postcodes/GU1%201AB",
	"/v1/postcodes/GU1%201AD",
	"/v1/postcodes/GU1%201ZZ",
	"/v1/locations?latitude=51.24937&longitude=-0.549301",
	"/v1/locations?easting=499049.5&northing=150522.5&limit=2&radius=100",
	"/v1/locations?grid_reference=su9904950522",
	"/v1/locations?latitude=56&longitude=-4",
	"/v1/outcodes/gu1",
	"/v1/outcodes/gu2?limit=1",
	"/v1/sectors/gu11?after=GU1+1AB&limit=1",
}

// What a receipt says of each kind of answer, and that the answer beside it is
// byte for byte the one without.
func TestReceiptsStateTheAnswer(t *testing.T) {
	now := noon
	s, signer := signing(t, &now, Options{})
	var text bytes.Buffer
	for _, uri := range receiptQuestions {
		statement, _, answer := askReceipt(t, s, uri)
		if _, _, plain := s.Answer("GET", uri); !bytes.Equal(answer, plain) {
			t.Errorf("GET %s: without its receipt it is\n%s\nand not\n%s", uri, answer, plain)
		}
		if statement.Issuer != "test" || statement.IssuedAt != noon.Unix() || statement.Snapshot != s.Snapshot().ID() || !signer.Signs(statement.Key) {
			t.Errorf("GET %s: %+v", uri, statement)
		}
		// The question in its shortest spelling is the same question.
		question := strings.TrimPrefix(statement.Question, "GET ")
		again, _, _ := askReceipt(t, s, question)
		if again.Question != statement.Question {
			t.Errorf("%s becomes %s", statement.Question, again.Question)
		}
		statement.Snapshot = "…"
		text.WriteString(uri + "\n  " + string(regexpDigest.ReplaceAll(encode(statement), []byte(`"answer_sha256":"…"`))) + "\n") // it has the snapshot's ID in it
	}
	golden := "testdata/receipts.golden"
	if *updateReceipts {
		if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// An answer with a receipt is kept by no cache, and is not what If-None-Match
// asks for; compressed it is the same.
func TestReceiptsAreNotCached(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	var ctx fasthttp.RequestCtx
	ask := func(uri string, header ...string) *fasthttp.Response {
		ctx.ResetUserValues()
		ctx.Request.Reset()
		ctx.Response.Reset()
		ctx.Request.SetRequestURI(uri)
		for i := 0; i < len(header); i += 2 {
			ctx.Request.Header.Set(header[i], header[i+1])
		}
		s.AnswerTo(&ctx)
		return &ctx.Response
	}
	const uri = "/v1/postcodes/GU1%201AA"
	plain := string(ask(uri).Header.Peek("Etag"))
	if plain == "" {
		t.Fatal("no ETag")
	}
	r := ask(uri+"?receipt=1", "If-None-Match", plain+", *")
	if h := &r.Header; r.StatusCode() != 200 || string(h.Peek("Cache-Control")) != "no-store" || len(h.Peek("Etag")) != 0 || len(h.Peek("Coverd-Snapshot")) != 32 {
		t.Errorf("%d %s", r.StatusCode(), h)
	}
	body := bytes.Clone(r.Body())
	r = ask(uri+"?receipt=1", "Accept-Encoding", "gzip")
	unpacked, err := r.BodyGunzip()
	if err != nil || string(r.Header.Peek("Content-Encoding")) != "gzip" || !bytes.Equal(unpacked, body) {
		t.Errorf("%v, %s: %s", err, &r.Header, unpacked)
	}
	if again := string(ask(uri).Header.Peek("Etag")); again != plain {
		t.Errorf("the ETag has become %s, after %s", again, plain)
	}
}

func TestReceiptRefusals(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	for _, value := range []string{"", "0", "2", "true", "1%20"} {
		problem(t, s, "/v1/postcodes/GU11AA?receipt="+value, api.MalformedParameter)
	}
	problem(t, s, "/v1/regions?receipt=1", api.UnknownParameter)
	problem(t, s, "/v1/receipts/verify", api.MethodNotAllowed)
	problem(t, s, "/v1/receipts/other", api.UnknownPath)
	// What is no answer has no receipt.
	problem(t, s, "/v1/postcodes/ZE1%201AA?receipt=1", api.UnknownPostcode)

	none := testServer(t, Options{})
	for _, uri := range []string{"/v1/postcodes/GU11AA?receipt=1", keysPath, "/v1/install-and-leave?uprn=990000000001&installation_date=2026-12-24&cut_off=2028-01-01&receipt=x"} {
		if p := problem(t, none, uri, api.ReceiptsNotGiven); !strings.Contains(p.Hint, "--receipt-keys") {
			t.Errorf("%s: %+v", uri, p)
		}
	}
}

// verify posts to the endpoint.
func verify(t *testing.T, s *Server, body string) (v receipts.Verdict) {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.SetRequestURI("/v1/receipts/verify")
	ctx.Request.SetBodyString(body)
	s.AnswerTo(&ctx)
	if ctx.Response.StatusCode() != 200 || string(ctx.Response.Header.Peek("Cache-Control")) != "no-store" {
		t.Fatalf("%s", &ctx.Response)
	}
	if err := json.Unmarshal(ctx.Response.Body(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyEndpoint(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	_, compact, _ := askReceipt(t, s, "/v1/premises/990000000001")
	_, _, whole := s.Answer("GET", "/v1/premises/990000000001?receipt=1")
	other, _ := signing(t, &now, Options{})
	_, foreign, _ := askReceipt(t, other, "/v1/premises/990000000001")
	at := len(compact) - 50 // in the signature
	other50 := map[bool]string{true: "B", false: "A"}[compact[at] == 'A']
	for _, c := range []struct {
		name, body, reason, answer string
	}{
		{"a receipt", compact, "", receipts.AnswerNotGiven},
		{"a receipt with a line end", compact + "\r\n", "", receipts.AnswerNotGiven},
		{"an answer", string(whole), "", receipts.AnswerMatches},
		{"an altered answer", strings.Replace(string(whole), "planned", "availab", 1), receipts.ReasonAnswer, ""},
		{"an answer in other words", strings.Replace(string(whole), ",", ", ", 1), receipts.ReasonAnswer, ""},
		{"an altered receipt", compact[:at] + other50 + compact[at+1:], receipts.ReasonSignature, ""},
		{"another's", foreign, receipts.ReasonUnknownKey, ""},
		{"an answer without one", `{"outcome":"premises_found"}`, receipts.ReasonMalformed, ""},
		{"nothing", "", receipts.ReasonMalformed, ""},
	} {
		v := verify(t, s, c.body)
		if v.Valid != (c.reason == "") || v.Reason != c.reason || v.Answer != c.answer || v.Valid && v.Statement == nil {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// A server notices a rotation by itself: the next receipt is signed with the new
// key, and all that were given before stay good, by what it publishes.
func TestServerRotates(t *testing.T) {
	dir := t.TempDir()
	signer, err := receipts.Open(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	s := testServer(t, Options{Receipts: signer})
	var all []string
	for range 3 {
		_, compact, _ := askReceipt(t, s, "/v1/premises/990000000001")
		all = append(all, compact)
		if _, err := receipts.Rotate(dir); err != nil {
			t.Fatal(err)
		}
	}
	_, contentType, document := s.Answer("GET", keysPath)
	keys, err := receipts.ParseKeySet(document)
	if err != nil || contentType != typeKeySet {
		t.Fatal(contentType, err)
	}
	if n := len(keys.Names()); n != 4 {
		t.Errorf("%d keys are published", n)
	}
	for i, compact := range all {
		if _, err := receipts.Verify(keys, compact); err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
		if v := verify(t, s, compact); !v.Valid {
			t.Errorf("receipt %d: %+v", i, v)
		}
	}
}

// The day of a receipt is London's.
func TestReceiptsKnowTheDayInLondon(t *testing.T) {
	now := time.Date(2027, 6, 30, 23, 30, 0, 0, time.UTC) // half past midnight there
	s, _ := signing(t, &now, Options{})
	statement, _, _ := askReceipt(t, s, "/v1/premises/990000000001")
	if statement.Known.String() != "2027-07-01" || statement.On != statement.Known || !statement.Time().Equal(now) {
		t.Errorf("%+v", statement)
	}
}

// A receipt of an answer about what was known on a day before says so, and
// counts for nothing that is to be ascertained now.
func TestReceiptsOfThePast(t *testing.T) {
	nights := nightsInARow(t)
	signer, err := receipts.Open(t.TempDir(), "test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(nights[2], Options{Now: func() time.Time { return noon }, Receipts: signer})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 41 {
		for _, uri := range []string{
			fmt.Sprintf("/v1/premises/%d?known=2026-11-22&on=2026-12-10", 990000000000+i),
			fmt.Sprintf("/v1/postcodes/GU11AA?address=%d&known=2026-11-22&on=2026-12-10", i),
		} {
			if status, _, _ := s.Answer("GET", uri); status != 200 {
				continue
			}
			got, compact, _ := askReceipt(t, s, uri)
			then, err := New(nights[0], Options{Now: func() time.Time { return noon }, Receipts: signer})
			if err != nil {
				t.Fatal(err)
			}
			want, _, _ := askReceipt(t, then, uri)
			if got.Outcome == api.NoPremisesFound { // of the past nothing is estimated
				want.Indicated, want.Basis, want.Estimate = receipts.Indicated{}, receipts.BasisNone, false
			}
			if got.Indicated != want.Indicated || got.Basis != want.Basis || got.Estimate != want.Estimate || got.Known != testDay || asText(got.Place) != asText(want.Place) {
				t.Errorf("GET %s:\n%+v\n%+v", uri, got, want)
			}
			if got.Place.UPRN.V == 0 || got.Outcome != api.PremisesFound {
				continue
			}
			a := install(t, s, fmt.Sprintf("uprn=%d%s&applicable_date=2026-12-10&receipt=%s", got.Place.UPRN.V, usualDays, compact))
			if a.Checks[0].Counts || !strings.Contains(a.Checks[0].Text, "as it was on 22 November 2026") {
				t.Errorf("%+v", a.Checks)
			}
		}
	}
	if s, _, _ := askReceipt(t, s, "/v1/postcodes/GU11AA?known=2026-11-22"); s.State != "" || s.Summary.Premises < 2 || !strings.Contains(s.Question, "known=2026-11-22") {
		t.Errorf("%+v", s)
	}
}

func asText(v any) string { return string(encode(v)) }

// Whatever address is asked for, the receipt states it and is good.
func TestReceiptsOfAnyAddress(t *testing.T) {
	now := noon
	s, _ := signing(t, &now, Options{})
	ask := func(t interface {
		Fatalf(format string, args ...any)
	}, address string,
	) {
		uri := "/v1/postcodes/GU11AA?receipt=1&address=" + url.QueryEscape(address)
		status, _, body := s.Answer("GET", uri)
		v := receipts.Judge(s.receipts.Keys(), body, nil)
		if status != 200 || !v.Valid || v.Answer != receipts.AnswerMatches {
			t.Fatalf("%q: %d, %+v", address, status, v)
		}
		_, query, _ := strings.Cut(v.Statement.Question, "?")
		if values, err := url.ParseQuery(query); err != nil || values.Get("address") != address {
			t.Fatalf("%q became %q, %v", address, values.Get("address"), err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ask(t, rapid.OneOf(rapid.String(), rapid.Just(`,"receipt":"x"}`), rapid.Just("\xff\xfe")).Filter(func(s string) bool { return strings.TrimSpace(s) != "" }).Draw(t, "address"))
	})
	ask(t, "a"+strings.Repeat("\u2028", 850)+"z") // which takes nine bytes in a path, and six in JSON
}

package receipts

import (
	"strings"
	"testing"
	"time"

	"coverd/server/api"
)

// requestAnswer is a service request with its answer and receipt, as it is sent.
func requestAnswer(t *testing.T, s *Signer) (whole, answer string) {
	t.Helper()
	a := api.LocationAnswer{
		Query:    api.LocationQuery{Latitude: 51.24937, Longitude: -0.549301, Easting: api.NoNumber(), Northing: api.NoNumber(), On: api.Some(day("2026-12-24")), Limit: 10, Radius: 50000},
		Outcome:  api.LocationResolved,
		Location: api.Location{Latitude: 51.24937, Longitude: -0.549301, Easting: 501344, Northing: 151022, GridReference: "TQ 01344 51022"},
		Region:   api.Region{Name: "South", Basis: "boundary", BorderDistance: -1},
		Coverage: api.Estimate{State: "available", Basis: "coverage_area", Confidence: 0.9, Premises: 10, Distance: 31.3},
		Areas: []api.Area{
			{CSP: "Telefonica", NetworkRegion: "SMETS1", State: "available"},
			{CSP: "Telefonica", NetworkRegion: "South", State: "planned", From: api.Some(day("2027-02-15")), CoverageEndDate: api.Some(day("2033-12-31"))},
			{CSP: "Telefonica", NetworkRegion: "South", State: "available"}, // the larger one
			{CSP: "DCC", NetworkRegion: "Central", State: "available", WANTechnology: "VWAN"},
			{CSP: "Vodafone", NetworkRegion: "4G South", State: "unavailable"},
		},
		Snapshot: api.SnapshotRef{ID: "3d45cfe4578f4dc5b9a6b54a6f3d0c37", AsOf: api.Some(day("2026-11-22")), AgeDays: 9},
	}
	answer = string(a.AppendJSON(nil))
	compact, err := s.SignRequest(`POST /v1/service-requests {"latitude":51.24937,"longitude":-0.549301}`, []byte(answer), a.Snapshot.ID, time.Date(2026, 12, 1, 9, 0, 0, 500, time.UTC), nil)
	if err != nil {
		t.Fatal(err)
	}
	return `{"reference":"SR-1","answer":` + answer + `,"snapshot":{"id":"x"},"receipt":"` + compact + `"}`, answer
}

// The receipt of a service request is of its member `answer`, and verifies beside
// the whole of it too.
func TestReceiptOfAServiceRequest(t *testing.T) {
	s := open(t, t.TempDir())
	whole, answer := requestAnswer(t, s)
	v := Judge(s.Keys(), []byte(whole), nil)
	if !v.Valid || v.Answer != AnswerMatches {
		t.Fatalf("%+v", v)
	}
	st := v.Statement
	if !st.Estimate || st.Basis != "coverage_area" || st.State != "available" || st.Region != "South" || st.On != day("2026-12-24") || st.Known != day("2026-12-01") ||
		st.Area == nil || *st.Area != (Indicated{State: "planned", From: day("2027-02-15"), Until: day("2033-12-31")}) || st.IssuedAt != 1796115600 {
		t.Errorf("%s", asJSON(t, st))
	}
	_, compact, _ := Detach([]byte(whole))
	for _, beside := range []string{answer, whole} {
		if v := Judge(s.Keys(), []byte(compact), []byte(beside)); !v.Valid || v.Answer != AnswerMatches {
			t.Errorf("beside %s: %+v", beside, v)
		}
	}
	if v := Judge(s.Keys(), []byte(strings.Replace(whole, `"South"`, `"North"`, 1)), nil); v.Valid || v.Reason != ReasonAnswer {
		t.Errorf("%+v", v)
	}
	for question, answer := range map[string]string{"GET /v1/locations": answer, "POST /v1/service-requests": "nonsense"} {
		if _, err := s.SignRequest(question, []byte(answer), "x", time.Unix(0, 0), nil); err == nil {
			t.Errorf("%s is signed with %s", question, answer)
		}
	}
}

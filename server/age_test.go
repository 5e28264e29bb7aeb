package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// ageSaid is what an answer says of its snapshot, or /v1/snapshot of itself.
type ageSaid struct {
	ID      string `json:"id"`
	AgeDays *int   `json:"age_days"`
	Stale   *bool  `json:"stale"`
}

func saidOf(t *testing.T, uri string, body []byte) ageSaid {
	t.Helper()
	var a struct {
		ageSaid
		Snapshot *ageSaid `json:"snapshot"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("GET %s: %v", uri, err)
	}
	if a.Snapshot != nil {
		return *a.Snapshot
	}
	return a.ageSaid
}

// Every answer, problems included, says how many days old its data is in
// London, and that it is stale when it is.
func TestEveryAnswerTellsItsAge(t *testing.T) {
	now := noon
	s := testServer(t, Options{Now: func() time.Time { return now }, MaxDataAge: 36 * time.Hour})
	begin := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) // in London too
	for _, c := range []struct {
		after time.Duration
		days  int
		stale bool
	}{
		{-26 * time.Hour, 0, false},
		{0, 0, false},
		{24*time.Hour - 1, 0, false},
		{24 * time.Hour, 1, false},
		{36 * time.Hour, 1, false},
		{36*time.Hour + 1, 1, true},
		{49 * time.Hour, 2, true},
	} {
		now = begin.Add(c.after)
		for _, uri := range append(slices.Clone(questions), "/v1/outcodes/GU1") { // the last is kept from before
			if strings.HasPrefix(uri, "/v1/regions") {
				continue
			}
			_, _, body := s.Answer("GET", uri)
			said := saidOf(t, uri, body)
			if said.AgeDays == nil || *said.AgeDays != c.days || (said.Stale != nil) != c.stale || said.ID != s.Snapshot().ID() {
				t.Errorf("%v after its day began, GET %s: %s; want %d days, stale %v", c.after, uri, body, c.days, c.stale)
			}
		}
	}
}

// One ETag never names two bodies, whatever the day it is asked on and about.
func TestETagFollowsTheAge(t *testing.T) {
	now := noon
	s := testServer(t, Options{Now: func() time.Time { return now }, MaxDataAge: 9*24*time.Hour + 12*time.Hour})
	bodies := map[string][]byte{}
	tags := map[string]bool{}
	for _, at := range []time.Duration{-48 * time.Hour, -24 * time.Hour, -1, 0, 1, 24 * time.Hour, 48 * time.Hour} {
		now = noon.Add(at)
		for _, uri := range []string{"/v1/postcodes/GU11AA?on=2026-12-01", "/v1/outcodes/GU1?on=2026-12-01", "/v1/postcodes/GU11AA", "/v1/outcodes/GU1", "/v1/snapshot"} {
			r := ask(s, "GET", uri)
			tag := header(r, "ETag")
			key := strings.TrimSuffix(uri, "?on=2026-12-01") + tag
			tags[key] = true
			if before, ok := bodies[key]; ok && !bytes.Equal(before, r.Body()) {
				t.Errorf("GET %s: %s names two bodies:\n%s\n%s", uri, tag, before, r.Body())
			}
			bodies[key] = bytes.Clone(r.Body())
		}
	}
	// With on: five days and staleness within one; without, likewise, of which
	// that day itself is the same question.
	if len(tags) != 3*6+2*4 {
		t.Errorf("%d different ETags: %v", len(tags), tags)
	}
}

// An answer is not kept past the moment at which its data is stale.
func TestCachesDoNotOutlastTheAge(t *testing.T) {
	now := noon
	s := testServer(t, Options{Now: func() time.Time { return now }, MaxDataAge: 9*24*time.Hour + 12*time.Hour})
	for _, c := range []struct {
		before time.Duration
		want   string
	}{{time.Hour, "max-age=300"}, {90 * time.Second, "max-age=90"}, {0, "max-age=0"}, {-time.Second, "max-age=300"}} {
		now = noon.Add(-c.before)
		if got := header(ask(s, "GET", "/v1/snapshot"), "Cache-Control"); got != c.want {
			t.Errorf("%v before: %s, want %s", c.before, got, c.want)
		}
	}
}

// Old data makes a server not ready, and it answers all the same.
func TestReadinessFollowsTheAge(t *testing.T) {
	now := noon
	s := testServer(t, Options{Now: func() time.Time { return now }, MaxDataAge: 72 * time.Hour})
	ready := func(path string) (int, string) {
		w := httptest.NewRecorder()
		s.adminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	if code, said := ready("/readyz"); code != 200 || said != "ready\n" {
		t.Errorf("after 72 h: %d %s", code, said)
	}
	if code, said := ready("/readyz?verbose"); code != 200 || !strings.Contains(said, "as of 2026-11-22, 3 days old\n[+] answering\n") {
		t.Errorf("after 72 h: %d %s", code, said)
	}
	now = now.Add(5 * time.Minute)
	for _, path := range []string{"/readyz", "/readyz?verbose"} {
		if code, said := ready(path); code != 503 || !strings.Contains(said, "the data is older than 72h0m0s: it is of 2026-11-22") {
			t.Errorf("GET %s: %d %s", path, code, said)
		}
	}
	if status, _, _ := s.Answer("GET", "/v1/postcodes/GU11AA"); status != 200 {
		t.Errorf("a question: %d", status)
	}
}

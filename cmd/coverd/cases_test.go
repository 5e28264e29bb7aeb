package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"coverd/fixtures"
	"coverd/index"
	"coverd/server"
	"coverd/server/api"
)

// sampleServer answers from the sample's snapshot, as the command builds it.
func sampleServer(t *testing.T) *server.Server {
	t.Helper()
	file, err := sampleSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := index.OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(snap, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// sampleTable reads a table of the sample by its columns' names.
func sampleTable(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	text, err := fs.ReadFile(fixtures.Sample(), name)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.LazyQuotes = '\t', true
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		rows = append(rows, row)
	}
	return rows
}

// caseAnswer is what cases.tsv speaks of, whichever route it came from.
type caseAnswer struct {
	Outcome, Reason, Code, State string
	Summary                      *api.Summary
	Region                       json.RawMessage // an object of a postcode, a name of a premises
	Fit                          *api.Fit
	Premises                     []api.Premises
	Estimate                     *api.Estimate
	NextStep                     *api.NextStep `json:"next_step"`
}

func (a *caseAnswer) region(t *testing.T) string {
	t.Helper()
	var name *string
	if json.Unmarshal(a.Region, &name) != nil {
		var r struct{ Name *string }
		if err := json.Unmarshal(a.Region, &r); err != nil {
			t.Fatal(err)
		}
		name = r.Name
	}
	if name == nil {
		return "null"
	}
	return *name
}

// Every row of cases.tsv, which was written by hand: the rules of identity,
// conflict, state on a day, fit, areas, Regions and absence, from the extracts
// to the answer.
func TestSampleCases(t *testing.T) {
	srv := sampleServer(t)
	rows := sampleTable(t, "cases.tsv")
	if len(rows) < 100 {
		t.Fatalf("%d cases", len(rows))
	}
	for _, c := range rows {
		t.Run(c["case"]+" "+c["key"]+" on "+c["on"], func(t *testing.T) {
			path := "/v1/postcodes/"
			if isUPRN := strings.Trim(c["key"], "0123456789") == ""; isUPRN {
				path = "/v1/premises/"
			}
			key, query, _ := strings.Cut(c["key"], "?")
			status, _, body := srv.Answer("GET", path+url.PathEscape(key)+"?on="+c["on"]+"&"+query)
			var a caseAnswer
			if err := json.Unmarshal(body, &a); err != nil {
				t.Fatal(err)
			}
			if want := c["outcome"]; status == 200 && a.Outcome != want || status != 200 && a.Code != want {
				t.Fatalf("%d: %s, want %s", status, body, want)
			}
			if a.Reason != c["reason"] {
				t.Errorf("reason %q, want %q", a.Reason, c["reason"])
			}
			if status != 200 {
				return
			}
			premises := a.Premises
			if path == "/v1/premises/" {
				premises = []api.Premises{{State: a.State, Fit: a.Fit}}
			}
			count := map[string]int{"premises": len(premises)}
			for _, p := range premises {
				count[p.State]++
			}
			for _, k := range []string{"premises", "available", "planned", "unavailable", "unknown"} {
				if want, _ := strconv.Atoi(c[k]); count[k] != want {
					t.Errorf("%d %s, want %d", count[k], k, want)
				}
			}
			if s := a.Summary; s != nil && (s.Premises != count["premises"] || s.Available != count["available"] || s.Planned != count["planned"] ||
				s.Unavailable != count["unavailable"] || s.Unknown != count["unknown"]) {
				t.Errorf("summary %+v, premises %v", s, count)
			}
			if c["region"] != "" && a.region(t) != c["region"] {
				t.Errorf("Region %s, want %s", a.region(t), c["region"])
			}
			if c["fit"] != "" {
				if len(premises) != 1 || premises[0].Fit == nil || premises[0].Fit.NetworkRegion != c["fit"] {
					t.Errorf("fit %+v, want %s", premises[0].Fit, c["fit"])
				} else if from := premises[0].Fit.From.V.String(); c["from"] != "" && from != c["from"] {
					t.Errorf("fit from %s, want %s", from, c["from"])
				}
			}
			for mark, shown := range map[string]string{"overdue": `"overdue":true`, "conflict": `"conflict":true`, "area": `"claim_source":"area"`} {
				if a.Outcome == api.PremisesFound && strings.Contains(string(body), shown) != strings.Contains(c["marks"], mark) {
					t.Errorf("%s shown: %v", mark, strings.Contains(string(body), shown))
				}
			}
			if absent := a.Outcome == api.NoPremisesFound; absent != (a.Estimate != nil) || absent != (a.NextStep != nil) {
				t.Errorf("estimate %v, next step %v", a.Estimate, a.NextStep)
			}
		})
	}
}

// Places all over Great Britain get their Region, and places off it are told
// so.
func TestSampleNeighbours(t *testing.T) {
	srv := sampleServer(t)
	for _, c := range sampleTable(t, "neighbours.tsv") {
		_, _, body := srv.Answer("GET", "/v1/locations?latitude="+c["latitude"]+"&longitude="+c["longitude"])
		var a struct {
			Code   string
			Region struct{ Name string }
		}
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		if got := a.Code + a.Region.Name; got != c["expected"] {
			t.Errorf("%s: %s, want %s", c["place"], got, c["expected"])
		}
	}
}

package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// explainable lists a question of every kind.
func explainable(t *testing.T) (uris []string) {
	t.Helper()
	snap, err := testSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	for u := range snap.AllPostcodes() {
		uris = append(uris, "/v1/postcodes/"+strings.ReplaceAll(u.Postcode().String(), " ", ""))
	}
	for p := range snap.AllPremises() {
		uris = append(uris, "/v1/premises/"+p.UPRN().String())
	}
	return append(uris,
		"/v1/postcodes/GU19ZZ", "/v1/postcodes/GU12ZZ", "/v1/postcodes/GU11AA?address=12", "/v1/postcodes/GU11AA?address=99", "/v1/postcodes/GU11AA?network=4G%20South",
		"/v1/premises/990000000001?network=South",
		"/v1/outcodes/GU1", "/v1/outcodes/GU2", "/v1/outcodes/CH4", "/v1/sectors/GU11", "/v1/sectors/GU24",
		"/v1/locations?latitude=51.249370&longitude=-0.549301", "/v1/locations?latitude=51.2&longitude=-0.6", "/v1/locations?latitude=54&longitude=-4.9")
}

// answered is what explanations are held to, of any answer.
type answered struct {
	Outcome     string          `json:"outcome"`
	Reason      string          `json:"reason"`
	State       string          `json:"state"` // of a premises
	Region      json.RawMessage `json:"region"`
	Fit         *api.Fit        `json:"fit"`
	Networks    []api.Network   `json:"networks"`
	Conflict    bool            `json:"conflict"`
	Summary     *api.Summary    `json:"summary"`
	Premises    []api.Premises  `json:"premises"`
	Estimate    *api.Estimate   `json:"estimate"`
	Coverage    *api.Estimate   `json:"coverage"`
	Areas       []api.Area      `json:"areas"`
	Postcode    *api.Postcode   `json:"postcode"`
	Explanation *api.Explanation
}

// TestExplanationIsOfTheAnswer: an answer is the same with an explanation and
// without, and the explanation's facts are the answer's.
func TestExplanationIsOfTheAnswer(t *testing.T) {
	s := testServer(t, Options{})
	for _, uri := range explainable(t) {
		for _, on := range []string{"", "2026-11-01", "2026-12-12", "2027-06-01"} {
			asked, sep := uri, "?"
			if strings.Contains(asked, "?") {
				sep = "&"
			}
			if on != "" {
				asked, sep = asked+sep+"on="+on, "&"
			}
			plain := get[map[string]json.RawMessage](t, s, asked, 200)
			told := get[map[string]json.RawMessage](t, s, asked+sep+"explain=1", 200)
			if len(told["explanation"]) == 0 || len(plain["explanation"]) != 0 {
				t.Fatalf("GET %s: the explanation is in the wrong answer", asked)
			}
			delete(told, "explanation")
			if d := cmp.Diff(plain, told); d != "" {
				t.Errorf("GET %s: explained, the answer is another: %s", asked, d)
			}
			_, _, body := s.Answer("GET", asked+sep+"explain=true")
			var a answered
			if err := json.Unmarshal(body, &a); err != nil {
				t.Fatal(err)
			}
			checkExplanation(t, asked, &a)
		}
	}
}

func checkExplanation(t *testing.T, uri string, a *answered) {
	t.Helper()
	e := a.Explanation
	fail := func(what string, got, want any) {
		t.Helper()
		t.Errorf("GET %s: the explanation's %s is %v, the answer's %v", uri, what, got, want)
	}
	if e.Outcome != a.Outcome || string(e.Reason) != a.Reason {
		fail("outcome", e.Outcome, a.Outcome)
	}
	if len(e.Sentences) < 2 {
		t.Errorf("GET %s: %d sentences", uri, len(e.Sentences))
	}
	for _, s := range e.Sentences {
		if strings.Contains(s, "%!") || strings.Contains(s, "  ") || !strings.HasSuffix(s, ".") {
			t.Errorf("GET %s: a bad sentence: %s", uri, s)
		}
	}
	if a.Summary != nil && e.Summary != *a.Summary {
		fail("summary", e.Summary, a.Summary)
	}
	if estimate := a.Estimate; estimate != nil || a.Coverage != nil {
		if estimate == nil {
			estimate = a.Coverage
		}
		if got := e.Estimate; got == nil || got.State != estimate.State || got.Basis != estimate.Basis || got.Premises != estimate.Premises ||
			got.Distance != estimate.Distance || len(got.Networks) != len(estimate.Networks) || cmp.Diff(got.Fit, estimate.Fit) != "" {
			fail("estimate", e.Estimate, *estimate)
		}
	} else if e.Estimate != nil {
		fail("estimate", e.Estimate, nil)
	}
	if a.Coverage != nil && len(e.Areas) != len(a.Areas) {
		fail("areas", e.Areas, a.Areas)
	}
	if (a.Postcode == nil) != (e.Register == nil) || a.Postcode != nil && e.Register.Status != a.Postcode.Status {
		fail("register", e.Register, a.Postcode)
	}

	// Each premises must be told by one of the groups.
	list := a.Premises
	if e.Kind == "premises" {
		var region api.Text
		if err := json.Unmarshal(a.Region, &region); err != nil {
			t.Fatal(err)
		}
		if e.Region.Name != region {
			fail("Region", e.Region, region)
		}
		list = []api.Premises{{State: a.State, Fit: a.Fit, Networks: a.Networks, Conflict: a.Conflict, Region: region}}
	}
	var groups []string
	left := map[string]int{}
	for i := range e.Premises {
		k := digestFacts(&e.Premises[i])
		groups = append(groups, k)
		left[k] += e.Premises[i].Premises
	}
	for i := range list {
		k := digestPremises(&list[i])
		if left[k]--; left[k] < 0 {
			t.Errorf("GET %s: no group tells of %s; there are %v", uri, k, groups)
		}
	}
	for k, n := range left {
		if n > 0 {
			t.Errorf("GET %s: %d premises too many as %s", uri, n, k)
		}
	}
}

// digestFacts and digestPremises write what both tell of premises.
func digestFacts(p *api.PremisesFacts) string {
	text := []string{p.State, string(p.Region.Name), "no fit"}
	if p.Conflict {
		text[0] += " conflict"
	}
	for i := range p.Claims {
		c := &p.Claims[i]
		if c.Place == 1 {
			text[2] = c.NetworkRegion + " " + string(c.WANVariant) + " " + string(c.AuxiliaryEquipment)
		}
	}
	for n := index.NetworkNorth; int(n) < index.Networks; n++ { // in the answer's order
		for _, c := range p.Claims {
			if c.NetworkRegion == n.String() {
				text = append(text, c.NetworkRegion+" "+c.CSP+" "+c.State+" "+string(c.WANVariant)+" "+strings.TrimPrefix(c.ClaimSource, "own"))
			}
		}
	}
	return strings.Join(text, "|")
}

func digestPremises(p *api.Premises) string {
	text := []string{p.State, string(p.Region), "no fit"}
	if p.Conflict {
		text[0] += " conflict"
	}
	if p.Fit != nil {
		text[2] = p.Fit.NetworkRegion + " " + string(p.Fit.WANVariant) + " " + string(p.Fit.AuxiliaryEquipment)
	}
	for _, n := range p.Networks {
		text = append(text, n.NetworkRegion+" "+n.CSP+" "+n.State+" "+string(n.WANVariant)+" "+n.ClaimSource)
	}
	return strings.Join(text, "|")
}

// TestExplainIsAsked: it is 1 or 0, and nothing else.
func TestExplainIsAsked(t *testing.T) {
	s := testServer(t, Options{})
	for _, uri := range []string{"/v1/outcodes/GU1?explain=0", "/v1/premises/990061391234?explain=false"} {
		if a := get[map[string]json.RawMessage](t, s, uri, 200); len(a["explanation"]) != 0 {
			t.Errorf("GET %s: explained", uri)
		}
	}
	for _, value := range []string{"", "yes", "2"} {
		if p := problem(t, s, "/v1/postcodes/GU11AA?explain="+value, api.MalformedParameter); p.Parameter != "explain" {
			t.Errorf("explain=%s: %+v", value, p)
		}
	}
	problem(t, s, "/v1/regions?explain=1", api.UnknownParameter)
}

// TestTheFirstDifferenceIsWhy: of any two premises in different states, the first
// fact that differs is a claim on the network region that decides for the better
// one, on which the other has none as good; and nothing differs of one premises.
func TestTheFirstDifferenceIsWhy(t *testing.T) {
	s := testServer(t, Options{})
	order := map[string]int{"available": 1, "planned": 2, "unknown": 3, "unavailable": 4}
	var all []*api.Explanation
	for p := range s.Snapshot().AllPremises() {
		a := get[api.PremisesAnswer](t, s, "/v1/premises/"+p.UPRN().String()+"?explain=1", 200)
		all = append(all, a.Explanation)
	}
	differ := 0
	for _, a := range all {
		if c := api.Compare(a, a); len(c.Differences) != 0 {
			t.Errorf("%s differs from itself: %+v", a.Subject, c.Differences)
		}
		for _, b := range all {
			c, back := api.Compare(a, b), api.Compare(b, a)
			if len(c.Differences) != len(back.Differences) {
				t.Errorf("%s and %s: %d differences, the other way %d", a.Subject, b.Subject, len(c.Differences), len(back.Differences))
			}
			if a.State == b.State {
				continue
			}
			better, worse := a, b
			if order[string(b.State)] < order[string(a.State)] {
				better, worse = b, a
			}
			n := ""
			if len(better.Premises[0].Claims) > 0 && better.Premises[0].Claims[0].Place == 1 {
				n = better.Premises[0].Claims[0].NetworkRegion
			} else if better.State == "unknown" { // by no claim at all: the other's makes it worse
				n = worse.Premises[0].Claims[0].NetworkRegion
			}
			first := c.Differences[0]
			if first.Fact != "claims."+n && first.Fact != "claims."+n+".rule" && first.Fact != "claims."+n+".not_counted" {
				t.Errorf("%s is %s and %s is %s, and the first difference is %+v", a.Subject, a.State, b.Subject, b.State, first)
			}
			if !strings.Contains(c.Headline, string(a.State)) || !strings.Contains(c.Headline, string(b.State)) {
				t.Errorf("headline: %s", c.Headline)
			}
			differ++
		}
	}
	if differ < 20 {
		t.Errorf("only %d pairs differ", differ)
	}
}

// TestCompareSpeaksOfTheGroup: of a postcode whose premises differ no sentence
// says of all of them what is true of some.
func TestCompareSpeaksOfTheGroup(t *testing.T) {
	group := func(n int, network string) api.PremisesFacts {
		return api.PremisesFacts{Premises: n, State: "available", Claims: []api.ClaimFacts{
			{NetworkRegion: network, CSP: "Arqiva", State: "available", Rule: "covered", Place: 1, ClaimSource: api.ClaimOwn},
		}}
	}
	many := api.Explanation{
		Subject: "GU1 1AA", Outcome: api.PremisesFound, State: "available", Summary: api.Summary{Premises: 3, Available: 3},
		Premises: []api.PremisesFacts{group(2, "South"), group(1, "North")},
	}
	one := api.Explanation{
		Subject: "7", Outcome: api.PremisesFound, State: "available", Summary: api.Summary{Premises: 1, Available: 1},
		Premises: []api.PremisesFacts{group(1, "North")},
	}
	c := api.Compare(&many, &one)
	for _, d := range c.Differences {
		if !strings.Contains(d.Sentence, "2 of the 3 premises of GU1 1AA") || !strings.Contains(d.Sentence, " 7") {
			t.Errorf("%+v", d)
		}
	}
	if len(c.Differences) != 3 || c.First != "GU1 1AA" {
		t.Errorf("%+v", c)
	}
}

// Where an address was asked for, it is told how well it matched, and which others
// were passed over.
func TestExplainsTheAddress(t *testing.T) {
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{AsOf: testDay, CSPs: []string{"Telefonica"}, Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	add := func(postcode, address string) {
		rows++
		b.Add([]index.Row{{
			UPRN: geo.UPRN(rows), Postcode: mustPostcode(postcode), At: at(51.2453, -0.5822), Address: b.Address([]byte(address)),
			Claim: b.Claim(testClaim(nil)), Line: uint32(rows + 1),
		}})
	}
	for _, address := range []string{"The Mill", "Mill", "Mill.", "12", "", "13", "14", "15", "16"} {
		add("GU1 1AA", address)
	}
	for i := range maxCandidates + maxAddresses {
		add("GU1 1AB", fmt.Sprint("FLAT ", i+1))
	}
	snap, err := frozen(b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(snap, Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address string
		want    api.AddressFacts
		say     string
	}{
		{"12", api.AddressFacts{Grade: "exact", Premises: 1, Of: 9, Refused: []string{}}, `The address "12" matches 1 of the 9 premises there, exactly: `},
		{"mill", api.AddressFacts{Grade: "exact", Premises: 1, Of: 9, Refused: []string{"Mill.", "The Mill"}}, `normalised: Mill.; The Mill.`},
		{"the mill!", api.AddressFacts{Grade: "normalised", Premises: 3, Of: 9, Refused: []string{}}, `The address "the mill!" matches 3 of the 9 premises there, normalised: `},
		{"Malt Mill", api.AddressFacts{Grade: "none", Of: 9, Refused: []string{"Mill", "Mill.", "The Mill", "12", "13"}, RefusedLeftOut: 3}, ` even when normalised: Mill; Mill.; The Mill; 12; 13 and 3 more.`},
	} {
		e := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?explain=1&address="+url.QueryEscape(c.address), 200).Explanation
		if diff := cmp.Diff(&c.want, e.AddressMatch); diff != "" {
			t.Errorf("%s: %s", c.address, diff)
		}
		if !strings.Contains(strings.Join(e.Sentences, "\n"), c.say) {
			t.Errorf("%s: %q says nothing of %q", c.address, e.Sentences, c.say)
		}
	}
	if e := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?explain=1", 200).Explanation; e.AddressMatch != nil {
		t.Errorf("no address was asked for: %+v", e.AddressMatch)
	}
	e := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB?explain=1&address=nowhere", 200).Explanation
	if m := e.AddressMatch; m.Of != len(m.Refused)+m.RefusedLeftOut {
		t.Errorf("not all premises are refused: %+v", m)
	}
}

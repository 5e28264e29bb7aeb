package server

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/receipts"
	"coverd/server/requests"
)

// Who starts with another snapshot than requests were answered from answers them
// again; with the same one, it does not.
func TestServiceRequestIsAnsweredAgainAtStart(t *testing.T) {
	o := Options{Requests: requests.SQLite(filepath.Join(t.TempDir(), "requests.db"))}
	before := testServer(t, o)
	stop := startDesk(before)
	r := submitted[api.ServiceRequest](t, before, api.ServiceRequestPath, merrow, "", 201)
	stop()
	for _, c := range []struct {
		snap    *index.Snapshot
		answers int
	}{{before.Snapshot(), 1}, {snapshotWith(t), 2}} {
		s := testServer(t, o)
		s.Swap(c.snap)
		stop := startDesk(s)
		var a *api.ServiceRequest
		until(t, "an answer from "+c.snap.ID(), func() bool {
			a = r2(t, s, r.Reference)
			return a.Snapshot.ID == c.snap.ID()
		})
		if a.Answers != c.answers {
			t.Errorf("%d answers, want %d", a.Answers, c.answers)
		}
		stop()
	}
}

// snapshotWith is a snapshot of one estate, whose premises are as given.
func snapshotWith(t testing.TB, rows ...index.Row) *index.Snapshot {
	t.Helper()
	return snapshotOf(t, func(*index.Claim) {}, rows...)
}

func snapshotOf(t testing.TB, claim func(*index.Claim), rows ...index.Row) *index.Snapshot {
	t.Helper()
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{AsOf: testDay, CSPs: []string{"Telefonica"}, Tool: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b.AddPostcode(index.Entry{Postcode: mustPostcode("GU1 1AA"), At: at(51.2453, -0.5823)})
	for i, r := range append([]index.Row{{UPRN: 1, Postcode: mustPostcode("GU1 1AA"), At: at(51.2453, -0.5822)}}, rows...) {
		r.Line = uint32(i + 2)
		r.Claim = b.Claim(testClaim(claim))
		b.Add([]index.Row{r})
	}
	snap, err := frozen(b)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// The life of a request from one snapshot to the next, as the feed tells it.
func TestServiceRequestIsAnsweredAgain(t *testing.T) {
	now := clockAt(noon)
	s := keeping(t, Options{Now: now.now})
	estate := index.Row{UPRN: 7, Postcode: mustPostcode("GU1 9ZZ"), At: at(51.2455, -0.5821)}
	s.Swap(snapshotWith(t))
	r := submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, `{"latitude":51.24551,"longitude":-0.58211,"postcode":"GU1 9ZZ","installation_date":"2026-12-24"}`, "", 201)
	submitted[api.ServiceRequest](t, s, api.ServiceRequestPath, `{"latitude":51.24551,"longitude":-0.58211}`, "", 201)
	night := func(snap *index.Snapshot) *api.ServiceRequest {
		t.Helper()
		s.Swap(snap)
		var a api.ServiceRequest
		until(t, "an answer from "+snap.ID(), func() bool {
			a = get[api.ServiceRequest](t, s, "/v1/service-requests/"+r.Reference, 200)
			return a.Snapshot.ID == snap.ID()
		})
		return &a
	}
	for _, c := range []struct {
		snap   *index.Snapshot
		status string
		uprn   geo.UPRN
	}{
		{snapshotWith(t, index.Row{UPRN: 8, Postcode: mustPostcode("CH4 0AA"), At: at(53.9, -3)}), "resolved", 0},
		{snapshotWith(t, estate), "confirmed", 7},
		{snapshotOf(t, func(c *index.Claim) { c.Variant = "SKU2" }, estate), "changed", 7},
		{snapshotOf(t, func(c *index.Claim) { c.Variant, c.Likelihood = "SKU2", index.Low }, estate), "confirmed", 7},
		{snapshotOf(t, func(c *index.Claim) { c.Variant = "SKU2" }), "changed", 0},
	} {
		a := night(c.snap)
		if a.Status != c.status || a.Coverage.UPRN.V != c.uprn || a.Coverage.InExtracts != (c.uprn != 0) || a.Region.Name != "South" {
			t.Fatalf("after %s: %+v", c.status, a)
		}
	}
	feed := get[api.ServiceRequestChanges](t, s, "/v1/service-requests/changes", 200)
	var told []string
	for _, c := range feed.Changes {
		if c.Reference == r.Reference {
			var fields strings.Builder
			for _, f := range c.Changes {
				fields.WriteString(" " + f.Field + ":" + string(f.Before) + ">" + string(f.After))
			}
			told = append(told, c.Status+fields.String())
		}
	}
	if diff := cmp.Diff([]string{
		"resolved", "confirmed", "changed wan_variant:SKU1>SKU2", "confirmed", "changed in_extracts:true>false",
	}, told); diff != "" {
		t.Error(diff)
	}
	// A check is what the party was told, not what it was answered later.
	checks, err := ledgerOf(t, s).Checks(t.Context(), requests.Place{Postcode: mustPostcode("GU1 9ZZ")}, noon.Add(-time.Hour), noon.Add(time.Hour))
	if err != nil || len(checks) != 1 || checks[0].Reference != r.Reference || checks[0].Postcode != mustPostcode("GU1 9ZZ") || checks[0].State != index.Available {
		t.Errorf("%+v %v", checks, err)
	}

	// 30 days after its date the first is over, and the other is not.
	now.set(noon.AddDate(0, 0, 23+31))
	var a api.ServiceRequest
	until(t, "its end", func() bool {
		s.desk.swapped()
		a = *r2(t, s, r.Reference)
		return a.Status == "closed"
	})
	if a.Closed.Why != "installation_date_passed" {
		t.Errorf("%+v", a)
	}
	if all := get[api.ServiceRequestList](t, s, api.ServiceRequestPath, 200).ServiceRequests; len(all) != 2 || all[0].Status == "closed" {
		t.Errorf("%+v", all)
	}
}

func r2(t testing.TB, s *Server, ref string) *api.ServiceRequest {
	t.Helper()
	_, _, body := s.Answer("GET", "/v1/service-requests/"+ref)
	a := decodedAs[api.ServiceRequest](t, body)
	return &a
}

// What CSPs claim of a premises answers a request about that premises, and its
// receipt says so; a plot further down the street, of the same postcode, is
// answered by an estimate, and so is its receipt.
func TestServiceRequestBesideItsNeighbours(t *testing.T) {
	now := noon
	s, signer := signing(t, &now, Options{Requests: requests.SQLite(filepath.Join(t.TempDir(), "requests.db"))})
	t.Cleanup(startDesk(s))
	s.Swap(snapshotWith(t)) // UPRN 1 at 51.2453, -0.5822
	for _, c := range []struct {
		body     string
		uprn     geo.UPRN
		basis    string
		estimate bool
	}{
		{`{"latitude":51.2460,"longitude":-0.5822,"postcode":"GU1 1AA"}`, 1, receipts.BasisClaims, false},
		{`{"latitude":51.2463,"longitude":-0.5822,"postcode":"GU1 1AA"}`, 0, "nearest_premises", true},
		{`{"latitude":51.24535,"longitude":-0.5822}`, 1, receipts.BasisClaims, false},
		{`{"latitude":51.2456,"longitude":-0.5822,"party":"A & <B>"}`, 0, "nearest_premises", true},
	} {
		resp := submit(s, api.ServiceRequestPath, c.body, "")
		a := decodedAs[api.ServiceRequest](t, resp.Body())
		v := receipts.Judge(signer.Keys(), resp.Body(), nil)
		if !v.Valid || v.Answer != receipts.AnswerMatches {
			t.Fatalf("%s: %+v", c.body, v)
		}
		if st := v.Statement; a.Coverage.UPRN.V != c.uprn || (a.Coverage.Basis == basisPremises) == c.estimate || st.Place.UPRN.V != c.uprn || st.Basis != c.basis || st.Estimate != c.estimate ||
			st.State != a.Coverage.State || strings.Contains(st.Question, `\u`) {
			t.Errorf("%s: %+v, %+v", c.body, a.Coverage, st)
		}
	}
}

// ledgerOf is the ledger of a server, while the test runs.
func ledgerOf(t testing.TB, s *Server) (l requests.Ledger) {
	t.Helper()
	if err := s.desk.keeper.Read(t.Context(), func(open requests.Ledger) error {
		l = open
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return l
}

package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"coverd/geo"
	"coverd/index"
)

// randomSnapshot has ten postcodes in Guildford, and premises there with all
// kinds of claims, addresses and absences.
func randomSnapshot(rng *rand.Rand) (*index.Snapshot, error) {
	const quoted = `A "quoted" CSP`
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{
		AsOf: testDay, CSPs: []string{"Telefonica", "Vodafone", quoted}, Tool: "test", CountsAsWAN: rng.IntN(2) == 0,
	})
	if err != nil {
		return nil, err
	}
	text := func(some ...string) string { return some[rng.IntN(len(some))] }
	date := func() index.Day { return index.Day(rng.IntN(2)) * (testDay + index.Day(rng.IntN(400)-100)) }
	claim := func() index.Claim {
		return index.Claim{
			CSP: text("Telefonica", "Vodafone", quoted), AsOf: testDay - index.Day(rng.IntN(9)),
			Network: index.NetworkRegion(1 + rng.IntN(index.Networks-1)), Availability: index.Availability(rng.IntN(3)),
			Anticipated: date(), End: date(), Technology: text("", "Cellular", "4G", "VWAN"), Variant: text("", "SKU1", "SKU2"),
			Likelihood: index.Likelihood(rng.IntN(4)), Auxiliary: text("", "", "T2"), Info: text("", "", "<a & b>\t\u2028", "T\u0177 Gwyn"),
		}
	}
	where := func() geo.Location {
		if rng.IntN(5) == 0 {
			return geo.Location{}
		}
		return at(51.2+rng.Float64()/10, -0.6+rng.Float64()) // on both sides of the meridian
	}
	for i := range 10 {
		p := mustPostcode(fmt.Sprintf("GU1 %dAA", i))
		if rng.IntN(4) > 0 {
			b.AddPostcode(index.Entry{Postcode: p, At: where()})
		}
		for k := range rng.IntN(30) {
			r := index.Row{
				UPRN: geo.UPRN(1 + 100*i + k), Postcode: p, At: where(), Line: uint32(2 + 100*i + k),
				Address: b.Address([]byte(text("", "12", `The "Old" Mill`, "T\u0177 Gwyn", `Flat 3\4`))),
			}
			for range 1 + rng.IntN(4) {
				r.Claim = b.Claim(claim())
				b.Add([]index.Row{r})
			}
		}
	}
	return frozen(b)
}

// having answers as s does, but for what is ready-made. Without anything it is
// the slow twin, which fills in the structs of package api and appends those.
func having(s *Server, r *ready) *Server {
	h := s.snap.Load()
	other := &Server{clock: clock{now: s.clock.now, london: s.clock.london}, maxAge: s.maxAge, maxDataAge: s.maxDataAge, log: s.log, metrics: s.metrics}
	other.snap.Store(&held{Snapshot: h.Snapshot, ref: h.ref, etag: h.etag, id: h.id, regions: h.regions, ready: r, outcodes: make([]atomic.Pointer[dayAnswer], len(h.outcodes)), staleAfter: h.staleAfter})
	return other
}

// same asks both.
func same(t *testing.T, fast, slow *Server, uri string) {
	t.Helper()
	_, _, got := fast.Answer("GET", uri)
	_, _, want := slow.Answer("GET", uri)
	if !bytes.Equal(got, want) {
		t.Fatalf("GET %s:\n%s\nfield by field:\n%s", uri, got, want)
	}
	if !json.Valid(got) {
		t.Fatalf("GET %s: not JSON: %s", uri, got)
	}
}

func TestReadyMadeEqualsFieldByField(t *testing.T) {
	fast := testServer(t, Options{})
	slow := having(fast, new(ready))
	for _, uri := range questions {
		same(t, fast, slow, uri)
	}
	for day := testDay - 40; day < testDay+60; day++ {
		same(t, fast, slow, "/v1/postcodes/GU11AA?on="+day.String())
		same(t, fast, slow, "/v1/premises/990000000001?on="+day.String())
	}
}

// So it is in random countries, on the days around every date of theirs.
func TestReadyMadeEqualsFieldByFieldAnywhere(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		snap, err := randomSnapshot(rng)
		if err != nil {
			t.Fatal(err)
		}
		fast, err := New(snap, Options{Now: func() time.Time { return noon }})
		if err != nil {
			t.Fatal(err)
		}
		slow := having(fast, new(ready))
		days := []index.Day{-25567, testDay, 2932896}
		for code := range snap.ClaimSets() {
			for _, d := range appendTurns(nil, snap.ClaimSet(uint32(code))) {
				days = append(days, d-1, d, d+1)
			}
		}
		for u := range snap.AllPostcodes() {
			for range 20 {
				on := "?on=" + days[rng.IntN(len(days))].String()
				same(t, fast, slow, postcodePath(u)+on)
				same(t, fast, slow, "/v1/sectors/"+url.PathEscape(u.Postcode().Sector().String())+on)
				if u.Len() > 0 {
					same(t, fast, slow, "/v1/premises/"+u.Premises(rng.IntN(u.Len())).UPRN().String()+on)
				}
			}
		}
	}
}

// What is ready-made takes memory by the size of the snapshot, however unlike
// its claims are, and answers are the same.
func TestReadyMadeIsBounded(t *testing.T) {
	snap, err := randomSnapshot(rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	some := newReadyUpTo(snap, 1000)
	if n := len(some.first) - 1; len(some.text) > 20_000 || n < 1 || n >= snap.ClaimSets() {
		t.Errorf("%d bytes, of %d sets of %d", len(some.text), n, snap.ClaimSets())
	}
	all, err := New(snap, Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	fewer := having(all, some)
	for u := range snap.AllPostcodes() {
		same(t, all, fewer, postcodePath(u))
	}
}

func postcodePath(u index.Unit) string {
	return "/v1/postcodes/" + url.PathEscape(u.Postcode().String())
}

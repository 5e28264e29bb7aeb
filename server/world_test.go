package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// The tests' country: three Regions as broad bands, and around Guildford one
// postcode for every kind of presence and absence.
//
//	GU1 1AA  in the register, five premises
//	GU1 1AB  in the register, no premises; a coverage area around it
//	GU1 1AD  terminated in 2024-10, no premises
//	GU1 1AE  dropped from the register since the snapshot before, no premises
//	GU1 1AF  in the register without coordinates, no premises
//	GU1 2AA  in the register, terminated, with a premises
//	GU1 3AA  in the extracts only
//	GU2 4AA  in the register, in an outcode without premises
//	CH4 0AA and CH4 9ZZ  on two sides of a Region border
const testDay = index.Day(20779) // 2026-11-22

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

func at(lat, lng float64) geo.Location { return geo.LatLng{Lat: lat, Lng: lng}.Location() }

func band(south, north float64) geo.MultiPolygon {
	return geo.MultiPolygon{{{{Lat: south, Lng: -5}, {Lat: south, Lng: 1}, {Lat: north, Lng: 1}, {Lat: north, Lng: -5}}}}
}

// testClaim is available by cellular unless changed.
func testClaim(change func(*index.Claim)) index.Claim {
	c := index.Claim{
		CSP: "Telefonica", AsOf: testDay, Network: index.NetworkSouth, Availability: index.AvailabilityTrue,
		Technology: "Cellular", Variant: "SKU1", Likelihood: index.High,
	}
	if change != nil {
		change(&c)
	}
	return c
}

func buildSnapshot(previous *index.Snapshot, dropped ...string) (*index.Snapshot, error) {
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{
		AsOf: testDay, CSPs: []string{"Telefonica", "Vodafone"}, Tool: "test", Indicative: true, Previous: previous,
	})
	if err != nil {
		return nil, err
	}
	month := func(s string) index.Month {
		m, err := index.ParseMonth(s)
		if err != nil {
			panic(err)
		}
		return m
	}
entries:
	for _, e := range []index.Entry{
		{Postcode: mustPostcode("GU1 1AA"), At: at(51.245279, -0.582312), Introduced: month("1980-01")},
		{Postcode: mustPostcode("GU1 1AB"), At: at(51.249370, -0.549301), Introduced: month("2024-10")},
		{Postcode: mustPostcode("GU1 1AD"), At: at(51.2453, -0.5830), Terminated: month("2024-10")},
		{Postcode: mustPostcode("GU1 1AE"), At: at(51.2454, -0.5831)},
		{Postcode: mustPostcode("GU1 1AF")},
		{Postcode: mustPostcode("GU1 2AA"), At: at(51.2400, -0.5700), Terminated: month("2020-01")},
		{Postcode: mustPostcode("GU2 4AA"), At: at(51.2380, -0.6000)},
		{Postcode: mustPostcode("CH4 0AA"), At: at(53.999990, -3.0000)},
		{Postcode: mustPostcode("CH4 9ZZ"), At: at(54.010000, -3.0000)},
	} {
		for _, d := range dropped {
			if e.Postcode == mustPostcode(d) {
				continue entries
			}
		}
		b.AddPostcode(e)
	}
	available := b.Claim(testClaim(nil))
	for i, r := range []index.Row{
		{UPRN: 990061391234, Postcode: mustPostcode("GU1 1AA"), At: at(51.245310, -0.582190), Address: b.Address([]byte("12")), Claim: available},
		{UPRN: 990000000001, Postcode: mustPostcode("GU1 1AA"), At: at(51.245320, -0.582200), Address: b.Address([]byte("Flat 2, Wey House")), Claim: b.Claim(testClaim(func(c *index.Claim) {
			c.Availability, c.Anticipated, c.Variant, c.Auxiliary = index.AvailabilityFalse, testDay+20, "SKU2", "T2"
		}))},
		{UPRN: 990000000001, Postcode: mustPostcode("GU1 1AA"), At: at(51.245320, -0.582200), Address: b.Address([]byte("Flat 2, Wey House")), Claim: b.Claim(testClaim(func(c *index.Claim) {
			c.CSP, c.Network, c.Technology, c.Variant, c.Likelihood = "Vodafone", index.Network4GSouth, "4G", "4G", index.Medium
		}))},
		{UPRN: 990000000002, Postcode: mustPostcode("GU1 1AA"), At: at(51.245330, -0.582210), Address: b.Address([]byte("13")), Claim: b.Claim(testClaim(func(c *index.Claim) {
			c.Availability, c.Anticipated = index.AvailabilityFalse, testDay-30
		}))},
		{UPRN: 990000000003, Postcode: mustPostcode("GU1 1AA"), Address: b.Address([]byte(`The "Old" Sorting Office`)), Claim: b.Claim(testClaim(func(c *index.Claim) {
			c.Availability = index.AvailabilityUnknown
		}))},
		{UPRN: 990000000004, Postcode: mustPostcode("GU1 1AA"), At: at(51.245330, -0.582250), Address: b.Address([]byte("14")), Claim: available},
		{UPRN: 990000000004, Postcode: mustPostcode("GU1 1AA"), At: at(51.245330, -0.582250), Address: b.Address([]byte("14")), Claim: b.Claim(testClaim(func(c *index.Claim) { c.Variant = "SKU2" }))},
		{UPRN: 990000000005, Postcode: mustPostcode("GU1 2AA"), At: at(51.2401, -0.5701), Claim: available},
		{UPRN: 990000000006, Postcode: mustPostcode("GU1 3AA"), At: at(51.2301, -0.5801), Claim: available},
		{UPRN: 990000000007, At: at(51.249400, -0.549400), Address: b.Address([]byte("Plot 14")), Claim: available},
		{UPRN: 990000000008, Postcode: mustPostcode("CH4 0AA"), At: at(53.999991, -3.0001), Claim: available},
		{UPRN: 990000000009, Postcode: mustPostcode("CH4 9ZZ"), At: at(54.010001, -3.0001), Claim: available},
	} {
		r.Line = uint32(i + 2)
		b.Add([]index.Row{r})
	}
	err = b.AddArea(index.Area{
		Claim: testClaim(func(c *index.Claim) { c.Likelihood, c.Info = index.Medium, "Merrow" }),
		Shape: geo.MultiPolygon{{{{Lat: 51.248, Lng: -0.551}, {Lat: 51.248, Lng: -0.548}, {Lat: 51.250, Lng: -0.548}, {Lat: 51.250, Lng: -0.551}}}},
	})
	if err != nil {
		return nil, err
	}
	return frozen(b)
}

// frozen is the snapshot of what a builder was given, written and read.
func frozen(b *index.Builder) (*index.Snapshot, error) {
	built, err := b.Build(context.Background())
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		return nil, err
	}
	return index.OpenBytes(file.Bytes())
}

var testSnapshot = sync.OnceValues(func() (*index.Snapshot, error) {
	before, err := buildSnapshot(nil)
	if err != nil {
		return nil, err
	}
	return buildSnapshot(before, "GU1 1AE")
})

// noon is what the tests' clock says unless they say otherwise.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// setClock is a clock that tests set while a server reads it.
type setClock struct{ atomic.Pointer[time.Time] }

func clockAt(at time.Time) *setClock {
	c := new(setClock)
	c.set(at)
	return c
}

func (c *setClock) set(at time.Time) { c.Store(&at) }

func (c *setClock) now() time.Time { return *c.Load() }

func testServer(t testing.TB, o Options) *Server {
	t.Helper()
	snap, err := testSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	s, err := New(snap, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks and decodes the answer, whose status must be as wanted.
func get[T any](t *testing.T, s *Server, uri string, status int) T {
	t.Helper()
	got, contentType, body := s.Answer("GET", uri)
	if got != status {
		t.Fatalf("GET %s: status %d, want %d: %s", uri, got, status, body)
	}
	if want := map[bool]string{true: typeProblem, false: typeJSON}[status >= 400]; contentType != want {
		t.Errorf("GET %s: content type %s, want %s", uri, contentType, want)
	}
	var v T
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("GET %s: %v in %s", uri, err, body)
	}
	return v
}

// problem asks for what must be a problem with a code.
func problem(t *testing.T, s *Server, uri, code string) api.Problem {
	t.Helper()
	for _, k := range api.ProblemKinds {
		if k.Code == code {
			p := get[api.Problem](t, s, uri, k.Status)
			if p.Code != code || p.Status != k.Status || p.Title != k.Title || !strings.HasSuffix(p.Type, ":"+code) || p.Detail == "" {
				t.Errorf("GET %s: %+v, want code %s", uri, p, code)
			}
			return p
		}
	}
	t.Fatalf("no problem has the code %q", code)
	return api.Problem{}
}

package server

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

func TestPostcodeAnswer(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/gu1%201aa?on=2026-11-22", 200)
	if want := (api.Summary{Premises: 5, Available: 2, Unavailable: 1, Unknown: 2}); a.Summary != want {
		t.Errorf("summary %+v, want %+v", a.Summary, want)
	}
	if p := a.Postcode; p.Easting != 499049 || p.Northing != 150522 || p.Introduced.V.String() != "1980-01" {
		t.Errorf("%+v", p)
	}
	byAddress := map[api.Text]api.Premises{}
	for _, p := range a.Premises {
		byAddress[p.AddressIdentifier] = p
	}
	if p := byAddress["12"]; p.State != "available" || p.Fit == nil || p.Fit.WANVariant != "SKU1" || p.UPRN.V != 990061391234 || p.Region != "South" || p.RegionBasis != "boundary" {
		t.Errorf("%+v", p)
	}
	if p := byAddress["13"]; p.State != "unavailable" || !p.Networks[0].Overdue || p.Networks[0].AnticipatedCoverageDate.V != testDay-30 {
		t.Errorf("%+v", p)
	}
	if p := byAddress["14"]; !p.Conflict || len(p.Networks) != 0 || p.State != "unknown" || p.Fit != nil {
		t.Errorf("%+v", p)
	}
	if p := byAddress[`The "Old" Sorting Office`]; p.State != "unknown" || !p.Latitude.IsZero() || p.RegionBasis != "postcode" {
		t.Errorf("%+v", p)
	}
	if p := byAddress["Flat 2, Wey House"]; len(p.Networks) != 2 || p.State != "available" || p.Fit.NetworkRegion != "4G South" {
		t.Errorf("%+v", p)
	}
}

// How well an address was matched is told; where none was, the likeliest come
// first.
func TestAddressMatch(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct{ address, grade, first string }{
		{"flat%202,%20%20WEY%20house", "exact", "Flat 2, Wey House"},
		{"APT.+2+Wey+Hse", "normalised", "Flat 2, Wey House"},
		{"No.+012", "normalised", "12"},
		{"old+sorting+office", "normalised", `The "Old" Sorting Office`},
		{"12A", "", "12"},
		{"Flat+3,+Wey+House", "", "Flat 2, Wey House"},
	} {
		a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?address="+c.address, 200)
		var first string
		switch {
		case a.Outcome == api.PremisesFound && len(a.Premises) == 1:
			first = string(a.Premises[0].AddressIdentifier)
		case a.Reason == api.AddressNotMatched && len(a.Candidates) == 5:
			first = a.Candidates[0]
		}
		if a.AddressMatch.Grade != c.grade || first != c.first {
			t.Errorf("%s: grade %q, %q, want %+v", c.address, a.AddressMatch.Grade, first, c)
		}
	}
	if a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA", 200); a.AddressMatch != (api.AddressMatch{}) {
		t.Errorf("no address was asked for: %+v", a.AddressMatch)
	}
}

// The network that is asked for is the only one that counts.
func TestNetworkNarrows(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct {
		network, state string
		networks       int
	}{{"South", "planned", 1}, {"4g%20south", "available", 1}, {"North", "unknown", 0}} {
		a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000001?on=2026-11-23&network="+c.network, 200)
		if a.State != c.state || len(a.Networks) != c.networks {
			t.Errorf("network=%s: %s, %+v", c.network, a.State, a.Networks)
		}
	}
	a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?network=4G+South", 200)
	if want := (api.Summary{Premises: 5, Available: 1, Unknown: 4}); a.Summary != want || a.Query.NetworkRegion != "4G South" {
		t.Errorf("%+v, query %+v", a.Summary, a.Query)
	}
}

// A plan is planned before its day and available from it on, whatever today is.
func TestOnIsTheDayAskedAbout(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct{ on, state, from, reason string }{
		{"2026-12-11", "planned", "2026-12-12", "planned from 2026-12-12, High likelihood"},
		{"2026-12-12", "available", "2026-12-12", "available since 2026-12-12, High likelihood"},
	} {
		a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000001?network=South&on="+c.on, 200)
		if a.State != c.state || a.Fit.From.V.String() != c.from || a.Fit.Reason != c.reason || a.Query.On.V.String() != c.on {
			t.Errorf("on=%s: %+v", c.on, a)
		}
	}
	if a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000001", 200); a.Query.On.V.String() != "2026-12-01" {
		t.Errorf("today is %v", a.Query.On)
	}
}

func TestPremisesAnswer(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.PremisesAnswer](t, s, "/v1/premises/000990061391234", 200)
	if a.Outcome != api.PremisesFound || a.UPRN.V != 990061391234 || a.Postcode == nil || a.Postcode.Postcode != mustPostcode("GU1 1AA") {
		t.Errorf("%+v", a)
	}
	if a := get[api.PremisesAnswer](t, s, "/v1/premises/990000000007", 200); a.Postcode != nil || a.Region != "South" {
		t.Errorf("a plot: %+v", a)
	}
}

// The three notations of a place get one answer.
func TestLocationNotations(t *testing.T) {
	s := testServer(t, Options{})
	want := get[api.LocationAnswer](t, s, "/v1/locations?latitude=51.245279&longitude=-0.582312", 200)
	if l := want.Location; l.Easting != 499049 || l.Northing != 150522 || l.GridReference != "SU 99049 50522" || l.GridSquare != 0 {
		t.Errorf("%+v", l)
	}
	for uri, square := range map[string]int{
		"/v1/locations?easting=499049.5&northing=150522.5":   0,
		"/v1/locations?grid_reference=SU%2099049%2050522":    1,
		"/v1/locations?grid_reference=su9904950522":          1,
		"/v1/locations?grid_reference=SU+9904+5052&limit=10": 10,
	} {
		a := get[api.LocationAnswer](t, s, uri, 200)
		if d := geo.Distance(geo.LatLng{Lat: float64(a.Location.Latitude), Lng: float64(a.Location.Longitude)}, geo.LatLng{Lat: 51.245279, Lng: -0.582312}); d > float64(square)+1 {
			t.Errorf("GET %s: %+v, %.1f m off", uri, a.Location, d)
		}
		if a.Location.GridSquare != square || a.Region != want.Region || a.Outcome != api.LocationResolved {
			t.Errorf("GET %s: %+v, %+v", uri, a.Location, a.Region)
		}
	}
}

func TestLocationAnswer(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.LocationAnswer](t, s, "/v1/locations?latitude=51.24937&longitude=-0.549301&on=2026-11-22&radius=5000", 200)
	if a.Coverage.State != "available" || a.Coverage.Basis != index.EstimateArea || a.Coverage.Fit == nil || len(a.Coverage.Networks) != 1 || a.Coverage.Networks[0].ClaimSource != api.ClaimSourceArea {
		t.Errorf("coverage %+v", a.Coverage)
	}
	if len(a.Areas) != 1 || a.Areas[0].AdditionalInformation != "Merrow" || a.Areas[0].State != "available" {
		t.Errorf("areas %+v", a.Areas)
	}
	if p := a.NearestPremises[0]; p.UPRN.V != 990000000007 || p.AddressIdentifier != "Plot 14" || p.Postcode.V.IsValid() || math.Abs(float64(p.Distance)-7.7) > 0.2 {
		t.Errorf("nearest premises %+v", p)
	}
	if p := a.NearestPostcodes[0]; p.Postcode.V != mustPostcode("GU1 1AB") || p.Distance != 0 {
		t.Errorf("nearest postcode %+v", p)
	}
	for i := 1; i < len(a.NearestPremises); i++ {
		if a.NearestPremises[i].Distance < a.NearestPremises[i-1].Distance || a.NearestPremises[i].Distance > 5000 {
			t.Errorf("%+v", a.NearestPremises)
		}
	}
	if a := get[api.LocationAnswer](t, s, "/v1/locations?latitude=51.24937&longitude=-0.549301&limit=1&radius=5", 200); len(a.NearestPremises) != 0 || len(a.NearestPostcodes) != 1 {
		t.Errorf("within 5 m: %+v, %+v", a.NearestPremises, a.NearestPostcodes)
	}
	// Nothing near, nothing claimed: unknown, and a Region all the same.
	far := get[api.LocationAnswer](t, s, "/v1/locations?latitude=56&longitude=-4", 200)
	if far.Region.Name != "North" || far.Coverage.State != "unknown" || far.Coverage.Basis != "" || far.Coverage.Fit != nil || far.Coverage.Confidence != 0 {
		t.Errorf("%+v", far)
	}
}

func TestBorder(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct {
		lat    float64
		region string
		near   bool
		metres float64
	}{{53.99999, "Central", true, 1.1}, {54.00001, "North", true, 1.1}, {54.02, "North", false, 2226}, {54.5, "North", false, -1}} {
		a := get[api.LocationAnswer](t, s, fmt.Sprintf("/v1/locations?latitude=%v&longitude=-3", c.lat), 200)
		if string(a.Region.Name) != c.region || a.Region.NearBorder != c.near || math.Abs(float64(a.Region.BorderDistance)-c.metres) > c.metres*0.01+0.1 {
			t.Errorf("%v: %+v, want %+v", c.lat, a.Region, c)
		}
	}
	if a := get[api.LocationAnswer](t, s, "/v1/locations?latitude=49.99&longitude=-3", 200); a.Region.Basis != "nearest" || a.Region.Name != "South" {
		t.Errorf("offshore: %+v", a.Region)
	}
}

func TestOutcodeAnswer(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.PlaceAnswer](t, s, "/v1/outcodes/gu1?on=2026-11-22", 200)
	if want := (api.Summary{Premises: 7, Available: 4, Unavailable: 1, Unknown: 2}); a.Summary != want {
		t.Errorf("summary %+v, want %+v", a.Summary, want)
	}
	if a.Postcodes != (api.PostcodeCounts{Live: 3, NotInExtracts: 2}) || a.Location == nil || a.Bounds == nil || a.Bounds.South > a.Bounds.North {
		t.Errorf("%+v, %+v, %+v", a.Postcodes, a.Location, a.Bounds)
	}
	if len(a.Regions) != 1 || a.Regions[0] != (api.Count{Name: "South", N: 7}) {
		t.Errorf("regions %+v", a.Regions)
	}
	if len(a.Inside) != 3 || a.Inside[0].Sector.V.String() != "GU1 1" || a.Next != "" {
		t.Errorf("inside %+v, next %q", a.Inside, a.Next)
	}
	if a := get[api.PlaceAnswer](t, s, "/v1/outcodes/CH4", 200); len(a.Regions) != 2 || a.Inside[0].Region != "Central" || a.Inside[1].Region != "North" {
		t.Errorf("CH4: %+v, %+v", a.Regions, a.Inside)
	}
	a = get[api.PlaceAnswer](t, s, "/v1/outcodes/GU2", 200)
	if a.Outcome != api.NoPremisesFound || a.Reason != api.OutcodeNotInExtracts || a.Estimate == nil || a.NextStep == nil || a.NextStep.Body.Outcode.V.String() != "GU2" {
		t.Errorf("GU2: %+v", a)
	}
	if a := get[api.PlaceAnswer](t, s, "/v1/sectors/GU2%204", 200); a.Outcome != api.NoPremisesFound || a.Reason != api.SectorNotInExtracts {
		t.Errorf("GU2 4: %+v", a)
	}
}

// Pages follow each other without a gap or a repetition, and the parts add up
// to the whole.
func TestPagesAddUp(t *testing.T) {
	s := testServer(t, Options{})
	for _, start := range []string{"/v1/outcodes/GU1", "/v1/sectors/GU1%201"} {
		whole := get[api.PlaceAnswer](t, s, start, 200)
		for limit := 1; limit <= len(whole.Inside); limit++ {
			var sum api.Summary
			var inside []api.PlaceItem
			for next := fmt.Sprintf("%s?limit=%d&on=2026-12-01", start, limit); next != ""; {
				page := get[api.PlaceAnswer](t, s, next, 200)
				if len(page.Inside) == 0 || len(page.Inside) > limit || page.Query != whole.Query {
					t.Fatalf("GET %s: %d items, query %+v", next, len(page.Inside), page.Query)
				}
				inside = append(inside, page.Inside...)
				next = string(page.Next)
				if u, err := url.Parse(next); err != nil || next != "" && u.Query().Get("on") != "2026-12-01" {
					t.Fatalf("next page %q", next)
				}
			}
			for i, item := range inside {
				if item != whole.Inside[i] {
					t.Errorf("%s by %d: item %d is %+v, want %+v", start, limit, i, item, whole.Inside[i])
				}
				sum.Premises += item.Summary.Premises
				sum.Available += item.Summary.Available
				sum.Planned += item.Summary.Planned
				sum.Unavailable += item.Summary.Unavailable
				sum.Unknown += item.Summary.Unknown
			}
			if sum != whole.Summary || len(inside) != len(whole.Inside) {
				t.Errorf("%s by %d: %d items, %+v, want %d, %+v", start, limit, len(inside), sum, len(whole.Inside), whole.Summary)
			}
		}
	}
}

// featureOf is as much of GeoJSON as is served.
type featureOf struct {
	Type       string
	Properties struct {
		Region     string
		Indicative bool
	}
	Geometry struct {
		Type        string
		Coordinates [][][][2]float64
	}
}

func TestRegionsAreGeoJSON(t *testing.T) {
	s := testServer(t, Options{})
	status, contentType, body := s.Answer("GET", "/v1/regions")
	var all struct {
		Type     string
		Features []featureOf
	}
	if err := json.Unmarshal(body, &all); err != nil || status != 200 || contentType != typeGeoJSON || all.Type != "FeatureCollection" || len(all.Features) != 3 {
		t.Fatalf("%v, %d, %s, %s", err, status, contentType, body)
	}
	for i, r := range geo.Regions {
		f := all.Features[i]
		if f.Type != "Feature" || f.Properties.Region != r.String() || !f.Properties.Indicative || f.Geometry.Type != "MultiPolygon" {
			t.Errorf("%+v", f)
		}
		var shape geo.MultiPolygon
		for _, polygon := range f.Geometry.Coordinates {
			var g geo.Polygon
			for _, ring := range polygon {
				if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
					t.Errorf("%v: a ring of %d positions is not closed", r, len(ring))
				}
				var line geo.Ring
				area := 0.0
				for k, p := range ring[:len(ring)-1] {
					line = append(line, geo.LatLng{Lat: p[1], Lng: p[0]})
					area += p[0]*ring[k+1][1] - ring[k+1][0]*p[1]
				}
				if len(g) == 0 != (area > 0) {
					t.Errorf("%v: ring %d goes around the wrong way", r, len(g))
				}
				g = append(g, line)
			}
			shape = append(shape, g)
		}
		// What is served contains what the snapshot says it does.
		for lat := 49.5; lat < 59; lat += 0.49 {
			p := geo.LatLng{Lat: lat, Lng: -2}
			if got, want := shape.Contains(p), s.Snapshot().RegionShape(r).Contains(p); got != want {
				t.Errorf("%v contains %v: %v, want %v", r, p, got, want)
			}
		}
		one, _, single := s.Answer("GET", "/v1/regions/"+strings.ToLower(r.String()))
		if one != 200 || !strings.Contains(string(body), string(single)) {
			t.Errorf("%v alone: %d, %.80s", r, one, single)
		}
	}
}

func TestSnapshotAnswer(t *testing.T) {
	s := testServer(t, Options{})
	info := get[api.SnapshotAnswer](t, s, "/v1/snapshot", 200)
	want := s.Snapshot().Info()
	if info.ID != want.ID || info.ContentDigest != want.ContentDigest || info.Premises != 10 || info.AsOf != testDay || !info.Indicative || info.AgeDays != 9 {
		t.Errorf("%+v", info)
	}
}

// An estimate speaks of the network region that was asked for, and of no other.
func TestNetworkNarrowsTheEstimate(t *testing.T) {
	s := testServer(t, Options{})
	const uri = "/v1/postcodes/GU11AA?address=99&on=2026-12-01&network="
	a := get[api.PostcodeAnswer](t, s, uri+"4G+South", 200)
	if e := a.Estimate; e.Basis != index.EstimateOwn || e.Premises != 5 || len(e.Networks) != 1 || e.Networks[0].NetworkRegion != "4G South" {
		t.Errorf("%+v", e)
	}
	if e := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB?network=North", 200).Estimate; len(e.Networks) != 0 || e.State != "unknown" {
		t.Errorf("%+v", e)
	}
	// The next question is not narrowed.
	if e := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB", 200).Estimate; len(e.Networks) != 1 || e.State != "available" {
		t.Errorf("%+v", e)
	}
}

func TestLocationHasItsNextStep(t *testing.T) {
	s := testServer(t, Options{})
	n := get[api.LocationAnswer](t, s, "/v1/locations?latitude=56&longitude=-4&on=2026-12-24", 200).NextStep
	if n.Action != api.RaiseServiceRequest || n.Body.Latitude != 56 || n.Body.Longitude != -4 || n.Body.InstallationDate.V.String() != "2026-12-24" || len(n.Needs) != 0 {
		t.Errorf("%+v", n)
	}
}

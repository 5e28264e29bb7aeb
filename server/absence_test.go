package server

import (
	"net/http"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// Every row of the table of absences.
func TestAbsenceHasKinds(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct {
		uri, outcome, reason, status, region, basis string
		premises                                    int
		estimate                                    string // basis of the estimate, or "" for none
	}{
		{"/v1/postcodes/GU1%201AA", api.PremisesFound, "", "live", "South", "boundary", 5, ""},
		{"/v1/postcodes/gu12aa", api.PremisesFound, "", "terminated", "South", "boundary", 1, ""},
		{"/v1/postcodes/GU13AA", api.PremisesFound, "", "not_in_register", "South", "premises", 1, ""},
		{"/v1/postcodes/GU11AB", api.NoPremisesFound, api.PostcodeNotInExtracts, "live", "South", "boundary", 0, index.EstimateArea},
		{"/v1/postcodes/GU11AF", api.NoPremisesFound, api.PostcodeNotInExtracts, "live", "South", "outcode", 0, index.EstimateSector},
		{"/v1/postcodes/GU24AA", api.NoPremisesFound, api.PostcodeNotInExtracts, "live", "South", "boundary", 0, ""},
		{"/v1/postcodes/GU11AD", api.NoPremisesFound, api.PostcodeTerminated, "terminated", "South", "boundary", 0, index.EstimateNearest},
		{"/v1/postcodes/GU11AE", api.NoPremisesFound, api.PostcodeTerminated, "terminated", "South", "boundary", 0, index.EstimateNearest},
		{"/v1/postcodes/GU19ZZ", api.NoPremisesFound, api.PostcodeNotInRegister, "not_in_register", "South", "outcode", 0, index.EstimateOutcode},
		{"/v1/postcodes/GU12ZZ", api.NoPremisesFound, api.PostcodeNotInRegister, "not_in_register", "South", "outcode", 0, index.EstimateSector},
		{"/v1/postcodes/CH45AA", api.NoPremisesFound, api.PostcodeNotInRegister, "not_in_register", "", "", 0, index.EstimateOutcode},
		{"/v1/postcodes/GU11AA?address=99", api.NoPremisesFound, api.AddressNotMatched, "live", "South", "boundary", 0, index.EstimateOwn},
		{"/v1/postcodes/GU11AA?address=%20flat%202,%20%20WEY%20house%20", api.PremisesFound, "", "live", "South", "boundary", 1, ""},
	} {
		a := get[api.PostcodeAnswer](t, s, c.uri, 200)
		if a.Outcome != c.outcome || a.Reason != c.reason || a.Postcode.Status != c.status || string(a.Region.Name) != c.region || string(a.Region.Basis) != c.basis {
			t.Errorf("GET %s: %s, %s, %s, %+v", c.uri, a.Outcome, a.Reason, a.Postcode.Status, a.Region)
		}
		if len(a.Premises) != c.premises || a.Summary.Premises != c.premises {
			t.Errorf("GET %s: %d premises, summary %+v, want %d", c.uri, len(a.Premises), a.Summary, c.premises)
		}
		if a.Snapshot.ID != s.Snapshot().ID() || a.Snapshot.AsOf.V != testDay || !a.Snapshot.IndicativeRegions {
			t.Errorf("GET %s: snapshot %+v", c.uri, a.Snapshot)
		}
		absent := c.outcome == api.NoPremisesFound
		if (a.Estimate != nil) != absent || (a.NextStep != nil) != absent {
			t.Errorf("GET %s: estimate %v, next step %v", c.uri, a.Estimate, a.NextStep)
		}
		if absent && string(a.Estimate.Basis) != c.estimate {
			t.Errorf("GET %s: estimate by %q, want %q", c.uri, a.Estimate.Basis, c.estimate)
		}
	}
}

func TestProblemsHaveCodes(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct{ uri, code, parameter string }{
		{"/v1/postcodes/ZE1%200AA", api.UnknownPostcode, "postcode"},
		{"/v1/postcodes/BT1%201AA", api.OutOfArea, "postcode"},
		{"/v1/postcodes/JE2%204WD", api.OutOfArea, "postcode"},
		{"/v1/postcodes/BFPO%2012", api.OutOfArea, "postcode"},
		{"/v1/postcodes/GU1%20IAA", api.MalformedPostcode, "postcode"},
		{"/v1/postcodes/", api.MalformedPostcode, "postcode"},
		{"/v1/postcodes/GU1", api.MalformedPostcode, "postcode"},
		{"/v1/postcodes/GU1%2F1AA", api.MalformedPostcode, "postcode"}, // the slash is the key's, not the path's
		{"/v1/postcodes/GU11AA%2Fvalidate", api.MalformedPostcode, "postcode"},
		{"/v1/premises/..", api.MalformedUPRN, "uprn"},
		{"/v1/premises/%2e", api.MalformedUPRN, "uprn"},
		{"/v1/premises/990061391234%3Fon=x", api.MalformedUPRN, "uprn"},
		{"/v1/postcodes/GU11AA?address=", api.MalformedParameter, "address"},
		{"/v1/postcodes/GU11AA?address=%20", api.MalformedParameter, "address"},
		{"/v1/outcodes/ZE1", api.UnknownOutcode, "outcode"},
		{"/v1/outcodes/BT1", api.OutOfArea, "outcode"},
		{"/v1/outcodes/GU1%201AA", api.MalformedOutcode, "outcode"},
		{"/v1/sectors/GU1%205", api.UnknownSector, "sector"},
		{"/v1/sectors/ZE1%205", api.UnknownSector, "sector"},
		{"/v1/sectors/GU", api.MalformedSector, "sector"},
		{"/v1/sectors/IM1%201", api.OutOfArea, "sector"},
		{"/v1/premises/1", api.UnknownUPRN, "uprn"},
		{"/v1/premises/12a", api.MalformedUPRN, "uprn"},
		{"/v1/premises/1234567890123", api.MalformedUPRN, "uprn"},
		{"/v1/regions/West", api.UnknownRegion, "name"},
		{"/v1/locations?latitude=53.35&longitude=-6.26", api.OutsideGreatBritain, ""},
		{"/v1/locations?easting=9999999&northing=0", api.OutsideGreatBritain, ""},
		{"/v1/locations?latitude=-0.58&longitude=51.24", api.MalformedCoordinate, "latitude"},
		{"/v1/locations?latitude=NaN&longitude=-0.58", api.MalformedCoordinate, "latitude"},
		{"/v1/locations?latitude=51.24&longitude=1e400", api.MalformedCoordinate, "longitude"},
		{"/v1/locations?latitude=91&longitude=1", api.MalformedCoordinate, "latitude"},
		{"/v1/locations?latitude=51.24", api.MalformedCoordinate, ""},
		{"/v1/locations", api.MalformedCoordinate, ""},
		{"/v1/locations?latitude=51.24&longitude=-0.58&easting=1&northing=2", api.MalformedCoordinate, ""},
		{"/v1/locations?easting=x&northing=2", api.MalformedCoordinate, "easting"},
		{"/v1/locations?grid_reference=SU990", api.MalformedGridReference, "grid_reference"},
		{"/v1/postcodes/GU11AA?on=2026-02-30", api.MalformedDate, "on"},
		{"/v1/postcodes/GU11AA?on=", api.MalformedDate, "on"},
		{"/v1/postcodes/GU11AA?on=2026-12-01&on=2026-12-02", api.MalformedParameter, "on"},
		{"/v1/postcodes/GU11AA?network=5G", api.MalformedParameter, "network"},
		{"/v1/postcodes/GU11AA?onn=2026-12-01", api.UnknownParameter, "onn"},
		{"/v1/postcodes/GU11AA?limit=5", api.UnknownParameter, "limit"},
		{"/v1/snapshot?on=2026-12-01", api.UnknownParameter, "on"},
		{"/v1/locations?latitude=51.24&longitude=-0.58&limit=0", api.MalformedParameter, "limit"},
		{"/v1/locations?latitude=51.24&longitude=-0.58&limit=101", api.MalformedParameter, "limit"},
		{"/v1/locations?latitude=51.24&longitude=-0.58&limit=ten", api.MalformedParameter, "limit"},
		{"/v1/locations?latitude=51.24&longitude=-0.58&radius=0", api.MalformedParameter, "radius"},
		{"/v1/locations?latitude=51.24&longitude=-0.58&radius=50001", api.MalformedParameter, "radius"},
		{"/v1/outcodes/GU1?after=GU", api.MalformedParameter, "after"},
		{"/v1/outcodes/GU1?after=BT1%201", api.MalformedParameter, "after"},
		{"/v1/sectors/GU1%201?after=BT1%201AA", api.MalformedParameter, "after"},
		{"/v1/sectors/GU1%201?limit=501", api.MalformedParameter, "limit"},
		{"/", api.UnknownPath, ""},
		{"/v1", api.UnknownPath, ""},
		{"/v2/postcodes/GU11AA", api.UnknownPath, ""},
		{"/v1/postcodes", api.UnknownPath, ""},
		{"/v1/postcodes/GU11AA/", api.UnknownPath, ""},
		{"/v1/postcodes/GU11AA/neighbours", api.UnknownPath, ""},
		{"/v1/postcodes/GU11AA/validate/more", api.UnknownPath, ""},
		{"/v1/snapshot/1", api.UnknownPath, ""},
		{"/v1/service-requests", api.ServiceRequestsNotTaken, ""},
	} {
		p := problem(t, s, c.uri, c.code)
		if p.Parameter != c.parameter || p.Hint == "" || p.Snapshot == nil || p.Snapshot.ID != s.Snapshot().ID() {
			t.Errorf("GET %s: %+v", c.uri, p)
		}
	}
}

// What to check is said of what was given.
func TestOutsideSaysWhatToCheck(t *testing.T) {
	s := testServer(t, Options{})
	for query, want := range map[string]string{
		"latitude=53.35&longitude=-6.26":  "longitude -8.7",
		"easting=51.2452&northing=-0.582": "degrees are given as latitude and longitude",
		"easting=0&northing=0":            "easting is 50000",
		"grid_reference=HL0000":           "letters",
	} {
		if p := problem(t, s, "/v1/locations?"+query, api.OutsideGreatBritain); !strings.Contains(p.Hint, want) {
			t.Errorf("%s: %s", query, p.Hint)
		}
	}
}

func TestSuggestionsAreOfferedAndNeverApplied(t *testing.T) {
	s := testServer(t, Options{})
	p := problem(t, s, "/v1/postcodes/GU1%20IAA", api.MalformedPostcode)
	if len(p.Suggestions) == 0 || p.Suggestions[0].Text != "GU1 1AA" || p.Suggestions[0].Kind != "postcode" || p.Suggestions[0].Reason == "" {
		t.Errorf("%+v", p.Suggestions)
	}
	if p := problem(t, s, "/v1/locations?latitude=-0.5823&longitude=51.2452", api.MalformedCoordinate); !strings.Contains(p.Hint, "latitude=51.2452&longitude=-0.5823") {
		t.Error(p.Hint)
	}
	if p := problem(t, s, "/v1/postcodes/BT1%201AA", api.OutOfArea); len(p.Suggestions) != 0 {
		t.Errorf("suggestions for a right code: %+v", p.Suggestions)
	}
}

func TestNextStepIsReadyToPost(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB?on=2026-12-24", 200)
	n := a.NextStep
	if n.Action != api.RaiseServiceRequest || n.Method != http.MethodPost || n.Path != api.ServiceRequestPath || len(n.Needs) != 0 {
		t.Errorf("%+v", n)
	}
	if b := n.Body; b.Postcode.V != mustPostcode("GU1 1AB") || b.Latitude != 51.24937 || b.Longitude != -0.549301 || b.InstallationDate.V.String() != "2026-12-24" {
		t.Errorf("%+v", b)
	}
	// The day that was not asked about is not made up.
	if n := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB", 200).NextStep; n.Body.InstallationDate.V != 0 {
		t.Errorf("%+v", n.Body)
	}
	// Without a location the body says what it lacks.
	n = get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU19ZZ", 200).NextStep
	if strings.Join(n.Needs, " ") != "latitude longitude" || !n.Body.Latitude.IsZero() {
		t.Errorf("%+v", n)
	}
}

func TestTerminatedBetweenTwoRegisters(t *testing.T) {
	s := testServer(t, Options{})
	a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AE", 200)
	if b := a.Postcode.TerminatedBetween; b.After.V != testDay || b.By.V != testDay {
		t.Errorf("%+v", b)
	}
	if a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AD", 200); a.Postcode.Terminated.V.String() != "2024-10" {
		t.Errorf("%+v", a.Postcode)
	}
}

func TestValidate(t *testing.T) {
	s := testServer(t, Options{})
	for _, c := range []struct {
		text, verdict, postcode, status string
		inExtracts                      bool
		suggestion                      string
	}{
		{"gu11aa", api.VerdictWellFormed, "GU1 1AA", "live", true, ""},
		{"GU1%201AB", api.VerdictWellFormed, "GU1 1AB", "live", false, ""},
		{"GU1%201AD", api.VerdictWellFormed, "GU1 1AD", "terminated", false, ""},
		{"GU1%203AA", api.VerdictWellFormed, "GU1 3AA", "not_in_register", true, ""},
		{"GUI%201AA", api.VerdictMalformed, "", "", false, "GU1 1AA"},
		{"GU1%201AAX", api.VerdictMalformed, "", "", false, "GU1 1AA"},
		{"BT1%201AA", api.VerdictOutOfArea, "", "", false, ""},
	} {
		a := get[api.ValidateAnswer](t, s, "/v1/postcodes/"+c.text+"/validate", 200)
		if a.Verdict != c.verdict || a.Postcode.V.String() != c.postcode || string(a.Status) != c.status || a.InExtracts != c.inExtracts {
			t.Errorf("%s: %+v", c.text, a)
		}
		if c.suggestion != "" && (len(a.Suggestions) == 0 || a.Suggestions[0].Text != c.suggestion) {
			t.Errorf("%s: suggestions %+v, want %s", c.text, a.Suggestions, c.suggestion)
		}
		if (a.Verdict == api.VerdictWellFormed) != (a.Detail == "") {
			t.Errorf("%s: detail %q", c.text, a.Detail)
		}
	}
}

// A postcode that the tests do not know is not served with the answer of one
// that they do, whatever order they come in.
func TestAnswersDoNotMix(t *testing.T) {
	s := testServer(t, Options{})
	for range 3 {
		if a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA", 200); a.Estimate != nil || a.Candidates != nil || a.Reason != "" {
			t.Errorf("%+v", a)
		}
		if a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AA?address=99", 200); len(a.Premises) != 0 || len(a.Candidates) != 5 {
			t.Errorf("%+v", a)
		}
		if a := get[api.PostcodeAnswer](t, s, "/v1/postcodes/GU11AB", 200); len(a.Premises) != 0 || a.Candidates != nil {
			t.Errorf("%+v", a)
		}
	}
	_, ok := s.Snapshot().Postcode(geo.Postcode{})
	if ok {
		t.Error("the zero postcode is known")
	}
}

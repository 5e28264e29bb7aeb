package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// allocationWorld is a build of premises with a claim on South: each case is
// postcode, latitude, longitude. The register has GU1 in the South alone, CH4
// in two Regions, and SR43 without coordinates.
func allocationWorld(cases ...string) world {
	rows := []string{"uprn,postcode,latitude,longitude,network_region,coverage_availability\n"}
	for i, c := range cases {
		rows = append(rows, fmt.Sprintf("%d,%s,South,true\n", 1+i, c))
	}
	return premisesWorld("Telefonica", strings.Join(rows, "")).
		with("coverd.toml", "\n[[register]]\npath = \"r.csv\"\n").
		with("r.csv", "postcode,latitude,longitude\nGU1 1AA,51,-1\nGU1 1AB,,\nCH4 0AA,52,-1\nCH4 0AB,53,-1\nCH4 0AD,,\nSR43 4BU,,\nTD15 1AA,56,-1\n")
}

func TestRegionOfPremises(t *testing.T) {
	for _, tt := range []struct{ name, place, want string }{
		{"its location", "GU1 1AA,51,-1", "South boundary"},
		{"whatever its postcode", "GU1 1AA,53,-1", "Central boundary"},
		{"and its claims", ",56,-1", "North boundary"},
		{"on a border the first", ",52.5,-1", "Central boundary"},
		{"just off the land", ",50.49,-1", "South nearest"},
		{"its postcode's", "CH4 0AB,,", "Central postcode"},
		{"its outcode's", "GU1 1AB,,", "South outcode"},
		{"its outcode's, of a postcode in no register", "GU1 9ZZ,,", "South outcode"},
		{"an outcode in two Regions", "CH4 0AD,,", " "},
		{"an outcode in two Regions, of a postcode in no register", "CH4 9ZZ,,", " "},
		{"an outcode without coordinates", "SR43 4BU,,", " "},
		{"an outcode that nobody knows", "ZE1 0AA,,", " "},
		{"neither postcode nor coordinates", ",,", " "},
	} {
		s, _ := allocationWorld(tt.place).build(t)
		a := byUPRN(t, s, 1).Region()
		if got := a.Region.String() + " " + a.Basis.String(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A point over 2 km off the land is in no Region, and is not taken.
func TestOffshore(t *testing.T) {
	_, sum := allocationWorld(",50.483,-1", ",50.481,-1").build(t)
	if diff := cmp.Diff([]string{"1.csv:3: latitude: outside"}, rejects(sum)); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}

// A claim on a network region of another Region changes nothing, and is
// counted; 4G ones as well, those of no Region never.
func TestRegionMismatch(t *testing.T) {
	s, sum := premisesWorld("Arqiva", `uprn,latitude,longitude,network_region,coverage_availability
1,53,-1,North,true
1,53,-1,4G South,true
1,53,-1,Central,true
1,53,-1,4G Central,true
1,53,-1,SMETS1,true
1,53,-1,Unknown,true
2,51,-1,Central,false
`).build(t)
	if got := byUPRN(t, s, 1).Region().Region.String(); got != "Central" {
		t.Errorf("Region %s", got)
	}
	if sum.RegionMismatch != 3 {
		t.Errorf("%d mismatches, want 3", sum.RegionMismatch)
	}
	if !strings.Contains(strings.Join(sum.Warnings, "\n"), "3 claims are on a network region of another Region than their premises'") {
		t.Errorf("warnings %q", sum.Warnings)
	}
}

// So it is where the Region is that of the postcode or the outcode.
func TestRegionMismatchWithoutCoordinates(t *testing.T) {
	w := allocationWorld("").with("1.csv", `uprn,postcode,network_region,coverage_availability
1,GU1 1AA,North,true
2,GU1 1AB,4G Central,true
3,GU1 1AA,South,true
4,CH4 0AD,North,true
`)
	if _, sum := w.build(t); sum.RegionMismatch != 2 {
		t.Errorf("%d mismatches, want 2", sum.RegionMismatch)
	}
}

// What is not known of premises, and of postcodes, is counted.
func TestWithout(t *testing.T) {
	_, sum := premisesWorld("Arqiva", short+"1,GU1 1AA,,51,-1,South,true,\n2,,,51,-1,South,true,\n3,GU1 1AB,,,,South,true,\n,GU1 1AB,7,,,South,true,\n").
		with("coverd.toml", "\n[[register]]\npath = \"r.csv\"\n").
		with("r.csv", "postcode,latitude,longitude,terminated\nGU1 1AA,51,-1,\nGU1 1AD,51,-1,\nGU1 1AE,51,-1,\nGU1 1AF,51,-1,2020-01\n").build(t)
	got := []int64{sum.Premises, sum.WithoutLocation, sum.WithoutPostcode, sum.WithoutUPRN, sum.NotInRegister, sum.NotInExtracts}
	if diff := cmp.Diff([]int64{4, 2, 1, 1, 1, 2}, got); diff != "" {
		t.Errorf("premises, without location, postcode, UPRN, postcodes not in register, not in extracts (-want +got):\n%s", diff)
	}
}

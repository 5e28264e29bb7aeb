package loader

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBind(t *testing.T) {
	b, warnings, err := bind(strings.Split("LAT,coverage_availability,uprn,longitude, network_region ,Wan Variant,,notes", ","),
		map[string]string{"latitude": "LAT"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[column]int{colLat: 0, colAvailable: 1, colUPRN: 2, colLng: 3, colNetwork: 4}
	for c := range numColumns {
		i, ok := want[c]
		if !ok {
			i = -1
		}
		if b.fields[c] != i {
			t.Errorf("%v is field %d, want %d", c, b.fields[c], i)
		}
	}
	if diff := cmp.Diff([]string{"latitude", "coverage_availability", "uprn", "longitude", "network_region", "Wan Variant", "", "notes"}, b.names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"column 7 has no name and is not read",
		`column 6, "Wan Variant", is not read: if it is our wan_variant, say so under [extract.columns]: wan_variant = "Wan Variant"`,
		`column 8, "notes", is not read`,
	}, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestBindErrors(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		columns      map[string]string
		want         string
	}{
		{"a column twice", "uprn,network_region,uprn,coverage_availability", nil, `column "uprn" is there twice, as the 1. and the 3.: nothing says which one counts`},
		{"also one that is not ours", "x,uprn,x", nil, `column "x" is there twice`},
		{"semicolons", "uprn;network_region;coverage_availability", nil, `the header is one column with ";" in it: columns are separated by commas`},
		{"tabs", "uprn\tnetwork_region", nil, `the header is one column with "\t" in it`},
		{
			"mapped, and not there", "UPRN,PCODE,network_region,coverage_availability",
			map[string]string{"postcode": "PCOD"},
			`the manifest reads postcode from column "PCOD", which is not there: did you mean "PCODE"?; the header has: UPRN, PCODE, `,
		},
		{"no network region", "uprn,coverage_availability", nil, "no column network_region: name it under [extract.columns] if it is called otherwise; the header has: uprn, coverage_availability"},
		{"no availability", "uprn,network_region", nil, "no column coverage_availability: "},
		{"latitude alone", "uprn,network_region,coverage_availability,latitude", nil, "no pair of columns latitude and longitude, only one of them"},
		{"northing alone", "uprn,network_region,coverage_availability,northing", nil, "no pair of columns easting and northing, only one of them"},
		{"a postcode alone", "postcode,network_region,coverage_availability", nil, "no way to tell premises apart: uprn, or postcode and address_identifier, or coordinates"},
		{"another case", "UPRN,Network_Region,coverage_availability", nil, "no column network_region: "},
	} {
		_, _, err := bind(strings.Split(tt.header, ","), tt.columns)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Any of the three ways to tell premises apart is enough.
func TestBindIdentity(t *testing.T) {
	for _, ids := range []string{"uprn", "postcode,address_identifier", "latitude,longitude", "easting,northing"} {
		if _, _, err := bind(strings.Split(ids+",network_region,coverage_availability", ","), nil); err != nil {
			t.Errorf("%s: %v", ids, err)
		}
	}
}

// One of their columns may hold two of ours, told apart by their values.
func TestBindOneColumnTwice(t *testing.T) {
	s, _ := premisesWorld(`Arqiva
[extract.columns]
wan_variant         = "HUB"
auxiliary_equipment = "HUB"
[extract.values.wan_variant]
"SKU1-T2" = "SKU1"
[extract.values.auxiliary_equipment]
"SKU1-T2" = "T2"`, "uprn,network_region,coverage_availability,HUB\n1,South,true,SKU1-T2\n").build(t)
	c, _ := byUPRN(t, s, 1).Claims().At(0)
	if c.Variant != "SKU1" || c.Auxiliary != "T2" {
		t.Errorf("claim %+v", c)
	}
}

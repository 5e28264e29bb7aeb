package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// square is a feature of a square around 51° N 1° W, of a size in degrees.
func square(size float64, properties string) string {
	return fmt.Sprintf(`{"type":"Feature","properties":{%s},"geometry":{"type":"Polygon","coordinates":[%s]}}`, properties, ringAround(size)) + "\n"
}

func ringAround(size float64) string {
	w, e, s, n := -1-size, -1+size, 51-size, 51+size
	return fmt.Sprintf("[[%[1]v,%[3]v],[%[2]v,%[3]v],[%[2]v,%[4]v],[%[1]v,%[4]v],[%[1]v,%[3]v]]", w, e, s, n)
}

func south(variant string) string {
	return fmt.Sprintf(`"network_region":"South","coverage_availability":true,"wan_variant":"%s"`, variant)
}

// areasWorld is a build of one premises extract and area extracts, as pairs of
// a CSP, with perhaps more lines of its table, and the lines of features.
func areasWorld(premises string, pairs ...string) world {
	w := premisesWorld("Telefonica", premises)
	for i := 0; i < len(pairs); i += 2 {
		csp, more, _ := strings.Cut(pairs[i], "\n")
		path := fmt.Sprintf("areas%d.geojsonl", i/2)
		w = w.with(path, pairs[i+1]).with("coverd.toml",
			fmt.Sprintf("\n[[extract]]\ncsp = %q\nkind = \"areas\"\npath = %q\n%s\n", csp, path, more))
	}
	return w
}

// A premises in the middle, with a 4G claim alone.
const middle = "uprn,latitude,longitude,network_region,coverage_availability\n1,51,-1,4G South,true\n"

func TestAreaClaims(t *testing.T) {
	const own = "1 51.000000,-1.000000: %s4G South/Telefonica+"
	hole := fmt.Sprintf(`{"type":"Feature","properties":{%s},"geometry":{"type":"Polygon","coordinates":[%s,%s]}}`, south("HOLE"), ringAround(0.3), ringAround(0.1)) + "\n"
	for _, tt := range []struct {
		name string
		w    world
		want string
	}{
		{"no area", areasWorld(middle), ""},
		{"an area", areasWorld(middle, "Arqiva", square(0.1, south("A"))), "[South/Arqiva+/A] "},
		{"the smallest wins", areasWorld(middle, "Arqiva", square(0.2, south("A"))+square(0.1, south("B"))+square(0.3, south("C"))), "[South/Arqiva+/B] "},
		{"whatever it says", areasWorld(middle, "Arqiva", square(0.2, south("A")), "Telefonica", square(0.1, `"network_region":"South","coverage_availability":false`)), "[South/Telefonica-] "},
		{"of equal ones the first in the manifest", areasWorld(middle, "Arqiva", square(0.1, south("A")), "Telefonica", square(0.1, south("B"))), "[South/Arqiva+/A] "},
		{"of equal ones the first feature", areasWorld(middle, "Arqiva", square(0.1, south("B"))+square(0.1, south("A"))), "[South/Arqiva+/B] "},
		{"not in the hole", areasWorld(middle, "Arqiva", hole), ""},
		{"a larger one around the hole", areasWorld(middle, "Arqiva", hole+square(0.5, south("A"))), "[South/Arqiva+/A] "},
		{"elsewhere", areasWorld(strings.Replace(middle, "-1,4G", "-2,4G", 1), "Arqiva", square(0.1, south("A"))), "-"},
		{"each network region its own", areasWorld(middle, "Arqiva", square(0.1, south("A"))+square(0.2, strings.Replace(south("B"), "South", "North", 1))), "[North/Arqiva+/B] [South/Arqiva+/A] "},
		{"a claim of its own stands, even of another CSP, even unknown", areasWorld(
			strings.Replace(middle, "4G South,true", "South,", 1)+"1,51,-1,4G South,true\n", "Arqiva", square(0.1, south("A"))), "South/Telefonica? "},
		{"without coordinates no area", areasWorld(strings.Replace(middle, "51,-1,", ",,", 1), "Arqiva", square(0.1, south("A"))), "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := tt.w.build(t)
			got := all(s)
			want := fmt.Sprintf(own, tt.want)
			if tt.want == "-" {
				if strings.Contains(got[0], "[") {
					t.Errorf("got %q, want no area's claim", got)
				}
			} else if !cmp.Equal(got, []string{want}) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The smallest on the ground, not in degrees: further north the same square is
// narrower.
func TestAreaSizeIsOfTheGround(t *testing.T) {
	wide := `{"type":"Feature","properties":{` + south("WIDE") + `},"geometry":{"type":"Polygon","coordinates":[[[-1.5,50.9],[-0.5,50.9],[-0.5,51.1],[-1.5,51.1],[-1.5,50.9]]]}}` + "\n"        // 0.2 square degrees around 51°
	tall := `{"type":"Feature","properties":{` + south("TALL") + `},"geometry":{"type":"Polygon","coordinates":[[[-1.02,50.9],[-0.98,50.9],[-0.98,55.99],[-1.02,55.99],[-1.02,50.9]]]}}` + "\n" // 0.2036, and narrower on average
	s, _ := areasWorld(middle, "Arqiva", wide+tall).build(t)
	if got, want := all(s), []string{"1 51.000000,-1.000000: [South/Arqiva+/TALL] 4G South/Telefonica+"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAreaRejects(t *testing.T) {
	for _, tt := range []struct {
		feature string
		want    string // column: code
	}{
		{"{", ": json"},
		{`{"type":"FeatureCollection","features":[]}`, ": json"},
		{square(0.1, `"coverage_availability":true`), "network_region: network_region"},
		{square(0.1, `"network_region":null`), "network_region: network_region"},
		{square(0.1, `"network_region":5`), "network_region: property"},
		{square(0.1, `"network_region":"South","coverage_availability":"maybe"`), "coverage_availability: availability"},
		{square(0.1, `"network_region":"South","coverage_availability":1`), "coverage_availability: availability"},
		{square(0.1, south("A")+`,"coverage_end_date":20261231`), "coverage_end_date: property"},
		{square(0.1, south("A")+`,"coverage_end_date":["2026-12-31"]`), "coverage_end_date: property"},
		{square(0.1, south("A")+`,"coverage_end_date":"2026-12"`), "coverage_end_date: date"},
		{square(0.1, `"network_region":"South","coverage_availability":false,"anticipated_coverage_date":"2027-02-01","coverage_end_date":"2027-01-01"`), "coverage_end_date: date_order"},
		{square(0.1, south("A")+`,"connectivity_likelihood":"0.9"`), "connectivity_likelihood: likelihood"},
		{square(0.1, south(strings.Repeat("A", 31))), "wan_variant: too_long"},
		{square(0.1, south(`A\u0000`)), "wan_variant: control"},
		{square(0.1, south("A")+`,"additional_information":"a\tb"`), "additional_information: control"},
		{square(0.1, south("A")+`,"wan_variant":"B"`), ": property"},
		{square(0.1, south("caf\xe9")), ": encoding"},
		{strings.Replace(square(0.1, south("A")), "Polygon", "LineString", 1), "geometry: geometry"},
		{strings.Replace(square(0.1, south("A")), "[-1.1,50.9]", "[50.9,-1.1]", 2), "geometry: swapped"},
		{strings.Replace(square(0.1, south("A")), "-1.1,", "-11,", 4), "geometry: outside"},
	} {
		_, s := areasWorld(middle, "Arqiva", square(0.1, south("GOOD"))+strings.TrimSuffix(tt.feature, "\n")+"\n"+square(0.1, south("GOOD"))).build(t)
		if got, want := rejects(s), []string{"areas0.geojsonl:2: " + tt.want}; !cmp.Equal(got, want) {
			t.Errorf("%s\n got %v\nwant %v", tt.feature, got, want)
		}
		if s.Areas != 2 || s.Rows != 4 || s.Accepted != 3 || s.Rejected != 1 {
			t.Errorf("%s: counts %+v", tt.feature, s)
		}
	}
}

// Booleans may be text, text may have line breaks, null is as good as nothing.
func TestAreaProperties(t *testing.T) {
	s, sum := areasWorld(middle, "Arqiva\n[extract.columns]\nwan_variant = \"HUB\"\nadditional_information = \"REMARKS\"\n[extract.values.network_region]\nS = \"South\"",
		square(0.1, `"network_region":"S","coverage_availability":"TRUE","HUB":" SKU2 ","wan_technology":null,"remarks":"x","wan_variant":"not read","network":7`)).build(t)
	if got, want := all(s), []string{"1 51.000000,-1.000000: [South/Arqiva+/SKU2] 4G South/Telefonica+"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want := []string{
		`no feature has a property "REMARKS"`, `property "network" is not read`,
		`property "remarks" is not read`, `property "wan_variant" is not read`,
	}
	if diff := cmp.Diff(want, sum.Sources[2].Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// The last line of a file that ends without a line end, and is no JSON, is cut.
func TestCutFeature(t *testing.T) {
	text := square(0.1, south("A")) + strings.TrimSuffix(square(0.2, south("B")), "\n")
	areasWorld(middle, "Arqiva", text).build(t)
	for _, n := range []int{1, 10, 100} {
		if gates, _ := areasWorld(middle, "Arqiva", text[:len(text)-n]).refused(t); !cmp.Equal(gates, []string{gateFile}) {
			t.Errorf("without the last %d bytes: gates %v", n, gates)
		}
	}
	_, s := areasWorld(middle, "Arqiva", text[:len(text)-10]+"\n").build(t)
	if got := rejects(s); !cmp.Equal(got, []string{"areas0.geojsonl:2: : json"}) {
		t.Errorf("with a line end: %v", got)
	}
}

func TestFeatureCollectionExtract(t *testing.T) {
	w := premisesWorld("Telefonica", middle).
		with("areas.geojson", "{\"type\":\"FeatureCollection\",\"features\":[\n"+square(0.1, south("A"))+",\n"+square(0.1, south("B")+`,"wan_variant":1`)+"]}").
		with("coverd.toml", "\n[[extract]]\ncsp = \"Arqiva\"\nkind = \"areas\"\npath = \"areas.geojson\"\nrows = 2\n")
	s, sum := w.build(t)
	if got := all(s); !strings.Contains(got[0], "[South/Arqiva+/A]") {
		t.Errorf("premises %q", got)
	}
	if got := rejects(sum); !cmp.Equal(got, []string{"areas.geojson:4: : property"}) {
		t.Errorf("rejects %v", got)
	}
	if gates, _ := w.with("areas.geojson", "[]").refused(t); !cmp.Equal(gates, []string{gateFile}) {
		t.Errorf("gates %v", gates)
	}
}

package loader

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
)

// goodCells is a row with every column.
var goodCells = map[string]string{
	"uprn": "990000000001", "postcode": "GU1 2AA", "address_identifier": "1", "latitude": "51.239448", "longitude": "-0.564876",
	"network_region": "South", "coverage_availability": "false", "anticipated_coverage_date": "2027-01-01", "coverage_end_date": "2030-01-01",
	"wan_technology": "Cellular", "wan_variant": "SKU1", "connectivity_likelihood": "High", "auxiliary_equipment": "T1",
	"additional_information": "none",
}

// rowWith is a CSV of the good row with some cells changed, and columns added.
func rowWith(change map[string]string) string {
	cells := maps.Clone(goodCells)
	maps.Copy(cells, change)
	names := slices.Sorted(maps.Keys(cells))
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + strings.ReplaceAll(cells[n], `"`, `""`) + `"`
	}
	return strings.Join(names, ",") + "\n" + strings.Join(quoted, ",") + "\n"
}

// cell makes a change: pairs of a column and a text.
func cells(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// grid moves the good row from degrees to metres.
func grid(easting, northing string) map[string]string {
	return cells("latitude", "", "longitude", "", "easting", easting, "northing", northing)
}

func TestRejectedCells(t *testing.T) {
	long := strings.Repeat("ŷ", 31)
	for _, tt := range []struct {
		change map[string]string
		column string
		code   Code
		reason string // its start
	}{
		{cells("uprn", "9900061391234"), "uprn", CodeUPRN, "not a UPRN: "},
		{cells("uprn", "0"), "uprn", CodeUPRN, ""},
		{cells("uprn", "000000000000"), "uprn", CodeUPRN, ""},
		{cells("uprn", "99006139123A"), "uprn", CodeUPRN, ""},
		{cells("uprn", "-1"), "uprn", CodeUPRN, ""},
		{cells("uprn", "9.90061E+11"), "uprn", CodeUPRN, ""},
		{cells("uprn", "9900 0000 0001"), "uprn", CodeUPRN, ""},

		{cells("postcode", "GU1"), "postcode", CodePostcode, ""},
		{cells("postcode", "GU1 1CI"), "postcode", CodePostcode, ""},
		{cells("postcode", "GUI 1AA"), "postcode", CodePostcode, ""},
		{cells("postcode", "GU1 1AA x"), "postcode", CodePostcode, ""},
		{cells("postcode", "BT1 1AA"), "postcode", CodeOutOfArea, ""},
		{cells("postcode", "JE2 4WD"), "postcode", CodeOutOfArea, ""},
		{cells("postcode", "GY1 1AA"), "postcode", CodeOutOfArea, ""},
		{cells("postcode", "IM1 1AA"), "postcode", CodeOutOfArea, ""},
		{cells("postcode", "BF1 1AA"), "postcode", CodeOutOfArea, ""},
		{cells("postcode", "BX1 1LT"), "postcode", CodeOutOfArea, ""},

		{cells("latitude", "", "longitude", "-0.5"), "latitude", CodeHalfPair, "longitude without latitude"},
		{cells("longitude", ""), "longitude", CodeHalfPair, "latitude without longitude"},
		{grid("", "149900"), "easting", CodeHalfPair, "northing without easting"},
		{grid("500200", ""), "northing", CodeHalfPair, "easting without northing"},
		{cells("latitude", "NaN"), "latitude", CodeCoordinate, ""},
		{cells("longitude", "-Inf"), "longitude", CodeCoordinate, ""},
		{cells("latitude", "1e309"), "latitude", CodeCoordinate, ""},
		{cells("latitude", "51,239448"), "latitude", CodeCoordinate, ""},
		{cells("latitude", `51°14'22"N`), "latitude", CodeCoordinate, ""},
		{cells("latitude", "0x33"), "latitude", CodeCoordinate, ""},
		{cells("latitude", "-0.564876", "longitude", "51.239448"), "latitude", CodeSwapped, "latitude -0.564876, longitude 51.239448 are exchanged"},
		{cells("latitude", "48.8566", "longitude", "2.3522"), "latitude", CodeOutside, ""},
		{cells("latitude", "0", "longitude", "0"), "latitude", CodeOutside, ""},
		{cells("latitude", "-0", "longitude", "-0"), "latitude", CodeOutside, ""},
		{cells("latitude", "91"), "latitude", CodeOutside, ""},
		{cells("longitude", "-56.4876"), "longitude", CodeOutside, ""},
		{cells("latitude", "54.597", "longitude", "-5.93"), "latitude", CodeOutside, "54.597000, -5.930000 is over 2000 m off Great Britain"}, // Belfast, in the extent
		{grid("700001", "149900"), "easting", CodeSwapped, ""},
		{grid("149900", "700001"), "easting", CodeOutside, ""}, // on the grid, and at sea
		{grid("1300001", "149900"), "easting", CodeOutside, ""},
		{grid("500200", "1300001"), "northing", CodeOutside, ""},
		{grid("-1", "149900"), "easting", CodeOutside, ""},
		{grid("500200", "-1"), "northing", CodeOutside, ""},
		{grid("500200", "149900 m"), "northing", CodeCoordinate, ""},
		{grid("0", "1290000"), "easting", CodeOutside, "easting 0, northing 1290000 is not on the National Grid's land"},
		{grid("NaN", "149900"), "easting", CodeCoordinate, ""},
		{cells("easting", "500300", "northing", "149900"), "easting", CodeDisagree, "easting and northing are "},

		{cells("network_region", ""), "network_region", CodeNetworkRegion, "it is empty: "},
		{cells("network_region", "East"), "network_region", CodeNetworkRegion, ""},
		{cells("network_region", "south"), "network_region", CodeNetworkRegion, `not a network region: "south" (want North, Central, South, 4G North, 4G Central, 4G South, Unknown or SMETS1); if it means South, say so under [extract.values.network_region]: "south" = "South"`},
		{cells("coverage_availability", "maybe"), "coverage_availability", CodeAvailability, ""},
		{cells("coverage_availability", "1"), "coverage_availability", CodeAvailability, ""},
		{cells("coverage_availability", "T"), "coverage_availability", CodeAvailability, `neither true nor false, nor empty for unknown: "T"; if it means true, say so under [extract.values.coverage_availability]: "T" = "true"`},
		{cells("anticipated_coverage_date", "2026-02-30"), "anticipated_coverage_date", CodeDate, ""},
		{cells("anticipated_coverage_date", "31/12/2026"), "anticipated_coverage_date", CodeDate, ""},
		{cells("anticipated_coverage_date", "2027-1-1"), "anticipated_coverage_date", CodeDate, ""},
		{cells("coverage_end_date", "2030-12"), "coverage_end_date", CodeDate, ""},
		{cells("coverage_end_date", "2026-12-31T00:00:00Z"), "coverage_end_date", CodeDate, ""},
		{cells("coverage_end_date", "soon"), "coverage_end_date", CodeDate, ""},
		{cells("coverage_end_date", "2026-12-31"), "coverage_end_date", CodeDateOrder, "a plan that ends before it starts"},
		{cells("connectivity_likelihood", "Certain"), "connectivity_likelihood", CodeLikelihood, ""},
		{cells("connectivity_likelihood", "high"), "connectivity_likelihood", CodeLikelihood, ""},

		{cells("address_identifier", long), "address_identifier", CodeTooLong, "31 characters: at most 30"},
		{cells("wan_technology", long), "wan_technology", CodeTooLong, ""},
		{cells("wan_variant", long), "wan_variant", CodeTooLong, ""},
		{cells("auxiliary_equipment", strings.Repeat("x", 51)), "auxiliary_equipment", CodeTooLong, "51 characters: at most 50"},
		{cells("additional_information", strings.Repeat("x", 251)), "additional_information", CodeTooLong, ""},

		{cells("address_identifier", "caf\xe9"), "address_identifier", CodeEncoding, "not UTF-8: byte 4 is 0xE9"},
		{cells("notes", "caf\xe9"), "notes", CodeEncoding, ""}, // not read, and still no text
		{cells("address_identifier", "a\x00b"), "address_identifier", CodeControl, "a control character: byte 2 starts U+0000"},
		{cells("uprn", "\x00990000000001"), "uprn", CodeControl, ""},
		{cells("wan_variant", "a\tb"), "wan_variant", CodeControl, "a tab in it"},
		{cells("wan_variant", "a\nb"), "wan_variant", CodeControl, "a line break inside it"},
		{cells("postcode", "GU1\n2AA"), "postcode", CodeControl, ""},
		{cells("additional_information", "a\rb"), "additional_information", CodeControl, ""},
		{cells("additional_information", "a\u0085b"), "additional_information", CodeControl, "a control character: byte 2 starts U+0085"},

		{cells("uprn", "", "address_identifier", "", "latitude", "", "longitude", ""), "uprn", CodeNoIdentity, ""},
		{cells("uprn", "", "postcode", "", "latitude", "", "longitude", ""), "uprn", CodeNoIdentity, ""},
	} {
		text := rowWith(tt.change)
		_, s := premisesWorld("Arqiva", text).build(t)
		if got, want := rejects(s), []string{fmt.Sprintf("1.csv:2: %s: %s", tt.column, tt.code)}; !cmp.Equal(got, want) {
			t.Errorf("%q:\n got %v\nwant %v", tt.change, got, want)
			continue
		}
		r := s.Sources[1].Rejects[0]
		if !strings.HasPrefix(r.Reason, tt.reason) || r.Reason == "" {
			t.Errorf("%q: reason %q, want %q", tt.change, r.Reason, tt.reason)
		}
		if _, want, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n"); r.Row != want {
			t.Errorf("%q: row %q, want %q", tt.change, r.Row, want)
		}
		if s.Premises != 0 || s.Rejected != 1 || s.Accepted != 0 || s.Rows != 1 {
			t.Errorf("%q: counts %+v", tt.change, s)
		}
	}
}

// Rows that look odd and are good: what the snapshot has of them.
func TestAcceptedCells(t *testing.T) {
	thirty := strings.Repeat("ŷ", 30)
	const want = `990000000001 GU1 2AA "1" 51.239448,-0.564876: South/Arqiva-/SKU1`
	for _, tt := range []struct {
		change map[string]string
		want   string
	}{
		{nil, want},
		{cells("uprn", "0990000000001"), want}, // padded to 13
		{cells("uprn", " 990000000001 "), want},
		{cells("uprn", "000000000042"), strings.Replace(want, "990000000001", "42", 1)},
		{cells("postcode", "gu12aa"), want},
		{cells("postcode", " Gu1  2aa "), want},
		{cells("address_identifier", "  1 "), want},
		{cells("address_identifier", thirty), strings.Replace(want, `"1"`, `"`+thirty+`"`, 1)},
		{cells("address_identifier", "Two\nlines"), strings.Replace(want, `"1"`, `"Two\nlines"`, 1)},
		{cells("address_identifier", "=1+1"), strings.Replace(want, `"1"`, `"=1+1"`, 1)},
		{cells("address_identifier", `The "Snug", rear`), strings.Replace(want, `"1"`, `"The \"Snug\", rear"`, 1)},
		{cells("notes", "two\nlines"), want}, // of a column that is not read
		{cells("latitude", "51.2394484", "longitude", "-0.5648764"), want},
		{cells("latitude", "51.2394485", "longitude", "-0.5648765"), strings.Replace(want, "51.239448,-0.564876", "51.239449,-0.564877", 1)},
		{cells("latitude", "+51.239448", "longitude", "-.564876"), want},
		{cells("latitude", "", "longitude", ""), strings.Replace(want, " 51.239448,-0.564876", "", 1)},
		{grid("500300", "149900"), strings.Replace(want, "51.239448,-0.564876", "51.239469,-0.564569", 1)},
		{cells("easting", "500278", "northing", "149900"), want}, // both pairs, two metres apart: the degrees count
		{cells("coverage_availability", "FALSE"), want},
		{cells("coverage_availability", ""), strings.Replace(want, "Arqiva-", "Arqiva?", 1)},
		{cells("coverage_availability", "True"), strings.Replace(want, "Arqiva-", "Arqiva+", 1)},
		{cells("coverage_availability", "true", "coverage_end_date", "2026-12-31"), strings.Replace(want, "Arqiva-", "Arqiva+", 1)}, // there until then
		{cells("coverage_end_date", "2027-01-01"), want},                                                                            // a plan for one day
		{cells("anticipated_coverage_date", "", "coverage_end_date", "", "wan_variant", "", "connectivity_likelihood", "", "wan_technology", ""), strings.Replace(want, "/SKU1", "", 1)},
	} {
		s, _ := premisesWorld("Arqiva", rowWith(tt.change)).build(t)
		got := all(s)
		if !cmp.Equal(got, []string{tt.want}) {
			t.Errorf("%q:\n got %q\nwant %q", tt.change, got, tt.want)
		}
	}
}

// What is wrong with a record as such.
func TestRejectedRecords(t *testing.T) {
	const head = "uprn,network_region,coverage_availability,additional_information\n"
	long := strings.Repeat("x", maxRecord)
	for _, tt := range []struct {
		name, rows string
		want       []string // rejects
		accepted   int64
	}{
		{"too few and too many fields", "1,South,true\n2,South,true,,\n3\n4,South,true,\n", []string{"1.csv:2: : field_count", "1.csv:3: : field_count", "1.csv:4: : field_count"}, 1},
		{"blank lines are none", "\n1,South,true,\n\r\n\n2,South,true,\n", nil, 2},
		{"a bare quote", "1,South,true,The \"Snug\"\n2,South,true,\n", []string{"1.csv:2: : quotes"}, 1},
		{"text after a quote", "1,South,true,\"The Snug\" rear\n2,South,true,\n", []string{"1.csv:2: : quotes"}, 1},
		{"a quote that swallows rows up to the next", "1,South,true,\"The Snug\n2,South,true,\n3,South,true,\"x\"\n", []string{"1.csv:2: : quotes"}, 2},
		{"a quote that is never closed, far from the end", "1,South,true,\"The Snug\n" + strings.Repeat("2,South,true,\n", 5000), []string{"1.csv:2: : quotes"}, 5000},
		{"a long line", "1,South,true," + long + "\n2,South,true,\n", []string{"1.csv:2: : line_length"}, 1},
		{"line numbers after a record over two lines", "1,South,true,\"two\nlines\"\n2,East,true,\n", []string{"1.csv:4: network_region: network_region"}, 1},
		{"CRLF", "1,South,true,\"two\r\nlines\"\r\n2,East,true,\r\n", []string{"1.csv:4: network_region: network_region"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, s := premisesWorld("Arqiva", head+tt.rows).build(t)
			if got := rejects(s); !cmp.Equal(got, tt.want) || s.Accepted != tt.accepted {
				t.Errorf("got %v, %d accepted, want %v, %d", got, s.Accepted, tt.want, tt.accepted)
			}
		})
	}
	for name, rows := range map[string]string{
		"cut in a row":    "1,South,true,\n2,South",
		"cut in quotes":   "1,South,true,\n2,South,true,\"x",
		"no line end":     "1,South,true,\n2,South,true,x",
		"too many fields": "1,South,true,\n2,South,true,x,y",
		"a bare quote":    "1,South,true,\n2,South,true,x\"y",
		"one quote alone": "1,South,true,\"\n2,South,true,\n",
	} {
		if gates, _ := premisesWorld("Arqiva", head+rows).refused(t); !cmp.Equal(gates, []string{gateFile}) {
			t.Errorf("%s: gates %v", name, gates)
		}
	}
}

func TestMapping(t *testing.T) {
	s, sum := premisesWorld(`Arqiva
[extract.columns]
uprn                  = "PROPERTY REF"
coverage_availability = "AVAILABLE"
[extract.values.coverage_availability]
Y = "true"
N = "false"
"not known" = ""
[extract.values.network_region]
N = "North"
[extract.values.coverage_end_date]
9999-12-31 = ""
[extract.values.uprn]
"NONE" = ""
`, "PROPERTY REF,uprn,postcode,address_identifier,network_region,AVAILABLE,coverage_end_date\n"+
		"1,x,,,N,Y,9999-12-31\n2,x,,,South, N ,2027-01-01\n3,x,,,South,not known,\n4,x,,,South,true,\nNONE,x,GU1 1AA,12,N,N,\n5,x,,,S,n,\n").build(t)
	want := []string{
		`GU1 1AA "12": North/Arqiva-`, "1: North/Arqiva+", "2: South/Arqiva-", "3: South/Arqiva?", "4: South/Arqiva+",
	}
	if diff := cmp.Diff(want, all(s)); diff != "" {
		t.Errorf("premises (-want +got):\n%s", diff)
	}
	if c, _ := byUPRN(t, s, 1).Claims().At(0); c.End != 0 {
		t.Errorf("end date %v", c.End)
	}
	if diff := cmp.Diff([]string{"1.csv:7: network_region: network_region"}, rejects(sum)); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`1.csv: column 2, "uprn", is not read`}, sum.Sources[1].Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Files of one extract may have their columns in different orders.
func TestColumnOrder(t *testing.T) {
	w := premisesWorld("Arqiva", "uprn,network_region,coverage_availability\n1,South,true\n").
		with("2.csv", "coverage_availability,uprn,network_region\nfalse,2,North\n")
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "1.csv", "*.csv", 1)
	s, _ := w.build(t)
	if diff := cmp.Diff([]string{"1: South/Arqiva+", "2: North/Arqiva-"}, all(s)); diff != "" {
		t.Errorf("premises (-want +got):\n%s", diff)
	}
}

// Two files of one extract may have their columns in another order: a claim is
// not taken for one that looked the same in the file before.
func TestClaimsOfFilesWithOtherColumns(t *testing.T) {
	w := premisesWorld("A", "")
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "1.csv", "?.csv", 1)
	w["1.csv"] = "uprn,postcode,network_region,coverage_availability,wan_technology,wan_variant\n1,GU1 1AA,South,true,X,Y\n"
	w["2.csv"] = "uprn,postcode,network_region,coverage_availability,wan_variant,wan_technology\n2,GU1 1AA,South,true,X,Y\n"
	w["3.csv"] = "uprn,postcode,network_region,coverage_availability,wan_variant\n3,GU1 1AA,South,true,X\n"
	w["4.csv"] = "uprn,postcode,network_region,coverage_availability,wan_technology\n4,GU1 1AA,South,true,X\n"
	s, _ := w.build(t)
	for i, want := range []string{"X/Y", "Y/X", "/X", "X/"} {
		c, _ := byUPRN(t, s, geo.UPRN(i+1)).Claims().At(0)
		if got := c.Technology + "/" + c.Variant; got != want {
			t.Errorf("file %d: %s, want %s", i+1, got, want)
		}
	}
}

// TestPlain: eight bytes at a time or one by one, the same are plain; and the
// lexer calls no record plain that is not.
func TestPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.ByteRange(0x20, 0x7e), 0, 40).Draw(t, "row")
		if len(b) > 0 {
			for range rapid.IntRange(0, 2).Draw(t, "odd") {
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		want := !slices.ContainsFunc(b, func(c byte) bool { return c < 0x20 || c > 0x7e })
		if got := isPlain(b); got != want {
			t.Fatalf("%q: plain %v, want %v", b, got, want)
		}
		var x lexer
		if n, _, err := x.next(append(slices.Clone(b), '\n')); err == nil && x.plain && !isPlain(trimEnd(append(b, '\n')[:n])) {
			t.Fatalf("%q: plain for the lexer", b)
		}
	})
}

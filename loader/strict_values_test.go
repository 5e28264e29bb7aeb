package loader

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
)

// rowsWith is a CSV of rows as rowWith has them, each with its own change and
// UPRN, and a build of them that lets all of them be bad.
func rowsWith(changes []map[string]string) world {
	var b strings.Builder
	for i, change := range changes {
		c := maps.Clone(change)
		if c == nil {
			c = map[string]string{}
		}
		if _, ok := c["uprn"]; !ok {
			c["uprn"] = fmt.Sprint(990000000000 + i)
		}
		for _, column := range []string{"easting", "northing"} {
			if _, ok := c[column]; !ok {
				c[column] = ""
			}
		}
		head, row, _ := strings.Cut(rowWith(c), "\n")
		if i == 0 {
			b.WriteString(head + "\n")
		}
		b.WriteString(row)
	}
	return premisesWorld("A\nmax_rejected = 1", b.String())
}

// judged are the codes and columns that rows are rejected for, by row; none for
// the others.
func judged(t *testing.T, changes []map[string]string) (verdicts []string, texts []string) {
	t.Helper()
	w := rowsWith(changes)
	res, rejected := w.night(t)
	verdicts = make([]string, len(changes))
	lines := map[string]int{}
	line := 2
	for i, row := range strings.SplitAfter(rowsOnly(w["1.csv"]), "\"\n")[:len(changes)] {
		lines[fmt.Sprint(line)] = i
		line += strings.Count(row, "\n")
	}
	for _, r := range readRejects(t, rejected) {
		code, _, _ := strings.Cut(r[3], ":")
		i, ok := lines[r[1]]
		if !ok || verdicts[i] != "" {
			t.Fatalf("rejected %q", r)
		}
		verdicts[i] = strings.TrimPrefix(r[2]+" "+code, " ")
	}
	return verdicts, all(open(t, res))
}

// Of Great Britain, no latitude is a longitude: a swapped row never looks right.
func TestFaultSwapped(t *testing.T) {
	n := 0
	for lat := geo.MinLat; lat <= geo.MaxLat; lat += 0.05 {
		for lng := geo.MinLng; lng <= geo.MaxLng; lng += 0.05 {
			_, f := latLng(fmt.Appendf(nil, "%.6f", lng), fmt.Appendf(nil, "%.6f", lat))
			if f == nil || f.code != CodeSwapped {
				t.Fatalf("%.6f, %.6f exchanged: %v", lat, lng, f)
			}
			n++
		}
	}
	if n < 40_000 {
		t.Errorf("only %d places", n)
	}
	verdicts, _ := judged(t, []map[string]string{
		nil, cells("latitude", "-0.564876", "longitude", "51.239448"),
		grid("499049", "150522"), grid("1150522", "499049"),
	})
	if want := []string{"", "latitude swapped", "", "easting swapped"}; !cmp.Equal(verdicts, want) {
		t.Errorf("got %q, want %q", verdicts, want)
	}
	var file []string
	for i := range 11 {
		file = append(file, fmt.Sprintf("%d,-1.5,51.2%d,South,true\n", i+1, i))
	}
	if gates, s := premisesWorld("A", "uprn,latitude,longitude,network_region,coverage_availability\n"+strings.Join(file, "")).refused(t); !cmp.Equal(gates, []string{gateRejected}) || s.Sources[1].Reasons[CodeSwapped] != 11 {
		t.Errorf("a whole file: gates %v, %v", gates, s.Sources[1].Reasons)
	}
}

func TestFaultPlaces(t *testing.T) {
	changes := []map[string]string{nil}
	want := []string{""}
	add := func(verdict string, pairs ...string) {
		changes, want = append(changes, cells(pairs...)), append(want, verdict)
	}
	for _, number := range []string{
		"NaN", "nan", "Inf", "+Inf", "-Inf", "Infinity", "-infinity", "1e309", "-1e309", "0x1p5", "0x33", "5_1.2", "51,2", "51.2.3",
		"51 .2", "５１.2", "٥١.2", "51°", "51N", "--51", "+-51", "0e5", "5.1e1", "e5", ".", "-", "+", "5e", "fifty-one", "1e999999999", "51.2f", "51.2\u00a0", "½",
	} {
		add("latitude coordinate", "latitude", number)
		add("longitude coordinate", "longitude", number)
		add("easting coordinate", "latitude", "", "longitude", "", "easting", number, "northing", "150522")
		add("northing coordinate", "latitude", "", "longitude", "", "easting", "499049", "northing", number)
	}
	for _, zero := range []string{"0", "-0", "+0", "0.0", "-0.000", "00"} {
		add("latitude outside", "latitude", zero, "longitude", zero)
	}
	for _, place := range []string{
		"48.8566,2.3522", "53.3498,-6.2603", "54.597,-5.930", "54.9966,-7.3086", "49.2144,-2.1313", "49.4555,-2.5368", "54.1500,-4.4800", "62.0079,-6.7900",
		"90,0", "-51.24,-0.56", "51.24,3.0", "51.24,-11", "49.0,-5", "62,-1",
	} {
		lat, lng, _ := strings.Cut(place, ",")
		v := "latitude outside"
		if place == "51.24,3.0" || place == "51.24,-11" {
			v = "longitude outside"
		}
		add(v, "latitude", lat, "longitude", lng)
	}
	for _, p := range []string{"BT1 1AA", "BT94 5EX", "JE2 3AB", "JE4 8PX", "GY1 1AA", "GY9 3AA", "IM1 1AA", "IM9 9AA", "BF1 1AA", "BX1 1LT"} {
		add("postcode out_of_area", "postcode", p)
	}
	verdicts, taken := judged(t, changes)
	for i, got := range verdicts {
		if got != want[i] {
			t.Errorf("%q: %q, want %q", changes[i], got, want[i])
		}
	}
	if len(taken) != 1 {
		t.Errorf("taken: %q", taken)
	}
}

// Case and white space do not matter; whatever else is not a postcode to the
// letter is quarantined. No O becomes a 0.
func TestFaultPostcodes(t *testing.T) {
	good := []string{
		"GU1 1AA", "M2 5BQ", "E11 3EF", "DG16 5EA", "W1C 1AP", "EC1A 1BB", "SW1A 2AA", "N1C 4AG", "ZE1 0AA", "TR19 7AA", "BN91 9AA", "SR43 4AA",
		"B33 8TH", "CR2 6XH", "DN55 1PT", "L1 8JQ", "CF10 1EP", "AB10 1AB", "KW17 2TJ", "IV27 4UX", "S1 2HE", "LS1 4DY", "EH1 1YZ", "PO30 1UD",
	}
	rule := func(cell string) string { return strings.ToUpper(strings.Join(strings.Fields(cell), "")) }
	var cases, same []string
	for _, p := range good {
		out, in, _ := strings.Cut(p, " ")
		cases = append(cases, p, out+in, strings.ToLower(p), strings.ToLower(out+in), " "+p, p+"  ", out+"   "+in, out+"\u00a0"+in,
			out[:1]+" "+out[1:]+in, out+in[:1]+" "+in[1:], strings.Join(strings.Split(out+in, ""), " "), strings.ToLower(out)+" "+in)
	}
	same = slices.Clone(cases)
	var junk []string
	for _, p := range good {
		out, in, _ := strings.Cut(p, " ")
		for _, suffix := range []string{"S", "1", "*", ".", "?", " x", "-", "/2", "'", ";", " GB", ", UK", "\u200b", "\ufeff", "́"} {
			if junk = append(junk, p+suffix); suffix != "S" { // SE11 is another postcode than E11
				junk = append(junk, suffix+p)
			}
		}
		for _, sep := range []string{"-", ".", "_", "/", "\u200b", ",", "–", "+"} {
			junk = append(junk, out+sep+in)
		}
		for _, letter := range "CIKMOV" { // never in an inward code
			junk = append(junk, out+" "+in[:1]+string(letter)+in[2:], out+" "+in[:2]+string(letter))
		}
		junk = append(junk, out+" O"+in[1:], out+" I"+in[1:], out+" l"+in[1:], out+" S"+in[1:], out, in, out+" "+in[:1], out+" "+in[:2], "Q"+out[1:]+" "+in, "0"+out[1:]+" "+in,
			strings.NewReplacer("A", "А", "B", "В", "E", "Е", "S", "Ѕ", "L", "Ⅼ", "1", "１").Replace(p)+"\u200d", p+p, p+" "+p)
	}
	junk = append(junk, "N/A", "NULL", "none", "UNKNOWN", "-", "0", "#REF!", "=A1", "XX1 1XX", "AAA 1AA", "A 1AA", "1AA 1AA", "GU111 1AA", "GUU1 1AA", "A1A 1AAA", "ABCDEFG", "1234567")
	cases = append(cases, junk...)
	if len(cases) < 1000 {
		t.Fatalf("only %d cases", len(cases))
	}
	changes := make([]map[string]string, len(cases))
	for i, p := range cases {
		changes[i] = cells("postcode", p)
	}
	verdicts, taken := judged(t, changes)
	read := map[string]string{} // by UPRN
	for _, line := range taken {
		uprn, rest, _ := strings.Cut(line, " ")
		p, _, _ := strings.Cut(rest, ` "`)
		read[uprn] = p
	}
	for i, cell := range cases {
		got := read[fmt.Sprint(990000000000+i)]
		switch {
		case verdicts[i] == "" && strings.ReplaceAll(got, " ", "") != rule(cell):
			t.Errorf("%q was read as %q", cell, got)
		case i < len(same) && verdicts[i] != "":
			t.Errorf("%q: %s", cell, verdicts[i])
		case i >= len(same) && verdicts[i] != "postcode postcode" && verdicts[i] != "postcode out_of_area" && verdicts[i] != "postcode encoding":
			t.Errorf("%q: %q, read as %q", cell, verdicts[i], got)
		}
	}
}

func TestFaultDates(t *testing.T) {
	changes := []map[string]string{}
	want := []string{}
	for _, column := range []string{"anticipated_coverage_date", "coverage_end_date"} {
		for _, date := range []string{
			"2026-02-29", "2027-02-29", "1900-02-29", "2100-02-29", "2026-02-30", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32", "0000-01-01",
			"10000-01-01", "-2026-01-01", "2026-1-1", "26-01-01", "2026/01/01", "01/02/2026", "1 Jan 2026", "20260101", "2026-01", "2026", "46387", "2026-01-01T00:00:00Z",
			"2026-03-29 01:30", "2026-10-25T01:30:00+01:00", "2026-W05-1", "2026-001", "tomorrow", "２０２６-01-01", "2026‐01‐01", "2026-01-01.", "0x7EA-01-01", "NaN", "1e3-01-01",
		} {
			changes, want = append(changes, cells(column, date)), append(want, column+" date")
		}
	}
	for _, tt := range []struct{ available, from, to, want string }{
		{"false", "2028-02-29", "", ""},
		{"false", "2000-02-29", "", ""},           // there are these
		{"false", "2027-03-28", "2027-10-31", ""}, // the days on which clocks change
		{"false", "2027-03-28", "2027-03-28", ""}, // a day long
		{"false", "2027-03-28", "2027-03-27", "coverage_end_date date_order"},
		{"false", "9999-12-31", "2027-03-27", "coverage_end_date date_order"},
		{"false", "2020-01-01", "2019-12-31", "coverage_end_date date_order"}, // also in the past
		{"true", "2027-03-28", "2027-03-27", ""},                              // there until then: no plan
		{"", "2027-03-28", "2027-03-27", ""},
		{"false", "", "2000-01-01", ""},
		{"false", "9999-12-31", "9999-12-31", ""},
		{"false", " 2027-01-01 ", "", ""},
	} {
		changes = append(changes, cells("coverage_availability", tt.available, "anticipated_coverage_date", tt.from, "coverage_end_date", tt.to))
		want = append(want, tt.want)
	}
	verdicts, _ := judged(t, changes)
	for i, got := range verdicts {
		if got != want[i] {
			t.Errorf("%q: %q, want %q", changes[i], got, want[i])
		}
	}
}

// A formula is text in the snapshot, and no formula in what is written for
// people.
func TestFaultFormulas(t *testing.T) {
	var changes []map[string]string
	var columns, formulas []string
	for _, start := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠", "\t=", "\x00", "\r", "'=", "''+", "=="} {
		for _, rest := range []string{"1+1", "cmd|' /C calc'!A0", `HYPERLINK("http://x","y")`, "SUM(A1:A9)", "A1"} {
			for _, column := range []string{"address_identifier", "wan_variant", "wan_technology", "auxiliary_equipment", "additional_information"} {
				formula := start + rest
				changes = append(changes, cells(column, formula))
				columns, formulas = append(columns, column), append(formulas, formula)
			}
		}
	}
	if len(changes) < 200 {
		t.Fatalf("only %d cases", len(changes))
	}
	w := rowsWith(changes)
	res, rejected := w.night(t)
	s := open(t, res)
	for i, formula := range formulas {
		p, ok := s.UPRN(geo.UPRN(990000000000 + i))
		if strings.ContainsAny(formula, "\t\r\x00") {
			if ok {
				t.Errorf("%s %q was taken", columns[i], formula)
			}
			continue
		}
		if !ok {
			t.Errorf("%s %q was rejected", columns[i], formula)
			continue
		}
		c, _ := p.Claims().At(0)
		if got := map[string]string{
			"address_identifier": string(p.Address()), "wan_variant": c.Variant, "wan_technology": c.Technology,
			"auxiliary_equipment": c.Auxiliary, "additional_information": c.Info,
		}[columns[i]]; got != formula {
			t.Errorf("%s %q was read as %q", columns[i], formula, got)
		}
	}
	// As rows whose first cell is a formula, they are rejected, and written.
	var text strings.Builder
	text.WriteString(fixHead)
	for _, formula := range formulas {
		text.WriteString(`"` + strings.ReplaceAll(formula, `"`, `""`) + `"` + ",South,true,\n" + formula + "\n")
	}
	_, more := premisesWorld("A\nmax_rejected = 1", text.String()).night(t)
	for _, r := range append(readRejects(t, rejected), readRejects(t, more)...) {
		for _, cell := range r {
			if isFormula(cell) {
				t.Errorf("written: %q", cell)
			}
		}
	}
	if n := len(readRejects(t, more)); n < len(formulas) {
		t.Errorf("only %d rows written", n)
	}
}

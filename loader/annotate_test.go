package loader

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
)

// small reports whether tests are to do with less.
func small() bool { return underRace || testing.Short() }

// sampleSnapshot builds the committed sample.
func sampleSnapshot(t testing.TB) *index.Snapshot {
	t.Helper()
	m, err := ReadManifest(filepath.Join("..", "fixtures", "sample", "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Build(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := res.Built.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	s, err := index.OpenBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func annotated(t testing.TB, s *index.Snapshot, text string, o AnnotateOptions) (string, *Annotated, error) {
	t.Helper()
	if o.On == 0 {
		o.On = 20811 // 2026-12-24
	}
	var out bytes.Buffer
	sum, err := Annotate(t.Context(), s, "-", strings.NewReader(text), &out, o)
	return out.String(), sum, err
}

// All bytes of the input are there, in order, with what is appended in between;
// each row that is one has as many cells more as there are columns.
func TestAnnotateKeepsBytes(t *testing.T) {
	s, _ := premisesWorld("A", header+"1,GU1 1AA,1,51.500000,-1.000000,South,true,,,,\"a,\"\"b\",High,T1,\n").build(t)
	rng := rand.New(rand.NewPCG(8, 8))
	cells := []string{"1", "GU1 1AA", "gu11ab", "GU1 IAA", "BT1 1AA", "51.5", "-1", "", `"GU1 1AA"`, `"a ""b"", c"`, "\"x\r\ny\"", "a\"b", `"bad"x`, `"open`, "\xff", "\x00", "=1+1", "'", "é", "\r"}
	for round := range 400 {
		sep := []string{",", ";", "\t"}[rng.IntN(3)]
		end := []string{"\n", "\r\n"}[rng.IntN(2)]
		var b strings.Builder
		b.WriteString([]string{"", "\xef\xbb\xbf", end + end}[rng.IntN(3)])
		b.WriteString(strings.Join([]string{"UPRN", "post code", "lat", "lng", "house"}, sep) + end)
		for range rng.IntN(20) {
			n := 5
			if rng.IntN(5) == 0 {
				n = rng.IntN(7)
			}
			row := make([]string, n)
			for i := range row {
				row[i] = cells[rng.IntN(len(cells))]
			}
			b.WriteString(strings.Join(row, sep))
			if rng.IntN(30) > 0 {
				b.WriteString([]string{end, end, "\n"}[rng.IntN(3)])
			}
		}
		checkKept(t, s, b.String(), sep[0], round)
	}
}

// checkKept takes a table apart the slow way and what Annotate makes of it too.
func checkKept(t testing.TB, s *index.Snapshot, text string, sep byte, round int) {
	t.Helper()
	out, sum, err := annotated(t, s, text, AnnotateOptions{Workers: 1 + round%2})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	tail := fmt.Sprintf("%c%s%c%v%c%s", sep, s.ID(), sep, s.Info().AsOf, sep, "2026-12-24")
	rest := out
	rows, headed := int64(0), false
	body := strings.TrimPrefix(text, "\xef\xbb\xbf")
	rest = rest[len(text)-len(body):]
	for _, r := range slowRecords(body, sep) {
		line := string(trimEnd([]byte(r.text)))
		if !strings.HasPrefix(rest, line) {
			t.Fatalf("%q: %q became %q", text, r.text, rest)
		}
		rest = rest[len(line):]
		if line != "" {
			var end int
			var added string
			if !headed {
				headed = true
				added = string(sep) + strings.Join(AnnotatedColumns, string(sep))
				end = len(added)
			} else if end = strings.Index(rest, tail); end >= 0 {
				end += len(tail)
				added = rest[:end]
				rows++
			}
			if end < 0 || !strings.HasPrefix(rest, added) {
				t.Fatalf("%q: after %q comes %q", text, line, rest)
			}
			c := csv.NewReader(strings.NewReader("x" + added))
			c.Comma = rune(sep)
			if got, err := c.Read(); err != nil || len(got) != 1+len(AnnotatedColumns) || strings.ContainsAny(added, "\r\n") {
				t.Fatalf("%q: appended %q: %v", text, added, err)
			}
			rest = rest[end:]
		}
		end := r.text[len(line):]
		if !strings.HasPrefix(rest, end) {
			t.Fatalf("%q: the line end %q became %q", text, end, rest)
		}
		rest = rest[len(end):]
	}
	if rest != "" || rows != sum.Rows {
		t.Fatalf("%q: %d rows, %d counted, and %q is left", text, rows, sum.Rows, rest)
	}
}

func FuzzAnnotate(f *testing.F) {
	for _, s := range sheetTexts {
		f.Add(s)
	}
	s, _ := premisesWorld("A", header+"1,GU1 1AA,1,51.500000,-1.000000,South,true,,,,SKU1,High,,\n").build(f)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "\xef\xbb\xbf") || len(text) > 1<<16 {
			return
		}
		checkKept(t, s, "uprn,postcode,lat,long,house\n"+text, ',', 0)
	})
}

// slowAnnotation looks a row up one key at a time, in the plainest way, and
// returns outcome, state, network region, variant, Region, basis, confidence and
// distance.
func slowAnnotation(s *index.Snapshot, on index.Day, uprn, postcode, address, lat, lng string) []string {
	ofPremises := func(p index.Premises) []string {
		out := []string{"premises_found", p.State(on).String(), "", "", p.Region().Region.String(), BasisPremises, "", ""}
		if f, ok := p.Claims().Fit(on); ok {
			out[2], out[3] = f.Claim.Network.String(), f.Claim.Variant
		}
		return out
	}
	ofEstimate := func(outcome string, region geo.Region, e *index.Estimate, ok bool) []string {
		if !ok {
			return []string{outcome, "unknown", "", "", region.String(), "", "", ""}
		}
		out := []string{outcome, e.State.String(), "", "", region.String(), e.Basis, neverRoundedUp(e.Confidence), ""}
		if e.HasFit {
			out[2], out[3] = e.Fit.Claim.Network.String(), e.Fit.Claim.Variant
		}
		if e.Distance >= 0 {
			out[7] = fmt.Sprintf("%.1f", e.Distance)
		}
		return out
	}
	last := "no_key"
	if uprn != "" {
		u, err := geo.ParseUPRN(uprn)
		if err != nil {
			last = "malformed_uprn"
		} else if p, ok := s.UPRN(u); ok {
			return ofPremises(p)
		} else {
			last = "unknown_uprn"
		}
	}
	var at geo.LatLng
	located, whyNot := false, ""
	if lat != "" || lng != "" {
		var errLat, errLng error
		at.Lat, errLat = strconv.ParseFloat(lat, 64)
		at.Lng, errLng = strconv.ParseFloat(lng, 64)
		switch {
		case errLat != nil || errLng != nil || at.Swapped() || !at.IsValid():
			whyNot = "malformed_coordinate"
		case s.Locate(at).Region == geo.NoRegion:
			whyNot = "outside_great_britain"
		default:
			located = true
		}
	}
	if postcode != "" {
		p, err := geo.ParsePostcode(postcode)
		unit, known := s.Postcode(p)
		o, outcode := s.Outcode(p.Outcode())
		region := geo.NoRegion
		if known {
			region = unit.Region().Region
		} else if outcode {
			region = o.Regions().Only()
		}
		switch {
		case errors.Is(err, geo.ErrOutOfArea):
			last = "out_of_area"
		case err != nil:
			last = "malformed_postcode"
		case known && unit.Len() > 0 && address == "":
			return slowMost(unit, on)
		case !known && !outcode:
			last = "unknown_postcode"
		default:
			var worst index.Premises
			state := index.State(0)
			for _, form := range []func(string) string{index.FoldAddress, index.NormalAddress} {
				if state != 0 {
					break // found, and no second form is needed
				}
				for i := range unitLen(unit, known) {
					p := unit.Premises(i)
					if f := form(address); f != "" && form(string(p.Address())) == f && p.State(on) > state {
						worst, state = p, p.State(on)
					}
				}
			}
			if state != 0 {
				return ofPremises(worst)
			}
			if !located {
				var e index.Estimate
				ok := s.EstimatePostcode(&e, p, on)
				return ofEstimate("no_premises_found", region, &e, ok)
			}
		}
	}
	if located {
		var e index.Estimate
		ok := s.EstimateAt(&e, at, on)
		return ofEstimate("location_resolved", s.Locate(at).Region, &e, ok)
	}
	if whyNot != "" {
		last = whyNot
	}
	return []string{last, "", "", "", "", "", "", ""}
}

func unitLen(u index.Unit, known bool) int {
	if !known {
		return 0
	}
	return u.Len()
}

func slowMost(unit index.Unit, on index.Day) []string {
	states := map[index.State]int{}
	for i := range unit.Len() {
		states[unit.Premises(i).State(on)]++
	}
	var state index.State
	for _, st := range index.States {
		if states[st] > 0 && states[st] >= states[state] {
			state = st
		}
	}
	kinds := map[uint32]int{}
	var best index.Premises
	for i := range unit.Len() {
		if p := unit.Premises(i); p.State(on) == state {
			kinds[p.Kind()]++
		}
	}
	most := 0
	for i := range unit.Len() {
		if p := unit.Premises(i); p.State(on) == state && kinds[p.Kind()] > most {
			best, most = p, kinds[p.Kind()]
		}
	}
	out := []string{"premises_found", state.String(), "", "", unit.Region().Region.String(), "postcode", neverRoundedUp(float64(states[state]+1) / float64(unit.Len()+2)), ""}
	if f, ok := best.Claims().Fit(on); ok {
		out[2], out[3] = f.Claim.Network.String(), f.Claim.Variant
	}
	return out
}

// What is appended is what the look-ups one by one say.
func TestAnnotateSlowTwin(t *testing.T) {
	s := sampleSnapshot(t)
	on := day(t, "2026-12-24")
	rng := rand.New(rand.NewPCG(1, 9))
	n := int(s.Info().Premises)
	var postcodes []geo.Postcode
	for u := range s.AllPostcodes() {
		postcodes = append(postcodes, u.Postcode())
	}
	rows := 20_000
	if small() {
		rows = 5000
	}
	var in bytes.Buffer
	w := csv.NewWriter(&in)
	table := [][]string{
		{"uprn", "postcode", "house", "latitude", "longitude"}, {"77", "", "", "", ""}, {"", "TQ1 1AA", "1", "", ""}, {"", "TQ1 1AA", "", "51.25", "-0.55"},
	}
	for range rows {
		p := s.PremisesAt(uint32(rng.IntN(n)))
		row := []string{p.UPRN().String(), p.Postcode().String(), string(p.Address()), "", ""}
		if p.UPRN() == 0 {
			row[0] = ""
		}
		if at := p.At().LatLng(); p.At().IsValid() {
			row[3], row[4] = fmt.Sprintf("%.6f", at.Lat+0.01*rng.NormFloat64()), fmt.Sprintf("%.6f", at.Lng)
		}
		for i := range row {
			switch rng.IntN(7) {
			case 0:
				row[i] = ""
			case 1:
				row[i] = []string{"x", "77", postcodes[rng.IntN(len(postcodes))].String(), "BT1 1AA", "GU1 1ZZ", "ZZ1 1AA", "0.5", "-1", "12"}[rng.IntN(9)]
			case 2:
				row[i] = " " + strings.ToLower(row[i])
			}
		}
		if rng.IntN(3) == 0 {
			row[0] = ""
		}
		if rng.IntN(3) == 0 {
			row[2] = ""
		}
		table = append(table, row)
	}
	if err := w.WriteAll(table); err != nil {
		t.Fatal(err)
	}
	out, sum, err := annotated(t, s, in.String(), AnnotateOptions{On: on})
	if err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for i, row := range got[1:] {
		trimmed := make([]string, 5)
		for k := range trimmed {
			trimmed[k] = strings.TrimSpace(table[i+1][k])
		}
		want := slowAnnotation(s, on, trimmed[0], trimmed[1], trimmed[2], trimmed[3], trimmed[4])
		have := []string{row[5], row[7], row[9], row[10], row[12], row[13], row[14], row[15]}
		if diff := cmp.Diff(want, have); diff != "" {
			if bad++; bad < 5 {
				t.Errorf("%q: (-slow +fast)\n%s", row, diff)
			}
		}
	}
	t.Log(sum.Outcomes, sum.States)
	for _, o := range outcomeNames {
		if sum.Outcomes[o] == 0 && o != "malformed_address" && o != "malformed_grid_reference" && o != "malformed_row" {
			t.Errorf("no row is %s", o)
		}
	}
}

func TestAnnotateRefuses(t *testing.T) {
	s, _ := premisesWorld("A", header+"1,,,,,South,true,,,,,,,\n").build(t)
	for text, want := range map[string]string{
		"":                                      "it is empty",
		"\n\n":                                  "it is empty",
		"a,b\n":                                 "no column to look up by",
		"postcode\rGU1 1AA\r":                   "CR alone",
		"postcode,\"x\n":                        "quotes",
		"postcode,coverd_on\n":                  "already",
		"\xff\xfep\x00c\x00":                    "UTF-16",
		strings.Repeat("x", maxRecord+1) + "\n": "first line is over",
		"PK\x03\x04":                            "spreadsheet",
	} {
		out, _, err := annotated(t, s, text, AnnotateOptions{})
		if _, ok := errors.AsType[*FileError](err); !ok || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

// A row costs no memory, whatever it is looked up by.
func TestAnnotateNoAllocs(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	s := sampleSnapshot(t)
	header := []string{"uprn", "postcode", "address", "lat", "lng"}
	columns, err := findSheetColumns(header, nil)
	if err != nil {
		t.Fatal(err)
	}
	columns.separator = ','
	a := newAnnotator(s, columns, day(t, "2026-12-24"))
	rows := []byte("990061391234,,,,\n,GU1 1AA,,,\n,gu11aa,flat 2,,\n,GU1 1AA,\"FLAT 2,  Mill court\",,\n,GU1 1FU,,,\n,,,51.24937,-0.549301\n77,GU1 1FU,,51.24937,-0.549301\n,GU1 1AA,99,,\n,GU1 1ZZ,,,\n\n,\n,,,,\n")
	var dst []byte
	var sum sheetCounts
	if n := testing.AllocsPerRun(100, func() { dst = a.block(dst[:0], &sheetBlock{data: rows}, &sum) }); n != 0 {
		t.Errorf("%v allocations\n%s", n, dst)
	}
}

func BenchmarkAnnotate(b *testing.B) {
	s := sampleSnapshot(b)
	var in bytes.Buffer
	in.WriteString("id,uprn,postcode,latitude,longitude,remark\n")
	rows := 0
	for range 20 {
		for p := range s.AllPremises() {
			at := p.At().LatLng()
			fmt.Fprintf(&in, "%d,%v,%v,%.6f,%.6f,a remark about the site\n", rows, p.UPRN(), p.Postcode(), at.Lat, at.Lng)
			rows++
		}
	}
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		var out bytes.Buffer
		out.Grow(4 * in.Len())
		if _, err := Annotate(b.Context(), s, "-", bytes.NewReader(in.Bytes()), &out, AnnotateOptions{On: 20811}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// neverRoundedUp writes a share with three decimals.
func neverRoundedUp(share float64) string { return fmt.Sprintf("%.12f", share)[:len("0.995")] }

package loader

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
)

// world is the folder of a build: its files by path.
type world map[string]string

// A made-up country for tests that need none of the real one: three Regions
// one on top of the other between 4° and 0° West, sharing their borders at 52.5
// and 55° North.
const boxes = `{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"region": "North"}, "geometry": {"type": "Polygon", "coordinates": [[[-4,55],[0,55],[0,57],[-4,57],[-4,55]]]}},
{"type": "Feature", "properties": {"region": "Central"}, "geometry": {"type": "Polygon", "coordinates": [[[-4,52.5],[0,52.5],[0,55],[-4,55],[-4,52.5]]]}},
{"type": "Feature", "properties": {"region": "South"}, "geometry": {"type": "Polygon", "coordinates": [[[-4,50.5],[0,50.5],[0,52.5],[-4,52.5],[-4,50.5]]]}}
]}
`

// manifestHead starts a manifest over boxes.
const manifestHead = "as_of = 2026-11-22\n[regions]\npath = \"regions.geojson\"\n"

// header has all columns but easting and northing.
const header = "uprn,postcode,address_identifier,latitude,longitude,network_region,coverage_availability,anticipated_coverage_date,coverage_end_date,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment,additional_information\n"

// premisesWorld is a build of premises extracts of CSPs, in that order:
// pairs of a CSP, with perhaps more lines of its table, and the CSV.
func premisesWorld(pairs ...string) world {
	w := world{"regions.geojson": boxes}
	var m strings.Builder
	m.WriteString(manifestHead)
	for i := 0; i < len(pairs); i += 2 {
		csp, more, _ := strings.Cut(pairs[i], "\n")
		fmt.Fprintf(&m, "[[extract]]\ncsp = %q\nkind = \"premises\"\npath = \"%d.csv\"\n%s\n", csp, i/2+1, more)
		w[fmt.Sprintf("%d.csv", i/2+1)] = pairs[i+1]
	}
	w["coverd.toml"] = m.String()
	return w
}

// with returns w and another file; a text in the manifest that starts with a
// line end is put after what is there.
func (w world) with(path, text string) world {
	out := maps.Clone(w)
	if strings.HasPrefix(text, "\n") {
		text = out[path] + text
	}
	out[path] = text
	return out
}

func (w world) write(t testing.TB, dir string) {
	t.Helper()
	for path, text := range w {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// try builds w in a folder of its own.
func (w world) try(t testing.TB, o Options) (*Result, error) {
	t.Helper()
	dir := t.TempDir()
	w.write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return Build(t.Context(), m, o)
}

// build is try for a build that must succeed.
func (w world) build(t testing.TB) (*index.Snapshot, *Summary) {
	t.Helper()
	return w.buildAfter(t, nil)
}

func (w world) buildAfter(t testing.TB, previous *index.Snapshot) (*index.Snapshot, *Summary) {
	t.Helper()
	res, err := w.try(t, Options{Previous: previous})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, res), &res.Summary
}

func open(t testing.TB, res *Result) *index.Snapshot {
	t.Helper()
	s, err := index.OpenBytes(fileOf(t, res))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fileOf returns the bytes of the snapshot file.
func fileOf(t testing.TB, res *Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := res.Built.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// refused builds a world that must be refused, and returns the gates.
func (w world) refused(t testing.TB) (gates []string, s *Summary) {
	t.Helper()
	res, err := w.try(t, Options{})
	refusal, ok := errors.AsType[*RefusedError](err)
	if !ok {
		t.Fatalf("error %v, want a refusal", err)
	}
	if res == nil || res.Built != nil {
		t.Fatal("want a result without a snapshot")
	}
	for _, r := range refusal.Refusals {
		gates = append(gates, r.Gate)
	}
	return gates, &res.Summary
}

// rejects lists what was rejected, as file:line: column: code.
func rejects(s *Summary) []string {
	var out []string
	for _, src := range s.Sources {
		for _, r := range src.Rejects {
			out = append(out, fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Column, r.Code))
		}
	}
	return out
}

func day(t testing.TB, s string) index.Day {
	t.Helper()
	d, err := index.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func postcode(t testing.TB, s string) geo.Postcode {
	t.Helper()
	p, err := geo.ParsePostcode(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// byUPRN finds a premises that must be there.
func byUPRN(t testing.TB, s *index.Snapshot, uprn geo.UPRN) index.Premises {
	t.Helper()
	p, ok := s.UPRN(uprn)
	if !ok {
		t.Fatalf("no premises with UPRN %d", uprn)
	}
	return p
}

// all lists every premises as `uprn postcode address lat,lng: claims`, a claim
// being network region, CSP, availability (+, -, ?) and variant, in brackets
// where an area lends it; a conflict is marked with !.
func all(s *index.Snapshot) []string {
	var out []string
	for p := range s.AllPremises() {
		out = append(out, show(p))
	}
	return out
}

func show(p index.Premises) string {
	var b strings.Builder
	if u := p.UPRN(); u != 0 {
		fmt.Fprintf(&b, "%v ", u)
	}
	if pc := p.Postcode(); pc.IsValid() {
		fmt.Fprintf(&b, "%v ", pc)
	}
	if a := p.Address(); len(a) > 0 {
		fmt.Fprintf(&b, "%q ", a)
	}
	if at := p.At(); at.IsValid() {
		fmt.Fprintf(&b, "%.6f,%.6f ", at.LatLng().Lat, at.LatLng().Lng)
	}
	text := []string{strings.TrimSpace(b.String()) + ":"}
	for i := range p.Claims().Len() {
		c, fromArea := p.Claims().At(i)
		claim := fmt.Sprintf("%v/%s%s", c.Network, c.CSP, [...]string{"?", "+", "-"}[c.Availability])
		if c.Variant != "" {
			claim += "/" + c.Variant
		}
		if fromArea {
			claim = "[" + claim + "]"
		}
		text = append(text, claim)
	}
	if p.Conflict() {
		text = append(text, "!")
	}
	return strings.Join(text, " ")
}

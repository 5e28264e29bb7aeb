package loader

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
)

func listText(t testing.TB, s *index.Snapshot, o ListOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := List(t.Context(), s, &b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What is hostile to spreadsheets, to CSV and to JSON is listed without harm, and
// nothing is left out.
func TestListRandom(t *testing.T) {
	for seed := range uint64(12) {
		s, _ := randomWorld(rand.New(rand.NewPCG(seed, 77))).build(t)
		on := day(t, "2026-12-24")
		want := map[string]int{}
		claims := 0
		for p := range s.AllPremises() {
			want[fmt.Sprintf("%v %s %v %v", p.Postcode(), p.Address(), p.At(), p.State(on))]++
			claims += max(1, p.Claims().Len())
		}

		o := ListOptions{What: ListPremises, Format: ListCSV, On: on}
		rows, err := csv.NewReader(strings.NewReader(listText(t, s, o))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1+claims || strings.Join(rows[0], ",") != listHeaders[ListPremises] {
			t.Errorf("%d rows, want %d", len(rows)-1, claims)
		}
		for _, row := range rows {
			for i, cell := range row {
				if name := rows[0][i]; cell != "" && strings.Contains("=+-@\t", cell[:1]) && name != "latitude" && name != "longitude" {
					t.Errorf("%s: the cell %q is a formula", name, cell)
				}
			}
		}

		got := map[string]int{}
		o.Format = ListNDJSON
		for line := range strings.Lines(listText(t, s, o)) {
			var p struct {
				Postcode            geo.Postcode
				AddressIdentifier   string `json:"address_identifier"`
				Latitude, Longitude float64
				State               string
			}
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				t.Fatal(err)
			}
			got[fmt.Sprintf("%v %s %v %v", p.Postcode, p.AddressIdentifier, geo.LatLng{Lat: p.Latitude, Lng: p.Longitude}.Location(), p.State)]++
		}
		if !maps.Equal(got, want) {
			t.Errorf("NDJSON (-want +got):\n%s", cmp.Diff(want, got))
		}

		for _, what := range AllListed {
			o := ListOptions{What: what, Format: ListGeoJSON, On: on}
			text := listText(t, s, o)
			var f struct {
				Type     string
				Features []struct{ Geometry, Properties any }
			}
			if err := json.Unmarshal([]byte(text), &f); err != nil {
				t.Fatalf("%s: %v\n%s", what, err, text)
			}
			info := s.Info()
			n := map[Listed]int64{ListPremises: info.Premises, ListAreas: info.Areas, ListPostcodes: info.Postcodes, ListRegions: 3}[what]
			if int64(len(f.Features)) != n {
				t.Errorf("%s: %d features, want %d", what, len(f.Features), n)
			}
			o.Workers = 3
			if listText(t, s, o) != text {
				t.Errorf("%s: another list with other workers", what)
			}
			for _, p := range []Packing{PackGzip, PackZstd} {
				o.Packing = p
				in, err := openStream(strings.NewReader(listText(t, s, o)), "x", nil)
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				if _, err := b.ReadFrom(in); err != nil || b.String() != text {
					t.Errorf("%s: %s is not the same list: %v", what, p, err)
				}
			}
		}
	}
}

func TestListOutcodes(t *testing.T) {
	s, _ := premisesWorld("A", header+
		"1,GU1 1AA,1,,,South,true,,,,,,,\n2,B1 1AA,1,,,South,true,,,,,,,\n3,,,51.500000,-1.000000,South,true,,,,,,,\n").build(t)
	gu1, err := geo.ParseOutcode("GU1")
	if err != nil {
		t.Fatal(err)
	}
	o := ListOptions{What: ListPremises, Format: ListCSV, On: s.Info().AsOf}
	first := func(text string) (cells []string) {
		for line := range strings.Lines(text) {
			cells = append(cells, strings.SplitN(line, ",", 3)[1])
		}
		return cells[1:]
	}
	if got := first(listText(t, s, o)); !slices.Equal(got, []string{"2", "1", "3"}) {
		t.Errorf("all: %v", got)
	}
	o.Outcodes = []geo.Outcode{gu1}
	if got := first(listText(t, s, o)); !slices.Equal(got, []string{"1"}) {
		t.Errorf("of GU1: %v", got)
	}
	o.What = ListAreas
	if err := List(t.Context(), s, &bytes.Buffer{}, o); err == nil {
		t.Error("areas of an outcode")
	}
}

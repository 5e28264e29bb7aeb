package index

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
)

// update rewrites the golden files: go test ./index -update.
var update = flag.Bool("update", false, "rewrite the files in testdata")

const (
	tinySnapshot = "testdata/tiny.snap" // what the examples open
	tinyDump     = "testdata/tiny.txt"  // the same in annotated hexadecimal

	nightSnapshot = "testdata/night.snap" // built on another
	nightDump     = "testdata/night.txt"
)

// tinyWorld has a little of everything.
func tinyWorld() *world {
	south := Claim{
		CSP: "Telefonica", AsOf: worldDay, Network: NetworkSouth, Availability: AvailabilityTrue,
		Technology: "Cellular", Variant: "SKU1", Likelihood: High,
	}
	notYet := Claim{
		CSP: "Telefonica", AsOf: worldDay, Network: NetworkSouth, Availability: AvailabilityFalse, Anticipated: worldDay + 32,
		Technology: "Cellular", Variant: "SKU2", Auxiliary: "T2",
	}
	area := Claim{CSP: "Vodafone", AsOf: worldDay - 1, Network: Network4GSouth, Availability: AvailabilityTrue, Technology: "4G", Variant: "4G", Likelihood: Medium}
	introduced, _ := ParseMonth("1980-01")
	terminated, _ := ParseMonth("2019-06")
	return &world{
		land: squares(),
		options: Options{
			AsOf: worldDay, Tool: "coverd", CSPs: []string{"Telefonica", "Vodafone"},
			Prefer: []NetworkRegion{Network4GSouth}, Attributions: []string{"made up"},
		},
		entries: []Entry{
			{Postcode: mustPostcode("AB1 0AA"), At: located(54.5, -1.5), Introduced: introduced},
			{Postcode: mustPostcode("AB1 0AB"), Terminated: terminated},
			{Postcode: mustPostcode("GU1 1AA"), At: located(52.5, -1.5)},
			{Postcode: mustPostcode("GU1 1AB"), At: located(52.996, -1.5)},
		},
		areas: []Area{{Claim: area, Shape: geo.MultiPolygon{{{{Lat: 52.49, Lng: -1.51}, {Lat: 52.49, Lng: -1.49}, {Lat: 52.51, Lng: -1.5}}}}}},
		rows: []testRow{
			{Row{UPRN: 990_000_000_001, At: located(52.5001, -1.5), Postcode: mustPostcode("GU1 1AA"), Line: 2}, south, "1"},
			{Row{UPRN: 990_000_000_002, At: located(52.5002, -1.5001), Postcode: mustPostcode("GU1 1AA"), Line: 3}, notYet, "Flat 2"},
			{Row{At: located(52.7, -1.7), Line: 4}, south, ""},
		},
	}
}

// tinyNight is tinyWorld a night on: of the premises one has coverage now, one is
// at another place, one is lost and one new; of the postcodes one is gone.
func tinyNight(t tb) *world {
	w := tinyWorld()
	w.options.Previous = w.open(t)
	w.options.AsOf++
	for i := range w.rows {
		w.rows[i].claim.AsOf++
	}
	first, second, lost := &w.rows[0], &w.rows[1], &w.rows[2]
	first.At = located(52.5003, -1.5)
	second.claim.Availability, second.claim.Anticipated = AvailabilityTrue, 0
	lost.UPRN, lost.At, lost.Postcode, lost.address = 990_000_000_003, located(52.9961, -1.5), mustPostcode("GU1 1AB"), "3"
	w.entries = slices.DeleteFunc(w.entries, func(e Entry) bool { return e.Postcode == mustPostcode("AB1 0AA") })
	return w
}

// TestGolden holds the format still: a change of the bytes shows here, with
// what they mean.
func TestGolden(t *testing.T) {
	file, _ := tinyWorld().build(t, nil)
	golden(t, file, tinySnapshot, tinyDump)
}

// TestGoldenNight does so for a snapshot that remembers the one before.
func TestGoldenNight(t *testing.T) {
	file, _ := tinyNight(t).build(t, nil)
	golden(t, file, nightSnapshot, nightDump)
}

func golden(t *testing.T, file []byte, snapshot, dumped string) {
	t.Helper()
	text := dump(t, file)
	if *update {
		for path, data := range map[string][]byte{snapshot: file, dumped: text} {
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := os.ReadFile(dumped)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(text)); d != "" {
		t.Errorf("the file has changed (-update accepts it):\n%s", d)
	}
	if want, err = os.ReadFile(snapshot); err != nil || !bytes.Equal(want, file) {
		t.Errorf("%s is not what is built today: %v", snapshot, err)
	}
}

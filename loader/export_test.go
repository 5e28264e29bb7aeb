package loader

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

// exported exports a snapshot and returns the files by name.
func exported(t testing.TB, s *index.Snapshot, o ExportOptions) (dir string, files map[string]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "export")
	out, err := Export(t.Context(), s, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, name := range append([]string{"coverd.toml"}, fileNames(out.Files)...) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(there) != len(files) {
		t.Errorf("%d files in the folder, %d told of", len(there), len(files))
	}
	return dir, files
}

func fileNames(files []index.File) (names []string) {
	for _, f := range files {
		names = append(names, f.Path)
	}
	return names
}

// again builds an export; nothing of it may be rejected or warned of.
func again(t testing.TB, dir string) *index.Snapshot {
	t.Helper()
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Build(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range res.Summary.Sources {
		if s.Rejected > 0 || s.Differing > 0 || s.Repeated > 0 {
			t.Errorf("%s: %d rejected, %d differing, %d repeated: %v", s.name(), s.Rejected, s.Differing, s.Repeated, s.Rejects)
		}
	}
	return open(t, res)
}

// roundTrip exports a snapshot, builds that, and exports it again.
func roundTrip(t testing.TB, s *index.Snapshot, o ExportOptions) (*index.Snapshot, map[string]string) {
	t.Helper()
	dir, files := exported(t, s, o)
	next := again(t, dir)
	if got, want := next.Info().ContentDigest, s.Info().ContentDigest; got != want {
		t.Errorf("content digest %s, was %s (-was +is):\n%s", got, want, cmp.Diff(all(s), all(next)))
	}
	for _, d := range []string{
		cmp.Diff(s.Info().AsOf, next.Info().AsOf), cmp.Diff(s.Info().Prefer, next.Info().Prefer),
		cmp.Diff(s.Info().CountsAsWAN, next.Info().CountsAsWAN), cmp.Diff(s.Info().Indicative, next.Info().Indicative),
		cmp.Diff(s.Info().Attributions, next.Info().Attributions),
	} {
		if d != "" {
			t.Errorf("other metadata (-was +is):\n%s", d)
		}
	}
	o.Workers = 3
	_, twice := exported(t, next, o)
	if !maps.Equal(files, twice) {
		for name := range files {
			if files[name] != twice[name] {
				t.Errorf("%s differs in the second export", name)
			}
		}
		t.Errorf("files %v, then %v", sortedKeys(files), sortedKeys(twice))
	}
	return next, files
}

func TestExportSample(t *testing.T) {
	m, err := ReadManifest(filepath.Join(sampleDir(t), "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Build(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, res)
	for i, p := range Packings {
		if underRace && i > 0 {
			break // packed otherwise it is written by the same routines
		}
		_, files := roundTrip(t, s, ExportOptions{Packing: p})
		t.Log(sortedKeys(files))
	}
}

var exportWorlds = flag.Int("export.worlds", 90, "how many random builds are exported and built again")

func TestExportRandom(t *testing.T) {
	worlds := *exportWorlds
	if small() {
		worlds /= 4
	}
	marked, split := 0, 0
	for seed := range worlds {
		w := randomWorld(rand.New(rand.NewPCG(uint64(seed), 11)))
		s, _ := w.build(t)
		if seed%3 == 0 { // a register that has lost postcodes
			later := randomRegister(rand.New(rand.NewPCG(uint64(seed), 12)))
			w["postcodes.csv"] = later
			s, _ = w.buildAfter(t, s)
		}
		if s.Info().Premises+s.Info().Areas == 0 {
			continue // there is nothing to export
		}
		_, files := roundTrip(t, s, ExportOptions{Packing: Packings[seed%3], Workers: 1 + seed%2})
		for p := range s.AllPremises() {
			if p.Conflict() {
				marked++
			}
			if isSplit := p.UPRN() == 0 && p.Postcode().IsValid() && len(p.Address()) > 0; isSplit && files != nil {
				w := premisesWriter{s: s}
				d := p.Details()
				if w.apart(p, &d) {
					split++
				}
			}
		}
		if t.Failed() {
			t.Fatalf("world %d: %s", seed, w)
		}
	}
	if !small() && (marked == 0 || split == 0) {
		t.Errorf("%d premises in conflict, %d that need rows of their own: want some of either", marked, split)
	}
}

// randomWorld makes a build in which everything that is hard to give back
// happens often: several days, conflicts, premises told by an address, by a
// location, by rows that have half of either.
func randomWorld(rng *rand.Rand) world {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	w := world{"regions.geojson": boxes, "postcodes.csv": randomRegister(rng)}
	var m strings.Builder
	m.WriteString("as_of = 2026-11-22\n")
	if rng.IntN(2) == 0 {
		m.WriteString("prefer = [\"4G South\", \"North\"]\ncounts_as_wan = true\nattributions = [\"A \\\"notice\\\"\\\\\", \"Ünother\"]\n")
	}
	m.WriteString("[regions]\npath = \"regions.geojson\"\n")
	if rng.IntN(2) == 0 {
		m.WriteString("indicative = true\n")
	}
	m.WriteString("[gates]\ndistance = 1\noverlap = 1\n[[register]]\npath = \"postcodes.csv\"\n")
	for i := range 1 + rng.IntN(5) {
		csp := pick("Alpha", "Beta & Co", `Gamma "G"`, "Ω")
		asOf := pick("", "as_of = 2026-11-20\n", "as_of = 2026-11-22\n", "as_of = 2026-10-01\nsequence = 3\n")
		kind, name := "premises", fmt.Sprintf("%d.csv", i)
		if rng.IntN(4) == 0 {
			kind, name = "areas", fmt.Sprintf("%d.geojsonl", i)
			w[name] = randomAreas(rng)
		} else {
			w[name] = anyRows(rng, pick)
		}
		fmt.Fprintf(&m, "[[extract]]\ncsp = %s\nkind = %q\npath = %q\nmax_rejected = 1\n%s", tomlText(csp), kind, name, asOf)
	}
	w["coverd.toml"] = m.String()
	return w
}

var worldPostcodes = []string{"GU1 1AA", "GU1 1AB", "B1 1AA", "AB10 1AA", "ZE1 0AA", "SR43 1AA"}

func randomRegister(rng *rand.Rand) string {
	var b strings.Builder
	b.WriteString("postcode,latitude,longitude,introduced,terminated,terminated_after,terminated_by\n")
	for _, p := range worldPostcodes {
		switch rng.IntN(6) {
		case 0:
		case 1:
			fmt.Fprintf(&b, "%s,,,1999-01,,,\n", p)
		case 2:
			fmt.Fprintf(&b, "%s,51.123456,-1.000001,,2020-02,,\n", p)
		case 3:
			fmt.Fprintf(&b, "%s,51.5,-1.5,2001-01,,2026-10-01,2026-11-01\n", p)
		default:
			fmt.Fprintf(&b, "%s,%.6f,%.6f,,,,\n", p, 51+5*rng.Float64(), -3*rng.Float64())
		}
	}
	return b.String()
}

func anyRows(rng *rand.Rand, pick func(...string) string) string {
	var b strings.Builder
	b.WriteString("uprn,postcode,address_identifier,latitude,longitude,network_region,coverage_availability,anticipated_coverage_date,coverage_end_date,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment,additional_information,claims_conflict\n")
	for range 1 + rng.IntN(40) {
		cells := []string{
			pick("", "", "1", "2", "000000000003", "999999999999"),
			pick(append([]string{"", ""}, worldPostcodes[:4]...)...),
			pick("", "", "1", "Flat 1", "FLAT  1", "flat 1", "=2+3", "\"Mill\", \"Court\"", "a\nb", "Ünter, 4", "-5", "'6"),
			"", "",
			pick("North", "South", "4G South", "Unknown", "SMETS1", "Central"),
			pick("true", "false", ""),
			pick("", "", "2027-01-15", "2026-11-21"),
			pick("", "", "", "2027-12-31"),
			pick("Cellular", "Cellular", "VWAN"), pick("SKU1", "SKU2", "@x"), pick("High", "Low", ""), pick("", "", "T1"), pick("", "", "a \"remark\",\nwith all"), "",
		}
		if rng.IntN(3) > 0 {
			cells[3], cells[4] = pick("51.123456", "51.123457", "54.000000", "56.5"), pick("-1.000000", "-0.000001", "-2.5")
		}
		if rng.IntN(12) == 0 {
			for i := 5; i < 14; i++ {
				cells[i] = ""
			}
			cells[14] = "true"
		}
		for i, c := range cells {
			b.Write(appendCell(comma(nil, i), c))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func randomAreas(rng *rand.Rand) string {
	var b strings.Builder
	for range 1 + rng.IntN(5) {
		x, y := -3+2*rng.Float64(), 51+4*rng.Float64()
		if rng.IntN(2) == 0 {
			x, y = -1.5, 50.9
		}
		networks := []string{"North", "South", "4G South"}
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"network_region":%q,"coverage_availability":%v,"wan_variant":"A\"%d","additional_information":"x\ny"},"geometry":{"type":"MultiPolygon","coordinates":[[[[%v,%v],[%v,%v],[%v,%v],[%[4]v,%[5]v]]],[[[%[4]v,%v],[%v,%[5]v],[%[6]v,%[10]v],[%[4]v,%[10]v]]]]}}`+"\n",
			networks[rng.IntN(3)], []string{"true", "false", "null"}[rng.IntN(3)], rng.IntN(3), x, y, x+1.1, y, x+1.0000000001, y+0.7, y+1)
	}
	return b.String()
}

// A mark says what contradicting rows said, and no more.
func TestConflictMark(t *testing.T) {
	const head = "uprn,claims_conflict,network_region,coverage_availability\n"
	s, told := premisesWorld("A", head+"1,true,,\n2,false,South,true\n2,true,,\n3,,South,true\n4,false,South,true\n").build(t)
	want := []string{"1: !", "2: South/A+ !", "3: South/A+", "4: South/A+"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(all(s)))); diff != "" {
		t.Error(diff)
	}
	if s := told.Sources[1]; s.Marks != 2 || s.Accepted != 5 || len(s.Notes) != 1 {
		t.Errorf("%d marks in %d rows: %q", s.Marks, s.Accepted, s.Notes)
	}
	_, sum := premisesWorld("A", head+"1,true,South,\n2,true,,true\n3,maybe,South,true\n4,,,\n").build(t)
	if diff := cmp.Diff([]string{"1.csv:2: network_region: conflict_mark", "1.csv:3: coverage_availability: conflict_mark", "1.csv:4: claims_conflict: availability", "1.csv:5: network_region: network_region"}, rejects(sum)); diff != "" {
		t.Error(diff)
	}
}

func TestExportRefuses(t *testing.T) {
	s, _ := premisesWorld("A", header+"1,,,,,South,true,,,,,,,\n").build(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Export(t.Context(), s, dir, ExportOptions{}); err == nil || !strings.Contains(err.Error(), "empty folder") {
		t.Errorf("into a folder with a file: %v", err)
	}
}

package loader

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coverd/fixtures"
	"coverd/index"
)

// readManifest reads a manifest from a folder with a few files in it.
func readManifest(t testing.TB, text string) (*Manifest, string, error) {
	t.Helper()
	dir := t.TempDir()
	world{
		"coverd.toml": text, "a.csv": "x", "b.csv": "x", "sub/c.csv.zst": "x", "areas.geojson": "x",
		"regions.geojson": "x", "regions2.geojson": "x", "code/Data/CSV/gu.csv": "x", "code/Data/CSV/ab.csv.gz": "x", "code/Doc/readme.txt": "x",
	}.write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err == nil {
		err = m.absent // as a first build has it
	}
	return m, dir, err
}

// Every key there is.
func TestManifest(t *testing.T) {
	m, dir, err := readManifest(t, `
as_of         = 2026-11-22
prefer        = ["4G Central", "South"]
snapshots     = "snap/shots"
counts_as_wan = true
[regions]
path = "regions.geojson"
[[register]]
path   = "code"
format = "code-point-open"
[[register]]
path = "b.csv"
[[extract]]
csp          = "Arqiva"
kind         = "premises"
path         = "sub/*.csv.zst"
as_of        = 2026-11-21
sequence     = 412
rows         = 0
sha256       = "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
max_rejected = 0.25
[extract.columns]
postcode = "PCODE"
[extract.values.connectivity_likelihood]
H = "High"
[extract.values.network_region]
"4G.C" = "4G Central"
[[extract]]
csp  = "Telefonica"
kind = "areas"
path = "areas.geojson"
[[extract]]
csp   = "Arqiva"
kind  = "premises"
path  = "a.csv"
as_of = "2026-11-20"
`)
	if err != nil {
		t.Fatal(err)
	}
	in := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	want := &Manifest{
		Path: in("coverd.toml"), Dir: dir,
		AsOf: day(t, "2026-11-22"), Prefer: []index.NetworkRegion{index.Network4GCentral, index.NetworkSouth},
		Snapshots: in("snap/shots"), CountsAsWAN: true, Regions: in("regions.geojson"),
		Registers: []RegisterInput{
			{Pattern: "code", Files: []string{in("code/Data/CSV/ab.csv.gz"), in("code/Data/CSV/gu.csv")}, Format: FormatCodePointOpen},
			{Pattern: "b.csv", Files: []string{in("b.csv")}},
		},
		Extracts: []Extract{
			{
				CSP: "Arqiva", Kind: KindPremises, Pattern: "sub/*.csv.zst", Files: []string{in("sub/c.csv.zst")},
				AsOf: day(t, "2026-11-21"), Sequence: 412, Rows: 0,
				SHA256: "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789", MaxRejected: 0.25,
				Columns: map[string]string{"postcode": "PCODE"},
				Values: map[string]map[string]string{
					"connectivity_likelihood": {"H": "High"}, "network_region": {"4G.C": "4G Central"},
				},
			},
			{
				CSP: "Telefonica", Kind: KindAreas, Pattern: "areas.geojson", Files: []string{in("areas.geojson")},
				AsOf: day(t, "2026-11-22"), Rows: -1, MaxRejected: 0.001,
			},
			{
				CSP: "Arqiva", Kind: KindPremises, Pattern: "a.csv", Files: []string{in("a.csv")},
				AsOf: day(t, "2026-11-20"), Rows: -1, MaxRejected: 0.001,
			},
		},
		Gates: DefaultThresholds(),
	}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreUnexported(Manifest{})); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if got := m.CSPs(); !cmp.Equal(got, []string{"Arqiva", "Telefonica"}) {
		t.Errorf("CSPs %v", got)
	}
}

func TestManifestErrors(t *testing.T) {
	const extract = "[[extract]]\ncsp = \"A\"\nkind = \"premises\"\npath = \"a.csv\"\n" // lines 2 to 5
	const good = "as_of = 2026-11-22\n" + extract
	for _, tt := range []struct {
		name, text string
		want       []string // line: message, of which this is the start
	}{
		{"empty", "", []string{
			"0: as_of is missing: write the day the data describes, such as as_of = 2026-11-22",
			"0: no extracts: name at least one in an [[extract]] table with csp, kind and path",
		}},
		{"not TOML", "as_of = 2026-11-22\n= 5\n", []string{"2: "}},
		{"not UTF-8", good + "# caf\xe9\n", []string{"6: extract: invalid UTF-8 byte: 0xe9"}},
		{"a key twice", "as_of = 2026-11-22\nas_of = 2026-11-23\n", []string{"2: as_of: Key 'as_of' has already been defined."}},
		{"a table twice", good + "[regions]\npath='regions.geojson'\n[regions]\n", []string{"8: Key 'regions' has already been defined."}},

		{"as_of a time", "as_of = 2026-11-22T10:00:00Z\n" + extract, []string{"1: as_of: want a date alone, such as 2026-11-22, not a time"}},
		{"as_of no day", "as_of = \"2026-02-30\"\n" + extract, []string{`1: as_of: not a date: "2026-02-30"`}},
		{"as_of a number", "as_of = 20261122\n" + extract, []string{"1: as_of: want a date such as 2026-11-22, not 20261122"}},

		{"unknown key", good + "row = 5\n", []string{`6: unknown key "row" in [extract]: did you mean "rows"?`}},
		{"unknown key, twice", good + "rowss = 5\n" + strings.Replace(extract, "a.csv", "b.csv", 1) + "rowss = 5\n", []string{
			`6: unknown key "rowss" in [extract]`, `11: unknown key "rowss" in [extract]`,
		}},
		{"unknown key at the top", "prefers = []\n" + good, []string{`1: unknown key "prefers": did you mean "prefer"?`}},
		{"unknown key like none", "zzzzzzzzzzz = 1\n" + good, []string{
			`1: unknown key "zzzzzzzzzzz" (known are as_of, prefer, snapshots, counts_as_wan, attributions, regions, register, extract, gates, override)`,
		}},
		{"another case", "As_Of = 2026-11-23\n" + good, []string{`1: unknown key "As_Of": did you mean "as_of"?`}},
		{"a dotted key", "regions.paths = \"x\"\n" + good, []string{
			`0: unknown key "paths" in [regions]: did you mean "path"?`, "0: regions: path is missing", // lines are told of plain keys
		}},
		{"unknown table", good + "[region]\npath = \"regions.geojson\"\n", []string{`6: unknown key "region": did you mean "regions"?`}},
		{"unknown table in a table", good + "[extract.column]\nuprn = \"X\"\n[extract.valuess.network_region]\nN = \"North\"\n", []string{
			`6: unknown key "column" in [extract]: did you mean "columns"?`, `8: unknown key "valuess" in [extract]: did you mean "values"?`,
		}},
		{"unknown key of a register", good + "[[register]]\npath = \"b.csv\"\nfmt = 1\n", []string{`8: unknown key "fmt" in [register]`}},
		{"unknown key of the regions", good + "[regions]\npaths = \"b.csv\"\n", []string{
			`7: unknown key "paths" in [regions]: did you mean "path"?`, "6: regions: path is missing",
		}},

		{"wrong type", good + "rows = \"many\"\n", []string{"6: extract.rows: incompatible types: TOML value has type string; destination has type integer"}},
		{"one extract, not a list", "as_of = 2026-11-22\n[extract]\ncsp = \"A\"\n", []string{"2: extract: incompatible types"}},
		{"prefer a text", "prefer = \"North\"\n" + good, []string{"1: prefer: incompatible types"}},
		{"prefer something else", "prefer = [\"4g Central\", \"North\", \"North\"]\n" + good, []string{
			`1: prefer: not a network region: "4g Central" (want North, Central, South, 4G North, 4G Central, 4G South, Unknown or SMETS1): did you mean "4G Central"?`,
			`1: prefer: "North" is listed twice`,
		}},

		{"missing keys", "as_of = 2026-11-22\n\n[[extract]]\n", []string{
			`3: extract 1: csp is missing: write who made the extract, such as csp = "Arqiva"`,
			`3: extract 1: kind is missing: write kind = "premises" or kind = "areas"`,
			"3: extract 1: path is missing",
		}},
		{"odd csp", strings.Replace(good, `"A"`, `" A\t"`, 1), []string{"3: extract 1 ( A\t): csp \" A\\t\" has space around it or control characters"}},
		{"unknown kind", strings.Replace(good, "premises", "premise", 1), []string{`4: extract 1 (A): unknown kind "premise": want "premises" or "areas"`}},
		{"no such file", strings.Replace(good, "a.csv", "z.csv", 1), []string{"5: extract 1: path: "}},
		{"no match", strings.Replace(good, "a.csv", "z*.csv", 1), []string{"5: extract 1: path: no file matches "}},
		{"no glob", strings.Replace(good, "a.csv", "[", 1), []string{"5: extract 1: path: "}},
		{"a folder", strings.Replace(good, "a.csv", "sub", 1), []string{"5: extract 1: path: "}},
		{"a file twice", good + strings.Replace(extract, "a.csv", "*.csv", 1), []string{"9: extract 2: path: "}},
		{"extract after the manifest", good + "as_of = 2026-11-23\n", []string{
			"6: extract 1 (A): as_of 2026-11-23 is after the manifest's, 2026-11-22: an extract cannot describe a later day than the build",
		}},
		{"sequence", good + "sequence = 0\n", []string{"6: extract 1 (A): sequence 0: sequences start at 1"}},
		{"rows", good + "rows = -1\n", []string{"6: extract 1 (A): rows -1: a count cannot be negative"}},
		{"max_rejected", good + "max_rejected = 1.5\n", []string{"6: extract 1 (A): max_rejected 1.5: want a share from 0 to 1, such as 0.001"}},
		{"max_rejected NaN", good + "max_rejected = nan\n", []string{"6: extract 1 (A): max_rejected NaN: want a share"}},
		{"on_missing", good + "on_missing = \"skip\"\n", []string{`6: extract 1 (A): on_missing "skip": want "refuse" or "carry"`}},
		{"carry_days", good + "on_missing = \"carry\"\ncarry_days = 0\n", []string{"7: extract 1 (A): carry_days 0: want 1 or more"}},
		{"carry_days alone", good + "carry_days = 5\n", []string{`6: extract 1 (A): carry_days without on_missing = "carry"`}},
		{"no file, and no carry", strings.Replace(good, "a.csv", "z.csv", 1) + "on_missing = \"refuse\"\n", []string{"5: extract 1: path: "}},
		{"carry and no glob", strings.Replace(good, "a.csv", "[", 1) + "on_missing = \"carry\"\n", []string{"5: extract 1: path: "}},
		{"gates", good + "[gates]\nshrink = 5\narea_rows = -1\ngrowth = nan\nempty_aera = 0.1\n", []string{
			`10: unknown key "empty_aera" in [gates]: did you mean "empty_area"?`,
			"7: gates: shrink 5: want a share from 0 to 1, such as 0.05",
			"8: gates: area_rows -1: want a number from 0 up, such as 1000",
			"9: gates: growth NaN: want a number from 0 up, such as 0.2",
		}},
		{"override", good + "[[override]]\ngate = \"shrinc\"\nafter = \"7ec1\"\nby = \" \"\nreason = \"a\\tb\"\n", []string{
			`7: override 1: unknown gate "shrinc": did you mean "shrink"?`,
			"6: override 1: source is missing: copy it from the refusal",
			`8: override 1: after "7ec1": want the first 12 digits of the ID of the snapshot that the build comes after, as the refusal prints them`,
			`9: override 1: by "": write in plain text who lets it pass`,
			`10: override 1: reason "a\tb": write in plain text why that is right`,
		}},
		{"override of what cannot be", good + "[[override]]\ngate = \"sha256\"\nsource = \"a.csv\"\nafter = \"none\"\nby = \"A\"\nreason = \"b\"\n", []string{
			`7: override 1: gate "sha256" cannot be overridden: the digest is the manifest's own`,
		}},
		{"sha256", good + "sha256 = \"abc\"\n", []string{`6: extract 1 (A): sha256 "abc" is not 64 hexadecimal digits`}},
		{"sha256 of several", strings.Replace(good, "a.csv", "*.csv", 1) + "sha256 = \"" + strings.Repeat("a", 64) + "\"\n", []string{
			"6: extract 1 (A): sha256 is of one file, and path matches 2: give each file an [[extract]] of its own",
		}},
		{"columns", good + "[extract.columns]\npostcod = \"X\"\nuprn = \"\"\n", []string{
			`7: extract 1 (A): columns: "postcod" is none of our columns: did you mean "postcode"?`,
			"8: extract 1 (A): columns: uprn has no name: write theirs, or leave the line out",
		}},
		{"columns of an area", strings.Replace(good, "premises", "areas", 1) + "[extract.columns]\nuprn = \"X\"\n", []string{
			`7: extract 1 (A): columns: "uprn" is none of our columns`,
		}},
		{"values", good + "[extract.values.network]\nN = \"North\"\n[extract.values.network_region]\nN = \"Nord\"\n[extract.values.coverage_availability]\nY = \"yes\"\nX = \"\"\n" +
			"[extract.values.connectivity_likelihood]\nH = \"high\"\n[extract.values.coverage_end_date]\nNEVER = \"never\"\n[extract.values.wan_variant]\nX = \"1234567890123456789012345678901\"\n", []string{
			`14: extract 1 (A): values: connectivity_likelihood: "H" stands for not a likelihood: "high"`,
			`11: extract 1 (A): values: coverage_availability: "Y" stands for neither true nor false`,
			`16: extract 1 (A): values: coverage_end_date: "NEVER" stands for not a date: "never"`,
			`6: extract 1 (A): values: "network" is none of our columns`,
			`9: extract 1 (A): values: network_region: "N" stands for not a network region: "Nord"`,
			`18: extract 1 (A): values: wan_variant: "X" stands for 31 characters: at most 30`,
		}},
		{"a value with space", good + "[extract.values.wan_variant]\n\" X\" = \"Y\"\n", []string{
			`7: extract 1 (A): values: wan_variant: " X" has space around it, which cells never have: leave it out`,
		}},
		{"several regions", good + "[regions]\npath = \"regions*.geojson\"\n", []string{"7: regions: path matches 2 files: give one"}},
		{"regions without path", good + "[regions]\n", []string{"6: regions: path is missing"}},
		{"unknown format", good + "[[register]]\npath = \"b.csv\"\nformat = \"onsp\"\n", []string{
			`8: register: unknown format "onsp": want "onspd", "code-point-open" or "coverd", or leave it out to have it recognised: did you mean "onspd"?`,
		}},
		{"register without path", good + "[[register]]\n", []string{"6: register 1: path is missing"}},
		{"register of no file", good + "[[register]]\npath = \"code/Doc/x\"\n", []string{"7: register 1: path: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, dir, err := readManifest(t, tt.text)
			if err == nil {
				t.Fatal("no error")
			}
			path := filepath.Join(dir, "coverd.toml")
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got\n%v\nwant %d errors", err, len(tt.want))
			}
			for i, want := range tt.want {
				line, msg, _ := strings.Cut(want, ": ")
				want = path + ":" + line + ": " + msg
				if line == "0" {
					want = path + ": " + msg
				}
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("error\n got %s\nwant %s", lines[i], want)
				}
			}
		})
	}
}

func TestManifestGone(t *testing.T) {
	if _, err := ReadManifest(filepath.Join(t.TempDir(), "coverd.toml")); !os.IsNotExist(err) {
		t.Errorf("error %v", err)
	}
}

// A byte order mark and CRLF come with some editors.
func TestManifestFromWindows(t *testing.T) {
	m, _, err := readManifest(t, "\xef\xbb\xbfas_of = 2026-11-22\r\n[[extract]]\r\ncsp = \"A\"\r\nkind = \"premises\"\r\npath = \"a.csv\"\r\n")
	if err != nil || len(m.Extracts) != 1 {
		t.Errorf("got %v, %v", m, err)
	}
}

// The keys for suggestions are those that are read.
func TestManifestKeysAreTheStructs(t *testing.T) {
	tags, keys := thresholdNames(), []string(nil)
	for _, file := range []string{"manifest_toml.go", "thresholds.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "`toml:\"")[1:] {
			tag, _, _ := strings.Cut(part, `"`)
			tags = append(tags, tag)
		}
	}
	for _, k := range manifestKeys {
		keys = append(keys, k...)
	}
	slices.Sort(tags)
	slices.Sort(keys)
	if diff := cmp.Diff(tags, keys); diff != "" {
		t.Errorf("keys (-read +known):\n%s", diff)
	}
}

func FuzzManifest(f *testing.F) {
	for _, name := range []string{"coverd.toml", "bad/coverd.toml", "bad/too-many.toml"} {
		text, err := fixtures.Sample().Open(name)
		if err != nil {
			f.Fatal(err)
		}
		b := make([]byte, 1<<16)
		n, _ := text.Read(b)
		f.Add(b[:n])
	}
	f.Add([]byte("as_of = 2026-11-22\n[[extract]]\n[extract.values.\"a.b\"]\n'c' = \"\"\n[extract.columns]\nuprn = '''x\n[y]\n'''\n"))
	dir := f.TempDir()
	path := filepath.Join(dir, "coverd.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "/") || len(text) > 1<<14 {
			return // no walks about the disk
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(path)
		if (m == nil) == (err == nil) {
			t.Fatalf("got %v, %v", m, err)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("an error that says nothing")
		}
	})
}

package loader

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/index"
)

// night builds a world and returns its file of rejected rows.
func (w world) night(t testing.TB) (res *Result, rejected string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rejects.csv")
	res, err := w.try(t, Options{Rejects: path})
	if err != nil && !isRefusal(err) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// feed returns a world whose first extract is corrected by a file.
func (w world) feed(corrections string) world {
	w = w.with("corrected.csv", corrections)
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "[[extract]]\n", "[[extract]]\ncorrections = \"corrected.csv\"\n", 1)
	return w
}

// edit changes rows of a file of rejects, by their lines in the source.
func edit(t testing.TB, rejected string, rows map[string]string) string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(rejected)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		if row, ok := rows[r[1]]; ok {
			r[4] = Inert(row)
		}
	}
	return writeCSV(t, records)
}

func writeCSV(t testing.TB, records [][]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const fixHead = "uprn,network_region,coverage_availability,wan_variant\n"

func TestCorrections(t *testing.T) {
	long := strings.Repeat("x", maxRecord)
	for _, tt := range []struct {
		name, rows string
		fix        map[string]string // by line
		want       []string          // premises
		rejects    []string
	}{
		{"a cell", "1,East,true,\n2,South,true,\n", map[string]string{"2": "1,South,true,"}, []string{"1: South/A+", "2: South/A+"}, nil},
		{"none of two", "1,East,true,\n2,West,true,\n", nil, nil, []string{"1.csv:2: network_region: network_region", "1.csv:3: network_region: network_region"}},
		{"one of two", "1,East,true,\n2,West,true,\n", map[string]string{"3": "2,South,true,"}, []string{"2: South/A+"}, []string{"1.csv:2: network_region: network_region"}},
		{"still bad", "1,East,true,\n", map[string]string{"2": "1,South,maybe,"}, nil, []string{"1.csv:2: coverage_availability: availability"}},
		{"too few fields", "1,South\n", map[string]string{"2": "1,South,true,"}, []string{"1: South/A+"}, nil},
		{"fields missing again", "1,East,true,\n", map[string]string{"2": "1,South"}, nil, []string{"1.csv:2: : field_count"}},
		{"two rows in one", "1,East,true,\n", map[string]string{"2": "1,South,true,\n2,South,true,"}, nil, []string{"1.csv:2: : field_count"}},
		{"a quote that does not close, again", "1,East,true,\n", map[string]string{"2": "1,South,true,\"x"}, nil, []string{"1.csv:2: : quotes"}},
		{"too long a row", "1,East,true,\n", map[string]string{"2": "1,South,true," + long[13:]}, nil, []string{"1.csv:2: : line_length"}},
		{"a bare quote", "1,South,true,a \"b\"\n2,South,true,\n", map[string]string{"2": `1,South,true,"a ""b"""`}, []string{`1: South/A+/a "b"`, "2: South/A+"}, nil},
		{"a quote that swallows rows", "1,South,true,\"a\n2,South,true,\n3,South,true,\"x\"\n", map[string]string{"2": "1,South,true,a"}, []string{"1: South/A+/a", "2: South/A+", "3: South/A+/x"}, nil},
		{"a long line", "1,South,true," + long + "\n2,South,true,\n", map[string]string{"2": "1,South,true,x"}, []string{"1: South/A+/x", "2: South/A+"}, nil},
		{"Latin-1", "1,South,true,caf\xe9\n", map[string]string{"2": "1,South,true,café"}, []string{"1: South/A+/café"}, nil},
		{"CRLF", "1,East,true,\r\n2,South,true,\r\n", map[string]string{"2": "1,South,true,\r\n"}, []string{"1: South/A+", "2: South/A+"}, nil},
		{"what looks like a formula", "=1,South,true,\n'=2,South,true,\n", map[string]string{"2": "1,South,true,=1+1"}, []string{"1: South/A+/=1+1"}, []string{"1.csv:3: uprn: uprn"}},
		{"a conflict: the same", "1,South,true,\n1,South,false,\n", map[string]string{"3": "1,South,true,"}, []string{"1: South/A+"}, nil},
		{"a conflict: another premises", "1,South,true,\n1,South,false,\n", map[string]string{"2": "2,South,true,"}, []string{"1: South/A-", "2: South/A+"}, nil},
		{"a conflict: nothing changed", "1,South,true,\n1,South,false,\n", nil, []string{"1: !"}, []string{"1.csv:2: : conflict", "1.csv:3: : conflict"}},
		{"a conflict: and a bad row", "1,South,true,\n1,South,false,\n", map[string]string{"3": "1,East,true,"}, []string{"1: South/A+"}, []string{"1.csv:3: network_region: network_region"}},
		{"a conflict: and another", "1,South,true,\n1,South,false,\n2,South,true,\n", map[string]string{"3": "2,South,false,"}, []string{"1: South/A+", "2: !"}, []string{"1.csv:3: : conflict", "1.csv:4: : conflict"}},
		{"a bad row that comes to contradict", "1,South,true,\n1,Suth,false,\n", map[string]string{"3": "1,South,false,"}, []string{"1: !"}, []string{"1.csv:2: : conflict", "1.csv:3: : conflict"}},
		{"a quote that comes to contradict", "1,South,true,\n1,South,false,\"x\n2,South,true,\n3,South,true,\"y\"\n", map[string]string{"3": "1,South,false,x"}, []string{"1: !", "2: South/A+", "3: South/A+/y"}, []string{"1.csv:2: : conflict", "1.csv:3: : conflict"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := premisesWorld("A", fixHead+tt.rows)
			_, rejected := w.night(t)
			fed := w.feed(edit(t, rejected, tt.fix))
			res, again := fed.night(t)
			if got := all(open(t, res)); !cmp.Equal(got, tt.want) {
				t.Errorf("premises %q, want %q", got, tt.want)
			}
			if got := rejects(&res.Summary); !cmp.Equal(got, tt.rejects) {
				t.Errorf("rejects %v, want %v", got, tt.rejects)
			}
			s := res.Summary
			if want := max(0, int64(len(tt.fix))-int64(strings.Count(again, "(as corrected in corrected.csv:"))); s.Corrected != want || s.Accepted+s.Rejected != s.Rows {
				t.Errorf("%d corrected of %d: %+v", s.Corrected, want, s)
			}
			if got := aboutCorrections(&s); len(got) > 0 {
				t.Errorf("warnings %q", got)
			}
			// What is left can be fed back too, as it is, and nothing comes of that.
			if _, third := fed.with("corrected.csv", fed["corrected.csv"]+rowsOnly(again)).night(t); third != again {
				t.Errorf("fed back unchanged:\n%.1000s\nwas\n%.1000s", third, again)
			}
		})
	}
}

// aboutCorrections are the warnings that the first extract has for them.
func aboutCorrections(s *Summary) []string {
	return slices.DeleteFunc(slices.Clone(s.Sources[1].Warnings), func(s string) bool { return !strings.Contains(s, "correct") })
}

// rowsOnly is a CSV file without its header.
func rowsOnly(text string) string {
	_, rows, _ := strings.Cut(text, "\n")
	return rows
}

// A correction is bound to what stood there: another night's row is not altered.
func TestStaleCorrections(t *testing.T) {
	w := premisesWorld("A", fixHead+"1,East,true,\n2,South,true,\n")
	_, rejected := w.night(t)
	fix := edit(t, rejected, map[string]string{"2": "9,South,true,"})
	twice := fix + strings.ReplaceAll(rowsOnly(fix), "9,", "8,")
	for _, tt := range []struct {
		name    string
		w       world
		want    []string
		warning string
	}{
		{"another bad row", w.with("1.csv", fixHead+"3,East,true,\n2,South,true,\n").feed(fix), []string{"2: South/A+"}, "corrected.csv:2: another row than the one corrected stands at 1.csv:2 now, or none: not used"},
		{"a good row", w.with("1.csv", fixHead+"1,South,true,\n").feed(fix), []string{"1: South/A+"}, "corrected.csv:2: another row than"},
		{"moved down", w.with("1.csv", fixHead+"2,South,true,\n1,East,true,\n").feed(fix), []string{"2: South/A+"}, "corrected.csv:2: another row than"},
		{"shorter", w.feed(strings.Replace(fix, "1.csv,2,", "1.csv,9,", 1)), []string{"2: South/A+"}, "corrected.csv:2: another row than the one corrected stands at 1.csv:9 now"},
		{"the same row, good under another mapping", w.feed(fix).with("coverd.toml", "\n[extract.values.network_region]\nEast = \"South\"\n"), []string{"1: South/A+", "2: South/A+"}, "corrected.csv:2: the row at 1.csv:2 is not rejected: not used"},
		{"two that contradict each other", w.feed(twice), []string{"2: South/A+"}, "corrected.csv:2: another correction of 1.csv:2 says otherwise: neither is used"},
		{"two that say the same", w.feed(fix + rowsOnly(fix)), []string{"2: South/A+", "9: South/A+"}, ""},
		{"one, and one that changes nothing", w.feed(fix + rowsOnly(rejected)), []string{"2: South/A+", "9: South/A+"}, ""},
		{"of another file", w.feed(strings.Replace(fix, "1.csv", "last/1.csv", 1)), []string{"2: South/A+"}, `1 corrections are of "last/1.csv", which is no file of the manifest: not used`},
		{"of another input", w.feed(strings.Replace(fix, "1.csv", "regions.geojson", 1)), []string{"2: South/A+"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sum := tt.w.build(t)
			if got := all(s); !cmp.Equal(got, tt.want) {
				t.Errorf("premises %q, want %q", got, tt.want)
			}
			got := aboutCorrections(sum)
			if tt.warning == "" && len(got) > 0 || tt.warning != "" && (len(got) == 0 || !strings.HasPrefix(got[0], tt.warning)) {
				t.Errorf("warnings %q, want %q", got, tt.warning)
			}
		})
	}
}

// The snapshot says what was corrected by which file; the corrections of two
// extracts may be in one file, packed as anything is.
func TestCorrectionsAreRecorded(t *testing.T) {
	w := premisesWorld("A", fixHead+"1,East,true,\n", "B", fixHead+"1,East,false,\n").
		with("coverd.toml", "\ncorrections = \"corr*.zst\"\n[[extract]]\ncsp = \"C\"\nkind = \"premises\"\npath = \"3.csv\"\ncorrections = \"none*.csv\"").with("3.csv", fixHead+"7,South,true,\n")
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "csp = \"A\"\n", "csp = \"A\"\ncorrections = \"corr*.zst\"\n", 1)
	_, rejected := w.night(t)
	fixed := strings.ReplaceAll(rejected, ",East,", ",South,") // the only two
	records, err := csv.NewReader(strings.NewReader(fixed)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records { // a spreadsheet may have them in another order, and write CRLF and a byte order mark
		slices.Reverse(r)
	}
	w["corrected.csv.zst"] = zstded(t, "\xef\xbb\xbf"+strings.ReplaceAll(writeCSV(t, records), "\n", "\r\n"))
	s, sum := w.build(t)
	if got := all(s); !cmp.Equal(got, []string{"1: South/A+ South/B-", "7: South/C+"}) || sum.Corrected != 2 {
		t.Errorf("premises %q, %d corrected", got, sum.Corrected)
	}
	for i, source := range s.Info().Sources[1:] {
		if i == 2 {
			if len(source.Corrections) != 0 {
				t.Errorf("corrections of none: %v", source.Corrections)
			}
			continue
		}
		want := []index.File{{Path: "corrected.csv.zst", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(w["corrected.csv.zst"]))), Bytes: int64(len(w["corrected.csv.zst"]))}}
		if diff := cmp.Diff(want, source.Corrections); diff != "" {
			t.Errorf("source %d (-want +got):\n%s", i, diff)
		}
	}
	var text strings.Builder
	if err := sum.WriteText(&text); err != nil || !strings.Contains(text.String(), "\n  1 corrected\n") {
		t.Errorf("%v\n%s", err, &text)
	}
}

// Features are corrected as rows are, also several of one line.
func TestCorrectedFeatures(t *testing.T) {
	bad := strings.TrimSuffix(square(0.1, `"network_region":"East","coverage_availability":true`), "\n")
	good := strings.TrimSuffix(square(0.2, south("GOOD")), "\n")
	other := strings.Replace(bad, "East", "West", 1)
	for name, text := range map[string]string{
		"a.geojsonl": good + "\n" + bad + "\n" + other + "\n",
		"a.geojson":  `{"type":"FeatureCollection","features":[` + good + "," + bad + "," + other + "]}",
	} {
		w := world{
			"regions.geojson": boxes, "coverd.toml": manifestHead + "[[extract]]\ncsp = \"A\"\nkind = \"areas\"\npath = \"" + name + "\"\n", name: text,
		}
		_, rejected := w.night(t)
		records, err := csv.NewReader(strings.NewReader(rejected)).ReadAll()
		if err != nil || len(records) != 3 {
			t.Fatalf("%s: %v\n%s", name, err, rejected)
		}
		records[2][4] = strings.Replace(records[2][4], "West", "South", 1)
		res, again := w.feed(writeCSV(t, records)).night(t)
		if s := res.Summary; s.Areas != 2 || s.Corrected != 1 || s.Rejected != 1 || !strings.Contains(again, "East") || len(s.Sources[1].Warnings) > 0 {
			t.Errorf("%s: %+v\n%s", name, s, again)
		}
		records[2][4] = strings.Replace(records[2][4], "South", "North-West", 1)
		if _, again = w.feed(writeCSV(t, records)).night(t); !strings.Contains(again, "North-West") || !strings.Contains(again, "(as corrected in corrected.csv:3)") {
			t.Errorf("%s: still bad:\n%s", name, again)
		}
	}
}

// A file of corrections that cannot be understood refuses the build: someone
// wrote it, and is there to mend it.
func TestBadCorrections(t *testing.T) {
	const head = "source,line,column,reason,row,digest\n"
	const row = `1.csv,2,,x,"1,South,true,",sha256:0123456789abcdef` + "\n"
	for _, tt := range []struct{ text, want string }{
		{"", "it is empty"},
		{"source,line,column,reason,row\n", "corrected.csv:1: header: no column digest: corrections are a file of rejected rows"},
		{"line,column,reason,row,digest\n", "corrected.csv:1: header: no column source"},
		{"source,line,column,reason,row,row,digest\n", "corrected.csv:1: header: column row is there twice"},
		{head + row + "1.csv,2\n", "corrected.csv:3: 2 fields, the header has 6"},
		{head + strings.Replace(row, ",2,", ",two,", 1), `corrected.csv:2: line: not the number of a line: "two"`},
		{head + strings.Replace(row, ",2,", ",0,", 1), "corrected.csv:2: line: not the number"},
		{head + strings.Replace(row, ",2,", ",4294967296,", 1), "corrected.csv:2: line: not the number"},
		{head + strings.Replace(row, "sha256:0", "sha256:", 1), `corrected.csv:2: digest: "sha256:123456789abcdef" is none`},
		{head + strings.Replace(row, "sha256:0123456789abcdef", "1.23E+15", 1), `corrected.csv:2: digest: "1.23E+15" is none`},
		{head + strings.Replace(row, `"1,South,true,"`, "", 1), "corrected.csv:2: row: it is empty"},
		{head + `1.csv,2,,x,"1,South`, "corrected.csv:2: it ends inside the quotes"},
		{head + `1.csv,2,,x,a"b,sha256:0123456789abcdef` + "\n", "corrected.csv:2: a quote inside a field"},
		{head + strings.Repeat("x", maxCorrection+1) + "\n", "corrected.csv:2: a line of over 196608 bytes"},
		{head + strings.Replace(row, "true", strings.Repeat("x", maxRecord), 1), "corrected.csv:2: row: over 65536 bytes"},
		{"\xff\xfes\x00o\x00", "it is UTF-16"},
		{head + strings.Repeat(row, maxCorrections/len(row)+1), "more than 16 MiB of corrections"},
	} {
		w := premisesWorld("A", fixHead+"1,South,true,\n").feed(tt.text)
		gates, s := w.refused(t)
		if !cmp.Equal(gates, []string{gateFile}) || !strings.Contains(s.Refusals[0].Msg, tt.want) {
			t.Errorf("%.200q: gates %v, %v; want %s", tt.text, gates, s.Refusals, tt.want)
		}
	}
	w := premisesWorld("A\ncorrections = \"nowhere.csv\"", fixHead)
	dir := t.TempDir()
	w.write(t, dir)
	if _, err := ReadManifest(filepath.Join(dir, "coverd.toml")); err == nil || !strings.Contains(err.Error(), "corrections: "+filepath.Join(dir, "nowhere.csv")+": no such file") {
		t.Errorf("no such file: %v", err)
	}
}

// spoiled is a way to make a row bad.
var spoiled = []func(cells []string) string{
	func(c []string) string { return strings.Join(c[:3], ",") },
	func(c []string) string { c[0] = "9.9E+11"; return joined(c) },
	func(c []string) string { c[1] = "GU1 1CI"; return joined(c) },
	func(c []string) string { c[3], c[4] = c[4], c[3]; return joined(c) },
	func(c []string) string { c[5] = "East"; return joined(c) },
	func(c []string) string { c[6] = "perhaps"; return joined(c) },
	func(c []string) string { c[7] = "31/12/2027"; return joined(c) },
	func(c []string) string { c[10] = "caf\xe9"; return joined(c) },
	func(c []string) string { c[12] = "a\x00b"; return joined(c) },
	func(c []string) string { return "x\"" + strings.ReplaceAll(joined(c), "\n", " ") },
	func(c []string) string { return "=" + joined(c) },
	func(c []string) string { c[0], c[6] = "990000000000", "false"; return joined(c) }, // contradicts the first row
}

func joined(cells []string) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(cells); err != nil {
		panic(err) // of a buffer
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// Whatever was wrong, once it is put right the snapshot has what it had had.
func TestCorrectedIsClean(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(rt *rapid.T) {
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "line end")
		clean, dirty := strings.TrimSuffix(header, "\n")+end, strings.TrimSuffix(header, "\n")+end
		rows := map[string]string{} // the good ones, by line
		for i := range rapid.IntRange(1, 12).Draw(rt, "rows") {
			cells := []string{
				fmt.Sprint(990000000000 + i), "GU1 1AA", fmt.Sprint(i), fmt.Sprintf("51.24%02d", i), "-1.5", "South", "true", "", "",
				"Cellular", "SKU1", "High", "", rapid.SampledFrom([]string{"", "none", "a, b", "two\nlines", `a "b"`}).Draw(rt, "info"),
			}
			line, row := fmt.Sprint(1+strings.Count(dirty, "\n")), joined(cells)
			clean += row + end
			if bad := rapid.IntRange(0, 2*len(spoiled)).Draw(rt, "bad"); i > 0 && bad < len(spoiled) {
				rows[line] = row
				row = spoiled[bad](cells)
				if lost := strings.Count(rows[line], "\n") - strings.Count(row, "\n"); lost > 0 {
					row += strings.Repeat(end, lost) // blank lines, so that the lines below stay
				}
			}
			dirty += row + end
		}
		w := premisesWorld("A\nmax_rejected = 1", dirty)
		_, rejected := w.night(t)
		if _, unchanged := w.feed(rejected).night(t); unchanged != rejected {
			rt.Fatalf("fed back as it was:\n%s\nwas\n%s", unchanged, rejected)
		}
		res, left := w.feed(edit(t, rejected, rows)).night(t)
		want, _ := premisesWorld("A\nmax_rejected = 1", clean).build(t)
		if got := open(t, res).Info(); got.ContentDigest != want.Info().ContentDigest || res.Summary.Corrected != int64(len(rows)) || strings.Count(left, "\n") != 1 {
			rt.Fatalf("%d of %d corrected; left:\n%s\n got %q\nwant %q", res.Summary.Corrected, len(rows), left, all(open(t, res)), all(want))
		}
	})
}

func FuzzCorrections(f *testing.F) {
	f.Add("source,line,column,reason,row,digest\n'=a.csv,7,uprn,\"conflict: x\",\"'=1,2\n\",sha256:0123456789abcdef\n")
	f.Add("digest,row,reason,line,source\r\nsha256:0123456789abcdef,\"'''\"\"\",x,1,\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		left := maxCorrections
		end := readCorrections("c.csv", strings.NewReader(text), &left, func(c *correction) {
			if c.at == 0 || len(c.row) == 0 || len(c.row) > len(text) || c.line < 2 || c.line > 1+strings.Count(text, "\n") || rowDigest(c.row) == c.digest {
				t.Fatalf("correction %+v", c)
			}
			as := &Reject{Line: int(c.at), Digest: c.digest, Code: CodeUPRN}
			var out parsed
			if got := (fixes{c.at: {c}}).choose(c.at, as, &out); got != c {
				t.Fatalf("%+v is not chosen for its own row: %v", c, out.fixed)
			}
			p, _, _ := parserOf(t, "uprn,network_region,coverage_availability\n")
			p.file = &csvFile{binding: &binding{}}
			p.file.names = []string{"x"}
			for i := range p.file.fields {
				p.file.fields[i] = -1
			}
			if _, bad := p.reread(c); bad == nil {
				t.Fatalf("%q was taken, without any column", c.row)
			}
		})
		if _, ok := errors.AsType[*FileError](end); !ok && end != io.EOF {
			t.Fatalf("%v is no FileError", end)
		}
	})
}

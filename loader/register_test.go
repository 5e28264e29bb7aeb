package loader

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/fixtures"
	"coverd/geo"
	"coverd/index"
)

// entries reads a register: its entries as text, its rejects, and its error.
func entries(t testing.TB, path string, format Format) (list []string, err error) {
	t.Helper()
	for e, err := range Register(path, format) {
		if r, ok := err.(*Reject); ok { //nolint:errorlint // as the walk promises
			list = append(list, fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Column, r.Code))
			continue
		}
		if err != nil {
			return list, err
		}
		list = append(list, showEntry(e))
	}
	return list, nil
}

func showEntry(e index.Entry) string {
	s := e.Postcode.String()
	if e.At.IsValid() {
		s += fmt.Sprintf(" %.6f,%.6f", e.At.LatLng().Lat, e.At.LatLng().Lng)
	}
	if e.Introduced != 0 || e.Terminated != 0 {
		s += fmt.Sprintf(" %v..%v", e.Introduced, e.Terminated)
	}
	return s
}

func writeRegister(t testing.TB, files world) string {
	t.Helper()
	dir := t.TempDir()
	files.write(t, dir)
	return dir
}

const (
	codePoint = "\"GU1 1AA\",10,499049,150522,\"E92000001\",\"E19000002\",\"E18000008\",\"E10000030\",\"E07000209\",\"E05014959\"\n" +
		"\"SR434BU\",90,0,0,\"E92000001\",\"\",\"\",\"\",\"\",\"\"\n" +
		"\"BN919AA\",60,0,0,\"E92000001\",\"\",\"\",\"\",\"\",\"\"\n"
	onspd = "pcd,pcd2,pcds,dointr,doterm,oseast1m,osnrth1m,osgrdind,lat,long\n" +
		"AB1 0AA,AB1  0AA,AB1 0AA,198001,199606,385386,0801193,1,57.101474,-2.242851\n" +
		"GU1 1AA,GU1  1AA,GU1 1AA,,,499049,150522,1,51.245000,-0.582000\n" + // the grid counts, not the degrees
		"M1 1AD,M1   1AD,M1 1AD,200303,,,,,53.483784,-2.244866\n" + // no grid
		"BN919AA,BN91 9AA,BN91 9AA,200303,,,,9,99.999999,0.000000\n" +
		"BT1 1AA,BT1  1AA,BT1 1AA,198001,,333855,374069,1,54.6,-5.9\n" +
		"JE2 4WD,JE2  4WD,JE2 4WD,199507,,,,9,99.999999,0.000000\n"
	onspdNew = "PCDS,DOINTR,DOTERM,EAST1M,NORTH1M,GRIDIND,LAT,LONG\n" +
		"AB1 0AA,198001,199606,385386,0801193,1,57.101474,-2.242851\n"
	ours = "terminated, Postcode ,latitude,longitude,introduced,notes\n" +
		",GU1 1AA,51.245279,-0.582312,,x\n2024-10,gu11db,,,1980-01,\n1996-06,AB1 0AA,57.1,-2.2,1996-06,\n"
)

func TestRegisterFormats(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		format     Format
		want       []string
	}{
		{"code point", codePoint, FormatCodePointOpen, []string{"GU1 1AA 51.245279,-0.582312", "SR43 4BU", "BN91 9AA"}},
		{"onspd", onspd, FormatONSPD, []string{
			"AB1 0AA 57.101459,-2.242858 1980-01..1996-06", "GU1 1AA 51.245279,-0.582312", "M1 1AD 53.483784,-2.244866 2003-03..", "BN91 9AA 2003-03..",
		}},
		{"onspd, later spelling", onspdNew, FormatONSPD, []string{"AB1 0AA 57.101459,-2.242858 1980-01..1996-06"}},
		{"ours", ours, FormatCoverd, []string{"GU1 1AA 51.245279,-0.582312", "GU1 1DB 1980-01..2024-10", "AB1 0AA 57.100000,-2.200000 1996-06..1996-06"}},
	} {
		dir := writeRegister(t, world{
			"plain.csv": tt.text, "gzip.csv.gz": gzipped(t, tt.text), "zstd.csv.zst": zstded(t, tt.text),
			"bom.csv": "\xef\xbb\xbf" + tt.text, "crlf.csv": strings.ReplaceAll(tt.text, "\n", "\r\n"),
		})
		for _, file := range []string{"plain.csv", "gzip.csv.gz", "zstd.csv.zst", "bom.csv", "crlf.csv"} {
			for _, format := range []Format{"", tt.format} {
				got, err := entries(t, filepath.Join(dir, file), format)
				if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
					t.Errorf("%s, %s, format %q: %v (-want +got):\n%s", tt.name, file, format, err, diff)
				}
			}
		}
		for _, other := range formats {
			if other == tt.format {
				continue
			}
			_, err := entries(t, filepath.Join(dir, "plain.csv"), other)
			if want := fmt.Sprintf("plain.csv:1: looks like format %q, not %q", tt.format, other); err == nil || err.Error() != want {
				t.Errorf("%s as %s: error %v, want %s", tt.name, other, err, want)
			}
		}
	}
}

func TestNotARegister(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "it is empty",
		"postcode,lat,lon\n":      "not a postcode register: the first line is neither Code-Point Open's, nor the header of an ONSPD, nor ours (postcode,latitude,longitude); it has: postcode, lat, lon",
		"GU1 1AA,x,1,2\n":         "not a postcode register",
		"pcds,doterm\nGU1 1AA,\n": "header: neither oseast1m and osnrth1m nor lat and long; it has: pcds, doterm",
		"postcode,latitude,longitude,latitude\nGU1 1AA,1,1,1\n": "header: column latitude is there twice",
		"\xff\xfep\x00": "it is UTF-16",
	} {
		dir := writeRegister(t, world{"r.csv": text})
		if _, err := entries(t, filepath.Join(dir, "r.csv"), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	if _, err := entries(t, filepath.Join(t.TempDir(), "r.csv"), ""); err == nil {
		t.Error("no such file: no error")
	}
}

func TestRegisterRejects(t *testing.T) {
	cp := func(row string) string { return strings.SplitAfter(codePoint, "\n")[0] + row + "\n" }
	on := func(row string) string { return strings.SplitAfter(onspdNew, "\n")[0] + row + "\n" }
	our := func(row string) string { return "postcode,latitude,longitude,introduced,terminated\n" + row + "\n" }
	for _, tt := range []struct{ text, want string }{
		{cp(`"GU1",10,499049,150522,,,,,,`), "r.csv:2: postcode: postcode"},
		{cp(`"GU1 1AB",ten,499049,150522,,,,,,`), "r.csv:2: quality: coordinate"},
		{cp(`"GU1 1AB",10,NaN,150522,,,,,,`), "r.csv:2: easting: coordinate"},
		{cp(`"GU1 1AB",10,499049,1505220,,,,,,`), "r.csv:2: northing: outside"},
		{cp(`"GU1 1AB",10,499049,150522`), "r.csv:2: : field_count"},
		{cp(`"GU1 1AB"x,10,499049,150522,,,,,,`), "r.csv:2: : quotes"},
		{on("GU1 1A,198001,,499049,150522,1,,"), "r.csv:2: pcds: postcode"},
		{on("GU1 1AA,1980,,499049,150522,1,,"), "r.csv:2: dointr: date"},
		{on("GU1 1AA,198001,199613,499049,150522,1,,"), "r.csv:2: doterm: date"},
		{on("GU1 1AA,198001,197912,499049,150522,1,,"), "r.csv:2: doterm: date_order"},
		{on("GU1 1AA,198001,,,,1,-0.58,51.24"), "r.csv:2: latitude: swapped"},
		{our("GU1 1AA,51.2,,,"), "r.csv:2: longitude: half_pair"},
		{our("GU1 1AA,,-0.5,,"), "r.csv:2: latitude: half_pair"},
		{our("GU1 1AA,NaN,-0.5,,"), "r.csv:2: latitude: coordinate"},
		{our("GU1 1AA,-0.5,51.2,,"), "r.csv:2: latitude: swapped"},
		{our("GU1 1AA,0,0,,"), "r.csv:2: latitude: outside"},
		{our("GU1 1AA,51.2,-0.5,2018-13,"), "r.csv:2: introduced: date"},
		{our("GU1 1AA,51.2,-0.5,,2018"), "r.csv:2: terminated: date"},
		{our("GU1 1AA,51.2,-0.5,2024-10,2018-07"), "r.csv:2: terminated: date_order"},
		{our("BT1 1AA,54.6,-5.9,,"), "r.csv:2: postcode: out_of_area"},
		{our("GU1 1AA\x00,51.2,-0.5,,"), "r.csv:2: : control"},
		{our("caf\xe9,51.2,-0.5,,"), "r.csv:2: : encoding"},
		{our(strings.Repeat("x", maxRecord)), "r.csv:2: : line_length"},
	} {
		dir := writeRegister(t, world{"r.csv": tt.text})
		got, err := entries(t, filepath.Join(dir, "r.csv"), "")
		if len(got) == 0 || got[len(got)-1] != tt.want || err != nil {
			t.Errorf("%.100q: got %v, %v, want %s", tt.text, got, err, tt.want)
		}
	}
	dir := writeRegister(t, world{"r.csv": our("GU1 1AA,51.2,-0.5,,\nGU1 1AB,51")[:len(our(""))+27]})
	if got, err := entries(t, filepath.Join(dir, "r.csv"), ""); err == nil || !strings.Contains(err.Error(), "it is cut") {
		t.Errorf("cut: got %v, %v", got, err)
	}
}

// Code-Point Open is shipped as codepo_gb with Data/CSV and Doc; either of the
// folders, the CSV folder and a glob will do, compressed files as well.
func TestRegisterFolders(t *testing.T) {
	dir := writeRegister(t, world{
		"codepo_gb/Data/CSV/gu.csv":     codePoint,
		"codepo_gb/Data/CSV/ab.csv.zst": zstded(t, "\"AB10 1AB\",10,394235,806529,,,,,,\n"),
		"codepo_gb/Doc/licence.txt":     "x",
		"onspd/Data/ONSPD.csv.gz":       gzipped(t, onspd),
	})
	want := []string{"AB10 1AB 57.149590,-2.096923", "GU1 1AA 51.245279,-0.582312", "SR43 4BU", "BN91 9AA"}
	for _, path := range []string{"codepo_gb", "codepo_gb/Data", "codepo_gb/Doc", "codepo_gb/Data/CSV", "codepo_gb/Data/CSV/*.csv*"} {
		got, err := entries(t, filepath.Join(dir, filepath.FromSlash(path)), "")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", path, err, diff)
		}
	}
	if got, err := entries(t, filepath.Join(dir, "onspd", "Data"), FormatONSPD); len(got) != 4 || err != nil {
		t.Errorf("ONSPD: got %v, %v", got, err)
	}
}

func TestRegisterStops(t *testing.T) {
	dir := writeRegister(t, world{"r.csv": ours})
	n := 0
	for _, err := range Register(filepath.Join(dir, "r.csv"), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d entries", n)
	}
}

// All of the committed ONSPD rows, against the coordinates that the ONS gives
// beside the grid: mostly to within 2 m, at worst 13.
func TestONSPDSample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sampleDir(t), "onspd-ab1.csv"))
	if err != nil {
		t.Fatal(err)
	}
	dir := writeRegister(t, world{"o.csv": string(text)})
	degrees := map[string]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ",")
		degrees[f[0]] = f[10] + "," + f[11]
	}
	terminated, unlocated := 0, 0
	for e, err := range Register(filepath.Join(dir, "o.csv"), "") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Status() == index.Terminated {
			terminated++
		}
		if !e.At.IsValid() {
			unlocated++
			continue
		}
		ons, err := geo.ParseLatLng(degrees[e.Postcode.String()])
		if err != nil {
			t.Fatal(err)
		}
		if d := geo.Distance(ons, e.At.LatLng()); d > 15 {
			t.Errorf("%v is %.1f m from where the ONS has it", e.Postcode, d)
		}
	}
	if terminated != 100 {
		t.Errorf("%d terminated", terminated)
	}
	t.Logf("%d without coordinates", unlocated)
}

func sampleDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fixtures.Sample()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// status tells what a snapshot's register has of a postcode.
func status(t testing.TB, s *index.Snapshot, text string) string {
	t.Helper()
	u, ok := s.Postcode(postcode(t, text))
	if !ok {
		return "absent"
	}
	e := u.Entry()
	got := u.Status().String()
	if e.TerminatedBy != 0 {
		got += fmt.Sprintf(" %v..%v", e.TerminatedAfter, e.TerminatedBy)
	}
	if e.Terminated != 0 {
		got += " " + e.Terminated.String()
	}
	return got
}

// registerWorld is a build on a day with a register of our own format.
func registerWorld(asOf string, rows ...string) world {
	w := premisesWorld("Arqiva", "uprn,postcode,network_region,coverage_availability\n1,GU1 1AA,South,true\n2,GU1 1ZZ,South,true\n").
		with("coverd.toml", "\n[[register]]\npath = \"r.csv\"\n").
		with("r.csv", "postcode,latitude,longitude,introduced,terminated\n"+strings.Join(rows, "\n")+"\n")
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "2026-11-22", asOf, 1)
	return w
}

// What is in the previous register and not in tonight's was terminated between
// the two, and stays so; what is back is live; what the register says outright
// counts.
func TestTermination(t *testing.T) {
	const said = "GU1 1AE,51.2,-0.5,1990-01,2024-10"
	first, sum := registerWorld("2026-11-20", "GU1 1AA,51.2,-0.5,,", "GU1 1AB,51.2,-0.5,,", "GU1 1AD,51.2,-0.5,,", said).build(t)
	if sum.NotInRegister != 1 || sum.NotInExtracts != 2 {
		t.Errorf("not in register %d, not in extracts %d", sum.NotInRegister, sum.NotInExtracts)
	}
	second, _ := registerWorld("2026-11-21", "GU1 1AD,51.2,-0.5,,").buildAfter(t, first)
	third, _ := registerWorld("2026-11-22", "GU1 1AB,51.2,-0.5,,").buildAfter(t, second)
	for _, tt := range []struct{ postcode, first, second, third string }{
		{"GU1 1AA", "live", "terminated 2026-11-20..2026-11-21", "terminated 2026-11-20..2026-11-21"}, // with a premises
		{"GU1 1AB", "live", "terminated 2026-11-20..2026-11-21", "live"},
		{"GU1 1AD", "live", "live", "terminated 2026-11-21..2026-11-22"},
		{"GU1 1AE", "terminated 2024-10", "terminated 2024-10", "terminated 2024-10"},
		{"GU1 1ZZ", "not_in_register", "not_in_register", "not_in_register"},
		{"GU1 1XX", "absent", "absent", "absent"},
	} {
		got := []string{status(t, first, tt.postcode), status(t, second, tt.postcode), status(t, third, tt.postcode)}
		if diff := cmp.Diff([]string{tt.first, tt.second, tt.third}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.postcode, diff)
		}
	}
	// The register never hides premises.
	if u, _ := third.Postcode(postcode(t, "GU1 1AA")); u.Len() != 1 {
		t.Errorf("%d premises at a terminated postcode", u.Len())
	}
}

// Of several rows for a postcode, in one register or two, the first stays.
func TestRegisterTwice(t *testing.T) {
	w := registerWorld("2026-11-22", "GU1 1AA,51.2,-0.5,,", "GU1 1AA,51.2,-0.5,,", "GU1 1AA,51.3,-0.5,,", "GU1 1AB,,,,").
		with("coverd.toml", "\n[[register]]\npath = \"s.csv\"\nformat = \"coverd\"\n").
		with("s.csv", "postcode,latitude,longitude,terminated\nGU1 1AB,,,2020-01\nGU1 1AD,,,2020-01\n")
	s, sum := w.build(t)
	for p, want := range map[string]string{"GU1 1AA": "live", "GU1 1AB": "live", "GU1 1AD": "terminated 2020-01"} {
		if got := status(t, s, p); got != want {
			t.Errorf("%s is %s, want %s", p, got, want)
		}
	}
	first, second := sum.Sources[1], sum.Sources[2]
	if first.Rows != 4 || first.Repeated != 1 || first.Differing != 1 || first.Unlocated != 1 || second.Differing != 1 || first.Format != "coverd" {
		t.Errorf("got %+v\n%+v", first, second)
	}
	if diff := cmp.Diff([]string{"r.csv:4: an earlier row has GU1 1AA otherwise", "1 rows of postcodes that an earlier row has otherwise: the first stays"}, first.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestBadRegisterRefuses(t *testing.T) {
	w := registerWorld("2026-11-22", "GU1 1AA,51.2,-0.5,,").with("r.csv", "no register\n")
	if gates, s := w.refused(t); !cmp.Equal(gates, []string{gateFile}) || s.Sources[2].Accepted != 2 {
		t.Errorf("gates %v, extract %+v", gates, s.Sources[2])
	}
}

// Whatever a register's file holds, each of its rows is read, rejected or left
// out, or the file is refused; in small blocks as in large ones.
func FuzzRegister(f *testing.F) {
	f.Add("postcode,latitude,longitude,introduced,terminated\nGU1 1AA,51.2,-0.5,2020-01,\nx,,,,\n")
	f.Add("\"GU11AA\",10,499049,150522\nGU1 1AB,90,0,0\n")
	f.Add("pcds,dointr,doterm,oseast1m,osnrth1m,osgrdind,lat,long\nGU1 1AA,198001,,499049,150522,1,51,-0.5\nBT1 1AA,198001,,,,9,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		read := func(size int) (entries []registerEntry, rejects []Reject, counted bool, err error) {
			s := newSplitter("r.csv", strings.NewReader(text), size)
			row, fields, err := (&registerReader{}).start(s)
			if err != nil {
				return nil, nil, true, err
			}
			var x lexer
			var rows, accepted, left int64
			for {
				b, err := s.next()
				if err != nil {
					return entries, rejects, rows == accepted+left+int64(len(rejects)), err
				}
				part := parseRegister("r.csv", &x, b, row, fields)
				if part.err != nil {
					return entries, rejects, true, part.err
				}
				rows, accepted, left = rows+part.rows, accepted+part.accepted, left+part.outOfArea
				entries, rejects = append(entries, part.entries...), append(rejects, part.rejects...)
			}
		}
		entries, rejects, counted, err := read(blockSize)
		if _, bad := errors.AsType[*FileError](err); !bad && err != io.EOF {
			t.Fatalf("%v is no FileError", err)
		}
		if !counted {
			t.Fatalf("%q: a row is lost", text)
		}
		for _, r := range rejects {
			if r.Line < 1 || r.Line > 1+strings.Count(text, "\n") || r.Code == "" || len(r.Digest) != len(digestPrefix)+16 {
				t.Fatalf("reject %+v", r)
			}
		}
		again, others, _, errAgain := read(1)
		if !slices.Equal(entries, again) || !slices.Equal(rejects, others) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("%q: in small blocks %v, %v, %v; in large ones %v, %v, %v", text, again, others, errAgain, entries, rejects, err)
		}
	})
}

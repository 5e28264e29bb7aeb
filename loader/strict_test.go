package loader

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// The tests here and in strict_values_test.go go through what may be wrong with
// an extract, one test a line of the table of faults: what is accepted, what
// costs a row, what costs the file.
//
//	cut mid-row, mid-quote, mid-compressed-frame          TestFaultCut
//	cut at a row boundary                                 TestFaultCutAtRow
//	gzip or zstd bomb, many members, oversized window     TestFaultBombs
//	byte order mark, CRLF                                 TestFaultMarks
//	UTF-16, Latin-1, NUL, control characters              TestFaultText
//	missing, unknown, duplicated column, other order      TestFaultColumns
//	row with wrong field count, over-long line            TestFaultRecords
//	duplicate key, identical or conflicting               TestFaultDuplicates
//	latitude and longitude swapped                        TestFaultSwapped
//	outside GB, NaN, Inf, 1e309, -0, nought, NI, islands  TestFaultPlaces
//	postcode junk                                         TestFaultPostcodes
//	dates that run backwards, or do not exist             TestFaultDates
//	formula in a field                                    TestFaultFormulas

// fewerChecks has rapid draw a tenth as often where a build takes ten times as
// long.
func fewerChecks(t *testing.T) {
	t.Helper()
	if !underRace && !testing.Short() {
		return
	}
	checks := flag.Lookup("rapid.checks").Value
	usual := checks.String()
	t.Cleanup(func() { _ = checks.Set(usual) })
	if err := checks.Set("10"); err != nil {
		t.Fatal(err)
	}
}

// readAsExtract reads a file as a build does, and throws away what it has.
func readAsExtract(t *testing.T, p *premisesParser, path string) (rows, rejected int64, err error) {
	t.Helper()
	r := &run{ctx: t.Context()}
	f := sourceFile{path: path, name: filepath.Base(path), extract: &Extract{CSP: "A"}}
	var failed error
	err = r.fileParts(0, f, func(part filePart) bool {
		if part.csv != nil {
			parsed := p.block(part.csv, part.block)
			rows, rejected, failed = rows+parsed.rows, rejected+int64(len(parsed.rejects)), parsed.err
		}
		return failed == nil
	})
	return rows, rejected, errors.Join(failed, err)
}

// randomRows are n rows with quotes and line breaks, that do not compress well,
// and where each ends.
func randomRows(n int) (text string, ends map[int]int64) {
	rng := rand.New(rand.NewPCG(1, 2))
	text, ends = header, map[int]int64{len(header): 0}
	for i := range n {
		text += fmt.Sprintf("%d,GU1 1AA,\"%d, The \"\"Snug\"\"\",51.24%02d,-1.5%04d,South,true,,,Cellular,SKU1,High,,", 1+rng.Uint64N(1e12-1), i, i%100, rng.IntN(10000))
		if i%3 == 0 {
			text += fmt.Sprintf("\"two lines:\n%x\"", rng.Uint64())
		} else {
			text += fmt.Sprintf("%x%x", rng.Uint64(), rng.Uint64())
		}
		text += "\n"
		ends[len(text)] = int64(i) + 1
	}
	return text, ends
}

// Cut anywhere but between two rows a file is refused.
func TestFaultCut(t *testing.T) {
	step := 1
	switch {
	case underRace:
		step = 97
	case testing.Short():
		step = 7
	}
	p := newPremisesParser(&drain{}, newClaimReader(&Extract{CSP: "A"}), newRowCounts(5000))
	plain, ends := randomRows(85)
	more, _ := randomRows(340)
	for _, tt := range []struct{ name, content string }{
		{"a.csv", plain}, {"a.csv.gz", gzipped(t, more)}, {"a.csv.zst", zstded(t, more)},
	} {
		if len(tt.content) < 10_000 {
			t.Fatalf("%s has only %d bytes", tt.name, len(tt.content))
		}
		path := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(path, []byte(tt.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, rejected, err := readAsExtract(t, p, path); rejected > 0 || err != nil {
			t.Fatalf("%s: %d rejected, %v", tt.name, rejected, err)
		}
		for n := len(tt.content) - 1; n >= 0; n -= step {
			if err := os.Truncate(path, int64(n)); err != nil {
				t.Fatal(err)
			}
			rows, rejected, err := readAsExtract(t, p, path)
			want, whole := ends[n]
			whole = whole && tt.name == "a.csv"
			_, refused := errors.AsType[*FileError](err)
			if rejected > 0 || refused == whole || whole && (err != nil || rows != want) {
				t.Fatalf("%s cut after %d of %d bytes: %d rows, %d rejected, %v", tt.name, n, len(tt.content), rows, rejected, err)
			}
		}
	}
}

// Cut between two rows a file looks whole: rows and sha256 tell.
func TestFaultCutAtRow(t *testing.T) {
	text, ends := randomRows(4)
	features := square(0.1, south("A")) + square(0.2, south("B")) + square(0.3, south("C"))
	w := areasWorld(text, "A", features)
	for _, said := range []string{"", "rows", "sha256", "areas"} {
		for n, rows := range ends {
			v := w.with("1.csv", text[:n])
			switch said {
			case "rows":
				v["coverd.toml"] = strings.Replace(v["coverd.toml"], "path = \"1.csv\"", "path = \"1.csv\"\nrows = 4", 1)
			case "sha256":
				v["coverd.toml"] = strings.Replace(v["coverd.toml"], "path = \"1.csv\"", "path = \"1.csv\"\nsha256 = \""+fmt.Sprintf("%x", sha256.Sum256([]byte(text)))+"\"", 1)
			case "areas":
				v = w.with("areas0.geojsonl", features[:len(features)/3*int(min(rows, 3))]).with("coverd.toml", "\nrows = 3\n")
			}
			if said == "" && rows > 0 || rows == 4 || said == "areas" && rows == 3 {
				v.build(t)
				continue
			}
			want := []string{}
			if said != "" {
				want = append(want, strings.Replace(said, "areas", "rows", 1))
			}
			if rows == 0 { // that there are none is noticed without being told
				want = append(want, gateMissing)
			}
			if gates, _ := v.refused(t); !cmp.Equal(gates, want) {
				t.Errorf("%d rows, the manifest has %s: gates %v", rows, said, gates)
			}
		}
	}
}

// What a packed file may ask for has bounds, and each says how to pack it.
func TestFaultBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 2<<20)
	const bomb = "it expands to more than 500 times its size: no extract does"
	const window = "it needs a zstd window of over 8 MiB: compress it again with at most `zstd -19`, without --long and --ultra"
	some, _ := randomRows(200)
	frame := func(size int) string { // with a window, not a single segment
		var b bytes.Buffer
		z, err := zstd.NewWriter(&b, zstd.WithWindowSize(size), zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		for range 100 { // the first do not fit, so the header is written before the end is known
			if _, err := io.WriteString(z, some); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	skip := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
	for _, tt := range []struct{ name, content, want string }{
		{"one member.gz", gzipped(t, zeros+zeros+zeros), bomb},
		{"one frame.zst", zstded(t, zeros+zeros+zeros), bomb},
		{"small members.gz", strings.Repeat(gzipped(t, zeros), 40), bomb},
		{"small frames.zst", strings.Repeat(zstded(t, zeros), 40), bomb},
		{"frames behind skippable ones.zst", strings.Repeat(skip+zstded(t, zeros), 40), bomb},
		{"behind good data.gz", gzipped(t, header) + gzipped(t, zeros+zeros+zeros), bomb},
		{"window of 16 MiB.zst", frame(16 << 20), window},
		{"window of 512 MiB.zst", frame(512 << 20), window},
		{"behind good data.zst", zstded(t, header) + frame(16<<20), window},
		{"bomb in gzip.gz", gzipped(t, gzipped(t, zeros+zeros+zeros)), "it is compressed twice"},
		{"dictionary.zst", "\x28\xb5\x2f\xfd\x01\x20\x07\x01\x00\x00", "it needs a zstd dictionary: compress it again without one"},
	} {
		text, _, err := readInput(t, tt.name, tt.content)
		if bad, ok := errors.AsType[*FileError](err); !ok || bad.Msg != tt.want && !strings.HasPrefix(bad.Msg, tt.want+":") {
			t.Errorf("%s: %d bytes of text, error %v, want %s", tt.name, len(text), err, tt.want)
		}
	}
	for name, content := range map[string]string{
		"window of 8 MiB.zst": frame(8 << 20),
		"tiny members.gz":     strings.Repeat(gzipped(t, ""), 20_000) + gzipped(t, header),
		"tiny frames.zst":     strings.Repeat(zstded(t, "x")+skip, 20_000),
		"small and flat.gz":   gzipped(t, zeros),
	} {
		if _, _, err := readInput(t, name, content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// However little it expands, its text has a bound too.
	path := filepath.Join(t.TempDir(), "a.csv")
	text, _ := randomRows(100)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := openInput(path, "a.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	in.most = 10_000
	if n, err := io.Copy(io.Discard, in); err == nil || !strings.Contains(err.Error(), "it has more than 10,000 bytes of text: split it") {
		t.Errorf("%d bytes of text, error %v", n, err)
	}
}

// A byte order mark and the kind of line end say nothing.
func TestFaultMarks(t *testing.T) {
	text, _ := randomRows(20)
	crlf := strings.ReplaceAll(text, "\n", "\r\n")
	const mark = "\xef\xbb\xbf"
	plain, _ := premisesWorld("A", text).build(t)
	for name, other := range map[string]string{
		"mark": mark + text, "CRLF": crlf, "both": mark + crlf,
		"gzip": gzipped(t, mark+crlf), "zstd": zstded(t, mark+crlf),
	} {
		s, sum := premisesWorld("A", other).build(t)
		if s.Info().ContentDigest != plain.Info().ContentDigest || !slices.Equal(all(s), all(plain)) || sum.Accepted != 20 {
			t.Errorf("%s: another content", name)
		}
	}
}

// What is not UTF-8 text costs its row, or the file where it is nowhere text.
func TestFaultText(t *testing.T) {
	good := fixHead + "1,South,true,\n"
	utf16 := func(text string, big int, mark string) string {
		b := []byte(mark)
		for _, c := range []byte(text) {
			pair := [2]byte{c, 0}
			b = append(b, pair[big], pair[1-big])
		}
		return string(b)
	}
	for name, text := range map[string]string{
		"little": utf16(good, 0, "\xff\xfe"), "big": utf16(good, 1, "\xfe\xff"),
		"little, no mark": utf16(good, 0, ""), "big, no mark": utf16(good, 1, ""),
		"packed": gzipped(t, utf16(good, 0, "\xff\xfe")),
	} {
		if gates, s := premisesWorld("A", text).refused(t); !cmp.Equal(gates, []string{gateFile}) || !strings.Contains(s.Refusals[0].Msg, "it is UTF-16: want UTF-8 text") {
			t.Errorf("UTF-16, %s: %v", name, s.Refusals)
		}
	}
	var bad []string
	for c := range 0x20 {
		if c != '\n' && c != '\r' {
			bad = append(bad, string(rune(c)))
		}
	}
	for c := 0x7f; c < 0xa0; c++ {
		bad = append(bad, string(rune(c)))
	}
	controls := len(bad)
	for c := 0x80; c <= 0xff; c++ {
		bad = append(bad, string([]byte{byte(c)}))
	}
	var text strings.Builder
	text.WriteString(fixHead)
	for i, b := range bad {
		text.WriteString(fmt.Sprintf("%d,South,true,a%sb\n", i+1, b))
	}
	_, rejected := premisesWorld("A\nmax_rejected = 1", text.String()).night(t)
	records := readRejects(t, rejected)
	if len(records) != len(bad) {
		t.Fatalf("%d of %d rejected", len(records), len(bad))
	}
	for i, r := range records {
		code := CodeControl
		if i >= controls {
			code = CodeEncoding
		}
		if r[1] != fmt.Sprint(i+2) || r[2] != "wan_variant" || !strings.HasPrefix(r[3], string(code)+": ") {
			t.Errorf("%q: rejected as %q", bad[i], r[:4])
		}
	}
	if gates, s := premisesWorld("A", text.String()).refused(t); !cmp.Equal(gates, []string{gateRejected}) || s.Sources[1].Rejects[0].Line != 2 {
		t.Errorf("a file of such rows: gates %v", gates)
	}
}

// readRejects reads the rows of a file of rejects.
func readRejects(t testing.TB, text string) [][]string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

// Columns are found by name.
func TestFaultColumns(t *testing.T) {
	names := strings.Split(strings.TrimSpace(fixHead), ",")
	cells := []string{"1", "South", "true", "SKU1"}
	want, _ := premisesWorld("A", fixHead+strings.Join(cells, ",")+"\n").build(t)
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "order")
		var h, r []string
		for _, i := range order {
			if rapid.Bool().Draw(t, "another") {
				h, r = append(h, fmt.Sprintf("x%d", i)), append(r, "y")
			}
			h, r = append(h, names[i]), append(r, cells[i])
		}
		b, warnings, err := bind(h, nil)
		if err != nil || len(warnings) != len(h)-4 {
			t.Fatalf("%q: %q, %v", h, warnings, err)
		}
		for c, i := range b.fields {
			if i >= 0 && (h[i] != columnNames[c] || r[i] == "y") {
				t.Fatalf("%q: %s is found in %d", h, columnNames[c], i)
			}
		}
	})
	s, sum := premisesWorld("A", "x,wan_variant,coverage_availability,,network_region,uprn\n,SKU1,true,,South,1\n").build(t)
	if s.Info().ContentDigest != want.Info().ContentDigest || len(sum.Sources[1].Warnings) != 2 {
		t.Errorf("other order and unknown columns: %q, warnings %q", all(s), sum.Sources[1].Warnings)
	}
	for _, i := range []int{1, 2} {
		for name, text := range map[string]string{
			"no column " + names[i]:                    strings.Replace(fixHead, names[i], "x", 1),
			`column "` + names[i] + `" is there twice`: strings.Replace(fixHead, "wan_variant", names[i], 1),
		} {
			if gates, s := premisesWorld("A", text+"1,South,true,\n").refused(t); !cmp.Equal(gates, []string{gateFile}) || !strings.Contains(s.Refusals[0].Msg, name) {
				t.Errorf("%s: %v", name, s.Refusals)
			}
		}
	}
	var many strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&many, ",x%d", i)
	}
	_, sum = premisesWorld("A", "uprn,network_region,coverage_availability"+many.String()+"\n1,South,true"+strings.Repeat(",", 9000)+"\n").build(t)
	if n := len(sum.Sources[1].Warnings); n > maxShown+2 {
		t.Errorf("%d warnings of 9,000 columns", n)
	}
	if gates, s := premisesWorld("A", "uprn"+strings.Repeat(",a", 1<<20)+"\n").refused(t); !cmp.Equal(gates, []string{gateFile}) || !strings.Contains(s.Refusals[0].Msg, "its first line is over 65536 bytes") {
		t.Errorf("a million columns: %v", s.Refusals)
	}
}

// Bad rows are counted to the row, and a thousandth of them is let pass.
func TestFaultRecords(t *testing.T) {
	const n = 20_000
	bads := []string{"1,South\n", "1,South,true,,\n", "1\n", "1,South,true," + strings.Repeat("x", maxRecord) + "\n", "1,South,true,\"" + strings.Repeat("x\n", maxRecord) + "\"\n"}
	codes := map[Code]int64{}
	_, sum := premisesWorld("A", fixHead+strings.Join(bads[:4], "1,South,true,\n")).build(t)
	for _, r := range sum.Sources[1].Rejects {
		codes[r.Code]++
	}
	if want := (map[Code]int64{CodeFieldCount: 3, CodeLineLength: 1}); !cmp.Equal(codes, want) || sum.Accepted != 3 {
		t.Errorf("got %v, %d accepted", codes, sum.Accepted)
	}
	for bad, passes := range map[int]bool{0: true, 20: true, 21: false} {
		var b strings.Builder
		b.WriteString(fixHead)
		for i := range n {
			if i%950 == 7 && i/950 < bad {
				b.WriteString(bads[i%3])
			} else {
				fmt.Fprintf(&b, "%d,South,true,\n", i+1)
			}
		}
		w := premisesWorld("A", b.String())
		if passes {
			if _, s := w.build(t); s.Rejected != int64(bad) || s.Accepted != n-int64(bad) {
				t.Errorf("%d bad rows: %d rejected", bad, s.Rejected)
			}
		} else if gates, s := w.refused(t); !cmp.Equal(gates, []string{gateRejected}) || s.Rejected != int64(bad) || s.Sources[1].Allowed != 20 {
			t.Errorf("%d bad rows: gates %v, %d rejected", bad, gates, s.Rejected)
		}
	}
}

// Identical rows merge, contradicting ones are quarantined, all of them,
// whatever their order.
func TestFaultDuplicates(t *testing.T) {
	fewerChecks(t)
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) string {
			return fmt.Sprintf("%d,%s,%v,%s\n", rapid.IntRange(1, 5).Draw(rt, "uprn"), rapid.SampledFrom([]string{"South", "4G South"}).Draw(rt, "network"),
				rapid.IntRange(0, 5).Draw(rt, "available") > 0, "")
		}), 1, 15).Draw(rt, "rows")
		claims := map[string]map[string]int{} // by premises and network region
		for _, r := range rows {
			key := strings.Join(strings.Split(r, ",")[:2], ",")
			if claims[key] == nil {
				claims[key] = map[string]int{}
			}
			claims[key][r]++
		}
		var merged, rejected, conflicts int64
		for _, c := range claims {
			n := int64(0)
			for _, times := range c {
				n += int64(times)
			}
			if len(c) > 1 {
				conflicts, rejected = conflicts+1, rejected+n
			} else {
				merged += n - 1
			}
		}
		digest := ""
		for range 2 {
			s, sum := premisesWorld("A\nmax_rejected = 1", fixHead+strings.Join(rows, "")).build(t)
			if sum.Merged != merged || sum.Rejected != rejected || sum.Conflicts != conflicts {
				rt.Fatalf("%q: merged %d of %d, rejected %d of %d, conflicts %d of %d", rows, sum.Merged, merged, sum.Rejected, rejected, sum.Conflicts, conflicts)
			}
			if got := s.Info().ContentDigest; digest != "" && got != digest {
				rt.Fatalf("%q: another content", rows)
			} else {
				digest = got
			}
			rows = rapid.Permutation(rows).Draw(rt, "order")
		}
	})
}

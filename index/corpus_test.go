package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// The corpus of bad snapshots: each is the golden file with one thing wrong,
// which its name says, and has a line in the index with the kind of error and
// its message. verify and the server are tested with the same files.
const (
	badFolder = "testdata/bad"
	badIndex  = badFolder + "/index.txt"

	journalSnapshot = "testdata/journal.snap" // a file with a journal, which the golden one has not
)

var badKinds = map[string]error{"not-a-snapshot": ErrNotSnapshot, "version": ErrVersion, "damaged": ErrCorrupt}

type badFile struct {
	name string
	file []byte
}

// kindOf names the kind of an error, or "".
func kindOf(err error) string {
	for kind, is := range badKinds {
		if errors.Is(err, is) {
			return kind
		}
	}
	return ""
}

// badFiles makes the corpus.
func badFiles(t *testing.T) (list []badFile) {
	t.Helper()
	golden, err := os.ReadFile(tinySnapshot)
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, file []byte) { list = append(list, badFile{name, file}) }
	for _, b := range []func(t *testing.T, golden []byte, add func(string, []byte)){badWholes, badHeaders, badTables, badPacking, badMetas, badJournals, badHistories, badEstimates} {
		b(t, golden, add)
	}
	// Of each section the first three of the crafted faults.
	seen := map[string]int{}
	for _, c := range crafts() {
		if seen[c.section]++; seen[c.section] <= 3 {
			add(c.section+"-"+slug(c.what), packedAgain(t, rewritten(t, golden, c.section, c.change)))
		}
	}
	for _, name := range sectionNames(t, golden) {
		if name != sectionMeta && seen[name] == 0 || name == sectionMeta {
			add(name+"-missing", packedAgain(t, rewritten(t, golden, name, gone)))
		}
	}
	return list
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

func slug(what string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(what), "-"), "-")
}

func sectionNames(t *testing.T, file []byte) (names []string) {
	t.Helper()
	entries, _, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.name)
	}
	return names
}

// packedAgain compresses what rewritten has unpacked.
func packedAgain(t *testing.T, file []byte) []byte {
	t.Helper()
	entries, _, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	var sections []section
	for _, e := range entries {
		sections = append(sections, section{e.name, file[e.offset : e.offset+e.stored]})
	}
	out, err := pack(sections, 1)
	if err != nil {
		t.Fatal(err)
	}
	return written(t, out)
}

func written(t *testing.T, sections []packed) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := writeFile(&b, sections); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// badWholes are no snapshots, or not whole.
func badWholes(t *testing.T, golden []byte, add func(string, []byte)) {
	t.Helper()
	cut := func(n int) []byte { return bytes.Clone(golden[:n]) }
	add("whole-empty", nil)
	add("whole-text", []byte("postcode,latitude,longitude\nGU1 1AA,51.2,-0.5\n"))
	add("whole-zeros", make([]byte, 4096))
	add("whole-gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"))
	add("whole-line-ends-converted", bytes.ReplaceAll(golden, []byte("\r\n"), []byte("\n")))
	add("whole-bom", append([]byte("\ufeff"), golden...))
	add("cut-in-magic", cut(7))
	add("cut-after-magic", cut(8))
	add("cut-in-header", cut(40))
	add("cut-after-header", cut(headerSize))
	add("cut-in-table", cut(headerSize+10*entrySize+5))
	add("cut-in-sections", cut(len(golden)/2+len(golden)/4))
	add("cut-before-digest", cut(len(golden)-digestSize))
	add("cut-in-digest", cut(len(golden)-7))
	add("cut-last-byte", cut(len(golden)-1))
	add("extended-by-a-byte", append(bytes.Clone(golden), 0))
	add("extended-to-a-page", append(bytes.Clone(golden), make([]byte, 8192-len(golden)%8192)...))
	add("extended-by-itself", append(bytes.Clone(golden), golden...))
	halves := bytes.Clone(golden)
	clear(halves[len(halves)/2:]) // what a file system may leave of a write that was never synced
	add("second-half-zeros", halves)
	old, err := os.ReadFile("testdata/version1.snap")
	if err != nil {
		t.Fatal(err)
	}
	add("version-1", old)
}

// badHeaders have a wrong number in the header, with the checksums right unless
// it is they that are wrong.
func badHeaders(_ *testing.T, golden []byte, add func(string, []byte)) {
	le := binary.LittleEndian
	changed := func(name string, sealed bool, change func(b []byte)) {
		b := bytes.Clone(golden)
		if change(b); sealed {
			reseal(b)
		}
		add(name, b)
	}
	changed("version-0", false, func(b []byte) { le.PutUint32(b[8:], 0) })
	changed("version-next", false, func(b []byte) { le.PutUint32(b[8:], formatVersion+1) })
	changed("version-max", false, func(b []byte) { le.PutUint32(b[8:], math.MaxUint32) })
	changed("version-big-endian", false, func(b []byte) { binary.BigEndian.PutUint32(b[8:], formatVersion) })
	changed("feature-lowest-unknown", true, func(b []byte) { le.PutUint64(b[16:], 1<<62) })
	changed("feature-highest-unknown", true, func(b []byte) { le.PutUint64(b[16:], 1<<63) })
	changed("size-one-less", true, func(b []byte) { le.PutUint64(b[32:], uint64(len(b)-1)) })
	changed("size-one-more", true, func(b []byte) { le.PutUint64(b[32:], uint64(len(b)+1)) })
	changed("size-zero", true, func(b []byte) { le.PutUint64(b[32:], 0) })
	changed("size-max", true, func(b []byte) { le.PutUint64(b[32:], math.MaxUint64) })
	changed("sections-none", false, func(b []byte) { le.PutUint32(b[12:], 0); sealHead(b) })
	changed("sections-one-less", true, func(b []byte) { le.PutUint32(b[12:], le.Uint32(b[12:])-1) })
	changed("sections-one-more", true, func(b []byte) { le.PutUint32(b[12:], le.Uint32(b[12:])+1) })
	changed("sections-too-many", false, func(b []byte) { le.PutUint32(b[12:], maxSections+1) })
	changed("sections-max", false, func(b []byte) { le.PutUint32(b[12:], math.MaxUint32) })
	changed("header-checksum-flipped", false, func(b []byte) { b[60] ^= 1 })
	changed("header-reserved-flipped", false, func(b []byte) { b[50] ^= 1 })
	changed("digest-flipped", false, func(b []byte) { b[len(b)-1] ^= 0x80 })
	changed("digest-zeros", false, func(b []byte) { clear(b[len(b)-digestSize:]) })
	changed("digest-of-another-file", false, func(b []byte) { b[len(b)-digestSize-1] ^= 1 })
}

// sealHead makes header checksum and digest right, and nothing else.
func sealHead(b []byte) {
	n := int(binary.LittleEndian.Uint32(b[12:]))
	binary.LittleEndian.PutUint32(b[60:], headerChecksum(b[:headerSize+n*entrySize]))
	sealDigest(b)
}

// badTables have a wrong entry in the section table.
func badTables(t *testing.T, golden []byte, add func(string, []byte)) {
	t.Helper()
	le := binary.LittleEndian
	entries, _, err := parseTable(golden)
	if err != nil {
		t.Fatal(err)
	}
	claims := slices.IndexFunc(entries, func(e entry) bool { return e.name == sectionClaims })
	changed := func(name string, change func(e []byte)) {
		b := bytes.Clone(golden)
		change(b[headerSize+claims*entrySize:][:entrySize])
		sealHead(b)
		add("section-"+name, b)
	}
	bump := func(at int, by uint64) func([]byte) {
		return func(e []byte) { le.PutUint64(e[at:], le.Uint64(e[at:])+by) }
	}
	put := func(at int, v uint64) func([]byte) { return func(e []byte) { le.PutUint64(e[at:], v) } }
	changed("overlap", bump(24, ^uint64(0)))
	changed("gap", bump(24, 1))
	changed("offset-zero", put(24, 0))
	changed("offset-beyond-the-end", put(24, uint64(len(golden))))
	changed("offset-max", put(24, math.MaxUint64))
	changed("stored-one-less", bump(32, ^uint64(0)))
	changed("stored-one-more", bump(32, 1))
	changed("stored-beyond-the-end", put(32, uint64(len(golden))))
	changed("stored-max", put(32, math.MaxUint64))
	changed("offset-and-stored-wrap", func(e []byte) { le.PutUint64(e[24:], math.MaxUint64-10); le.PutUint64(e[32:], 100) })
	changed("unpacked-one-less", bump(40, ^uint64(0)))
	changed("unpacked-max", put(40, math.MaxUint64))
	changed("codec-unknown", func(e []byte) { e[16] = 2 })
	changed("codec-max", func(e []byte) { e[16] = 255 })
	changed("codec-zstd-of-what-is-not", func(e []byte) { e[16] = codecZstd })
	changed("checksum-flipped", func(e []byte) { e[48] ^= 1 })
	changed("name-not-known", func(e []byte) { copy(e, "clbims\x00") })
	changed("name-empty", func(e []byte) { clear(e[:maxName]) })
	changed("name-twice", func(e []byte) { clear(e[:maxName]); copy(e, sectionMeta) })
	changed("name-of-another", func(e []byte) { clear(e[:maxName]); copy(e, sectionUnits) })
	// The bytes of a section changed, and all but its checksum right.
	b := bytes.Clone(golden)
	b[entries[claims].offset] ^= 1
	sealDigest(b)
	add("section-bytes-flipped", b)
	b = bytes.Clone(golden)
	first, second := b[headerSize+claims*entrySize:][:entrySize], b[headerSize+(claims+1)*entrySize:][:entrySize]
	swapped := append(bytes.Clone(second), first...)
	copy(first, swapped)
	copy(second, swapped[entrySize:])
	sealHead(b)
	add("section-order-swapped", b)
}

// badPacking are compressed wrongly, or to be bombs.
func badPacking(t *testing.T, golden []byte, add func(string, []byte)) {
	t.Helper()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 64<<20), nil)
	full := enc.EncodeAll(make([]byte, maxPacked-1), nil)
	raws := unpacked(t, golden)
	meta := raws[sectionMeta]
	frame := enc.EncodeAll(meta, nil)
	metaAs := func(size int, stored []byte) []byte {
		return written(t, []packed{{sectionMeta, codecZstd, uint64(size), stored}})
	}
	add("bomb-that-says-its-size", metaAs(64<<20, bomb))
	add("bomb-that-says-less", metaAs(1024, bomb))
	add("bomb-that-says-most", metaAs(maxPacked-1, bomb))
	add("bomb-of-a-petabyte", metaAs(1<<50, []byte("x")))
	add("bomb-of-many", written(t, slices.Repeat([]packed{{"zeros", codecZstd, maxPacked - 1, full}}, 70)))
	add("zstd-unpacks-to-less", metaAs(len(meta)+1, frame))
	add("zstd-unpacks-to-more", metaAs(len(meta)-1, frame))
	add("zstd-cut", metaAs(len(meta), frame[:len(frame)-3]))
	add("zstd-empty", metaAs(len(meta), nil))
	add("zstd-followed-by-junk", metaAs(len(meta), append(bytes.Clone(frame), "junk"...)))
	add("zstd-damaged", metaAs(len(meta), append(bytes.Clone(frame[:20]), make([]byte, len(frame)-20)...)))
	add("packed-but-large", metaAs(maxPacked, enc.EncodeAll(make([]byte, maxPacked), nil)))
}

func unpacked(t *testing.T, file []byte) map[string][]byte {
	t.Helper()
	entries, _, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := unpack(file, entries, 1)
	if err != nil {
		t.Fatal(err)
	}
	return raws
}

// badMetas say what cannot be of the snapshot as a whole.
func badMetas(t *testing.T, golden []byte, add func(string, []byte)) {
	t.Helper()
	changed := func(name, from, to string) {
		add("meta-"+name, packedAgain(t, rewritten(t, golden, sectionMeta, func(raw []byte) []byte {
			out := bytes.Replace(raw, []byte(from), []byte(to), 1)
			if bytes.Equal(out, raw) {
				t.Fatalf("%s: %q is not in meta", name, from)
			}
			return out
		})))
	}
	changed("no-as-of", `"as_of"`, `"of"`)
	changed("as-of-no-day", `"as_of":"2026-11-22"`, `"as_of":"2026-02-30"`)
	changed("premises-too-many", `"premises":3`, `"premises":4`)
	changed("premises-negative", `"premises":3`, `"premises":-3`)
	changed("premises-trillions", `"premises":3`, `"premises":3000000000000`)
	changed("premises-text", `"premises":3`, `"premises":"3"`)
	changed("postcodes-too-few", `"postcodes":4`, `"postcodes":3`)
	changed("outcodes-too-many", `"outcodes":2`, `"outcodes":3`)
	changed("claims-too-many", `"claims":3`, `"claims":4`)
	changed("claim-sets-too-many", `"claim_sets":3`, `"claim_sets":30`)
	changed("areas-none", `"areas":1`, `"areas":0`)
	changed("network-region-unknown", `"prefer":["4G South"]`, `"prefer":["5G South"]`)
	changed("cut-off", `"attributions"`, ``)
	deep := strings.Repeat(`{"x":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	add("meta-deeper-than-deep", packedAgain(t, rewritten(t, golden, sectionMeta, func([]byte) []byte { return []byte(deep) })))
	add("meta-null", packedAgain(t, rewritten(t, golden, sectionMeta, func([]byte) []byte { return []byte("null") })))
}

// badJournals are of a file that has one, which the golden file has not.
func badJournals(t *testing.T, _ []byte, add func(string, []byte)) {
	t.Helper()
	if *update {
		if err := os.WriteFile(journalSnapshot, tinyFile(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(journalSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []craft{
		{"head-empty", sectionChangeHead, func([]byte) []byte { return []byte{} }},
		{"head-cut", sectionChangeHead, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"head-nights-without-end", sectionChangeHead, func([]byte) []byte { return []byte{journalLayout, 0xff, 0xff, 0xff, 0x7f} }},
		{"log-missing", sectionChangeLog, gone},
		{"log-cut", sectionChangeLog, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"log-too-long", sectionChangeLog, func(raw []byte) []byte { return append(raw, 0) }},
		{"log-zeros", sectionChangeLog, func(raw []byte) []byte { return make([]byte, len(raw)) }},
	} {
		add("change-"+c.what, packedAgain(t, rewritten(t, file, c.section, c.change)))
	}
}

// badEstimates have a table of confidences, which the golden file has not.
func badEstimates(t *testing.T, golden []byte, add func(string, []byte)) {
	t.Helper()
	c := calibration{postcodes: 2, weight: 1}
	c.counts[0][0] = count{2, 1}
	raw := c.appendTo(nil)
	for _, c := range []craft{
		{"empty", sectionEstimates, func([]byte) []byte { return []byte{} }},
		{"weight-of-nothing", sectionEstimates, func(raw []byte) []byte { raw[2] = 0; return raw }},
		{"cut", sectionEstimates, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"too-long", sectionEstimates, func(raw []byte) []byte { return append(raw, 0) }},
		{"more-right-than-cases", sectionEstimates, func(raw []byte) []byte { raw[4] = 3; return raw }},
		{"cases-without-end", sectionEstimates, func(raw []byte) []byte { return append(binary.AppendUvarint(raw[:3], 1<<40), raw[4:]...) }},
	} {
		add("est-table-"+c.what, packedAgain(t, withSection(t, golden, c.section, c.change(bytes.Clone(raw)))))
	}
}

// withSection adds a section.
func withSection(t tb, file []byte, name string, raw []byte) []byte {
	t.Helper()
	entries, _, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := unpack(file, entries, 1)
	if err != nil {
		t.Fatal(err)
	}
	var sections []packed
	for _, e := range entries {
		sections = append(sections, packed{name: e.name, rawSize: e.raw, stored: raws[e.name]})
	}
	var out bytes.Buffer
	if _, err := writeFile(&out, append(sections, packed{name: name, rawSize: uint64(len(raw)), stored: raw})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBadSnapshots: every file of the corpus is refused, and the error says what
// the index says. With -update the corpus is made anew.
func TestBadSnapshots(t *testing.T) {
	list := badFiles(t)
	if len(list) < 60 {
		t.Fatalf("only %d bad files", len(list))
	}
	var index strings.Builder
	names := map[string]bool{"index.txt": true}
	for _, b := range list {
		name := b.name + ".snap"
		if names[name] {
			t.Fatalf("two files are called %s", name)
		}
		names[name] = true
		_, err := OpenBytes(bytes.Clone(b.file))
		if kindOf(err) == "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fmt.Fprintf(&index, "%s\t%s\t%v\n", name, kindOf(err), err)
		path := filepath.Join(badFolder, name)
		if *update {
			if err := os.WriteFile(path, b.file, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, b.file) {
			t.Errorf("%s is not what is made today (-update makes it anew): %v", path, err)
		}
	}
	if *update {
		if err := os.WriteFile(badIndex, []byte(index.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := readText(t, badIndex); want != index.String() {
		t.Errorf("%s is not what the files say today (-update accepts it)", badIndex)
	}
	there, err := os.ReadDir(badFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range there {
		if names[e.Name()] {
			continue
		}
		if *update {
			if err := os.Remove(filepath.Join(badFolder, e.Name())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s/%s is not made by any test", badFolder, e.Name())
	}
}

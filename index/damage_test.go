package index

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// rewritten is a snapshot file with one section changed and every checksum
// right.
func rewritten(t tb, file []byte, name string, change func(raw []byte) []byte) []byte {
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
		raw := bytes.Clone(raws[e.name])
		if e.name == name {
			if raw = change(raw); raw == nil {
				continue
			}
		}
		sections = append(sections, packed{name: e.name, codec: codecRaw, rawSize: uint64(len(raw)), stored: raw})
	}
	var out bytes.Buffer
	if _, err := writeFile(&out, sections); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// refused checks that a file is damaged, and that the error says where.
func refused(t *testing.T, what string, file []byte, where string) {
	t.Helper()
	switch _, err := OpenBytes(file); {
	case !errors.Is(err, ErrCorrupt):
		t.Errorf("%s: %v", what, err)
	case !strings.Contains(err.Error(), where):
		t.Errorf("%s: %v, want the error to name %q", what, err, where)
	}
}

func TestMetaAbsurditiesAreRefused(t *testing.T) {
	file := tinyFile(t)
	for what, change := range map[string]func(m map[string]any){
		"no day":                      func(m map[string]any) { delete(m, "as_of") },
		"an empty day":                func(m map[string]any) { m["as_of"] = "" },
		"a day that is none":          func(m map[string]any) { m["as_of"] = "2026-02-30" },
		"a day before all":            func(m map[string]any) { m["as_of"] = "0000-01-01" },
		"a number for a day":          func(m map[string]any) { m["as_of"] = 20779 },
		"fewer than no premises":      func(m map[string]any) { m["premises"] = -1 },
		"a premises too many":         func(m map[string]any) { m["premises"] = m["premises"].(float64) + 1 },
		"no premises":                 func(m map[string]any) { m["premises"] = 0 },
		"more premises than numbers":  func(m map[string]any) { m["premises"] = uint64(1) << 32 },
		"premises by the trillion":    func(m map[string]any) { m["premises"] = int64(math.MaxInt64) },
		"half a premises":             func(m map[string]any) { m["premises"] = 0.5 },
		"too large a number":          func(m map[string]any) { m["premises"] = json.Number("1e400") },
		"text for a number":           func(m map[string]any) { m["premises"] = "17" },
		"another count of postcodes":  func(m map[string]any) { m["postcodes"] = 1 },
		"another count of outcodes":   func(m map[string]any) { m["outcodes"] = 1e6 },
		"another count of claims":     func(m map[string]any) { m["claims"] = -3 },
		"another count of sets":       func(m map[string]any) { m["claim_sets"] = int64(math.MinInt64) },
		"another count of areas":      func(m map[string]any) { m["areas"] = 3 },
		"an unknown network":          func(m map[string]any) { m["prefer"] = []string{"5G North"} },
		"a network of no name":        func(m map[string]any) { m["prefer"] = []string{""} },
		"networks by number":          func(m map[string]any) { m["prefer"] = []int{1} },
		"sources that are none":       func(m map[string]any) { m["sources"] = "Arqiva" },
		"a source of an absurd day":   func(m map[string]any) { m["sources"] = []any{map[string]any{"as_of": "99999-01-01"}} },
		"a section list that is none": func(m map[string]any) { m["sections"] = 7 },
	} {
		bad := rewritten(t, file, sectionMeta, func(raw []byte) []byte {
			var m map[string]any
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			change(m)
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		})
		where := sectionMeta
		if strings.HasSuffix(what, "premises too many") || what == "no premises" {
			where = sectionPremBox
		}
		refused(t, what, bad, where)
	}
	for what, raw := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "cut off": `{"as_of":"2026-11-22"`, "two objects": "{}{}",
		"deeper than deep": strings.Repeat(`{"x":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	} {
		refused(t, what, rewritten(t, file, sectionMeta, func([]byte) []byte { return append([]byte{}, raw...) }), sectionMeta)
	}
}

// TestMetaCannotSpeakForTheFile: what follows from the file is not read from it.
func TestMetaCannotSpeakForTheFile(t *testing.T) {
	file := rewritten(t, tinyFile(t), sectionMeta, func(raw []byte) []byte {
		return append(bytes.TrimSuffix(raw, []byte("}")),
			`,"id":"mine","format_version":9,"bytes":1,"memory":-5,"sections":[{"name":"x"}],"unheard_of":{"a":[1]}}`...)
	})
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	i := s.Info()
	if len(i.ID) != 32 || i.FormatVersion != formatVersion || i.Bytes != int64(len(file)) || i.Memory <= 0 || i.Sections[0].Name != sectionMeta {
		t.Errorf("%+v", i)
	}
}

// TestHostileSizesCostNothing opens files that state far more than they hold.
func TestHostileSizesCostNothing(t *testing.T) {
	file, _ := tinyWorld().build(t, nil)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 200<<20), nil)
	portions := slices.Repeat([]packed{{name: "a", codec: codecZstd, rawSize: maxPacked - 1, stored: bomb[:64]}}, 80)
	for what, sections := range map[string][]packed{
		"a section of a petabyte":       {{name: sectionMeta, codec: codecZstd, rawSize: 1 << 50, stored: []byte("x")}},
		"a section of 2⁶⁴ bytes":        {{name: sectionMeta, codec: codecZstd, rawSize: math.MaxUint64, stored: []byte("x")}},
		"sections of 2⁶⁴ bytes":         {{name: "a", codec: codecZstd, rawSize: 1 << 63, stored: []byte("x")}, {name: "b", codec: codecZstd, rawSize: 1 << 63, stored: []byte("x")}},
		"a bomb":                        {{name: sectionMeta, codec: codecZstd, rawSize: 200 << 20, stored: bomb}},
		"a bomb that hides its size":    {{name: sectionMeta, codec: codecZstd, rawSize: maxPacked - 1, stored: bomb}},
		"a section too large to pack":   {{name: "a", codec: codecZstd, rawSize: maxPacked, stored: bomb}},
		"a bomb in many small portions": portions,
	} {
		var out bytes.Buffer
		if _, err := writeFile(&out, sections); err != nil {
			t.Fatal(err)
		}
		if n := allocated(func() { refused(t, what, out.Bytes(), "section") }); n > maxPacked+64<<10 {
			t.Errorf("%s: %d bytes allocated", what, n)
		}
	}
	bad := rewritten(t, file, sectionPremBox, poke(0, 0xff, 0xff, 0xff, 0xff))
	bad = rewritten(t, bad, sectionMeta, func(raw []byte) []byte {
		return bytes.Replace(raw, []byte(`"premises":3`), []byte(`"premises":4294967295`), 1)
	})
	if n := allocated(func() { refused(t, "premises", bad, sectionPremBox) }); n > 4<<20 {
		t.Errorf("premises: %d bytes allocated", n)
	}

	// Zeros that unpack to 15 MiB, and of values without a bit two to each of the
	// bytes.
	zeros := make([]byte, maxPacked-1)
	entries, _, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(15 * 2 * len(zeros))
	for name, contents := range map[string]map[string]func([]byte) []byte{
		sectionSetItems: {sectionSetItems: many(uint64(n), 0), sectionSetEnds: values(n)},
		"area.ring":     {"area.ring": many(uint64(n), 0)},
		"region.in":     {"region.in": many(uint64(n), 0)},
	} {
		raws, err := unpack(file, entries, 1)
		if err != nil {
			t.Fatal(err)
		}
		var sections []packed
		for _, e := range entries {
			raw := raws[e.name]
			if f, ok := contents[e.name]; ok {
				raw = f(nil)
			}
			sections = append(sections, packed{e.name, codecRaw, uint64(len(raw)), raw})
		}
		for i := range 15 {
			sections = append(sections, packed{fmt.Sprint("zeros", i), codecZstd, uint64(len(zeros)), enc.EncodeAll(zeros, nil)})
		}
		var out bytes.Buffer
		if _, err := writeFile(&out, sections); err != nil {
			t.Fatal(err)
		}
		if n := allocated(func() { refused(t, name, out.Bytes(), name) }); n > 64<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

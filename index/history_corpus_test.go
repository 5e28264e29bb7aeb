package index

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"
)

// pastCrafts are made for the golden file that was built on another. Each breaks
// one of the rules that a reader of a history checks.
func pastCrafts() []craft {
	night := 1 + 1 + idBytes // layout, nights and the first's ID come before its day
	return []craft{
		{"head-empty", sectionPastHead, func([]byte) []byte { return []byte{} }},
		{"head-cut", sectionPastHead, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"head-longer", sectionPastHead, func(raw []byte) []byte { return append(raw, 0) }},
		{"head-nights-without-end", sectionPastHead, func([]byte) []byte { return []byte{historyLayout, 0xff, 0xff, 0xff, 0x7f} }},
		{"head-no-nights", sectionPastHead, func(raw []byte) []byte { return append([]byte{historyLayout, 0}, raw[night+3:]...) }},
		{"head-night-of-today", sectionPastHead, func(raw []byte) []byte {
			return append(binary.AppendVarint(bytes.Clone(raw[:night]), int64(worldDay)+1), raw[night+3:]...)
		}},
		{"head-night-of-no-day", sectionPastHead, func(raw []byte) []byte {
			return append(binary.AppendVarint(bytes.Clone(raw[:night]), 0), raw[night+3:]...)
		}},
		{"head-the-same-night-twice", sectionPastHead, func(raw []byte) []byte {
			b := append([]byte{historyLayout, 2}, bytes.Repeat(raw[2:night+3], 2)...)
			return append(b, raw[night+3:]...)
		}},
		{"head-claims-without-end", sectionPastHead, func(raw []byte) []byte {
			return append(bytes.Clone(raw[:night+3]), 0xff, 0xff, 0xff, 0x7f)
		}},
		{"head-a-claim-less", sectionPastHead, func(raw []byte) []byte { raw[night+3]--; return raw }},
		{"head-an-aspect-of-a-byte", sectionPastHead, func(raw []byte) []byte {
			return append(bytes.Clone(raw[:night+3]), 0, 1, 0) // no claims, and one aspect
		}},
		{"head-an-item-beyond-the-claims", sectionPastHead, func(raw []byte) []byte { raw[len(raw)-1] = 0x7f; return raw }},
		{"head-of-a-claim-that-half-counts", sectionPastHead, func(raw []byte) []byte {
			raw[bytes.Index(raw, []byte("T2"))+3] = 2
			return raw
		}},
		{"rows-cut", sectionPastRows, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"rows-of-no-block", sectionPastRows, func([]byte) []byte { return []byte{} }},
		{"rows-beyond-the-last", sectionPastRows, poke(8+31, 0x80)},
		{"rows-that-start-late", sectionPastRows, poke(0, 1)},
		{"rows-with-a-list-without-end", sectionPastRows, poke(4, 0xff, 0xff, 0xff, 0xff)},
		{"rows-with-no-list", sectionPastRows, poke(4, 0, 0, 0, 0)},
		{"rows-fewer-than-events", sectionPastRows, poke(8, 0)},
		{"bits-cut", sectionPastBits, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"bits-cut-by-a-word", sectionPastBits, func(raw []byte) []byte { return raw[:len(raw)-8] }},
		{"bits-a-word-too-many", sectionPastBits, func(raw []byte) []byte { return append(raw, make([]byte, 8)...) }},
		{"bits-zeros", sectionPastBits, func(raw []byte) []byte { return make([]byte, len(raw)) }},
		{"bits-ones", sectionPastBits, func(raw []byte) []byte { return bytes.Repeat([]byte{0xff}, len(raw)) }},
		{"bits-none", sectionPastBits, func([]byte) []byte { return []byte{} }},
		{"gone-no-postcode-of-the-grammar", sectionPastGone, record(5, 0, 0, 488_520_001)},
		{"gone-a-uprn-of-13-digits", sectionPastGone, record(5, 1, 0, maxUPRN+1)},
		{"gone-beyond-the-pole", sectionPastGone, record(5, 2, 0, maxLat+1)},
		{"gone-beyond-the-date-line", sectionPastGone, record(5, 3, 0, -maxLng-1)},
		{"gone-an-address-beyond-the-text", sectionPastGone, record(5, 4, 0, 100)},
		{"gone-without-end", sectionPastGone, func([]byte) []byte {
			raw := recordsOf(1, goneFields([]goneRow{{}})...)
			binary.LittleEndian.PutUint64(raw, 1<<40)
			return raw
		}},
		{"gone-none", sectionPastGone, func([]byte) []byte { return recordsOf(0, goneFields(nil)...) }},
		{"uprn-of-none", sectionPastUPRN, values(0)},
		{"uprn-beyond-the-last", sectionPastUPRN, values(7)},
		{"uprn-missing", sectionPastUPRN, gone},
		{"rows-missing", sectionPastRows, gone},
		{"bits-missing", sectionPastBits, gone},
		{"gone-missing", sectionPastGone, gone},
		{"text-missing", sectionPastText, gone},
		{"text-longer", sectionPastText, func(raw []byte) []byte { return append(raw, 'x') }},
	}
}

// badHistories are of a file that has one.
func badHistories(t *testing.T, _ []byte, add func(string, []byte)) {
	t.Helper()
	file, err := os.ReadFile(nightSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range pastCrafts() {
		add("hist-"+c.what, packedAgain(t, rewritten(t, file, c.section, c.change)))
	}
}

// A history of a layout of later is passed over.
func TestHistoryOfLater(t *testing.T) {
	file, _ := tinyNight(t).build(t, nil)
	if s, err := OpenBytes(file); err != nil || s.HistoryFrom() != worldDay || s.DepartedLen() != 1 {
		t.Fatal(err, s)
	}
	s, err := OpenBytes(rewritten(t, file, sectionPastHead, poke(0, historyLayout+1)))
	if err != nil || s.HistoryFrom() != worldDay+1 || s.DepartedLen() != 0 {
		t.Error(err, s)
	}
	if slices.Contains(sectionNames(t, tinyFile(t)), sectionPastBits) {
		return
	}
	t.Error("the file that is flipped and cut has no history")
}

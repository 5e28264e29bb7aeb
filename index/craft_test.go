package index

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// craft is one thing wrong with one section.
type craft struct {
	what, section string
	change        func(raw []byte) []byte
}

// values makes a column.
func values(v ...int64) func([]byte) []byte {
	return func([]byte) []byte { return columnOf(len(v), func(i int) int64 { return v[i] }) }
}

// edited changes one value of a column.
func edited(i int, v int64) func([]byte) []byte {
	return func(raw []byte) []byte {
		c, err := parseColumn(raw)
		if err != nil {
			panic(err)
		}
		return columnOf(c.n, func(k int) int64 {
			if k == i {
				return v
			}
			return c.at(k)
		})
	}
}

// record changes a value of one of a section's fields.
func record(fields, k, i int, v int64) func([]byte) []byte {
	return func(raw []byte) []byte {
		list, err := parseRecords(raw, fields)
		if err != nil {
			panic(err)
		}
		var out []field
		for f, c := range list {
			out = append(out, field{"", func(j int) int64 {
				if f == k && j == i {
					return v
				}
				return c.at(j)
			}})
		}
		return recordsOf(list[0].n, out...)
	}
}

// poke changes bytes.
func poke(at int, b ...byte) func([]byte) []byte {
	return func(raw []byte) []byte {
		copy(raw[at:], b)
		return raw
	}
}

func words(v ...int32) (b []byte) {
	for _, v := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// many is a column that says it has n equal values, in no space at all.
func many(n uint64, v int64) func([]byte) []byte {
	return func([]byte) []byte {
		raw := columnOf(1, func(int) int64 { return v })
		binary.LittleEndian.PutUint64(raw, n)
		return raw
	}
}

func float(v float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)) }

func gone([]byte) []byte { return nil }

// crafts are made for the golden file, whose numbers its dump shows. Each breaks
// one of the rules that a reader checks.
func crafts() []craft {
	return []craft{
		{"no claims", sectionClaims, gone},
		{"claims cut off", sectionClaims, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"a claim too many", sectionClaims, func(raw []byte) []byte { raw[0]++; return raw }},
		{"claims by the million", sectionClaims, func([]byte) []byte { return binary.AppendUvarint(nil, 1<<60) }},
		{"claims out of order", sectionClaims, func(raw []byte) []byte { raw[1+44] = 'A'; return raw }},
		{"the same claim twice", sectionClaims, func(raw []byte) []byte { return append([]byte{2}, bytes.Repeat(raw[1:36], 2)...) }},
		{"a network region beyond the last", sectionClaims, func(raw []byte) []byte { raw[15] = 9; return raw }},
		{"an availability beyond the last", sectionClaims, func(raw []byte) []byte { raw[16] = 3; return raw }},
		{"a likelihood beyond the last", sectionClaims, func(raw []byte) []byte { raw[17] = 4; return raw }},
		{"text that is not UTF-8", sectionClaims, func(raw []byte) []byte { raw[2] = 0xff; return raw }},
		{"a day in the year 30,000", sectionClaims, func(raw []byte) []byte {
			return append(binary.AppendVarint(append([]byte{}, raw[:12]...), 10_000_000), raw[15:]...)
		}},
		{"an item beyond the claims", sectionSetItems, edited(0, 6)},
		{"items without end", sectionSetItems, many(1<<40, 0)},
		{"sets that end early", sectionSetEnds, values(1, 3, 4)},
		{"sets that fall", sectionSetEnds, values(3, 1, 5)},
		{"no sets", sectionSetEnds, values()},
		{"claims of a set out of order", sectionSetItems, values(0, 5, 0, 2, 5)},
		{"a claim twice in a set", sectionSetItems, values(0, 0, 1, 2, 5)},
		{"sets out of order", sectionSetItems, values(0, 2, 5, 0, 5)},
		{"a set after one that it begins", sectionSetEnds, values(2, 3, 5)},
		{"the same set twice", sectionSetItems, values(0, 0, 5, 0, 5)},
		{"an address beyond the text", sectionAddrEnds, values(0, 1, 8)},
		{"an address too few", sectionAddrEnds, values(0, 7)},
		{"a kind of no claim set", sectionKinds, record(2, 0, 0, 3)},
		{"a kind with flags beyond the last", sectionKinds, record(2, 1, 1, 64)},
		{"a kind with a basis beyond the last", sectionKinds, record(2, 1, 1, 24)},
		{"a kind with negative flags", sectionKinds, record(2, 1, 1, -1)},
		{"kinds without their flags", sectionKinds, values(0, 1, 2)},
		{"no kinds", sectionKinds, func([]byte) []byte { return recordsOf(0, field{"set", nil}, field{"flags", nil}) }},

		{"a rectangle too few", sectionPremBox, func(raw []byte) []byte { return raw[:boxHead] }},
		{"a count of other premises", sectionPremBox, poke(0, 2)},
		{"a latitude beyond the pole", sectionPremBox, poke(boxHead, words(90_000_001)...)},
		{"a longitude beyond the date line", sectionPremBox, poke(boxHead+4, words(-180_000_001)...)},
		{"a rectangle over the pole", sectionPremBox, poke(boxHead+8, words(1<<26)...)},
		{"a rectangle over the date line", sectionPremBox, poke(boxHead+12, words(1<<28)...)},
		{"a rectangle around the Earth", sectionPremBox, poke(boxHead+12, words(-1)...)},
		{"locations beyond the end", sectionPremBox, poke(boxHead+16, words(1000)...)},
		{"locations far beyond the end", sectionPremBox, poke(boxHead+16, words(-1)...)},
		{"a smaller rectangle than its premises", sectionPremBox, poke(boxHead+8, words(199_899)...)},
		{"no locations", sectionPremLoc, func([]byte) []byte { return []byte{} }},
		{"locations outside of their rectangle", sectionPremLoc, poke(0, bytes.Repeat([]byte{0xff}, 16)...)},

		{"a head too few", sectionPremHead, func(raw []byte) []byte { return []byte{} }},
		{"a block beyond the end", sectionPremHead, poke(0, words(1000)...)},
		{"a block far beyond the end", sectionPremHead, poke(0, words(-1)...)},
		{"groups before the first", sectionPremHead, poke(4, 1)},
		{"a premises in no group", sectionPremHead, poke(8, 0x6)},
		{"a group beyond the last premises", sectionPremHead, poke(8, 0xd)},
		{"a group of no postcode", sectionPremHead, poke(8, 0x7)},
		{"a postcode of no group", sectionPremHead, poke(8, 0x1)},
		{"a UPRN of 13 digits", sectionPremHead, poke(16, 0xff, 0xff, 0xff, 0xff, 0xff)},
		{"runs' bases of 41 bits", sectionPremHead, poke(21, 41)},
		{"UPRNs of 255 bits", sectionPremHead, poke(22, 255)},
		{"other UPRNs of 42 bits", sectionPremHead, poke(23, 42)},
		{"addresses of 33 bits", sectionPremHead, poke(24, 33)},
		{"more addresses of 64 bits", sectionPremHead, poke(25, 64)},
		{"no kinds in a block", sectionPremHead, poke(26, 0)},
		{"more kinds in a block than rows", sectionPremHead, poke(26, 65)},
		{"a kind beyond the block's", sectionPremBits, poke(16, 0x3f)},
		{"addresses beyond the end", sectionPremHead, poke(28, 0xff, 0xff)},
		{"UPRNs beyond the end", sectionPremHead, poke(30, 0xff, 0xff)},
		{"no bits", sectionPremBits, func([]byte) []byte { return []byte{1} }},

		{"half a run", sectionRunHead, func(raw []byte) []byte { return raw[:9] }},
		{"runs beyond the end", sectionRunHead, poke(6, words(9)...)},
		{"runs of 41 bits", sectionRunHead, poke(5, 41)},
		{"runs of no premises", sectionRunBits, poke(0, bytes.Repeat([]byte{0xff}, 16)...)},
		{"no padding", sectionOddBits, func([]byte) []byte { return []byte{} }},
		{"a UPRN of no block", sectionOddHead, func([]byte) []byte { return make([]byte, 10) }},

		{"an outcode beyond the grammar", sectionUnitOut, edited(1, 122_130)},
		{"outcodes out of order", sectionUnitOut, values(5, 3)},
		{"the same outcode twice", sectionUnitOut, values(5, 5)},
		{"an outcode too few", sectionUnitOut, values(5)},
		{"postcodes without end", sectionUnitMap, func(raw []byte) []byte { return append(raw, 0) }},
		{"a postcode without a record", sectionUnitMap, poke(999, 1)},
		{"a record without a postcode", sectionUnitMap, func(raw []byte) []byte { return make([]byte, len(raw)) }},
		{"postcodes cut off", sectionUnits, func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"a field too few", sectionUnits, poke(8, 8)},
		{"a postcode with flags beyond the last", sectionUnits, record(9, 0, 0, 64)},
		{"a postcode with a basis beyond the last", sectionUnits, record(9, 0, 0, 24)},
		{"a border beyond 5 km", sectionUnits, record(9, 1, 0, 50_002)},
		{"a premises before the first group", sectionUnits, record(9, 2, 2, 1)},
		{"a premises beyond the last", sectionUnits, record(9, 2, 0, 4)},
		{"more premises than there are in a group", sectionUnits, record(9, 3, 2, 4)},
		{"a group that stops early", sectionUnits, record(9, 3, 2, 1)},
		{"premises of two postcodes", sectionUnits, record(9, 3, 0, 1)},
		{"a group that no postcode has", sectionUnits, record(9, 3, 2, 0)},
		{"a point beyond the last", sectionUnits, record(9, 4, 0, 4)},
		{"two postcodes at one point", sectionUnits, record(9, 4, 1, 1)},
		{"a point that no postcode has", sectionUnits, record(9, 4, 0, 0)},
		{"a month before all", sectionUnits, record(9, 5, 0, -1)},
		{"a month after the last", sectionUnits, record(9, 6, 0, 9999*12+12)},
		{"a day before all", sectionUnits, record(9, 7, 0, minDay-1)},
		{"a day after the last", sectionUnits, record(9, 8, 0, maxDay+1)},
		{"a group of a postcode beyond the last", sectionGroupUnit, edited(0, 4)},
		{"a group of another postcode", sectionGroupUnit, edited(0, 1)},
		{"more groups than postcodes", sectionGroupUnit, values(2, 0, 1, 3, 2)},
		{"a point of no postcode", sectionPoints, edited(0, 4)},
		{"more points than postcodes", sectionPoints, values(2, 3, 0, 1, 2)},
		{"points without end", sectionPoints, many(1<<40, 0)},
		{"a rectangle of no points", sectionPointBox, func(raw []byte) []byte { return append(raw, make([]byte, boxSize)...) }},
		{"a profile too few", sectionProfEnds, values(2)},
		{"profiles of a sector out of order", sectionProfItems, values(11, 7)},
		{"a profile twice", sectionProfItems, values(7, 7)},
		{"a profile of no claim set", sectionProfItems, edited(0, 3<<2)},
		{"profiles without end", sectionProfItems, many(1<<40, 0)},
		{"more premises than there are", sectionProfCount, edited(0, 4)},
		{"a column of 58 bits", sectionProfCount, func(raw []byte) []byte { raw[24] = 58; return raw }},
		{"a column of 255 bits", sectionProfCount, func(raw []byte) []byte { raw[24] = 255; return raw }},
		{"a column of absurd length", sectionProfCount, func(raw []byte) []byte { return many(math.MaxUint64, 1)(raw) }},
		{"a column of an absurd base", sectionProfCount, func(raw []byte) []byte { raw[23] = 0x80; return raw }},
		{"an area of no claim", sectionAreaClaim, edited(0, 3)},
		{"two claims for an area", sectionAreaClaim, values(2, 2)},
		{"a longitude too few", "area.lng", func(raw []byte) []byte { return raw[:len(raw)-3] }},
		{"coordinates of an unknown kind", "area.lat", func(raw []byte) []byte { raw[0] = 8; return raw }},
		{"no coordinates", "area.lat", func([]byte) []byte { return []byte{} }},
		{"a vertex that is no number", "area.lat", func([]byte) []byte { return append([]byte{64}, bytes.Repeat(float(math.NaN()), 4)...) }},
		{"a vertex at infinity", "area.lat", func([]byte) []byte { return append([]byte{64}, bytes.Repeat(float(math.Inf(-1)), 4)...) }},
		{"a vertex off the Earth", "area.lat", func([]byte) []byte { return append([]byte{64}, bytes.Repeat(float(90.1), 4)...) }},
		{"a vertex far off the Earth", "area.lat", func([]byte) []byte { return binary.AppendVarint([]byte{7}, 1<<41) }},
		{"half a vertex", "area.lat", func([]byte) []byte { return []byte{64, 1, 2, 3, 4} }},
		{"an open ring", "area.lat", func(raw []byte) []byte { raw[len(raw)-1]++; return raw }},
		{"a ring of two vertices", "area.ring", values(0, 2, 4)},
		{"a ring beyond the vertices", "area.ring", values(0, 5)},
		{"rings that do not begin with the first", "area.ring", values(1, 4)},
		{"no rings at all", "area.ring", values()},
		{"a polygon beyond the rings", "area.poly", values(0, 2)},
		{"a shape beyond the polygons", "area.shape", values(0, 2)},
		{"two Regions", "region.shape", values(0, 1, 3)},
		{"four Regions", "region.shape", values(0, 1, 2, 3, 3)},
		{"a content beyond the last", "region.content", edited(0, 2)},
		{"a range without content", "region.content", values(0, 1)},
		{"edges in a range that is no cell", "region.content", edited(0, 1)},
		{"edges in the last range", "region.content", edited(2, 1)},
		{"a shape beyond the last", "region.in", values(3)},
		{"a group beyond the shapes", "region.grp", edited(0, 6)},
		{"an edge beyond the last", "region.edge", edited(0, 14)},
		{"edges that end early", "region.edgeend", edited(2, 11)},
		{"groups that end early", "region.grpend", edited(1, 2)},
		{"ranges out of order", "region.start", func(raw []byte) []byte { raw[23] = 0; return raw }},
		{"ranges that do not begin with the first", "region.start", func(raw []byte) []byte { raw[0] = 1; return raw }},
		{"half a range", "region.start", func(raw []byte) []byte { return raw[:20] }},
		{"no ranges", "region.start", func([]byte) []byte { return []byte{} }},
		{"a reference that is no number", "region.ref", func(raw []byte) []byte { copy(raw, float(math.NaN())); return raw }},
	}
}

func TestCraftedSectionsAreRefused(t *testing.T) {
	file, _ := tinyWorld().build(t, nil)
	for _, c := range crafts() {
		where := c.section
		switch { // found where it is used
		case c.section == sectionSetItems && strings.Contains(c.what, "without end"), c.what == "no sets":
			where = "section"
		case c.section == sectionGroupUnit, c.section == sectionPoints:
			where = "unit"
		case c.section == sectionAddrEnds && c.what == "an address too few", c.what == "no kinds":
			where = "prem"
		case strings.Contains(c.section, "."):
			where, _, _ = strings.Cut(c.section, ".")
		}
		refused(t, c.what, rewritten(t, file, c.section, c.change), where)
	}
}

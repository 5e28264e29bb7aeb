package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

// dumper writes bytes in hexadecimal, each with its place in the file and what
// it means. A star stands for lines that are as the one before.
type dumper struct {
	out bytes.Buffer
	b   []byte
	at  int
}

// take writes the next n bytes under a comment.
func (d *dumper) take(n int, format string, args ...any) []byte {
	taken := d.b[d.at : d.at+n]
	comment := " # " + fmt.Sprintf(format, args...)
	for i := 0; i < n || i == 0; i += 16 {
		line := taken[i:min(n, i+16)]
		if i > 0 && bytes.Equal(line, taken[i-16:i]) && i+16 < n { // as the line before
			if comment != " *" {
				comment = " *"
				d.out.WriteString("*\n")
			}
			continue
		}
		if i > 0 {
			comment = ""
		}
		row := fmt.Sprintf("%05x: % -47x%s", d.at+i, line, comment)
		d.out.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	d.at += n
	return taken
}

// letters writes the next n bytes, which are text, under themselves.
func (d *dumper) letters(n int) {
	for end := d.at + n; d.at < end; {
		k := min(16, end-d.at)
		d.take(k, "%q", d.b[d.at:d.at+k])
	}
}

func (d *dumper) title(format string, args ...any) {
	fmt.Fprintf(&d.out, "\n# "+format+"\n", args...)
}

// dump annotates a snapshot file.
func dump(t testing.TB, file []byte) []byte {
	t.Helper()
	entries, id, err := parseTable(file)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := unpack(file, entries, 1)
	if err != nil {
		t.Fatal(err)
	}
	d := &dumper{b: file}
	fmt.Fprintf(&d.out, "# snapshot %s, %d bytes\n", id, len(file))
	le := binary.LittleEndian
	d.title("header")
	d.take(8, "magic")
	d.take(4, "format version %d", le.Uint32(file[8:]))
	d.take(4, "%d sections", le.Uint32(file[12:]))
	d.take(8, "features that must be understood")
	d.take(8, "features that may be ignored")
	d.take(8, "%d bytes in all", le.Uint64(file[32:]))
	d.take(20, "reserved")
	d.take(4, "CRC-32C of header and table but this field")
	d.title("section table")
	for _, e := range entries {
		d.take(16, "%s", e.name)
		d.take(16, "codec %d (%s), at %#x", e.codec, []string{"as it is", "zstd"}[e.codec], e.offset)
		d.take(16, "%d bytes stored, %d unpacked", e.stored, e.raw)
		d.take(16, "CRC-32C as stored; reserved")
	}
	for _, e := range entries {
		if e.name == sectionChangeLog {
			d.title("%s", e.name)
			d.log(t, raws)
			continue
		}
		if e.codec == codecRaw {
			d.title("%s", e.name)
			d.section(e.name, raws)
			continue
		}
		d.title("%s, zstd; unpacked below, counted from its start", e.name)
		d.take(int(e.stored), "zstd frame")
		u := &dumper{b: raws[e.name]}
		u.section(e.name, raws)
		d.out.Write(u.out.Bytes())
	}
	d.title("digest")
	d.take(digestSize, "SHA-256 of all before it")
	if d.at != len(file) {
		t.Fatalf("%d of %d bytes dumped", d.at, len(file))
	}
	return d.out.Bytes()
}

// section annotates an unpacked section.
func (d *dumper) section(name string, raws map[string][]byte) {
	raw := raws[name]
	switch {
	case name == sectionMeta, name == sectionAddrText:
		d.letters(len(raw))
	case name == sectionClaims:
		d.claims()
	case strings.HasSuffix(name, ".lat") && !isColumn(raw), strings.HasSuffix(name, ".lng") && !isColumn(raw):
		d.coordinates(raw)
	case name == "region.start":
		for range len(raw) / 8 {
			d.take(8, "from leaf %016x", binary.LittleEndian.Uint64(d.b[d.at:]))
		}
	case name == "region.ref":
		for range len(raw) / 8 {
			d.take(8, "%v", math.Float64frombits(binary.LittleEndian.Uint64(d.b[d.at:])))
		}
	case name == sectionChangeHead:
		d.nights()
	case name == sectionPastHead:
		d.past()
	case name == sectionPastText:
		d.letters(len(raw))
	case name == sectionPastRows:
		for range len(raw) / pastHeadSize {
			d.take(4, "at word %d", binary.LittleEndian.Uint32(d.b[d.at:]))
			d.take(4, "a list of %d", binary.LittleEndian.Uint32(d.b[d.at:]))
			d.take(pastRows/8, "rows that have a past")
		}
	case name == sectionPastBits:
		if n := len(raw) - bitPadding; n > 0 {
			d.take(n, "of each block its list and its events")
		}
		d.take(bitPadding, "padding")
	case name == sectionUnitMap:
		d.take(len(raw), "a bit a postcode")
	case strings.HasSuffix(name, ".box"):
		d.boxes()
	case strings.HasSuffix(name, ".loc"):
		d.take(len(raw)-bitPadding, "offsets from the corner")
		d.take(bitPadding, "padding")
	case name == sectionPremHead:
		d.heads(len(raw) / headSize)
	case name == sectionPremBits:
		d.roster(raws[sectionPremHead], raw)
	case name == sectionRunHead, name == sectionOddHead:
		for range len(raw) / dirHead {
			b := d.b[d.at:]
			first := binary.LittleEndian.Uint64(append(bytes.Clone(b[:5]), 0, 0, 0))
			d.take(dirHead, "from UPRN %d, %d bits; at word %d", first, b[5], binary.LittleEndian.Uint32(b[6:]))
		}
	case name == sectionRunBits, name == sectionOddBits:
		d.take(len(raw)-bitPadding, "UPRNs less the first, then rows, filled up with the last")
		d.take(bitPadding, "padding")
	default:
		d.records(raw)
	}
}

// isColumn tells records from a mesh's coordinates.
func isColumn(raw []byte) bool {
	_, err := parseColumn(raw)
	return err == nil
}

func (d *dumper) records(raw []byte) {
	n := int(raw[8])
	list, err := parseRecords(raw, n)
	if err != nil {
		panic(err)
	}
	d.take(8, "%d records", list[0].n)
	d.take(8, "of %d fields; reserved", n)
	for _, c := range list {
		var values []int64
		for i := range c.n {
			values = append(values, c.at(i))
		}
		d.take(8, "base %d", c.base)
		d.take(8, "%d bits, values: %d; reserved", c.width, values)
	}
	if n := len(raw) - recordsHeader - fieldHeader*n - bitPadding; n > 0 {
		d.take(n, "less the base, from the lowest bit up")
	}
	d.take(bitPadding, "padding")
}

func (d *dumper) boxes() {
	le := binary.LittleEndian
	d.take(8, "%d locations", le.Uint64(d.b[d.at:]))
	for range blocksOf(int(le.Uint64(d.b[d.at-8:]))) {
		b := d.b[d.at:]
		d.take(8, "from %d, %d", int32(le.Uint32(b)), int32(le.Uint32(b[4:])))
		d.take(8, "latitudes %d, longitudes up to %d more", le.Uint32(b[8:]), le.Uint32(b[12:]))
		d.take(4, "at word %d", le.Uint32(b[16:]))
	}
}

func (d *dumper) heads(n int) {
	for range n {
		h := head(d.b[d.at : d.at+headSize])
		d.take(4, "at word %d", h.bit()/64)
		d.take(4, "%d groups before", h.before())
		d.take(8, "groups start at rows %b", h.starts())
		d.take(5, "least UPRN %d", h.base())
		d.take(3, "widths of runs' bases, of UPRNs in runs, of others: %d, %d, %d", h[21], h[22], h[23])
		d.take(2, "widths of addresses: %d, %d", h[24], h[25])
		d.take(2, "%d kinds; reserved", h[26])
		d.take(2, "addresses at bit %d", h.addresses()-h.bit())
		d.take(2, "UPRNs at bit %d", h.uprns()-h.bit())
	}
}

func (d *dumper) roster(heads, raw []byte) {
	start, r := d.at, roster{heads: heads}
	for block := range len(heads) / headSize {
		h := r.head(block * blockRows)
		to := func(bit uint) int { return start + int(bit/8) - d.at }
		if n := to(h.bit()); n > 0 {
			d.take(n, "bases of runs, UPRNs in runs, others")
		}
		d.take(8, "rows with an address of the second width")
		d.take(8, "rows with a UPRN in no run")
		d.take(to(h.addresses()), "places in the list of kinds, that list")
		d.take(to(h.uprns()), "addresses")
	}
	if n := start + len(raw) - bitPadding - d.at; n > 0 {
		d.take(n, "bases of runs, UPRNs in runs, others")
	}
	d.take(bitPadding, "padding")
}

func (d *dumper) uvarint(format string) int {
	v, n := binary.Uvarint(d.b[d.at:])
	d.take(n, format, v)
	return int(v)
}

func (d *dumper) day(what string) {
	v, n := binary.Varint(d.b[d.at:])
	d.take(n, "%s %s", what, cmp.Or(Day(v).String(), "none"))
}

func (d *dumper) text(what string) {
	if n := d.uvarint(what + ": %d bytes"); n > 0 {
		d.take(n, "%q", d.b[d.at:d.at+n])
	}
}

func (d *dumper) claims() { d.claimsWith(func() {}) }

// claimsWith annotates claims, each with something behind it.
func (d *dumper) claimsWith(more func()) {
	for range d.uvarint("%d claims") {
		d.text("CSP")
		d.day("as of")
		d.take(1, "network region %s", NetworkRegion(d.b[d.at]))
		d.take(1, "availability: %s", []string{"unknown", "true", "false"}[d.b[d.at]])
		d.take(1, "likelihood: %s", cmp.Or(Likelihood(d.b[d.at]).String(), "none"))
		d.day("anticipated")
		d.day("end")
		for _, what := range []string{"technology", "variant", "auxiliary equipment", "information"} {
			d.text(what)
		}
		more()
	}
}

func (d *dumper) coordinates(raw []byte) {
	values, err := parseCoordinates(raw, 180)
	if err != nil {
		panic(err)
	}
	if d.take(1, "coordinates of kind %d", raw[0]); raw[0] == 7 {
		for _, v := range values {
			_, n := binary.Varint(d.b[d.at:])
			d.take(n, "%v", v)
		}
		return
	}
	for _, v := range values {
		d.take(8, "%v", v)
	}
}

// nights annotates change.head.
func (d *dumper) nights() {
	d.uvarint("layout %d")
	for range d.uvarint("%d nights") {
		d.take(idBytes, "since this snapshot")
		d.day("as of")
		d.day("up to one as of")
		tooBig := d.take(1, "1: too big")[0] == 1
		for _, k := range ChangeKinds() {
			d.uvarint(k.String() + ": %d")
		}
		if tooBig {
			continue
		}
		for range d.uvarint("%d blocks") {
			d.uvarint("first outcode %d")
			d.uvarint("last outcode %d")
			d.uvarint("%d events")
			d.uvarint("%d bytes")
			d.uvarint("%d unpacked")
		}
		d.uvarint("dictionary: %d bytes")
		d.uvarint("%d unpacked")
	}
}

// past annotates hist.head.
func (d *dumper) past() {
	d.uvarint("layout %d")
	for range d.uvarint("%d nights") {
		d.take(idBytes, "this snapshot was in force")
		d.day("as of")
	}
	d.claimsWith(func() { d.take(1, "1: it counts") })
	for range d.uvarint("%d aspects") {
		d.take(1, "1: contradicted")
		for range d.uvarint("%d claims") {
			d.uvarint("item %d")
		}
	}
}

// log annotates change.log: each frame, and unpacked below, counted from its
// start, what is in it.
func (d *dumper) log(t testing.TB, raws map[string][]byte) {
	t.Helper()
	j, err := parseJournal(raws[sectionChangeHead], raws[sectionChangeLog])
	if err != nil {
		t.Fatal(err)
	}
	frame := func(f frame, what string) *dumper {
		d.take(f.stored, "%s, zstd", what)
		raw, err := unpackers.Get().(*unpacker).unpack(j.log, f)
		if err != nil {
			t.Fatal(err)
		}
		return &dumper{b: raw}
	}
	for i := range j.nights {
		n := &j.nights[i]
		dict, err := j.dictionary(n)
		if err != nil {
			t.Fatal(err)
		}
		for k := range n.blocks {
			u := frame(n.blocks[k].frame, "events")
			if err := j.each(dict, &n.blocks[k], func(e *event) bool { u.event(e); return true }); err != nil {
				t.Fatal(err)
			}
			d.out.Write(u.out.Bytes())
		}
		u := frame(n.dict, "dictionary")
		u.claims()
		u.aspects()
		d.out.Write(u.out.Bytes())
	}
}

// event annotates an event that has been decoded.
func (d *dumper) event(e *event) {
	head := d.take(1, "%s", []string{"a premises", "a premises that has left", "a postcode"}[e.kind])[0]
	d.uvarint("%d postcodes further: " + cmp.Or(e.shown().postcode.String(), "none"))
	location := func(what string) {
		for _, c := range []string{"latitude", "longitude"} {
			v, n := binary.Varint(d.b[d.at:])
			d.take(n, "%s: %s by %+d", what, c, v)
		}
	}
	if e.kind == eventPostcode {
		for _, what := range []string{"before", "after"} {
			head := d.take(1, "%s: 1 in the register, 2 located, 4 dated", what)[0]
			if head&entryLocated != 0 {
				location(what)
			}
			if head&entryDated != 0 {
				d.uvarint("introduced in month %d")
				d.uvarint("terminated in month %d")
				d.day("last in a register")
				d.day("first not in one")
			}
		}
		return
	}
	v, n := binary.Varint(d.b[d.at:])
	d.take(n, "UPRN by %+d", v)
	d.uvarint("pair %d")
	d.text("address")
	if head&otherPostcode != 0 {
		d.uvarint("elsewhere: postcode %d")
	}
	if head&otherAddress != 0 {
		d.text("elsewhere: address")
	}
	if head&shownAt != 0 {
		location("location")
	}
	if head&otherAt != 0 {
		location("elsewhere")
	}
}

// aspects annotates what follows the claims in a dictionary.
func (d *dumper) aspects() {
	for range d.uvarint("%d aspects") {
		d.take(1, "Region; 4: contradicted")
		for range d.uvarint("%d claims") {
			d.uvarint("item %d")
		}
	}
	for range d.uvarint("%d pairs") {
		d.uvarint("before: aspect %d")
		d.uvarint("after: aspect %d")
	}
}

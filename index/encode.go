package index

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"unicode/utf8"

	"coverd/geo"
)

// appendClaims encodes the claim dictionary.
func appendClaims(b []byte, claims []Claim) []byte {
	b = binary.AppendUvarint(b, uint64(len(claims)))
	for i := range claims {
		b = appendClaim(b, &claims[i])
	}
	return b
}

// appendClaim encodes a claim: varints and strings with their length before
// them, in the order of the fields of Claim.
func appendClaim(b []byte, c *Claim) []byte {
	b = appendText(b, c.CSP)
	b = binary.AppendVarint(b, int64(c.AsOf))
	b = append(b, byte(c.Network), byte(c.Availability), byte(c.Likelihood))
	b = binary.AppendVarint(b, int64(c.Anticipated))
	b = binary.AppendVarint(b, int64(c.End))
	b = appendText(b, c.Technology)
	b = appendText(b, c.Variant)
	b = appendText(b, c.Auxiliary)
	return appendText(b, c.Info)
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads varints and strings; the first damage sticks.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s cut off or malformed", what)
	}
	d.b = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("number")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) day() Day {
	v, n := binary.Varint(d.b)
	if n <= 0 || v < minDay || v > maxDay {
		d.fail("day")
		return 0
	}
	d.b = d.b[n:]
	return Day(v)
}

func (d *decoder) byte(limit int) byte {
	if len(d.b) == 0 || int(d.b[0]) >= limit {
		d.fail("code")
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.b)) || !utf8.Valid(d.b[:n]) {
		d.fail("text")
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// claim undoes appendClaim.
func (d *decoder) claim() Claim {
	c := Claim{CSP: d.text(), AsOf: d.day()}
	c.Network = NetworkRegion(d.byte(Networks))
	c.Availability = Availability(d.byte(int(AvailabilityFalse) + 1))
	c.Likelihood = Likelihood(d.byte(int(Low) + 1))
	c.Anticipated, c.End = d.day(), d.day()
	c.Technology, c.Variant, c.Auxiliary, c.Info = d.text(), d.text(), d.text(), d.text()
	return c
}

func parseClaims(raw []byte) ([]Claim, error) {
	d := decoder{b: raw}
	n := d.uvarint()
	if n > uint64(len(raw)) {
		return nil, fmt.Errorf("%d claims in %d bytes", n, len(raw))
	}
	claims := make([]Claim, 0, min(n, 1<<16))
	for range n {
		c := d.claim()
		if d.err != nil {
			return nil, d.err
		}
		if k := len(claims); k > 0 && claims[k-1].Compare(&c) >= 0 {
			return nil, fmt.Errorf("claim %d does not follow the one before", k)
		}
		claims = append(claims, c)
	}
	if len(d.b) > 0 {
		return nil, fmt.Errorf("%d bytes after the last claim", len(d.b))
	}
	return claims, d.err
}

type (
	addFunc = func(name string, raw []byte)
	colFunc = func(name string, n int, value func(i int) int64)
)

// premisesSections writes addresses and premises.
func (m *merger) premisesSections(l *layout, add addFunc, col colFunc) {
	ps, workers := l.premises, runtime.GOMAXPROCS(0)
	number := m.addressSections(ps, add, col)

	kinds := kindsOf(ps)
	sets, rest := kinds.list()
	add(sectionKinds, recordsOf(len(sets),
		field{"set", func(i int) int64 { return int64(sets[i]) }},
		field{"flags", func(i int) int64 { return int64(rest[i]) }}))

	boxes, packed := packLocations(len(ps), func(row int) geo.Location { return ps[row].at })
	add(sectionPremBox, boxes)
	add(sectionPremLoc, packed)

	in := enrolled{
		n: len(ps), kinds: len(sets), starts: make([]uint64, blocksOf(len(ps))),
		address: func(row int) uint32 { return number[ps[row].address] },
		kind:    func(row int) uint32 { return kinds.number(&ps[row]) },
		uprn:    func(row int) geo.UPRN { return ps[row].uprn },
	}
	for _, row := range l.firsts {
		if row < len(ps) {
			in.starts[row/blockRows] |= 1 << (row % blockRows)
		}
	}
	plan := planUPRNs(&in, workers)
	heads, packed := packRoster(&in, plan.odd, workers)
	add(sectionPremHead, heads)
	add(sectionPremBits, packed)
	heads, packed = packDirectory(plan.runs, len(ps))
	add(sectionRunHead, heads)
	add(sectionRunBits, packed)
	heads, packed = packDirectory(plan.odds, len(ps))
	add(sectionOddHead, heads)
	add(sectionOddBits, packed)
}

// kinds numbers the pairs of claim set and flags that premises have, by claim
// set, then flags. A map would be asked thirty million times, and that more than
// once.
type kinds struct {
	flags []uint64 // by claim set: which there are
	base  []uint32 // by claim set: how many kinds there are before it
}

func kindsOf(ps []premises) kinds {
	var k kinds
	for i := range ps {
		p := &ps[i]
		if set := int(p.set); set >= len(k.flags) {
			k.flags = append(k.flags, make([]uint64, set+1-len(k.flags))...)
		}
		k.flags[p.set] |= 1 << flags(p.region, p.basis, p.conflict)
	}
	k.base = make([]uint32, len(k.flags))
	for set := 1; set < len(k.base); set++ {
		k.base[set] = k.base[set-1] + uint32(bits.OnesCount64(k.flags[set-1]))
	}
	return k
}

func (k *kinds) number(p *premises) uint32 {
	below := uint64(1)<<flags(p.region, p.basis, p.conflict) - 1
	return k.base[p.set] + uint32(bits.OnesCount64(k.flags[p.set]&below))
}

// list returns the claim set and the flags of each.
func (k *kinds) list() (sets, rest []int) {
	for set, there := range k.flags {
		for ; there != 0; there &= there - 1 {
			sets, rest = append(sets, set), append(rest, bits.TrailingZeros64(there))
		}
	}
	return sets, rest
}

// addressSections writes the address identifiers that premises have, the most
// frequent first, and returns the number of each by its rank.
func (m *merger) addressSections(ps []premises, add addFunc, col colFunc) (number []uint32) {
	count := make([]int, len(m.addresses))
	for i := range ps {
		count[ps[i].address]++
	}
	var used []uint32
	for rank, n := range count {
		if n > 0 {
			used = append(used, uint32(rank))
		}
	}
	slices.SortFunc(used, func(a, b uint32) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	number = make([]uint32, len(m.addresses))
	var text []byte
	var ends []int64
	for i, rank := range used {
		number[rank] = uint32(i)
		text = append(text, m.addresses[rank]...)
		ends = append(ends, int64(len(text)))
	}
	add(sectionAddrText, text)
	col(sectionAddrEnds, len(ends), func(i int) int64 { return ends[i] })
	return number
}

// unitSections writes postcodes and where they are.
func unitSections(l *layout, add addFunc, col colFunc) {
	us := l.units
	outcodes, packed := packKeyset(len(us), func(i int) uint32 { return us[i].Postcode.Ordinal() })
	add(sectionUnitOut, outcodes)
	add(sectionUnitMap, packed)
	points := postcodePoints(us)
	place := make([]uint32, len(us))
	for i, u := range points {
		place[u] = uint32(i) + 1
	}
	add(sectionUnits, recordsOf(len(us), unitFields(us, place)...))
	col(sectionGroupUnit, len(l.groups), func(i int) int64 { return int64(l.groups[i]) })
	col(sectionPoints, len(points), func(i int) int64 { return int64(points[i]) })
	boxes, packed := packLocations(len(points), func(i int) geo.Location { return us[points[i]].At })
	add(sectionPointBox, boxes)
	add(sectionPointLoc, packed)
}

// unitFields are the fields of a postcode's record.
func unitFields(us []unit, place []uint32) []field {
	return []field{
		{"flags", func(i int) int64 { return flags(us[i].region, us[i].basis, us[i].inRegister) }},
		{"border", func(i int) int64 { // decimetres plus one; 0: null
			if us[i].border < 0 {
				return 0
			}
			return int64(math.Round(us[i].border*10)) + 1
		}},
		{"first", func(i int) int64 { return int64(us[i].first) }},
		{"premises", func(i int) int64 { return int64(us[i].n) }},
		{"point", func(i int) int64 { return int64(place[i]) }},
		{"introduced", func(i int) int64 { return int64(us[i].Introduced) }},
		{"terminated", func(i int) int64 { return int64(us[i].Terminated) }},
		{"after", func(i int) int64 { return int64(us[i].TerminatedAfter) }},
		{"by", func(i int) int64 { return int64(us[i].TerminatedBy) }},
	}
}

// postcodePoints lists the postcodes with coordinates, the live ones first, in
// Hilbert order.
func postcodePoints(us []unit) []uint32 {
	var points []uint32
	for i := range us {
		if us[i].At.IsValid() {
			points = append(points, uint32(i))
		}
	}
	slices.SortFunc(points, func(a, b uint32) int {
		x, y := &us[a], &us[b]
		return cmp.Or(cmp.Compare(x.Status(), y.Status()), cmp.Compare(x.hilbert, y.hilbert), cmp.Compare(a, b))
	})
	return points
}

// profiles count premises of each sector by claim set and Region: all that a
// summary on any day needs.
type profiles struct {
	ends   []int    // by sector, in directory order: where its items end
	items  []uint64 // claim set, times four, plus Region; in order within a sector
	counts []int
}

func profile(l *layout) profiles {
	var p profiles
	tally := map[uint64]int{}
	end := func() {
		from := len(p.items)
		for k := range tally {
			p.items = append(p.items, k)
		}
		slices.Sort(p.items[from:])
		for _, k := range p.items[from:] {
			p.counts = append(p.counts, tally[k])
		}
		clear(tally)
		p.ends = append(p.ends, len(p.items))
	}
	for i := range l.units {
		u := &l.units[i]
		if i > 0 && u.Postcode.Sector() != l.units[i-1].Postcode.Sector() {
			end()
		}
		if u.n > 0 {
			for k := u.first; k < u.first+u.n; k++ {
				tally[uint64(l.premises[k].set)<<2|uint64(l.premises[k].region)]++
			}
		}
	}
	if len(l.units) > 0 {
		end()
	}
	return p
}

// e7 is how GeoJSON of Great Britain usually comes: seven decimals.
const e7 = 1e7

// coordinates encodes degrees: as whole ten-millionths, each less the one
// before, where every one of them is the nearest number to such a decimal; as
// eight-byte floating point otherwise. Either way they come back the same to
// the bit. The first byte tells which: 7 or 64.
func coordinates(n int, value func(i int) float64) []byte {
	b := []byte{7}
	last := int64(0)
	for i := range n {
		v := value(i)
		k := math.Round(v * e7)
		if k/e7 != v {
			b = []byte{64}
			for i := range n {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(value(i)))
			}
			return b
		}
		b = binary.AppendVarint(b, int64(k)-last)
		last = int64(k)
	}
	return b
}

func parseCoordinates(raw []byte, limit float64) ([]float64, error) {
	if len(raw) == 0 {
		return nil, errors.New("no coordinates")
	}
	kind, raw := raw[0], raw[1:]
	out := make([]float64, 0, len(raw)/8)
	last := int64(0)
	for len(raw) > 0 {
		v := 0.0
		switch n := 8; {
		case kind == 7:
			var k int64
			if k, n = binary.Varint(raw); n <= 0 || k < -1<<40 || k > 1<<40 {
				return nil, fmt.Errorf("coordinate %d malformed", len(out))
			}
			last += k
			v, raw = float64(last)/e7, raw[n:]
		case kind == 64 && len(raw) >= n:
			v, raw = math.Float64frombits(binary.LittleEndian.Uint64(raw)), raw[n:]
		default:
			return nil, fmt.Errorf("coordinates of kind %d, %d bytes left", kind, len(raw))
		}
		if !(math.Abs(v) <= limit) {
			return nil, fmt.Errorf("coordinate %d is %v", len(out), v)
		}
		out = append(out, v)
	}
	return out, nil
}

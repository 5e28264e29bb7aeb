package index

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// appendClaims encodes the claim dictionary: per claim, varints and strings
// with their length before them, in the order of the fields of Claim.
func appendClaims(b []byte, claims []Claim) []byte {
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(claims)))
	for i := range claims {
		c := &claims[i]
		text(c.CSP)
		b = binary.AppendVarint(b, int64(c.AsOf))
		b = append(b, byte(c.Network), byte(c.Availability), byte(c.Likelihood))
		b = binary.AppendVarint(b, int64(c.Anticipated))
		b = binary.AppendVarint(b, int64(c.End))
		text(c.Technology)
		text(c.Variant)
		text(c.Auxiliary)
		text(c.Info)
	}
	return b
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

func parseClaims(raw []byte) ([]Claim, error) {
	d := decoder{b: raw}
	n := d.uvarint()
	if n > uint64(len(raw)) {
		return nil, fmt.Errorf("%d claims in %d bytes", n, len(raw))
	}
	claims := make([]Claim, 0, min(n, 1<<16))
	for range n {
		c := Claim{CSP: d.text(), AsOf: d.day()}
		c.Network = NetworkRegion(d.byte(Networks))
		c.Availability = Availability(d.byte(int(AvailabilityFalse) + 1))
		c.Likelihood = Likelihood(d.byte(int(Low) + 1))
		c.Anticipated, c.End = d.day(), d.day()
		c.Technology, c.Variant, c.Auxiliary, c.Info = d.text(), d.text(), d.text(), d.text()
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

// addressSections writes the address identifiers that premises use, in order,
// and each premises' number among them.
func (m *merger) addressSections(l *layout, add addFunc, col colFunc) {
	used := make([]bool, len(m.addresses))
	for i := range l.premises {
		used[l.premises[i].address] = true
	}
	used[0] = true // the empty one
	final := make([]uint32, len(m.addresses))
	var text []byte
	var ends []int64
	for rank, s := range m.addresses {
		if used[rank] {
			final[rank] = uint32(len(ends))
			text = append(text, s...)
			ends = append(ends, int64(len(text)))
		}
	}
	add(sectionAddrText, text)
	col(sectionAddrEnds, len(ends), func(i int) int64 { return ends[i] })
	col(sectionPremAddr, len(l.premises), func(i int) int64 { return int64(final[l.premises[i].address]) })
}

// uprnOrder lists the premises that have a UPRN, by UPRN.
func uprnOrder(ps []premises) []uint32 {
	order := make([]uint32, 0, len(ps))
	for i := range ps {
		if ps[i].uprn != 0 {
			order = append(order, uint32(i))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(ps[a].uprn, ps[b].uprn) })
	return order
}

// postcodePoints lists the live postcodes with coordinates in Hilbert order.
func postcodePoints(us []unit) []uint32 {
	var points []uint32
	for i := range us {
		if us[i].inRegister && us[i].Status() == Live && us[i].At.IsValid() {
			points = append(points, uint32(i))
		}
	}
	slices.SortFunc(points, func(a, b uint32) int { return cmp.Or(cmp.Compare(us[a].hilbert, us[b].hilbert), cmp.Compare(a, b)) })
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

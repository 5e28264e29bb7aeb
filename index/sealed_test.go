package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coverd/geo"
)

// Damage with all checksums right: such a file is refused, or it opens, and then
// every question is answered, without a panic.

// smallMost is what opening a file of some kilobytes may take beside twice its
// size: the table of outcodes and what zstd keeps, 2.5 MB in all, and as much
// again for what a few damaged numbers may ask for. What large numbers can ask
// for at most is in TestHostileAmplification.
const smallMost = 5 << 20

// openSealed opens a file and asks it everything. It reports whether it opened.
func openSealed(t testing.TB, what string, file []byte) bool {
	t.Helper()
	var s *Snapshot
	var err error
	if n := allocated(func() { s, err = OpenBytes(file) }); n > uint64(2*len(file)+smallMost) {
		t.Fatalf("%s: %d bytes allocated to open %d", what, n, len(file))
	}
	if err != nil {
		if kindOf(err) == "" {
			t.Fatalf("%s: %v", what, err)
		}
		return false
	}
	if s.info.Premises > 10_000 || s.keys.n > 10_000 {
		return true // slow to walk, not wrong
	}
	ask(s)
	return true
}

// ask puts every kind of question to a snapshot, which must not panic.
func ask(s *Snapshot) {
	var d Distribution
	var e Estimate
	var details []Details
	for u := range s.AllPostcodes() {
		s.Postcode(u.Postcode())
		u.Region()
		u.Entry()
		u.Status()
		u.Summary(worldDay)
		details = u.AppendDetails(details[:0])
		s.EstimatePostcode(&e, u.Postcode(), worldDay)
	}
	for p := range s.AllPremises() {
		p.Address()
		p.Postcode()
		p.At()
		p.Region()
		p.Conflict()
		p.Details()
		askClaims(p.Claims())
		s.UPRN(p.UPRN())
		s.UPRN(p.UPRN() + 1)
	}
	for kind := range min(s.Kinds(), 10_000) {
		s.Kind(uint32(kind))
	}
	for code := range min(s.ClaimSets(), 10_000) {
		askClaims(s.ClaimSet(uint32(code)))
	}
	for o := range s.AllOutcodes() {
		found, _ := s.Outcode(o.Outcode())
		found.Distribution(&d, worldDay)
		o.Regions()
		for i := range o.Len() {
			o.Unit(i).Postcode()
		}
		for q := range o.Sectors() {
			found, _ := s.Sector(q.Sector())
			found.Distribution(&d, worldDay)
			q.Summary(minDay)
			for i := range q.Len() {
				q.Unit(i).Postcode()
			}
		}
	}
	for _, n := range s.Nights() {
		if changes, err := s.Changes(n.Since, Cursor{}, geo.Outcode{}); err == nil {
			for c := range changes {
				_ = c.String()
			}
		}
	}
	var a Surroundings
	for i := range 20 {
		p := geo.LatLng{Lat: 51.9 + float64(i)/17, Lng: -2.1 + float64(i)/11}
		if i == 19 {
			p = geo.LatLng{Lat: 90, Lng: 180}
		}
		s.Locate(p)
		s.Region(p)
		s.AppendAreas(nil, p)
		s.Nearest(nil, p, MaxNearest, 50_000)
		s.NearestPostcodes(nil, p, 10, 50_000)
		s.EstimateAt(&e, p, worldDay)
		s.Survey(&a, p, 10, 50_000, worldDay)
	}
	for _, r := range geo.Regions {
		s.RegionShape(r)
	}
	s.contentDigest(1) // walks what an export does
	// On crafted boundaries it may find faults, but it must come back.
	if len(s.regions.cover.Mesh.Vertices) > 1 {
		_ = s.SweepRegions(context.Background(), 1, 1, func(Sweep) {})
	}
}

func askClaims(set ClaimSet) {
	for i := range set.Len() {
		set.At(i)
		set.Counts(i)
	}
	for network := range NetworkRegion(Networks) {
		only := set.Only(network)
		only.State(worldDay)
		if fit, ok := only.Fit(worldDay); ok {
			fit.Reason()
		}
	}
}

// TestSealedDamageIsHarmless changes, cuts and extends sections at random.
func TestSealedDamageIsHarmless(t *testing.T) {
	file := tinyFile(t)
	rng := rand.New(rand.NewPCG(1, 2))
	names := sectionNames(t, file)
	n, opened := pick(2000, 200), 0
	for range n {
		victim := names[rng.IntN(len(names))]
		bad := rewritten(t, file, victim, func(raw []byte) []byte {
			if len(raw) == 0 {
				return raw
			}
			switch rng.IntN(4) {
			case 0:
				return raw[:rng.IntN(len(raw))]
			case 1:
				return append(raw, 0)
			}
			for range 1 + rng.IntN(3) {
				raw[rng.IntN(len(raw))] = byte(rng.Uint32())
			}
			return raw
		})
		if openSealed(t, "section "+victim, bad) {
			opened++
		}
	}
	t.Logf("%d of %d opened", opened, n)
}

// pick is how often a test tries: less where there is no time.
func pick(usual, short int) int {
	if testing.Short() || underRace {
		return short
	}
	return usual
}

// TestSealedSweep sets every eight and every four bytes of every section, at
// each of their places, to what numbers go wrong at, and likewise those of the
// table. The golden file has no journal; that of a larger one is swept besides.
func TestSealedSweep(t *testing.T) {
	golden, err := openGolden(t)
	if err != nil {
		t.Fatal(err)
	}
	sw := sweeper{t: t, stride: pick(1, 12)}
	flat := rewritten(t, golden, "", nil) // nothing compressed
	sw.sections(flat, func(string) bool { return true })
	sw.table(flat)
	sw.sections(rewritten(t, tinyFile(t), "", nil), func(name string) bool { return strings.HasPrefix(name, "change.") })
	t.Logf("%d of %d opened", sw.opened, sw.cases)
}

type sweeper struct {
	t             *testing.T
	stride        int
	cases, opened int
}

func (sw *sweeper) try(what string, bad []byte) {
	reseal(bad)
	sw.cases++
	if openSealed(sw.t, what, bad) {
		sw.opened++
	}
}

// edges8 are what eight bytes are set to.
var edges8 = []func(v uint64) uint64{
	func(uint64) uint64 { return 0 }, func(uint64) uint64 { return ^uint64(0) }, func(v uint64) uint64 { return v + 1 },
	func(v uint64) uint64 { return v - 1 }, func(uint64) uint64 { return 1 << 63 }, func(uint64) uint64 { return 1<<63 - 1 },
}

func (sw *sweeper) sections(flat []byte, wanted func(name string) bool) {
	sw.t.Helper()
	entries, _, err := parseTable(flat)
	if err != nil {
		sw.t.Fatal(err)
	}
	for _, e := range entries {
		if !wanted(e.name) {
			continue
		}
		from, end := int(e.offset), int(e.offset+e.stored)
		for at := from; at+8 <= end; at += 8 * sw.stride {
			for _, edge := range edges8 {
				bad := bytes.Clone(flat)
				binary.LittleEndian.PutUint64(bad[at:], edge(binary.LittleEndian.Uint64(bad[at:])))
				sw.try(e.name, bad)
			}
		}
		for at := from; at+4 <= end; at += 4 * sw.stride {
			was := binary.LittleEndian.Uint32(flat[at:])
			for _, v := range []uint32{^uint32(0), 1 << 31, was + 1, was - 1} {
				bad := bytes.Clone(flat)
				binary.LittleEndian.PutUint32(bad[at:], v)
				sw.try(e.name, bad)
			}
		}
	}
}

// table sweeps the header and the section table.
func (sw *sweeper) table(flat []byte) {
	for at := 8; at+8 <= headerSize+int(binary.LittleEndian.Uint32(flat[12:]))*entrySize; at += 8 {
		for _, edge := range edges8 {
			bad := bytes.Clone(flat)
			binary.LittleEndian.PutUint64(bad[at:], edge(binary.LittleEndian.Uint64(bad[at:])))
			sw.try("table", bad)
		}
	}
}

func openGolden(t testing.TB) ([]byte, error) {
	t.Helper()
	file, _ := tinyWorld().build(t, nil)
	_, err := OpenBytes(bytes.Clone(file))
	return file, err
}

// mutator changes sections as the bytes of a program say, four an instruction:
// what, section, and two of a place or a value. It is how a fuzzer gets past the
// checksums.
type mutator struct {
	names []string
	raws  map[string][]byte
	count bool // make the counts of meta right at the end
}

func (m *mutator) run(program []byte) {
	for ; len(program) >= 4; program = program[4:] {
		what, name := program[0], m.names[int(program[1])%len(m.names)]
		raw, arg := m.raws[name], int(binary.LittleEndian.Uint16(program[2:]))
		at := 0
		if len(raw) > 0 {
			at = arg % len(raw)
		}
		switch what % 12 {
		case 0:
			if len(raw) > 0 {
				raw[at] ^= 1 << (what / 12 % 8)
			}
		case 1:
			if len(raw) > 0 {
				raw[at] = what
			}
		case 2:
			m.raws[name] = raw[:at]
		case 3:
			if len(raw) < 1<<16 { // it doubles
				m.raws[name] = append(raw, raw[at:]...)
			}
		case 4:
			m.raws[name] = slices.Delete(raw, at, min(len(raw), at+int(what/12)+1))
		case 5:
			m.raws[name] = slices.Insert(raw, at, make([]byte, int(what/12)+1)...)
		case 6, 7, 8:
			if len(raw) >= 8 {
				v := binary.LittleEndian.Uint64(raw[at/8*8%(len(raw)-7):])
				v = map[byte]uint64{6: v + uint64(what/12), 7: v - uint64(what/12), 8: 1<<(what/12*3) - 1}[what%12]
				binary.LittleEndian.PutUint64(raw[at/8*8%(len(raw)-7):], v)
			}
		case 9: // the section of another, whose form it may have
			m.raws[name] = bytes.Clone(m.raws[m.names[arg%len(m.names)]])
		case 10: // the first value of a column
			if len(raw) >= recordsHeader+fieldHeader {
				binary.LittleEndian.PutUint64(raw[recordsHeader:], uint64(int16(arg)))
			}
		case 11:
			m.count = true
		}
	}
}

// recount makes the counts of meta those of the sections, as far as these can be
// read.
func (m *mutator) recount() {
	var meta map[string]any
	if json.Unmarshal(m.raws[sectionMeta], &meta) != nil || meta == nil {
		return
	}
	set := func(key string, n int) { meta[key] = n }
	if raw := m.raws[sectionPremBox]; len(raw) >= 8 {
		set("premises", int(binary.LittleEndian.Uint64(raw)&0xffffffff))
	}
	n := 0
	for _, b := range m.raws[sectionUnitMap] {
		n += bits.OnesCount8(b)
	}
	set("postcodes", n)
	claims, _ := binary.Uvarint(m.raws[sectionClaims])
	set("claims", int(claims))
	for key, name := range map[string]string{"outcodes": sectionUnitOut, "claim_sets": sectionSetEnds, "areas": sectionAreaClaim} {
		if c, err := parseColumn(m.raws[name]); err == nil {
			set(key, c.n)
		}
	}
	if raw, err := json.Marshal(meta); err == nil {
		m.raws[sectionMeta] = raw
	}
}

func (m *mutator) file() ([]byte, error) {
	if m.count {
		m.recount()
	}
	var sections []packed
	for _, name := range m.names {
		raw := m.raws[name]
		sections = append(sections, packed{name, codecRaw, uint64(len(raw)), raw})
	}
	var out bytes.Buffer
	_, err := writeFile(&out, sections)
	return out.Bytes(), err
}

// FuzzSealed runs programs of a mutator on a small snapshot.
func FuzzSealed(f *testing.F) {
	golden, err := openGolden(f)
	if err != nil {
		f.Fatal(err)
	}
	files := [][]byte{golden, tinyFile(f)}
	for i := range 12 {
		f.Add(i%2 == 1, []byte{byte(i), byte(3 * i), 8, 0, 11, 0, 0, 0})
	}
	f.Add(true, []byte{9, 5, 6, 0, 6 + 12, 14, 0, 0})
	f.Fuzz(func(t *testing.T, larger bool, program []byte) {
		file := files[0]
		if larger {
			file = files[1]
		}
		entries, _, err := parseTable(file)
		if err != nil {
			t.Fatal(err)
		}
		raws, err := unpack(file, entries, 1)
		if err != nil {
			t.Fatal(err)
		}
		m := mutator{raws: map[string][]byte{}}
		for _, e := range entries {
			m.names, m.raws[e.name] = append(m.names, e.name), bytes.Clone(raws[e.name])
		}
		m.run(program[:min(len(program), 4*64)])
		bad, err := m.file()
		if err != nil && !errors.Is(err, bytes.ErrTooLarge) {
			t.Fatal(err)
		}
		if len(bad) <= 1<<20 {
			openSealed(t, "program", bad)
		}
	})
}

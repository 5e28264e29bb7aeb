package index

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"coverd/geo"
)

// world is a made-up country: three Regions side by side around 52° N, with
// ragged borders, an islet and a hole; a register; areas; rows. Everything the
// tests ask of a snapshot is also asked of it, the slow way.
type world struct {
	land    [3]geo.MultiPolygon
	options Options
	entries []Entry
	areas   []Area
	rows    []testRow

	baselines *Baselines
	overrides []Override
}

// testRow is a row before its claim and address are interned.
type testRow struct {
	Row
	claim   Claim
	address string
}

const worldDay = Day(20779) // 2026-11-22

func testLand(rng *rand.Rand) [3]geo.MultiPolygon {
	ragged := func(lng float64) []geo.LatLng {
		var line []geo.LatLng
		for i := range 41 {
			line = append(line, geo.LatLng{Lat: 52 + float64(i)/40, Lng: lng + rng.Float64()/50})
		}
		return line
	}
	lines := [][]geo.LatLng{ragged(-2), ragged(-1.5), ragged(-1), ragged(-0.5)}
	var land [3]geo.MultiPolygon
	for i := range land {
		ring := slices.Clone(geo.Ring(lines[i]))
		for _, v := range slices.Backward(lines[i+1]) {
			ring = append(ring, v)
		}
		land[i] = geo.MultiPolygon{{ring}}
	}
	// A hole in the South, and an islet of the North off the far coast.
	land[2][0] = append(land[2][0], geo.Ring{{Lat: 52.4, Lng: -0.8}, {Lat: 52.4, Lng: -0.75}, {Lat: 52.45, Lng: -0.78}})
	land[0] = append(land[0], geo.Polygon{{{Lat: 52.5, Lng: -0.4}, {Lat: 52.5, Lng: -0.39}, {Lat: 52.51, Lng: -0.39}}})
	return land
}

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

// testClaims are claims of every kind.
func testClaims() []Claim {
	c := []Claim{
		{CSP: "Arqiva", Network: NetworkNorth, Availability: AvailabilityTrue, Technology: "Long Range Radio", Variant: "Standard 420", Likelihood: High},
		{CSP: "Arqiva", Network: NetworkNorth, Availability: AvailabilityFalse, Anticipated: worldDay + 30, Technology: "Long Range Radio", Variant: "Variant 450", Likelihood: Low},
		{CSP: "Telefonica", Network: NetworkCentral, Availability: AvailabilityTrue, Technology: "Cellular", Variant: "SKU1", Likelihood: High},
		{CSP: "Telefonica", Network: NetworkSouth, Availability: AvailabilityTrue, End: worldDay + 100, Technology: "Cellular", Variant: "SKU2", Likelihood: Medium, Auxiliary: "T2"},
		{CSP: "Telefonica", Network: NetworkSouth, Availability: AvailabilityFalse, Anticipated: worldDay - 40, Technology: "Cellular + Mesh", Variant: "SKU2"},
		{CSP: "Telefonica", Network: NetworkSouth, Availability: AvailabilityFalse, Info: `known issue, "hill"`},
		{CSP: "Telefonica", Network: NetworkCentral, Availability: AvailabilityUnknown},
		{CSP: "Vodafone", Network: Network4GSouth, Availability: AvailabilityTrue, Technology: "4G", Variant: "4G", Likelihood: Medium},
		{CSP: "Vodafone", Network: Network4GCentral, Availability: AvailabilityFalse, Anticipated: worldDay + 3, Technology: "4G", Variant: "4G"},
		{CSP: "DCC", Network: NetworkSouth, Availability: AvailabilityTrue, Technology: "VWAN", Variant: "VWAN"},
		{CSP: "DCC", Network: NetworkSMETS1, Availability: AvailabilityTrue},
	}
	for i := range c {
		c[i].AsOf = worldDay
	}
	return c
}

func makeWorld(seed uint64, n int) *world {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := &world{land: testLand(rng), options: Options{
		AsOf: worldDay, CSPs: []string{"Arqiva", "Telefonica", "Vodafone", "DCC"}, Tool: "test", Prefer: []NetworkRegion{Network4GSouth},
		Attributions: []string{"made up"},
	}}
	point := func() geo.Location {
		return geo.LatLng{Lat: 52.01 + rng.Float64()*0.98, Lng: -1.97 + rng.Float64()*1.4}.Location()
	}
	var postcodes []geo.Postcode
	for _, o := range []string{"AB1", "AB10", "E1", "E11", "GU1", "W1A", "ZE9"} {
		for k := range 24 {
			p := mustPostcode(fmt.Sprintf("%s %d%c%c", o, k%4, 'A'+k%2, 'A'+k/4%2))
			if !slices.Contains(postcodes, p) {
				postcodes = append(postcodes, p)
			}
		}
	}
	at := map[geo.Postcode]geo.Location{}
	for i, p := range postcodes {
		at[p] = point()
		e := Entry{Postcode: p, At: at[p]}
		switch i % 9 {
		case 0:
			continue // in no register
		case 1:
			e.At = geo.Location{}
		case 2:
			e.Introduced, _ = ParseMonth("1980-01")
			e.Terminated, _ = ParseMonth("2019-06")
		}
		w.entries = append(w.entries, e)
	}
	claims := testClaims()
	for i := range 12 {
		c := point().LatLng()
		r := 0.005 * float64(i+1)
		outer := geo.Ring{{Lat: c.Lat - r, Lng: c.Lng - r}, {Lat: c.Lat - r, Lng: c.Lng + r}, {Lat: c.Lat + r, Lng: c.Lng + 1.5*r}, {Lat: c.Lat + r, Lng: c.Lng - r}}
		hole := geo.Ring{{Lat: c.Lat - r/2, Lng: c.Lng - r/2}, {Lat: c.Lat - r/2, Lng: c.Lng + r/2}, {Lat: c.Lat + r/3, Lng: c.Lng}}
		w.areas = append(w.areas, Area{Claim: claims[rng.IntN(len(claims))], Shape: geo.MultiPolygon{{outer, hole}}})
	}
	pile := point()
	for i := range n {
		r := testRow{claim: claims[rng.IntN(len(claims))]}
		r.File, r.Line = uint32(i%3), uint32(i+2)
		if rng.IntN(10) > 0 {
			r.UPRN = geo.UPRN(990_000_000_000 + rng.IntN(n))
		}
		if rng.IntN(12) > 0 {
			r.Postcode = postcodes[rng.IntN(len(postcodes)*2/3)]
			r.At = at[r.Postcode]
			r.At.Lat += int32(rng.IntN(2000) - 1000)
			r.At.Lng += int32(rng.IntN(2000) - 1000)
		} else {
			r.At = point()
		}
		switch rng.IntN(12) {
		case 0:
			r.At = geo.Location{}
		case 1:
			r.At = pile
		}
		if rng.IntN(8) > 0 {
			r.address = []string{"1", "2", "10", "Flat 2", "FLAT  2", "2a", "The Old Mill", "12-14"}[rng.IntN(8)]
		}
		if r.UPRN == 0 && !r.At.IsValid() && (r.address == "" || !r.Postcode.IsValid()) {
			r.At = point()
		}
		w.rows = append(w.rows, r)
		if rng.IntN(20) == 0 {
			again := r
			again.Line += uint32(n)
			w.rows = append(w.rows, again)
		}
	}
	return w
}

// tb is what testing and rapid have in common.
type tb interface {
	Context() context.Context
	Helper()
	Fatal(args ...any)
}

// checkWorlds is rapid.Check, of a fifth as many worlds where each takes ten
// times as long, unless told how many.
func checkWorlds(t *testing.T, property func(t *rapid.T)) {
	t.Helper()
	const checks = "rapid.checks"
	if f := flag.Lookup(checks); underRace && f.Value.String() == f.DefValue {
		if err := flag.Set(checks, "20"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = flag.Set(checks, f.DefValue) }()
	}
	rapid.Check(t, property)
}

// builder returns one that has taken all of the world, its rows in a given order.
func (w *world) builder(t tb, order func([]testRow)) *Builder {
	t.Helper()
	b, err := NewBuilder(w.land, w.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range w.entries {
		b.AddPostcode(e)
	}
	for _, a := range w.areas {
		if err := b.AddArea(a); err != nil {
			t.Fatal(err)
		}
	}
	b.SetBaselines(w.baselines)
	b.SetOverrides(w.overrides)
	rows := slices.Clone(w.rows)
	if order != nil {
		order(rows)
	}
	for chunk := range slices.Chunk(rows, 7) {
		var out []Row
		for _, r := range chunk {
			r.Claim, r.Address = b.Claim(r.claim), b.Address([]byte(r.address))
			out = append(out, r.Row)
		}
		b.Add(out)
	}
	return b
}

// build builds the world with its rows in a given order.
func (w *world) build(t tb, order func([]testRow)) ([]byte, Report) {
	t.Helper()
	built, err := w.builder(t, order).Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), built.Report
}

func (w *world) open(t tb) *Snapshot {
	t.Helper()
	file, _ := w.build(t, nil)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// slowPremises is a premises as the rules of identity and conflict make it,
// worked out row by row.
type slowPremises struct {
	uprn     geo.UPRN
	postcode geo.Postcode
	address  string
	at       geo.Location
	rows     []testRow
	claims   []Claim // with those lent by areas
	fromArea []bool
	conflict bool
}

// slowMerge applies the rules of identity, disagreement and conflict in the
// plainest way.
func (w *world) slowMerge() []*slowPremises {
	var all []*slowPremises
	byUPRN := map[geo.UPRN]*slowPremises{}
	for _, r := range w.rows {
		if r.UPRN == 0 {
			continue
		}
		p := byUPRN[r.UPRN]
		if p == nil {
			p = &slowPremises{uprn: r.UPRN}
			byUPRN[r.UPRN] = p
			all = append(all, p)
		}
		p.rows = append(p.rows, r)
	}
	for _, p := range all {
		w.slowDecide(p)
	}
	withUPRN := slices.Clone(all)
	byAddress, byPoint := map[string]*slowPremises{}, map[geo.Location]*slowPremises{}
	for _, r := range w.rows {
		if r.UPRN != 0 {
			continue
		}
		if !r.Postcode.IsValid() || r.address == "" {
			p := byPoint[r.At]
			if p == nil {
				p = &slowPremises{}
				byPoint[r.At] = p
				all = append(all, p)
			}
			p.rows = append(p.rows, r)
			continue
		}
		var found []*slowPremises
		for _, p := range withUPRN {
			if p.postcode == r.Postcode && p.address != "" && FoldAddress(p.address) == FoldAddress(r.address) {
				found = append(found, p)
			}
		}
		if len(found) == 1 {
			found[0].rows = append(found[0].rows, r)
			continue
		}
		key := r.Postcode.String() + "|" + FoldAddress(r.address)
		p := byAddress[key]
		if p == nil {
			p = &slowPremises{}
			byAddress[key] = p
			all = append(all, p)
		}
		p.rows = append(p.rows, r)
	}
	for _, p := range all {
		w.slowDecide(p)
		w.slowClaims(p)
	}
	return all
}

func (w *world) slowDecide(p *slowPremises) {
	first := func(has func(testRow) bool, bytes func(a, b testRow) int) (testRow, bool) {
		var of []testRow
		for _, r := range p.rows {
			if has(r) {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			return testRow{}, false
		}
		return slices.MinFunc(of, func(a, b testRow) int {
			return cmp.Or(
				cmp.Compare(slices.Index(w.options.CSPs, a.claim.CSP), slices.Index(w.options.CSPs, b.claim.CSP)),
				cmp.Compare(b.claim.AsOf, a.claim.AsOf), bytes(a, b))
		}), true
	}
	r, _ := first(func(r testRow) bool { return r.Postcode.IsValid() }, func(a, b testRow) int { return a.Postcode.Compare(b.Postcode) })
	p.postcode = r.Postcode
	r, _ = first(func(r testRow) bool { return r.address != "" }, func(a, b testRow) int { return cmp.Compare(a.address, b.address) })
	p.address = r.address
	r, _ = first(func(r testRow) bool { return r.At.IsValid() }, func(a, b testRow) int { return a.At.Compare(b.At) })
	p.at = r.At
}

func (w *world) slowClaims(p *slowPremises) {
	type key struct {
		n   NetworkRegion
		csp string
	}
	said := map[key][]Claim{}
	for _, r := range p.rows {
		k := key{r.claim.Network, r.claim.CSP}
		said[k] = append(said[k], r.claim)
	}
	taken := map[NetworkRegion]bool{}
	type held struct {
		c    Claim
		area bool
	}
	var out []held
	for k, cs := range said {
		if slices.ContainsFunc(cs, func(c Claim) bool { c.AsOf = cs[0].AsOf; return c != cs[0] }) {
			p.conflict = true
			continue
		}
		taken[k.n] = true
		out = append(out, held{slices.MaxFunc(cs, func(a, b Claim) int { return cmp.Compare(a.AsOf, b.AsOf) }), false})
	}
	if p.at.IsValid() {
		here := slices.Clone(w.areas)
		slices.SortStableFunc(here, func(a, b Area) int { return cmp.Compare(geo.GroundArea(a.Shape), geo.GroundArea(b.Shape)) })
		for _, a := range here {
			if a.Shape.Contains(p.at.LatLng()) && !taken[a.Claim.Network] {
				taken[a.Claim.Network] = true
				out = append(out, held{a.Claim, true})
			}
		}
	}
	slices.SortFunc(out, func(a, b held) int { return a.c.Compare(&b.c) })
	for _, h := range out {
		p.claims, p.fromArea = append(p.claims, h.c), append(p.fromArea, h.area)
	}
}

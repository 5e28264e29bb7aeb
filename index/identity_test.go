package index

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
)

// by is a claim of a CSP on a network region of its own, so that it conflicts
// with none, made some days before the world's.
func by(csp string, before Day) Claim {
	n := map[string]NetworkRegion{"Arqiva": NetworkNorth, "Telefonica": NetworkSouth, "Vodafone": Network4GSouth, "DCC": NetworkUnknown}[csp]
	return Claim{CSP: csp, AsOf: worldDay - before, Network: n, Availability: AvailabilityTrue}
}

// TestWhoDecidesWhereRowsDisagree: the CSP listed first, then the later as-of,
// then the bytes; of the rows that give the thing at all.
func TestWhoDecidesWhereRowsDisagree(t *testing.T) {
	type said struct {
		csp      string
		before   Day
		postcode string
		address  string
		at       geo.Location
	}
	a, b, c := located(52.1, -1.5), located(52.2, -1.5), located(52.3, -1.5)
	for _, test := range []struct {
		name string
		rows []said
		want said
	}{
		{
			"the CSP listed first, though its word is older",
			[]said{{"Vodafone", 0, "GU1 1AA", "1", a}, {"Telefonica", 9, "GU1 1AB", "2", b}},
			said{postcode: "GU1 1AB", address: "2", at: b},
		},
		{
			"of one CSP the later",
			[]said{{"Telefonica", 1, "GU1 1AB", "2", b}, {"Telefonica", 2, "GU1 1AA", "1", a}},
			said{postcode: "GU1 1AB", address: "2", at: b},
		},
		{
			"of one day the bytes",
			[]said{{"Telefonica", 0, "GU1 1AB", "10", c}, {"Telefonica", 0, "GU1 1AA", "9", b}},
			said{postcode: "GU1 1AA", address: "10", at: b},
		},
		{
			"each thing on its own, by those that give it",
			[]said{{"Arqiva", 0, "", "", nowhere}, {"Telefonica", 0, "GU1 1AB", "", nowhere}, {"Vodafone", 0, "GU1 1AA", "7", nowhere}, {"DCC", 0, "E1 1AA", "8", c}},
			said{postcode: "GU1 1AB", address: "7", at: c},
		},
	} {
		for order := range len(test.rows) {
			w := small()
			for i := range test.rows { // every rotation
				r := test.rows[(i+order)%len(test.rows)]
				w.add(1, r.postcode, r.at, r.address, by(r.csp, r.before))
			}
			p, _ := w.open(t).UPRN(1)
			got := said{postcode: p.Postcode().String(), address: string(p.Address()), at: p.At()}
			if got != test.want {
				t.Errorf("%s, order %d: %+v, want %+v", test.name, order, got, test.want)
			}
		}
	}
}

func TestIdentityWithoutUPRN(t *testing.T) {
	at, beside := located(52.5, -1.5), geo.Location{Lat: 52_500_001, Lng: -1_500_000}
	w := small()
	w.add(1, "GU1 1AA", at, "Flat 2, Mill House", by("Telefonica", 0))
	w.add(0, "GU1 1AA", nowhere, " FLAT 2,  mill house", by("Vodafone", 0)) // joins 1
	w.add(2, "GU1 1AA", at, "The Annexe", by("Telefonica", 0))
	w.add(3, "GU1 1AA", at, "The Annexe", by("Telefonica", 0))
	w.add(0, "GU1 1AA", at, "The Annexe", by("Vodafone", 0))         // which? a premises of its own
	w.add(0, "GU1 1AA", nowhere, "the annexe", by("DCC", 0))         // shared by later such rows
	w.add(0, "GU1 1AB", at, "Flat 2, Mill House", by("Vodafone", 0)) // another postcode
	w.add(0, "", at, "", by("Vodafone", 0))                          // by its coordinates, which UPRNs do not share
	w.add(0, "", at, "", by("DCC", 0))
	w.add(0, "", beside, "", by("DCC", 0))             // 0.1 m away
	w.add(0, "GU1 1AA", beside, "", by("Vodafone", 0)) // no address: by its coordinates
	var got [][]string
	for p := range w.open(t).AllPremises() {
		list := []string{p.UPRN().String(), p.Postcode().String(), string(p.Address())}
		for i := range p.Claims().Len() {
			c, _ := p.Claims().At(i)
			list = append(list, c.CSP)
		}
		got = append(got, list)
	}
	want := [][]string{
		{"", "GU1 1AA", "", "Vodafone", "DCC"},
		{"1", "GU1 1AA", "Flat 2, Mill House", "Telefonica", "Vodafone"},
		{"", "GU1 1AA", "The Annexe", "Vodafone", "DCC"},
		{"2", "GU1 1AA", "The Annexe", "Telefonica"},
		{"3", "GU1 1AA", "The Annexe", "Telefonica"},
		{"", "GU1 1AB", "Flat 2, Mill House", "Vodafone"},
		{"", "", "", "Vodafone", "DCC"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("premises (-want +got):\n%s", d)
	}
}

// TestGroupOfPlacesIsQuick bounds the rows that a row is compared with: of the
// same few house numbers at many postcodes, of addresses of all kinds, and of
// places on a grid.
func TestGroupOfPlacesIsQuick(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const folds = 70_000
	m := &merger{ranks: make([]uint32, folds), fold: make([]uint32, folds)}
	for i := range uint32(folds) {
		m.ranks[i], m.fold[i] = i, i
	}
	var postcodes []geo.Postcode // of one bucket
	var s rowStore
	for len(postcodes) < 7000 {
		p, _ := geo.PostcodeFromOrdinal(uint32(rnd.IntN(geo.Postcodes)))
		if s.bucket(0, p, 1, nowhere) == &s.without[7] {
			postcodes = append(postcodes, p)
		}
	}
	for _, c := range []struct {
		name string
		rows func(add func(row))
	}{
		{"house numbers 1 to 17", func(add func(row)) {
			for _, p := range postcodes {
				for a := range uint32(17) {
					add(row{postcode: p, address: 1 + a})
				}
			}
		}},
		{"house number 1", func(add func(row)) {
			for _, p := range postcodes {
				add(row{postcode: p, address: 1})
			}
		}},
		{"any address", func(add func(row)) {
			for _, p := range postcodes {
				for range 17 {
					add(row{postcode: p, address: 1 + uint32(rnd.IntN(folds-1))})
				}
			}
		}},
		{"many addresses at one postcode", func(add func(row)) {
			for a := range uint32(folds - 1) {
				add(row{postcode: postcodes[0], address: 1 + a})
			}
		}},
		{"places 0.0001 degrees apart", func(add func(row)) {
			for i := range int32(100_000) {
				add(row{at: geo.Location{Lat: 52_000_000 + i/300*100, Lng: -2_000_000 + i%300*100}})
			}
		}},
		{"places 0.001024 degrees apart", func(add func(row)) {
			for i := range int32(100_000) {
				add(row{at: geo.Location{Lat: 50_000_000 + i/300*1024, Lng: -2_000_000 + i%300*1024}})
			}
		}},
	} {
		var b bucket
		c.rows(func(r row) { b.add(r); b.add(r) })
		var g grouper
		compared := 0
		g.group(&b, func(r *row) uint64 { return m.placeKey(r).hash() }, func(x, y *row) bool {
			compared++
			return m.placeKey(x) == m.placeKey(y)
		})
		if per := float64(compared) / float64(b.n); per > 1.5 {
			t.Errorf("%s: a row is compared with %.2f, want 1.5 at most", c.name, per)
		}
	}
}

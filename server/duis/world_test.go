package duis

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"coverd/geo"
	"coverd/index"
)

const (
	asOf  = index.Day(20779) // 2026-11-22
	today = asOf + 9
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

func at(lat, lng float64) geo.Location { return geo.LatLng{Lat: lat, Lng: lng}.Location() }

func band(south, north float64) geo.MultiPolygon {
	return geo.MultiPolygon{{{{Lat: south, Lng: -5}, {Lat: south, Lng: 1}, {Lat: north, Lng: 1}, {Lat: north, Lng: -5}}}}
}

// world is a snapshot in the making.
type world struct {
	b    *index.Builder
	line uint32
}

func newWorld() *world {
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{
		AsOf: asOf, CSPs: []string{"Telefonica", "Vodafone", "DCC"}, Tool: "test",
	})
	if err != nil {
		panic(err)
	}
	return &world{b: b}
}

// add adds a premises near Guildford with claims, unless it is somewhere else.
func (w *world) add(u geo.UPRN, postcode, address string, where geo.Location, claims ...index.Claim) {
	for _, c := range claims {
		w.line++
		w.b.Add([]index.Row{{
			UPRN: u, Postcode: mustPostcode(postcode), Address: w.b.Address([]byte(address)), At: where, Claim: w.b.Claim(c), Line: w.line,
		}})
	}
}

func (w *world) freeze() *index.Snapshot {
	built, err := w.b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		panic(err)
	}
	s, err := index.OpenBytes(file.Bytes())
	if err != nil {
		panic(err)
	}
	return s
}

// claim is available by cellular unless changed.
func claim(change func(*index.Claim)) index.Claim {
	c := index.Claim{
		CSP: "Telefonica", AsOf: asOf, Network: index.NetworkSouth, Availability: index.AvailabilityTrue,
		Technology: "Cellular", Variant: "SKU1", Likelihood: index.High,
	}
	if change != nil {
		change(&c)
	}
	return c
}

func fourG(c *index.Claim) {
	c.CSP, c.Network, c.Technology, c.Variant, c.Likelihood = "Vodafone", index.Network4GSouth, "4G", "4G", index.Medium
}

// guildford has a premises for every outcome.
//
//	GU1 1AA  one premises in each state, on one network or two
//	GU1 1AB  two premises with one address
//	GU1 1AD  one premises
//	GU1 1AE  in the register only
//	GU1 1AF  retired
var guildford = sync.OnceValue(func() *index.Snapshot {
	w := newWorld()
	here := at(51.2453, -0.5822)
	w.b.AddPostcode(index.Entry{Postcode: mustPostcode("GU1 1AE"), At: here})
	month, _ := index.ParseMonth("2024-10")
	w.b.AddPostcode(index.Entry{Postcode: mustPostcode("GU1 1AF"), At: here, Terminated: month})
	w.add(1, "GU1 1AA", "1", here, claim(nil))
	w.add(2, "GU1 1AA", "2", here, claim(func(c *index.Claim) {
		c.Availability, c.Anticipated, c.Auxiliary, c.Info = index.AvailabilityFalse, today+20, "T2", `Mast "B" <planned> & agreed`
	}))
	w.add(3, "GU1 1AA", "3", here, claim(func(c *index.Claim) { c.Availability, c.Likelihood = index.AvailabilityFalse, index.Low }))
	w.add(4, "GU1 1AA", "4", here, claim(func(c *index.Claim) { c.Availability = index.AvailabilityUnknown }))
	w.add(5, "GU1 1AA", "5", here, claim(fourG))
	w.add(6, "GU1 1AA", "6", here, claim(nil), claim(func(c *index.Claim) {
		fourG(c)
		c.Availability = index.AvailabilityUnknown
	}))
	w.add(7, "GU1 1AA", "7", here, claim(func(c *index.Claim) {
		c.Technology, c.Likelihood, c.Info = "", index.NoLikelihood, "Site survey advised."
	}))
	long := make([]byte, 0, 600)
	for len(long) < 600 {
		long = append(long, "Tŷ €"...)
	}
	w.add(8, "GU1 1AA", "8", here, claim(func(c *index.Claim) {
		c.Technology, c.Auxiliary, c.Info = string(long[:60]), string(long[:120]), string(long)
	}))
	w.add(9, "GU1 1AA", "9", here, claim(func(c *index.Claim) { c.CSP, c.Technology = "DCC", "VWAN" }))
	w.add(10, "GU1 1AA", "10", here, claim(func(c *index.Claim) { c.Network = index.NetworkSMETS1 }))
	w.add(11, "GU1 1AA", "11", here, claim(func(c *index.Claim) { c.Availability, c.Anticipated = index.AvailabilityFalse, asOf+2 }))
	w.add(12, "GU1 1AA", "Flat 12, Wey House", here, claim(func(c *index.Claim) { c.End = today - 1 }), claim(fourG))
	w.add(21, "GU1 1AB", "Mill, The", here, claim(nil))
	w.add(22, "GU1 1AB", "MILL THE", here, claim(nil))
	w.add(31, "GU1 1AD", "The Only House", here, claim(nil))
	return w.freeze()
})

// anyone is a country of premises with all sorts of claims, some of them more
// than DUIS can carry.
var anyone = sync.OnceValue(func() *index.Snapshot {
	w := newWorld()
	rng := rand.New(rand.NewPCG(12, 1))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	text := func(length int) string {
		if rng.IntN(3) == 0 {
			return pick("", " ", "Cellular", "VWAN", "4G", "]]>", "<!-- x -->", "a\r\nb\tc", "&amp;", "\x00\x01\x1f", "\ufffe\uffff", "\"'")
		}
		b := make([]rune, rng.IntN(2*length))
		for i := range b {
			b[i] = []rune{'a', ' ', 'ŷ', '€', '😀', '<', '&', '>', '\x07', '\u0085', '\u2028', '\ufffd', '\n'}[rng.IntN(13)]
		}
		return string(b)
	}
	for i := range 600 {
		where := at(50.1+7*rng.Float64(), -4.9+5.8*rng.Float64())
		if rng.IntN(10) == 0 {
			where = geo.Location{}
		}
		postcode := pick("GU1 1AA", "GU1 1AB", "CH4 0AA", "ZE1 0AA")
		var claims []index.Claim
		for range 1 + rng.IntN(4) {
			claims = append(claims, index.Claim{
				CSP: pick("Telefonica", "Vodafone", "DCC"), AsOf: asOf, Network: index.NetworkRegion(1 + rng.IntN(index.Networks-1)),
				Availability: index.Availability(rng.IntN(3)), Likelihood: index.Likelihood(rng.IntN(4)),
				Anticipated: index.Day(rng.IntN(2)) * (asOf - 50 + index.Day(rng.IntN(100))), End: index.Day(rng.IntN(3)/2) * (asOf - 50 + index.Day(rng.IntN(100))),
				Technology: text(maxTechnology), Variant: "SKU1", Auxiliary: text(maxAuxiliary), Info: text(maxInformation),
			})
		}
		w.add(geo.UPRN(1000+i), postcode, "House "+strconv.Itoa(i/2), where, claims...)
	}
	return w.freeze()
})

// bodyOf is a request in a version, by a UPRN, or by address where it is "".
func bodyOf(version, uprn, postcode, address string) []byte {
	b := []byte(`<Request xmlns="` + Namespace + `" schemaVersion="` + version + `"><Header><RequestID>90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:1000</RequestID></Header><Body><RequestWANMatrix>`)
	if uprn != "" {
		b = appendElement(b, "UPRN", uprn)
	} else {
		b = append(b, "<PartialAddress>"...)
		b = appendElement(b, "PostCode", postcode)
		b = appendElement(b, "AddressIdentifier", address)
		b = append(b, "</PartialAddress>"...)
	}
	return append(b, "</RequestWANMatrix></Body></Request>"...)
}

func mustParse(t testing.TB, body []byte) *Request {
	t.Helper()
	q, err := Parse(body)
	if err != nil {
		t.Fatalf("%s\n%v", body, err)
	}
	return q
}

func answer(q *Request, s *index.Snapshot) (*Answer, []byte) {
	codes := DefaultCodes()
	f := q.Find(s)
	a := new(Answer)
	a.To(q, &f, &codes, today)
	return a, a.AppendXML(nil, noon)
}

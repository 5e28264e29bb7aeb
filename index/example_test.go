package index_test

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"coverd/geo"
	"coverd/index"
)

// The examples answer from a small made-up snapshot: three square Regions, four
// postcodes, three premises.
const file = "testdata/tiny.snap"

func open() *index.Snapshot {
	snap, err := index.Open(file)
	if err != nil {
		panic(err)
	}
	return snap
}

func ExampleOpen() {
	snap, err := index.Open(file)
	if err != nil {
		panic(err)
	}
	info := snap.Info()
	fmt.Println(info.Premises, "premises as of", info.AsOf)
	// Output: 3 premises as of 2026-11-22
}

func ExampleOpenBytes() {
	data, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	data[len(data)-100] ^= 1 // a bit flipped on the way
	_, err = index.OpenBytes(data)
	fmt.Println(err)
	// Output: damaged snapshot: digest over the whole file
}

func ExampleSnapshot_Postcode() {
	snap := open()
	postcode, err := geo.ParsePostcode("gu11aa")
	if err != nil {
		panic(err)
	}
	installation, err := index.ParseDay("2026-12-01")
	if err != nil {
		panic(err)
	}
	unit, ok := snap.Postcode(postcode)
	if !ok {
		panic("neither in the register nor in the extracts")
	}
	fmt.Println(unit.Postcode(), unit.Status(), unit.Region().Region)
	for i := range unit.Len() {
		p := unit.Premises(i)
		fit, _ := p.Claims().Fit(installation)
		fmt.Printf("%v %q: %v, fit %s for %v (%s)\n",
			p.UPRN(), p.Address(), p.State(installation), fit.Claim.Variant, fit.Claim.Network, fit.Reason())
	}
	// Output:
	// GU1 1AA live South
	// 990000000001 "1": available, fit SKU1 for South (available now, High likelihood)
	// 990000000002 "Flat 2": available, fit 4G for 4G South (available now, Medium likelihood, by coverage area)
}

func ExampleSnapshot_Outcode() {
	snap := open()
	outcode, err := geo.ParseOutcode("GU1")
	if err != nil {
		panic(err)
	}
	gu1, _ := snap.Outcode(outcode)
	var d index.Distribution
	gu1.Distribution(&d, snap.Info().AsOf)
	fmt.Printf("%+v\n", d.Summary)
	fmt.Println(d.Variants)
	fmt.Println(d.LivePostcodes, "live postcodes,", d.NotInExtracts, "in no extract")
	// Output:
	// {Premises:2 Available:2 Planned:0 Unavailable:0 Unknown:0}
	// [{4G 2} {SKU1 1} {SKU2 1}]
	// 2 live postcodes, 1 in no extract
}

func ExampleSnapshot_UPRN() {
	snap := open()
	uprn, err := geo.ParseUPRN("990000000002")
	if err != nil {
		panic(err)
	}
	p, ok := snap.UPRN(uprn)
	if !ok {
		panic("no such premises")
	}
	fmt.Println(p.Postcode(), p.At().LatLng())
	claims := p.Claims()
	for i := range claims.Len() {
		c, fromArea := claims.At(i)
		fmt.Println(c.CSP, c.Network, c.On(snap.Info().AsOf).State, fromArea)
	}
	// Output:
	// GU1 1AA {52.5002 -1.5001}
	// Telefonica South planned false
	// Vodafone 4G South available true
}

func ExampleSnapshot_Locate() {
	snap := open()
	for _, p := range []geo.LatLng{{Lat: 52.5, Lng: -1.5}, {Lat: 52.996, Lng: -1.5}, {Lat: 52.5, Lng: -0.99}, {Lat: 52.5, Lng: 0}} {
		a := snap.Locate(p)
		fmt.Printf("%v: %q by %q, another at %.1f m\n", p, a.Region, a.Basis, a.Border)
	}
	// Output:
	// {52.5 -1.5}: "South" by "boundary", another at -1.0 m
	// {52.996 -1.5}: "South" by "boundary", another at 445.1 m
	// {52.5 -0.99}: "South" by "nearest", another at -1.0 m
	// {52.5 0}: "" by "", another at -1.0 m
}

func ExampleSnapshot_Nearest() {
	snap := open()
	here := geo.LatLng{Lat: 52.5, Lng: -1.5}
	for _, n := range snap.Nearest(nil, here, 10, 1000) {
		fmt.Printf("%v at %.1f m\n", n.Premises.UPRN(), n.Distance)
	}
	// Output:
	// 990000000001 at 11.1 m
	// 990000000002 at 23.3 m
}

func ExampleSnapshot_EstimateAt() {
	snap := open()
	var e index.Estimate
	if snap.EstimateAt(&e, geo.LatLng{Lat: 52.7001, Lng: -1.7}, snap.Info().AsOf) {
		fmt.Printf("%v by %s: %d premises, %.1f m away, confidence %.2f\n", e.State, e.Basis, e.Premises, e.Distance, e.Confidence)
	}
	// Output: available by nearest_premises: 1 premises, 11.1 m away, confidence 0.67
}

func ExampleBuilder() {
	var land [3]geo.MultiPolygon
	for i := range land {
		south := 54 - float64(i)
		land[i] = geo.MultiPolygon{{{
			{Lat: south, Lng: -2}, {Lat: south, Lng: -1}, {Lat: south + 1, Lng: -1}, {Lat: south + 1, Lng: -2},
		}}}
	}
	day, err := index.ParseDay("2026-11-22")
	if err != nil {
		panic(err)
	}
	b, err := index.NewBuilder(land, index.Options{AsOf: day, CSPs: []string{"Arqiva"}})
	if err != nil {
		panic(err)
	}
	b.Add([]index.Row{{
		UPRN: 990_000_000_003, At: geo.LatLng{Lat: 54.2, Lng: -1.2}.Location(), Address: b.Address([]byte("The Old Mill")), Line: 2,
		Claim: b.Claim(index.Claim{CSP: "Arqiva", AsOf: day, Network: index.NetworkNorth, Availability: index.AvailabilityTrue}),
	}})
	built, err := b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	var out bytes.Buffer
	if _, err := built.WriteTo(&out); err != nil {
		panic(err)
	}
	snap, err := index.OpenBytes(out.Bytes())
	if err != nil {
		panic(err)
	}
	p, ok := snap.UPRN(990_000_000_003)
	fmt.Println(ok, p.Region().Region, p.State(day))
	// Output: true North available
}

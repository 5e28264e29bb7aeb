package geo_test

import (
	"errors"
	"fmt"

	"coverd/geo"
)

func ExampleParsePostcode() {
	p, err := geo.ParsePostcode([]byte("gu11aa"))
	if err != nil {
		panic(err)
	}
	fmt.Println(p, p.Outcode(), p.Sector())

	for _, s := range []string{"GU1 IAA", "BT1 1AA"} {
		_, err := geo.ParsePostcode(s)
		fmt.Println(err)
		fmt.Println("out of area:", errors.Is(err, geo.ErrOutOfArea))
	}
	// Output:
	// GU1 1AA GU1 GU1 1
	// malformed postcode: "GU1 IAA": the inward code IAA does not start with a digit (an inward code is a digit and two letters, as in 1AA)
	// out of area: false
	// postcode out of area: "BT1 1AA": BT is Northern Ireland, which has its own electricity and gas arrangements
	// out of area: true
}

// The space decides what `E1 1` is; without one, the question does.
func ExampleParseSector() {
	sector, _ := geo.ParseSector("E11")
	outcode, _ := geo.ParseOutcode("E11")
	_, err := geo.ParseOutcode("E1 1")
	fmt.Println(sector)
	fmt.Println(outcode)
	fmt.Println(err)
	// Output:
	// E1 1
	// E11
	// malformed outcode: "E1 1": it is a sector (ask for sector E1 1, or for its outcode E1)
}

func ExampleSuggestPostcode() {
	for _, s := range []string{"SWIA IAA", "S014 7LY", "12 High St, Guildford GU1 1AA, UK", "GU1 1"} {
		for _, g := range geo.SuggestPostcode(s) {
			fmt.Printf("%q: %s %s: %s\n", s, g.What, g.Text, g.Reason)
		}
	}
	// Output:
	// "SWIA IAA": postcode SW1A 1AA: digit 1 for letter I, digit 1 for letter I
	// "S014 7LY": postcode SO14 7LY: letter O for digit 0
	// "S014 7LY": postcode S14 7LY: without the leading zero of the district
	// "S014 7LY": postcode SL4 7LY: without the leading zero of the district, letter L for digit 1
	// "12 High St, Guildford GU1 1AA, UK": postcode GU1 1AA: without the rest of the text
	// "GU1 1": sector GU1 1: this is a sector
	// "GU1 1": outcode GU11: this is an outcode
}

// With knowledge of which postcodes exist, the existing ones come first; and
// one that is well-formed and does not exist has near misses too.
func ExampleSuggestPostcodeFunc() {
	only, _ := geo.ParsePostcode("SO1 1AA")
	exists := func(p geo.Postcode) bool { return p == only }
	fmt.Println(geo.SuggestPostcode("S01 1AA")[0].Text)
	fmt.Println(geo.SuggestPostcodeFunc("S01 1AA", exists)[0].Text)
	fmt.Println(geo.SuggestPostcodeFunc("OS1 1AA", exists)[0].Text)
	// Output:
	// S1 1AA
	// SO1 1AA
	// SO1 1AA
}

func ExampleOutcode_Hint() {
	for _, s := range []string{"GU1", "SR43", "UK1"} {
		o, err := geo.ParseOutcode(s)
		fmt.Printf("%v, %v, %q\n", o, err, o.Hint())
	}
	// Output:
	// GU1, <nil>, ""
	// SR43, <nil>, "SR usually has only single-digit districts"
	// UK1, <nil>, "no postcode area UK"
}

func ExampleParseUPRN() {
	u, _ := geo.ParseUPRN("099000004711")
	fmt.Println(u)
	_, err := geo.ParseUPRN("9.9E+10")
	fmt.Println(err)
	// Output:
	// 99000004711
	// not a UPRN: "9.9E+10": it has only digits; a spreadsheet may have turned it into a decimal number
}

func ExampleGridFromLatLng() {
	g, ok := geo.GridFromLatLng(geo.LatLng{Lat: 51.48936564950, Lng: -0.11992557180})
	fmt.Printf("%.3f %.3f %v\n", g.E, g.N, ok)
	fmt.Println(g.Ref(10), "in", g.Ref(4))

	_, ok = geo.GridFromLatLng(geo.LatLng{Lat: 48.8566, Lng: 2.3522}) // Paris
	fmt.Println(ok)
	// Output:
	// 530624.974 178388.464 true
	// TQ 30624 78388 in TQ 30 78
	// false
}

func ExampleParseGridRef() {
	r, _ := geo.ParseGridRef("su 990 505")
	p, _ := r.Centre().LatLng()
	fmt.Printf("%g m wide, its middle at %.4f, %.4f\n", r.Size, p.Lat, p.Lng)
	// Output:
	// 100 m wide, its middle at 51.2455, -0.5823
}

func ExampleDistance() {
	guildford, woking := geo.LatLng{Lat: 51.2362, Lng: -0.5704}, geo.LatLng{Lat: 51.3168, Lng: -0.5600}
	fmt.Printf("%.1f m\n", geo.Distance(guildford, woking))
	// Output:
	// 8996.4 m
}

// Of two Regions with a border in common, a point on it belongs to one.
func ExampleCover_First() {
	west := geo.Ring{{Lat: 52, Lng: -2}, {Lat: 52, Lng: -1}, {Lat: 53, Lng: -1}, {Lat: 53, Lng: -2}}
	east := geo.Ring{{Lat: 52, Lng: -1}, {Lat: 52, Lng: 0}, {Lat: 53, Lng: 0}, {Lat: 53, Lng: -1}}
	lake := geo.Ring{{Lat: 52.4, Lng: -0.6}, {Lat: 52.4, Lng: -0.4}, {Lat: 52.6, Lng: -0.4}, {Lat: 52.6, Lng: -0.6}}
	c := geo.NewCover(geo.NewMesh([]geo.MultiPolygon{{{west}}, {{east, lake}}}), geo.CoverOptions{})
	for _, p := range []geo.LatLng{{Lat: 52.5, Lng: -1.5}, {Lat: 52.5, Lng: -1}, {Lat: 52.5, Lng: -0.5}} {
		fmt.Println(c.First(p))
	}
	// Output:
	// 0 true
	// 1 true
	// -1 false
}

package bench

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"coverd/geo"
	"coverd/index"
)

// world builds a country of three Regions as bands, filled by fill.
func world(fill func(b *index.Builder) error) (*index.Snapshot, error) {
	band := func(south, north float64) geo.MultiPolygon {
		return geo.MultiPolygon{{{{Lat: south, Lng: -4}, {Lat: south, Lng: 1}, {Lat: north, Lng: 1}, {Lat: north, Lng: -4}}}}
	}
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 57), band(52, 54), band(50, 52)}, index.Options{AsOf: worldDay, CSPs: []string{"Telefonica"}, Tool: "test"})
	if err != nil {
		return nil, err
	}
	if err := fill(b); err != nil {
		return nil, err
	}
	built, err := b.Build(context.Background())
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		return nil, err
	}
	return index.OpenBytes(file.Bytes())
}

const worldDay = index.Day(20779)

// claimed is a claim of coverage.
func claimed(b *index.Builder) index.ClaimID {
	return b.Claim(index.Claim{CSP: "Telefonica", AsOf: worldDay, Network: index.NetworkSouth, Availability: index.AvailabilityTrue})
}

// The tests' country: four outcodes, premises at most of their postcodes, and a
// street on either side of a border.
var testCatalogue = sync.OnceValues(func() (*Catalogue, error) {
	snap, err := world(func(b *index.Builder) error {
		claim := claimed(b)
		uprn := geo.UPRN(990_000_000_000)
		for o, place := range map[string]geo.LatLng{"GU1": {Lat: 51.2, Lng: -0.5}, "E11": {Lat: 51.5, Lng: 0}, "CH4": {Lat: 53.9999, Lng: -3}, "AB10": {Lat: 56, Lng: -2}} {
			outcode, err := geo.ParseOutcode(o)
			if err != nil {
				return err
			}
			for i := range 40 {
				postcode, _ := geo.PostcodeFrom(outcode, uint16(i*90))
				at := geo.LatLng{Lat: place.Lat + float64(i)/1e5, Lng: place.Lng}.Location()
				b.AddPostcode(index.Entry{Postcode: postcode, At: at})
				for range i % 4 { // every fourth is a new build
					uprn++
					b.Add([]index.Row{{UPRN: uprn, Postcode: postcode, At: at, Claim: claim, Line: uint32(uprn - 990_000_000_000)}})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return NewCatalogue(snap), nil
})

func catalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := testCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

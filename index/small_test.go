package index

import (
	"coverd/geo"
)

func square(south, west, size float64) geo.Ring {
	return geo.Ring{{Lat: south, Lng: west}, {Lat: south, Lng: west + size}, {Lat: south + size, Lng: west + size}, {Lat: south + size, Lng: west}}
}

// squares are three Regions one above the other, each a degree square:
// North from 54° N, Central from 53° N, South from 52° N, all from 2° W to 1° W.
func squares() (land [3]geo.MultiPolygon) {
	for i := range land {
		land[i] = geo.MultiPolygon{{square(54-float64(i), -2, 1)}}
	}
	return land
}

func located(lat, lng float64) geo.Location { return geo.LatLng{Lat: lat, Lng: lng}.Location() }

// small is a world of three squares with nothing in it, for tests that want to
// say what is.
func small() *world {
	return &world{land: squares(), options: Options{
		AsOf: worldDay, Tool: "test", CSPs: []string{"Arqiva", "Telefonica", "Vodafone", "DCC"},
	}}
}

// add adds a row; an empty postcode and a zero location are none.
func (w *world) add(uprn geo.UPRN, postcode string, at geo.Location, address string, c Claim) {
	r := testRow{Row: Row{UPRN: uprn, At: at, Line: uint32(len(w.rows) + 2)}, claim: c, address: address}
	if postcode != "" {
		r.Postcode = mustPostcode(postcode)
	}
	w.rows = append(w.rows, r)
}

// live adds a live postcode to the register.
func (w *world) live(postcode string, at geo.Location) {
	w.entries = append(w.entries, Entry{Postcode: mustPostcode(postcode), At: at})
}

// says is a claim of Telefonica's, made on the world's day.
func says(n NetworkRegion, a Availability) Claim {
	return Claim{CSP: "Telefonica", AsOf: worldDay, Network: n, Availability: a, Technology: "Cellular"}
}

// planned is says with a date.
func planned(n NetworkRegion, anticipated Day) Claim {
	c := says(n, AvailabilityFalse)
	c.Anticipated = anticipated
	return c
}

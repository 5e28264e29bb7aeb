package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coverd/geo"
	"coverd/loader"
	"coverd/server/api"
)

// checkRequests: for every new postcode a service request is made as its answer's
// next step says, and is resolved with the Region whose polygon has the place. For
// one without coordinates the party has its own: here, those of the postcode before.
func (w *yearWorld) checkRequests(t *testing.T, snapshot string, fresh []geo.Postcode) {
	t.Helper()
	land, err := loader.IndicativeRegions()
	if err != nil {
		t.Fatal(err)
	}
	s := &aServer{public: w.serve(t, snapshot)}
	var mu sync.Mutex
	regions, bases := map[string]int{}, map[string]int{}
	filled := 0
	elsewhere := "" // a location
	var wg sync.WaitGroup
	turns := make(chan struct{}, 16) // several are kept by one sync
	for _, p := range fresh {
		var a struct {
			NextStep struct {
				Path  string
				Body  json.RawMessage
				Needs []string
			} `json:"next_step"`
		}
		s.asked(t, "GET", "/v1/postcodes/"+strings.ReplaceAll(p.String(), " ", "%20"), "", "", &a)
		body := string(a.NextStep.Body)
		if i := strings.Index(body, `"latitude":`); len(a.NextStep.Needs) == 0 {
			elsewhere = body[i:]
		} else if elsewhere != "" {
			body = body[:i] + elsewhere
			filled++
		} else {
			continue // the first has none
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			var r api.ServiceRequest
			status, err := s.ask("POST", a.NextStep.Path, body, keyOf(p.String()), &r)
			if err != nil || status != http.StatusCreated {
				t.Errorf("%v: POST %s: %d %v", p, body, status, err)
				return
			}
			at := geo.LatLng{Lat: float64(r.Query.Latitude), Lng: float64(r.Query.Longitude)}
			want, basis := slowRegion(land, at)
			if string(r.Region.Name) != want.String() || string(r.Region.Basis) != basis || r.Query.Postcode.V != p || r.Coverage.InExtracts {
				t.Errorf("%v: POST %s: %+v, want %v by %s", p, body, r, want, basis)
			}
			mu.Lock()
			defer mu.Unlock()
			regions[want.String()]++
			bases[string(r.Coverage.Basis)]++
		})
	}
	wg.Wait()
	n := 0
	for _, of := range regions {
		n += of
	}
	if n < len(fresh)-1 || n == 0 {
		t.Errorf("%d of %d new postcodes were resolved", n, len(fresh))
	}
	t.Logf("%d of %d new postcodes were resolved by service requests, %d of them at a location of the party's: Regions %v, coverage by %v",
		n, len(fresh), filled, regions, bases)
}

// slowRegion allocates a location by the polygons themselves: to the first that
// has it, else to the one with the nearest edge.
func slowRegion(land [3]geo.MultiPolygon, p geo.LatLng) (r geo.Region, basis string) {
	least := math.Inf(1)
	for i, shape := range land {
		if shape.Contains(p) {
			return geo.Regions[i], "boundary"
		}
	}
	for i, shape := range land {
		for _, polygon := range shape {
			for _, ring := range polygon {
				for k := range ring {
					if d := geo.SegmentDistance(p, ring[k], ring[(k+1)%len(ring)]); d < least {
						r, basis, least = geo.Regions[i], "nearest", d
					}
				}
			}
		}
	}
	if least > 2000 {
		return geo.NoRegion, fmt.Sprint("nothing within ", least, " m")
	}
	return r, basis
}

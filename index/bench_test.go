package index

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"coverd/geo"
)

// benchSnapshot is large enough that look-ups miss the caches a little, and
// small enough to build in seconds: 17 premises to each of 6,000 postcodes,
// jittered around it. COVERD_SNAPSHOT names one to look things up in instead:
//
//	COVERD_SNAPSHOT=$PWD/national.snap go test ./index -run '^$' -bench 'Lookup|Open'
func benchSnapshot(b *testing.B) (*Snapshot, []byte) {
	b.Helper()
	if path := os.Getenv("COVERD_SNAPSHOT"); path != "" {
		file, err := readFile(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := OpenBytes(file)
		if err != nil {
			b.Fatal(err)
		}
		return s, file
	}
	rng := rand.New(rand.NewPCG(1, 1))
	w := small()
	w.options.Prefer = []NetworkRegion{Network4GSouth}
	claims := testClaims()
	for i := range 6000 {
		o, err := geo.ParseOutcode([]string{"GU1", "GU2", "E1", "E11", "AB10", "W1A"}[i%6])
		if err != nil {
			b.Fatal(err)
		}
		postcode, _ := geo.PostcodeFrom(o, uint16(i/6*4))
		centre := geo.LatLng{Lat: 52.05 + rng.Float64()*2.9, Lng: -1.95 + rng.Float64()*0.9}.Location()
		w.entries = append(w.entries, Entry{Postcode: postcode, At: centre})
		for k := range 17 {
			r := testRow{claim: claims[rng.IntN(len(claims))], address: []string{"1", "2", "Flat 3, The Mill", "4a"}[k%4]}
			r.UPRN, r.Postcode, r.Line = geo.UPRN(1+17*i+k), postcode, uint32(len(w.rows)+2)
			r.At = geo.Location{Lat: centre.Lat + int32(rng.NormFloat64()*400), Lng: centre.Lng + int32(rng.NormFloat64()*650)}
			w.rows = append(w.rows, r)
		}
	}
	for range 200 {
		c := geo.LatLng{Lat: 52.05 + rng.Float64()*2.9, Lng: -1.95 + rng.Float64()*0.9}
		w.areas = append(w.areas, Area{Claim: claims[rng.IntN(len(claims))], Shape: geo.MultiPolygon{{square(c.Lat, c.Lng, rng.Float64()/20)}}})
	}
	file, _ := w.build(b, nil)
	s, err := OpenBytes(file)
	if err != nil {
		b.Fatal(err)
	}
	return s, file
}

func BenchmarkLookup(b *testing.B) {
	s, _ := benchSnapshot(b)
	rng := rand.New(rand.NewPCG(2, 2))
	units := slices.Collect(s.AllPostcodes())
	const mask = 1<<16 - 1
	var postcodes [mask + 1]geo.Postcode
	var uprns [mask + 1]geo.UPRN
	var points [mask + 1]geo.LatLng
	for i := range postcodes {
		postcodes[i] = units[rng.IntN(len(units))].Postcode()
		for u := units[rng.IntN(len(units))]; !points[i].InExtent(); u = units[rng.IntN(len(units))] {
			if u.Len() > 0 {
				p := u.Premises(rng.IntN(u.Len()))
				uprns[i], points[i] = p.UPRN(), p.At().LatLng()
			}
		}
		points[i].Lat += rng.NormFloat64() / 1000
	}
	var d Distribution
	var e Estimate
	near, hits := make([]Neighbour, 0, MaxNearest), make([]AreaHit, 0, 64)
	near2 := make([]UnitNeighbour, 0, MaxNearest)
	for _, bench := range []struct {
		name string
		ask  func(i int)
	}{
		{"postcode", func(i int) {
			u, _ := s.Postcode(postcodes[i])
			u.Status()
			u.Len()
			u.Region()
		}},
		{"postcode with 17 premises", func(i int) {
			u, _ := s.Postcode(postcodes[i])
			for k := range u.Len() {
				p := u.Premises(k)
				p.UPRN()
				p.Address()
				p.At()
				set := p.Claims()
				set.State(worldDay)
				for c := range set.Len() {
					claim, _ := set.At(c)
					claim.On(worldDay)
				}
				set.Fit(worldDay)
			}
		}},
		{"UPRN", func(i int) { s.UPRN(uprns[i]) }},
		{"outcode distribution", func(i int) {
			o, _ := s.Outcode(postcodes[i].Outcode())
			o.Distribution(&d, worldDay+Day(i&63))
		}},
		{"sector distribution", func(i int) {
			q, _ := s.Sector(postcodes[i].Sector())
			q.Distribution(&d, worldDay+Day(i&63))
		}},
		{"nearest 10", func(i int) { near = s.Nearest(near[:0], points[i], 10, 50_000) }},
		{"nearest 100", func(i int) { near = s.Nearest(near[:0], points[i], 100, 50_000) }},
		{"areas", func(i int) { hits = s.AppendAreas(hits[:0], points[i]) }},
		{"estimate", func(i int) { s.EstimateAt(&e, points[i], worldDay) }},
		{"location", func(i int) {
			s.Locate(points[i])
			hits = s.AppendAreas(hits[:0], points[i])
			near = s.Nearest(near[:0], points[i], 10, 50_000)
			near2 = s.NearestPostcodes(near2[:0], points[i], 10, 50_000)
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				bench.ask(i & mask)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	s, file := benchSnapshot(b)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := OpenBytes(file); err != nil {
			b.Fatal(err)
		}
	}
	premises := float64(s.Info().Premises)
	b.ReportMetric(float64(len(file))/premises, "B/premises")
	b.ReportMetric(float64(s.Info().Memory)/premises, "B-held/premises")
}

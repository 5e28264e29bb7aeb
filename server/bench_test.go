package server

import (
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/valyala/fasthttp"

	"coverd/index"
)

// benchServer answers from the tests' country, or from the snapshot that
// COVERD_SNAPSHOT names:
//
//	COVERD_SNAPSHOT=$PWD/national.snap go test ./server -run '^$' -bench Answer
func benchServer(b *testing.B) *Server {
	b.Helper()
	path := os.Getenv("COVERD_SNAPSHOT")
	if path == "" {
		return testServer(b, Options{})
	}
	snap, err := index.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(snap, Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkAnswer asks random questions, so that look-ups miss the caches as
// they do when everybody asks.
func BenchmarkAnswer(b *testing.B) {
	s := benchServer(b)
	snap := s.Snapshot()
	rng := rand.New(rand.NewPCG(1, 1))
	const mask = 1<<14 - 1
	var mixed, seventeen []string
	var units []index.Unit
	for u := range snap.AllPostcodes() {
		if u.Len() > 0 {
			units = append(units, u)
		}
	}
	asked := map[string][]string{}
	for range mask + 1 {
		u := units[rng.IntN(len(units))]
		mixed = append(mixed, postcodePath(u))
		asked["outcode"] = append(asked["outcode"], "/v1/outcodes/"+u.Postcode().Outcode().String())
		asked["sector"] = append(asked["sector"], "/v1/sectors/"+url.PathEscape(u.Postcode().Sector().String()))
		p := u.Premises(rng.IntN(u.Len()))
		asked["premises"] = append(asked["premises"], "/v1/premises/"+p.UPRN().String())
		if l := p.At(); l.IsValid() {
			at := l.LatLng()
			degrees := func(f float64) string { return strconv.FormatFloat(f+rng.NormFloat64()/1000, 'f', 6, 64) }
			asked["location"] = append(asked["location"], "/v1/locations?latitude="+degrees(at.Lat)+"&longitude="+degrees(at.Lng))
		}
	}
	for _, i := range rng.Perm(len(units)) {
		if len(seventeen) <= mask && (units[i].Len() == 17 || len(units) < mask) {
			seventeen = append(seventeen, postcodePath(units[i]))
		}
	}
	asked["postcode"], asked["postcode of 17"] = mixed, seventeen
	_, day := s.clock.read()
	today := day.day
	for _, name := range []string{"postcode of 17", "premises"} {
		for _, uri := range asked[name] {
			asked[name+" in 30 days"] = append(asked[name+" in 30 days"], uri+"?indicated_since="+(today-30).String())
		}
	}
	for _, name := range []string{"postcode", "postcode of 17", "postcode of 17 in 30 days", "outcode", "sector", "premises", "premises in 30 days", "location"} {
		uris := asked[name]
		b.Run(name, func(b *testing.B) {
			var ctx fasthttp.RequestCtx
			var req fasthttp.Request
			req.SetRequestURI(uris[0])
			req.Header.SetHost("localhost")
			ctx.Init(&req, nil, quiet{})
			answer := s.gated(s.handle)
			b.ReportAllocs()
			bytes, i := 0, 0
			for b.Loop() {
				ctx.ResetUserValues()
				ctx.Request.SetRequestURI(uris[i%len(uris)])
				ctx.Response.Reset()
				answer(&ctx)
				bytes += len(ctx.Response.Body())
				i++
			}
			if ctx.Response.StatusCode() != 200 {
				b.Fatalf("%s: %s", uris[(i-1)%len(uris)], ctx.Response.Body())
			}
			b.ReportMetric(float64(bytes)/float64(i), "B/answer")
		})
	}
}

package bench

import (
	"net/url"
	"strconv"

	"github.com/golang/geo/s2"
	"github.com/tidwall/rtree"
	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/index"
)

// The floors: what a question is measured beside. They do less than an answer
// needs, which is what makes them floors.
const (
	floorMap   = "map get, the same keys"
	floorCell  = "S2 cell of the point alone"
	floorRTree = "R-tree, 10 nearest postcodes"
	floorReady = "the same request answered with ready bytes"
)

// mapOf numbers keys in a plain map, the look-up that every Go programmer would
// start with.
func mapOf[K comparable](n int, keys func(yield func(K) bool)) map[K]uint32 {
	m := make(map[K]uint32, n)
	for k := range keys {
		m[k] = uint32(len(m))
	}
	return m
}

// allUPRNs yields the snapshot's UPRNs.
func allUPRNs(snap *index.Snapshot) func(yield func(geo.UPRN) bool) {
	return func(yield func(geo.UPRN) bool) {
		for p := range snap.AllPremises() {
			if u := p.UPRN(); u.IsValid() && !yield(u) {
				return
			}
		}
	}
}

// get asks a plain map for question i's key.
func get[K comparable](m map[K]uint32, keys []K) func(i int) {
	return func(i int) { sink += uint64(m[wrapped(keys, i)]) }
}

// cell works out the S2 leaf cell of a point, with which a look-up by cells
// begins.
func cell(points []geo.LatLng) func(i int) {
	return func(i int) {
		p := wrapped(points, i)
		sink += uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng)))
	}
}

// tree finds the nearest of the located postcodes in an R-tree.
func tree(snap *index.Snapshot, points []geo.LatLng) func(i int) {
	var t rtree.RTreeGN[float64, uint32]
	n := uint32(0)
	for unit := range snap.AllPostcodes() {
		if at := unit.At(); at.IsValid() {
			p := at.LatLng()
			t.Insert([2]float64{p.Lng, p.Lat}, [2]float64{p.Lng, p.Lat}, n)
			n++
		}
	}
	return func(i int) {
		p := wrapped(points, i)
		at := [2]float64{p.Lng, p.Lat}
		found := 0
		t.Nearby(rtree.BoxDist[float64, uint32](at, at, nil), func(_, _ [2]float64, data uint32, _ float64) bool {
			sink += uint64(data)
			found++
			return found < nearestLimit
		})
	}
}

// handled asks a handler, with a context that it reuses as a server does, for
// answer i. The context keeps its body: what fasthttp's pool of bodies thinks
// too large to keep would be allocated anew, and that is not the handler's.
func handled(uris []string, answer func(ctx *fasthttp.RequestCtx, i int)) func(i int) {
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, silent{})
	ctx.Response.KeepBodyBuffer = true
	return func(i int) {
		ctx.ResetUserValues()
		ctx.Request.SetRequestURI(wrapped(uris, i))
		ctx.Response.Reset()
		answer(&ctx, i)
		sink += uint64(len(ctx.Response.Body()))
	}
}

// ready answers with bodies made before: all that is not the handler's work.
func ready(uris []string, bodies [][]byte) func(i int) {
	return handled(uris, func(ctx *fasthttp.RequestCtx, i int) {
		ctx.Response.Header.SetContentType("application/json")
		ctx.Response.SetBody(wrapped(bodies, i))
	})
}

// silent is fasthttp's logger.
type silent struct{}

func (silent) Printf(string, ...any) {}

func escaped(s string) string { return url.PathEscape(s) }

func appendDegrees(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, microdegrees(v), 'f', 6, 64)
}

package server

import (
	"strconv"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"coverd/index"
	"coverd/server/api"
)

// scratch is what one request works with. It comes from a pool, and its slices
// keep their memory, so that a request allocates nothing once its like has been
// seen. Nothing in it may outlive the request.
//
// An answer that was made here is sent from here, without a copy: fasthttp
// closes the scratch, as all that goes with a request, when that is done.
// fasthttp's own buffer would be dropped from its pool, and made anew, whenever
// most answers are shorter.
type scratch struct {
	srv  *Server
	ctx  *fasthttp.RequestCtx
	snap *held
	now  time.Time
	day  *day // today

	parameters
	on index.Day // the day asked about
	known
	ref api.SnapshotRef // the snapshot, as answers name it

	status int
	route  route

	postcode api.PostcodeAnswer
	premises api.PremisesAnswer
	place    api.PlaceAnswer
	location api.LocationAnswer
	changes  api.ChangesAnswer

	estimate    index.Estimate
	apiEstimate api.Estimate
	next        api.NextStep
	point       api.Point
	bounds      api.Bounds
	register    api.Postcode
	spread      index.Distribution

	details      []index.Details // of the postcode's premises
	found        []found
	matcher      index.AddressMatcher
	places       []int // in details, of what the matcher found
	surroundings index.Surroundings

	fits     []api.Fit
	networks []api.Network
	text     []byte // what strings made for this answer refer to
	body     []byte
	coded    []byte // body, compressed
	lent     bool   // the answer is sent from body or coded
	etag     []byte
}

// found is a premises to answer with, by its place in the postcode, its kind, and
// the spell of its claims.
type found struct {
	at    int
	kind  *kind
	spell uint32
}

// begin readies a scratch for a request.
func (q *scratch) begin(s *Server, snap *held, ctx *fasthttp.RequestCtx) {
	q.srv, q.ctx, q.snap = s, ctx, snap
	q.now, q.day = s.clock.read()
	q.on = q.day.day
	q.known = known{}
	q.ref = snap.refAt(q.now, q.day.day)
	q.parameters = parameters{}
	q.status, q.route, q.lent = fasthttp.StatusOK, routeOther, false
	q.estimate.Only = index.NoNetwork
	q.fits, q.networks = q.fits[:0], q.networks[:0]
	q.text, q.body = q.text[:0], q.body[:0]
}

// Close implements io.Closer: it gives the scratch back. What is very large is
// left to the collector.
func (q *scratch) Close() error {
	const most = 1 << 20
	if cap(q.body) > most || cap(q.coded) > most || cap(q.text) > most || cap(q.networks) > 1<<14 || cap(q.details) > 1<<14 || cap(q.found) > 1<<14 {
		return nil
	}
	pool := &q.snap.scratches
	q.srv, q.ctx, q.snap, q.day = nil, nil, nil, nil
	q.parameters = parameters{}
	pool.Put(q)
	return nil
}

// kept turns text appended to q.text, from an offset on, into a string that is
// good until the request ends.
func (q *scratch) kept(from int) string { return view(q.text[from:]) }

// view is b as a string, without a copy: b must not change while it is in use.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Kinds of representations in an ETag, beside snapshot, days and coding. They
// change when a release changes the JSON.
const (
	kindAnswer  = 'b'
	kindProblem = 'q'
)

// header sets what every answer carries: what it may be kept for, and which
// snapshot it is of. The ETag has the day asked about and the day it is read
// on, because an answer tells how old its data is.
func (q *scratch) header(contentType string, kind byte, c coding) {
	h := &q.ctx.Response.Header
	h.SetContentType(contentType)
	h.SetCanonical(headerSnapshot, q.snap.id)

	q.etag = append(q.etag[:0], q.snap.etag...)
	q.etag = append(q.etag, '-')
	q.etag = q.on.AppendTo(q.etag)
	q.etag = append(q.etag, '-')
	q.etag = q.day.day.AppendTo(q.etag)
	if q.at != 0 {
		q.etag = q.at.AppendTo(append(q.etag, '-'))
	}
	if q.ref.Stale {
		q.etag = append(q.etag, "-stale"...)
	}
	q.etag = append(append(append(q.etag, '-', kind), codingNames[c]...), '"')
	h.SetCanonical(headerETag, q.etag)

	var buf [32]byte
	age := min(q.srv.maxAge, q.day.end.Sub(q.now))
	if stale := q.snap.staleAfter; !stale.IsZero() && !q.ref.Stale {
		age = min(age, stale.Sub(q.now))
	}
	b := append(buf[:0], "max-age="...)
	b = strconv.AppendInt(b, int64(age/time.Second), 10)
	h.SetCanonical(headerCacheControl, b)
}

// Names of headers, as they are spelt on the wire.
var (
	headerSnapshot     = []byte("Coverd-Snapshot")
	headerETag         = []byte("Etag")
	headerCacheControl = []byte("Cache-Control")
	headerVary         = []byte("Vary")
	headerCoding       = []byte("Content-Encoding")

	acceptEncoding = []byte("Accept-Encoding")
)

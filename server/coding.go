package server

import (
	"bytes"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// coding is a content coding of answers (RFC 9110, 8.4.1).
type coding uint8

const (
	identity coding = iota
	codingGzip
	codingZstd
	codings
)

var codingNames = [codings]string{"", "gzip", "zstd"}

// compressFrom is how long an answer must be, in bytes, to be compressed for who
// asks for it. What is shorter goes out in one packet either way.
//
// # Why only where asked for
//
// The answer about an average postcode shrinks from 11 kB to 1 kB. That takes
// 10 µs with either, where the answer itself took 4 to make: in one data centre
// it does not pay, over the internet it does.
const compressFrom = 1 << 10

// preferred is the coding of the list in Accept-Encoding that compresses best
// for its time, of those with the highest weight; identity where none is
// accepted that there is (RFC 9110, 12.5.3).
func preferred(accept []byte) coding {
	best, most, plain := identity, 0, 0
	for len(accept) > 0 {
		var item []byte
		item, accept, _ = bytes.Cut(accept, []byte(","))
		name, weight, weighted := bytes.Cut(item, []byte(";"))
		name = bytes.TrimSpace(name)
		q := 1000
		if weighted {
			q = thousandths(weight)
		}
		if bytes.EqualFold(name, []byte("identity")) {
			plain = q
		}
		for c := codingGzip; c < codings; c++ {
			if bytes.EqualFold(name, []byte(codingNames[c])) && (q > most || q == most && q > 0 && c > best) {
				best, most = c, q
			}
		}
	}
	if plain > most {
		return identity
	}
	return best
}

// thousandths reads a weight, such as q=0.5. What is malformed is 0: whoever
// sends it gets what everybody can read.
func thousandths(weight []byte) int {
	value, ok := bytes.CutPrefix(bytes.TrimSpace(weight), []byte("q="))
	if !ok {
		return 0
	}
	q, err := strconv.ParseFloat(view(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return int(q * 1000)
}

// encoder is shared by all: EncodeAll may be called from anywhere.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // options that are constants
	}
	return e
})

// gzipper compresses into memory.
type gzipper struct {
	w   *gzip.Writer
	out []byte
}

// Write implements io.Writer.
func (g *gzipper) Write(p []byte) (int, error) {
	g.out = append(g.out, p...)
	return len(p), nil
}

var gzippers = sync.Pool{New: func() any {
	g := new(gzipper)
	var err error
	if g.w, err = gzip.NewWriterLevel(g, gzip.BestSpeed); err != nil {
		panic(err) // a level that is a constant
	}
	return g
}}

// appendCoded appends a body in a coding that is not identity.
func appendCoded(dst, body []byte, c coding) []byte {
	if c == codingZstd {
		return encoder().EncodeAll(body, dst)
	}
	g, _ := gzippers.Get().(*gzipper)
	g.out = dst
	g.w.Reset(g)
	_, _ = g.w.Write(body) // to memory, which does not fail
	_ = g.w.Close()
	dst, g.out = g.out, nil
	gzippers.Put(g)
	return dst
}

// coding says in which coding an answer of n bytes goes out, and tells caches
// that it is one of several.
func (q *scratch) coding(n int) coding {
	if n < compressFrom {
		return identity
	}
	h := &q.ctx.Response.Header
	h.SetCanonical(headerVary, acceptEncoding)
	accept := q.ctx.Request.Header.PeekBytes(acceptEncoding)
	if len(accept) == 0 {
		return identity
	}
	c := preferred(accept)
	if c != identity {
		h.SetCanonical(headerCoding, []byte(codingNames[c]))
	}
	return c
}

// longBody is a long answer that is always the same, in every coding: it is
// compressed once, when first asked for so.
type longBody [codings]func() []byte

func newLongBody(body []byte) (d longBody) {
	d[identity] = func() []byte { return body }
	for c := codingGzip; c < codings; c++ {
		d[c] = sync.OnceValue(func() []byte { return appendCoded(nil, body, c) })
	}
	return d
}

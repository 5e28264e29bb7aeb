package server

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

func TestPreferred(t *testing.T) {
	for _, c := range []struct {
		accept string
		want   coding
	}{
		{"", identity},
		{"identity", identity},
		{"br", identity},
		{"*", identity},
		{"gzipped", identity},
		{"gzip", codingGzip},
		{"GZip", codingGzip},
		{"zstd", codingZstd},
		{"gzip, deflate, br, zstd", codingZstd},
		{"zstd,gzip", codingZstd},
		{"gzip;q=1.0, zstd;q=0.5", codingGzip},
		{"gzip; q=0.2 , zstd ; q=0.7", codingZstd},
		{"gzip;q=0", identity},
		{"zstd;q=0, gzip;q=0.001", codingGzip},
		{"gzip;q=0,identity;q=1", identity},
		{"gzip;q=2", identity},
		{"gzip;q=NaN", identity},
		{"gzip;weight=1", identity},
		{",,gzip,", codingGzip},
		{";q=1,gzip", codingGzip},
		{"identity;q=1, gzip;q=0.5", identity},
		{"gzip, identity", codingGzip},
		{"identity;q=0.5, gzip;q=0.5", codingGzip},
	} {
		if got := preferred([]byte(c.accept)); got != c.want {
			t.Errorf("%q: %q, want %q", c.accept, codingNames[got], codingNames[c.want])
		}
	}
}

// decoded undoes the coding of a response, by the libraries' readers.
func decoded(t *testing.T, r *fasthttp.Response) []byte {
	t.Helper()
	var in io.Reader = bytes.NewReader(r.Body())
	var err error
	switch coded := header(r, "Content-Encoding"); coded {
	case "":
	case "gzip":
		in, err = gzip.NewReader(in)
	case "zstd":
		in, err = zstd.NewReader(in)
	default:
		t.Fatalf("coded as %q", coded)
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Compressed or not, an answer is the same; what is short is never compressed,
// and each coding has a tag of its own.
func TestAnswersAreCompressedForWhoAsks(t *testing.T) {
	s := testServer(t, Options{})
	compressed := map[string]int{}
	for _, uri := range append([]string{"/v1/regions", "/v1/regions/South", "/v1/snapshot"}, questions...) {
		plain := ask(s, "GET", uri)
		if plain.StatusCode() != 200 {
			continue
		}
		long := len(plain.Body()) >= compressFrom
		if varies := header(plain, "Vary") == "Accept-Encoding"; varies != long || header(plain, "Content-Encoding") != "" {
			t.Errorf("GET %s: %d bytes, Vary %q, coded %q", uri, len(plain.Body()), header(plain, "Vary"), header(plain, "Content-Encoding"))
		}
		tags := map[string]bool{header(plain, "ETag"): true}
		for _, accept := range []string{"gzip", "zstd"} {
			r := ask(s, "GET", uri, "Accept-Encoding", accept)
			if got := decoded(t, r); !bytes.Equal(got, plain.Body()) {
				t.Fatalf("GET %s as %s:\n%s\nplain:\n%s", uri, accept, got, plain.Body())
			}
			if coded := header(r, "Content-Encoding") == accept; coded != long {
				t.Errorf("GET %s as %s: %d bytes, coded %q", uri, accept, len(plain.Body()), header(r, "Content-Encoding"))
			} else if coded {
				compressed[accept]++
				if len(r.Body()) >= len(plain.Body()) {
					t.Errorf("GET %s as %s: %d bytes of %d", uri, accept, len(r.Body()), len(plain.Body()))
				}
				if tag := header(r, "ETag"); tags[tag] {
					t.Errorf("GET %s as %s: ETag %s again", uri, accept, tag)
				} else {
					tags[tag] = true
				}
				again := ask(s, "GET", uri, "Accept-Encoding", accept, "If-None-Match", header(r, "ETag"))
				if again.StatusCode() != 304 || len(again.Body()) > 0 || header(again, "Vary") == "" {
					t.Errorf("GET %s as %s again: %d, Vary %q", uri, accept, again.StatusCode(), header(again, "Vary"))
				}
			}
		}
	}
	if compressed["gzip"] < 5 || compressed["zstd"] < 5 {
		t.Errorf("compressed: %v", compressed)
	}
}

func BenchmarkCoded(b *testing.B) {
	s := benchServer(b)
	var body []byte
	for u := range s.Snapshot().AllPostcodes() {
		if _, _, body = s.Answer("GET", postcodePath(u)); u.Len() == 17 {
			break
		}
	}
	for c := codingGzip; c < codings; c++ {
		b.Run(codingNames[c], func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out = appendCoded(out[:0], body, c)
			}
			b.ReportMetric(float64(len(out)), "B/answer")
		})
	}
}

// HEAD tells over the wire what GET would send, in every coding.
func TestHeadTellsOfCodings(t *testing.T) {
	s := serve(t, testServer(t, Options{}))
	for _, accept := range []string{"", "gzip", "zstd"} {
		var sizes [2]int64
		for i, method := range []string{http.MethodGet, http.MethodHead} {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.public+"/v1/postcodes/GU11AA", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", accept)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != accept || method == http.MethodHead && len(body) > 0 {
				t.Errorf("%s as %q: %d, coded %q, %d bytes, %v", method, accept, resp.StatusCode, resp.Header.Get("Content-Encoding"), len(body), err)
			}
			sizes[i] = resp.ContentLength
		}
		if sizes[0] != sizes[1] || sizes[0] <= 0 {
			t.Errorf("as %q: %d bytes by GET, %d by HEAD", accept, sizes[0], sizes[1])
		}
	}
}

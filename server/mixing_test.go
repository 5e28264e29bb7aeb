package server

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/valyala/fasthttp"

	"coverd/index"
)

// questions are of every kind, with every kind of absence among them.
var questions = []string{
	"/v1/postcodes/GU11AA",
	"/v1/postcodes/GU11AA?on=2026-12-24&network=4G%20South",
	"/v1/postcodes/GU11AA?address=flat%202,%20wey%20house",
	"/v1/postcodes/GU11AA?address=No%20such%20%22house%22",
	"/v1/postcodes/GU11AB",
	"/v1/postcodes/GU11AE",
	"/v1/postcodes/GU19ZZ",
	"/v1/postcodes/ZE10AA",
	"/v1/postcodes/GUI%201AA",
	"/v1/postcodes/GU1%201AB/validate",
	"/v1/outcodes/GU1",
	"/v1/outcodes/GU2?on=2026-12-24",
	"/v1/sectors/GU1%201?limit=2",
	"/v1/premises/990061391234",
	"/v1/premises/990000000001?on=2026-12-24",
	"/v1/locations?latitude=51.24937&longitude=-0.549301",
	"/v1/locations?grid_reference=SU%2099049%2050522&limit=3",
	"/v1/regions/south",
	"/v1/snapshot",
	"/v1/nowhere",
}

// What is asked at the same time is answered as if it had been asked alone.
func TestConcurrentQuestionsDoNotMix(t *testing.T) {
	s := testServer(t, Options{})
	alone := make([][]byte, len(questions))
	for i, uri := range questions {
		_, _, alone[i] = s.Answer("GET", uri)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 20 * len(questions) {
				n := i * (2*worker + 1) % len(questions) // each in an order of its own
				if _, _, body := s.Answer("GET", questions[n]); !bytes.Equal(body, alone[n]) {
					t.Errorf("GET %s: %s, alone %s", questions[n], body, alone[n])
					return
				}
			}
		})
	}
	wg.Wait()
}

// Nothing keeps a snapshot that another has taken the place of, however busy
// the server is.
func TestReplacedSnapshotIsCollected(t *testing.T) {
	s := testServer(t, Options{})
	next := s.Snapshot()
	old := func() weak.Pointer[index.Snapshot] {
		snap, err := buildSnapshot(nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Swap(snap)
		return weak.Make(snap)
	}()
	asked, done := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, uri := range questions {
			s.Answer("GET", uri)
		}
		close(asked)
		for {
			select {
			case <-done:
				return
			default:
				s.Answer("GET", questions[0])
			}
		}
	})
	<-asked
	s.Swap(next)
	// A pool keeps its things for two collections, and the one who asks the answer
	// that it is at, for which it may have to wait for a processor.
	for i := 0; i < 1000 && old.Value() != nil; i++ {
		runtime.GC()
		runtime.Gosched()
	}
	close(done)
	wg.Wait()
	if old.Value() != nil {
		t.Error("it is still in memory")
	}
}

// An answer stays as it is until it has been sent, however many others are made
// meanwhile; then its memory is used again.
func TestAnAnswerKeepsItsMemory(t *testing.T) {
	s := testServer(t, Options{})
	answers := make([]fasthttp.RequestCtx, len(questions))
	for i, uri := range questions {
		var req fasthttp.Request
		req.SetRequestURI(uri)
		answers[i].Init(&req, nil, quiet{})
		s.handle(&answers[i])
	}
	for i, uri := range questions {
		if _, _, want := s.Answer("GET", uri); !bytes.Equal(answers[i].Response.Body(), want) {
			t.Errorf("GET %s: %s, alone %s", uri, answers[i].Response.Body(), want)
		}
		q, ok := answers[i].UserValue(scratchOf{}).(*scratch)
		if made := answers[i].Response.StatusCode() == 200 && !strings.HasPrefix(uri, "/v1/regions"); ok != made {
			t.Errorf("GET %s: %d, sent from a scratch: %t", uri, answers[i].Response.StatusCode(), ok)
		}
		if !ok {
			continue
		}
		if q.snap == nil {
			t.Errorf("GET %s: the scratch is given back too early", uri)
		}
		answers[i].Request.Reset()
		if q.snap != nil {
			t.Errorf("GET %s: the scratch is not given back", uri)
		}
	}
}

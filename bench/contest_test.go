package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"coverd/server"
)

// A peer that stops answering is left out of the rounds that are left; anybody
// else is the end of the run.
func TestPeerThatDies(t *testing.T) {
	o := &HTTPOptions{Connections: 2, Round: time.Millisecond}
	f := contest{o: o, q: httpQuestion{name: qPostcode}}
	enter := func(tg *target, peer bool) *contestant {
		return &contestant{target: *tg, row: rowRedis, peer: peer, latency: newHistogram()}
	}
	alive := enter(bareTarget(t, BareFastHTTP), false)
	dead := enter(&target{name: "dead", addr: "127.0.0.1:1", requests: alive.requests, read: readRESP, cpu: alive.cpu}, true)
	var r HTTPResult
	if err := f.rounds(t.Context(), &r, []*contestant{alive, dead}); err != nil {
		t.Fatal(err)
	}
	if len(alive.rates) != rounds || len(dead.rates) != 0 || !dead.failed || len(r.Skipped) != 1 || !strings.HasPrefix(r.Skipped[0], rowRedis+qPostcode+": dead: ") {
		t.Errorf("%d and %d rounds, left out %q", len(alive.rates), len(dead.rates), r.Skipped)
	}
	dead.peer, dead.failed = false, false
	if err := f.rounds(t.Context(), &r, []*contestant{alive, dead}); err == nil {
		t.Error("a server that is not there is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dead.peer = true
	if err := f.rounds(ctx, &r, []*contestant{dead}); !errors.Is(err, context.Canceled) {
		t.Errorf("told to end: %v", err)
	}
}

// What was asked for and not achieved is told as such.
func TestOpenNote(t *testing.T) {
	var run openRun
	for _, took := range []time.Duration{time.Second, 1200 * time.Millisecond} {
		l := newLoad()
		l.n, l.elapsed = 1000, took
		for i := range 1000 {
			record(l.latency, time.Duration(i)*time.Microsecond)
			if i%4 == 0 {
				record(l.late, 50*time.Microsecond)
			}
		}
		run.add(&l)
	}
	if len(run.medians) != 2 || run.n != 2000 || run.latency.TotalCount() != 2000 {
		t.Errorf("%+v", run)
	}
	for planned, sustained := range map[time.Duration]bool{2 * time.Second: false, 2100 * time.Millisecond: true} {
		note := openNote(&run, 1000, 0.7, planned)
		if strings.HasPrefix(note, "not sustained: ") == sustained || !strings.Contains(note, "achieved 909.1/s; 25.0 % of requests found their connection free") {
			t.Errorf("%v planned: %s", planned, note)
		}
	}
}

// One turn of seven in which others had the machine does not decide.
func TestHandlerTurns(t *testing.T) {
	quiet := buckets{10e-6: 98, handlerBudget: 100, 100e-6: 100, math.Inf(1): 100}
	starved := buckets{10e-6: 0, handlerBudget: 10, 100e-6: 20, math.Inf(1): 100}
	var h handlerTurns
	h.add(buckets{math.Inf(1): 0}) // in which nothing was asked
	for turn := range rounds {
		if turn == 3 {
			h.add(starved)
		} else {
			h.add(quiet)
		}
	}
	r := h.row("x")
	if r.N != 100*rounds || *r.P99 != 15 || r.P999 != nil || !strings.Contains(r.Note, "100.00 % within 20 µs") {
		t.Errorf("%+v: p99 %v", r, *r.P99)
	}
}

// A context that is used again gives the answers that new ones give, whatever
// came before.
func TestHandledAnswersAlike(t *testing.T) {
	c := catalogue(t)
	srv, err := server.New(c.Snap, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys := draw(t, Mixed, 1)
	uris, bodies, err := answered(srv, Mixed, 200, func(i int) string { return postcodeURI(keys.Postcodes[i]) })
	if err != nil || len(uris) != 200 {
		t.Fatal(len(uris), err)
	}
	uris, bodies = append(uris, "/v1/nothing"), append(bodies, nil)
	_, _, bodies[len(bodies)-1] = srv.Answer(http.MethodGet, "/v1/nothing")
	wrong := ""
	ask := handled(uris, func(ctx *fasthttp.RequestCtx, i int) {
		srv.AnswerTo(ctx)
		if got := string(ctx.Response.Body()); got != string(bodies[i]) {
			wrong = fmt.Sprintf("%s: %s, want %s", uris[i], got, bodies[i])
		}
	})
	for i := range uris {
		if ask(i); wrong != "" {
			t.Fatal(wrong)
		}
	}
}

// Hits find something; other mixes keep what does not.
func TestHitsAreAnswered(t *testing.T) {
	srv, err := server.New(catalogue(t).Snap, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	uri := func(i int) string { return []string{"/v1/outcodes/GU1", "/v1/outcodes/ZE1"}[i%2] }
	for mix, want := range map[string]int{Hits: 5, Mixed: 10} {
		uris, bodies, err := answered(srv, mix, 10, uri)
		if err != nil || len(uris) != want || len(bodies) != want {
			t.Errorf("%s: %d answers, %v, want %d", mix, len(uris), err, want)
		}
	}
	if _, _, err := answered(srv, Hits, 3, func(int) string { return uri(1) }); !errors.Is(err, errNone) {
		t.Errorf("of nothing: %v", err)
	}
}

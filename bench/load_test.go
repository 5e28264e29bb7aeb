package bench

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// bareTarget runs a bare handler in this process until the test ends.
func bareTarget(t *testing.T, kind string) *target {
	t.Helper()
	in, feed := io.Pipe()
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Bare(t.Context(), kind, in, out) }()
	if err := writeAnswers(feed, nil, [][]byte{[]byte(`{"a":1}`), []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		feed.Close()
		if err := <-ended; err != nil {
			t.Errorf("bare %s: %v", kind, err)
		}
	})
	return &target{
		name: kind, addr: strings.TrimSpace(line), read: readHTTP, cpu: func() time.Duration { return 0 },
		requests: [][]byte{httpRequest("/a"), httpRequest("/b"), httpRequest("/c")},
	}
}

func TestLoops(t *testing.T) {
	for _, kind := range []string{BareFastHTTP, BareNetHTTP} {
		tg := bareTarget(t, kind)
		l, err := tg.closed(t.Context(), 2, 10*time.Millisecond)
		if err != nil || l.n < 2 || l.latency.TotalCount() != l.n || l.rate() <= 0 {
			t.Errorf("%s, closed loop: %+v, %v", kind, l, err)
		}
		// Open loop asks as often as it was told to, however long that takes.
		l, err = tg.open(t.Context(), 3, 4000, 50*time.Millisecond)
		if err != nil || l.n != 200 || l.latency.TotalCount() != 200 || l.late.TotalCount() > 200 {
			t.Errorf("%s, open loop: %+v, %v", kind, l, err)
		}
	}
}

// A server that answers nothing before the tenth request is due makes all ten
// late, and not the first alone: coordinated omission is accounted for.
func TestOpenLoopCountsThoseThatHadToWait(t *testing.T) {
	const interval, requests = time.Millisecond, 10
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		first := make([]byte, 1)
		if _, err := io.ReadFull(conn, first); err != nil {
			return
		}
		<-time.After(2 * requests * interval)
		for range requests {
			if _, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}()
	tg := &target{name: "slow", addr: listener.Addr().String(), read: readHTTP, requests: [][]byte{httpRequest("/")}, cpu: func() time.Duration { return 0 }}
	l, err := tg.open(t.Context(), 1, float64(time.Second/interval), requests*interval)
	if err != nil {
		t.Fatal(err)
	}
	// The last was due at 9 ms and could not be answered before 20.
	if least := time.Duration(l.latency.Min()); l.n != requests || least < requests*interval {
		t.Errorf("%d requests, the shortest latency %v", l.n, least)
	}
}

// A target that hangs ends with the run.
func TestLoadEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // which accepts and never answers
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int64
	tg := &target{name: "deaf", addr: listener.Addr().String(), requests: [][]byte{httpRequest("/")}, cpu: func() time.Duration { return 0 }}
	tg.read = func(r *bufio.Reader, body io.Writer) (bool, error) {
		if asked.Add(1) == 2 {
			cancel()
		}
		return readHTTP(r, body)
	}
	if _, err := tg.closed(ctx, 2, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A server may close a connection after so many requests, and say so: the next
// goes over another.
func TestConnectionsAreReplaced(t *testing.T) {
	const most, requests = 3, 10
	var opened atomic.Int64
	s := &fasthttp.Server{
		MaxRequestsPerConn: most,
		Handler:            func(ctx *fasthttp.RequestCtx) { ctx.Response.SetBodyString("{}") },
		ConnState: func(_ net.Conn, state fasthttp.ConnState) {
			if state == fasthttp.StateNew {
				opened.Add(1)
			}
		},
		Logger: silent{},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	defer func() {
		if err := errors.Join(s.Shutdown(), <-ended); err != nil {
			t.Error(err)
		}
	}()
	tg := &target{name: "closing", addr: listener.Addr().String(), read: readHTTP, requests: [][]byte{httpRequest("/")}, cpu: func() time.Duration { return 0 }}
	l, err := tg.open(t.Context(), 1, 1000*requests, time.Millisecond)
	if err != nil || l.n != requests {
		t.Errorf("%+v, %v", l, err)
	}
	if n := opened.Load(); n != (requests+most-1)/most {
		t.Errorf("%d connections for %d requests, %d each", n, requests, most)
	}
}

// Bodies that differ from those expected are found before anything is measured.
func TestHolds(t *testing.T) {
	tg := bareTarget(t, BareFastHTTP) // which gives its second body first
	want := [][]byte{[]byte(`{}`), []byte(`{"a":1}`), []byte(`{}`)}
	if err := tg.holds(t.Context(), want); err != nil {
		t.Error(err)
	}
	if err := tg.holds(t.Context(), want); err == nil || !strings.Contains(err.Error(), "answer 0 of 7 bytes") {
		t.Errorf("out of step: %v", err)
	}
}

func TestProcessorTime(t *testing.T) {
	stat := "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 0"
	if got := processorTime(stat); got != 3*time.Second {
		t.Errorf("%v", got)
	}
	if got := processorTime(""); got != 0 {
		t.Errorf("%v of nothing", got)
	}
}

package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"coverd/server/api"
)

// serving is a server on loopback ports of the kernel's choice.
type serving struct {
	*Server
	public, admin string
	stop          func() error
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, s *Server) serving {
	t.Helper()
	return serveOn(t, s, listen(t))
}

func serveOn(t *testing.T, s *Server, public net.Listener) serving {
	t.Helper()
	admin := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, public, admin) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return serving{s, public.Addr().String(), admin.Addr().String(), stop}
}

// raw sends bytes and reads what comes back until the connection is closed or
// one response is whole.
func raw(t *testing.T, address, request string) response {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	return response{r.StatusCode, r.Header, r.Close, string(body)}
}

// response is a whole HTTP response.
type response struct {
	status int
	header http.Header
	close  bool
	body   string
}

func TestGate(t *testing.T) {
	s := serve(t, testServer(t, Options{}))
	const path = "/v1/postcodes/GU11AA"
	long := strings.Repeat("a", maxHeader)
	for _, c := range []struct {
		name, request string
		status        int
		code          string
	}{
		{"plain", "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
		{"1.0", "GET " + path + " HTTP/1.0\r\n\r\n", 200, ""},
		{"encoded", "GET /v1/postcodes/GU1%201AA HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
		{"slash in a query", "GET " + path + "?address=2%2F1 HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
		{"absolute", "GET http://X:80" + path + " HTTP/1.1\r\nHost: x:80\r\n\r\n", 200, ""},
		{"absolute, another host", "GET http://xy" + path + " HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"absolute, no host", "GET http://" + path + " HTTP/1.0\r\n\r\n", 400, api.BadRequest},
		{"version 9", "GET " + path + " HTTP/9.9\r\nHost: x\r\n\r\n", 505, api.VersionNotSupported},
		{"version 2", "GET " + path + " HTTP/2.0\r\nHost: x\r\n\r\n", 505, api.VersionNotSupported},
		{"trace", "TRACE " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", 405, api.MethodNotAllowed},
		{"delete", "DELETE " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", 405, api.MethodNotAllowed},
		{"no path", "GET GU11AA HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"fragment", "GET " + path + "#x HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"backslash", "GET /v1\\postcodes HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"dots", "GET /v1/outcodes/../postcodes/GU11AA HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"encoded dots", "GET /v1/outcodes/%2e%2e/postcodes/GU11AA HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"double slash", "GET //v1/postcodes/GU11AA HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"encoded slash", "GET /v1/postcodes%2FGU11AA HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"encoded NUL", "GET /v1/postcodes/GU1%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"encoded nothing", "GET /v1/postcodes/GU1%2 HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"byte over 7E", "GET /v1/postcodes/GU1\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400, api.BadRequest},
		{"space in a name", "GET " + path + " HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400, api.BadRequest},
		{"space before the colon", "GET " + path + " HTTP/1.1\r\nHost: x\r\nA : c\r\n\r\n", 400, api.BadRequest},
		{"bare line feed", "GET " + path + " HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400, api.BadRequest},
		{"folded", "GET " + path + " HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400, api.BadRequest},
		{"user in the host", "GET " + path + " HTTP/1.1\r\nHost: a@x\r\n\r\n", 400, api.BadRequest},
		{"two lengths", "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, api.BadRequest},
		{"chunked", "POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, api.LengthRequired},
		{"many fields", "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 70) + "\r\n", 431, api.HeaderTooLarge},
		{"long header", "GET " + path + " HTTP/1.1\r\nHost: x\r\nA: " + long + "\r\n\r\n", 431, api.HeaderTooLarge},
		{"long target", "GET /v1/postcodes/" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431, api.HeaderTooLarge},
		{"large body", fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, maxBody+1), 413, api.BodyTooLarge},
		{"large body, asked first", fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", path, maxBody+1), 413, api.BodyTooLarge},
		{"another expectation", "POST " + path + " HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417, api.ExpectationFailed},
		{"not HTTP", "hello\r\n\r\n", 400, api.BadRequest},
	} {
		r := raw(t, s.public, c.request)
		if r.status != c.status || c.code != "" && !strings.Contains(r.body, `"code":"`+c.code+`"`) {
			t.Errorf("%s: %d: %s", c.name, r.status, r.body)
		}
		if c.code != "" && (r.header.Get("Content-Type") != typeProblem || !r.close) {
			t.Errorf("%s: content type %s, close %v", c.name, r.header.Get("Content-Type"), r.close)
		}
		if r.header.Get("Server") != "" {
			t.Errorf("%s: names its server: %s", c.name, r.header.Get("Server"))
		}
	}
}

func TestPanicIsAnsweredAndCounted(t *testing.T) {
	s := testServer(t, Options{})
	h := s.recovering(func(*fasthttp.RequestCtx) { panic("made by the test") })
	var ctx fasthttp.RequestCtx
	for range 10 {
		h(&ctx)
	}
	if ctx.Response.StatusCode() != 500 || !strings.Contains(string(ctx.Response.Body()), api.InternalError) || strings.Contains(string(ctx.Response.Body()), "made by") {
		t.Errorf("%d: %s", ctx.Response.StatusCode(), ctx.Response.Body())
	}
	if n := testutil.ToFloat64(s.metrics.panics); n != 10 {
		t.Errorf("%v panics counted", n)
	}
}

// flaky fails to accept as often as it is told to.
type flaky struct {
	net.Listener
	fails atomic.Int32
	with  error
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", l.with)}
	}
	return l.Listener.Accept()
}

func TestListenerSurvivesWantOfDescriptors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	f := &flaky{Listener: inner, with: syscall.EMFILE}
	var log strings.Builder
	s := testServer(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	l := &steadyListener{Listener: f, errors: s.metrics.acceptErrors, log: s.log}
	for range 2 {
		f.fails.Store(3)
		ours, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		ours.Close()
	}
	if n := testutil.ToFloat64(s.metrics.acceptErrors); n != 6 {
		t.Errorf("%v errors counted, want 6", n)
	}
	// However often it happens, one line says so.
	if n := strings.Count(log.String(), "cannot accept"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, &log)
	}
	// Other errors are the caller's.
	f.with = syscall.EINVAL
	f.fails.Store(1)
	if _, err := l.Accept(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("%v", err)
	}
}

// telling is a listener that tells when a first byte of a connection was read.
type telling struct {
	net.Listener
	read chan struct{} // closed then
	once sync.Once
}

func (l *telling) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tellingConn{c, l}, nil
}

type tellingConn struct {
	net.Conn
	l *telling
}

func (c *tellingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.l.once.Do(func() { close(c.l.read) })
	}
	return n, err
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	defer leavesNothing(t, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).workerFunc"), goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))() // which runs for ever, once any server has
	public := &telling{Listener: listen(t), read: make(chan struct{})}
	s := serveOn(t, testServer(t, Options{}), public)

	// Half a request is under way when the server is told to stop.
	c, err := net.Dial("tcp", s.public)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /v1/postcodes/GU11AA HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	if r := raw(t, s.admin, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); r.status != 200 || r.body != "ready\n" {
		t.Fatalf("before: %d: %s", r.status, r.body)
	}
	<-public.read
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for !s.draining.Load() {
		<-time.After(time.Millisecond)
	}
	if _, err := io.WriteString(c, "Host: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !r.Close || !strings.Contains(string(body), "premises_found") {
		t.Errorf("%v, %s, close %v, %.60s", err, r.Status, r.Close, body)
	}
	r.Body.Close()
	c.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", s.public); err == nil {
		t.Error("still listening")
	}
}

// A listener that fails ends the server with an error: it is never deaf.
func TestDeadListenerIsAnError(t *testing.T) {
	s := testServer(t, Options{})
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	public.Close()
	if err := s.Serve(t.Context(), public, admin); err == nil || !strings.Contains(err.Error(), "public") {
		t.Errorf("%v", err)
	}
}

// Told to stop before it has begun, a server does not begin.
func TestStopBeforeTheStart(t *testing.T) {
	s := testServer(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // both orders of the goroutines, sooner or later
		public, admin := listen(t), listen(t)
		if err := s.Serve(ctx, public, admin); err != nil {
			t.Fatal(err)
		}
		for _, l := range []net.Listener{public, admin} {
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("still listening: %v", err)
			}
		}
	}
}

// A client of the admin listener that is not done does not make stopping a
// failure.
func TestStopDoesNotWaitForAdmin(t *testing.T) {
	s := serve(t, testServer(t, Options{DrainTimeout: time.Nanosecond}))
	c, err := net.Dial("tcp", s.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /livez HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	raw(t, s.admin, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") // accepted after the other
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}

// Megabytes get the time that they take.
func TestBoundariesMayTakeLonger(t *testing.T) {
	s := testServer(t, Options{}).publicServer(1)
	for uri, want := range map[string]time.Duration{
		"/v1/regions": regionsTimeout, "/v1/regions/south": regionsTimeout, "/v1/postcodes/GU11AA": 0,
	} {
		var h fasthttp.RequestHeader
		h.SetRequestURI(uri)
		if got := s.HeaderReceived(&h); got != (fasthttp.RequestConfig{WriteTimeout: want}) {
			t.Errorf("%s: %+v", uri, got)
		}
	}
}

// What a request was asked must not turn up in another's answer, whatever
// fasthttp does with its buffers afterwards.
func TestRequestsOnOneConnectionDoNotMix(t *testing.T) {
	s := serve(t, testServer(t, Options{}))
	c, err := net.Dial("tcp", s.public)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	br := bufio.NewReader(c)
	uprns := []string{"990061391234", "990000000001", "990000000006", "990000000008"}
	for i := range 200 {
		u := uprns[i%len(uprns)]
		fmt.Fprintf(c, "GET /v1/premises/%s HTTP/1.1\r\nHost: x\r\n\r\n", u)
		r, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.Count(string(body), `"uprn":"`+u+`"`) != 2 || strings.Count(string(body), `"uprn":`) != 2 {
			t.Fatalf("asked for %s, answered %v %s", u, err, body)
		}
		r.Body.Close()
	}
}

func TestAdmin(t *testing.T) {
	s := serve(t, testServer(t, Options{}))
	get := func(address, path string) (int, string) {
		r := raw(t, address, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		return r.status, r.body
	}
	get(s.public, "/v1/postcodes/GU11AA")
	get(s.public, "/v1/postcodes/ZE10AA")
	for _, c := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/livez", 200, []string{"ok"}},
		{"/readyz", 200, []string{"ready"}},
		{"/readyz?verbose", 200, []string{"[+] snapshot " + s.Snapshot().ID(), "[+] answering"}},
		{"/debug/pprof/", 200, []string{"goroutine"}},
		{"/nowhere", 404, nil},
		{"/metrics", 200, []string{
			`coverd_requests_total{route="/v1/postcodes/{postcode}",status="2xx"} 1`,
			`coverd_requests_total{route="/v1/postcodes/{postcode}",status="4xx"} 1`,
			`coverd_request_duration_seconds_count{route="/v1/postcodes/{postcode}"} 2`,
			`coverd_snapshot_info{as_of="2026-11-22",id="` + s.Snapshot().ID() + `",tool="test"} 1`,
			`coverd_snapshot_age_seconds 820800`, // nine and a half days at noon
			`coverd_snapshot_records{kind="premises"} 10`,
			"coverd_panics_total 0", "process_resident_memory_bytes", "go_goroutines",
		}},
	} {
		status, body := get(s.admin, c.path)
		if status != c.status {
			t.Errorf("GET %s: %d", c.path, status)
		}
		for _, w := range c.want {
			if !strings.Contains(body, w) {
				t.Errorf("GET %s lacks %s in\n%s", c.path, w, body)
			}
		}
		if strings.Contains(body, "GU11AA") || strings.Contains(body, "ZE10AA") {
			t.Errorf("GET %s tells what was asked", c.path)
		}
	}
	if status, _ := get(s.public, "/metrics"); status != 404 {
		t.Errorf("metrics are public: %d", status)
	}
	s.draining.Store(true)
	if status, body := get(s.admin, "/readyz?verbose"); status != 503 || !strings.Contains(body, "[-] draining") {
		t.Errorf("draining: %d: %s", status, body)
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	s := testServer(t, Options{})
	problems, err := testutil.GatherAndLint(prometheus.Gatherers{s.metrics.registry})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "coverd_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

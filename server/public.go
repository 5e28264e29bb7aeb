package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"coverd/server/api"
)

// Limits of the public listener.
const (
	maxConnections = 20_000 // each has a goroutine and a descriptor
	spareFiles     = 200    // descriptors for everything else
	maxHeader      = 8 << 10
	maxBody        = 64 << 10
	requestTimeout = 5 * time.Second // for headers and body together

	// Boundaries have megabytes, which five seconds of a slow line do not
	// carry. But for a first buffer they are sent without a copy, so that waiting
	// costs little.
	regionsTimeout = time.Minute
)

// publicServer is fasthttp with everything that its defaults leave open closed.
func (s *Server) publicServer(connections int) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:       s.recovering(s.gated(s.handle)), // a panic in a handler would end the process
		ErrorHandler:  s.requestError,
		ExpectHandler: s.expect,
		ReadTimeout:   requestTimeout, // a header dribbled in is held open for ever otherwise
		WriteTimeout:  requestTimeout,
		IdleTimeout:   30 * time.Second,
		HeaderReceived: func(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
			if bytes.HasPrefix(h.RequestURI(), []byte("/v1/regions")) {
				c.WriteTimeout = regionsTimeout
			}
			return c
		},
		// The header limit too.
		ReadBufferSize: maxHeader,
		// An average postcode's answer has 14 kB and goes out in one write: with 4
		// kB it takes two, and a fifth fewer are answered. Buffers are held while
		// an answer is being sent, not by idle connections.
		WriteBufferSize:    32 << 10,
		MaxRequestBodySize: maxBody,
		Concurrency:        connections,
		MaxRequestsPerConn: 100_000,
		// 10,000 idle connections in 65 MB instead of 165; see connection for what
		// it would cost.
		ReduceMemoryUsage:            true,
		CloseOnShutdown:              true,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		SecureErrorLogMessage:        true, // no text of requests in a log
		Logger:                       quiet{},
	}
}

// quiet is fasthttp's logger: what it would say of single connections is no
// operator's concern, and metrics count it.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// connectionLimit is how many connections the process may hold. Go raises the
// soft limit of descriptors to the hard one when it starts.
func (s *Server) connectionLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	if limit.Cur >= maxConnections+spareFiles {
		return maxConnections, nil
	}
	if limit.Cur < 2*spareFiles {
		return 0, fmt.Errorf("at most %d files may be open, which leaves too few for connections: raise it to %d (ulimit -n, or LimitNOFILE)", limit.Cur, maxConnections+spareFiles)
	}
	connections := int(limit.Cur) - spareFiles
	if connections < maxConnections/2 {
		s.log.Warn("few connections", "connections", connections, "why", "limit of open files", "limit", limit.Cur, "want", maxConnections+spareFiles)
	}
	return connections, nil
}

// recovering answers 500 in place of a panic. It is outermost.
func (s *Server) recovering(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if v := recover(); v != nil {
				s.metrics.panics.Inc()
				s.log.Error("panic while answering", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				s.refuse(ctx, &api.Problem{Code: api.InternalError, Detail: "the answer could not be made; it was logged"})
			}
		}()
		next(ctx)
	}
}

// expect says whether a body may come, before it does.
func (s *Server) expect(ctx *fasthttp.RequestCtx) int {
	if ctx.Request.Header.ContentLength() > maxBody {
		s.refuse(ctx, &api.Problem{Code: api.BodyTooLarge, Detail: detailBodyTooLarge})
		return fasthttp.StatusRequestEntityTooLarge
	}
	return fasthttp.StatusContinue
}

// steadyListener goes on accepting when descriptors or memory run out for a
// while. fasthttp v1.78 would stop listening at the first EMFILE, for ever.
type steadyListener struct {
	net.Listener
	errors prometheus.Counter
	log    *slog.Logger
	logged time.Time
}

func (l *steadyListener) Accept() (net.Conn, error) {
	const least, most, logEvery = 5 * time.Millisecond, time.Second, 10 * time.Second
	for wait := least; ; wait = min(2*wait, most) {
		c, err := l.Listener.Accept()
		if err == nil {
			return &connection{Conn: c}, nil
		}
		if !passes(err) {
			return nil, err
		}
		l.errors.Inc()
		if now := time.Now(); now.Sub(l.logged) >= logEvery {
			l.logged = now
			l.log.Warn("cannot accept connections for now", "error", err.Error())
		}
		<-time.After(wait)
	}
}

// passes reports whether an error of accept goes away by itself.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

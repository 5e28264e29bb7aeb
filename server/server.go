package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"coverd/index"
	"coverd/server/duis"
	"coverd/server/licence"
	"coverd/server/receipts"
	"coverd/server/requests"
)

// Options say how to serve. The zero value works.
type Options struct {
	// Log is told what an operator should know: one line a change of state.
	// None by default.
	Log *slog.Logger
	// Now is the clock that today is read from. time.Now by default.
	Now func() time.Time
	// MaxAge is how long an answer may be kept before it is asked for again;
	// it never reaches past midnight in London. Five minutes by default.
	MaxAge time.Duration
	// MaxDataAge is how old data may get, counted from the start of the day that
	// it describes, before the server is not ready any more and answers are
	// marked stale. It answers all the same. 0: there is no limit.
	MaxDataAge time.Duration
	// ReloadInterval is how often [Serve] looks for another snapshot where the
	// source is a directory, besides when it is told that something changed
	// there. 30 seconds by default.
	ReloadInterval time.Duration
	// PaceCollector has the server say, for the whole process and in place of GOGC,
	// by how much the heap may grow before Go's collector runs: it knows how large
	// the snapshots are, and when one is opened.
	PaceCollector bool
	// DrainTimeout is how long requests under way may take once the server was
	// told to stop. Ten seconds by default.
	DrainTimeout time.Duration
	// Receipts signs what is answered where that is asked for, and all answers to
	// service requests. None are given by default.
	Receipts *receipts.Signer
	// WANMatrixCodes are the response codes of Service Request 12.1.
	// [duis.DefaultCodes] by default.
	WANMatrixCodes *duis.Codes
	// Requests is the ledger of service requests, which [Serve] opens. None by
	// default: then they are refused.
	Requests requests.Opener
	// RequestsKeep is how many days service requests are kept once they are closed,
	// and changes that were told: [LeastRequestsKeep] or more. 0: for ever.
	RequestsKeep int
}

// LeastRequestsKeep is for how many days a service request is a check that counts
// (licence condition 49.10).
const LeastRequestsKeep = licence.Window

// Server answers questions from a snapshot, and from another once that has
// taken its place. It is safe for concurrent use.
type Server struct {
	snap       atomic.Pointer[held]
	clock      clock
	maxAge     time.Duration
	maxDataAge time.Duration
	drain      time.Duration
	log        *slog.Logger
	metrics    *metrics
	reloads    *reloader // nil where the snapshot has no source
	desk       *desk     // nil where service requests are not taken
	paces      bool      // says when the collector runs
	draining   atomic.Bool
	receipts   *receipts.Signer // nil: none are given
	wanMatrix  wanMatrix

	keysTrouble atomic.Value // string: what is wrong with the receipt keys
}

// New makes a server that answers from snap until it is told to [Server.Swap].
func New(snap *index.Snapshot, o Options) (*Server, error) {
	if snap == nil {
		return nil, errors.New("server: no snapshot")
	}
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	s.start(snap, Offer{})
	return s, nil
}

// Open makes a server that answers from what its source offers, now and later:
// while it serves, it looks for another snapshot, and swaps. Where the active
// generation of a directory cannot be opened, it begins with the one before:
// better yesterday's answers than none. Errors are those of [index.Open] and
// [coverd/index/generations.Dir.Active].
func Open(source Source, o Options) (*Server, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	offer, err := source.Offer()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	snap, refused := offer.open(index.OpenOptions{})
	used := offer
	if refused != nil {
		var ok bool
		if used, ok = source.before(); !ok {
			return nil, refused
		}
		if snap, err = used.open(index.OpenOptions{}); err != nil {
			return nil, errors.Join(refused, err)
		}
	}
	s.reloads = newReloader(s, source, o.ReloadInterval)
	s.reloads.opened(time.Since(begin))
	s.start(snap, used)
	if refused == nil {
		s.reloads.found()
	} else {
		_ = s.reloads.refuse(offer, refused)
	}
	return s, nil
}

func (s *Server) start(snap *index.Snapshot, offer Offer) {
	s.snap.Store(s.hold(snap, offer))
	s.paceServing(snap.Info())
	s.metrics = newMetrics(s)
}

func newServer(o Options) (*Server, error) {
	s := &Server{maxAge: o.MaxAge, maxDataAge: o.MaxDataAge, drain: o.DrainTimeout, log: o.Log, paces: o.PaceCollector, receipts: o.Receipts}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.maxAge == 0 {
		s.maxAge = 5 * time.Minute
	}
	if s.drain == 0 {
		s.drain = 10 * time.Second
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	if err := s.clock.init(now); err != nil {
		return nil, err
	}
	if err := s.wanMatrix.init(o.WANMatrixCodes); err != nil {
		return nil, err
	}
	if o.Requests != nil {
		s.desk = newDesk(s, o.Requests, o.RequestsKeep)
	}
	return s, nil
}

// Snapshot returns the snapshot that is being answered from.
func (s *Server) Snapshot() *index.Snapshot { return s.snap.Load().Snapshot }

// Answer answers one question without a network: paths under /v1, as the
// public listener would. The body is the caller's.
func (s *Server) Answer(method, uri string) (status int, contentType string, body []byte) {
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI(uri)
	ctx.Init(&req, nil, quiet{})
	s.handle(&ctx)
	defer ctx.ResetUserValues()
	return ctx.Response.StatusCode(), string(ctx.Response.Header.ContentType()), append([]byte(nil), ctx.Response.Body()...)
}

// AnswerTo answers the request in ctx, as the public listener would, and leaves
// the answer there until ctx.Request is reset. It is for programs that reuse a
// context, which costs no allocation: they reset its user values and ctx.Response
// before they ask again, as a server does.
func (s *Server) AnswerTo(ctx *fasthttp.RequestCtx) { s.handle(ctx) }

// Serve answers questions on public, and health and metrics on admin, until
// ctx ends. Then it is no longer ready, finishes the requests under way, and
// returns nil. It closes both listeners. If either stops for any other reason
// that is an error: a dead process is restarted, a deaf one is not.
func (s *Server) Serve(ctx context.Context, public, admin net.Listener) error {
	connections, err := s.connectionLimit()
	if err != nil {
		return errors.Join(err, public.Close(), admin.Close())
	}
	questions := s.publicServer(connections)
	health := &http.Server{
		Handler:           s.adminHandler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return ended(ctx, "public", questions.Serve(&steadyListener{Listener: public, errors: s.metrics.acceptErrors, log: s.log}))
	})
	g.Go(func() error { return ended(ctx, "admin", health.Serve(admin)) })
	if s.reloads != nil {
		g.Go(func() error {
			s.reloads.run(ctx)
			return nil
		})
	}
	// The ledger outlives ctx: until requests under way are finished.
	keeping, closeLedger := context.WithCancel(context.WithoutCancel(ctx))
	defer closeLedger()
	if s.desk != nil {
		g.Go(func() error {
			s.desk.run(keeping)
			return nil
		})
	}
	g.Go(func() error {
		defer closeLedger()
		<-ctx.Done() // told to stop, or one of them ended
		s.draining.Store(true)
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
		defer cancel()
		err := questions.ShutdownWithContext(bound)
		if errors.Is(err, context.DeadlineExceeded) {
			s.log.Warn("requests were cut off", "after", s.drain.String(), "connections", questions.GetOpenConnectionsCount())
			err = nil
		}
		// fasthttp closes what it has begun to serve; told to stop before
		// that, it would begin all the same, and serve for ever.
		_ = public.Close()
		// Health is told to the last, but nobody's profile is waited for.
		if e := health.Shutdown(bound); errors.Is(e, context.DeadlineExceeded) {
			_ = health.Close()
		} else {
			err = errors.Join(err, e)
		}
		return err
	})
	return g.Wait()
}

// ended tells a listener that was told to stop from one that failed.
func ended(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the %s listener stopped: %w", name, err)
}

package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"weak"

	"coverd/index"
	"coverd/index/generations"
)

// reloader looks for another snapshot to serve, and puts it in place of the one
// that is served.
//
// # Why one turn
//
// A file's event, the clock, a signal and the operator may all ask for a look
// within one second. Whoever looks has the turn; signals that come meanwhile are
// one look afterwards. So there are never three snapshots in memory, nor two
// openings at work, however many ask.
type reloader struct {
	s        *Server
	source   Source
	interval time.Duration
	signals  chan struct{} // of one slot: look, whatever was refused before
	turn     chan struct{} // of one slot: who looks has filled it
	replaced chan struct{} // of one slot: there is something in spent

	mu    sync.Mutex
	spent []spent // replaced, and not known to be out of memory

	swaps    atomic.Int64
	openTook atomic.Int64 // nanoseconds
	looked   atomic.Int64 // Unix nanoseconds of the last look that found out what to serve
	refused  atomic.Pointer[refusal]
}

// Results of a look.
const (
	lookUnchanged = "unchanged" // what should be served is
	lookSwapped   = "swapped"
	lookRefused   = "refused" // what should be served cannot be
)

const defaultReloadInterval = 30 * time.Second

// settle is how long events of files are gathered before a look: a publish
// comes as several.
const settle = 50 * time.Millisecond

func newReloader(s *Server, source Source, interval time.Duration) *reloader {
	if interval <= 0 {
		interval = defaultReloadInterval
	}
	return &reloader{
		s: s, source: source, interval: interval,
		signals: make(chan struct{}, 1), turn: make(chan struct{}, 1), replaced: make(chan struct{}, 1),
	}
}

// Reload has the server look for another snapshot as soon as it can, and not
// pass over one that was refused before. It does not wait. Without a source it
// does nothing.
func (s *Server) Reload() {
	if s.reloads == nil {
		return
	}
	signal(s.reloads.signals)
}

// run looks, now and then and whenever it is told to, until ctx ends.
func (r *reloader) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { r.collect(ctx) })
	events, rewatch := r.watch(ctx, &wg)
	var gathered, tick <-chan time.Time
	if r.source.folder() != "" {
		_, _ = r.look(ctx, false) // what changed before it was watched; it is logged
	}
	for {
		if r.source.folder() != "" {
			tick = time.After(r.pause())
		}
		select {
		case <-ctx.Done():
			return
		case <-events:
			if gathered == nil {
				gathered = time.After(settle)
			}
			continue
		case <-r.signals:
			_, _ = r.look(ctx, true)
		case <-gathered:
			gathered = nil
			_, _ = r.look(ctx, false)
		case <-tick:
			rewatch()
			_, _ = r.look(ctx, false)
		}
	}
}

// pause is how long until the next look.
func (r *reloader) pause() time.Duration {
	if refused := r.refused.Load(); refused != nil {
		if wait := refused.retry.Sub(r.s.clock.now()); wait > 0 {
			return min(r.interval, wait)
		}
	}
	return r.interval
}

// take takes the turn, or gives up when ctx ends.
func (r *reloader) take(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// done gives the turn back.
func (r *reloader) done() { <-r.turn }

// look has what the source offers served, if it can be. One that was refused
// before is opened again only if there is reason to hope, or force is set. The
// error says why the result is lookRefused, or that ctx ended.
func (r *reloader) look(ctx context.Context, force bool) (result string, err error) {
	if err := r.take(ctx); err != nil {
		return "", err
	}
	defer r.done()
	return r.lookNow(ctx, force)
}

// lookNow is look for who has the turn.
func (r *reloader) lookNow(ctx context.Context, force bool) (result string, err error) {
	offer, err := r.source.Offer()
	if err != nil {
		return lookRefused, r.refuse(offer, err)
	}
	served, err := offer.served(r.s.snap.Load())
	if served {
		r.found()
		return lookUnchanged, nil
	}
	refused := r.refused.Load()
	if !force && refused.holds(&offer, r.s.clock.now()) {
		return lookRefused, refused.err
	}
	if err != nil {
		return lookRefused, r.refuse(offer, err)
	}
	next, err := r.open(ctx, offer)
	if err != nil {
		return lookRefused, r.refuse(offer, err)
	}
	r.swap(next)
	return lookSwapped, nil
}

// change has to make another generation the active one, once it has been opened,
// and serves it. What cannot be served is never made active.
func (r *reloader) change(ctx context.Context, dir *DirSource, to func(*generations.Lock) (generations.Generation, error)) (result string, err error) {
	if err := r.take(ctx); err != nil {
		return "", err
	}
	defer r.done()
	lock, err := dir.dir.Lock()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		err = fmt.Errorf("%w: this server may only read its directory; use 'coverd snapshots' as somebody who may write there", err)
	}
	if err != nil {
		return lookRefused, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	var next *held
	defer func() { next = nil }() // lest dir.check keep it in memory when it is served no more
	dir.check = func(path string) (id string, err error) {
		if next, err = r.open(ctx, Offer{Name: path, Path: path}); err != nil {
			r.s.metrics.candidates.WithLabelValues(reasonFor(err)).Inc()
			return "", err
		}
		return next.ref.ID, nil
	}
	g, err := to(lock)
	if err != nil {
		return lookRefused, err
	}
	if next == nil || strings.HasPrefix(r.s.snap.Load().ref.ID, g.ID) {
		return r.lookNow(ctx, true) // it was active before, or is served already
	}
	if next.offer, err = dir.offer(g); err != nil {
		return lookRefused, err
	}
	r.swap(next)
	return lookSwapped, nil
}

// errDefect is a panic while a candidate was opened.
var errDefect = errors.New("it cannot be opened, by a defect of this program")

// open opens and verifies what is offered, beside what is served and out of its
// way.
func (r *reloader) open(ctx context.Context, offer Offer) (next *held, err error) {
	r.awaitCollection(ctx)
	begin := time.Now()
	r.s.paceOpening()
	defer func() { r.s.paceServing(r.s.snap.Load().Info()) }() // next may yet be refused
	outOfTheWay(func() {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("%s: %w: %v", offer.Path, errDefect, v)
				r.s.log.Error("panic while opening a snapshot", "file", offer.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
		}()
		var snap *index.Snapshot
		if snap, err = offer.open(index.OpenOptions{Workers: 1}); err == nil {
			next = r.s.hold(snap, offer)
		}
	})
	if err == nil {
		r.opened(time.Since(begin))
	}
	return next, err
}

// opened takes down how long it took to open the snapshot that is to be served.
func (r *reloader) opened(took time.Duration) { r.openTook.Store(int64(took)) }

// swap has next served, and what was served until now collected.
func (r *reloader) swap(next *held) {
	old := r.s.snap.Swap(next)
	info := next.Info()
	r.s.paceServing(info)
	r.swaps.Add(1)
	r.s.log.Info("snapshot swapped", "snapshot", info.ID, "as_of", info.AsOf.String(), "file", next.offer.Path, "premises", info.Premises,
		"was", old.ref.ID, "was_as_of", old.ref.AsOf.V.String(), "took", time.Duration(r.openTook.Load()).Round(time.Millisecond).String())
	r.refused.Store(nil)
	r.found()
	r.mu.Lock()
	r.spent = append(r.spent, spent{weak.Make(old.Snapshot)})
	r.mu.Unlock()
	signal(r.replaced)
	r.s.desk.swapped()
}

// signal fills a channel of one slot.
func signal(slot chan<- struct{}) {
	select {
	case slot <- struct{}{}:
	default: // it is full, and whoever empties it will see what is new
	}
}

// found takes down that what should be served is.
func (r *reloader) found() {
	r.looked.Store(r.s.clock.now().UnixNano())
	if old := r.refused.Swap(nil); old != nil {
		r.s.log.Info("the snapshot that was refused is not asked for any more", "file", old.offer.Path, "snapshot", r.s.snap.Load().ref.ID)
	}
}

// refuse takes down that a candidate is not served, and returns why. It says so
// in the log when that is news.
func (r *reloader) refuse(offer Offer, err error) error {
	before := r.refused.Load()
	now := refusalAfter(before, offer, err, r.s.clock.now())
	r.refused.Store(now)
	r.s.metrics.candidates.WithLabelValues(now.reason).Inc()
	if before == nil || before.reason != now.reason || before.offer.Path != offer.Path {
		r.s.log.Error("snapshot refused; the one before is served on", "reason", now.reason, "error", err.Error(),
			"source", r.source.String(), "file", offer.Path, "serving", r.s.snap.Load().ref.ID)
	}
	return err
}

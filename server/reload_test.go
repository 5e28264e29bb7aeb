package server

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"coverd/index"
	"coverd/index/generations"
)

var swapCount = flag.Int("swap.count", 60, "swaps over which memory must stay as it is")

// lines is a log for tests.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), s)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// until waits for something that happens without being waited for: as long as
// the slowest machine may take, which is told apart from never by its patience.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 24_000 {
		if so() {
			return
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%s: not in two minutes", what)
}

// leavesNothing takes down what goroutines there are. The check wants there to be
// no others, for which it waits a few seconds.
func leavesNothing(t *testing.T, but ...goleak.Option) (check func()) {
	t.Helper()
	but = append(but, goleak.IgnoreCurrent())
	return func() {
		t.Helper()
		var left error
		for range 20 { // each waits half a second
			if left = goleak.Find(but...); left == nil {
				return
			}
		}
		t.Error(left)
	}
}

// request asks the admin listener.
func request(t *testing.T, method, addr, path string, headers ...string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A generation that is made active, by whomever, is served: the directory is
// watched.
func TestNewGenerationIsNoticed(t *testing.T) {
	c := newCanaries(t, 2, 1)
	s := serve(t, c.open(t, Options{ReloadInterval: time.Hour}))
	for i := range 6 {
		g := c.list[(i+1)%2]
		c.locked(t, func(l *generations.Lock) {
			if _, err := l.Activate(g.Name); err != nil {
				t.Fatal(err)
			}
		})
		until(t, "activation "+g.Name, func() bool { return strings.HasPrefix(s.Snapshot().ID(), g.ID) })
	}
	if n := s.reloads.swaps.Load(); n != 6 {
		t.Errorf("%d swaps", n)
	}
}

// Events get lost: without any, the clock does it.
func TestNewGenerationIsNoticedWithoutEvents(t *testing.T) {
	c := newCanaries(t, 2, 1)
	s := serve(t, c.open(t, Options{ReloadInterval: 20 * time.Millisecond}))
	if err := os.Rename(c.path, c.path+"-away"); err != nil { // what was watched is gone
		t.Fatal(err)
	}
	if err := os.CopyFS(c.path, os.DirFS(c.path+"-away")); err != nil {
		t.Fatal(err)
	}
	c.locked(t, func(l *generations.Lock) {
		if _, err := l.Activate(c.list[1].Name); err != nil {
			t.Fatal(err)
		}
	})
	until(t, "activation", func() bool { return strings.HasPrefix(s.Snapshot().ID(), c.list[1].ID) })
}

// What is served already is not read again, by whichever name it comes.
func TestSameSnapshotIsNotReadAgain(t *testing.T) {
	c := newCanaries(t, 1, 1)
	s := c.open(t, Options{})
	took := s.reloads.openTook.Load()
	for range 3 {
		if result, err := s.reloads.look(t.Context(), true); result != lookUnchanged || err != nil {
			t.Fatal(result, err)
		}
	}
	// Not even if it could not be.
	if err := os.Truncate(c.dir.Path(c.list[0]), 0); err != nil {
		t.Fatal(err)
	}
	if result, err := s.reloads.look(t.Context(), true); result != lookUnchanged || err != nil {
		t.Error(result, err)
	}
	if s.reloads.openTook.Load() != took || s.reloads.swaps.Load() != 0 {
		t.Error("it was opened")
	}

	path := filepath.Join(t.TempDir(), "one.snap")
	replace := func(file []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(c.files[0])
	f, err := Open(FileSource(path), Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := f.Snapshot()
	replace(c.files[0])
	if result, err := f.reloads.look(t.Context(), false); result != lookUnchanged || err != nil || f.Snapshot() != first {
		t.Error("the same file by another: ", result, err)
	}
	other, err := canaryFile(7, 1)
	if err != nil {
		t.Fatal(err)
	}
	replace(other)
	if result, err := f.reloads.look(t.Context(), false); result != lookSwapped || err != nil || f.Snapshot() == first {
		t.Error("another file: ", result, err)
	}
}

// Many signals at once are one or two looks.
func TestSignalsCoalesce(t *testing.T) {
	c := newCanaries(t, 1, 1)
	s := c.open(t, Options{})
	for range 1000 {
		s.Reload() // which does not wait, though nobody listens
	}
	if n := len(s.reloads.signals); n != 1 {
		t.Errorf("%d looks to come", n)
	}
	plain, err := New(s.Snapshot(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	plain.Reload() // nothing to look at
}

// bad are candidates that nobody may serve, with the reason.
func bad(t *testing.T, good []byte) map[string]struct {
	reason string
	file   []byte
} {
	t.Helper()
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[(len(b)+at)%len(b)] ^= 4
		return b
	}
	list := map[string]struct {
		reason string
		file   []byte
	}{
		"empty":           {reasonDamaged, nil},
		"text":            {reasonDamaged, []byte("<html>404 Not Found</html>")},
		"cut":             {reasonDamaged, good[:len(good)/2]},
		"last byte gone":  {reasonDamaged, good[:len(good)-1]},
		"longer":          {reasonDamaged, append(bytes.Clone(good), 0)},
		"header":          {reasonDamaged, flip(20)},
		"middle":          {reasonDamaged, flip(len(good) / 2)},
		"digest":          {reasonDamaged, flip(-1)},
		"another version": {reasonVersion, flip(8)},
	}
	corpus, err := filepath.Glob("../index/testdata/bad/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range corpus {
		if file, err := os.ReadFile(path); err == nil {
			list[filepath.Base(path)] = struct {
				reason string
				file   []byte
			}{"", file}
		}
	}
	return list
}

// A bad candidate is refused, told once, counted and shown, and never served,
// while questions are answered from the snapshot before.
func TestBadCandidates(t *testing.T) {
	c := newCanaries(t, 2, 1)
	var log lines
	s := serve(t, c.open(t, Options{Log: log.logger(), ReloadInterval: time.Hour}))
	w := c.watch()
	done := make(chan struct{})
	wait := w.load(t, s.public, 2, 0, 0, done)
	serving := s.Snapshot().ID()
	path := c.dir.Path(c.list[1])
	// The pointer says what build has checked: only afterwards does it go bad.
	point := func() {
		c.locked(t, func(l *generations.Lock) {
			if _, err := l.Activate(c.list[1].Name); err != nil {
				t.Fatal(err)
			}
		})
	}
	put := func(file []byte) {
		if err := os.WriteFile(path+".tmp", file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.reloads.take(t.Context()); err != nil { // nobody looks meanwhile
		t.Fatal(err)
	}
	point()
	put(nil)
	s.reloads.done()
	for name, b := range bad(t, c.files[1]) {
		before := log.count("snapshot refused")
		put(b.file)
		status, body := request(t, "POST", s.admin, "/snapshots/reload")
		if status != 422 || !strings.Contains(body, `"result": "refused"`) || !strings.Contains(body, serving) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		refused := s.reloads.refused.Load()
		if refused == nil || b.reason != "" && refused.reason != b.reason {
			t.Errorf("%s: refused as %+v, want %s", name, refused, b.reason)
			continue
		}
		counted := testutil.ToFloat64(s.metrics.candidates.WithLabelValues(refused.reason))
		if counted == 0 || s.Snapshot().ID() != serving {
			t.Errorf("%s: counted %v, serving %s", name, counted, s.Snapshot().ID())
		}
		if status, body := request(t, "GET", s.admin, "/readyz?verbose"); status != 200 || !strings.Contains(body, "[-] refused since") || !strings.Contains(body, "("+refused.reason+")") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		for range 3 { // nothing has changed: no news, and the file is not read
			attempts := s.reloads.refused.Load().attempts
			if _, err := s.reloads.look(t.Context(), false); err == nil || s.reloads.refused.Load().attempts != attempts {
				t.Errorf("%s again: %v", name, err)
			}
		}
		if after := log.count("snapshot refused"); after > before+1 {
			t.Errorf("%s: %d lines in the log", name, after-before)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, "POST", s.admin, "/snapshots/reload"); status != 422 || s.Snapshot().ID() != serving {
		t.Errorf("removed: %d %s", status, body)
	}
	// Mended, it is served.
	put(c.files[1])
	if status, body := request(t, "POST", s.admin, "/snapshots/reload"); status != 200 || !strings.Contains(s.Snapshot().ID(), c.list[1].ID) || s.reloads.refused.Load() != nil {
		t.Errorf("mended: %d %s", status, body)
	}
	// One that is whole and another's.
	request(t, "POST", s.admin, "/snapshots/rollback")
	if err := s.reloads.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	point()
	put(c.files[0])
	s.reloads.done()
	if status, body := request(t, "POST", s.admin, "/snapshots/reload"); status != 422 || s.reloads.refused.Load().reason != reasonMisnamed {
		t.Errorf("misnamed: %d %s", status, body)
	}
	// Gone back to what is served, there is nothing to refuse.
	c.locked(t, func(l *generations.Lock) {
		if _, err := l.Rollback(); err != nil {
			t.Fatal(err)
		}
	})
	until(t, "the end of the refusal", func() bool { return s.reloads.refused.Load() == nil && s.Snapshot().ID() == serving })
	close(done)
	if asked := wait(); asked < 10 {
		t.Errorf("%d requests meanwhile", asked)
	}
	if n := log.count("snapshot refused"); n < 3 {
		t.Errorf("%d refusals in the log:\n%s", n, &log)
	}
}

// A file that changes for the worse again and again is read ever less often; a
// candidate of another name at once.
func TestBackOff(t *testing.T) {
	begin := noon
	file := func(path string, size int) Offer {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return Offer{Path: path, file: info}
	}
	a, changed, other := file("a", 1), file("a", 2), file("b", 1)
	var r *refusal
	if r.holds(&a, begin) {
		t.Error("without a refusal one is held back")
	}
	r = refusalAfter(r, a, index.ErrCorrupt, begin)
	for _, c := range []struct {
		offer *Offer
		after time.Duration
		want  bool
	}{
		{&a, time.Hour, true}, // it stays damaged
		{&changed, time.Second - 1, true},
		{&changed, time.Second, false},
		{&other, 0, false},
	} {
		if got := r.holds(c.offer, begin.Add(c.after)); got != c.want {
			t.Errorf("%+v after %v: held back %v", c.offer, c.after, got)
		}
	}
	r = refusalAfter(r, a, os.ErrPermission, begin)
	if r.reason != reasonUnreadable || !r.holds(&a, begin.Add(2*time.Second-1)) || r.holds(&a, begin.Add(2*time.Second)) {
		t.Errorf("what cannot be read is not tried again: %+v", r)
	}
	for range 40 {
		r = refusalAfter(r, changed, index.ErrCorrupt, begin)
	}
	if got := r.retry.Sub(begin); got != retryMost || r.attempts != 42 {
		t.Errorf("after %d attempts the next in %v", r.attempts, got)
	}
	if r = refusalAfter(r, other, index.ErrCorrupt, begin); r.retry.Sub(begin) != retryLeast {
		t.Errorf("another: %+v", r)
	}
}

// The server takes no more memory after many swaps than after a few, and
// leaves nothing running.
func TestMemoryStaysFlatOverSwaps(t *testing.T) {
	defer leavesNothing(t)()
	n := int(fewer(int64(*swapCount)))
	c := newCanaries(t, 2, 200) // some 24,000 premises
	s := c.open(t, Options{})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.reloads.run(ctx) })
	one := s.Snapshot().Info().Memory
	heap := func() (bytes uint64) {
		var m runtime.MemStats
		until(t, "collection", s.reloads.collected)
		debug.FreeOSMemory()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	paths := canaryPaths()
	var early, late uint64
	var collected atomic.Int64
	var routines int
	for i := range n {
		func() {
			// Whoever looked through a weak pointer would keep it for another round.
			runtime.AddCleanup(s.Snapshot(), func(n *atomic.Int64) { n.Add(1) }, &collected)
			for _, path := range paths[i%10*10 : i%10*10+10] {
				s.Answer("GET", path)
			}
			if _, err := s.reloads.change(ctx, s.reloads.source.(*DirSource), func(l *generations.Lock) (generations.Generation, error) {
				return l.Activate(c.list[(i+1)%2].Name)
			}); err != nil {
				t.Fatal(err)
			}
		}()
		until(t, fmt.Sprintf("the end of old snapshot %d", i), func() bool { return collected.Load() == int64(i+1) })
		switch i {
		case n / 5:
			early, routines = heap(), runtime.NumGoroutine()
		case n - 1:
			late = heap()
			if got := runtime.NumGoroutine(); got > routines {
				t.Errorf("%d goroutines, %d before", got, routines)
			}
		}
	}
	stop()
	wg.Wait()
	t.Logf("a snapshot of %d bytes; heap %d after %d swaps, %d after %d", one, early, n/5+1, late, n)
	if late > early+uint64(one)/10+256<<10 {
		t.Errorf("the heap has grown from %d to %d bytes in %d swaps", early, late, n)
	}
}

// At the start yesterday's answers are better than none.
func TestStartWithADamagedGeneration(t *testing.T) {
	c := newCanaries(t, 2, 1)
	c.locked(t, func(l *generations.Lock) {
		if _, err := l.Activate(c.list[1].Name); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.Truncate(c.dir.Path(c.list[1]), 1000); err != nil {
		t.Fatal(err)
	}
	var log lines
	s := c.open(t, Options{Log: log.logger()})
	if !strings.HasPrefix(s.Snapshot().ID(), c.list[0].ID) || s.reloads.refused.Load() == nil || log.count("snapshot refused") != 1 {
		t.Errorf("serving %s:\n%s", s.Snapshot().ID(), &log)
	}
	if _, err := s.reloads.look(t.Context(), false); err == nil || log.count("snapshot refused") != 1 {
		t.Errorf("%v\n%s", err, &log)
	}
	if err := os.Truncate(c.dir.Path(c.list[0]), 1000); err != nil {
		t.Fatal(err)
	}
	source, err := NewDirSource(c.path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(source, Options{}); err == nil || !strings.Contains(err.Error(), c.list[0].Name) || !strings.Contains(err.Error(), c.list[1].Name) {
		t.Errorf("both damaged: %v", err)
	}
}

// What the operator has had served goes like any other when it is replaced.
func TestChangedToIsCollected(t *testing.T) {
	c := newCanaries(t, 2, 1)
	s := c.open(t, Options{})
	if result, err := s.reloads.change(t.Context(), s.reloads.source.(*DirSource), func(l *generations.Lock) (generations.Generation, error) {
		return l.Activate(c.list[1].Name)
	}); err != nil || result != lookSwapped {
		t.Fatal(result, err)
	}
	c.locked(t, func(l *generations.Lock) {
		if _, err := l.Activate(c.list[0].Name); err != nil {
			t.Fatal(err)
		}
	})
	if result, err := s.reloads.look(t.Context(), true); err != nil || result != lookSwapped {
		t.Fatal(result, err)
	}
	until(t, "the one in between to be out of memory", func() bool {
		runtime.GC()
		return s.reloads.collected()
	})
	runtime.KeepAlive(s)
}

package server

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"
)

var (
	swapRequests = flag.Int64("swap.requests", 20_000, "requests asked while snapshots are swapped; a third under -race or -short")
	swapEvery    = flag.Duration("swap.every", 3*time.Millisecond, "pause between two swaps")
)

// fewer is a third of n where tests should be short.
func fewer(n int64) int64 {
	if testing.Short() || underRace {
		return n / 3
	}
	return n
}

// asker asks over a connection of its own, once each: what fails is not asked
// again in silence.
type asker struct {
	client *fasthttp.HostClient
	req    fasthttp.Request
	resp   fasthttp.Response
	rng    *rand.Rand
	unzstd *zstd.Decoder
	tags   map[string]string // last ETag by path
}

func newAsker(t testing.TB, addr string, seed uint64) *asker {
	t.Helper()
	unzstd, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return &asker{
		client: &fasthttp.HostClient{Addr: addr, MaxConns: 1, MaxIdemponentCallAttempts: 1, ReadTimeout: 20 * time.Second},
		rng:    rand.New(rand.NewPCG(seed, 0)), unzstd: unzstd, tags: map[string]string{},
	}
}

// ask asks for a path, perhaps compressed, perhaps only if it has changed.
func (a *asker) ask(path string) (status int, id, etag, given string, body []byte, err error) {
	a.req.Reset()
	a.req.SetRequestURI("http://" + a.client.Addr + path)
	if coding := []string{"", "gzip", "zstd"}[a.rng.IntN(3)]; coding != "" {
		a.req.Header.Set("Accept-Encoding", coding)
	}
	if a.rng.IntN(3) == 0 {
		given = a.tags[path]
		a.req.Header.Set("If-None-Match", given)
	}
	if err := a.client.Do(&a.req, &a.resp); err != nil {
		return 0, "", "", "", nil, err
	}
	body = a.resp.Body()
	switch coding := string(a.resp.Header.ContentEncoding()); {
	case coding == "gzip" && len(body) > 0:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(r)
		}
	case coding == "zstd" && len(body) > 0:
		body, err = a.unzstd.DecodeAll(body, nil)
	}
	etag = string(a.resp.Header.Peek("ETag"))
	a.tags[path] = etag
	return a.resp.StatusCode(), string(a.resp.Header.Peek("Coverd-Snapshot")), etag, given, body, err
}

// watcher holds answers against what they must be.
type watcher struct {
	*canaries
	seed  maphash.Seed
	kinds [600]atomic.Int64 // answers by status
	mu    sync.Mutex
	tags  map[string]uint64 // hash of the body that a path and ETag have
	seen  map[string]int    // answers by snapshot
}

func (c *canaries) watch() *watcher {
	return &watcher{canaries: c, seed: maphash.MakeSeed(), tags: map[string]uint64{}, seen: map[string]int{}}
}

// check asks for a path and says what is wrong with the answer.
func (w *watcher) check(a *asker, path string) error {
	status, id, etag, given, body, err := a.ask(path)
	if err != nil {
		return fmt.Errorf("GET %s: failed: %w", path, err)
	}
	w.kinds[status].Add(1)
	wrong := ""
	switch {
	case status == 304:
		if etag != given || len(body) > 0 || len(etag) < len(id) || etag[1:1+len(id)] != id {
			wrong = fmt.Sprintf("ETag %s given, %s and %d bytes come back", given, etag, len(body))
		}
	case status != 200 && status != 400:
		wrong = "failed"
	case given == etag && status == 200 && given != "":
		wrong = "it has not changed"
	case len(etag) < len(id) || etag[1:1+len(id)] != id:
		wrong = "the ETag is another snapshot's"
	default:
		wrong = w.mixes(id, status, body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[id]++
	if key := path + etag; wrong == "" && status != 304 {
		sum := maphash.Bytes(w.seed, body)
		if before, ok := w.tags[key]; ok && before != sum {
			wrong = "the ETag had another body"
		}
		w.tags[key] = sum
	}
	if wrong != "" {
		return fmt.Errorf("GET %s: %d, snapshot %s, ETag %s: %s: %.300s", path, status, id, etag, wrong, body)
	}
	return nil
}

// load asks until n requests have been answered, of which some from each of so
// many snapshots, or for ever where n is 0, and done is closed.
func (w *watcher) load(t *testing.T, addr string, clients int, n int64, snapshots int, done <-chan struct{}) (wait func() int64) {
	t.Helper()
	var wg sync.WaitGroup
	var asked atomic.Int64
	paths := canaryPaths()
	for k := range clients {
		wg.Go(func() {
			a := newAsker(t, addr, uint64(k))
			defer a.client.CloseIdleConnections()
			for n == 0 || asked.Load() < n || !t.Failed() && w.snapshots() < snapshots {
				select {
				case <-done:
					return
				default:
				}
				asked.Add(1)
				if err := w.check(a, paths[a.rng.IntN(len(paths))]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() int64 {
		wg.Wait()
		return asked.Load()
	}
}

// snapshots is how many have been answered from.
func (w *watcher) snapshots() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// post asks the admin listener for a change.
func post(addr, path string) error {
	resp, err := http.Post("http://"+addr+path, "", nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %s: %s", path, resp.Status, body)
	}
	return nil
}

// However often snapshots are swapped, no request fails, none is answered from
// two of them, and no ETag has two bodies.
func TestSwapUnderLoad(t *testing.T) {
	n := fewer(*swapRequests)
	c := newCanaries(t, 3, 5)
	s := serve(t, c.open(t, Options{Now: func() time.Time { return noon }}))
	w := c.watch()
	done := make(chan struct{})
	wait := w.load(t, s.public, 4, n, len(c.list), done)
	var swapper sync.WaitGroup
	swaps := 0
	swapper.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(*swapEvery):
			}
			if err := post(s.admin, "/snapshots/"+c.list[i%len(c.list)].ID+"/activate"); err != nil {
				t.Error(err)
				return
			}
			swaps++
		}
	})
	asked := wait()
	close(done)
	swapper.Wait()
	t.Logf("%d requests, %d swaps; 200: %d, 304: %d, 400: %d; of each snapshot %v", asked, swaps, w.kinds[200].Load(), w.kinds[304].Load(), w.kinds[400].Load(), w.seen)
	if asked < n && !t.Failed() || w.kinds[304].Load() == 0 || w.kinds[400].Load() == 0 || len(w.seen) != len(c.list) {
		t.Error("that is less than was to be asked")
	}
	if got := s.reloads.swaps.Load(); got != int64(swaps) {
		t.Errorf("%d swaps counted", got)
	}
}

// What the test above would find, it finds: an answer under another snapshot's
// name, or with a part of another's.
func TestMixesAreFound(t *testing.T) {
	c := newCanaries(t, 2, 1)
	s := c.open(t, Options{Now: func() time.Time { return noon }})
	first, other := s.Snapshot().ID(), ""
	for id := range c.number {
		if id != first {
			other = id
		}
	}
	for _, path := range canaryPaths() {
		status, _, body := s.Answer("GET", path)
		if wrong := c.mixes(first, status, body); wrong != "" {
			t.Errorf("GET %s: %s", path, wrong)
		}
		if c.mixes(other, status, body) == "" {
			t.Errorf("GET %s: taken for another's", path)
		}
		if renamed := bytes.ReplaceAll(body, []byte(first), []byte(other)); c.mixes(other, status, renamed) == "" {
			t.Errorf("GET %s: taken for another's with its name", path)
		}
		if part := bytes.Replace(body, []byte("canary-0"), []byte("canary-1"), 1); status == 200 && c.mixes(first, status, part) == "" {
			t.Errorf("GET %s: a part of another's is not found", path)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coverd/server/api"
)

// TestKilledLedgers: whenever a server is killed while service requests are made,
// cancelled and answered again, every one that was acknowledged is there once, as
// it was acknowledged, and the others are whole or not there at all. Each can be
// sent again with its key, and is one request.
func TestKilledLedgers(t *testing.T) {
	notUnderRace(t)
	n, d, list := twoNights(t)
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 2))
	acknowledged := map[string]string{} // own references by reference, of all rounds
	ended := map[string]int{}
	for round := range wantKills() {
		s := startServer(t, n.snapshots())
		c := &crowd{s: s, party: fmt.Sprint("Round ", round), sent: map[string]*sentRequest{}}
		if round%2 == 1 {
			active, err := d.Active()
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range list {
				if g.Name != active.Name {
					activate(t, d, g) // and what is open is answered again
				}
			}
		}
		delay := time.Duration(rng.Int64N(int64(300 * time.Millisecond)))
		c.press(t, func() {
			<-time.After(delay)
			s.kill()
		})

		s = startServer(t, n.snapshots())
		c.s = s
		c.check(t, ended)
		for own, r := range c.sent {
			acknowledged[r.reference] = own
		}
		s.kill()
		if t.Failed() {
			t.Fatalf("round %d, killed after %v", round, delay)
		}
	}
	s := startServer(t, n.snapshots())
	made := map[string]int{}
	for next := "/v1/service-requests/changes?limit=500"; next != ""; {
		var page api.ServiceRequestChanges
		s.asked(t, "GET", next, "", "", &page)
		for _, e := range page.Changes {
			if e.Was == "" {
				made[e.Reference]++
				if acknowledged[e.Reference] != string(e.OwnReference) {
					t.Errorf("%s is %q, and was acknowledged as %q", e.Reference, e.OwnReference, acknowledged[e.Reference])
				}
			}
		}
		next = string(page.Next)
	}
	for ref := range acknowledged {
		if made[ref] != 1 {
			t.Errorf("%s was made %d times", ref, made[ref])
		}
	}
	if len(acknowledged) == 0 || len(made) != len(acknowledged) {
		t.Errorf("%d requests were made, %d acknowledged", len(made), len(acknowledged))
	}
	t.Logf("%d servers killed: %v", wantKills(), ended)
}

// crowd makes and cancels service requests at a server, all at once.
type crowd struct {
	s     *aServer
	party string

	mu   sync.Mutex
	sent map[string]*sentRequest // by own reference
}

// sentRequest is a request that was sent, and what was heard of it.
type sentRequest struct {
	body      string
	reference string // "": it was not acknowledged
	cancel    bool   // it was sent to be cancelled
	cancelled bool   // and that was acknowledged
}

// press has the crowd at work until the server is killed.
func (c *crowd) press(t *testing.T, kill func()) {
	t.Helper()
	var wg sync.WaitGroup
	for client := range 6 {
		wg.Go(func() {
			for i := 0; ; i++ {
				own := fmt.Sprintf("%s %d-%d", c.party, client, i)
				r := &sentRequest{body: fmt.Sprintf(`{"latitude":51.24%d,"longitude":-0.58%d,"postcode":"GU1 1AB","party":%q,"own_reference":%q}`, i%10, client, c.party, own)}
				c.mu.Lock()
				c.sent[own] = r
				c.mu.Unlock()
				var a api.ServiceRequest
				if status, err := c.s.ask("POST", api.ServiceRequestPath, r.body, keyOf(own), &a); err != nil {
					return // it was killed
				} else if status != http.StatusCreated {
					t.Errorf("%s: status %d", own, status)
					return
				}
				r.reference = a.Reference
				if i%2 == 0 {
					continue
				}
				r.cancel = true
				if status, err := c.s.ask("POST", api.ServiceRequestPath+"/"+r.reference+"/cancel", "", "", &a); err != nil {
					return
				} else if status != http.StatusOK || a.Status != "closed" {
					t.Errorf("%s: cancelled, status %d, %s", own, status, a.Status)
					return
				}
				r.cancelled = true
			}
		})
	}
	kill()
	wg.Wait()
}

func keyOf(own string) string { return strings.ReplaceAll(own, " ", "-") }

// check compares what is there with what was acknowledged, sends everything
// again, and cancels it.
func (c *crowd) check(t *testing.T, ended map[string]int) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range c.list(t) {
		own := string(a.Query.OwnReference)
		r := c.sent[own]
		switch {
		case r == nil || seen[own]:
			t.Errorf("%s is there, which was not sent, or sent once: %+v", own, a)
			continue
		case r.reference != "" && r.reference != a.Reference:
			t.Errorf("%s was acknowledged as %s, and is there as %s", own, r.reference, a.Reference)
		case r.cancelled && a.Status != "closed", !r.cancel && a.Status == "closed":
			t.Errorf("%s is %s: %+v", own, a.Status, *r)
		}
		seen[own] = true
		if r.reference == "" {
			ended["not acknowledged, and there"]++
		}
		if r.cancel && !r.cancelled {
			ended["cancelled, and not acknowledged: "+a.Status]++
		}
	}
	var wg sync.WaitGroup
	turns := make(chan struct{}, 8)
	for own, r := range c.sent {
		if r.reference != "" && !seen[own] {
			t.Errorf("%s was acknowledged as %s, and is not there", own, r.reference)
		}
		ended["sent"]++
		if r.reference == "" && !seen[own] {
			ended["not acknowledged, and not there"]++
		}
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			var a api.ServiceRequest
			status, err := c.s.ask("POST", api.ServiceRequestPath, r.body, keyOf(own), &a)
			if want := map[bool]int{true: http.StatusOK, false: http.StatusCreated}[seen[own]]; err != nil || status != want {
				t.Errorf("%s, sent again: %d %v, want %d", own, status, err, want)
			}
			if r.reference != "" && a.Reference != r.reference || len(a.Answer) == 0 || len(a.History) != a.Answers || a.Region.Name != "South" {
				t.Errorf("%s, sent again: %+v; was %s", own, a, r.reference)
			}
			r.reference = a.Reference
			if status, err := c.s.ask("POST", api.ServiceRequestPath+"/"+a.Reference+"/cancel", "", "", &a); err != nil || a.Status != "closed" {
				t.Errorf("%s, cancelled: %d %v %s", own, status, err, a.Status)
			}
		})
	}
	wg.Wait()
	if got := c.list(t); len(got) != len(c.sent) {
		t.Errorf("%d were sent, and %d are there", len(c.sent), len(got))
	}
}

// list lists what is there of the crowd's, page by page.
func (c *crowd) list(t *testing.T) (list []api.ServiceRequest) {
	t.Helper()
	for next := api.ServiceRequestPath + "?limit=50&party=" + strings.ReplaceAll(c.party, " ", "%20"); next != ""; {
		var page api.ServiceRequestList
		c.s.asked(t, "GET", next, "", "", &page)
		list = append(list, page.ServiceRequests...)
		next = string(page.Next)
	}
	return list
}

// ask asks the server, and decodes its answer.
func (s *aServer) ask(method, uri, body, key string, v any) (status int, err error) {
	req, err := http.NewRequest(method, "http://"+s.public+uri, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, json.Unmarshal(text, v)
}

// asked is ask for what must be answered with 200.
func (s *aServer) asked(t *testing.T, method, uri, body, key string, v any) {
	t.Helper()
	if status, err := s.ask(method, uri, body, key, v); err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: %d %v", method, uri, status, err)
	}
}

// TestServesWithoutLedger: whatever is the matter with the ledger, the server
// starts, answers, says so, and leaves the files as they are.
func TestServesWithoutLedger(t *testing.T) {
	notUnderRace(t)
	n := newNights(t)
	n.build(t).run(t)
	path := filepath.Join(n.snapshots(), "requests.db")
	s := startServer(t, n.snapshots())
	const body = `{"latitude":51.245,"longitude":-0.585}`
	for range 3 {
		var a api.ServiceRequest
		if status, err := s.ask("POST", api.ServiceRequestPath, body, "", &a); err != nil || status != http.StatusCreated {
			t.Fatal(status, err)
		}
	}
	s.kill()
	files := map[string][]byte{}
	for _, ending := range []string{"", "-wal", "-acknowledged"} {
		content, err := os.ReadFile(path + ending)
		if err != nil {
			t.Fatal(err)
		}
		files[ending] = content
	}
	flipped := bytes.Clone(files["-wal"])
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		state   string
		damaged map[string][]byte
	}{
		"the log altered":    {"damaged", map[string][]byte{"": files[""], "-wal": flipped}},
		"the log gone":       {"damaged", map[string][]byte{"": files[""]}},
		"garbage":            {"damaged", map[string][]byte{"": bytes.Repeat([]byte("garbage"), 1000)}},
		"all gone":           {"damaged", nil},
		"a directory":        {"failed", map[string][]byte{"/": nil}},
		"the database empty": {"damaged", map[string][]byte{"": {}, "-wal": files["-wal"]}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, ending := range []string{"", "-wal", "-shm"} {
				if err := os.RemoveAll(path + ending); err != nil {
					t.Fatal(err)
				}
			}
			for ending, content := range c.damaged {
				write := func() error { return os.WriteFile(path+ending, content, 0o666) }
				if ending == "/" {
					write = func() error { return os.Mkdir(path, 0o777) }
				}
				if err := write(); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path+"-acknowledged", files["-acknowledged"], 0o666); err != nil {
				t.Fatal(err)
			}
			s := startServer(t, n.snapshots())
			defer s.kill()
			var p api.Problem
			resp, err := http.Post("http://"+s.public+api.ServiceRequestPath, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || json.Unmarshal(text, &p) != nil || resp.StatusCode != http.StatusServiceUnavailable || p.Code != api.LedgerUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("%v %s %v %s", err, resp.Status, resp.Header, text)
			}
			for _, uri := range []string{"/v1/postcodes/GU11AB", "/v1/locations?latitude=51.245&longitude=-0.585", "/v1/snapshot"} {
				var a any
				s.asked(t, "GET", uri, "", "", &a)
			}
			for uri, want := range map[string]string{
				"/readyz?verbose": "service requests are refused", "/metrics": `coverd_ledger_state{state="` + c.state + `"} 1`,
			} {
				resp, err := http.Get("http://" + s.admin + uri)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
					t.Errorf("GET %s: %v %s lacks %s:\n%s", uri, err, resp.Status, want, text)
				}
			}
			for ending, content := range c.damaged {
				if ending == "/" {
					continue
				}
				if now, err := os.ReadFile(path + ending); err != nil || !bytes.Equal(now, content) {
					t.Errorf("%q was altered: %v", ending, err)
				}
			}
		})
	}
}

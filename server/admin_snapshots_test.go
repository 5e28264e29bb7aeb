package server

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"coverd/index/generations"
)

// The admin listener tells which generations there are, and goes back and
// forth between them.
func TestSnapshotsAtTheAdminListener(t *testing.T) {
	c := newCanaries(t, 3, 1)
	s := serve(t, c.open(t, Options{ReloadInterval: time.Hour}))
	list := func() (l snapshotList) {
		t.Helper()
		status, body := request(t, "GET", s.admin, "/snapshots")
		if err := json.Unmarshal([]byte(body), &l); status != 200 || err != nil {
			t.Fatalf("%d %v %s", status, err, body)
		}
		return l
	}
	served := func() string {
		for _, g := range list().Generations {
			if g.Served {
				return g.ID
			}
		}
		return ""
	}
	if l := list(); len(l.Generations) != 3 || l.Generations[2].State != generations.Active || !l.Generations[2].Served || *l.Source != c.path || l.Refused != nil || l.Served.Sequence != 1 || len(l.Served.ID) != 32 {
		t.Errorf("%+v", l)
	}
	for _, step := range []struct {
		path   string
		status int
		result string
		serves int
	}{
		{"/snapshots/reload", 200, lookUnchanged, 0},
		{"/snapshots/2/activate", 200, lookSwapped, 1},
		{"/snapshots/" + c.list[1].ID + "/activate", 200, lookUnchanged, 1},
		{"/snapshots/" + c.list[2].Name + "/activate", 200, lookSwapped, 2},
		{"/snapshots/rollback", 200, lookSwapped, 1},
		{"/snapshots/rollback", 200, lookSwapped, 0},
		{"/snapshots/rollback", 409, lookRefused, 0},
		{"/snapshots/99/activate", 404, lookRefused, 0},
		{"/snapshots/nonsense/activate", 404, lookRefused, 0},
	} {
		status, body := request(t, "POST", s.admin, step.path)
		if status != step.status || !strings.Contains(body, fmt.Sprintf(`"result": %q`, step.result)) || served() != c.list[step.serves].ID {
			t.Errorf("POST %s: %d %s; %s is served", step.path, status, body, served())
		}
	}
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Origin", "http://elsewhere.example"},
		{"Origin", "null"},
		{"Origin", "http://" + s.admin}, // a page elsewhere under a name that leads here
	} {
		if status, body := request(t, "POST", s.admin, "/snapshots/2/activate", headers...); status != 403 || served() != c.list[0].ID {
			t.Errorf("from a page, %v: %d %s", headers, status, body)
		}
	}
	for _, path := range []string{"/snapshots/reload", "/snapshots/rollback", "/snapshots/2/activate"} {
		if status, _ := request(t, "GET", s.admin, path); status != 405 {
			t.Errorf("GET %s: %d", path, status)
		}
	}
	// While a build has the directory nobody else changes it.
	c.locked(t, func(*generations.Lock) {
		if status, body := request(t, "POST", s.admin, "/snapshots/2/activate"); status != 409 || !strings.Contains(body, "locked") {
			t.Errorf("while it is locked: %d %s", status, body)
		}
	})
	// What cannot be served is not made active.
	if err := os.WriteFile(c.dir.Path(c.list[1]), []byte("no snapshot"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := request(t, "POST", s.admin, "/snapshots/2/activate"); status != 422 || served() != c.list[0].ID {
		t.Errorf("damaged: %d %s", status, body)
	}
	if g, err := c.dir.Active(); err != nil || g.Name != c.list[0].Name {
		t.Errorf("active: %+v, %v", g, err)
	}
}

// One file has no generations, and says what to do instead.
func TestOneFileHasNoGenerations(t *testing.T) {
	c := newCanaries(t, 1, 1)
	f, err := Open(FileSource(c.dir.Path(c.list[0])), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]serving{"file": serve(t, f), "none": serve(t, testServer(t, Options{}))} {
		for _, path := range []string{"/snapshots/rollback", "/snapshots/2/activate"} {
			if status, body := request(t, "POST", s.admin, path); status != 501 || !strings.Contains(body, "--snapshots DIR") {
				t.Errorf("%s: POST %s: %d %s", name, path, status, body)
			}
		}
		if status, body := request(t, "GET", s.admin, "/snapshots"); status != 200 || !strings.Contains(body, `"generations": null`) || !strings.Contains(body, s.Snapshot().ID()) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		want := map[string]int{"file": 200, "none": 501}[name]
		if status, body := request(t, "POST", s.admin, "/snapshots/reload"); status != want {
			t.Errorf("%s: reload: %d %s", name, status, body)
		}
	}
}

package requests

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

var damages = flag.Int("damage.places", 0, "how many places of each file of a ledger to damage (0: a few)")

// crashed is what a process that was killed leaves of a ledger: its files, and
// what it had acknowledged.
type crashed struct {
	files   map[string][]byte // by the end of their names
	records []*Record
	events  []Event
}

var endings = []string{"", "-wal", "-acknowledged"}

// crash fills a ledger and takes its files away under it: part of it is in the
// database, part in the log.
func crash(t *testing.T) *crashed {
	t.Helper()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "requests.db")
	c := new(crashed)
	l := openLedger(t, path)
	add := func(from, to int) {
		for i := from; i < to; i++ {
			if _, _, err := l.Add(ctx, aRequest(i), anAnswer("one", nil)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(0, 20)
	if err := l.Close(); err != nil { // all of it is in the database
		t.Fatal(err)
	}
	l = openLedger(t, path)
	defer l.Close()
	add(20, 30)
	due, err := l.Outdated(ctx, "two", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range due {
		if _, err := l.Reanswer(ctx, []Reanswer{{rec, *anAnswer("two", func(a *Answer) { a.InExtracts = true })}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := l.Cancel(ctx, due[3].Reference, noon); err != nil {
		t.Fatal(err)
	}
	c.take(t, path)
	if len(c.files["-wal"]) == 0 {
		t.Fatal("there is no log")
	}
	c.records, c.events = c.read(t, l)
	return c
}

// take takes down what is there of a ledger.
func (c *crashed) take(t *testing.T, path string) {
	t.Helper()
	c.files = map[string][]byte{}
	for _, ending := range endings {
		content, err := os.ReadFile(path + ending)
		if err != nil && !(errors.Is(err, fs.ErrNotExist) && ending == "-wal") {
			t.Fatal(err)
		}
		if err == nil {
			c.files[ending] = content
		}
	}
}

// closed is what it leaves when it is told to stop: all of it is in the database.
func (c *crashed) closed(t *testing.T) *crashed {
	t.Helper()
	path := filepath.Join(t.TempDir(), "requests.db")
	for ending, content := range c.files {
		if err := os.WriteFile(path+ending, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := openLedger(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	d := &crashed{records: c.records, events: c.events}
	d.take(t, path)
	if len(d.files["-wal"]) > 0 {
		t.Fatal("there is a log")
	}
	return d
}

func (c *crashed) read(t *testing.T, l Ledger) (recs []*Record, events []Event) {
	t.Helper()
	list, err := l.List(t.Context(), &Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		rec, err := l.Get(t.Context(), r.Reference)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	if events, _, err = l.Events(t.Context(), 0, 1000); err != nil {
		t.Fatal(err)
	}
	return recs, events
}

// try opens a ledger of files. One that opens has all that was acknowledged; of
// one that does not, nothing is altered. It reports whether it opened.
func (c *crashed) try(t *testing.T, what string, files map[string][]byte) (opened bool) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "requests.db")
	for ending, content := range files {
		if err := os.WriteFile(path+ending, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := SQLite(path).openSyncing(t.Context(), nil, "OFF")
	if err == nil {
		defer l.Close()
		recs, events := c.read(t, l)
		if diff := gocmp.Diff(c.records, recs, exported); diff != "" {
			t.Errorf("%s: it opens, and has other requests: %s", what, diff)
		}
		if diff := gocmp.Diff(c.events, events); diff != "" {
			t.Errorf("%s: it opens, and has other events: %s", what, diff)
		}
		return true
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Trouble != Damaged && e.Trouble != Failed {
		t.Errorf("%s: %T %v", what, err, err)
	}
	for ending, content := range files {
		if ending == "-acknowledged" {
			continue
		}
		if now, err := os.ReadFile(path + ending); err != nil || !bytes.Equal(now, content) {
			t.Errorf("%s: it does not open, and %q is not what it was: %v", what, ending, err)
		}
	}
	return false
}

// Wherever the database or its log is cut or altered, a ledger has all that was
// acknowledged, or says that it is damaged.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	c := crash(t)
	for name, c := range map[string]*crashed{"crashed": c, "closed": c.closed(t)} {
		if !c.try(t, name, c.files) {
			t.Fatalf("%s: it does not open", name)
		}
		c.damage(t, name)
	}

	// The note itself tells nothing when it is damaged, and harms nothing.
	for _, note := range []string{"", "x", strings.Repeat("9", 30), string(c.files["-acknowledged"][:25])} {
		files := maps.Clone(c.files)
		files["-acknowledged"] = []byte(note)
		if !c.try(t, "a note of "+note, files) {
			t.Errorf("it does not open with a note of %q", note)
		}
	}
	delete(c.files, "-acknowledged")
	if !c.try(t, "without its note", c.files) {
		t.Error("it does not open without its note")
	}
}

// damage damages each of the files in many ways.
func (c *crashed) damage(t *testing.T, name string) {
	t.Helper()
	n := *damages
	if n == 0 {
		n = 20
	}
	if testing.Short() {
		n = 6
	}
	rng := rand.New(rand.NewPCG(1, 1))
	told := map[string]int{}
	for _, ending := range []string{"", "-wal"} {
		whole := c.files[ending]
		if whole == nil {
			continue
		}
		for i := range n {
			at := rng.IntN(len(whole))
			if i%4 == 0 {
				at = rng.IntN(120) // headers
			}
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << rng.IntN(8)
			zeroed := bytes.Clone(whole)
			clear(zeroed[at/4096*4096 : min(at/4096*4096+4096, len(zeroed))])
			for how, content := range map[string][]byte{"flipped": flipped, "cut": whole[:at], "zeroed": zeroed} {
				files := maps.Clone(c.files)
				files[ending] = content
				opened := c.try(t, fmt.Sprintf("%s: %q %s at %d", name, ending, how, at), files)
				told[fmt.Sprintf("%q %s, opened: %v", ending, how, opened)]++
			}
		}
		files := maps.Clone(c.files)
		delete(files, ending)
		if c.try(t, fmt.Sprintf("without %q", ending), files) {
			t.Errorf("it opens without %q", ending)
		}
	}
	t.Log(name, told)
}

// A row that was altered where SQLite has no checksum is found when it is read.
func TestAlteredRow(t *testing.T) {
	for _, statement := range []string{
		"UPDATE request SET latitude = latitude + 1 WHERE id = 1", "UPDATE request SET status = 'closed'", "UPDATE request SET idempotency_key = 'x' WHERE id = 1",
		"UPDATE answer SET region = 'North'", "UPDATE answer SET state = 'unknown'", "UPDATE event SET status = 'changed'", "DELETE FROM answer",
		"INSERT INTO answer SELECT 99, n, at, snapshot, as_of, on_day, region, region_basis, border, in_extracts, uprn, state, basis, from_day, network, variant, auxiliary, receipt, told, sum, body FROM answer",
		"DELETE FROM mark", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)",
	} {
		path := filepath.Join(t.TempDir(), "requests.db")
		l := openLedger(t, path)
		rec, _, err := l.Add(t.Context(), aRequest(0), anAnswer("one", nil))
		if err != nil {
			t.Fatal(err)
		}
		inner, ok := l.(*sqliteLedger)
		if !ok {
			t.Fatal("not of SQLite")
		}
		if _, err := inner.db.ExecContext(t.Context(), "PRAGMA foreign_keys = OFF"); err != nil {
			t.Fatal(err)
		}
		if _, err := inner.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
		if strings.Contains(statement, "request SET latitude") {
			if _, err := l.Get(t.Context(), rec.Reference); TroubleOf(err) != Damaged {
				t.Errorf("%s: read as %v", statement, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		want := Damaged
		if strings.Contains(statement, "goose") {
			want = Newer
		}
		if l, err := SQLite(path).openSyncing(t.Context(), nil, "OFF"); TroubleOf(err) != want {
			t.Errorf("%s: opened with %v", statement, err)
			if l != nil {
				l.Close()
			}
		}
	}
}

// keep keeps a ledger in a file until the test ends.
func keep(t *testing.T, path string) *Keeper {
	t.Helper()
	k := NewKeeper(SQLite(path), nil, func(Condition) {})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		k.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return k
}

func addTo(k *Keeper, i int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return k.Write(ctx, func(l Ledger) error {
		_, _, err := l.Add(ctx, aRequest(i), anAnswer("one", nil))
		return err
	})
}

func troubleWith(t *testing.T, err error) Trouble {
	t.Helper()
	e, ok := errors.AsType[*Unavailable](err)
	if !ok {
		t.Fatalf("%T %v", err, err)
	}
	return e.Trouble
}

// until waits for something that comes about by itself.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for begin := time.Now(); !f(); <-time.After(5 * time.Millisecond) {
		if time.Since(begin) > 2*time.Minute {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// A ledger that is full or locked refuses what is written meanwhile, and takes it
// afterwards; one that was lost is refused until it is back.
func TestKeeper(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "requests.db")
	k := keep(t, path)
	if err := addTo(k, 0); err != nil {
		t.Fatal(err)
	}
	pragma := func(statement string) {
		t.Helper()
		if err := k.Read(t.Context(), func(l Ledger) error {
			inner, ok := l.(*sqliteLedger)
			if !ok {
				return errors.New("not of SQLite")
			}
			var answer any
			return inner.db.QueryRowContext(t.Context(), statement).Scan(&answer)
		}); err != nil {
			t.Fatal(err)
		}
	}
	pragma("PRAGMA max_page_count = 1") // or what it has already
	i, err := 0, error(nil)
	for err == nil && i < 1000 {
		i++
		err = addTo(k, i)
	}
	if troubleWith(t, err) != Full || k.Condition().Trouble != Full {
		t.Fatal(err, k.Condition())
	}
	pragma("PRAGMA max_page_count = 1000000")
	if err := addTo(k, i); err != nil || k.Condition().Trouble != "" {
		t.Fatal(err, k.Condition())
	}

	other, err := sql.Open("sqlite", source(path, "_txlock=immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	i++
	if err := addTo(k, i); troubleWith(t, err) != Locked {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := addTo(k, i); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	// All that was acknowledged is there, each once.
	if err := k.Read(t.Context(), func(l Ledger) error {
		list, err := l.List(t.Context(), &Filter{Limit: 2000})
		if len(list) != i+1 {
			t.Errorf("%d requests, want %d", len(list), i+1)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A damaged ledger stays refused, untouched, until a good one is put in its place.
func TestKeeperFindsARestoredLedger(t *testing.T) {
	t.Parallel()
	c := crash(t)
	path := filepath.Join(t.TempDir(), "requests.db")
	garbage := bytes.Repeat([]byte("garbage "), 1000)
	if err := os.WriteFile(path, garbage, 0o600); err != nil {
		t.Fatal(err)
	}
	k := keep(t, path)
	if err := addTo(k, 100); troubleWith(t, err) != Damaged {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, garbage) {
		t.Fatal("the file was altered", err)
	}
	for ending, content := range c.files {
		if err := os.WriteFile(path+ending+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, ending := range []string{"-wal", "-acknowledged", ""} {
		if err := os.Rename(path+ending+".new", path+ending); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the restored ledger is found", func() bool { return k.Condition().Open })
	if err := addTo(k, 100); err != nil {
		t.Fatal(err)
	}
}

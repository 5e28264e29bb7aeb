package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coverd/fixtures"
	"coverd/geo"
	"coverd/index"
	"coverd/loader"
	"coverd/server/api"
)

// A year of the register in one night, at any size: with two editions of
// Code-Point Open and 30 million premises this is the country (make year).
var (
	yearBefore   = flag.String("year.before", "", "the register's `folder` of a year ago; by default made from the sample's")
	yearAfter    = flag.String("year.after", "", "the register's `folder` of today")
	yearPremises = flag.Int("year.premises", 20_000, "`number` of premises in the extracts")
)

// TestYear builds extracts that know the register of a year ago against that of
// today, as happens in every new housing estate, and then the same extracts
// without what stood at the postcodes that are gone.
func TestYear(t *testing.T) {
	notUnderRace(t)
	before, after := *yearBefore, *yearAfter
	if before == "" {
		before, after = sampleYear(t)
	}
	fresh, gone := yearChanges(t, before, after)
	if len(fresh) == 0 || len(gone) == 0 {
		t.Fatalf("%d postcodes are new and %d gone: this tests nothing", len(fresh), len(gone))
	}
	w := yearWorld{dir: t.TempDir()}
	w.coverd(t, "synth", "--premises", fmt.Sprint(*yearPremises), "--seed", "1", "--new-builds", "0", "--register", before,
		"--as-of", "2026-11-22", "--out", w.path("night"), "--quiet")

	w.coverd(t, "build", "--manifest", w.path("night/coverd.toml"), "--out", w.path("1.snap"), "--quiet")
	w.retell(t, "night/coverd.toml", "night/second.toml", before, after, "2026-11-23")
	w.coverd(t, "build", "--manifest", w.path("night/second.toml"), "--previous", w.path("1.snap"), "--out", w.path("2.snap"), "--quiet")
	standing := w.standing(t, "1.snap", gone) // of the postcodes that are gone, those that had premises
	t.Run("register", func(t *testing.T) {
		w.checkNew(t, "2.snap", fresh)
		w.checkRequests(t, "2.snap", fresh)
		w.checkGone(t, "2.snap", gone, standing)
		w.checkDiff(t, "1.snap", "2.snap", map[string]int{
			"postcode_new": len(fresh), "postcode_terminated": len(gone), "premises_gained": 0, "premises_lost": 0, "state_changed": 0,
		})
	})

	t.Run("truth", func(t *testing.T) { w.checkTruth(t, "2.snap", before, after, fresh) })

	withdrawn := w.withdraw(t, "night/second.toml", "night/third.toml", gone, "2026-11-24")
	w.coverd(t, "build", "--manifest", w.path("night/third.toml"), "--previous", w.path("2.snap"), "--out", w.path("3.snap"), "--quiet")
	t.Run("withdrawn", func(t *testing.T) {
		w.checkGone(t, "3.snap", gone, nil)
		w.checkDiff(t, "2.snap", "3.snap", map[string]int{
			"postcode_new": 0, "postcode_terminated": 0, "premises_gained": 0, "premises_lost": withdrawn,
		})
	})
	t.Logf("%d postcodes new, %d gone (%d of them with premises), %d premises withdrawn", len(fresh), len(gone), len(standing), withdrawn)
}

// sampleYear makes two editions of the sample's register: each lacks some of
// the postcodes that the other has.
func sampleYear(t *testing.T) (before, after string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fixtures.Sample()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "register", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	before, after = filepath.Join(dir, "before"), filepath.Join(dir, "after")
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var older, newer strings.Builder
		for line := range strings.Lines(string(text)) {
			n++
			if n%50 != 0 {
				older.WriteString(line)
			}
			if n%150 != 7 {
				newer.WriteString(line)
			}
		}
		writeText(t, filepath.Join(before, filepath.Base(f)), older.String())
		writeText(t, filepath.Join(after, filepath.Base(f)), newer.String())
	}
	return before, after
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// yearChanges compares two registers, in directory order.
func yearChanges(t *testing.T, before, after string) (fresh, gone []geo.Postcode) {
	t.Helper()
	was, is := registerSet(t, before), registerSet(t, after)
	for p := range is {
		if !was[p] {
			fresh = append(fresh, p)
		}
	}
	for p := range was {
		if !is[p] {
			gone = append(gone, p)
		}
	}
	slices.SortFunc(fresh, geo.Postcode.Compare)
	slices.SortFunc(gone, geo.Postcode.Compare)
	return fresh, gone
}

func registerSet(t *testing.T, path string) map[geo.Postcode]bool {
	t.Helper()
	set := map[geo.Postcode]bool{}
	for e, err := range loader.Register(path, "") {
		if err != nil {
			t.Fatal(err)
		}
		set[e.Postcode] = true
	}
	return set
}

// yearWorld is the folder that the year happens in.
type yearWorld struct{ dir string }

func (w *yearWorld) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// coverd runs the real binary, which must succeed.
func (w *yearWorld) coverd(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "coverd", args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("coverd %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	return out.String()
}

var topAsOf = regexp.MustCompile(`(?m)\A((?:#.*\n|\n)*)as_of = .*$`)

// retell writes a manifest anew with another register and day; the extracts
// stay of the day they are of.
func (w *yearWorld) retell(t *testing.T, from, to, before, after, asOf string) {
	t.Helper()
	text, err := os.ReadFile(w.path(from))
	if err != nil {
		t.Fatal(err)
	}
	manifest := topAsOf.ReplaceAllString(string(text), "${1}as_of = "+asOf)
	rel := func(path string) string {
		abs, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := filepath.Rel(filepath.Dir(w.path(from)), abs)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(r)
	}
	if before != after {
		if !strings.Contains(manifest, rel(before)) {
			t.Fatalf("the manifest does not name %s:\n%s", rel(before), manifest)
		}
		manifest = strings.ReplaceAll(manifest, rel(before), rel(after))
	}
	writeText(t, w.path(to), manifest)
}

// standing tells which postcodes have premises.
func (w *yearWorld) standing(t *testing.T, snapshot string, postcodes []geo.Postcode) map[geo.Postcode]bool {
	t.Helper()
	s, err := index.Open(w.path(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	set := map[geo.Postcode]bool{}
	for _, p := range postcodes {
		if u, ok := s.Postcode(p); ok && u.Len() > 0 {
			set[p] = true
		}
	}
	return set
}

// yearAnswer is what is read of a postcode's answer.
type yearAnswer struct {
	Outcome, Reason string
	Postcode        struct {
		Status     string
		Between    *api.Between `json:"terminated_between"`
		Latitude   *float64
		Terminated *string
	}
	Region   *struct{ Name string }
	Summary  api.Summary
	Estimate *struct{ State, Basis string }
	NextStep *struct{ Path string } `json:"next_step"`
	Snapshot struct{ ID string }
}

// ask asks the real server about each postcode.
func (w *yearWorld) ask(t *testing.T, snapshot string, postcodes []geo.Postcode, check func(p geo.Postcode, a *yearAnswer)) {
	t.Helper()
	public := w.serve(t, snapshot)
	for _, p := range postcodes {
		u := url.URL{Scheme: "http", Host: public, Path: "/v1/postcodes/" + p.String()}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var a yearAnswer
		if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, &a) != nil {
			t.Fatalf("%v: %v, %s\n%s", p, err, resp.Status, body)
		}
		check(p, &a)
		if t.Failed() {
			t.Fatalf("%v: %s", p, body)
		}
	}
}

// serve starts the real server for as long as the test runs.
func (w *yearWorld) serve(t *testing.T, snapshot string) (public string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "coverd", "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--snapshot", w.path(snapshot))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var line logLine
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			return line.Public
		}
	}
	t.Fatal("the server ended before it listened")
	return ""
}

// checkNew: what is in the register and in no extract is told as that, with an
// estimate, and what to do next.
func (w *yearWorld) checkNew(t *testing.T, snapshot string, fresh []geo.Postcode) {
	t.Helper()
	located, blind := 0, 0
	w.ask(t, snapshot, fresh, func(_ geo.Postcode, a *yearAnswer) {
		if a.Outcome != "no_premises_found" || a.Reason != "postcode_not_in_extracts" || a.Postcode.Status != "live" {
			t.Errorf("got %s, %s, %s", a.Outcome, a.Reason, a.Postcode.Status)
		}
		switch e := a.Estimate; {
		case e == nil || a.NextStep == nil:
			t.Error("without an estimate, or a next step")
		case e.Basis == "" && e.State == "unknown" && a.Postcode.Latitude == nil:
			blind++ // a new outcode without coordinates: there is nothing to estimate from, and it says so
		case e.State == "" || e.Basis == "":
			t.Errorf("an estimate of nothing: %+v", e)
		}
		if a.Postcode.Latitude != nil {
			if located++; a.Region == nil || a.Region.Name == "" {
				t.Error("a place without a Region")
			}
		}
	})
	if located == 0 || blind > len(fresh)/100 {
		t.Errorf("of %d new postcodes %d have a location, of %d nothing can be estimated", len(fresh), located, blind)
	}
	t.Logf("of %d new postcodes %d have a location, of %d nothing can be estimated", len(fresh), located, blind)
}

// checkGone: postcodes that the register has lost are terminated between its
// two days, whether premises stand there or not.
func (w *yearWorld) checkGone(t *testing.T, snapshot string, gone []geo.Postcode, standing map[geo.Postcode]bool) {
	t.Helper()
	w.ask(t, snapshot, gone, func(p geo.Postcode, a *yearAnswer) {
		want, reason := "no_premises_found", "postcode_terminated"
		if standing[p] {
			want, reason = "premises_found", ""
		}
		if a.Outcome != want || a.Reason != reason || (a.Summary.Premises > 0) != standing[p] || (a.Estimate != nil) == standing[p] {
			t.Errorf("got %s, %s, %d premises; want %s, %s", a.Outcome, a.Reason, a.Summary.Premises, want, reason)
		}
		if b := a.Postcode.Between; a.Postcode.Status != "terminated" || b == nil || b.After.V.String() != "2026-11-22" || b.By.V.String() != "2026-11-23" {
			t.Errorf("%s between %+v", a.Postcode.Status, b)
		}
	})
}

// checkDiff: the difference between two snapshots is what happened, and no more.
func (w *yearWorld) checkDiff(t *testing.T, before, after string, want map[string]int) {
	t.Helper()
	var got struct{ Kinds map[string]int }
	text := w.coverd(t, "diff", "--json", w.path(before), w.path(after))
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for kind, n := range want {
		if got.Kinds[kind] != n {
			t.Errorf("%d times %s, want %d: %v", got.Kinds[kind], kind, n, got.Kinds)
		}
	}
}

package loader

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodRow = "%d,GU1 2AA,%d,51.239448,-0.564876,South,true,,,Cellular,SKU1,High,,\n"

// rowsOf is a premises extract of good rows, and then bad ones.
func rowsOf(good, bad int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range good {
		fmt.Fprintf(&b, goodRow, 990_000_000_001+i, i)
	}
	for range bad {
		b.WriteString("not a UPRN,GU1 2AA,1,51.239448,-0.564876,South,true,,,Cellular,SKU1,High,,\n")
	}
	return b.String()
}

func TestThreshold(t *testing.T) {
	for _, tt := range []struct {
		name       string
		good, bad  int
		more       string // in the extract's table
		allowed    int64
		wantGates  []string
		wantReason string
	}{
		{"ten of eleven pass", 1, 10, "", 10, nil, ""},
		{"eleven of twelve do not", 1, 11, "", 10, []string{"rejected"}, "Arqiva"},
		{"a thousandth of 9,999 rows is still ten", 9988, 11, "", 10, []string{"rejected"}, ""},
		{"a thousandth of 11,000 rows", 10_989, 11, "", 11, nil, ""},
		{"and one more", 10_988, 12, "", 11, []string{"rejected"}, "12 rejected rows of 11,000, and at most 11 are let pass (max_rejected = 0.001): 12 uprn"},
		{"another threshold", 15, 15, "max_rejected = 0.5", 15, nil, ""},
		{"and one more than it", 15, 16, "max_rejected = 0.5", 15, []string{"rejected"}, ""},
		{"none at all is still ten", 1, 10, "max_rejected = 0", 10, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := premisesWorld("Arqiva\n"+tt.more, rowsOf(tt.good, tt.bad))
			var s *Summary
			if tt.wantGates == nil {
				_, s = w.build(t)
			} else {
				var gates []string
				if gates, s = w.refused(t); !cmp.Equal(gates, tt.wantGates) {
					t.Fatalf("gates %v, want %v", gates, tt.wantGates)
				}
				if got := s.Refusals[0].Msg; !strings.Contains(got, tt.wantReason) {
					t.Errorf("message %q, want it to have %q", got, tt.wantReason)
				}
			}
			if got := s.Sources[1].Allowed; got != tt.allowed {
				t.Errorf("%d rejected rows allowed, want %d", got, tt.allowed)
			}
			if s.Rows != int64(tt.good+tt.bad) || s.Rejected != int64(tt.bad) || s.Accepted != int64(tt.good) {
				t.Errorf("rows %d, accepted %d, rejected %d", s.Rows, s.Accepted, s.Rejected)
			}
			if n := len(s.Sources[1].Rejects); n != min(tt.bad, maxShown) {
				t.Errorf("%d rejects shown", n)
			}
		})
	}
}

// Conflicts are known only when all is read; they count all the same.
func TestThresholdCountsConflicts(t *testing.T) {
	rows := []string{header}
	for i := range 6 {
		for _, v := range []string{"true", "false"} {
			rows = append(rows, fmt.Sprintf("%d,GU1 2AA,%d,51.239448,-0.564876,South,%s,,,,,,,\n", 990_000_000_001+i, i, v))
		}
	}
	gates, s := premisesWorld("Arqiva", strings.Join(rows, "")).refused(t)
	if !cmp.Equal(gates, []string{"rejected"}) || s.Rejected != 12 || s.Accepted != 0 {
		t.Errorf("gates %v, rejected %d, accepted %d", gates, s.Rejected, s.Accepted)
	}
}

func TestThresholdOfRegister(t *testing.T) {
	reg := "postcode,latitude,longitude\nGU1 2AA,51.239448,-0.564876\n" + strings.Repeat("!!,51.2,-0.5\n", 10)
	w := premisesWorld("Arqiva", rowsOf(1, 0)).with("reg.csv", reg).with("coverd.toml", "\n[[register]]\npath = \"reg.csv\"\n")
	w.build(t)
	gates, _ := w.with("reg.csv", "\n!!,51.2,-0.5\n").refused(t)
	if !cmp.Equal(gates, []string{"rejected"}) {
		t.Errorf("gates %v", gates)
	}
}

func TestRowsAndSHA256(t *testing.T) {
	text := rowsOf(5, 1)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	for _, tt := range []struct {
		more  string
		gates []string
	}{
		{"rows = 6", nil}, // bad ones are rows too
		{"rows = 5", []string{"rows"}},
		{"rows = 7", []string{"rows"}},
		{"rows = 0", []string{"rows"}},
		{`sha256 = "` + sum + `"`, nil},
		{`sha256 = "` + strings.ToUpper(sum) + `"`, nil},
		{`sha256 = "` + strings.Repeat("0", 64) + `"`, []string{"sha256"}},
		{"rows = 1\nsha256 = \"" + strings.Repeat("0", 64) + `"`, []string{"rows", "sha256"}},
	} {
		w := premisesWorld("Arqiva\n"+tt.more, text)
		if tt.gates == nil {
			w.build(t)
		} else if gates, _ := w.refused(t); !cmp.Equal(gates, tt.gates) {
			t.Errorf("%s: gates %v, want %v", tt.more, gates, tt.gates)
		}
	}
}

// One bad file refuses the build, and the others are read all the same, so that
// the report is whole.
func TestBadFileRefusesAndReadingGoesOn(t *testing.T) {
	gates, s := premisesWorld(
		"Arqiva", "no header that we know\n1\n",
		"Telefonica\nrows = 4", rowsOf(3, 0),
		"Vodafone", rowsOf(2, 2),
	).refused(t)
	if want := []string{"file", "rows"}; !cmp.Equal(gates, want) {
		t.Errorf("gates %v, want %v", gates, want)
	}
	if got := []int64{s.Sources[1].Rows, s.Sources[2].Rows, s.Sources[3].Rejected}; !cmp.Equal(got, []int64{0, 3, 2}) {
		t.Errorf("rows and rejects %v", got)
	}
	if len(s.Refusals) != 2 || s.Refusals[0].Source != "1.csv" {
		t.Errorf("refusals %v", s.Refusals)
	}
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*RefusedError](err)
	return ok
}

func TestBuildStopsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	premisesWorld("Arqiva", rowsOf(20_000, 0)).write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	res, err := Build(ctx, m, Options{Progress: func(s Stage) {
		if s.Name == "premises" {
			cancel()
		}
	}})
	if res != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", res, err)
	}
}

func TestProgress(t *testing.T) {
	dir := t.TempDir()
	premisesWorld("Arqiva", rowsOf(20_000, 0)).write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	done := int64(0)
	res, err := Build(t.Context(), m, Options{Progress: func(s Stage) {
		if len(names) == 0 || names[len(names)-1] != s.Name {
			names = append(names, s.Name)
		}
		if s.Name == "premises" {
			if s.Done < done || s.Done > s.Total || s.Source != "1.csv" {
				t.Errorf("stage %+v after %d", s, done)
			}
			done = s.Done
		}
	}})
	if err != nil || res.Built == nil {
		t.Fatal(err)
	}
	if want := []string{"regions", "premises", "merge", "order", "freeze", "calibrate", "compress"}; !cmp.Equal(names, want) {
		t.Errorf("stages %v, want %v", names, want)
	}
}

func TestFileGoneBetweenManifestAndBuild(t *testing.T) {
	dir := t.TempDir()
	premisesWorld("Arqiva", rowsOf(1, 0)).write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "1.csv")); err != nil {
		t.Fatal(err)
	}
	if res, err := Build(t.Context(), m, Options{}); res != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, %v: a machine's error, not a refusal", res, err)
	}
}

// The rows of a conflict are looked up once the file has been read; if it is
// another by then, the build is refused.
func TestFileChangesBeforeConflictsAreRead(t *testing.T) {
	for _, text := range []string{"", header, rowsOf(1, 0), rowsOf(1, 0)[:100]} {
		dir := t.TempDir()
		premisesWorld("Arqiva", rowsOf(1, 0)+strings.Replace(rowsOf(1, 0), "true", "false", 1)[len(header):]).write(t, dir)
		m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
		if err != nil {
			t.Fatal(err)
		}
		res, err := Build(t.Context(), m, Options{Progress: func(s Stage) {
			if s.Name == "merge" {
				if err := os.WriteFile(filepath.Join(dir, "1.csv"), []byte(text), 0o644); err != nil {
					t.Error(err)
				}
			}
		}})
		if !isRefusal(err) || res.Summary.Refusals[0].Gate != gateFile {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

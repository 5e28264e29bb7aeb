package loader

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestErrors(t *testing.T) {
	for want, err := range map[string]error{
		"a.csv:7: uprn: not a UPRN": &Reject{File: "a.csv", Line: 7, Column: "uprn", Reason: "not a UPRN"},
		"a.csv:7: 3 fields":         &Reject{File: "a.csv", Line: 7, Reason: "3 fields"},
		"a.csv: it is cut":          &FileError{File: "a.csv", Msg: "it is cut"},
		"a.csv:7: it is cut":        &FileError{File: "a.csv", Line: 7, Msg: "it is cut"},
		"m.toml: as_of is missing":  &ManifestError{Path: "m.toml", Msg: "as_of is missing"},
		"build refused: one; two":   &RefusedError{[]Refusal{{Msg: "one"}, {Msg: "two"}}},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The file of rejects is CSV whatever it is packed in, says nothing by having
// just its header, and starts no formula in a spreadsheet.
func TestQuarantine(t *testing.T) {
	rejects := []Reject{
		{File: "=a.csv", Line: 7, Column: "uprn", Code: CodeUPRN, Reason: "not a UPRN", Row: `1,"x",y`, Digest: "sha256:0123456789abcdef"},
		{File: "a.csv", Line: 8, Code: CodeFieldCount, Reason: "=1+1", Row: "=HYPERLINK(1)"},
		{File: "a.csv", Line: 9, Column: "@x", Code: CodeEncoding, Reason: "bad", Row: "two\nlines \xe9"},
		{File: "a.csv", Line: 10, Code: CodeControl, Reason: "bad", Row: "\x00"},
	}
	want := [][]string{
		{"source", "line", "column", "reason", "row", "digest"},
		{"'=a.csv", "7", "uprn", "uprn: not a UPRN", `1,"x",y`, "sha256:0123456789abcdef"},
		{"a.csv", "8", "", "field_count: =1+1", "'=HYPERLINK(1)", ""},
		{"a.csv", "9", "'@x", "encoding: bad", "two\nlines \xe9", ""},
		{"a.csv", "10", "", "control: bad", "'\x00", ""},
	}
	for _, name := range []string{"r.csv", "r.csv.gz", "r.csv.zst"} {
		for n := range len(rejects) + 1 {
			path := filepath.Join(t.TempDir(), name)
			q, err := openQuarantine(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rejects[:n] {
				if err := q.add(&rejects[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(q.Close(), q.Close()); err != nil {
				t.Fatal(err)
			}
			in, err := openInput(path, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(in)
			in.Close()
			if err != nil {
				t.Fatal(err)
			}
			got, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			if diff := cmp.Diff(want[:n+1], got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
			}
		}
	}
}

// What a spreadsheet takes for a formula, and what it does not; and back.
func TestInert(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "a": "a", "1,2": "1,2", "a=b": "a=b", " =1": " =1", "'": "'", "'a": "'a", "''": "''",
		"=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "\nx": "'\nx", "\x00": "'\x00",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠x": "'＠x",
		"'=1": "''=1", "''=1": "'''=1", // are themselves again when the quote is taken off
	} {
		if got := Inert(cell); got != want {
			t.Errorf("%q: got %q, want %q", cell, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOfN(rapid.RuneFrom([]rune("'=＝\ta")), 0, 6, -1).Draw(t, "cell")
		if got := original(Inert(cell)); got != cell || isFormula(Inert(cell)) {
			t.Fatalf("%q: written %q, read %q", cell, Inert(cell), got)
		}
	})
}

// A cell that looks like a formula is text like any other in the snapshot.
func TestFormulaIsText(t *testing.T) {
	const cell = `=HYPERLINK("http://x","y")`
	s, _ := premisesWorld("Arqiva", rowWith(cells("additional_information", cell))).build(t)
	if c, _ := byUPRN(t, s, 990000000001).Claims().At(0); c.Info != cell {
		t.Errorf("got %q", c.Info)
	}
}

func TestQuarantineCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if q, err := openQuarantine(filepath.Join(dir, "no", "such", "folder.csv")); q != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, %v", q, err)
	}
	if q, err := openQuarantine(""); q != nil || err != nil || q.add(&Reject{}) != nil || q.Close() != nil {
		t.Errorf("no path: got %v, %v", q, err)
	}
	w := premisesWorld("Arqiva", rowsOf(1, 1))
	if res, err := w.try(t, Options{Rejects: filepath.Join(dir, "no", "r.csv")}); res != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, %v", res, err)
	}
}

// The rejects are in the file even if the build is refused.
func TestQuarantineOfRefusedBuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	if _, err := premisesWorld("Arqiva", rowsOf(1, 11)).try(t, Options{Rejects: path}); !isRefusal(err) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n1.csv,") != 11 {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestClipRow(t *testing.T) {
	if got := clipRow([]byte("abc"), 3); got != "abc" {
		t.Errorf("got %q", got)
	}
	if got := clipRow([]byte("abcd"), 3); got != "abc…" {
		t.Errorf("got %q", got)
	}
}

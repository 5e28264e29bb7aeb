package loader

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummaryText(t *testing.T) {
	w := areasWorld(short+"1,GU1 1AA,1,51,-1,South,true,A\n1,GU1 1AA,1,51,-1,South,true,B\nx,GU1 1AA,1,51,-1,South,true,A\n2,GU1 1AA,2,51,-1,South,true,A\n2,GU1 1AA,2,51,-1,South,true,A\n",
		"Arqiva\nrows = 1", square(0.1, south("A"))).
		with("coverd.toml", "\n[[register]]\npath = \"r.csv\"\n").
		with("r.csv", "postcode,latitude,longitude\nGU1 1AA,51,-1\nGU1 1AB,,\n")
	_, sum := w.build(t)
	var b strings.Builder
	if err := sum.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := `as of 2026-11-22
regions regions.geojson: 3 rows in 1 files, 3 accepted
register r.csv: 2 rows in 1 files, 2 accepted
  1 postcodes without coordinates
premises Telefonica 1.csv: 5 rows in 1 files, 2 accepted
  3 rejected (10 allowed): 2 conflict, 1 uprn
    1.csv:4: uprn: not a UPRN: "x": it has only digits
    1.csv:2: conflict with 1.csv:3: different claims of one CSP for one premises on South; neither is taken
    1.csv:3: conflict with 1.csv:2: different claims of one CSP for one premises on South; neither is taken
areas Arqiva areas0.geojsonl: 1 rows in 1 files, 1 accepted
2 premises from 6 rows: 1 merged, 3 rejected, 1 in conflict; 1 areas
0 premises without location, 0 without postcode, 0 without UPRN
0 postcodes of premises in no register, 1 live postcodes in no extract
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestSummaryTextOfRefusal(t *testing.T) {
	_, sum := premisesWorld("Arqiva\nrows = 1234567", rowsOf(1, 15)).refused(t)
	var b strings.Builder
	if err := sum.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  15 rejected (10 allowed): 15 uprn\n", "    and 5 more\n",
		"refused: rows: premises Arqiva 1.csv has 16 rows, the manifest says 1,234,567: part of it is missing, or the manifest is another night's\n",
		"refused: rejected: premises Arqiva 1.csv has 15 rejected rows of 16, and at most 10 are let pass (max_rejected = 0.001): 15 uprn\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "premises from") {
		t.Error("counts of a snapshot that was not made")
	}
}

// Programs read the same as JSON.
func TestSummaryJSON(t *testing.T) {
	_, sum := premisesWorld("Arqiva", rowsOf(1, 1)).build(t)
	b, err := json.Marshal(sum)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		AsOf    string `json:"as_of"`
		Rows    int
		Sources []struct {
			Kind, CSP, Path string
			Rejected        int
			Reasons         map[string]int
			Rejects         []Reject
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	e := got.Sources[1]
	if got.AsOf != "2026-11-22" || got.Rows != 2 || e.Kind != "premises" || e.CSP != "Arqiva" || e.Path != "1.csv" || e.Reasons["uprn"] != 1 || e.Rejects[0].Line != 3 {
		t.Errorf("got %+v of\n%s", got, b)
	}
}

type brokenWriter struct{ left int }

var errBroken = errors.New("broken")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestSummaryWriteError(t *testing.T) {
	for n := range 3 {
		if err := (&Summary{}).WriteText(&brokenWriter{n}); !errors.Is(err, errBroken) {
			t.Errorf("after %d lines: %v", n, err)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

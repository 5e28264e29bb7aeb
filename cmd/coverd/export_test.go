package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
	"coverd/loader"
)

// A line of NDJSON is the premises' element of the answer about its postcode,
// with the postcode in front.
func TestExportSaysWhatHTTPSays(t *testing.T) {
	file, err := sampleSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := index.OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	on, err := index.ParseDay("2026-12-24")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := loader.List(t.Context(), snap, &out, loader.ListOptions{What: loader.ListPremises, Format: loader.ListNDJSON, On: on}); err != nil {
		t.Fatal(err)
	}
	listed := map[string][]map[string]any{}
	count := 0
	for line := range strings.Lines(out.String()) {
		var p map[string]any
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		postcode, _ := p["postcode"].(string)
		delete(p, "postcode")
		listed[postcode] = append(listed[postcode], p)
		count++
	}
	if int64(count) != snap.Info().Premises {
		t.Errorf("%d lines, %d premises", count, snap.Info().Premises)
	}
	srv := sampleServer(t)
	for postcode, premises := range listed {
		if postcode == "" {
			continue
		}
		_, _, body := srv.Answer(http.MethodGet, "/v1/postcodes/"+url.PathEscape(postcode)+"?on=2026-12-24")
		var answer struct{ Premises []map[string]any }
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(answer.Premises, premises); diff != "" {
			t.Fatalf("%s (-HTTP +export):\n%s", postcode, diff)
		}
	}
}

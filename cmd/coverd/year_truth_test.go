package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"coverd/fixtures"
	"coverd/geo"
	"coverd/loader"
)

// yearSnapshot saves the build where there is one already.
var yearSnapshot = flag.String("year.snapshot", "", "judge the estimates of this snapshot `file`, built of what synth writes by the register of a year ago against that of today")

// TestYearSnapshot judges the estimates of a snapshot that is there already, as
// TestYear does those of the one it builds.
func TestYearSnapshot(t *testing.T) {
	if *yearSnapshot == "" {
		t.Skip("no -year.snapshot")
	}
	path, err := filepath.Abs(*yearSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	w := yearWorld{dir: filepath.Dir(path)}
	fresh, _ := yearChanges(t, *yearBefore, *yearAfter)
	w.checkTruth(t, filepath.Base(path), *yearBefore, *yearAfter, fresh)
}

// truthBand is estimates of about the same confidence.
type truthBand struct {
	cases, right, postcodes int
	stated                  float64
	last                    geo.Postcode
}

func (b *truthBand) add(confidence float64, right bool, p geo.Postcode) {
	b.cases++
	b.stated += confidence
	if right {
		b.right++
	}
	if p != b.last {
		b.postcodes, b.last = b.postcodes+1, p
	}
}

// checkTruth compares estimates at postcodes that no extract has with what is so
// there: at the postcode's location and at those of four premises around it, and
// what is said of the postcode with each of these. In every band of confidence
// that enough postcodes are in, so many are right.
func (w *yearWorld) checkTruth(t *testing.T, snapshot, before, after string, fresh []geo.Postcode) {
	t.Helper()
	o := synthOptions{asOf: "2026-11-22"}
	locate, err := o.locator()
	if err != nil {
		t.Fatal(err)
	}
	var walk registerWalk
	world, err := fixtures.NewWorld(t.Context(), walk.places(t.Context(), before, "", locate), fixtures.Options{Premises: *yearPremises, Seed: 1, AsOf: o.asOf, NewBuilds: -1})
	if err != nil || walk.err != nil {
		t.Fatal(err, walk.err)
	}
	isNew := map[geo.Postcode]bool{}
	for _, p := range fresh {
		isNew[p] = true
	}
	public := w.serve(t, snapshot)
	var bands [10]truthBand
	var below truthBand // 0.9, all of them
	judge := func(p geo.Postcode, e *yearEstimate, truth string) {
		right := e.State == truth
		if e.Confidence < 0.9 {
			below.add(e.Confidence, right, p)
		}
		bands[min(int(e.Confidence*10), 9)].add(e.Confidence, right, p)
	}
	asked := 0
	for e, err := range loader.Register(after, "") {
		if err != nil {
			t.Fatal(err)
		}
		if !isNew[e.Postcode] || !e.At.IsValid() {
			continue
		}
		place := fixtures.Place{Postcode: e.Postcode, At: e.At.LatLng(), Region: locate(e.At.LatLng())}
		if place.Region == geo.NoRegion {
			continue
		}
		asked++
		here, around := world.Around(place, 4)
		said := w.estimateOf(t, public, "/v1/postcodes/"+e.Postcode.String(), "on=2026-11-22")
		for _, truth := range append(around, here) {
			judge(e.Postcode, said, truth.State)
			at := fmt.Sprintf("on=2026-11-22&latitude=%.6f&longitude=%.6f", truth.At.Lat, truth.At.Lng)
			judge(e.Postcode, w.estimateOf(t, public, "/v1/locations", at), truth.State)
		}
	}
	if asked < len(fresh)/2 {
		t.Errorf("asked about %d of %d new postcodes", asked, len(fresh))
	}
	for i := range bands {
		bands[i].check(t, fmt.Sprintf("confidence %.1f to %.1f", float64(i)/10, float64(i+1)/10))
	}
	below.check(t, "confidence below 0.9")
}

// check tells a band, and judges it where it has enough postcodes.
func (b *truthBand) check(t *testing.T, what string) {
	t.Helper()
	if b.cases == 0 {
		return
	}
	stated, observed := b.stated/float64(b.cases), float64(b.right)/float64(b.cases)
	line := fmt.Sprintf("%s: stated %.3f, so it is %.3f, of %d estimates at %d postcodes", what, stated, observed, b.cases, b.postcodes)
	switch {
	case b.postcodes < 100:
		t.Log(line + " (too few to judge)")
	case math.Abs(stated-observed) > 0.05:
		t.Error(line)
	default:
		t.Log(line)
	}
}

// yearEstimate is what is read of an estimate.
type yearEstimate struct {
	State      string
	Basis      string
	Confidence float64
}

// estimateOf asks for an answer that has an estimate.
func (w *yearWorld) estimateOf(t *testing.T, public, path, query string) *yearEstimate {
	t.Helper()
	u := url.URL{Scheme: "http", Host: public, Path: path, RawQuery: query}
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
	var a struct{ Estimate, Coverage *yearEstimate }
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, &a) != nil || a.Estimate == nil && a.Coverage == nil {
		t.Fatalf("%s: %v, %s\n%s", u.String(), err, resp.Status, body)
	}
	if a.Estimate != nil {
		return a.Estimate
	}
	return a.Coverage
}

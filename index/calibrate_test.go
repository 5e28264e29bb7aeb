package index

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"coverd/geo"
)

// calibrationSnapshot is a snapshot to judge in place of one made up here: at
// national scale, go test ./index -run Calibrated -v -args -calibration.snapshot FILE.
var calibrationSnapshot = flag.String("calibration.snapshot", "", "judge the confidences of this snapshot `file`")

// townsWorld is places in which coverage ends somewhere: towns of postcodes
// around which one network or both give out, and areas that are drawn roughly.
func townsWorld(seed uint64) *world {
	const towns, across, premises = 36, 16, 2
	noise := func(a, b, c uint64) float64 { // 0 to 1
		x := (seed*1_000_003+a)*0x9e3779b97f4a7c15 ^ b*0xbf58476d1ce4e5b9 ^ c*0x94d049bb133111eb
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return float64((x^x>>31)>>11) * 0x1p-53
	}
	w := small()
	n := 0
	for town := range uint64(towns) {
		corner := geo.LatLng{Lat: 52.05 + 0.15*float64(town/6), Lng: -1.95 + 0.15*float64(town%6)}
		edge := [2]float64{noise(town, 1, 0), noise(town, 2, 0)} // how far each network reaches in it, from the south and from the west
		planned := town%3 == 0
		says := func(k int, in, out float64) Claim {
			c := says(NetworkSouth, AvailabilityTrue)
			if k == 1 {
				c = says(Network4GSouth, AvailabilityTrue)
			}
			if in > out {
				if c.Availability = AvailabilityFalse; planned {
					c.Anticipated = worldDay + 60
				}
			}
			return c
		}
		for i := range uint64(across * across) {
			code, _ := geo.PostcodeFromOrdinal(mustPostcode("GU1 0AA").Ordinal() + uint32(n))
			y, x := float64(i/across)/across, float64(i%across)/across
			at := geo.LatLng{Lat: corner.Lat + 0.027*y, Lng: corner.Lng + 0.04*x} // 190 m apart
			w.live(code.String(), at.Location())
			for p := range uint64(premises) {
				spot := geo.LatLng{Lat: at.Lat + 0.0008*(noise(town, i, p+10)-0.5), Lng: at.Lng + 0.0012*(noise(town, i, p+20)-0.5)}
				ragged := 0.3 * (noise(town, i, p+30) - 0.5)
				uprn := geo.UPRN(990_000_000_001 + n*premises + int(p))
				w.add(uprn, code.String(), spot.Location(), "", says(0, y+ragged, edge[0]))
				if edge[1] > 0.3 {
					w.add(uprn, code.String(), spot.Location(), "", says(1, x+ragged, edge[1]))
				}
			}
			n++
		}
		if town%2 == 0 {
			height := 0.027 * (edge[0] + 0.3*(noise(town, 3, 0)-0.5))
			if height > 0 {
				w.areas = append(w.areas, Area{Claim: says(0, 0, 1), Shape: geo.MultiPolygon{{rectangleAt(corner, height, 0.04)}}})
			}
		}
	}
	return w
}

// towns is a snapshot of townsWorld, made once: tests must not change it.
func towns(t tb) *Snapshot {
	t.Helper()
	townsOnce.Do(func() { townsSnapshot = townsWorld(1).open(t) })
	return townsSnapshot
}

var (
	townsOnce     sync.Once
	townsSnapshot *Snapshot
)

// rectangleAt is a rectangle's outline from its south-west corner.
func rectangleAt(corner geo.LatLng, height, width float64) geo.Ring {
	return geo.Ring{
		corner,
		{Lat: corner.Lat, Lng: corner.Lng + width},
		{Lat: corner.Lat + height, Lng: corner.Lng + width},
		{Lat: corner.Lat + height, Lng: corner.Lng},
	}
}

// confidenceBand is estimates of about the same confidence.
type confidenceBand struct {
	cases, postcodes      int
	weight, right, stated float64
	last                  geo.Postcode
}

// TestConfidenceIsCalibrated holds out other postcodes than the build did. In
// every band of confidence the stated one is within 5 points of the share that
// is right.
func TestConfidenceIsCalibrated(t *testing.T) {
	var s *Snapshot
	inTable := calibrationPostcodes
	if *calibrationSnapshot != "" {
		var err error
		if s, err = Open(*calibrationSnapshot); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s.index(2)
		indexed := time.Now()
		again := s.calibrate(inTable, 2)
		t.Logf("indexed in %v, calibrated in %v", indexed.Sub(began), time.Since(indexed))
		if s.calibration == nil { // an earlier version built it
			s.calibration = again
		}
		if *again != *s.calibration {
			t.Error("the table in the file is not the one made today")
		}
	} else {
		other := *towns(t) // with a table of fewer
		s, inTable = &other, other.groupUnit.n*2/3
		s.calibration = s.calibrate(inTable, 1)
	}
	const salt = 7
	known := map[Unit]bool{}
	inTheTable, _ := s.choose(inTable, calibrationSalt)
	for _, c := range inTheTable {
		known[c.Unit] = true
	}
	// Where many of a sector's postcodes are in the table, the others stand for them.
	plan := s.sampling(inTable)
	weights := map[Unit]float64{}
	for i := range s.sectors {
		s.units(i, func(u Unit) {
			if !known[u] && u.hash(salt)%uint64(s.groupUnit.n) < uint64(inTable) {
				weights[u] = 1 / (1 - 1/plan.oneIn(i))
			}
		})
	}
	units := slices.SortedFunc(maps.Keys(weights), func(a, b Unit) int { return cmp.Compare(a.row, b.row) })
	bands := map[string]*[10]confidenceBand{}
	var h *holdout
	var unit Unit
	h = newHoldout(s, func(e *Estimate, truth ClaimSet) {
		right := truth.State(s.info.AsOf) == e.State
		question := "all networks"
		if e.Only != NoNetwork {
			question = "one network"
		}
		keys := []string{question, question + ", by " + e.Basis, question + ", " + e.State.String()}
		if h.empty {
			keys = append(keys, question+", nothing within 250 m")
		}
		for _, key := range keys {
			if bands[key] == nil {
				bands[key] = &[10]confidenceBand{}
			}
			bands[key][min(int(e.Confidence*10), 9)].add(e.Confidence, right, weights[unit], unit.Postcode())
		}
	})
	for _, unit = range units {
		h.postcode(unit, unit.hash(salt))
	}
	judged := checkBands(t, bands, map[string]bool{
		"all networks": true, "one network": true, "all networks, nothing within 250 m": true, "one network, nothing within 250 m": true,
	})
	t.Logf("%d postcodes held out, %d in the table, %d bands judged", len(units), s.calibration.postcodes, judged)
	if judged < 10 {
		t.Errorf("%d bands are full enough: this tests little", judged)
	}
}

func (b *confidenceBand) add(confidence float64, right bool, weight float64, p geo.Postcode) {
	b.cases++
	b.weight += weight
	b.stated += weight * confidence
	if right {
		b.right += weight
	}
	if p != b.last {
		b.postcodes++
		b.last = p
	}
}

// checkBands compares what is stated with what is so, where enough postcodes
// have such estimates, for those that are asked for: finer ones are told.
func checkBands(t *testing.T, all map[string]*[10]confidenceBand, asked map[string]bool) (judged int) {
	t.Helper()
	const tolerance, least = 0.05, 250
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for i := range all[key] {
			b := &all[key][i]
			if b.cases == 0 {
				continue
			}
			stated, observed := b.stated/b.weight, b.right/b.weight
			line := fmt.Sprintf("%-40s %.1f to %.1f: stated %.3f, observed %.3f, of %d cases at %d postcodes", key, float64(i)/10, float64(i+1)/10, stated, observed, b.cases, b.postcodes)
			switch {
			case b.postcodes < least:
				line += " (too few to judge)"
			case asked[key]:
				if judged++; math.Abs(stated-observed) > tolerance {
					t.Error(line)
					continue
				}
			}
			t.Log(line)
		}
	}
	return judged
}

// TestHoldoutHides: of what an estimate of a held-out place rests on, nothing is
// of its postcode, and nothing is near where nothing is to be; and nothing else
// is left out.
func TestHoldoutHides(t *testing.T) {
	s := towns(t)
	all := slices.Collect(s.AllPremises())
	var h *holdout
	var unit Unit
	empty, full := 0, 0
	h = newHoldout(s, func(e *Estimate, _ ClaimSet) {
		if e.Distance < 0 || e.Only != NoNetwork {
			return
		}
		allowed := slices.DeleteFunc(slices.Clone(all), func(q Premises) bool {
			for i := range unit.Len() {
				if q == unit.Premises(i) || h.empty && geo.Distance(q.At().LatLng(), unit.Premises(i).At().LatLng()) <= 250 {
					return true
				}
			}
			return false
		})
		nearest := func(at geo.LatLng) (rows []uint32) {
			for _, n := range slowNearest(allowed, at, EstimateWitnesses, EstimateRadius) {
				rows = append(rows, n.Premises.Row())
			}
			return rows
		}
		var got []uint32
		for _, n := range h.near {
			got = append(got, n.Premises.Row())
		}
		places := []geo.LatLng{unit.At().LatLng()}
		for i := range unit.Len() {
			places = append(places, unit.Premises(i).At().LatLng())
		}
		if !slices.ContainsFunc(places, func(at geo.LatLng) bool { return slices.Equal(nearest(at), got) }) {
			t.Fatalf("%v, empty %t: witnesses %v are those of none of its places", unit.Postcode(), h.empty, got)
		}
		if h.empty {
			empty++
		} else {
			full++
		}
	})
	for i := range 16 {
		unit = s.PostcodeAt(i * 251)
		h.postcode(unit, unit.hash(1))
		if len(h.hidden.rows) > 0 || slices.Max(h.hidden.bits) != 0 {
			t.Fatalf("%v: premises stay hidden", unit.Postcode())
		}
	}
	if empty < 4 || full < 16 {
		t.Errorf("compared %d estimates with nothing within 250 m, and %d others", empty, full)
	}
}

// TestHoldoutLeavesTheRestOfASector compares with counting.
func TestHoldoutLeavesTheRestOfASector(t *testing.T) {
	s := towns(t)
	var h *holdout
	var unit Unit
	bases := map[string]int{}
	h = newHoldout(s, func(e *Estimate, _ ClaimSet) {
		if e.Basis != EstimateSector && e.Basis != EstimateOutcode || e.Only != NoNetwork {
			return
		}
		bases[e.Basis]++
		p, want := unit.Postcode(), 0
		for q := range s.AllPremises() {
			c := q.Postcode()
			if !h.hidden.has(q.Row()) && (e.Basis == EstimateSector && c.Sector() == p.Sector() || e.Basis == EstimateOutcode && c.Outcode() == p.Outcode() && c.Sector() != p.Sector()) {
				want++
			}
		}
		if e.Premises != want {
			t.Fatalf("%v, by %s: %d premises, want %d", p, e.Basis, e.Premises, want)
		}
	})
	for i := range 200 {
		unit = s.PostcodeAt(i * 17)
		h.postcode(unit, unit.hash(1))
	}
	if len(bases) < 2 {
		t.Errorf("compared %v", bases)
	}
}

// TestCalibrationIsTheSameEverywhere: on any number of workers, and read back.
func TestCalibrationIsTheSameEverywhere(t *testing.T) {
	s := towns(t)
	one, three := s.calibrate(2000, 1), s.calibrate(2000, 3)
	if *one != *three {
		t.Error("another number of workers counts otherwise")
	}
	raw := one.appendTo(nil)
	read, err := parseCalibration(raw)
	if err != nil || *read != *one {
		t.Errorf("read back it differs: %v", err)
	}
	if s.calibration == nil || s.Calibration().Postcodes < 5000 {
		t.Errorf("the build has not calibrated: %+v", s.calibration)
	}
	later := append([]byte{calibrationLayout + 1}, raw[1:]...)
	if c, err := parseCalibration(later); c != nil || err != nil {
		t.Errorf("a layout of later: %v, %v", c, err)
	}
	cases, right := 0, 0
	for _, c := range s.Calibration().Cases {
		cases, right = cases+c.Cases, right+c.Right
		if c.Right > c.Cases || c.Confidence <= 0 || c.Confidence >= 1 {
			t.Errorf("%+v", c)
		}
	}
	for _, n := range s.calibration.counts {
		cases, right = cases-int(n[0].cases+n[1].cases), right-int(n[0].right+n[1].right)
	}
	if cases != 0 || right != 0 {
		t.Errorf("the list differs from the table by %d cases, %d right", cases, right)
	}
}

// TestTraitsRoundTrip: the bands of an estimate are those it lies in.
func TestTraitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Estimate{
			Only: rapid.SampledFrom([]NetworkRegion{NoNetwork, NetworkSouth}).Draw(t, "only"), State: rapid.SampledFrom(States[:]).Draw(t, "state"),
			Basis: rapid.SampledFrom(traitBasis[:]).Draw(t, "basis"), Premises: rapid.IntRange(0, 2000).Draw(t, "premises"), Distance: -1, Agreement: -1,
		}
		if rapid.Bool().Draw(t, "near") {
			e.Premises, e.Distance = 1+e.Premises%EstimateWitnesses, rapid.Float64Range(0, EstimateRadius).Draw(t, "distance")
		}
		if e.Premises > 0 {
			e.Agreement = float64(rapid.IntRange(0, e.Premises).Draw(t, "agreeing")) / float64(e.Premises)
		}
		s := &Snapshot{calibration: &calibration{}}
		s.calibration.counts[traitsOf(&e)][0].cases = 1
		c := s.Calibration().Cases[0]
		in := func(b *Band, v float64) bool {
			return b == nil && v < 0 || b != nil && v >= b.From && (b.To == 0 || v < b.To)
		}
		if c.OneNetwork != (e.Only != NoNetwork) || c.Basis != e.Basis || c.State != e.State.String() ||
			!in(c.Agreement, e.Agreement) || !in(c.Distance, e.Distance) || !in(&c.Premises, float64(e.Premises)) {
			t.Fatalf("%+v is told as %+v", e, c)
		}
	})
}

package index

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// describe puts a premises into words, for comparing.
func describe(uprn fmt.Stringer, postcode fmt.Stringer, address string, at any, conflict bool, claims []Claim, fromArea []bool) string {
	return fmt.Sprintf("%v|%v|%s|%v|%v|%+v|%v", uprn, postcode, address, at, conflict, claims, fromArea)
}

func TestSnapshotHoldsWhatTheRulesSay(t *testing.T) {
	for seed := range uint64(12) {
		w := makeWorld(seed, 400)
		s := w.open(t)
		var got, want []string
		for p := range s.AllPremises() {
			var claims []Claim
			var fromArea []bool
			set := p.Claims()
			for i := range set.Len() {
				c, area := set.At(i)
				claims, fromArea = append(claims, *c), append(fromArea, area)
			}
			got = append(got, describe(p.UPRN(), p.Postcode(), string(p.Address()), p.At(), p.Conflict(), claims, fromArea))
		}
		for _, p := range w.slowMerge() {
			want = append(want, describe(p.uprn, p.postcode, p.address, p.at, p.conflict, p.claims, p.fromArea))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("seed %d, of %d and %d premises:\ngot  %s\nwant %s", seed, len(got), len(want), got[i], want[i])
				}
			}
			t.Fatalf("seed %d: %d premises, want %d", seed, len(got), len(want))
		}
	}
}

func TestFileDoesNotDependOnCoresClockOrRowOrder(t *testing.T) {
	w := makeWorld(5, 600)
	file, report := w.build(t, nil)
	local := time.Local
	time.Local = time.FixedZone("elsewhere", 11*3600)
	defer func() { time.Local = local }()
	for _, procs := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(procs)
		for seed := range uint64(4) {
			shuffled, r := w.build(t, func(rows []testRow) {
				rand.New(rand.NewPCG(seed, 9)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			})
			if string(shuffled) != string(file) {
				t.Errorf("%d processors, shuffle %d: other bytes", procs, seed)
			}
			if fmt.Sprint(r) != fmt.Sprint(report) {
				t.Errorf("%d processors, shuffle %d: other report:\n%v\n%v", procs, seed, r, report)
			}
		}
		runtime.GOMAXPROCS(old)
	}
}

func TestReportCounts(t *testing.T) {
	w := makeWorld(7, 500)
	_, r := w.build(t, nil)
	var conflicts, quarantined, merged, noPostcode, noUPRN, noPlace int64
	for _, p := range w.slowMerge() {
		said := map[string][]Claim{}
		for _, row := range p.rows {
			k := row.claim.CSP + row.claim.Network.String()
			said[k] = append(said[k], row.claim)
		}
		for _, cs := range said {
			if slices.ContainsFunc(cs, func(c Claim) bool { return c != cs[0] }) {
				conflicts++
				quarantined += int64(len(cs))
			} else {
				merged += int64(len(cs) - 1)
			}
		}
		if !p.postcode.IsValid() {
			noPostcode++
		}
		if p.uprn == 0 {
			noUPRN++
		}
		if !p.at.IsValid() {
			noPlace++
		}
	}
	if conflicts == 0 || merged == 0 || noPostcode == 0 || noUPRN == 0 || noPlace == 0 {
		t.Fatal("the world is too tame to test with")
	}
	var rows int64
	for _, c := range r.Conflicts {
		rows += int64(len(c.Rows))
	}
	got := []int64{int64(len(r.Conflicts)), rows, r.Merged, r.WithoutPostcode, r.WithoutUPRN, r.WithoutLocation}
	want := []int64{conflicts, quarantined, merged, noPostcode, noUPRN, noPlace}
	if !slices.Equal(got, want) {
		t.Errorf("conflicts, their rows, merged, without postcode, UPRN, location: got %v, want %v", got, want)
	}
}

func TestNewBuilderRefuses(t *testing.T) {
	w := makeWorld(1, 1)
	if _, err := NewBuilder(w.land, Options{}); err == nil || !strings.Contains(err.Error(), "as-of") {
		t.Errorf("no as-of: %v", err)
	}
	land := w.land
	land[1] = nil
	if _, err := NewBuilder(land, w.options); err == nil || !strings.Contains(err.Error(), "Central") {
		t.Errorf("no land: %v", err)
	}
}

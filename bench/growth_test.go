package bench

import (
	"math"
	"strings"
	"testing"
)

func TestNational(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  int
	}{
		{[]int{1000}, 1000},
		{[]int{10_000_000, 30_000_000, 1_000_000}, 30_000_000},
		{[]int{1_000_000, 60_000_000, 30_000_000}, 30_000_000},
		{[]int{1_000_000, 60_000_000}, 1_000_000},
		{[]int{40_000_000, 60_000_000}, 60_000_000},
	} {
		if got := National(c.sizes); got != c.want {
			t.Errorf("%v: %d, want %d", c.sizes, got, c.want)
		}
	}
}

// A report at a size that is none of its sizes is refused before anything is
// measured.
func TestMeasureWantsItsNational(t *testing.T) {
	for _, o := range []ReportOptions{{}, {Sizes: []int{1000}, National: 2000}} {
		if _, err := Measure(t.Context(), Run{}, o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}

// grown is sizes of so many premises and bytes.
func grown(sizes ...[2]int64) (list []Size) {
	for _, s := range sizes {
		ns := float64(100 + s[0])
		list = append(list, Size{
			Snapshot: &Snapshot{Premises: s[0], Bytes: s[1], Memory: 2 * s[1]},
			Rows:     []Row{{Name: qPostcode, P50: &ns, Floor: new(50.0), FloorOf: floorMap}},
		})
	}
	return list
}

// What a further premises costs is what grows: a large constant part does not
// hide that it doubles.
func TestMarginalGrowth(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []Size
		want  float64
	}{
		"a line behind a constant": {grown([2]int64{10, 1100}, [2]int64{30, 1300}, [2]int64{100, 2000}), 1},
		"doubles at last":          {grown([2]int64{10, 1100}, [2]int64{30, 1300}, [2]int64{100, 2700}), 2},
		"doubles, then halves":     {grown([2]int64{10, 1100}, [2]int64{20, 1200}, [2]int64{30, 1400}, [2]int64{40, 1500}), 2},
		"flattens":                 {grown([2]int64{10, 1100}, [2]int64{20, 1200}, [2]int64{30, 1250}), 0.5},
		"two sizes":                {grown([2]int64{10, 1000}, [2]int64{20, 1600}), 0.8},
	} {
		rows := growth(c.sizes, math.MaxInt64)
		for _, row := range []string{rowGrowthFile, rowGrowthHeld} {
			if r := find(rows, row); r == nil || math.Abs(*r.Ratio-c.want) > 1e-9 {
				t.Errorf("%s, %s: %+v, want %v", name, row, r, c.want)
			}
		}
	}
}

// Times are compared at the national size, which budgets are about, and beyond
// it, after that.
func TestGrowthBeyondTheCountry(t *testing.T) {
	rows := growth(grown([2]int64{100, 100}, [2]int64{200, 200}, [2]int64{300, 300}, [2]int64{700, 700}), 300)
	if r := find(rows, rowGrowth+qPostcode); r == nil || r.N != 300 || *r.P50 != 2 || *r.Floor != 1 {
		t.Errorf("%+v", r)
	}
	n := 0
	for _, r := range rows {
		if r.Name == rowGrowth+qPostcode {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
	// So are bytes, up to either size.
	rows = growth(grown([2]int64{100, 100}, [2]int64{200, 200}, [2]int64{300, 300}, [2]int64{400, 600}), 300)
	if r := find(rows, rowGrowthFile); r == nil || r.N != 300 || *r.Ratio != 1 {
		t.Errorf("%+v", r)
	}
	if last := rows[len(rows)-1]; last.Name != rowGrowthHeld || last.N != 400 || *last.Ratio != 3 {
		t.Errorf("%+v", last)
	}
}

// PostgreSQL's time is scaled to the premises of the nearest size.
func TestBesidePostgres(t *testing.T) {
	sizes := grown([2]int64{1_000_000, 1}, [2]int64{3_000_000, 1}, [2]int64{30_000_000, 1})
	for i, seconds := range []float64{1, 2, 40} {
		sizes[i].Rows = append(sizes[i].Rows, Row{Name: rowBuild, N: 5_000_000, P50: new(seconds)})
	}
	rows := beside([]Row{{Name: rowPeerLoad, N: 2_500_000, P50: new(25.0)}}, sizes)
	if len(rows) != 1 || rows[0].N != 3_000_000 || *rows[0].P50 != 15 || !strings.Contains(rows[0].Note, "5,000,000 rows of extracts") {
		t.Errorf("%+v", rows)
	}
	if rows := beside(nil, sizes); rows != nil {
		t.Errorf("without PostgreSQL: %+v", rows)
	}
}

func TestEdgesTested(t *testing.T) {
	row, err := edgesTested(t.Context(), catalogue(t).Snap, 100, 1)
	if err != nil || *row.P50 < 1 || row.N < 200 || !strings.HasPrefix(row.Note, "the Regions of 0 of") {
		t.Errorf("%+v, %v", row, err)
	}
}

package bench

import (
	"fmt"
	"strings"
)

// A Budget is what a figure must not exceed, or not fall below, at national
// scale: 30 million premises on 1.75 million real postcodes, on two cores.
type Budget struct {
	What  string
	row   string // whose field is judged, with the mix Mixed where it has one
	field string // p50, p99, p999, mean, allocs, ratio
	unit  string // of the limit: the row's, "×" for ratios, "" for counts
	most  float64
	least float64 // where it is a floor and not a ceiling
}

// Rows that are of the snapshot and of several sizes together.
const (
	rowFile       = "snapshot file"
	rowMemory     = "snapshot in memory"
	rowGrowth     = "growth, " // of the time of a question, beside that of a map get
	rowGrowthFile = "growth, bytes a premises in the file"
	rowGrowthHeld = "growth, bytes a premises in memory"
	rowSwap       = "open loop during a swap"
	unitEach      = "bytes/premises"
	unitTimes     = "×"
)

// Budgets are what coverd promises itself.
var Budgets = []Budget{
	{"postcode: find, status, count, Region", qPostcode, "p50", unitNs, 150, 0},
	{"… allocations", qPostcode, "allocs", "", 0, 0},
	{"postcode with its premises, claims and states", qPremises, "p50", unitNs, 1500, 0},
	{"… allocations", qPremises, "allocs", "", 0, 0},
	{"postcode as JSON, in the handler", rowHandler + qPostcode, "p50", unitUs, 2.5, 0},
	{"Region of a point on land, mean", qRegionLand, "mean", unitNs, 200, 0},
	{"… p99.9", qRegionLand, "p999", unitNs, 2000, 0},
	{"location: Region, border, areas, nearest", qLocation, "p50", unitUs, 10, 0},
	{"… p99", qLocation, "p99", unitUs, 50, 0},
	{"… allocations", qLocation, "allocs", "", 0, 0},
	{"outcode on any day", qOutcode, "p50", unitNs, 1000, 0},
	{"sector on any day", qSector, "p50", unitNs, 1000, 0},
	{"UPRN", qUPRN, "p50", unitNs, 1000, 0},
	{"memory", rowMemory, "p50", unitEach, 14, 0},
	{"snapshot file", rowFile, "p50", unitEach, 12, 0},
	{"build, times the unpacking of its files", rowBuild, "ratio", unitTimes, 8, 0},
	{"… peak memory", rowBuildPeak, "p50", unitBytes, 3 << 30, 0},
	{"start to ready, verified", rowReady, "p50", unitSecond, 3, 0},
	{"HTTP, average postcode, share of bare fasthttp", rowHTTP + qPostcode, "ratio", unitTimes, 0, 0.85},
	{"HTTP, outcode, share of bare fasthttp", rowHTTP + qOutcode, "ratio", unitTimes, 0, 0.85},
	{"HTTP, location, share of bare fasthttp", rowHTTP + qLocation, "ratio", unitTimes, 0, 0.85},
	{"in the handler at 70 % of capacity, postcode, p99", rowHandler + qPostcode, "p99", unitUs, 20, 0},
	{"… outcode, p99", rowHandler + qOutcode, "p99", unitUs, 20, 0},
	{"… location, p99", rowHandler + qLocation, "p99", unitUs, 20, 0},
	{"growth of a postcode's look-up, times a map get's", rowGrowth + qPostcode, "ratio", unitTimes, 1, 0},
	{"growth of a UPRN's look-up, times a map get's", rowGrowth + qUPRN, "ratio", unitTimes, 1, 0},
	{"growth of bytes a premises in the file", rowGrowthFile, "ratio", unitTimes, 1, 0},
	{"growth of bytes a premises in memory", rowGrowthHeld, "ratio", unitTimes, 1, 0},
	{"p99 during a swap, open loop at 30 % load", rowSwap, "p99", unitUs, 1000, 0},
}

// The verdicts.
const (
	Pass        = "pass"
	Missed      = "missed"
	NotMeasured = "not measured"
)

// A Verdict is what came of a budget.
type Verdict struct {
	What      string   `json:"what"`
	Budget    string   `json:"budget"`
	Measured  *float64 `json:"measured"`
	Unit      string   `json:"unit"`
	Floor     *float64 `json:"floor"` // in FloorUnit, which a ratio's measured is not
	FloorUnit string   `json:"floor_unit,omitempty"`
	FloorOf   string   `json:"floor_of,omitempty"`
	Verdict   string   `json:"verdict"`
}

// Judge holds rows against the budgets.
func Judge(rows []Row) []Verdict {
	verdicts := make([]Verdict, len(Budgets))
	for i, b := range Budgets {
		verdicts[i] = b.judge(rows)
	}
	return verdicts
}

func (b *Budget) judge(rows []Row) Verdict {
	v := Verdict{What: b.What, Budget: b.limit(), Unit: b.unit, Verdict: NotMeasured}
	row := find(rows, b.row)
	if row == nil {
		return v
	}
	if b.field != "allocs" && b.field != "p99" && b.field != "p999" { // a floor is of medians
		v.Floor, v.FloorOf = row.Floor, row.FloorOf
		if v.Floor != nil {
			v.FloorUnit = row.Unit
		}
	}
	if v.Measured = row.value(b.field); v.Measured == nil {
		return v
	}
	v.Verdict = Pass
	if b.least > 0 && *v.Measured < b.least || b.least == 0 && *v.Measured > b.most {
		v.Verdict = Missed
	}
	return v
}

// limit writes what is allowed.
func (b *Budget) limit() string {
	sign, limit := "≤", b.most
	if b.least > 0 {
		sign, limit = "≥", b.least
	}
	if b.unit == unitBytes {
		return fmt.Sprintf("%s %.0f GiB", sign, limit/(1<<30))
	}
	return strings.TrimSpace(sign + " " + thousands(limit) + " " + b.unit)
}

// find is the first row of a name, of the mix Mixed where it has one: nil is
// none.
func find(rows []Row, name string) *Row {
	for i := range rows {
		if r := &rows[i]; r.Name == name && (r.Mix == "" || r.Mix == Mixed) {
			return r
		}
	}
	return nil
}

func (r *Row) value(field string) *float64 {
	switch field {
	case "p50":
		return r.P50
	case "p99":
		return r.P99
	case "p999":
		return r.P999
	case "mean":
		return r.Mean
	case "allocs":
		return r.Allocs
	case "ratio":
		return r.Ratio
	}
	return nil
}

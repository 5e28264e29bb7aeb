package bench

import (
	"cmp"
	"fmt"
	"strings"
)

// A Budget is what a figure must not exceed, or not fall below, at national
// scale: 30 million premises on 1.75 million real postcodes, on two cores.
type Budget struct {
	What  string
	row   string  // whose field is judged
	mix   string  // of the row, where it has one: Mixed by default
	field string  // p50, p99, p999, mean, allocs, ratio
	unit  string  // of the limit: the row's, "×" for ratios, "" for counts
	most  float64 // nothing where both limits are 0
	least float64 // where it is a floor and not a ceiling
}

// Rows that are of the snapshot and of several sizes together.
const (
	rowFile       = "snapshot file"
	rowHeld       = "held, by the index's own count"
	rowEdges      = "edges tested for a Region, most of any point"
	rowGrowth     = "growth, " // of the time of a question, beside that of a map get
	rowGrowthFile = "growth, bytes of the file"
	rowGrowthHeld = "growth, bytes in memory"
	rowBuildPeer  = "build beside PostgreSQL"
	unitEach      = "bytes/premises"
	unitTimes     = "×"
	unitEdges     = "edges"
)

// Budgets are what coverd promises itself. That JSON takes no allocations is
// promised of what is found: that nothing is found is told by a text made for
// the question.
var Budgets = []Budget{
	{What: "postcode: find, status, count, Region", row: qPostcode, field: "p50", unit: unitNs, most: 150},
	{What: "postcode, allocations", row: qPostcode, field: "allocs"},
	{What: "postcode with its premises, claims and states", row: qPremises, field: "p50", unit: unitNs, most: 1500},
	{What: "postcode with its premises, allocations", row: qPremises, field: "allocs"},
	{What: "average postcode as JSON, in process", row: qPostcodeJSON, field: "p50", unit: unitUs, most: 2.5},
	{What: "postcode as JSON, allocations", row: qPostcodeJSON, mix: Hits, field: "allocs"},
	{What: "outcode as JSON, allocations", row: qOutcodeJSON, mix: Hits, field: "allocs"},
	{What: "location as JSON, allocations", row: qLocationJSON, mix: Hits, field: "allocs"},
	{What: "Region of a point on land, mean", row: qRegionLand, field: "mean", unit: unitNs, most: 200},
	{What: "Region of a point on land, p99.9", row: qRegionLand, field: "p999", unit: unitNs, most: 2000},
	{What: "Region of a point on land, allocations", row: qRegionLand, field: "allocs"},
	{What: "Region of a point beside a border, p99.9", row: qRegionBorder, field: "p999", unit: unitNs, most: 2000},
	{What: "Region of a point beside a border, allocations", row: qRegionBorder, field: "allocs"},
	{What: "edges tested for the Region of any point", row: rowEdges, field: "p50", unit: unitEdges, most: 64},
	{What: "location: Region, border, areas, nearest", row: qLocation, field: "p50", unit: unitUs, most: 10},
	{What: "location, p99", row: qLocation, field: "p99", unit: unitUs, most: 50},
	{What: "location, allocations", row: qLocation, field: "allocs"},
	{What: "outcode on any day", row: qOutcode, field: "p50", unit: unitNs, most: 1000},
	{What: "outcode, allocations", row: qOutcode, field: "allocs"},
	{What: "sector on any day", row: qSector, field: "p50", unit: unitNs, most: 1000},
	{What: "sector, allocations", row: qSector, field: "allocs"},
	{What: "UPRN", row: qUPRN, field: "p50", unit: unitNs, most: 1000},
	{What: "UPRN, allocations", row: qUPRN, field: "allocs"},
	{What: "memory at rest, over an empty process", row: rowAtRest, field: "p50", unit: unitEach, most: 14},
	{What: "snapshot file", row: rowFile, field: "p50", unit: unitEach, most: 12},
	{What: "build, times the unpacking of its files", row: rowBuild, field: "ratio", unit: unitTimes, most: 8},
	{What: "build, peak memory", row: rowBuildPeak, field: "p50", unit: unitBytes, most: 3 << 30},
	{What: "build, times as fast as PostgreSQL's COPY and indexes", row: rowBuildPeer, field: "p50", unit: unitTimes, least: 10},
	{What: "start to ready, verified", row: rowReady, field: "p50", unit: unitSecond, most: 3},
	{What: "HTTP, average postcode, share of bare fasthttp", row: rowHTTP + qPostcode, field: "ratio", unit: unitTimes, least: 0.85},
	{What: "HTTP, outcode, share of bare fasthttp", row: rowHTTP + qOutcode, field: "ratio", unit: unitTimes, least: 0.85},
	{What: "HTTP, location, share of bare fasthttp", row: rowHTTP + qLocation, field: "ratio", unit: unitTimes, least: 0.85},
	{What: "in the handler at 70 % of capacity, postcode, p99", row: rowHandler + qPostcode, field: "p99", unit: unitUs, most: 1e6 * handlerBudget},
	{What: "in the handler at 70 % of capacity, outcode, p99", row: rowHandler + qOutcode, field: "p99", unit: unitUs, most: 1e6 * handlerBudget},
	{What: "in the handler at 70 % of capacity, location, p99", row: rowHandler + qLocation, field: "p99", unit: unitUs, most: 1e6 * handlerBudget},
	{What: "p99 while snapshots are swapped at 30 % of capacity, times the greater of 1 ms and twice the p99 without", row: rowSwap, field: "ratio", unit: unitTimes, most: 1},
	{What: "growth of a postcode's look-up, times a map get's", row: rowGrowth + qPostcode, field: "ratio", unit: unitTimes, most: 1},
	{What: "growth of a UPRN's look-up, times a map get's", row: rowGrowth + qUPRN, field: "ratio", unit: unitTimes, most: 1},
	{What: "growth of the file: bytes of a further premises, times those before", row: rowGrowthFile, field: "ratio", unit: unitTimes, most: 1},
	{What: "growth of memory: bytes of a further premises, times those before", row: rowGrowthHeld, field: "ratio", unit: unitTimes, most: 1},
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
	row := findIn(rows, b.row, cmp.Or(b.mix, Mixed))
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
func find(rows []Row, name string) *Row { return findIn(rows, name, Mixed) }

func findIn(rows []Row, name, mix string) *Row {
	for i := range rows {
		if r := &rows[i]; r.Name == name && (r.Mix == "" || r.Mix == mix) {
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

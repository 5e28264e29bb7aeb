package bench

import (
	"math"
	"strconv"
)

// charts are the report's pictures: those that there are figures for.
func (r *Report) charts() (list []chart) {
	for _, c := range []chart{r.latencyChart(), r.throughputChart(), r.bytesChart(), r.growthChart()} {
		if len(c.series) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// latencyChart has percentiles at even distances for each further nine.
func (r *Report) latencyChart() chart {
	c := chart{file: "latency.svg", title: "Latency over HTTP, open loop at 70 % of capacity, from when each request was due", xLabel: "percentile", yLabel: "µs"}
	for _, p := range []float64{0, 90, 99, 99.9, 99.99} {
		c.ticks = append(c.ticks, tick{nines(p), strconv.FormatFloat(p, 'f', -1, 64) + " %"})
	}
	for _, curve := range r.Curves {
		s := series{name: curve.Name}
		for _, p := range curve.Points {
			s.points = append(s.points, [2]float64{nines(p[0]), p[1]})
		}
		c.series = append(c.series, s)
	}
	return c
}

// nines is how many nines a percentile begins with, in between too.
func nines(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

func (r *Report) throughputChart() chart {
	c := chart{file: "throughput.svg", title: "Throughput over loopback, client on the same processors", yLabel: "requests/s", bars: true, beginsAtZero: true}
	questions := []string{qPostcode, qOutcode, qLocation}
	var floor series
	for i, q := range questions {
		c.ticks = append(c.ticks, tick{float64(i), q})
		if row := find(r.Rows, rowHTTP+q); row != nil && row.Floor != nil {
			floor.points = append(floor.points, [2]float64{float64(i), *row.Floor})
		}
	}
	for _, who := range []struct{ row, name string }{{rowHTTP, "coverd"}, {rowNetHTTP, "bare net/http"}, {rowRedis, "Redis GET"}} {
		s := series{name: who.name}
		for i, q := range questions {
			if row := find(r.Rows, who.row+q); row != nil && row.P50 != nil {
				s.points = append(s.points, [2]float64{float64(i), *row.P50})
			}
		}
		if len(s.points) > 0 {
			c.series = append(c.series, s)
		}
	}
	if len(floor.points) > 0 {
		floor.name = "bare fasthttp"
		c.series = append(c.series, floor)
	}
	return c
}

func (r *Report) bytesChart() chart {
	c := chart{file: "bytes.svg", title: "Bytes a premises", xLabel: "premises", yLabel: "bytes", bars: true, beginsAtZero: true}
	file, held := series{name: "in the file"}, series{name: "in memory"}
	for i, s := range r.Sizes {
		c.ticks = append(c.ticks, tick{float64(i), thousands(float64(s.Snapshot.Premises))})
		file.points = append(file.points, [2]float64{float64(i), s.Snapshot.PerPremises})
		held.points = append(held.points, [2]float64{float64(i), s.Snapshot.HeldPremises})
	}
	if len(r.Sizes) > 0 {
		c.series = []series{file, held}
	}
	return c
}

func (r *Report) growthChart() chart {
	c := chart{file: "growth.svg", title: "Time of a look-up with the number of premises", xLabel: "premises", yLabel: "ns"}
	if len(r.Sizes) < 2 {
		return c
	}
	for _, s := range r.Sizes {
		c.ticks = append(c.ticks, tick{math.Log10(float64(s.Snapshot.Premises)), thousands(float64(s.Snapshot.Premises))})
	}
	add := func(name, question string, of func(*Row) *float64) {
		s := series{name: name}
		for _, size := range r.Sizes {
			if row := find(size.Rows, question); row != nil && of(row) != nil {
				s.points = append(s.points, [2]float64{math.Log10(float64(size.Snapshot.Premises)), *of(row)})
			}
		}
		if len(s.points) > 0 {
			c.series = append(c.series, s)
		}
	}
	p50, floor := func(r *Row) *float64 { return r.P50 }, func(r *Row) *float64 { return r.Floor }
	add("postcode", qPostcode, p50)
	add("postcode, map get", qPostcode, floor)
	add("UPRN", qUPRN, p50)
	add("UPRN, map get", qUPRN, floor)
	add("postcode with premises", qPremises, p50)
	add("outcode", qOutcode, p50)
	return c
}

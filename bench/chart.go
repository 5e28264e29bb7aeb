package bench

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
)

// chart is a picture of lines or bars. Its vertical axis is logarithmic unless
// it begins at zero.
type chart struct {
	file, title  string
	xLabel       string
	yLabel       string
	ticks        []tick // of the horizontal axis
	series       []series
	bars         bool
	beginsAtZero bool
}

// tick is a place on the horizontal axis with its label.
type tick struct {
	at    float64
	label string
}

// series is one line, or the bars of one colour.
type series struct {
	name   string
	points [][2]float64
}

// The picture's size and margins, and colours that people who cannot tell red
// from green can tell apart (Okabe and Ito).
const (
	chartWidth, chartHeight    = 760, 400
	left, right, upper, bottom = 80, 220, 40, 60
)

var palette = []string{"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#999999"}

// svg draws the chart.
func (c *chart) svg() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", chartWidth, chartHeight)
	text(&b, left, upper-16, "start", c.title)
	text(&b, (left+chartWidth-right)/2, chartHeight-12, "middle", c.xLabel)
	text(&b, 8, upper-16, "start", c.yLabel)

	c.positive()
	x, y, grid := c.axes()
	for _, v := range grid {
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", left, chartWidth-right, y(v), y(v))
		text(&b, left-6, y(v)+4, "end", thousands(v))
	}
	for _, t := range c.ticks {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#888"/>`+"\n", x(t.at), x(t.at), chartHeight-bottom, chartHeight-bottom+5)
		text(&b, x(t.at), chartHeight-bottom+20, "middle", t.label)
	}
	for i, s := range c.series {
		colour := palette[i%len(palette)]
		if c.bars {
			c.drawBars(&b, s, i, colour, x, y)
		} else {
			drawLine(&b, s, colour, x, y)
		}
		at := upper + 18*i
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/>`+"\n", chartWidth-right+14, at, colour)
		text(&b, chartWidth-right+32, float64(at)+10, "start", s.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// positive leaves out what a logarithmic axis has no place for.
func (c *chart) positive() {
	if c.beginsAtZero {
		return
	}
	for i := range c.series {
		c.series[i].points = slices.DeleteFunc(slices.Clone(c.series[i].points), func(p [2]float64) bool { return p[1] <= 0 })
	}
}

// axes returns where values are drawn, and the values to draw lines at.
func (c *chart) axes() (x, y func(float64) float64, grid []float64) {
	minX, maxX := math.Inf(1), math.Inf(-1)
	minY, maxY := math.Inf(1), math.Inf(-1)
	for _, s := range c.series {
		for _, p := range s.points {
			minX, maxX = min(minX, p[0]), max(maxX, p[0])
			minY, maxY = min(minY, p[1]), max(maxY, p[1])
		}
	}
	for _, t := range c.ticks {
		minX, maxX = min(minX, t.at), max(maxX, t.at)
	}
	if c.bars {
		minX, maxX = minX-0.5, maxX+0.5
	}
	if minY > maxY { // nothing to draw
		minX, maxX, minY, maxY = min(minX, 0), max(maxX, 1), 1, 1
	}
	if c.beginsAtZero && maxY <= 0 {
		maxY = 1
	}
	scale := func(v float64) float64 { return v }
	if c.beginsAtZero {
		step := math.Pow(10, math.Floor(math.Log10(maxY)))
		if maxY/step < 3 {
			step /= 4
		}
		minY, maxY = 0, step*math.Ceil(maxY/step)
		for v := 0.0; v <= maxY*1.001; v += step {
			grid = append(grid, *rounded(v))
		}
	} else {
		scale = math.Log10
		low, high := math.Floor(math.Log10(minY)), math.Ceil(math.Log10(maxY))
		high = max(high, low+1)
		minY, maxY = math.Pow(10, low), math.Pow(10, high)
		for e := low; e <= high; e++ {
			grid = append(grid, *rounded(math.Pow(10, e)))
		}
	}
	width := max(maxX-minX, 1e-9)
	x = func(v float64) float64 { return left + (v-minX)/width*(chartWidth-left-right) }
	y = func(v float64) float64 {
		return chartHeight - bottom - (scale(v)-scale(minY))/(scale(maxY)-scale(minY))*(chartHeight-bottom-upper)
	}
	return x, y, grid
}

func drawLine(b *bytes.Buffer, s series, colour string, x, y func(float64) float64) {
	b.WriteString(`<polyline fill="none" stroke-width="2" stroke="` + colour + `" points="`)
	for _, p := range s.points {
		fmt.Fprintf(b, "%.1f,%.1f ", x(p[0]), y(p[1]))
	}
	b.WriteString(`"/>` + "\n")
	for _, p := range s.points {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`+"\n", x(p[0]), y(p[1]), colour)
	}
}

// drawBars draws the bars of series i beside those of the others.
func (c *chart) drawBars(b *bytes.Buffer, s series, i int, colour string, x, y func(float64) float64) {
	n := float64(len(c.series))
	width := (x(1) - x(0)) * 0.8 / n
	for _, p := range s.points {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n",
			x(p[0])+width*(float64(i)-n/2), y(p[1]), width, y(0)-y(p[1]), colour)
	}
}

func text(b *bytes.Buffer, x, y float64, anchor, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">`, x, y, anchor)
	_ = xml.EscapeText(b, []byte(s)) // a bytes.Buffer takes everything
	b.WriteString("</text>\n")
}

package loader

import (
	"fmt"

	"coverd/index"
)

// chart is bars side by side, and the table beneath with the same numbers.
type chart struct {
	ID, Heading, Text string
	Of, What          string // what the rows are of, and what is counted
	Width, Height     int
	Rows              []barRow
	Also              *sideTable // what else there is to tell
}

// barRow is a bar; its places are in the picture's units.
type barRow struct {
	Name, Label, Total, Title string // Label is Name as far as there is room

	LabelX, TextY, X, Y, W, H, EndX string

	value float64
}

type sideTable struct {
	Head []cell
	Rows [][]cell
}

type cell struct {
	Text   string
	Number bool
}

// The picture of a chart.
const (
	totalWidth  = 130
	rowHeight   = 24
	barHeight   = 14
	labelLetter = 30 // letters that a label has room for
)

func (c *chart) add(name string, value float64, total string) {
	c.Rows = append(c.Rows, barRow{Name: name, Label: shortened(name, labelLetter), Total: total, Title: name + ": " + total, value: value})
}

// layout is how wide a chart's labels and its longest bar are.
type layout struct{ label, bars float64 }

var (
	broad  = layout{210, 380}
	narrow = layout{150, 230} // beside the map
)

func (l layout) width() int { return int(l.label+l.bars) + totalWidth }

// lay gives every bar its place.
func (c *chart) lay(l layout) {
	most := 0.0
	for _, r := range c.Rows {
		most = max(most, r.value)
	}
	c.Width, c.Height = l.width(), rowHeight*len(c.Rows)+4
	for i := range c.Rows {
		r := &c.Rows[i]
		w := 0.0
		if most > 0 {
			w = l.bars * max(r.value, 0) / most
		}
		if r.value > 0 {
			w = max(w, 1)
		}
		y := float64(rowHeight * i)
		r.LabelX, r.TextY, r.X, r.Y = decimal(l.label-8), decimal(y+16), decimal(l.label), decimal(y+5)
		r.W, r.H, r.EndX = decimal(w), decimal(barHeight), decimal(l.label+w+6)
	}
}

// charts are those that have something to show, in the order of the page.
func (r *Report) charts(took float64) (list []*chart) {
	add := func(c *chart) {
		if len(c.Rows) > 0 || c.Also != nil {
			c.lay(broad)
			list = append(list, c)
		}
	}
	regions := &chart{ID: "h-regions", Heading: "Premises by Region", Of: "Region", What: "Premises"}
	for _, g := range r.Regions {
		name, total := g.Region, thousands(g.Premises)
		if name == "" {
			name = "none"
		}
		if g.Before >= 0 {
			total += fmt.Sprintf(" (%s)", signed(g.Premises-g.Before))
		}
		regions.add(name, float64(g.Premises), total)
	}
	add(regions)

	reasons := &chart{
		ID: "h-reasons", Heading: "Rejected rows by reason", Of: "Reason", What: "Rows",
		Text: fmt.Sprintf("%s of %s rows were rejected (%s).", thousands(r.Rejected), thousands(r.Rows), portion(r.Rejected, r.Rows)),
	}
	for _, c := range r.Reasons {
		reasons.add(words(string(c.Reason)), float64(c.Rows), thousands(c.Rows))
	}
	add(reasons)
	if r.Lag != nil {
		add(lagChart(r.Lag))
	}
	timings := &chart{ID: "h-timings", Heading: "How long it took", Text: seconds(took) + " in all.", Of: "Stage", What: "Time"}
	for _, t := range r.Timings {
		timings.add(t.Stage, t.Seconds, seconds(t.Seconds))
	}
	add(timings)
	return list
}

// lagChart is the histogram of how long postcodes have been waiting.
func lagChart(l *Lag) *chart {
	c := &chart{
		ID: "h-lag", Heading: "New-build lag: live postcodes in no extract", Of: "Introduced", What: "Postcodes",
		Text: fmt.Sprintf("%s live postcodes of the register are in no extract. Of %s the register says since when they exist, of %s it does not.",
			thousands(l.Postcodes), thousands(l.Dated), thousands(l.Undated)),
	}
	if l.New >= 0 {
		c.Text += fmt.Sprintf(" %s were not in the previous snapshot.", thousands(l.New))
	}
	ages := l.Ages
	if l.Dated == 0 {
		ages = nil // a picture of nothing
	}
	for _, a := range ages {
		name := fmt.Sprintf("%d to %d months ago", a.Months, a.Until)
		switch {
		case a.Until == 0:
			name = fmt.Sprintf("%d months ago or more", a.Months)
		case a.Until == a.Months+1 && a.Months == 0:
			name = "this month"
		case a.Until == a.Months+1:
			name = fmt.Sprintf("%s ago", number(a.Months, "month"))
		}
		c.add(name, float64(a.Postcodes), thousands(a.Postcodes))
	}
	if len(l.Outcodes) > 0 {
		c.Also = &sideTable{Head: []cell{{"Outcode", false}, {"In no extract", true}, {"Of its live postcodes", true}, {"Share", true}, {"Oldest", false}}}
		for _, o := range l.Outcodes[:min(len(l.Outcodes), shownOutcodes)] {
			c.Also.Rows = append(c.Also.Rows, []cell{
				{o.Outcode, false}, {thousands(o.Postcodes), true}, {thousands(o.Live), true}, {portion(o.Postcodes, o.Live), true}, {orDash(o.Oldest), false},
			})
		}
	}
	return c
}

// networksPart is the bars that are divided by state.
type networksPart struct {
	Width, Height int
	Rows          []stackRow
	Key           []keyItem
	Table         []networkRow
}

type stackRow struct {
	Label, LabelX, TextY, EndX, Total string

	Parts []stackPart
}

type stackPart struct{ Class, X, Y, W, H, Title string }

type keyItem struct{ Class, Name string }

type networkRow struct {
	CSP, Network, Premises, Before, Difference, Class, Available, Planned, Unknown, Unavailable string
}

func networksOf(list []NetworkCount) *networksPart {
	if len(list) == 0 {
		return nil
	}
	p := &networksPart{Width: broad.width(), Height: rowHeight*len(list) + 4}
	order := [...]index.State{index.Available, index.Planned, index.Unknown, index.Unavailable}
	for _, s := range order {
		p.Key = append(p.Key, keyItem{s.String(), s.String()})
	}
	most := 1
	for i := range list {
		most = max(most, list[i].Premises)
	}
	for i := range list {
		n, y := &list[i], float64(rowHeight*i)
		name := n.CSP + ", " + n.Network.String()
		row := stackRow{Label: shortened(name, labelLetter), LabelX: decimal(broad.label - 8), TextY: decimal(y + 16), Total: thousands(int64(n.Premises))}
		x := broad.label
		for k, count := range stateCounts(&n.Summary) {
			if count <= 0 {
				continue
			}
			w := broad.bars * float64(count) / float64(most)
			row.Parts = append(row.Parts, stackPart{
				order[k].String(), decimal(x), decimal(y + 5), decimal(w), decimal(barHeight),
				fmt.Sprintf("%s, %s: %s (%s)", name, order[k], thousands(int64(count)), portion(int64(count), int64(n.Premises))),
			})
			x += w
		}
		row.EndX = decimal(x + 6)
		p.Rows = append(p.Rows, row)
		t := networkRow{CSP: n.CSP, Network: n.Network.String(), Premises: thousands(int64(n.Premises)), Before: "–", Difference: "–"}
		if n.Before != nil {
			d := int64(n.Premises - n.Before.Premises)
			t.Before, t.Difference, t.Class = thousands(int64(n.Before.Premises)), signed(d), direction(d)
		}
		c := stateCounts(&n.Summary)
		t.Available, t.Planned, t.Unknown, t.Unavailable = thousands(int64(c[0])), thousands(int64(c[1])), thousands(int64(c[2])), thousands(int64(c[3]))
		p.Table = append(p.Table, t)
	}
	return p
}

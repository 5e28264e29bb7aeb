package loader

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
)

// shownGroups is how many groups of a dimension a person is shown.
const shownGroups = 10

// WriteText writes the report for a person to read.
func (a *Accuracy) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := &printer{w: t}
	p.line("%s outcomes: %s scored, %s not known, %s rejected", thousands(a.Rows), thousands(a.Scored), thousands(a.NotKnown), thousands(a.Rejected))
	p.line("against what was indicated %s about its day", leadText(a.Lead))
	for _, s := range a.Snapshots {
		p.line("snapshot %.12s as of %v, asked about known days from %v on", s.ID, s.AsOf, s.HistoryFrom)
	}
	p.line("\nindicated\tinstall success\tinstall, no SM WAN")
	for _, r := range a.rows() {
		p.line("%s\t%s\t%s", r.name, thousands(r.Success), thousands(r.NoWAN))
	}
	p.line("")
	p.line("inaccurate predictions: %s of those indicated available had no SM WAN", a.Inaccurate.text())
	p.line("coverage missed: %s of those indicated unavailable or planned for later were a success", a.Missed.text())
	few := false
	for from := 0; from < len(a.Groups); {
		to := from
		for to < len(a.Groups) && a.Groups[to].Dimension == a.Groups[from].Dimension {
			to++
		}
		if a.Groups[from].Dimension != string(SheetInstallType) { // which says itself what came of it
			a.writeGroups(p, a.Groups[from:to])
			few = few || slices.ContainsFunc(a.Groups[from:to], func(g OutcomeGroup) bool { return !g.Ranked })
		}
		from = to
	}
	if few {
		p.line("\n(few): fewer than %d of them were indicated available, so it has no rank; --least says how many it takes", a.Least)
	}
	if e := &a.Estimates; len(e.Bands) > 0 || e.Unknown+e.None+e.NotKnown > 0 {
		p.line("\nestimates where no premises was found\tstated\tcame so\tof\t95 %%")
		for _, b := range e.Bands {
			p.line("confidence %.2f to %.2f\t%s\t%s\t%s\t%s", b.From, b.To, sharePercent(b.Stated), percentOf(b.Observed.Rate), thousands(b.Observed.Of), b.Observed.interval())
		}
		p.line("besides: %s unknown, %s with nothing to go by, %s of which the snapshot in force was not given",
			thousands(e.Unknown), thousands(e.None), thousands(e.NotKnown))
	}
	if a.Rejected > 0 {
		p.line("\nrejected")
		for _, code := range slices.Sorted(maps.Keys(a.RejectedBy)) {
			p.line("%s\t%s", code, thousands(a.RejectedBy[code]))
		}
		for i := range a.Rejects {
			p.line("  %v", &a.Rejects[i])
		}
		if more := a.Rejected - int64(len(a.Rejects)); more > 0 {
			p.line("  and %s more", thousands(more))
		}
	}
	if p.err != nil {
		return p.err
	}
	return t.Flush()
}

func leadText(lead int) string {
	switch lead {
	case 0:
		return "on the day of the installation"
	case 1:
		return "the day before the installation"
	}
	return fmt.Sprintf("%d days before the installation", lead)
}

type indicatedRow struct {
	name string
	Outcomes
}

// rows are the counts by what was indicated.
func (c *OutcomeCounts) rows() []indicatedRow {
	return []indicatedRow{
		{"available", c.Available},
		{"planned for later", c.Planned},
		{"unavailable", c.Unavailable},
		{"unknown", c.Unknown},
		{"no premises found", c.NoPremises},
		{"not known", c.Unread},
	}
}

// writeGroups writes the groups of one dimension.
func (a *Accuracy) writeGroups(p *printer, list []OutcomeGroup) {
	p.line("\n%s\tinaccurate\tof available\t95 %%\tmissed\tof others", list[0].Dimension)
	for i, g := range list {
		if i == shownGroups && i+1 < len(list) {
			p.line("and %s more, no worse or with fewer than %d indicated available", thousands(int64(len(list)-i)), a.Least)
			return
		}
		few := ""
		if !g.Ranked {
			few = " (few)"
		}
		p.line("%s%s\t%s\t%s\t%s\t%s\t%s", g.Name, few, percentOf(g.Inaccurate.Rate), thousands(g.Inaccurate.Of), g.Inaccurate.interval(),
			percentOf(g.Missed.Rate), thousands(g.Missed.Of))
	}
}

func (r *Rate) text() string {
	if r.Of == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%s of %s, 95 %%: %s)", percentOf(r.Rate), thousands(r.N), thousands(r.Of), r.interval())
}

func (r *Rate) interval() string {
	if r.Low == nil {
		return "-"
	}
	return sharePercent(*r.Low) + " to " + sharePercent(*r.High)
}

func percentOf(f *float64) string {
	if f == nil {
		return "-"
	}
	return sharePercent(*f)
}

func sharePercent(f float64) string { return fmt.Sprintf("%.2f %%", 100*f) }

// accuracyColumns are those of the report as CSV.
var accuracyColumns = []string{
	"dimension", "name", "ranked",
	"available_success", "available_no_wan", "planned_success", "planned_no_wan", "unavailable_success", "unavailable_no_wan",
	"unknown_success", "unknown_no_wan", "no_premises_found_success", "no_premises_found_no_wan", "not_known_success", "not_known_no_wan",
	"inaccurate", "inaccurate_low", "inaccurate_high", "missed", "missed_low", "missed_high",
	"stated", "observed", "observed_low", "observed_high", "outcomes",
}

// WriteCSV writes the counts, a row a group: first that of all, and last those of
// estimates by their confidence.
func (a *Accuracy) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{accuracyColumns, countCells("all", "", "", &a.OutcomeCounts)}
	for i := range a.Groups {
		g := &a.Groups[i]
		rows = append(rows, countCells(g.Dimension, Inert(g.Name), strconv.FormatBool(g.Ranked), &g.OutcomeCounts))
	}
	for _, b := range a.Estimates.Bands {
		row := make([]string, len(accuracyColumns)-5)
		row[0], row[1] = "estimate_confidence", fmt.Sprintf("%.2f to %.2f", b.From, b.To)
		rows = append(rows, append(row, shareCell(&b.Stated), shareCell(b.Observed.Rate), shareCell(b.Observed.Low), shareCell(b.Observed.High),
			strconv.FormatInt(b.Observed.Of, 10)))
	}
	return c.WriteAll(rows)
}

func countCells(dimension, name, ranked string, c *OutcomeCounts) []string {
	row, all := []string{dimension, name, ranked}, int64(0)
	for _, r := range c.rows() {
		row = append(row, strconv.FormatInt(r.Success, 10), strconv.FormatInt(r.NoWAN, 10))
		all += r.all()
	}
	for _, r := range []*Rate{&c.Inaccurate, &c.Missed} {
		row = append(row, shareCell(r.Rate), shareCell(r.Low), shareCell(r.High))
	}
	return append(row, "", "", "", "", strconv.FormatInt(all, 10))
}

func shareCell(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', 6, 64)
}

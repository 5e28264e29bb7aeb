package loader

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"

	"coverd/index"
)

//go:embed report.tmpl.html
var reportHTML string

var reportPage = template.Must(template.New("report").Parse(reportHTML))

// How many outcodes and passed gates stand in the open; the rest are folded away.
const (
	shownOutcodes = 12
	shownGates    = 10
)

// WriteHTML writes the report as one page that needs nothing else: it opens from
// a disk or out of a mail, in light and in dark, and prints. Every picture has
// its figures in a table beside it. The page is the same for the same report.
// Whatever names, paths and reasons hold is text on it: html/template escapes it
// for where it stands, and the page allows no script.
func (r *Report) WriteHTML(w io.Writer) error {
	p := r.page()
	if r.Changes != nil {
		land := r.Land
		if land == nil {
			indicative, err := IndicativeRegions()
			if err != nil {
				return err
			}
			land = &indicative
			p.Foot += " The map: " + IndicativeAttribution()
		}
		p.Changes.Map = changeMap(land, r.Changes.Outcodes)
	}
	return reportPage.Execute(w, p)
}

// page is what the template shows, in words and numbers ready to be shown.
type page struct {
	Class, Verdict, Headline, Lead, AsOf, Foot string

	gatesPart
	Facts    []fact
	Refusals []Refusal
	Notes    []fact
	Changes  *changesPart
	Networks *networksPart
	Charts   []*chart
	Sources  []sourceRow
}

// gatesPart is the gates that a page shows in the open, and those it folds away.
type gatesPart struct {
	Gates, MoreGates         []gateRow
	GatesLead, MoreGatesText string
}

type fact struct {
	Name, Text string
	ID         bool
}

type gateRow struct {
	Gate, Source, Verdict, Class, Value, Hold, Margin, Msg, Look string

	Bullet *bullet
}

// bullet is a gate's value beside its thresholds, in units of its picture.
type bullet struct {
	Class             string
	Value, Warn, Hold string
	HasWarn           bool
}

type changesPart struct {
	Since                  string
	Map                    *mapPart
	Kinds                  *chart
	CSPs                   []cspRow
	Outcodes, MoreOutcodes []outcodeRow
}

type cspRow struct{ Name, Before, After, Difference, Class, Flipped string }

type outcodeRow struct{ Name, Changes, Gained, Lost, State string }

type sourceRow struct {
	Kind, Path, CSP, AsOf, Sequence, Rows, Accepted, Rejected, Allowed string

	Rejects []rejectRow
}

type rejectRow struct{ Of, Where, Column, Code, Msg, Row string }

func (r *Report) page() *page {
	p := &page{AsOf: orDash(r.AsOf.String()), Refusals: r.Refusals}
	r.verdictOf(p)
	took := 0.0
	for _, t := range r.Timings {
		took += t.Seconds
	}
	p.fact("As of", p.AsOf)
	p.Facts = append(p.Facts, fact{"Snapshot", orDash(r.Snapshot), true}, fact{"Previous", orDash(r.Previous), true})
	p.fact("Premises", thousands(r.Premises))
	p.fact("Coverage areas", thousands(r.Areas))
	p.fact("Rows read", thousands(r.Rows))
	p.fact("Rows rejected", fmt.Sprintf("%s (%s)", thousands(r.Rejected), portion(r.Rejected, r.Rows)))
	if r.States.Premises > 0 {
		all := int64(r.States.Premises)
		p.fact("Available", fmt.Sprintf("%s (%s)", thousands(int64(r.States.Available)), portion(int64(r.States.Available), all)))
		p.fact("Planned", fmt.Sprintf("%s (%s)", thousands(int64(r.States.Planned)), portion(int64(r.States.Planned), all)))
	}
	if len(r.Timings) > 0 {
		p.fact("Took", seconds(took))
	}
	r.notes(p)
	p.gatesPart = gatesOf(r.Gates)
	if r.Changes != nil {
		p.Changes = changesOf(r.Changes)
	}
	p.Networks = networksOf(r.Networks)
	p.Charts = r.charts(took)
	for i := range r.Sources {
		p.Sources = append(p.Sources, sourceOf(&r.Sources[i]))
	}
	p.Foot = "Written by coverd build. Counts are of tonight's build; a premises is counted once for each CSP and network region that it has a claim on."
	return p
}

func (p *page) fact(name, text string) { p.Facts = append(p.Facts, fact{Name: name, Text: text}) }

func (p *page) note(name, text string) { p.Notes = append(p.Notes, fact{Name: name, Text: text}) }

// verdictOf is the head of the page: what came of the build, in a line.
func (r *Report) verdictOf(p *page) {
	warned := 0
	for i := range r.Gates {
		if r.Gates[i].Verdict == Warned {
			warned++
		}
	}
	switch {
	case len(r.Refusals) > 0:
		first := r.Refusals[0]
		p.Class, p.Verdict = "refused", "refused"
		p.Headline = fmt.Sprintf("Refused by the gate %s: %s", first.Gate, first.Source)
		if n := len(r.Refusals) - 1; n > 0 {
			p.Headline += fmt.Sprintf(", and %s more", thousands(int64(n)))
		}
		p.Lead = "No snapshot was made: what is served is what was served before. " + first.Msg
	case r.Snapshot == "":
		p.Class, p.Verdict, p.Headline = "warned", "not written", "No snapshot was written"
		p.Lead = "No gate refused the build, but there is no snapshot of it."
	default:
		p.Class, p.Verdict, p.Headline = "built", "built", "Built"
		var but []string
		for _, c := range []struct {
			n         int
			one, more string
		}{
			{len(r.Overrides), "gate overridden", "gates overridden"}, {warned, "warning of a gate", "warnings of gates"}, {len(r.Carried), "source carried over", "sources carried over"},
		} {
			switch {
			case c.n == 1:
				but = append(but, "1 "+c.one)
			case c.n > 1:
				but = append(but, thousands(int64(c.n))+" "+c.more)
			}
		}
		if len(but) > 0 {
			p.Class = "warned"
			p.Headline += ", with " + strings.Join(but, ", ")
		}
		p.Lead = fmt.Sprintf("%s premises as of %s, from %s.", thousands(r.Premises), p.AsOf, number(len(r.Sources), "source"))
	}
}

// notes are what an operator should not overlook.
func (r *Report) notes(p *page) {
	for _, o := range r.Overrides {
		p.note("Overridden: "+o.Gate+" of "+o.Source, fmt.Sprintf("By %s: %s. The gate said: %s", o.By, strings.TrimSuffix(o.Reason, "."), o.Measured))
	}
	for _, c := range r.Carried {
		p.note("Carried over: "+c.CSP+", "+string(c.Kind), fmt.Sprintf("%s claims of %s, %s of at most %d old, from snapshot %s.",
			thousands(c.Claims), c.AsOf, number(c.Days, "day"), c.Most, shortID(c.From)))
	}
	for _, w := range r.Warnings {
		p.note("Warning", w)
	}
	for i := range r.Sources {
		for _, w := range r.Sources[i].Warnings {
			p.note("Warning: "+r.Sources[i].Pattern, w)
		}
	}
}

// gatesOf parts the gates: all that did not simply pass are in the open, and of
// the others some that measured anything.
func gatesOf(list []GateResult) (p gatesPart) {
	count := map[Verdict]int{}
	for i := range list {
		g := &list[i]
		count[g.Verdict]++
		passed := g.Verdict == Passed || g.Verdict == NoBaseline
		row := gateRowOf(g)
		if passed {
			row.Look = ""
		}
		if passed && (g.Value <= 0 || len(p.Gates) >= shownGates) {
			p.MoreGates = append(p.MoreGates, row)
		} else {
			p.Gates = append(p.Gates, row)
		}
	}
	var parts []string
	for _, v := range []Verdict{Refused, Overridden, Warned, Passed, NoBaseline} {
		if count[v] > 0 || v == Refused {
			parts = append(parts, thousands(int64(count[v]))+" "+strings.Replace(string(v), "no baseline", "without baseline", 1))
		}
	}
	p.GatesLead = strings.Join(parts, ", ") + "; the nearest to a threshold come first."
	p.MoreGatesText = fmt.Sprintf("The other %s, none over a threshold", number(len(p.MoreGates), "gate"))
	return p
}

func gateRowOf(g *GateResult) gateRow {
	row := gateRow{
		Gate: g.Gate, Source: g.Source, Verdict: string(g.Verdict), Class: "v-" + strings.ReplaceAll(string(g.Verdict), " ", "-"),
		Value: "–", Hold: "–", Margin: "–", Msg: g.Msg, Look: g.Look,
	}
	if g.Margin == nil {
		return row
	}
	row.Value, row.Hold, row.Margin = percent(g.Value), percent(g.Hold), percent(*g.Margin)
	const width = 130
	scale := max(1.4*g.Hold, 1.05*g.Value, 1e-9)
	at := func(v float64) string { return decimal(1 + width*min(max(v, 0)/scale, 1)) }
	row.Bullet = &bullet{Class: "passed-bar", Value: decimal(width * min(max(g.Value, 0)/scale, 1)), Warn: at(g.Warn), Hold: at(g.Hold), HasWarn: g.Warn > 0}
	switch g.Verdict {
	case Refused, Overridden:
		row.Bullet.Class = "over-bar"
	case Warned:
		row.Bullet.Class = "warned-bar"
	case Passed, NoBaseline:
	}
	return row
}

func changesOf(c *Changes) *changesPart {
	part := &changesPart{Since: c.Since, Kinds: &chart{Of: "Kind of change", What: "Changes"}}
	for _, k := range c.Kinds {
		part.Kinds.add(words(k.Kind), float64(k.Count), thousands(k.Count))
	}
	part.Kinds.lay(narrow)
	for _, s := range c.CSPs {
		part.CSPs = append(part.CSPs, cspRow{
			s.CSP, thousands(s.Before), thousands(s.After), signed(s.After - s.Before), direction(s.After - s.Before),
			fmt.Sprintf("%s (%s)", thousands(s.Flipped), portion(s.Flipped, s.Both)),
		})
	}
	for i, o := range c.Outcodes {
		row := outcodeRow{o.Outcode, thousands(o.Changes), thousands(o.Gained), thousands(o.Lost), thousands(o.StateChanged)}
		if i < shownOutcodes {
			part.Outcodes = append(part.Outcodes, row)
		} else {
			part.MoreOutcodes = append(part.MoreOutcodes, row)
		}
	}
	return part
}

func sourceOf(s *SourceSummary) sourceRow {
	row := sourceRow{
		Kind: s.Kind, Path: cmp.Or(s.Pattern, "built in"), CSP: orDash(s.CSP), AsOf: orDash(s.AsOf.String()), Sequence: "–",
		Rows: thousands(s.Rows), Accepted: thousands(s.Accepted), Rejected: thousands(s.Rejected), Allowed: thousands(s.Allowed),
	}
	if s.Sequence != 0 {
		row.Sequence = strconv.FormatInt(s.Sequence, 10)
	}
	for i := range s.Rejects {
		r := &s.Rejects[i]
		row.Rejects = append(row.Rejects, rejectRow{
			row.Path, fmt.Sprintf("%s:%d", r.File, r.Line), orDash(r.Column), string(r.Code), r.Reason, shortened(r.Row, 300),
		})
	}
	return row
}

// Words and numbers.

func orDash(s string) string { return cmp.Or(s, "–") }

func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

func shortID(id string) string { return id[:min(len(id), 12)] }

// shortened cuts text to so many characters.
func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func number(n int, of string) string {
	if n != 1 {
		of += "s"
	}
	return thousands(int64(n)) + " " + of
}

func signed(n int64) string {
	switch {
	case n > 0:
		return "+" + thousands(n)
	case n < 0:
		return "−" + thousands(-n)
	}
	return "0"
}

func direction(n int64) string {
	switch {
	case n > 0:
		return "up"
	case n < 0:
		return "down"
	}
	return ""
}

// portion is n of all as a percentage.
func portion(n, all int64) string {
	if all == 0 {
		return "–"
	}
	return percent(float64(n) / float64(all))
}

// percent writes a share, with the digits that it takes to see it.
func percent(share float64) string {
	p := 100 * share
	switch a := math.Abs(p); {
	case math.IsNaN(p) || math.IsInf(p, 0):
		return "–"
	case a == 0:
		return "0 %"
	case a < 0.001:
		return strconv.FormatFloat(p, 'g', 1, 64) + " %"
	case a < 1:
		return trimmed(p, 3) + " %"
	}
	return trimmed(p, 1) + " %"
}

func trimmed(v float64, digits int) string {
	s := strings.TrimRight(strconv.FormatFloat(v, 'f', digits, 64), "0")
	return strings.Replace(strings.TrimSuffix(s, "."), "-", "−", 1)
}

// decimal is a number for a picture.
func decimal(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

func seconds(s float64) string {
	switch {
	case s < 1:
		return fmt.Sprintf("%.0f ms", 1000*s)
	case s < 60:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
}

// stateCounts are a summary's counts in the order in which they are shown.
func stateCounts(s *index.Summary) [4]int {
	return [4]int{s.Available, s.Planned, s.Unknown, s.Unavailable}
}

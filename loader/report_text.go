package loader

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"coverd/index"
)

// WriteText writes the whole report for a person to read.
func (r *Report) WriteText(w io.Writer) error {
	if err := r.Summary.WriteText(w); err != nil {
		return err
	}
	p := &printer{w: w}
	p.table(func(t *printer) {
		t.line("\ngate\tof\tverdict\tvalue\tlet pass\tmargin\twhat")
		for i := range r.Gates {
			r.Gates[i].write(t)
		}
	})
	r.writeCounts(p)
	r.writeChanges(p)
	r.writeLag(p)
	if len(r.Timings) > 0 {
		p.line("\ntimes")
		for _, t := range r.Timings {
			p.line("  %-10s %7.1f s", t.Stage, t.Seconds)
		}
	}
	return p.err
}

// WriteSummary writes what fits a terminal: of the gates only those that need to
// be looked at.
func (r *Report) WriteSummary(w io.Writer) error {
	if err := r.Summary.WriteText(w); err != nil {
		return err
	}
	p := &printer{w: w}
	n := map[Verdict]int{}
	for i := range r.Gates {
		g := &r.Gates[i]
		if n[g.Verdict]++; g.Verdict == Overridden {
			p.line("overridden: %s: %s", g.Gate, g.Msg)
		}
	}
	if len(r.Refusals) == 0 {
		if c := r.Changes; c != nil {
			p.line("since %.12s, as of %s: %s", r.Previous, c.Since, c.text())
		}
		p.line("gates: %d passed, %d warned, %d overridden, %d without baseline%s",
			n[Passed], n[Warned], n[Overridden], n[NoBaseline], r.closest())
	}
	return p.err
}

// closest names the gate with the least margin, of those that passed.
func (r *Report) closest() string {
	for i := range r.Gates { // in that order
		if g := &r.Gates[i]; g.Verdict == Passed && g.Margin != nil && g.Value > 0 {
			return fmt.Sprintf("; the closest: %s of %s, %s %% of %s %%", g.Gate, g.Source, percentText(g.Value), percentText(g.Hold))
		}
	}
	return ""
}

func (g *GateResult) write(p *printer) {
	value, hold, margin := "", "", ""
	if g.Margin != nil {
		value, hold, margin = percentText(g.Value)+" %", percentText(g.Hold)+" %", percentText(*g.Margin)+" points"
	}
	p.line("%s\t%s\t%s\t%s\t%s\t%s\t%s", g.Gate, g.Source, g.Verdict, value, hold, margin, g.Msg)
}

func (r *Report) writeCounts(p *printer) {
	if len(r.Networks) > 0 {
		p.table(func(t *printer) {
			t.line("\nCSP\tnetwork region\tpremises\tavailable\tplanned\tunavailable\tunknown\tbefore")
			for _, n := range r.Networks {
				before := ""
				if n.Before != nil {
					before = thousands(int64(n.Before.Premises))
				}
				t.line("%s\t%v\t%s\t%s", n.CSP, n.Network, states(&n.Summary), before)
			}
			t.line("all\t\t%s\t", states(&r.States))
		})
	}
	if len(r.Regions) > 0 {
		p.table(func(t *printer) {
			t.line("\nRegion\tpremises\tbefore")
			for _, c := range r.Regions {
				name, before := c.Region, ""
				if name == "" {
					name = "none"
				}
				if c.Before >= 0 {
					before = thousands(c.Before)
				}
				t.line("%s\t%s\t%s", name, thousands(c.Premises), before)
			}
		})
	}
	if len(r.Reasons) > 0 {
		p.line("\nrejected rows")
		for _, c := range r.Reasons {
			p.line("  %-14s %s", c.Reason, thousands(c.Rows))
		}
	}
}

func states(s *index.Summary) string {
	n := func(v int) string { return thousands(int64(v)) }
	return strings.Join([]string{n(s.Premises), n(s.Available), n(s.Planned), n(s.Unavailable), n(s.Unknown)}, "\t")
}

// text lists the kinds of changes that there are.
func (c *Changes) text() string {
	var parts []string
	for _, k := range c.Kinds {
		if k.Count > 0 {
			parts = append(parts, thousands(k.Count)+" "+strings.ReplaceAll(k.Kind, "_", " "))
		}
	}
	if len(parts) == 0 {
		return "nothing has changed"
	}
	return strings.Join(parts, ", ")
}

// maxTextOutcodes is how many outcodes the text lists: the other forms have
// more.
const maxTextOutcodes = 10

func (r *Report) writeChanges(p *printer) {
	c := r.Changes
	if c == nil {
		return
	}
	p.line("\nsince %.12s, as of %s: %s", r.Previous, c.Since, c.text())
	p.table(func(t *printer) {
		t.line("CSP\tclaims before\tnow\tboth\tin another state")
		for _, s := range c.CSPs {
			t.line("%s\t%s\t%s\t%s\t%s", s.CSP, thousands(s.Before), thousands(s.After), thousands(s.Both), thousands(s.Flipped))
		}
	})
	if len(c.Outcodes) > 0 {
		p.table(func(t *printer) {
			t.line("changed most\tchanges\tgained\tlost\tstates")
			for _, o := range c.Outcodes[:min(len(c.Outcodes), maxTextOutcodes)] {
				name := o.Outcode
				if name == "" {
					name = "(no postcode)"
				}
				t.line("%s\t%s\t%s\t%s\t%s", name, thousands(o.Changes), thousands(o.Gained), thousands(o.Lost), thousands(o.StateChanged))
			}
		})
	}
}

func (r *Report) writeLag(p *printer) {
	l := r.Lag
	if l == nil {
		return
	}
	p.line("\nnew builds: %s live postcodes in no extract, %s with a known age", thousands(l.Postcodes), thousands(l.Dated))
	if l.New >= 0 {
		p.line("  %s of them are new since the previous snapshot", thousands(l.New))
	}
	if l.Dated > 0 {
		for _, a := range l.Ages {
			name := fmt.Sprintf("%d to %d months", a.Months, a.Until)
			if a.Until == 0 {
				name = fmt.Sprintf("%d months and more", a.Months)
			}
			p.line("  %-20s %s", name, thousands(a.Postcodes))
		}
	}
	for _, o := range l.Outcodes[:min(len(l.Outcodes), maxTextOutcodes)] {
		oldest := ""
		if o.Oldest != "" {
			oldest = ", the oldest of " + o.Oldest
		}
		p.line("  %-4s %s of %s live postcodes%s", o.Outcode, thousands(o.Postcodes), thousands(o.Live), oldest)
	}
}

// table writes lines with their cells in columns.
func (p *printer) table(write func(*printer)) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	inner := &printer{w: t}
	write(inner)
	if p.err = inner.err; p.err == nil {
		p.err = t.Flush()
	}
}

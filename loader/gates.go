package loader

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"coverd/index"
)

// gateKind is a gate; EXTRACTS.md says what each is about.
type gateKind struct {
	name  string
	final string // why it cannot be overridden; "" if it can
}

// The gates.
const (
	gateFile       = "file"        // the file as a whole is bad
	gateRejected   = "rejected"    // too many rejected rows
	gateRows       = "rows"        // not as many rows as the manifest says
	gateSHA256     = "sha256"      // not the file that the manifest says
	gateMissing    = "missing"     // nothing came of a CSP
	gateSequence   = "sequence"    // an earlier extract than before
	gateAsOf       = "as_of"       // of an earlier day than before
	gateFuture     = "future"      // of a day that is to come
	gateShrink     = "shrink"      // fewer rows than before
	gateShrinkArea = "shrink_area" // in a postcode area
	gateGrowth     = "growth"      // more rows than before
	gateRegister   = "register"    // fewer live postcodes than before
	gateEmpty      = "empty"       // more empty cells in a column than before
	gateEmptyArea  = "empty_area"  // in a postcode area
	gateDistance   = "distance"    // rows far from their postcode
	gateChanged    = "changed"     // premises in another state than before
	gateRegions    = "regions"     // premises in another Region than before
	gateOverlap    = "overlap"     // premises that several CSPs claim on one network region
	gateCapacity   = "capacity"    // more than a snapshot can hold
	gateOverride   = "override"    // an override that is not for this build
)

var gates = []gateKind{
	{gateFile, "what could not be read is not there to be let pass; have it sent again"},
	{gateRejected, ""},
	{gateRows, "the number is the manifest's own: correct it there, if the file is right"},
	{gateSHA256, "the digest is the manifest's own: correct it there, if the file is right"},
	{gateMissing, ""},
	{gateSequence, ""},
	{gateAsOf, ""},
	{gateFuture, ""},
	{gateShrink, ""},
	{gateShrinkArea, ""},
	{gateGrowth, ""},
	{gateRegister, ""},
	{gateEmpty, ""},
	{gateEmptyArea, ""},
	{gateDistance, ""},
	{gateChanged, ""},
	{gateRegions, ""},
	{gateOverlap, ""},
	{gateCapacity, "no snapshot can hold it"},
	{gateOverride, "take it out of the manifest"},
}

// few is how many rows, postcodes or premises never trip a gate that judges
// shares of them: small sources change by large shares.
const few = 10

// measured is a share that a gate judges.
type measured struct {
	tonight, before int64
	value           float64
	warn, hold      float64 // it warns from warn on, unless that is 0, and refuses over hold
	pass            bool    // too little of it to judge
	at              string
	what            string // the sentence, without the threshold
	look            string
	rise            bool // value is by how many points a share has risen
}

// share judges a share.
func (r *run) share(gate, source string, m *measured) {
	g := GateResult{
		Gate: gate, Source: source, Verdict: Passed, Tonight: m.tonight, Before: m.before,
		Value: m.value, Warn: m.warn, Hold: m.hold, Margin: new(m.hold - m.value), At: m.at, Look: m.look,
	}
	unit := "%"
	if m.rise {
		unit = "points"
	}
	text := func(v float64) string { return fmt.Sprintf("%s %s", percentText(v), unit) }
	g.Msg = m.what
	switch over := m.value - m.hold; {
	case m.pass:
	case over > 0:
		g.Verdict = Refused
		g.Msg += fmt.Sprintf("; at most %s are let pass, which it is over by %s points", text(m.hold), percentText(over))
	case m.warn > 0 && m.value >= m.warn:
		g.Verdict = Warned
		g.Msg += fmt.Sprintf("; from %s on it is warned of, over %s refused", text(m.warn), text(m.hold))
	}
	r.result(g, false)
}

// percentText writes a share as a percentage, with as many digits as it needs
// to differ from nought.
func percentText(share float64) string {
	p := 100 * share
	switch a := math.Abs(p); {
	case a == 0 || a >= 0.95:
		return trimZeros(fmt.Sprintf("%.1f", p))
	case a >= 0.0095:
		return trimZeros(fmt.Sprintf("%.3f", p))
	}
	return fmt.Sprintf("%.2g", p)
}

func trimZeros(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }

// verdict notes what a gate that measures no share said: "" for nothing wrong.
func (r *run) verdict(gate, source, wrong, look string) {
	g := GateResult{Gate: gate, Source: source, Verdict: Passed, Msg: wrong, Look: look}
	if wrong != "" {
		g.Verdict = Refused
	}
	r.result(g, false)
}

// noBaseline notes that there is nothing to judge by.
func (r *run) noBaseline(gate, source, why string) {
	r.result(GateResult{Gate: gate, Source: source, Verdict: NoBaseline, Msg: why}, false)
}

// result takes a gate's result: what it refuses and nobody has overridden is a
// refusal. final tells that nobody can.
func (r *run) result(g GateResult, final bool) {
	switch g.Verdict {
	case Refused:
		why, _ := gateWhy(g.Gate)
		final = final || why != ""
		if !final {
			if o := r.overrideFor(g.Gate, g.Source); o != nil {
				g.Verdict = Overridden
				r.overridden = append(r.overridden, index.Override{
					Gate: o.Gate, Source: o.Source, After: o.After, By: o.By, Reason: o.Reason, Measured: g.Msg,
				})
				break
			}
			g.Override = r.readyMade(g.Gate, g.Source)
		}
		r.final = r.final || final
		r.summary.Refusals = append(r.summary.Refusals, Refusal{Source: g.Source, Gate: g.Gate, Msg: g.Msg, Look: g.Look, Override: g.Override})
	case Warned:
		r.summary.Warnings = append(r.summary.Warnings, g.Gate+": "+g.Msg)
	default:
	}
	r.gates = append(r.gates, g)
}

// manifestOverride is an override of the manifest, and whether anything needed
// it.
type manifestOverride struct {
	Override
	needed bool
}

// after is what an override of this build is bound to.
func (r *run) after() string { return afterOf(r.o.Previous) }

// checkOverrides refuses overrides that are for another build, and keeps the
// others.
func (r *run) checkOverrides() {
	for i := range r.m.Overrides {
		o := r.m.Overrides[i]
		source := o.Gate + " " + o.Source
		used := slices.IndexFunc(r.o.UsedOverrides, func(u index.Override) bool {
			return u.Gate == o.Gate && u.Source == o.Source && u.After == o.After && u.By == o.By && u.Reason == o.Reason
		})
		switch {
		case o.After != r.after():
			r.verdict(gateOverride, source, fmt.Sprintf(
				"the override of gate %s for %s has expired: it is for the build after %s, and this one is after %s; take it out of the manifest, and decide anew if the gate refuses again",
				o.Gate, o.Source, o.After, r.after()), "")
		case used >= 0:
			r.verdict(gateOverride, source, fmt.Sprintf(
				"the override of gate %s for %s by %s (%q) is used up: a snapshot was built with it already; take it out of the manifest, or decide anew, with a reason of its own",
				o.Gate, o.Source, o.By, o.Reason), "")
		default:
			r.overrides = append(r.overrides, manifestOverride{o, false})
		}
	}
}

// overrideFor finds the override of a gate, and notes that it was needed.
func (r *run) overrideFor(gate, source string) *Override {
	for i := range r.overrides {
		if o := &r.overrides[i]; o.Gate == gate && o.Source == source && !o.needed {
			o.needed = true
			return &o.Override
		}
	}
	return nil
}

// readyMade is the override to paste into the manifest.
func (r *run) readyMade(gate, source string) string {
	return fmt.Sprintf("[[override]]\ngate   = %q\nsource = %q\nafter  = %q\nby     = \"\"\nreason = \"\"\n", gate, source, r.after())
}

// unneeded warns of overrides that nothing needed.
func (r *run) unneeded() {
	for i := range r.overrides {
		if o := &r.overrides[i]; !o.needed {
			r.summary.Warnings = append(r.summary.Warnings, fmt.Sprintf(
				"nothing needed the override of gate %s for %s: it is not recorded; take it out of the manifest", o.Gate, o.Source))
		}
	}
}

// rank orders verdicts for a report.
func (v Verdict) rank() int {
	return slices.Index([]Verdict{Refused, Overridden, Warned, Passed, NoBaseline}, v)
}

// sortedGates are the results: what needs to be looked at, then what passed,
// those with the smallest margin for their threshold first, then the rest.
func (r *run) sortedGates() []GateResult {
	list := slices.Clone(r.gates)
	left := func(g *GateResult) float64 {
		if g.Margin == nil {
			return 2
		}
		return *g.Margin / max(g.Hold, 1e-9)
	}
	slices.SortStableFunc(list, func(a, b GateResult) int {
		return cmp.Or(cmp.Compare(a.Verdict.rank(), b.Verdict.rank()), cmp.Compare(left(&a), left(&b)))
	})
	return list
}

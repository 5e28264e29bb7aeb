package loader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"coverd/index"
)

// builtGates judges what only the finished snapshot can tell.
func (r *run) builtGates(built *index.Built) {
	r.changedGate(built.Delta)
	r.regionsGate(built.Delta)
	for _, o := range built.Report.Overlaps {
		value := float64(o.Several) / float64(o.Premises)
		what := fmt.Sprintf("%v: %s of %s premises with a claim on it (%s %%) have claims of several CSPs", o.Network, thousands(o.Several), thousands(o.Premises), percentText(value))
		look := r.candidate()
		if o.Example != "" {
			what += ", such as " + o.Example
			look = fmt.Sprintf("with the override below, coverd build --manifest %s --out candidate.snap; then coverd lookup --snapshot candidate.snap %q", r.m.Path, o.Example)
		}
		r.share(gateOverlap, o.Network.String(), &measured{
			tonight: o.Several, before: o.Premises, value: value, hold: r.m.Gates.Overlap, pass: o.Several <= few, what: what, look: look,
		})
	}
}

// changedGate judges, of each CSP, the share of answers that are others than
// before.
func (r *run) changedGate(d *index.Delta) {
	for _, csp := range r.m.CSPs() {
		c := ofCSP(d, csp)
		// What is gone without anything in its place is for the gates of size.
		replaced := min(c.Before, c.After) - c.Both
		changed, of := c.Flipped+replaced, c.Both+replaced
		if of == 0 {
			r.noBaseline(gateChanged, csp, "no claims to compare with")
			continue
		}
		value := float64(changed) / float64(of)
		what := fmt.Sprintf("%s: %s of %s claims that it makes both tonight and %s are in another state", csp, thousands(c.Flipped), thousands(c.Both), r.since())
		if replaced > 0 {
			what += fmt.Sprintf(", and %s others are replaced by claims about other premises or network regions", thousands(replaced))
		}
		what += fmt.Sprintf(" (%s %%)", percentText(value))
		r.share(gateChanged, csp, &measured{
			tonight: changed, before: of, value: value, warn: r.m.Gates.ChangedWarn, hold: r.m.Gates.Changed, pass: changed <= few,
			what: what, look: r.candidate(),
		})
	}
	for _, f := range r.feeds {
		if f.kind != KindAreas {
			continue
		}
		c := ofCSP(d, f.csp)
		if c.Lent == 0 {
			r.noBaseline(gateChanged, f.name(), "no premises to compare with")
			continue
		}
		value := float64(c.LentChanged) / float64(c.Lent)
		r.share(gateChanged, f.name(), &measured{
			tonight: c.LentChanged, before: c.Lent, value: value, warn: r.m.Gates.ChangedWarn, hold: r.m.Gates.Changed, pass: c.LentChanged <= few,
			what: fmt.Sprintf("%s: %s of %s premises that they lend a claim %s have it no more, or in another state (%s %%)",
				f.name(), thousands(c.LentChanged), thousands(c.Lent), r.since(), percentText(value)),
			look: r.candidate(),
		})
	}
}

// ofCSP is what a Delta, if there is one, has of a CSP.
func ofCSP(d *index.Delta, csp string) index.CSPDelta {
	if d != nil {
		if i := slices.IndexFunc(d.CSPs, func(c index.CSPDelta) bool { return c.CSP == csp }); i >= 0 {
			return d.CSPs[i]
		}
	}
	return index.CSPDelta{}
}

// regionsGate judges the share of premises that are in another Region than
// before. Where the boundaries are others that is no wonder, and only warned of.
func (r *run) regionsGate(d *index.Delta) {
	const name = "premises"
	if d == nil || r.o.Previous.Info().Premises == 0 {
		r.noBaseline(gateRegions, name, "no premises to compare with")
		return
	}
	moved, of := d.Kinds[index.RegionMoved], r.o.Previous.Info().Premises
	value := float64(moved) / float64(of)
	m := measured{
		tonight: moved, before: of, value: value, hold: r.m.Gates.Regions, pass: moved <= few,
		what: fmt.Sprintf("%s of %s premises %s (%s %%) are in another Region", thousands(moved), thousands(of), r.since(), percentText(value)),
		look: r.candidate(),
	}
	if r.otherBoundaries() {
		m.pass = true
		m.what += ", whose boundaries are others than before"
		if moved > 0 {
			r.summary.Warnings = append(r.summary.Warnings, m.what)
		}
	}
	r.share(gateRegions, name, &m)
}

// otherBoundaries reports whether the file of the Region boundaries is another
// than before.
func (r *run) otherBoundaries() bool {
	for i := range r.o.Previous.Info().Sources {
		if s := &r.o.Previous.Info().Sources[i]; s.Kind == "regions" {
			return strings.Join(digestsOf(s.Files), " ") != strings.Join(digestsOf(r.summary.Sources[0].Files), " ")
		}
	}
	return true
}

// baselines are the counts that travel in the snapshot. Those of a feed that was
// carried over stay what they were.
func (r *run) baselines(p *index.Report) *index.Baselines {
	b := &index.Baselines{Columns: columnNames[:], Sources: []index.SourceBaseline{}, Regions: p.Regions, Networks: p.Networks}
	for _, f := range r.feeds {
		var s index.SourceBaseline
		switch {
		case f.missing:
			continue
		case f.carried != nil && f.before != nil:
			s = *f.before
		case f.carried != nil: // from a snapshot without baselines
			s = index.SourceBaseline{CSP: f.csp, Kind: string(f.kind), Areas: []index.AreaBaseline{}}
			for _, i := range f.parts {
				s.Parts = append(s.Parts, index.PartBaseline{Sequence: r.source(i).Sequence, AsOf: r.source(i).AsOf, Digests: []string{}})
			}
		default:
			s = index.SourceBaseline{CSP: f.csp, Kind: string(f.kind), Areas: f.counts.baselines()}
			for k, i := range f.parts {
				part := index.PartBaseline{Sequence: r.m.Extracts[i].Sequence, AsOf: r.m.Extracts[i].AsOf, Digests: digestsOf(r.source(i).Files)}
				if r.gone(i) && f.before != nil && len(f.before.Parts) == len(f.parts) {
					part = f.before.Parts[k] // what comes at last is judged by what came last
				}
				s.Parts = append(s.Parts, part)
			}
			s.Rows, s.Accepted, s.Rejected = r.sums(f)
			if f.kind == KindPremises {
				s.Premises = p.CSPs[f.csp]
			}
		}
		s.Carried = f.carried
		b.Sources = append(b.Sources, s)
	}
	slices.SortFunc(b.Sources, func(x, y index.SourceBaseline) int {
		return cmp.Or(cmp.Compare(x.CSP, y.CSP), cmp.Compare(x.Kind, y.Kind))
	})
	if len(r.m.Registers) > 0 {
		b.Register = r.registers.baseline()
	}
	return b
}

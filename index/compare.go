package index

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"coverd/geo"
)

// aspect is what a premises has in common with many others: its claims, its
// Region and whether it is contradicted; and its state on the day of the
// comparison.
type aspect struct {
	claims   []held
	state    State
	region   geo.Region
	conflict bool
}

// held is a claim that a premises has.
type held struct {
	*Claim
	lent   bool // by a coverage area
	counts bool // towards the state of the premises
}

// about orders claims by what they are about.
func (h held) about(g held) int {
	return cmp.Or(cmp.Compare(h.Network, g.Network), cmp.Compare(h.CSP, g.CSP))
}

// evaluate works out the state on a day.
func (a *aspect) evaluate(day Day) {
	a.state = 0
	for _, h := range a.claims {
		if h.counts {
			if st := h.On(day).State; a.state == 0 || st < a.state {
				a.state = st
			}
		}
	}
	a.state = cmp.Or(a.state, Unknown)
}

// aspect returns that of a kind of premises. facts must have been read.
func (s *Snapshot) aspect(kind uint32, day Day) *aspect {
	set, region, conflict := s.Kind(kind)
	a := &aspect{region: region.Region, conflict: conflict}
	from, to := set.span()
	for _, it := range s.setItems[from:to] {
		a.claims = append(a.claims, held{&s.claims[it>>1], it&1 == 1, s.facts[it>>1].counts})
	}
	a.evaluate(day)
	return a
}

// outcome is what follows from a premises having one aspect before and another
// after, nil where it is not there at all: the changes, without the premises.
type outcome struct {
	before, after *aspect
	changes       []Change
	csps          []CSPDelta // what a premises with it adds to them
	n             int64      // premises with it, not counted yet
}

// newOutcome compares two aspects, not both nil.
func newOutcome(before, after *aspect, day Day) *outcome {
	o := &outcome{before: before, after: after}
	var old, now []held
	switch {
	case before == nil:
		o.add(PremisesGained, "", after.state.String())
		now = after.claims
	case after == nil:
		o.add(PremisesLost, before.state.String(), "")
		old = before.claims
	default:
		old, now = before.claims, after.claims
		if before.conflict != after.conflict {
			o.add(ClaimChanged, conflictText(before.conflict), conflictText(after.conflict))
		}
		if before.region != after.region {
			o.add(RegionMoved, before.region.String(), after.region.String())
		}
	}
	for len(old) > 0 || len(now) > 0 {
		order := 0
		switch {
		case len(now) == 0:
			order = -1
		case len(old) == 0:
			order = 1
		default:
			order = old[0].about(now[0])
		}
		var b, a *held
		if order <= 0 {
			b, old = &old[0], old[1:]
		}
		if order >= 0 {
			a, now = &now[0], now[1:]
		}
		o.count(b, a, day)
		if before != nil && after != nil {
			o.claim(b, a, day)
		}
	}
	return o
}

func (o *outcome) add(k ChangeKind, before, after string) {
	o.changes = append(o.changes, Change{Kind: k, Before: before, After: after})
}

func conflictText(conflict bool) string {
	if conflict {
		return "conflict"
	}
	return "no conflict"
}

// count counts a claim for its CSP; either may be nil.
func (o *outcome) count(b, a *held, day Day) {
	var c CSPDelta
	if b != nil && !b.lent {
		c.CSP, c.Before = b.CSP, 1
	}
	if a != nil && !a.lent {
		c.CSP, c.After = a.CSP, 1
	}
	same := b != nil && a != nil && b.On(day).State == a.On(day).State
	if c.Before+c.After == 2 {
		if c.Both = 1; !same {
			c.Flipped = 1
		}
	}
	own := func(h held) bool { return !h.lent && h.Network == b.Network }
	if b != nil && b.lent && o.after != nil && !slices.ContainsFunc(o.after.claims, own) {
		if c.CSP, c.Lent = b.CSP, 1; !same {
			c.LentChanged = 1
		}
	}
	if c.CSP != "" {
		o.csps = append(o.csps, c)
	}
}

// claim tells what has changed of a claim; one of the two may be nil.
func (o *outcome) claim(b, a *held, day Day) {
	h := a
	if a == nil {
		h = b
	}
	add := func(k ChangeKind, before, after string) {
		o.changes = append(o.changes, Change{Kind: k, Network: h.Network, CSP: h.CSP, Before: before, After: after})
	}
	if a == nil || b == nil {
		if h.counts && o.before.state != o.after.state {
			add(StateChanged, stateText(b, day), stateText(a, day))
		}
		add(ClaimChanged, claimText(b), claimText(a))
		return
	}
	if before, after := stateText(b, day), stateText(a, day); before != after {
		add(StateChanged, before, after)
	}
	if b.Anticipated != a.Anticipated || b.End != a.End {
		add(DateMoved, dateText(b), dateText(a))
	}
	if b.Variant != a.Variant {
		add(VariantChanged, b.Variant, a.Variant)
	}
	before, after := restOf(b), restOf(a)
	var was, is []string
	for i, name := range restNames {
		if before[i] != after[i] {
			was, is = append(was, labelled(name, before[i])), append(is, labelled(name, after[i]))
		}
	}
	if len(was) > 0 {
		add(ClaimChanged, strings.Join(was, "; "), strings.Join(is, "; "))
	}
}

func stateText(h *held, day Day) string {
	if h == nil {
		return ""
	}
	return h.On(day).State.String()
}

func dateText(h *held) string {
	var parts []string
	if h.Anticipated != 0 {
		parts = append(parts, "from "+h.Anticipated.String())
	}
	if h.End != 0 {
		parts = append(parts, "until "+h.End.String())
	}
	return strings.Join(parts, " ")
}

// restNames name what a claim says beside state, dates and Variant, and where
// it comes from.
var restNames = [...]string{
	"coverage_availability", "claim_source", "counts_as_wan", "wan_technology", "connectivity_likelihood", "auxiliary_equipment", "additional_information",
}

func restOf(h *held) [len(restNames)]string {
	availability := [...]string{"", "true", "false"}
	source := "premises"
	if h.lent {
		source = "area"
	}
	return [...]string{
		availability[h.Availability], source, strconv.FormatBool(h.counts),
		h.Technology, h.Likelihood.String(), h.Auxiliary, h.Info,
	}
}

func labelled(name, value string) string { return name + ": " + cmp.Or(value, "none") }

// claimText is all that a claim says, or nothing of none.
func claimText(h *held) string {
	if h == nil {
		return ""
	}
	var parts []string
	if dates := dateText(h); dates != "" {
		parts = append(parts, labelled("dates", dates))
	}
	if h.Variant != "" {
		parts = append(parts, labelled("wan_variant", h.Variant))
	}
	for i, value := range restOf(h) {
		if value != "" && restNames[i] != "counts_as_wan" {
			parts = append(parts, labelled(restNames[i], value))
		}
	}
	return strings.Join(parts, "; ")
}

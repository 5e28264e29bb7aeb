package index

import (
	"cmp"
	"slices"
)

// Rule is the part of the rule of [Claim.On] that decides a claim's state.
type Rule uint8

// The parts of the rule, in the order in which they are tried.
const (
	RuleEnded     Rule = iota + 1 // its end date is before the day: unavailable
	RuleCovered                   // availability true: available
	RuleNotStated                 // no availability: unknown
	RuleNoPlan                    // availability false, without a date: unavailable
	RuleOverdue                   // a date that had passed when the claim was made: unavailable
	RulePlanAhead                 // a date after the day: planned
	RulePlanCame                  // a date that has come by the day: available
)

var ruleNames = [...]string{"", "ended", "covered", "not_stated", "no_plan", "overdue", "plan_ahead", "plan_came"}

// String returns the rule's name in answers, or "".
func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return ""
}

// Rule tells which part of the rule decides [Claim.On] on a day.
func (c *Claim) Rule(day Day) Rule {
	switch {
	case c.End != 0 && c.End < day:
		return RuleEnded
	case c.Availability == AvailabilityTrue:
		return RuleCovered
	case c.Availability == AvailabilityUnknown:
		return RuleNotStated
	case c.Anticipated == 0:
		return RuleNoPlan
	case c.Anticipated <= c.AsOf:
		return RuleOverdue
	case day < c.Anticipated:
		return RulePlanAhead
	}
	return RulePlanCame
}

// Exclusion is why a claim does not count towards a premises' state; "" is that
// it does.
type Exclusion string

// The exclusions.
const (
	ExcludedSMETS1  Exclusion = "smets1"                 // it is on the network region SMETS1
	ExcludedUnknown Exclusion = "unknown_network_region" // it is on the network region Unknown
	ExcludedVWAN    Exclusion = "vwan"                   // it is for virtual WAN, which the manifest does not count
)

// exclusion is why claim k does not count.
func (s *Snapshot) exclusion(k int64) Exclusion {
	switch c := &s.claims[k]; {
	case s.facts[k].counts:
		return ""
	case c.Network == NetworkSMETS1:
		return ExcludedSMETS1
	case !c.Network.Counts():
		return ExcludedUnknown
	}
	return ExcludedVWAN
}

// Criterion is one of those by which [ClaimSet.Fit] prefers a claim to another.
type Criterion uint8

// The criteria, in the order in which they are tried.
const (
	NoCriterion     Criterion = iota
	ByState                   // the better state on the day
	ByDate                    // the earlier coverage, that which is there already being the earliest
	ByLikelihood              // the better likelihood, none stated being the worst
	ByPreference              // the manifest's order of preference
	ByNetworkRegion           // the order of network regions
	ByCSP                     // the order of the CSPs' names
	ByClaim                   // the order of all the rest that claims say
)

var criterionNames = [...]string{"", "state", "from", "likelihood", "prefer", "network_region", "csp", "claim"}

// String returns the criterion's name in answers, or "".
func (c Criterion) String() string {
	if int(c) < len(criterionNames) {
		return criterionNames[c]
	}
	return ""
}

// decide compares claims as betterFit does, and tells the first criterion by
// which they differ. order is below zero where a goes before b, and zero where
// they are one claim.
func (s *Snapshot) decide(a int64, ofA Status, b int64, ofB Status) (by Criterion, order int) {
	x, y := &s.claims[a], &s.claims[b]
	for _, c := range [...]struct {
		by    Criterion
		order int
	}{
		{ByState, cmp.Compare(ofA.State, ofB.State)},
		{ByDate, cmp.Compare(ofA.From, ofB.From)},
		{ByLikelihood, cmp.Compare(x.Likelihood.rank(), y.Likelihood.rank())},
		{ByPreference, cmp.Compare(s.facts[a].prefer, s.facts[b].prefer)},
		{ByNetworkRegion, cmp.Compare(x.Network, y.Network)},
		{ByCSP, cmp.Compare(x.CSP, y.CSP)},
		{ByClaim, cmp.Compare(a, b)},
	} {
		if c.order != 0 {
			return c.by, c.order
		}
	}
	return NoCriterion, 0
}

// Verdict is what becomes of one claim of a set on a day, and why.
type Verdict struct {
	Claim    *Claim
	FromArea bool
	Status   Status
	Rule     Rule      // that decided Status
	Excluded Exclusion // why it does not count; "": it does
	// Place is the claim's place, from 1, among those that count: the first is the
	// fit. 0 where it does not count. LostBy is the first criterion by which it
	// stands behind the first.
	Place  int
	LostBy Criterion

	item int64
}

// AppendVerdicts appends what becomes of each claim of the set on a day, in the
// order of [ClaimSet.At].
func (c ClaimSet) AppendVerdicts(dst []Verdict, on Day) []Verdict {
	from, to := c.span()
	first := len(dst)
	var order []int
	for i := from; i < to; i++ {
		item := int64(c.s.setItems[i])
		claim := &c.s.claims[item>>1]
		dst = append(dst, Verdict{
			Claim: claim, FromArea: item&1 == 1, Status: claim.On(on), Rule: claim.Rule(on), Excluded: c.s.exclusion(item >> 1), item: item,
		})
		if dst[len(dst)-1].Excluded == "" {
			order = append(order, len(dst)-1)
		}
	}
	slices.SortStableFunc(order, func(i, k int) int {
		_, order := c.s.decide(dst[i].item>>1, dst[i].Status, dst[k].item>>1, dst[k].Status)
		return order
	})
	for place, i := range order {
		v, best := &dst[i], &dst[order[0]]
		v.Place = place + 1
		v.LostBy, _ = c.s.decide(best.item>>1, best.Status, v.item>>1, v.Status)
	}
	return slices.Clip(dst[:first+to-from])
}

// AreaRole is what a coverage area around a premises does for it.
type AreaRole string

// The roles.
const (
	AreaLends  AreaRole = "lends"     // its claim is the premises' on that network region
	AreaBehind AreaRole = "larger"    // a smaller area lends its claim on that network region
	AreaIdle   AreaRole = "own_claim" // the premises has a claim of its own on that network region
)

// AreaVerdict is a coverage area around a premises, and what it does for it.
type AreaVerdict struct {
	AreaHit
	Role AreaRole
}

// AppendAreaVerdicts appends the coverage areas that contain the premises,
// smallest first: none for a premises without location.
func (p Premises) AppendAreaVerdicts(dst []AreaVerdict) []AreaVerdict {
	if !p.At().IsValid() {
		return dst
	}
	var buf [32]AreaHit
	var own, lent networkSet
	claims := p.Claims()
	for i := range claims.Len() {
		if c, fromArea := claims.At(i); fromArea {
			lent = lent.with(c.Network)
		} else {
			own = own.with(c.Network)
		}
	}
	for _, h := range p.s.AppendAreas(buf[:0], p.At().LatLng()) {
		role := AreaIdle
		switch n := h.Claim.Network; {
		case lent.has(n):
			role, lent = AreaLends, lent&^(1<<n)
		case !own.has(n):
			role = AreaBehind
		}
		dst = append(dst, AreaVerdict{h, role})
	}
	return dst
}

// LocatedRegion is the Region of the premises, with the distance to the nearest
// land of another where it has a location.
func (p Premises) LocatedRegion() Allocation {
	a := p.Region()
	if at := p.At(); at.IsValid() {
		a.Border = p.s.Locate(at.LatLng()).Border
	}
	return a
}

// AppendSources appends the inputs that a claim may have come from, by their
// place in [Info.Sources]: the extracts of its CSP and kind that describe its
// day. There are several where a CSP's premises come in parts.
func (s *Snapshot) AppendSources(dst []int, c *Claim, fromArea bool) []int {
	kind := "premises"
	if fromArea {
		kind = "areas"
	}
	for i := range s.info.Sources {
		if src := &s.info.Sources[i]; src.Kind == kind && src.CSP == c.CSP && src.AsOf == c.AsOf {
			dst = append(dst, i)
		}
	}
	return dst
}

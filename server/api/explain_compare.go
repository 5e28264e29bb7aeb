package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Comparison tells why one answer is not another: "why is mine no and next
// door's yes".
type Comparison struct {
	First  string `json:"first"` // what was asked about, as people name it
	Second string `json:"second"`
	// Headline tells the answers apart in a sentence.
	Headline string `json:"headline"`
	// Differences are the facts that differ, what bears most on the answer first:
	// the first is why.
	Differences []Difference `json:"differences"`
}

// Difference is a fact that differs.
type Difference struct {
	// Fact is its name: outcome, conflict, region, register, estimate.basis or the
	// like, or one of a claim, such as claims.South.rule.
	Fact     string `json:"fact"`
	First    Text   `json:"first"` // null: there is none
	Second   Text   `json:"second"`
	Sentence string `json:"sentence"`
}

// Compare finds where two explanations differ. Of a postcode whose premises
// differ, it is the largest group of like ones that is compared, and sentences
// speak of that group.
//
// # The order
//
// What was found at all; then, where one has coverage that the other has not,
// what is claimed on the network region that makes it so; contradictions among
// rows; the other claims, network region by network region, the deciding ones
// first; which network region decides; what an estimate rests on; the Region; and
// what the register says.
func Compare(a, b *Explanation) Comparison {
	c := &comparison{a: a, b: b}
	c.First, c.Second, c.Differences = a.Subject, b.Subject, []Difference{}
	c.one, c.other = c.First, c.Second
	c.outcome()
	x, y := a.typical(), b.typical()
	if x != nil && y != nil {
		c.one, c.other = a.typicalName(), b.typicalName()
		c.premises(x, y)
		c.one, c.other = c.First, c.Second
	}
	if a.Estimate != nil && b.Estimate != nil {
		c.estimate(a.Estimate, b.Estimate)
	}
	c.texts("region", "Region", string(a.Region.Name), string(b.Region.Name))
	if a.Region.Basis != "" && b.Region.Basis != "" {
		c.texts("region.basis", "the basis of the Region", string(a.Region.Basis), string(b.Region.Basis))
	}
	if a.Register != nil && b.Register != nil {
		c.texts("register", "the postcode in the register", a.Register.Status, b.Register.Status)
	}
	c.Headline = c.headline()
	return c.Comparison
}

type comparison struct {
	Comparison
	a, b       *Explanation
	one, other string // what sentences speak of
}

// typical are the facts of the largest group of premises; nil where there are
// none.
func (e *Explanation) typical() *PremisesFacts {
	if len(e.Premises) == 0 {
		return nil
	}
	return &e.Premises[0]
}

// typicalName is what people call those.
func (e *Explanation) typicalName() string {
	if n := e.Premises[0].Premises; n < e.Summary.Premises {
		return fmt.Sprintf("%d of the %d premises of %s", n, e.Summary.Premises, e.Subject)
	}
	return e.Subject
}

func (c *comparison) headline() string {
	tell := func(e *Explanation) string {
		switch {
		case e.State == "":
			return e.Subject + " has " + e.Summary.text()
		case e.Estimate != nil:
			return fmt.Sprintf("%s is %s by estimate", e.Subject, e.State)
		}
		return fmt.Sprintf("%s is %s", e.Subject, e.State)
	}
	text := tell(c.a) + "; " + tell(c.b) + "."
	if c.a.State != "" && c.a.State == c.b.State {
		text = "Both are " + string(c.a.State) + ": " + text
	}
	return text
}

func (c *comparison) add(fact, first, second, format string, args ...any) {
	c.Differences = append(c.Differences, Difference{fact, Text(first), Text(second), fmt.Sprintf(format, args...)})
}

// texts compares a fact that is a word.
func (c *comparison) texts(fact, name, first, second string) {
	if first != second {
		c.add(fact, first, second, "%s differs: %s for %s, %s for %s.", capital(name), orNone(first), c.one, orNone(second), c.other)
	}
}

// outcome compares what was found.
func (c *comparison) outcome() {
	found := func(e *Explanation) string {
		switch {
		case e.Outcome == NoPremisesFound && e.Reason != "":
			return strings.ReplaceAll(string(e.Reason), "_", " ")
		case e.Outcome == LocationResolved:
			return "a location, whose coverage is estimated"
		}
		return "claims of CSPs about premises"
	}
	first, second := cmp.Or(string(c.a.Reason), c.a.Outcome), cmp.Or(string(c.b.Reason), c.b.Outcome)
	if first != second {
		c.add("outcome", first, second, "What is known differs: of %s %s; of %s %s.", c.one, found(c.a), c.other, found(c.b))
	}
}

// premises compares what is known of premises.
func (c *comparison) premises(x, y *PremisesFacts) {
	networks := networksOf(x, y)
	if x.State != y.State && len(networks) > 0 {
		// The better state is the one that a claim of the better makes, and the other
		// has no such claim there.
		c.claims(networks[0], x, y)
		networks = networks[1:]
	}
	if x.Conflict != y.Conflict {
		which := c.one
		if y.Conflict {
			which = c.other
		}
		c.add("conflict", yesNo(x.Conflict), yesNo(y.Conflict), "Rows of one extract contradicted each other about %s, and what they claimed is left out.", which)
	}
	for _, n := range networks {
		c.claims(n, x, y)
	}
	first, second := "", ""
	if len(x.Claims) > 0 && x.Claims[0].Place == 1 {
		first = x.Claims[0].NetworkRegion
	}
	if len(y.Claims) > 0 && y.Claims[0].Place == 1 {
		second = y.Claims[0].NetworkRegion
	}
	c.texts("fit.network_region", "the network region that decides", first, second)
}

// networksOf lists the network regions that either has a claim on: first the one
// that decides where coverage is better, then the other's, then all others in
// order of place.
func networksOf(x, y *PremisesFacts) (list []string) {
	add := func(claims []ClaimFacts, deciding bool) {
		for i := range claims {
			if n := claims[i].NetworkRegion; (claims[i].Place == 1 || !deciding) && !slices.Contains(list, n) {
				list = append(list, n)
			}
		}
	}
	if rank(y.State) < rank(x.State) {
		x, y = y, x
	}
	add(x.Claims, true)
	add(y.Claims, true)
	add(x.Claims, false)
	add(y.Claims, false)
	return list
}

// rank orders states, best first.
func rank(state string) int {
	return slices.Index([]string{"available", "planned", "unknown", "unavailable"}, state)
}

// claimOn is the best claim on a network region; nil: there is none.
func (p *PremisesFacts) claimOn(network string) *ClaimFacts {
	for i := range p.Claims {
		if p.Claims[i].NetworkRegion == network {
			return &p.Claims[i]
		}
	}
	return nil
}

// claims compares what is claimed on a network region.
func (c *comparison) claims(network string, x, y *PremisesFacts) {
	p, q := x.claimOn(network), y.claimOn(network)
	fact := "claims." + network
	switch {
	case p == nil || q == nil:
		c.missing(fact, network, x, y, p, q)
		return
	case p.NotCounted != q.NotCounted:
		why := p
		if p.NotCounted == "" {
			why = q
		}
		c.add(fact+".not_counted", string(p.NotCounted), string(q.NotCounted), "On %s a claim counts for one alone: %s.", network, why.notCounted())
	case p.Rule != q.Rule || p.State != q.State || p.AnticipatedCoverageDate != q.AnticipatedCoverageDate || p.CoverageEndDate != q.CoverageEndDate:
		c.add(fact+".rule", p.Rule, q.Rule, "On %s %s says of %s %s (%s), and %s says of %s %s (%s).",
			network, p.CSP, c.one, p.clause(c.a.On), p.State, q.CSP, c.other, q.clause(c.b.On), q.State)
	}
	for _, f := range []struct {
		name, text    string
		first, second string
	}{
		{"connectivity_likelihood", "connectivity likelihood", string(p.ConnectivityLikelihood), string(q.ConnectivityLikelihood)},
		{"wan_variant", "WAN Variant", string(p.WANVariant), string(q.WANVariant)},
		{"auxiliary_equipment", "auxiliary equipment", string(p.AuxiliaryEquipment), string(q.AuxiliaryEquipment)},
		{"wan_technology", "WAN technology", string(p.WANTechnology), string(q.WANTechnology)},
		{"claim_source", "claim source", p.ClaimSource, q.ClaimSource},
		{"csp", "CSP", p.CSP, q.CSP},
		{"as_of", "day the extract describes", p.AsOf.V.String(), q.AsOf.V.String()},
		{"additional_information", "additional information", string(p.AdditionalInformation), string(q.AdditionalInformation)},
	} {
		c.texts(fact+"."+f.name, "the "+f.text+" on "+network, f.first, f.second)
	}
}

// missing tells that only one has a claim on a network region.
func (c *comparison) missing(fact, network string, x, y *PremisesFacts, p, q *ClaimFacts) {
	have, lack, claim, on, conflict := c.one, c.other, p, c.a.On, y.Conflict
	first, second := "", ""
	if p != nil {
		first = p.Rule
	} else {
		have, lack, claim, on, conflict = c.other, c.one, q, c.b.On, x.Conflict
		second = q.Rule
	}
	text := fmt.Sprintf("On %s %s says of %s %s (%s), and nobody says anything of %s", network, claim.CSP, have, claim.clause(on), claim.State, lack)
	switch {
	case conflict:
		text += ", or rows about it contradicted each other and are left out"
	case claim.ClaimSource == ClaimArea:
		text += ", which no coverage area on it contains"
	}
	c.add(fact, first, second, "%s.", text)
}

// estimate compares what estimates rest on.
func (c *comparison) estimate(x, y *EstimateFacts) {
	c.texts("estimate.state", "the estimate", x.State, y.State)
	c.texts("estimate.basis", "the basis of the estimate", string(x.Basis), string(y.Basis))
	for _, n := range x.Networks {
		i := slices.IndexFunc(y.Networks, func(m AgreementFact) bool { return m.NetworkRegion == n.NetworkRegion })
		if i < 0 {
			c.texts("estimate.networks."+n.NetworkRegion, "what is expected on "+n.NetworkRegion, n.most(), "")
			continue
		}
		c.texts("estimate.networks."+n.NetworkRegion, "what is expected on "+n.NetworkRegion, n.most(), y.Networks[i].most())
	}
	for _, n := range y.Networks {
		if !slices.ContainsFunc(x.Networks, func(m AgreementFact) bool { return m.NetworkRegion == n.NetworkRegion }) {
			c.texts("estimate.networks."+n.NetworkRegion, "what is expected on "+n.NetworkRegion, "", n.most())
		}
	}
}

// most is the most frequent state.
func (n *AgreementFact) most() string {
	if len(n.States) == 0 {
		return ""
	}
	return n.States[0].Name
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orNone(s string) string { return cmp.Or(s, "none") }

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

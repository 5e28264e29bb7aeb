package api

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Say puts the explanation into sentences, from all else that is in it. Nothing
// else makes them, so that a terminal and an answer say the same.
func (e *Explanation) Say() {
	e.Sentences = nil
	switch {
	case e.Outcome == NoPremisesFound:
		e.say("%s", e.absence())
		if e.AddressMatch != nil {
			e.say("%s", e.AddressMatch.text(string(e.Address)))
		}
	case e.Kind == "location":
	case e.Kind == "premises":
		e.say("%s is %s on %v.", e.Subject, e.State, e.On.V)
	case e.AddressMatch != nil:
		e.say("%s", e.AddressMatch.text(string(e.Address)))
		e.say("With that address %s has %s on %v.", e.Subject, e.Summary.text(), e.On.V)
	default:
		e.say("%s has %s on %v.", e.Subject, e.Summary.text(), e.On.V)
	}
	if e.Estimate != nil {
		e.sayEstimate()
	}
	for i := range e.Premises {
		p := &e.Premises[i]
		if len(e.Premises) > 1 || e.PremisesLeftOut > 0 {
			e.say("%s%s", p.who(e.Summary.Premises), p.because(e.On))
			continue
		}
		if e.Kind != "premises" {
			e.say("%s.", p.who(e.Summary.Premises))
		}
		e.sayClaims(p)
	}
	if e.PremisesLeftOut > 0 {
		e.say("%d more premises differ from these in what is claimed: ask for one by ?address= or by its UPRN.", e.PremisesLeftOut)
	}
	for i := range e.Areas {
		a := &e.Areas[i]
		e.say("%s is around it: %s.", capital(a.text()), cmp.Or(a.State, "unknown"))
	}
	switch {
	case e.Kind != "outcode" && e.Kind != "sector":
		e.say("%s", e.Region.text())
	case len(e.Regions) == 1:
		e.say("Region %s: all of its postcodes lie in it%s.", e.Regions[0], e.Region.boundaries())
	case len(e.Regions) > 1:
		e.say("Region: its postcodes lie in %s%s, so that each has its own.", strings.Join(e.Regions, " and "), e.Region.boundaries())
	default:
		e.say("Region: there is no telling, as none of its postcodes has coordinates.")
	}
	if e.Register != nil && e.Outcome != NoPremisesFound {
		e.say("The register has %v as %s.", e.Register.Postcode, e.Register.text())
	}
}

func (e *Explanation) say(format string, args ...any) {
	if s := fmt.Sprintf(format, args...); s != "" {
		e.Sentences = append(e.Sentences, s)
	}
}

// absence tells which kind of absence it is, and why.
func (e *Explanation) absence() string {
	head, register := "No premises found: ", ""
	if e.Register != nil {
		register = e.Register.text()
	}
	switch string(e.Reason) {
	case PostcodeNotInExtracts:
		return head + fmt.Sprintf("the register has %s (%s), and no CSP's extract has a premises there yet.", e.Subject, register)
	case PostcodeTerminated:
		return head + fmt.Sprintf("the register has %s as %s, and no CSP's extract has a premises there.", e.Subject, register)
	case PostcodeNotInRegister:
		return head + fmt.Sprintf("neither the register nor any CSP's extract has %s; its outcode is known.", e.Subject)
	case AddressNotMatched:
		return head + fmt.Sprintf("%s has premises, and none has the address %q.", e.Subject, string(e.Address))
	}
	return head + fmt.Sprintf("no CSP's extract has a premises at any postcode of %s.", e.Subject)
}

// text tells how well an address matched, and which were passed over.
func (m *AddressFacts) text(address string) string {
	refused := strings.Join(m.Refused, "; ")
	if m.RefusedLeftOut > 0 {
		refused += fmt.Sprintf(" and %d more", m.RefusedLeftOut)
	}
	found := fmt.Sprintf("The address %q matches %d of the %s there, ", address, m.Premises, premisesText(m.Of))
	switch {
	case m.Grade == "none" && refused == "":
		return fmt.Sprintf("No premises there has an address that %q could be held against.", address)
	case m.Grade == "none":
		return fmt.Sprintf("Refused, most like %q first, as no address is the same even when normalised: %s.", address, refused)
	case m.Grade == "normalised":
		return found + "normalised: none has it exactly, and punctuation and abbreviations aside it is the same."
	case refused != "":
		return found + "exactly. Refused, as they are the same only when normalised: " + refused + "."
	}
	return found + "exactly: but for case and spacing it is the same."
}

func (e *Explanation) sayEstimate() {
	s := e.Estimate
	if s.Basis == "" {
		e.say("There is nothing near to estimate coverage by, so it is unknown.")
		return
	}
	text := fmt.Sprintf("Coverage on %v is estimated as %s, %s; confidence %v.", e.On.V, s.State, s.basis(), s.Confidence)
	if s.Fit != nil {
		text += fmt.Sprintf(" Hub: %s on %s (%s).", hub(s.Fit.WANVariant, s.Fit.AuxiliaryEquipment), s.Fit.NetworkRegion, s.Fit.Reason)
	}
	e.say("%s", text)
	for _, n := range s.Networks {
		if n.ClaimSource == ClaimArea && len(n.States) > 0 {
			e.say("%s: the smallest coverage area with a claim on it says %s.", n.NetworkRegion, n.States[0].Name)
			continue
		}
		all, parts := 0, []string(nil)
		for _, c := range n.States {
			all += c.N
			parts = append(parts, strconv.Itoa(c.N)+" "+c.Name)
		}
		e.say("%s: of the %s asked %d have a claim on it, %s.", n.NetworkRegion, premisesText(s.Premises), all, strings.Join(parts, ", "))
	}
}

func (s *EstimateFacts) basis() string {
	near := ""
	if s.Distance >= 0 {
		near = fmt.Sprintf(", the nearest %.1f m away", float64(s.Distance))
	}
	switch string(s.Basis) {
	case "coverage_area":
		if s.Premises == 0 {
			return "by a coverage area that contains the place"
		}
		return "by a coverage area that contains the place, beside " + premisesText(s.Premises) + near
	case "postcode":
		return "by the postcode's own " + premisesText(s.Premises)
	case "nearest_premises":
		return "by the nearest " + premisesText(s.Premises) + near
	}
	return "by all " + premisesText(s.Premises) + " of the " + string(s.Basis)
}

// who names premises and their state.
func (p *PremisesFacts) who(of int) string {
	list := strings.Join(p.Addresses, "; ")
	if more := p.Premises - len(p.Addresses); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	switch {
	case p.Premises == 1:
		return list + " is " + p.State
	case p.Premises == of:
		return "All of them are " + p.State
	}
	return fmt.Sprintf("%d of them (%s) are %s", p.Premises, list, p.State)
}

// because is the shortest reason for the state of premises among others: the
// claim that decides.
func (p *PremisesFacts) because(on Date) string {
	s := ": no claim counts."
	if len(p.Claims) > 0 && p.Claims[0].Place == 1 {
		c := &p.Claims[0]
		s = fmt.Sprintf(": on %s %s says %s (%s).", c.NetworkRegion, c.CSP, c.clause(on), c.source())
		if c.WANVariant != "" || c.AuxiliaryEquipment != "" {
			s += " Hub: " + hub(c.WANVariant, c.AuxiliaryEquipment) + "."
		}
	}
	if p.Conflict {
		s += " Rows that contradicted each other are left out."
	}
	return s
}

func (e *Explanation) sayClaims(p *PremisesFacts) {
	counted := false
	for i := range p.Claims {
		c := &p.Claims[i]
		counted = counted || c.Place > 0
		switch {
		case c.NotCounted != "":
			e.say("%s of %s does not count: %s; it says %s (%s).", c.NetworkRegion, c.CSP, c.notCounted(), c.clause(e.On), c.source())
		case c.Place == 1:
			text := fmt.Sprintf("%s decides: %s, because %s says %s (%s).", c.NetworkRegion, c.State, c.CSP, c.clause(e.On), c.source())
			if c.WANVariant != "" || c.AuxiliaryEquipment != "" {
				text += " Hub: " + hub(c.WANVariant, c.AuxiliaryEquipment) + "."
			}
			e.say("%s", text)
		default:
			e.say("%s comes behind: %s, because %s says %s (%s); %s.", c.NetworkRegion, c.State, c.CSP, c.clause(e.On), c.source(), c.lost(&p.Claims[0]))
		}
	}
	if p.Conflict {
		e.say("Rows of one extract contradicted each other about it, so what they claimed is left out.")
	}
	if !counted {
		e.say("No claim counts, so coverage is unknown and there is no hub to name.")
	}
	for i := range p.Areas {
		switch a := &p.Areas[i]; string(a.Role) {
		case "larger":
			e.say("%s is around it too, and lends nothing: a smaller one does.", capital(a.text()))
		case "own_claim":
			e.say("%s is around it too, and lends nothing: the premises has a claim of its own.", capital(a.text()))
		}
	}
}

// clause is what a CSP says, as it bears on a day.
func (c *ClaimFacts) clause(on Date) string {
	switch c.Rule {
	case "ended":
		return fmt.Sprintf("that coverage ended on %v, before %v", c.CoverageEndDate.V, on.V)
	case "covered":
		if c.CoverageEndDate.V != 0 {
			return fmt.Sprintf("that there is coverage until %v", c.CoverageEndDate.V)
		}
		return "that there is coverage"
	case "not_stated":
		return "neither yes nor no"
	case "no_plan":
		return "that there is none, and gives no date"
	case "overdue":
		return fmt.Sprintf("that there is none, and the date it gives, %v, had passed when it said so: the plan is overdue", c.AnticipatedCoverageDate.V)
	case "plan_ahead":
		return fmt.Sprintf("that coverage comes on %v, after %v", c.AnticipatedCoverageDate.V, on.V)
	}
	return fmt.Sprintf("that coverage comes on %v, which has come by %v", c.AnticipatedCoverageDate.V, on.V)
}

// source tells where a claim is from.
func (c *ClaimFacts) source() string {
	var parts []string
	if c.ConnectivityLikelihood != "" {
		parts = append(parts, string(c.ConnectivityLikelihood)+" likelihood")
	}
	switch {
	case c.Area != nil:
		parts = append(parts, "lent by "+c.Area.text()+", the smallest around it")
	case c.ClaimSource == ClaimArea:
		parts = append(parts, "lent by the smallest coverage area around each")
	}
	extract := "extract"
	for i, x := range c.Extracts {
		switch {
		case x.Sequence != 0 && i == 0:
			extract += " " + strconv.Itoa(x.Sequence)
		case x.Sequence != 0:
			extract += " or " + strconv.Itoa(x.Sequence)
		}
		if x.Carried && i == 0 {
			extract = "carried over from an earlier " + extract
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%s as of %v", extract, c.AsOf.V)), ", ")
}

func (c *ClaimFacts) notCounted() string {
	switch string(c.NotCounted) {
	case "smets1":
		return "SMETS1 is no SM WAN"
	case "vwan":
		return "virtual WAN is no SM WAN, and the manifest does not count it as one"
	}
	return "the network region is not known"
}

// lost tells by what a claim stands behind another.
func (c *ClaimFacts) lost(to *ClaimFacts) string {
	switch string(c.LostBy) {
	case "state":
		return c.State + " is worse than " + to.State
	case "from":
		if to.State == c.State && to.Rule == "covered" {
			return "the coverage of " + to.NetworkRegion + " is there without a plan"
		}
		return fmt.Sprintf("that is later than %v on %s", to.AnticipatedCoverageDate.V, to.NetworkRegion)
	case "likelihood":
		return fmt.Sprintf("%s likelihood is worse than %s", cmp.Or(string(c.ConnectivityLikelihood), "no stated"), to.ConnectivityLikelihood)
	case "prefer":
		return "as good, and the manifest prefers " + to.NetworkRegion
	case "network_region":
		return "as good, and " + to.NetworkRegion + " comes first in the order of network regions"
	case "csp":
		return "as good, and " + to.CSP + " comes first by name"
	}
	return "as good, and the other comes first in the order of claims"
}

func (a *AreaFacts) text() string {
	size := fmt.Sprintf("%.0f m²", float64(a.Ground))
	if a.Ground >= 100_000 {
		size = fmt.Sprintf("%.1f km²", float64(a.Ground)/1e6)
	}
	s := fmt.Sprintf("coverage area %d of %s on %s (%s", a.Number, a.CSP, a.NetworkRegion, size)
	if a.AdditionalInformation != "" {
		s += fmt.Sprintf(", %q", string(a.AdditionalInformation))
	}
	return s + ")"
}

func (r *RegionFacts) text() string {
	s := fmt.Sprintf("Region %s: ", r.Name)
	switch string(r.Basis) {
	case "boundary":
		s += "the location lies inside its boundary"
	case "nearest":
		s += "the location lies off its land, and of all Regions this is the nearest within 2 km"
	case "postcode":
		s += "there are no coordinates, and the postcode lies in it"
	case "outcode":
		s += "there are no coordinates, and all of the outcode lies in it"
	case "premises":
		s += "the register lacks the postcode, and all premises there lie in it"
	default:
		return "Region: there is no telling, for want of coordinates, or because several Regions share what is known."
	}
	switch {
	case r.NearBorder:
		s += fmt.Sprintf(", only %.1f m from another Region", float64(r.BorderDistance))
	case r.BorderDistance >= 0:
		s += fmt.Sprintf(", %.1f m from the nearest other Region", float64(r.BorderDistance))
	case r.Basis == "boundary" || r.Basis == "nearest":
		s += ", over 5 km from any other Region"
	}
	return s + r.boundaries() + "."
}

func (r *RegionFacts) boundaries() string {
	if r.Indicative {
		return " (by indicative boundaries, not those the DCC publishes)"
	}
	return ""
}

// text is what the register says.
func (p *Postcode) text() string {
	s := strings.ReplaceAll(p.Status, "_", " ")
	switch {
	case p.TerminatedBetween != (Between{}):
		s += fmt.Sprintf(" between %v and %v", p.TerminatedBetween.After.V, p.TerminatedBetween.By.V)
	case p.Terminated.V != 0:
		s += " in " + p.Terminated.V.String()
	case p.Introduced.V != 0:
		s += " since " + p.Introduced.V.String()
	}
	return s
}

func (s *Summary) text() string {
	var parts []string
	for _, c := range []struct {
		n     int
		state string
	}{{s.Available, "available"}, {s.Planned, "planned"}, {s.Unavailable, "unavailable"}, {s.Unknown, "unknown"}} {
		if c.n > 0 {
			parts = append(parts, strconv.Itoa(c.n)+" "+c.state)
		}
	}
	return premisesText(s.Premises) + ": " + strings.Join(parts, ", ")
}

func premisesText(n int) string { return strconv.Itoa(n) + " premises" }

func hub(variant, auxiliary Text) string {
	s := cmp.Or(string(variant), "no variant stated")
	if auxiliary != "" {
		s += " with " + string(auxiliary)
	}
	return s
}

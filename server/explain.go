package server

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// Bounds of an explanation, so that one about a hundred premises can be read.
const (
	maxGroups    = 20 // of premises that differ in what is known of them
	maxAddresses = 5  // named of each
)

// parseExplain reads `explain`.
func (q *scratch) parseExplain() bool {
	switch text := string(q.values[paramExplain]); text {
	case "1", "true":
		q.explain = true
	case "0", "false":
	default:
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "explain", Detail: strconv.Quote(text) + " is neither 1 nor 0",
			Hint: "give explain=1 for an answer that says why, or leave it out",
		})
		return false
	}
	if q.explain && q.past {
		q.problem(api.Problem{
			Code: api.MalformedParameter, Parameter: "explain", Detail: "what was said in the past is not explained",
			Hint: "ask a server of the snapshot of that day, with coverd explain --snapshot, or leave known out",
		})
		return false
	}
	return true
}

// beginExplanation is what all explanations start from.
func (q *scratch) beginExplanation(kind, subject, outcome, reason string, region api.Region) *api.Explanation {
	return &api.Explanation{
		Sentences: []string{}, Subject: strings.Clone(subject), Kind: kind, On: api.Some(q.on), Outcome: outcome, Reason: api.Text(reason),
		Premises: []api.PremisesFacts{}, Areas: []api.AreaFacts{}, Regions: []string{},
		Region: api.RegionFacts{Region: region, Indicative: q.ref.IndicativeRegions},
	}
}

// explainPostcode explains q.postcode, whose premises are those of q.found.
func (q *scratch) explainPostcode(unit index.Unit, network index.NetworkRegion) *api.Explanation {
	a := &q.postcode
	e := q.beginExplanation("postcode", a.Query.Postcode.String(), a.Outcome, a.Reason, a.Region)
	e.Address, e.Summary, e.Register = api.Text(strings.Clone(string(a.Query.Address))), a.Summary, &a.Postcode
	if a.Query.Address != "" && unit.Len() > 0 {
		e.AddressMatch = q.addressFacts()
	}
	var kinds []uint32 // in the order of their first premises
	members := map[uint32][]index.Premises{}
	for _, f := range q.found {
		kind := q.details[f.at].Kind
		if len(members[kind]) == 0 {
			kinds = append(kinds, kind)
		}
		members[kind] = append(members[kind], unit.Premises(f.at))
	}
	slices.SortStableFunc(kinds, func(a, b uint32) int { return cmp.Compare(len(members[b]), len(members[a])) })
	for i, kind := range kinds {
		if i < maxGroups {
			e.Premises = append(e.Premises, q.premisesFacts(members[kind], network))
		} else {
			e.PremisesLeftOut += len(members[kind])
		}
	}
	states := map[string]bool{}
	for _, p := range e.Premises {
		states[p.State] = true
	}
	if len(states) == 1 && e.PremisesLeftOut == 0 {
		e.State = api.Text(e.Premises[0].State)
	}
	if a.Estimate != nil {
		q.explainEstimate(e, a.Estimate, &q.estimate)
	}
	e.Say()
	return e
}

// addressFacts are what became of the address asked for among q.details.
func (q *scratch) addressFacts() *api.AddressFacts {
	m := &api.AddressFacts{
		Grade: cmp.Or(q.postcode.AddressMatch.Grade, index.AddressNone.String()), Premises: len(q.found), Of: len(q.details), Refused: []string{},
	}
	refuse := func(address string) {
		if len(m.Refused) < maxAddresses {
			m.Refused = append(m.Refused, strings.Clone(address))
		} else {
			m.RefusedLeftOut++
		}
	}
	if m.Grade == index.AddressNone.String() {
		for _, i := range q.matcher.AppendCandidates(nil, q.details, len(q.details)) { // all: the answer has maxCandidates
			refuse(view(q.details[i].Address))
		}
	}
	for i := range q.details {
		if m.Grade == index.AddressExact.String() && q.matcher.Grade(q.details[i].Address) == index.AddressNormalised {
			refuse(view(q.details[i].Address))
		}
	}
	return m
}

// explainPremises explains q.premises.
func (q *scratch) explainPremises(p index.Premises, network index.NetworkRegion) *api.Explanation {
	e := q.beginExplanation("premises", "UPRN "+p.UPRN().String(), api.PremisesFound, "", api.Region{})
	if address := p.Address(); len(address) > 0 {
		e.Subject = string(address) + " (" + e.Subject + ")"
	}
	e.Register = q.premises.Postcode
	e.Premises = append(e.Premises, q.premisesFacts([]index.Premises{p}, network))
	e.Region, e.State = e.Premises[0].Region, api.Text(e.Premises[0].State)
	var sum index.Summary
	sum.Add(p.Claims().Only(network).State(q.on), 1)
	e.Summary = summaryOf(sum)
	e.Say()
	return e
}

// explainLocation explains q.location, of which q.surroundings have been filled
// in.
func (q *scratch) explainLocation() *api.Explanation {
	a := &q.location
	subject := strconv.FormatFloat(float64(a.Location.Latitude), 'f', 6, 64) + ", " + strconv.FormatFloat(float64(a.Location.Longitude), 'f', 6, 64)
	e := q.beginExplanation("location", subject, a.Outcome, "", a.Region)
	q.explainEstimate(e, &a.Coverage, &q.surroundings.Estimate)
	for i := range q.surroundings.Areas {
		e.Areas = append(e.Areas, q.areaFacts(&q.surroundings.Areas[i], ""))
	}
	e.Say()
	return e
}

// explainPlace explains q.place, whose postcodes lie in some Regions.
func (q *scratch) explainPlace(kind, subject string, regions []string) *api.Explanation {
	a := &q.place
	e := q.beginExplanation(kind, subject, a.Outcome, a.Reason, api.Region{BorderDistance: -1})
	e.Summary, e.Regions = a.Summary, append(e.Regions, regions...)
	if len(regions) == 1 {
		e.Region.Name = api.Text(regions[0])
	}
	if a.Estimate != nil {
		q.explainEstimate(e, a.Estimate, &q.estimate)
	}
	for _, c := range []struct {
		n     int
		state index.State
	}{
		{a.Summary.Available, index.Available},
		{a.Summary.Planned, index.Planned},
		{a.Summary.Unknown, index.Unknown},
		{a.Summary.Unavailable, index.Unavailable},
	} {
		if c.n == a.Summary.Premises && c.n > 0 {
			e.State = api.Text(c.state.String())
		}
	}
	e.Say()
	return e
}

// explainEstimate fills in an estimate, as it was answered and as the index has
// it.
func (q *scratch) explainEstimate(e *api.Explanation, a *api.Estimate, of *index.Estimate) {
	e.State = api.Text(a.State)
	e.Estimate = &api.EstimateFacts{
		State: a.State, Basis: a.Basis, Premises: a.Premises, Distance: a.Distance, Confidence: a.Confidence, Fit: a.Fit,
		Networks: []api.AgreementFact{},
	}
	if a.Basis == "" {
		return
	}
	for i := range of.Networks {
		n := &of.Networks[i]
		fact := api.AgreementFact{NetworkRegion: n.Network.String(), ClaimSource: "premises", States: slices.Clone(n.States)}
		if n.FromArea {
			fact.ClaimSource = api.ClaimSourceArea
		}
		e.Estimate.Networks = append(e.Estimate.Networks, fact)
	}
}

// premisesFacts tells what is known of premises of one kind, by their claims on
// one network region alone unless that is NoNetwork.
func (q *scratch) premisesFacts(list []index.Premises, only index.NetworkRegion) api.PremisesFacts {
	first := list[0]
	claims := first.Claims().Only(only)
	f := api.PremisesFacts{
		Premises: len(list), Addresses: []string{}, State: claims.State(q.on).String(), Conflict: first.Conflict(),
		Claims: []api.ClaimFacts{}, Areas: []api.AreaFacts{},
		Region: api.RegionFacts{Region: regionOf(first.Region()), Indicative: q.ref.IndicativeRegions},
	}
	for _, p := range list[:min(len(list), maxAddresses)] {
		name := string(p.Address())
		if name == "" && p.UPRN() != 0 {
			name = "UPRN " + p.UPRN().String()
		}
		f.Addresses = append(f.Addresses, cmp.Or(name, "one without address"))
	}
	lending := q.lending(list)
	if len(list) == 1 {
		f.Region.Region = regionOf(first.LocatedRegion())
		for _, a := range first.AppendAreaVerdicts(nil) {
			if only == index.NoNetwork || a.Claim.Network == only {
				f.Areas = append(f.Areas, q.areaFacts(&a.AreaHit, string(a.Role)))
			}
		}
	}
	verdicts := claims.AppendVerdicts(nil, q.on)
	slices.SortStableFunc(verdicts, func(a, b index.Verdict) int {
		return cmp.Compare(uint(a.Place-1), uint(b.Place-1)) // place 0, which does not count, comes last
	})
	for i := range verdicts {
		f.Claims = append(f.Claims, q.claimFacts(&verdicts[i], lending[verdicts[i].Claim.Network]))
	}
	return f
}

// lending finds the areas that lend premises their claims by network region; nil
// where they differ.
func (q *scratch) lending(list []index.Premises) map[index.NetworkRegion]*index.AreaHit {
	lending := map[index.NetworkRegion]*index.AreaHit{}
	var areas []index.AreaVerdict
	for _, p := range list {
		areas = p.AppendAreaVerdicts(areas[:0])
		for _, a := range areas {
			if a.Role != index.AreaLends {
				continue
			}
			n := a.Claim.Network
			if before, ok := lending[n]; !ok {
				lending[n] = &a.AreaHit
			} else if before != nil && before.Index != a.Index {
				lending[n] = nil
			}
		}
	}
	return lending
}

// claimFacts tells what became of a claim, which an area may lend.
func (q *scratch) claimFacts(v *index.Verdict, lender *index.AreaHit) api.ClaimFacts {
	c := v.Claim
	f := api.ClaimFacts{
		NetworkRegion: c.Network.String(), CSP: c.CSP, State: v.Status.State.String(), Rule: v.Rule.String(),
		AnticipatedCoverageDate: api.Some(c.Anticipated), CoverageEndDate: api.Some(c.End),
		ConnectivityLikelihood: api.Text(c.Likelihood.String()), WANTechnology: api.Text(c.Technology), WANVariant: api.Text(c.Variant),
		AuxiliaryEquipment: api.Text(c.Auxiliary), AdditionalInformation: api.Text(c.Info), AsOf: api.Some(c.AsOf),
		Extracts: q.extractFacts(c, v.FromArea), ClaimSource: api.ClaimOwn,
		NotCounted: api.Text(v.Excluded), Place: v.Place, LostBy: api.Text(v.LostBy.String()),
	}
	if v.FromArea {
		f.ClaimSource = api.ClaimArea
		if lender != nil {
			area := q.areaFacts(lender, string(index.AreaLends))
			f.Area = &area
		}
	}
	return f
}

// extractFacts lists the extracts that a claim may have come in.
func (q *scratch) extractFacts(c *index.Claim, fromArea bool) []api.ExtractFacts {
	list := []api.ExtractFacts{}
	info := q.snap.Info()
	for _, i := range q.snap.AppendSources(nil, c, fromArea) {
		source := &info.Sources[i]
		x := api.ExtractFacts{Sequence: int(source.Sequence)}
		if len(source.Files) > 0 {
			x.Path = source.Files[0].Path
		}
		if b := q.snap.Baselines().Source(source.CSP, source.Kind); b != nil {
			x.Carried = b.Carried != nil
		}
		list = append(list, x)
	}
	return list
}

func (q *scratch) areaFacts(h *index.AreaHit, role string) api.AreaFacts {
	return api.AreaFacts{
		Number: h.Index + 1, CSP: h.Claim.CSP, NetworkRegion: h.Claim.Network.String(), State: h.Claim.On(q.on).State.String(),
		Rule: h.Claim.Rule(q.on).String(), Ground: api.Metres(h.Ground), Role: api.Text(role), AdditionalInformation: api.Text(h.Claim.Info),
	}
}

// regionNames lists the Regions of a set.
func regionNames(set geo.RegionSet) (names []string) {
	for _, r := range geo.Regions {
		if set.Has(r) {
			names = append(names, r.String())
		}
	}
	return names
}

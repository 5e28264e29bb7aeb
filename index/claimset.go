package index

import (
	"cmp"
	"slices"
)

// ClaimSet is the claims of one premises: its own and, on network regions where
// it has none, those of its coverage areas. Many premises share a claim set.
type ClaimSet struct {
	s    *Snapshot
	code uint32
	only NetworkRegion // NoNetwork: all
}

// claimFacts are what summaries and fits need of a claim, worked out once.
type claimFacts struct {
	counts              bool
	prefer              int    // place in the manifest's order of preference
	technology, variant uint32 // numbers of their names
	anticipated         string // the date in words, so that counting it allocates nothing
}

// readFacts works out claimFacts; technologies and variants get numbers in the
// order of their first claim, 0 being the empty one.
func (s *Snapshot) readFacts() {
	s.facts = make([]claimFacts, len(s.claims))
	number := func(names *[]string, codes map[string]uint32, name string) uint32 {
		code, ok := codes[name]
		if !ok {
			code = uint32(len(*names))
			codes[name] = code
			*names = append(*names, name)
		}
		return code
	}
	var prefer [Networks]int
	for i := range prefer {
		prefer[i] = len(s.info.Prefer)
	}
	for k, n := range slices.Backward(s.info.Prefer) {
		prefer[n] = k
	}
	s.technologies, s.variants = []string{""}, []string{""}
	technologies, variants := map[string]uint32{"": 0}, map[string]uint32{"": 0}
	for i := range s.claims {
		c := &s.claims[i]
		f := &s.facts[i]
		f.counts = c.Network.Counts() && (s.info.CountsAsWAN || !c.IsVWAN())
		f.technology = number(&s.technologies, technologies, c.Technology)
		f.variant = number(&s.variants, variants, c.Variant)
		f.anticipated = c.Anticipated.String()
		f.prefer = prefer[c.Network]
	}
}

// Code numbers the set: equal codes are equal sets. It is less than
// [Snapshot.ClaimSets].
func (c ClaimSet) Code() uint32 { return c.code }

// Only returns the claims of the set on one network region.
func (c ClaimSet) Only(n NetworkRegion) ClaimSet {
	c.only = n
	return c
}

// span returns the set's items: claim numbers, doubled, plus 1 if lent by an
// area. Those on one network region stand together.
func (c ClaimSet) span() (from, to int) {
	from, to = int(c.s.setStarts[c.code]), int(c.s.setStarts[c.code+1])
	if c.only != NoNetwork {
		for from < to && c.network(from) != c.only {
			from++
		}
		for from < to && c.network(to-1) != c.only {
			to--
		}
	}
	return from, to
}

func (c ClaimSet) network(item int) NetworkRegion {
	return c.s.claims[c.s.setItems[item]>>1].Network
}

// Len returns the number of claims.
func (c ClaimSet) Len() int {
	from, to := c.span()
	return to - from
}

// At returns claim i, in order of network region and CSP, and whether it is
// lent by a coverage area.
func (c ClaimSet) At(i int) (claim *Claim, fromArea bool) {
	from, _ := c.span()
	it := c.s.setItems[from+i]
	return &c.s.claims[it>>1], it&1 == 1
}

// Counts reports whether claim i counts towards the state of a premises:
// claims on Unknown and SMETS1 never do, virtual WAN only where the manifest
// says so.
func (c ClaimSet) Counts(i int) bool {
	from, _ := c.span()
	return c.s.facts[c.s.setItems[from+i]>>1].counts
}

// State is the best of the states of the claims that count; unknown if none
// does.
func (c ClaimSet) State(on Day) State {
	best := State(0)
	from, to := c.span()
	for i := from; i < to; i++ {
		k := c.s.setItems[i] >> 1
		if !c.s.facts[k].counts {
			continue
		}
		if st := c.s.claims[k].On(on).State; best == 0 || st < best {
			best = st
		}
	}
	if best == 0 {
		return Unknown
	}
	return best
}

// Fit is the hub to take along, and why.
type Fit struct {
	Claim    *Claim
	Status   Status
	FromArea bool
}

// Fit returns the claim to fit for: of those that count the best state on the
// day, then the earliest coverage (that which is there already being the
// earliest), then likelihood, then the manifest's preference, then network
// region. ok is false where no claim counts.
func (c ClaimSet) Fit(on Day) (fit Fit, ok bool) {
	item, st, ok := c.best(0, on)
	if !ok {
		return Fit{}, false
	}
	return Fit{&c.s.claims[item>>1], st, item&1 == 1}, true
}

// best is the item to fit for, passing over the network regions of a set.
func (c ClaimSet) best(not networkSet, on Day) (item int64, st Status, ok bool) {
	from, to := c.span()
	for i := from; i < to; i++ {
		it := int64(c.s.setItems[i])
		if k := it >> 1; c.s.facts[k].counts && !not.has(c.s.claims[k].Network) {
			if next := c.s.claims[k].On(on); !ok || c.s.betterFit(k, next, item>>1, st) {
				item, st, ok = it, next, true
			}
		}
	}
	return item, st, ok
}

// betterFit reports whether claim a goes before claim b. Claims are numbered
// in order of network region, so the last tie-break is their number.
func (s *Snapshot) betterFit(a int64, ofA Status, b int64, ofB Status) bool {
	return cmp.Or(
		cmp.Compare(ofA.State, ofB.State),
		cmp.Compare(ofA.From, ofB.From),
		cmp.Compare(s.claims[a].Likelihood.rank(), s.claims[b].Likelihood.rank()),
		cmp.Compare(s.facts[a].prefer, s.facts[b].prefer),
		cmp.Compare(a, b),
	) < 0
}

// AppendReason appends the fit's reason: when there is coverage, and how
// likely a connection is.
func (f Fit) AppendReason(b []byte) []byte {
	switch {
	case f.Status.Overdue:
		b = f.Claim.Anticipated.AppendTo(append(b, "no coverage, planned for "...))
		b = append(b, " and overdue"...)
	case f.Status.State == Available && f.Status.From != 0:
		b = f.Status.From.AppendTo(append(b, "available since "...))
	case f.Status.State == Available:
		b = append(b, "available now"...)
	case f.Status.State == Planned:
		b = f.Status.From.AppendTo(append(b, "planned from "...))
	case f.Status.State == Unavailable:
		b = append(b, "no coverage"...)
	default:
		b = append(b, "coverage not known"...)
	}
	if f.Claim.Likelihood != NoLikelihood {
		b = append(append(append(b, ", "...), f.Claim.Likelihood.String()...), " likelihood"...)
	}
	if f.FromArea {
		b = append(b, ", by coverage area"...)
	}
	return b
}

// Reason is AppendReason as a string.
func (f Fit) Reason() string { return string(f.AppendReason(nil)) }

package index

import (
	"cmp"
	"slices"

	"coverd/geo"
)

// Bases of an estimate.
const (
	EstimateArea    = "coverage_area"
	EstimateNearest = "nearest_premises"
	EstimateOwn     = "postcode"
	EstimateSector  = "sector"
	EstimateOutcode = "outcode"
)

// How an estimate looks around.
const (
	EstimateWitnesses = 10  // the nearest premises asked
	EstimateRadius    = 500 // metres: none further away is

	estimateFallback = 5000 // metres to the postcode whose sector is asked where there is none
)

// Estimate says what coverage to expect at a place where no premises is known.
// It is never a CSP's claim about that place. Its slices are reused when it is
// filled again.
//
// # The rule
//
// Only claims that count are considered, of areas too.
//
// Witnesses are the premises of the postcode, where it has some (the address
// asked for being none of theirs); else the up to ten nearest premises within
// 500 m; where there is none, or the place has no location, all premises of the
// sector; where there is none there, of the outcode.
//
// On a network region where a coverage area contains the place, the smallest
// such area's claim is considered. It is dropped where witnesses who are near
// (of the postcode, or within 500 m) contradict it: where, of those with a claim
// of their own there, one that no area lends, more are in some other state than
// are in the area's, the area counting as one of these.
//
// The best of the areas' claims gives State and Basis coverage_area; unless most
// witnesses have a better state on the network regions no area speaks of: then
// State is that of most witnesses there (of equally many, the worse). So it is
// too where there is no area: there a witness without a claim is in state
// unknown, as every premises without is.
//
// Fit is the better one, by the rule of [ClaimSet.Fit], of the best claim of an
// area and of the most frequent fit of the witnesses on the network regions no
// area speaks of, as far as either is in State.
//
// Agreement is the share of witnesses in State. Confidence is how often the
// State of such an estimate was right where the truth was known and hidden: see
// [Calibration]. A snapshot without that table has the share of witnesses in
// State by the rule of succession, (agreeing + a) / (witnesses + b): a claimless
// place starts from one in two (a 1, b 2), a coverage area, being a CSP's own
// statement, from nine in ten (a 9, b 10). That only orders estimates.
//
// # Why
//
// At national scale, with nothing known within 250 m, 99.7 % of the states of
// such estimates are right; 99.4 % where areas always stand, and of one network
// region 98 % for 91 %. Neither five witnesses nor twenty, nor the nearest three
// of them counted twice, make a difference of more than 0.03 points.
type Estimate struct {
	// Only narrows the question to one network region; NoNetwork: all. It is
	// set by the caller, and stays.
	Only NetworkRegion

	State      State
	Basis      string
	Premises   int     // witnesses
	Distance   float64 // metres to the nearest witness; −1: they are not near, or there is none
	Agreement  float64 // share of the witnesses that are in State; −1: there is none
	Confidence float64 // 0 to 1
	Fit        Fit
	HasFit     bool
	Networks   []NetworkEstimate // in order of network region

	agree     int // witnesses in State
	witnesses []witness
	fits      []talliedFit
}

// NetworkEstimate is what to expect on one network region. Each list counts
// the witnesses by what they have, most first; a single item is unanimous. An
// area's claim is a single item.
type NetworkEstimate struct {
	Network     NetworkRegion
	Premises    int     // witnesses with a claim there
	Distance    float64 // metres to the nearest of them; −1: they are not near, or there is none
	Agreement   float64 // share of them in the first of States; −1: there is none
	States      []Count
	From        []Count // anticipated dates; "" is none
	Variants    []Count
	Auxiliary   []Count
	Likelihoods []Count
	FromArea    bool
}

// witness is a claim set and how many premises have it.
type witness struct {
	set      ClaimSet
	n        int
	distance float64 // metres to the nearest of them; −1: they are not near
}

// talliedFit is a fit and how many premises have it.
type talliedFit struct {
	claim  int64 // its number
	status Status
	n      int
}

// lentClaims are the claims that areas lend a place: the smallest area's on
// each network region.
type lentClaims struct {
	on    networkSet
	claim [Networks]int64 // its number, where on has the network region
}

// EstimateAt estimates coverage at a point on a day; ok is false when nothing
// around it, nor in the sector of the nearest live postcode within 5 km, says
// anything.
func (s *Snapshot) EstimateAt(e *Estimate, p geo.LatLng, on Day) (ok bool) {
	var near [EstimateWitnesses]Neighbour
	var areas [32]AreaHit
	return s.estimate(e, whereabouts{
		at: p, located: true,
		near: s.Nearest(near[:0], p, EstimateWitnesses, EstimateRadius), areas: s.AppendAreas(areas[:0], p),
	}, on)
}

// EstimatePostcode estimates coverage at a postcode, for an address that no
// premises there has: from its premises; without any where the register has
// it, else in its sector or outcode.
func (s *Snapshot) EstimatePostcode(e *Estimate, p geo.Postcode, on Day) (ok bool) {
	var near [EstimateWitnesses]Neighbour
	var areas [32]AreaHit
	q := whereabouts{sector: p.Sector(), outcode: p.Outcode()}
	if u, found := s.Postcode(p); found {
		q.first, q.end = u.premises()
		if q.located = u.At().IsValid(); q.located {
			q.at = u.At().LatLng()
			q.areas = s.AppendAreas(areas[:0], q.at)
			if q.first == q.end {
				q.near = s.Nearest(near[:0], q.at, EstimateWitnesses, EstimateRadius)
			}
		}
	}
	return s.estimate(e, q, on)
}

// whereabouts is what is known of where an estimate is asked for.
type whereabouts struct {
	at         geo.LatLng
	located    bool
	near       []Neighbour // the nearest premises; what is too many or too far does not count
	areas      []AreaHit   // those that contain it
	first, end int         // its postcode's own premises
	sector     geo.Sector  // invalid where its postcode is not known
	outcode    geo.Outcode
	hidden     *hiding // premises that are no witnesses; nil: none
}

func (s *Snapshot) estimate(e *Estimate, q whereabouts, on Day) bool {
	*e = Estimate{Only: e.Only, Distance: -1, Networks: e.Networks[:0], witnesses: e.witnesses[:0], fits: e.fits[:0]}
	s.summon(e, q)
	var lent lentClaims
	best := int64(-1) // the best claim of an area
	var status Status
	if q.located {
		s.lend(&lent, q.areas, e.Only)
		if e.Basis == EstimateNearest || e.Basis == EstimateOwn {
			s.contradict(e, &lent, on)
		}
		best, status = s.bestLent(&lent, on)
	}
	if best < 0 && len(e.witnesses) == 0 {
		return false
	}

	seen := networkSet(0) // network regions on which witnesses are not asked
	modal, ok := s.modalState(e.witnesses, lent.on, on)
	if best >= 0 && (!ok || status.State <= modal) {
		e.State, e.Basis = status.State, EstimateArea
		e.Fit, e.HasFit = Fit{&s.claims[best], status, true}, true
	} else {
		e.State, seen = modal, lent.on
	}
	if f, found := s.modalFit(e, lent.on, on); found && modal == e.State && (!e.HasFit || s.betterFit(f.claim, f.status, best, status)) {
		e.Fit, e.HasFit = Fit{Claim: &s.claims[f.claim], Status: f.status}, true
	}
	for _, w := range e.witnesses {
		if st, ok := w.set.stateBeside(seen, on); ok && st == e.State {
			e.agree += w.n
		}
	}
	if e.Agreement = -1; e.Premises > 0 {
		e.Agreement = float64(e.agree) / float64(e.Premises)
	}
	e.Confidence = s.confidence(e)
	s.estimateNetworks(e, &lent, on)
	return true
}

// summon finds the witnesses.
func (s *Snapshot) summon(e *Estimate, q whereabouts) {
	for row := q.first; row < q.end; row++ {
		if q.hidden.has(uint32(row)) {
			continue
		}
		e.Basis = EstimateOwn
		e.call(Premises{s, uint32(row)}.Claims(), -1)
	}
	if len(e.witnesses) == 0 {
		for _, n := range q.near[:min(len(q.near), EstimateWitnesses)] {
			if n.Distance <= EstimateRadius {
				e.call(n.Premises.Claims(), n.Distance)
			}
		}
		if len(e.witnesses) > 0 {
			e.Basis, e.Distance = EstimateNearest, q.near[0].Distance
		}
	}
	if len(e.witnesses) == 0 && !q.outcode.IsValid() {
		var near [1]UnitNeighbour
		if found := s.NearestPostcodes(near[:0], q.at, 1, estimateFallback); len(found) > 0 {
			p := found[0].Unit.Postcode()
			q.sector, q.outcode = p.Sector(), p.Outcode()
		}
	}
	if sector, ok := s.Sector(q.sector); ok && len(e.witnesses) == 0 {
		e.Basis = EstimateSector
		s.summonSectors(e, int(sector.row), int(sector.row)+1, q.hidden)
	}
	if o, ok := s.Outcode(q.outcode); ok && len(e.witnesses) == 0 {
		e.Basis = EstimateOutcode
		s.summonSectors(e, s.outcodes[o.row].sector, s.outcodes[o.row].sectors, q.hidden)
	}
	for i := range e.witnesses {
		w := &e.witnesses[i]
		w.set = w.set.Only(e.Only)
		e.Premises += w.n
	}
}

// summonSectors calls all premises of sectors from to end.
func (s *Snapshot) summonSectors(e *Estimate, from, end int, hidden *hiding) {
	s.profile(from, end, func(set ClaimSet, _ geo.Region, n int) { e.witnesses = append(e.witnesses, witness{set, n, -1}) })
	if hidden != nil {
		e.witnesses = hidden.discount(s, e.witnesses, from, end)
	}
}

// call adds a witness. Neighbours mostly have the same claims, and are then
// asked as one: the nearest comes first.
func (e *Estimate) call(set ClaimSet, distance float64) {
	for i := range e.witnesses {
		if w := &e.witnesses[i]; w.set == set {
			w.n++
			return
		}
	}
	e.witnesses = append(e.witnesses, witness{set, 1, distance})
}

// lend finds the claims that areas lend.
func (s *Snapshot) lend(lent *lentClaims, areas []AreaHit, only NetworkRegion) {
	for _, h := range areas {
		k := int64(s.areas.claims[h.Index])
		network := s.claims[k].Network
		if s.facts[k].counts && !lent.on.has(network) && (only == NoNetwork || network == only) {
			lent.on = lent.on.with(network)
			lent.claim[network] = k
		}
	}
}

// contradict drops the claims that witnesses contradict.
func (s *Snapshot) contradict(e *Estimate, lent *lentClaims, on Day) {
	for network := NetworkNorth; network.Counts(); network++ {
		if !lent.on.has(network) {
			continue
		}
		var count [len(States) + 1]int
		said := s.claims[lent.claim[network]].On(on).State
		count[said] = 1
		for _, w := range e.witnesses {
			if item, st, ok := w.set.Only(network).best(0, on); ok && item&1 == 0 {
				count[st.State] += w.n
			}
		}
		if slices.Max(count[:]) > count[said] {
			lent.on = lent.on.without(network)
		}
	}
}

// bestLent is the best of the claims lent; −1: there is none.
func (s *Snapshot) bestLent(lent *lentClaims, on Day) (best int64, status Status) {
	best = -1
	for network := NetworkNorth; network.Counts(); network++ {
		if k := lent.claim[network]; lent.on.has(network) {
			if st := s.claims[k].On(on); best < 0 || s.betterFit(k, st, best, status) {
				best, status = k, st
			}
		}
	}
	return best, status
}

// stateBeside is the state by the claims on network regions that are not in a
// set. ok is false where there is none; but with no network region left out
// there is always a state.
func (c ClaimSet) stateBeside(not networkSet, on Day) (state State, ok bool) {
	_, st, ok := c.best(not, on)
	if !ok && not == 0 {
		return Unknown, true
	}
	return st.State, ok
}

// modalState is the state that most witnesses have on network regions that are
// not in a set; of equally frequent ones the worst. ok is false where most have
// none.
func (s *Snapshot) modalState(witnesses []witness, not networkSet, on Day) (modal State, ok bool) {
	var count [Unavailable + 1]int
	for _, w := range witnesses {
		st, _ := w.set.stateBeside(not, on)
		count[st] += w.n
	}
	for _, st := range States {
		if count[st] > 0 && count[st] >= count[modal] {
			modal = st
		}
	}
	return modal, modal != 0
}

// modalFit is the most frequent fit of the witnesses in the estimated state, on
// network regions that are not in a set; of equally frequent ones the first in
// the order of claims.
func (s *Snapshot) modalFit(e *Estimate, not networkSet, on Day) (fit talliedFit, ok bool) {
	for _, w := range e.witnesses {
		item, st, ok := w.set.best(not, on)
		if !ok || st.State != e.State {
			continue
		}
		i := slices.IndexFunc(e.fits, func(t talliedFit) bool { return t.claim == item>>1 })
		if i < 0 {
			i, e.fits = len(e.fits), append(e.fits, talliedFit{claim: item >> 1, status: st})
		}
		e.fits[i].n += w.n
	}
	if len(e.fits) == 0 {
		return talliedFit{}, false
	}
	return slices.MinFunc(e.fits, func(a, b talliedFit) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.claim, b.claim)) }), true
}

func (s *Snapshot) estimateNetworks(e *Estimate, lent *lentClaims, on Day) {
	for network := NetworkNorth; network.Counts(); network++ {
		if e.Only != NoNetwork && network != e.Only {
			continue
		}
		n := len(e.Networks)
		e.Networks = slices.Grow(e.Networks, 1)[:n+1]
		ne := &e.Networks[n]
		ne.reset(network)
		var count [len(States) + 1]int
		expected := State(0)
		if ne.FromArea = lent.on.has(network); ne.FromArea {
			k := lent.claim[network]
			st := s.claims[k].On(on)
			s.tallyClaim(ne, k, st, max(e.Premises, 1))
			expected = st.State
		}
		for _, w := range e.witnesses { // each with its best claim there
			if item, st, ok := w.set.Only(network).best(0, on); ok {
				if count[st.State] += w.n; !ne.FromArea {
					s.tallyClaim(ne, item>>1, st, w.n)
				}
				if ne.Premises == 0 || w.distance < ne.Distance {
					ne.Distance = w.distance
				}
				ne.Premises += w.n
			}
		}
		if len(ne.States) == 0 {
			e.Networks = e.Networks[:n]
			continue
		}
		for _, l := range [...][]Count{ne.States, ne.From, ne.Variants, ne.Auxiliary, ne.Likelihoods} {
			slices.SortFunc(l, compareCounts)
		}
		if ne.Premises > 0 {
			if !ne.FromArea {
				ne.Agreement = float64(ne.States[0].N) / float64(ne.Premises)
			} else {
				ne.Agreement = float64(count[expected]) / float64(ne.Premises)
			}
		}
	}
}

// reset empties the estimate, keeping its lists' memory.
func (ne *NetworkEstimate) reset(network NetworkRegion) {
	*ne = NetworkEstimate{
		Network: network, Distance: -1, Agreement: -1, States: ne.States[:0], From: ne.From[:0], Variants: ne.Variants[:0],
		Auxiliary: ne.Auxiliary[:0], Likelihoods: ne.Likelihoods[:0],
	}
}

// tallyClaim counts n witnesses with a claim.
func (s *Snapshot) tallyClaim(ne *NetworkEstimate, claim int64, st Status, n int) {
	c, from := &s.claims[claim], ""
	if st.From != 0 {
		from = s.facts[claim].anticipated
	}
	ne.States = tally(ne.States, st.State.String(), n)
	ne.From = tally(ne.From, from, n)
	ne.Variants = tally(ne.Variants, c.Variant, n)
	ne.Auxiliary = tally(ne.Auxiliary, c.Auxiliary, n)
	ne.Likelihoods = tally(ne.Likelihoods, c.Likelihood.String(), n)
}

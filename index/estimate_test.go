package index

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coverd/geo"
)

// slowBest is the best of the claims that count, outside the network regions
// of a set.
func slowBest(claims []Claim, not map[NetworkRegion]Claim, prefer []NetworkRegion, on Day) (best Claim, ok bool) {
	order := func(c Claim) []int {
		st := c.On(on)
		place := slices.Index(prefer, c.Network)
		if place < 0 {
			place = len(prefer)
		}
		return []int{slices.Index([]string{"available", "planned", "unknown", "unavailable"}, slowState(c, on)), int(st.From), []int{4, 1, 2, 3}[c.Likelihood], place}
	}
	var left []Claim
	for _, c := range claims {
		if _, spoken := not[c.Network]; !spoken && slowCounts(c, false) {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		return Claim{}, false
	}
	return slices.MinFunc(left, func(a, b Claim) int {
		return cmp.Or(slices.Compare(order(a), order(b)), a.Compare(&b))
	}), true
}

// slowEstimate follows the rule of Estimate word by word. A place without
// location is the zero point.
func (w *world) slowEstimate(s *Snapshot, own geo.Postcode, p geo.LatLng, sector geo.Sector, outcode geo.Outcode, only NetworkRegion, on Day) (e Estimate, ok bool) {
	e.Distance, e.Only = -1, only
	var all, witnesses []Premises
	lent := map[NetworkRegion]Claim{}
	for q := range s.AllPremises() {
		all = append(all, q)
	}
	within := func(basis string, in func(geo.Postcode) bool) {
		for _, q := range all {
			if q.Postcode().IsValid() && in(q.Postcode()) {
				witnesses = append(witnesses, q)
				e.Basis = basis
			}
		}
	}
	within("postcode", func(q geo.Postcode) bool { return q == own })
	if p != (geo.LatLng{}) {
		if len(witnesses) == 0 {
			for _, n := range slowNearest(all, p, 10, 500) {
				witnesses = append(witnesses, n.Premises)
				if len(witnesses) == 1 {
					e.Distance = n.Distance
				}
			}
			e.Basis = "nearest_premises"
		}
		here := slices.Clone(w.areas)
		slices.SortStableFunc(here, func(a, b Area) int { return cmp.Compare(geo.GroundArea(a.Shape), geo.GroundArea(b.Shape)) })
		for _, a := range here {
			if _, spoken := lent[a.Claim.Network]; !spoken && a.Shape.Contains(p) && slowCounts(a.Claim, false) && (only == NoNetwork || a.Claim.Network == only) {
				lent[a.Claim.Network] = a.Claim
			}
		}
	}
	if len(witnesses) == 0 {
		within("sector", func(q geo.Postcode) bool { return q.Sector() == sector })
	}
	if len(witnesses) == 0 {
		within("outcode", func(q geo.Postcode) bool { return q.Outcode() == outcode })
	}
	if e.Premises = len(witnesses); len(witnesses) == 0 && len(lent) == 0 {
		return Estimate{}, false
	}
	claimsOf := func(q Premises) (list []Claim) {
		for i := range q.Claims().Len() {
			if c, _ := q.Claims().At(i); only == NoNetwork || c.Network == only {
				list = append(list, *c)
			}
		}
		return list
	}
	// Of an area's claim, those who are near may say otherwise.
	near := e.Basis == EstimateNearest || e.Basis == EstimateOwn
	for network, c := range lent {
		votes := map[State]int{c.On(on).State: 1}
		for _, q := range witnesses {
			var own []Claim
			lends := false
			for i := range q.Claims().Len() {
				if c, fromArea := q.Claims().At(i); c.Network == network {
					own, lends = append(own, *c), lends || fromArea
				}
			}
			if best, ok := slowBest(own, nil, w.options.Prefer, on); ok && !lends {
				votes[best.On(on).State]++
			}
		}
		for _, n := range votes {
			if near && n > votes[c.On(on).State] {
				delete(lent, network)
			}
		}
	}
	// state is a witness's outside the network regions of a set, 0 for none.
	state := func(q Premises, not map[NetworkRegion]Claim) State {
		best, ok := slowBest(claimsOf(q), not, w.options.Prefer, on)
		switch {
		case ok:
			return best.On(on).State
		case len(not) == 0:
			return Unknown
		}
		return 0
	}
	var areaClaims []Claim
	for _, c := range lent {
		areaClaims = append(areaClaims, c)
	}
	ofAreas, hasArea := slowBest(areaClaims, nil, w.options.Prefer, on)
	count := map[State]int{}
	for _, q := range witnesses {
		count[state(q, lent)]++
	}
	modal := State(0)
	for _, st := range []State{Unavailable, Unknown, Planned, Available} { // the worse of equals
		if count[st] > 0 && count[st] > count[modal] || modal == 0 && count[st] > 0 && count[st] == count[0] {
			modal = st
		}
	}
	not, prior, weight := map[NetworkRegion]Claim(nil), 1.0, 2.0
	if hasArea && (modal == 0 || ofAreas.On(on).State <= modal) {
		e.State, e.Basis, prior, weight = ofAreas.On(on).State, "coverage_area", 9, 10
		e.Fit, e.HasFit = Fit{&ofAreas, ofAreas.On(on), true}, true
	} else {
		e.State, not = modal, lent
	}
	fits := map[Claim]int{}
	for _, q := range witnesses {
		if c, ok := slowBest(claimsOf(q), lent, w.options.Prefer, on); ok && c.On(on).State == e.State {
			fits[c]++
		}
	}
	var most *Claim
	for c, n := range fits {
		if most == nil || n > fits[*most] || n == fits[*most] && c.Compare(most) < 0 {
			most = &c
		}
	}
	if most != nil && modal == e.State {
		candidates := []Claim{*most}
		if e.HasFit {
			candidates = append(candidates, ofAreas)
		}
		if c, _ := slowBest(candidates, nil, w.options.Prefer, on); c == *most {
			e.Fit, e.HasFit = Fit{most, most.On(on), false}, true
		}
	}
	agree := 0.0
	for _, q := range witnesses {
		if state(q, not) == e.State {
			agree++
		}
	}
	if e.Agreement = -1; len(witnesses) > 0 {
		e.Agreement = agree / float64(len(witnesses))
	}
	e.Confidence = (agree + prior) / (float64(len(witnesses)) + weight)
	for n := NetworkNorth; n <= Network4GSouth; n++ {
		var said []Claim
		distance := -1.0
		for _, q := range witnesses {
			there := slices.DeleteFunc(claimsOf(q), func(c Claim) bool { return c.Network != n })
			if c, ok := slowBest(there, nil, w.options.Prefer, on); ok {
				if said = append(said, c); e.Distance >= 0 && distance < 0 {
					distance = geo.Distance(p, q.At().LatLng())
				}
			}
		}
		testify := len(said)
		c, fromArea := lent[n]
		agreement := -1.0
		if fromArea {
			same := 0
			for _, said := range said {
				if said.On(on).State == c.On(on).State {
					same++
				}
			}
			if testify > 0 {
				agreement = float64(same) / float64(testify)
			}
			said = slices.Repeat([]Claim{c}, max(1, len(witnesses)))
		}
		if len(said) == 0 {
			continue
		}
		counts := func(of func(Claim) string) (list []Count) {
			n := map[string]int{}
			for _, c := range said {
				n[of(c)]++
			}
			for name, n := range n {
				list = append(list, Count{name, n})
			}
			slices.SortFunc(list, func(a, b Count) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Name, b.Name)) })
			return list
		}
		states := counts(func(c Claim) string { return c.On(on).State.String() })
		if !fromArea {
			agreement = float64(states[0].N) / float64(testify)
		}
		e.Networks = append(e.Networks, NetworkEstimate{
			Network: n, FromArea: fromArea, Premises: testify, Distance: distance, Agreement: agreement,
			States:      states,
			From:        counts(func(c Claim) string { return c.On(on).From.String() }),
			Variants:    counts(func(c Claim) string { return c.Variant }),
			Auxiliary:   counts(func(c Claim) string { return c.Auxiliary }),
			Likelihoods: counts(func(c Claim) string { return c.Likelihood.String() }),
		})
	}
	return e, true
}

func diffEstimates(want, got Estimate) string {
	return gocmp.Diff(want, got, cmpopts.IgnoreUnexported(Estimate{}), cmpopts.EquateEmpty())
}

func TestEstimateFollowsTheRule(t *testing.T) {
	bases := map[string]int{}
	var e Estimate // filled again and again, as a server would
	for seed := range uint64(5) {
		w := makeWorld(seed, 500)
		for i := range w.rows { // sparse enough for every basis
			if r := &w.rows[i]; r.At.IsValid() {
				r.At.Lat = r.At.Lat/20_000*20_000 + r.At.Lat%2_000
			}
		}
		s := w.open(t)
		rng := rand.New(rand.NewPCG(seed, 31))
		check := func(what string, ok bool, want Estimate, wantOK bool) {
			t.Helper()
			if ok != wantOK {
				t.Fatalf("seed %d, %s: estimate %v, want %v", seed, what, ok, wantOK)
			}
			if !ok {
				bases["none"]++
				return
			}
			bases[e.Basis]++
			if len(w.areas) > 0 && e.Basis == EstimateNearest {
				for _, n := range e.Networks {
					if n.FromArea {
						bases["against an area"]++
						break
					}
				}
			}
			if d := diffEstimates(want, e); d != "" {
				t.Fatalf("seed %d, %s: %s", seed, what, d)
			}
		}
		all := slices.Collect(s.AllPremises())
		for range 250 {
			p := geo.LatLng{Lat: 51.9 + rng.Float64()*1.2, Lng: -2.1 + rng.Float64()*1.7}
			if q := all[rng.IntN(len(all))]; rng.IntN(3) > 0 && q.At().IsValid() {
				p = q.At().LatLng()
				p.Lat += (rng.Float64() - 0.5) / 500
			}
			on := worldDay + Day(rng.IntN(120)-10)
			var near geo.Postcode
			for _, n := range slowNearestUnits(s, p, 1, 5000) {
				near = n.Unit.Postcode()
			}
			e.Only = []NetworkRegion{NoNetwork, NoNetwork, NetworkSouth, Network4GSouth}[rng.IntN(4)]
			want, wantOK := w.slowEstimate(s, geo.Postcode{}, p, near.Sector(), near.Outcode(), e.Only, on)
			ok := s.EstimateAt(&e, p, on)
			check("at a point", ok, want, wantOK)
		}
		for _, text := range []string{"GU1 0AA", "GU1 3BB", "GU1 9ZZ", "ZE9 1AA", "ZE9 8ZZ", "AB1 0AA", "E11 2AB", "E1 7LL", "YO1 1AA"} {
			p := mustPostcode(text)
			at := geo.Location{}
			if u, ok := s.Postcode(p); ok {
				at = u.At()
			}
			e.Only = NoNetwork
			want, wantOK := w.slowEstimate(s, p, at.LatLng(), p.Sector(), p.Outcode(), e.Only, worldDay)
			ok := s.EstimatePostcode(&e, p, worldDay)
			check(text, ok, want, wantOK)
		}
	}
	for _, b := range []string{EstimateArea, EstimateNearest, EstimateOwn, EstimateSector, EstimateOutcode, "none", "against an area"} {
		if bases[b] == 0 {
			t.Errorf("no estimate by %s: %v", b, bases)
		}
	}
}

// TestEstimateBranches names each branch of the rule once.
func TestEstimateBranches(t *testing.T) {
	here := geo.LatLng{Lat: 52.5, Lng: -1.5}
	yes, no, unknown := says(NetworkSouth, AvailabilityTrue), says(NetworkSouth, AvailabilityFalse), says(NetworkSouth, AvailabilityUnknown)
	fourG := says(Network4GSouth, AvailabilityTrue)
	high4G, planned4G := fourG, says(Network4GSouth, AvailabilityFalse)
	high4G.Likelihood = High
	planned4G.Anticipated, planned4G.Likelihood = worldDay+9, High
	vwan := says(NetworkSouth, AvailabilityTrue)
	vwan.Technology = "VWAN"
	one := func(n int, c ...Claim) [][]Claim { return slices.Repeat([][]Claim{c}, n) }
	for _, c := range []struct {
		name      string
		witnesses [][]Claim
		areas     []Claim
		state     State
		basis     string
		fit       *Claim
		agree     float64 // of
		of        float64
	}{
		{"an area alone", nil, []Claim{yes}, Available, EstimateArea, &yes, 9, 10},
		{"an area, and neighbours as it says", one(4, yes), []Claim{yes}, Available, EstimateArea, &yes, 13, 14},
		{"an area, and neighbours who have it not", one(4, no), []Claim{yes}, Unavailable, EstimateNearest, &no, 5, 6},
		{"an area, and a neighbour who has it not", one(1, no), []Claim{yes}, Available, EstimateArea, &yes, 9, 11},
		{"an area, and no more neighbours who have it not than do", slices.Concat(one(2, no), one(1, yes)), []Claim{yes}, Available, EstimateArea, &yes, 10, 13},
		{"an area without, and neighbours with, on the same network", one(4, yes), []Claim{no}, Available, EstimateNearest, &yes, 5, 6},
		{"an area without, and neighbours with, on another", one(4, fourG), []Claim{no}, Available, EstimateNearest, &fourG, 5, 6},
		{"two areas, of which neighbours contradict one", one(4, no), []Claim{yes, fourG}, Available, EstimateArea, &fourG, 9, 14},
		{"an area without; the fit is not on its network", one(4, no, fourG), []Claim{no}, Available, EstimateNearest, &fourG, 5, 6},
		{"an area without; too few neighbours on another", slices.Concat(one(2, fourG), one(3, no)), []Claim{no}, Unavailable, EstimateArea, &no, 12, 15},
		{"an area, and neighbours as good on a better network", one(4, yes, high4G), []Claim{yes}, Available, EstimateArea, &high4G, 13, 14},
		{"an area, and neighbours not as good on a better network", one(4, yes, planned4G), []Claim{yes}, Available, EstimateArea, &yes, 13, 14},
		{"the smallest area", one(1, no), []Claim{yes, no}, Available, EstimateArea, &yes, 9, 11},
		{"the best of two areas", one(1, no), []Claim{no, fourG}, Available, EstimateArea, &fourG, 9, 11},
		{"an area that does not count", one(3, no), []Claim{vwan}, Unavailable, EstimateNearest, &no, 4, 5},
		{"most neighbours", slices.Concat(one(3, yes), one(2, no)), nil, Available, EstimateNearest, &yes, 4, 7},
		{"of equally many the worse", slices.Concat(one(2, yes), one(2, no)), nil, Unavailable, EstimateNearest, &no, 3, 6},
		{"no claim that counts is unknown", one(3, vwan), nil, Unknown, EstimateNearest, nil, 4, 5},
		{"and counts with those that say so", slices.Concat(one(2, vwan), one(2, unknown), one(3, yes)), nil, Unknown, EstimateNearest, &unknown, 5, 9},
		{"at most ten", one(14, yes), nil, Available, EstimateNearest, &yes, 11, 12},
	} {
		w := small()
		w.live("GU1 1AA", here.Location())
		for i, claims := range c.witnesses {
			at := here.Location()
			at.Lat += int32(i+1) * 100
			for _, claim := range claims {
				w.add(geo.UPRN(990_000_000_001+i), "GU1 1AB", at, "", claim)
			}
		}
		for i, claim := range c.areas { // each around the one before; the premises further off are outside
			r := 0.000_05 * float64(i+1)
			w.areas = append(w.areas, Area{Claim: claim, Shape: geo.MultiPolygon{{square(here.Lat-r, here.Lng-r, 2*r)}}})
		}
		s := w.open(t)
		var e Estimate
		if !s.EstimateAt(&e, here, worldDay) {
			t.Fatalf("%s: no estimate", c.name)
		}
		if e.State != c.state || e.Basis != c.basis || e.Confidence != c.agree/c.of {
			t.Errorf("%s: %v by %s, confidence %v; want %v by %s, %v of %v", c.name, e.State, e.Basis, e.Confidence, c.state, c.basis, c.agree, c.of)
		}
		if e.HasFit != (c.fit != nil) || e.HasFit && *e.Fit.Claim != *c.fit {
			t.Errorf("%s: fit %+v, want %+v", c.name, e.Fit.Claim, c.fit)
		}
		var twice Estimate
		if s.EstimatePostcode(&twice, mustPostcode("GU1 1AA"), worldDay); diffEstimates(e, twice) != "" {
			t.Errorf("%s: the postcode says otherwise: %s", c.name, diffEstimates(e, twice))
		}
	}
}

package index

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// slowRule tells which sentence of the design decides a claim's state, by trying
// each on its own.
func slowRule(c Claim, on Day) (rule string) {
	ended := c.End != 0 && on > c.End
	no, dated := c.Availability == AvailabilityFalse, c.Anticipated != 0
	for name, holds := range map[string]bool{
		"ended":      ended,
		"covered":    !ended && c.Availability == AvailabilityTrue,
		"not_stated": !ended && c.Availability == AvailabilityUnknown,
		"no_plan":    !ended && no && !dated,
		"overdue":    !ended && no && dated && c.Anticipated <= c.AsOf,
		"plan_ahead": !ended && no && dated && c.Anticipated > c.AsOf && on < c.Anticipated,
		"plan_came":  !ended && no && dated && c.Anticipated > c.AsOf && on >= c.Anticipated,
	} {
		if holds && rule != "" {
			return "both " + rule + " and " + name
		}
		if holds {
			rule = name
		}
	}
	return rule
}

// statesByRule is the state that each rule leads to.
var statesByRule = map[Rule]State{
	RuleEnded: Unavailable, RuleCovered: Available, RuleNotStated: Unknown, RuleNoPlan: Unavailable,
	RuleOverdue: Unavailable, RulePlanAhead: Planned, RulePlanCame: Available,
}

// slowLostBy tries the criteria of a fit one after the other.
func slowLostBy(winner, loser Claim, prefer []NetworkRegion, on Day) string {
	w, l := winner.On(on), loser.On(on)
	place := func(n NetworkRegion) int {
		if i := slices.Index(prefer, n); i >= 0 {
			return i
		}
		return len(prefer)
	}
	likelihood := map[Likelihood]int{High: 1, Medium: 2, Low: 3, NoLikelihood: 4}
	switch {
	case w.State != l.State:
		return "state"
	case w.From != l.From:
		return "from"
	case likelihood[winner.Likelihood] != likelihood[loser.Likelihood]:
		return "likelihood"
	case place(winner.Network) != place(loser.Network):
		return "prefer"
	case winner.Network != loser.Network:
		return "network_region"
	case winner.CSP != loser.CSP:
		return "csp"
	}
	return "claim"
}

// TestVerdictsAreTheAnswers: what explains an answer is what decides it, and each
// reason is the true one.
func TestVerdictsAreTheAnswers(t *testing.T) {
	rules, lost, excluded, roles := map[Rule]int{}, map[Criterion]int{}, map[Exclusion]int{}, map[AreaRole]int{}
	worlds := uint64(12)
	if underRace {
		worlds = 8
	}
	for seed := range worlds {
		w := makeWorld(seed, 600)
		w.options.CountsAsWAN = seed%3 == 0
		rng := rand.New(rand.NewPCG(seed, 77))
		for i := range w.rows { // claims that differ in little, for every criterion to decide something
			c := &w.rows[i].claim
			c.Likelihood = Likelihood(rng.IntN(4))
			if rng.IntN(5) == 0 {
				c.CSP = []string{"Arqiva", "Telefonica", "Vodafone", "DCC"}[rng.IntN(4)]
			}
			if rng.IntN(4) == 0 {
				c.End = worldDay + Day(rng.IntN(60)-30)
			}
			if c.Anticipated != 0 && rng.IntN(2) == 0 { // around the day of the data
				c.Anticipated = worldDay + Day(rng.IntN(3)-1)
			}
		}
		s := w.open(t)
		here := slices.Clone(w.areas)
		slices.SortStableFunc(here, func(a, b Area) int { return cmp.Compare(geo.GroundArea(a.Shape), geo.GroundArea(b.Shape)) })
		var verdicts []Verdict
		var areas []AreaVerdict
		for p := range s.AllPremises() {
			on := worldDay + Day(rng.IntN(160)-50)
			if rng.IntN(2) == 0 {
				on = worldDay + Day(rng.IntN(5)-2)
			}
			set := p.Claims().Only([]NetworkRegion{NoNetwork, NoNetwork, NoNetwork, NetworkSouth}[rng.IntN(4)])
			verdicts = set.AppendVerdicts(verdicts[:0], on)
			if len(verdicts) != set.Len() {
				t.Fatalf("%d verdicts on %d claims", len(verdicts), set.Len())
			}
			first := -1
			for i, v := range verdicts {
				c, fromArea := set.At(i)
				if v.Claim != c || v.FromArea != fromArea || v.Status != c.On(on) || v.Rule != c.Rule(on) {
					t.Fatalf("verdict %+v, the claim is %+v", v, c)
				}
				if v.Rule.String() != slowRule(*c, on) || statesByRule[v.Rule] != v.Status.State || (v.Rule == RuleOverdue) != v.Status.Overdue {
					t.Fatalf("rule %v for %+v on %v, want %s", v.Rule, c, on, slowRule(*c, on))
				}
				if (v.Excluded == "") != set.Counts(i) || (v.Place > 0) != set.Counts(i) || (v.Excluded == "") != slowCounts(*c, w.options.CountsAsWAN) {
					t.Fatalf("%+v: counts %v", v, set.Counts(i))
				}
				if v.Place == 1 {
					first = i
				}
				rules[v.Rule]++
				excluded[v.Excluded]++
			}
			fit, ok := set.Fit(on)
			if ok != (first >= 0) || ok && (verdicts[first].Claim != fit.Claim || verdicts[first].Status != fit.Status || fit.Status.State != set.State(on)) {
				t.Fatalf("the first is %d of %+v, the fit %+v", first, verdicts, fit)
			}
			for _, v := range verdicts {
				want := ""
				if v.Place > 1 {
					want = slowLostBy(*verdicts[first].Claim, *v.Claim, w.options.Prefer, on)
				}
				if v.LostBy.String() != want {
					t.Fatalf("%+v lost by %q to %+v, want %q", v.Claim, v.LostBy, verdicts[first].Claim, want)
				}
				lost[v.LostBy]++
			}
			for _, v := range verdicts {
				for _, u := range verdicts {
					_, order := s.decide(v.item>>1, v.Status, u.item>>1, u.Status)
					if (order < 0) != s.betterFit(v.item>>1, v.Status, u.item>>1, u.Status) || v.Place > 0 && u.Place > 0 && (order < 0) != (v.Place < u.Place) {
						t.Fatalf("%+v before %+v: %d", v, u, order)
					}
				}
			}
			if a := p.LocatedRegion(); a.Region != p.Region().Region || a.Basis != p.Region().Basis {
				t.Fatalf("region %+v, the premises' is %+v", a, p.Region())
			}

			// Areas: those that contain it; the smallest on a network region lends.
			areas = p.AppendAreaVerdicts(areas[:0])
			own, done := map[NetworkRegion]bool{}, map[NetworkRegion]bool{}
			lends := map[NetworkRegion]*Claim{}
			for i := range p.Claims().Len() {
				if c, fromArea := p.Claims().At(i); fromArea {
					lends[c.Network] = c
				} else {
					own[c.Network] = true
				}
			}
			k := 0
			for _, a := range here {
				if !p.At().IsValid() || !a.Shape.Contains(p.At().LatLng()) {
					continue
				}
				n, want := a.Claim.Network, AreaBehind
				switch {
				case own[n]:
					want = AreaIdle
				case !done[n]:
					want = AreaLends
					if lends[n] == nil || *lends[n] != a.Claim {
						t.Fatalf("the smallest area claims %+v, the premises has %+v", a.Claim, lends[n])
					}
					delete(lends, n)
				}
				done[n] = true
				if k >= len(areas) || *areas[k].Claim != a.Claim || areas[k].Role != want {
					t.Fatalf("area %d is %+v, want %v of %+v", k, areas, want, a.Claim)
				}
				roles[want]++
				k++
			}
			if k != len(areas) || len(lends) > 0 {
				t.Fatalf("%d areas, want %d; lent by none: %v", len(areas), k, lends)
			}
		}
	}
	for r := RuleEnded; r <= RulePlanCame; r++ {
		if rules[r] == 0 {
			t.Errorf("nothing was decided by %v", r)
		}
	}
	for c := NoCriterion; c <= ByCSP; c++ {
		if lost[c] == 0 {
			t.Errorf("nothing was lost by %v: %v", c, lost)
		}
	}
	for _, e := range []Exclusion{"", ExcludedSMETS1, ExcludedVWAN} {
		if excluded[e] == 0 {
			t.Errorf("nothing was excluded as %q: %v", e, excluded)
		}
	}
	for _, r := range []AreaRole{AreaLends, AreaBehind, AreaIdle} {
		if roles[r] == 0 {
			t.Errorf("no area has the role %s: %v", r, roles)
		}
	}
}

// TestSourcesOfAClaim: a claim names the extracts that it may have come from.
func TestSourcesOfAClaim(t *testing.T) {
	w := small()
	w.add(990_000_000_001, "GU1 1AA", located(52.5, -1.5), "1", says(NetworkSouth, AvailabilityTrue))
	b := w.builder(t, nil)
	b.SetSources([]Source{
		{Kind: "regions"},
		{Kind: "premises", CSP: "Telefonica", AsOf: worldDay, Sequence: 411},
		{Kind: "premises", CSP: "Telefonica", AsOf: worldDay - 1, Sequence: 410},
		{Kind: "premises", CSP: "Vodafone", AsOf: worldDay, Sequence: 9},
		{Kind: "areas", CSP: "Telefonica", AsOf: worldDay, Sequence: 3},
		{Kind: "premises", CSP: "Telefonica", AsOf: worldDay, Sequence: 412},
	})
	built, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := built.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	s, err := OpenBytes(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := s.UPRN(990_000_000_001)
	c, _ := p.Claims().At(0)
	if got := s.AppendSources(nil, c, false); !slices.Equal(got, []int{1, 5}) {
		t.Errorf("of the premises' claim: sources %v", got)
	}
	if got := s.AppendSources(nil, c, true); !slices.Equal(got, []int{4}) {
		t.Errorf("of an area's: %v", got)
	}
}

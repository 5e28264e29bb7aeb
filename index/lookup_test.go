package index

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// slowState is the rule of a claim's state, and of a premises', spelt out once
// more from the words of the design.
func slowState(c Claim, on Day) string {
	if c.End != 0 && on > c.End {
		return "unavailable"
	}
	if c.Availability == AvailabilityTrue {
		return "available"
	}
	if c.Availability == AvailabilityFalse && c.Anticipated != 0 && c.Anticipated > c.AsOf {
		if on >= c.Anticipated {
			return "available"
		}
		return "planned"
	}
	if c.Availability == AvailabilityFalse {
		return "unavailable"
	}
	return "unknown"
}

func slowCounts(c Claim, vwan bool) bool {
	return c.Network != NetworkSMETS1 && c.Network != NetworkUnknown && (vwan || c.Technology != "VWAN")
}

func (p *slowPremises) state(on Day, vwan bool) string {
	for _, want := range []string{"available", "planned", "unknown", "unavailable"} {
		for _, c := range p.claims {
			if slowCounts(c, vwan) && slowState(c, on) == want {
				return want
			}
		}
	}
	return "unknown"
}

func TestEveryKeyFindsItsOwn(t *testing.T) {
	for _, vwan := range []bool{false, true} {
		w := makeWorld(11, 800)
		w.options.CountsAsWAN = vwan
		s := w.open(t)
		byPostcode := map[geo.Postcode][]*slowPremises{}
		for _, p := range w.slowMerge() {
			byPostcode[p.postcode] = append(byPostcode[p.postcode], p)
			if p.uprn == 0 {
				continue
			}
			got, ok := s.UPRN(p.uprn)
			if !ok || got.UPRN() != p.uprn || got.Postcode() != p.postcode || string(got.Address()) != p.address || got.At() != p.at {
				t.Fatalf("UPRN %v: %v, %v", p.uprn, ok, got)
			}
			for _, on := range []Day{worldDay, worldDay + 2, worldDay + 3, worldDay + 29, worldDay + 30, worldDay + 100, worldDay + 101} {
				if g, want := got.State(on).String(), p.state(on, vwan); g != want {
					t.Fatalf("UPRN %v on %v: %s, want %s (%+v)", p.uprn, on, g, want, p.claims)
				}
			}
			if _, ok := s.UPRN(p.uprn + 1e9); ok {
				t.Fatalf("found UPRN %v", p.uprn+1e9)
			}
		}
		if _, ok := s.UPRN(0); ok {
			t.Fatal("found a premises for no UPRN")
		}
		entries := map[geo.Postcode]Entry{}
		for _, e := range w.entries {
			entries[e.Postcode] = e
		}
		known := map[geo.Postcode]bool{}
		for u := range s.AllPostcodes() {
			p := u.Postcode()
			known[p] = true
			found, ok := s.Postcode(p)
			if !ok || found != u {
				t.Fatalf("%v not found", p)
			}
			e, in := entries[p]
			switch {
			case !in && u.Status() != NotInRegister, in && u.Status() != e.Status():
				t.Fatalf("%v has status %v", p, u.Status())
			case in && u.Entry() != e:
				t.Fatalf("%v: %+v, want %+v", p, u.Entry(), e)
			}
			if u.Len() != len(byPostcode[p]) {
				t.Fatalf("%v has %d premises, want %d", p, u.Len(), len(byPostcode[p]))
			}
			want := map[string]int{}
			for _, q := range byPostcode[p] {
				want[q.state(worldDay, vwan)]++
			}
			sum := u.Summary(worldDay)
			if got := (Summary{u.Len(), want["available"], want["planned"], want["unavailable"], want["unknown"]}); sum != got {
				t.Fatalf("%v: %+v, want %+v", p, sum, got)
			}
			for i := 1; i < u.Len(); i++ {
				if compareAddress(string(u.Premises(i-1).Address()), string(u.Premises(i).Address())) > 0 {
					t.Fatalf("%v: address %q before %q", p, u.Premises(i-1).Address(), u.Premises(i).Address())
				}
			}
		}
		for p := range byPostcode {
			if p.IsValid() && !known[p] {
				t.Fatalf("%v is missing", p)
			}
		}
		for _, miss := range []string{"GU1 9ZZ", "ZZ1 1AA", "AB1 0ZZ", "E2 0AA"} {
			if p, err := geo.ParsePostcode(miss); err == nil {
				if _, ok := s.Postcode(p); ok {
					t.Errorf("found %v", p)
				}
			}
		}
		if _, ok := s.Postcode(geo.Postcode{}); ok {
			t.Error("found a postcode for none")
		}
	}
}

func TestDistributionsAreExactOnAnyDay(t *testing.T) {
	w := makeWorld(21, 900)
	s := w.open(t)
	all := w.slowMerge()
	for _, on := range []Day{worldDay - 500, worldDay, worldDay + 3, worldDay + 30, worldDay + 101, worldDay + 5000} {
		for o := range s.AllOutcodes() {
			var d Distribution
			o.Distribution(&d, on)
			check := func(what string, d *Distribution, in func(geo.Postcode) bool) {
				states, networks, tech, variants, regions := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[geo.Region]int{}
				for _, p := range all {
					if !p.postcode.IsValid() || !in(p.postcode) {
						continue
					}
					states[p.state(on, false)]++
					row, _ := s.Postcode(p.postcode)
					for i := range row.Len() {
						if q := row.Premises(i); q.UPRN() == p.uprn && string(q.Address()) == p.address && q.At() == p.at {
							regions[q.Region().Region]++
							break
						}
					}
					n, te, va := map[string]bool{}, map[string]bool{}, map[string]bool{}
					for _, c := range p.claims {
						n[c.Network.String()] = true
						if slowCounts(c, false) {
							te[c.Technology], va[c.Variant] = true, true
						}
					}
					for k := range n {
						networks[k]++
					}
					for k := range te {
						tech[k]++
					}
					for k := range va {
						variants[k]++
					}
				}
				total := states["available"] + states["planned"] + states["unavailable"] + states["unknown"]
				if got, want := d.Summary, (Summary{total, states["available"], states["planned"], states["unavailable"], states["unknown"]}); got != want {
					t.Fatalf("%s on %v: %+v, want %+v", what, on, got, want)
				}
				for i, n := range d.Networks {
					if n != networks[NetworkRegion(i).String()] {
						t.Fatalf("%s: %d on %v, want %d", what, n, NetworkRegion(i), networks[NetworkRegion(i).String()])
					}
				}
				for r, n := range d.Regions {
					if n != regions[geo.Region(r)] {
						t.Fatalf("%s: %d in %v, want %d", what, n, geo.Region(r), regions[geo.Region(r)])
					}
				}
				for _, l := range []struct {
					got  []Count
					want map[string]int
				}{{d.Technologies, tech}, {d.Variants, variants}} {
					delete(l.want, "")
					if len(l.got) != len(l.want) {
						t.Fatalf("%s: %v, want %v", what, l.got, l.want)
					}
					for i, c := range l.got {
						if l.want[c.Name] != c.N || i > 0 && l.got[i-1].N < c.N {
							t.Fatalf("%s: %v, want %v", what, l.got, l.want)
						}
					}
				}
			}
			check(o.Outcode().String(), &d, func(p geo.Postcode) bool { return p.Outcode() == o.Outcode() })
			live, missing := 0, 0
			for i := range o.Len() {
				if u := o.Unit(i); u.Status() == Live {
					live++
					if u.Len() == 0 {
						missing++
					}
				}
			}
			if d.LivePostcodes != live || d.NotInExtracts != missing {
				t.Fatalf("%v: %d live, %d missing; want %d, %d", o.Outcode(), d.LivePostcodes, d.NotInExtracts, live, missing)
			}
			for q := range o.Sectors() {
				found, ok := s.Sector(q.Sector())
				if !ok || found != q {
					t.Fatalf("sector %v not found", q.Sector())
				}
				q.Distribution(&d, on)
				check(q.Sector().String(), &d, func(p geo.Postcode) bool { return p.Sector() == q.Sector() })
			}
		}
	}
}

func TestFitFollowsTheRule(t *testing.T) {
	w := makeWorld(31, 800)
	s := w.open(t)
	for p := range s.AllPremises() {
		set := p.Claims()
		for _, on := range []Day{worldDay, worldDay + 3, worldDay + 30, worldDay + 101} {
			type held struct {
				c    *Claim
				area bool
			}
			var counting []held
			for i := range set.Len() {
				if c, area := set.At(i); slowCounts(*c, false) {
					counting = append(counting, held{c, area})
				}
			}
			fit, ok := set.Fit(on)
			if ok != (len(counting) > 0) {
				t.Fatalf("fit %v of %d claims that count", ok, len(counting))
			}
			if !ok {
				continue
			}
			rank := map[string]int{"available": 1, "planned": 2, "unknown": 3, "unavailable": 4}
			best := slices.MinFunc(counting, func(a, b held) int {
				likelihood := func(c *Claim) int { return []int{4, 1, 2, 3}[c.Likelihood] }
				preferred := func(c *Claim) int {
					if c.Network == Network4GSouth {
						return 0
					}
					return 1
				}
				return cmp.Or(
					cmp.Compare(rank[slowState(*a.c, on)], rank[slowState(*b.c, on)]),
					cmp.Compare(a.c.On(on).From, b.c.On(on).From),
					cmp.Compare(likelihood(a.c), likelihood(b.c)),
					cmp.Compare(preferred(a.c), preferred(b.c)),
					cmp.Compare(a.c.Network, b.c.Network), a.c.Compare(b.c))
			})
			if fit.Claim != best.c || fit.FromArea != best.area {
				t.Fatalf("fit %+v, want %+v", *fit.Claim, *best.c)
			}
		}
	}
}

func TestClaimStates(t *testing.T) {
	d := worldDay
	for _, c := range []struct {
		name  string
		claim Claim
		on    Day
		want  Status
	}{
		{"true", Claim{Availability: AvailabilityTrue}, d, Status{State: Available}},
		{"true, before its as-of", Claim{Availability: AvailabilityTrue}, d - 900, Status{State: Available}},
		{"true, with a future date beside it", Claim{Availability: AvailabilityTrue, Anticipated: d + 9}, d, Status{State: Available}},
		{"true, on its end date", Claim{Availability: AvailabilityTrue, End: d + 5}, d + 5, Status{State: Available}},
		{"true, the day after its end date", Claim{Availability: AvailabilityTrue, End: d + 5}, d + 6, Status{State: Unavailable}},
		{"planned, the day before", Claim{Availability: AvailabilityFalse, Anticipated: d + 5}, d + 4, Status{State: Planned, From: d + 5}},
		{"planned, on the day", Claim{Availability: AvailabilityFalse, Anticipated: d + 5}, d + 5, Status{State: Available, From: d + 5}},
		{"planned and ended", Claim{Availability: AvailabilityFalse, Anticipated: d + 5, End: d + 9}, d + 10, Status{State: Unavailable}},
		{"missed, dated the as-of", Claim{Availability: AvailabilityFalse, Anticipated: d}, d, Status{State: Unavailable, Overdue: true}},
		{"missed, and later still", Claim{Availability: AvailabilityFalse, Anticipated: d - 5}, d + 400, Status{State: Unavailable, Overdue: true}},
		{"missed, and asked about before", Claim{Availability: AvailabilityFalse, Anticipated: d - 5}, d - 9, Status{State: Unavailable, Overdue: true}},
		{"false", Claim{Availability: AvailabilityFalse}, d, Status{State: Unavailable}},
		{"empty", Claim{}, d, Status{State: Unknown}},
		{"empty with a date", Claim{Anticipated: d + 5}, d + 9, Status{State: Unknown}},
		{"empty and ended", Claim{End: d - 1}, d, Status{State: Unavailable}},
	} {
		c.claim.AsOf = d
		if got := c.claim.On(c.on); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	w := makeWorld(41, 900)
	s := w.open(t)
	p := mustPostcode("GU1 0AA")
	var uprn geo.UPRN
	for q := range s.AllPremises() {
		uprn = max(uprn, q.UPRN())
	}
	at := geo.LatLng{Lat: 52.41, Lng: -0.9}
	near, units, hits := make([]Neighbour, 0, 100), make([]UnitNeighbour, 0, 100), make([]AreaHit, 0, 64)
	// A first use gives what is reused its memory.
	var d Distribution
	o, _ := s.Outcode(p.Outcode())
	o.Distribution(&d, worldDay)
	var e Estimate
	empty := mustPostcode("GU1 3ZZ")
	s.EstimatePostcode(&e, empty, worldDay)
	s.EstimateAt(&e, at, worldDay)
	var around Surroundings
	s.Survey(&around, at, 10, 50_000, worldDay)
	for name, f := range map[string]func(){
		"postcode": func() {
			u, _ := s.Postcode(p)
			u.Region()
			for i := range u.Len() {
				u.Premises(i).Claims().Fit(worldDay)
			}
			u.Summary(worldDay)
		},
		"uprn":      func() { s.UPRN(uprn) },
		"sector":    func() { q, _ := s.Sector(p.Sector()); q.Distribution(&d, worldDay) },
		"region":    func() { s.Region(at) },
		"estimate":  func() { s.EstimateAt(&e, at, worldDay) },
		"by sector": func() { s.EstimatePostcode(&e, empty, worldDay) },
		"outcode":   func() { o, _ := s.Outcode(p.Outcode()); o.Distribution(&d, worldDay) },
		"locate":    func() { s.Locate(at) },
		"survey":    func() { s.Survey(&around, at, 10, 50_000, worldDay) },
		"areas":     func() { hits = s.AppendAreas(hits[:0], w.areas[0].Shape[0][0][0]) },
		"nearest":   func() { near = s.Nearest(near[:0], at, 10, 50_000) },
		"postcodes": func() { units = s.NearestPostcodes(units[:0], at, 10, 50_000) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func TestNearestEqualsBruteForce(t *testing.T) {
	for seed := range uint64(6) {
		w := makeWorld(seed, 700) // a twelfth of it piled on one spot
		s := w.open(t)
		rng := rand.New(rand.NewPCG(seed, 77))
		all := slices.Collect(s.AllPremises())
		var units []Unit
		for u := range s.AllPostcodes() {
			if u.Status() == Live && u.At().IsValid() {
				units = append(units, u)
			}
		}
		for range 60 {
			p := geo.LatLng{Lat: 51.9 + rng.Float64()*1.2, Lng: -2.1 + rng.Float64()*1.7}
			if q := all[rng.IntN(len(all))]; rng.IntN(2) == 0 && q.At().IsValid() {
				p = q.At().LatLng() // on a premises, or on the pile
			}
			limit, radius := 1+rng.IntN(MaxNearest), []float64{0, 50, 700, 5000, 50_000}[rng.IntN(5)]
			var want []Neighbour
			for _, q := range all {
				if q.At().IsValid() && geo.Distance(p, q.At().LatLng()) <= radius {
					want = append(want, Neighbour{q, geo.Distance(p, q.At().LatLng())})
				}
			}
			slices.SortFunc(want, func(a, b Neighbour) int {
				return cmp.Or(cmp.Compare(a.Distance, b.Distance), a.Premises.Postcode().Compare(b.Premises.Postcode()),
					cmp.Compare(a.Premises.UPRN(), b.Premises.UPRN()), slices.Compare(a.Premises.Address(), b.Premises.Address()), cmp.Compare(a.Premises.Row(), b.Premises.Row()))
			})
			want = want[:min(len(want), limit)]
			if got := s.Nearest(nil, p, limit, radius); !slices.Equal(got, want) {
				t.Fatalf("%d nearest within %v m of %v:\ngot  %s\nwant %s", limit, radius, p, fmt.Sprint(got), fmt.Sprint(want))
			}
			var wantUnits []UnitNeighbour
			for _, u := range units {
				if d := geo.Distance(p, u.At().LatLng()); d <= radius {
					wantUnits = append(wantUnits, UnitNeighbour{u, d})
				}
			}
			slices.SortFunc(wantUnits, func(a, b UnitNeighbour) int {
				return cmp.Or(cmp.Compare(a.Distance, b.Distance), a.Unit.Postcode().Compare(b.Unit.Postcode()))
			})
			wantUnits = wantUnits[:min(len(wantUnits), limit)]
			if got := s.NearestPostcodes(nil, p, limit, radius); !slices.Equal(got, wantUnits) {
				t.Fatalf("%d nearest postcodes within %v m of %v:\ngot  %v\nwant %v", limit, radius, p, got, wantUnits)
			}
		}
	}
}

func TestAreasAreThoseContaining(t *testing.T) {
	w := makeWorld(51, 10)
	s := w.open(t)
	rng := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range 6000 {
		p := geo.LatLng{Lat: 52 + rng.Float64(), Lng: -2 + rng.Float64()*1.5}
		if rng.IntN(3) == 0 {
			p = w.areas[rng.IntN(len(w.areas))].Shape[0][0][rng.IntN(4)]
		}
		var want []int
		for i, a := range w.areas {
			if a.Shape.Contains(p) {
				want = append(want, i)
			}
		}
		slices.SortStableFunc(want, func(i, j int) int {
			return cmp.Compare(geo.GroundArea(w.areas[i].Shape), geo.GroundArea(w.areas[j].Shape))
		})
		got := s.AppendAreas(nil, p)
		if len(got) != len(want) {
			t.Fatalf("%v is in %d areas, want %d", p, len(got), len(want))
		}
		for i, h := range got {
			found++
			if h.Index != want[i] || *h.Claim != w.areas[want[i]].Claim {
				t.Fatalf("%v: area %d is %d, want %d", p, i, h.Index, want[i])
			}
		}
	}
	if found < 500 {
		t.Fatalf("only %d hits", found)
	}
}

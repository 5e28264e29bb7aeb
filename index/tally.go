package index

import (
	"cmp"
	"slices"
)

// Tally counts premises for the gates and the report of a build.
type Tally struct {
	States   Summary           // all premises, by state on the as-of day
	Regions  [4]int64          // by Region: none, North, Central, South
	Networks []NetworkBaseline // by CSP, then network region
	CSPs     map[string]int64  // premises with a claim of the CSP's own
	Overlaps []Overlap         // by network region
}

// Overlap counts the premises that more than one CSP claims on one network
// region, by claims that count towards the state.
type Overlap struct {
	Network  NetworkRegion
	Premises int64  // with a claim on it that is no area's
	Several  int64  // of these, with such claims of several CSPs
	Example  string // one of them, by its UPRN or postcode
}

// tally counts claim sets once, and then what is in each: there are few of them
// and many premises.
func (m *merger) tally(l *layout, all *merged) Tally {
	t := Tally{CSPs: map[string]int64{}}
	premises := make([]int64, len(all.sets))
	for i := range l.premises {
		p := &l.premises[i]
		premises[p.set]++
		t.Regions[p.region]++
	}
	type key struct {
		csp     string
		network NetworkRegion
	}
	networks := map[key]*NetworkBaseline{}
	overlaps := [Networks]Overlap{}
	var several [Networks][]uint32 // sets, rising
	var csps []string              // of a set
	for set, items := range all.sets {
		n := premises[set]
		if n == 0 {
			continue
		}
		best := State(0)
		csps = csps[:0]
		var once, again networkSet
		for _, it := range items {
			c := &m.claims[it>>1]
			state := c.On(m.b.o.AsOf).State
			counts := c.Network.Counts() && (m.b.o.CountsAsWAN || !c.IsVWAN())
			if counts && (best == 0 || state < best) {
				best = state
			}
			if it&1 == 1 {
				continue // lent by an area
			}
			k := key{c.CSP, c.Network}
			if networks[k] == nil {
				networks[k] = &NetworkBaseline{CSP: c.CSP, Network: c.Network}
			}
			networks[k].Add(state, int(n))
			if !slices.Contains(csps, c.CSP) {
				csps = append(csps, c.CSP)
				t.CSPs[c.CSP] += n
			}
			if !counts {
				continue
			}
			if once.has(c.Network) && !again.has(c.Network) {
				overlaps[c.Network].Several += n
				several[c.Network] = append(several[c.Network], uint32(set))
				again = again.with(c.Network)
			}
			if !once.has(c.Network) {
				overlaps[c.Network].Premises += n
				once = once.with(c.Network)
			}
		}
		if best == 0 {
			best = Unknown
		}
		t.States.Add(best, int(n))
	}
	for network := range overlaps {
		o := overlaps[network]
		if o.Premises > 0 {
			o.Example = l.example(several[network])
			o.Network = NetworkRegion(network)
			t.Overlaps = append(t.Overlaps, o)
		}
	}
	for _, n := range networks {
		t.Networks = append(t.Networks, *n)
	}
	slices.SortFunc(t.Networks, func(a, b NetworkBaseline) int {
		return cmp.Or(cmp.Compare(a.CSP, b.CSP), cmp.Compare(a.Network, b.Network))
	})
	return t
}

// example names the first premises that has one of some claim sets.
func (l *layout) example(sets []uint32) string {
	if len(sets) == 0 {
		return ""
	}
	for i := range l.premises {
		p := &l.premises[i]
		if _, ok := slices.BinarySearch(sets, p.set); !ok {
			continue
		}
		switch {
		case p.uprn != 0:
			return p.uprn.String()
		case p.postcode.IsValid():
			return p.postcode.String()
		}
	}
	return ""
}

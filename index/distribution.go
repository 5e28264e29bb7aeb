package index

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"coverd/geo"
)

// Distribution counts what the premises of an outcode or sector have. Its
// slices are reused when it is filled again.
type Distribution struct {
	Summary      Summary
	Regions      [4]int        // premises by geo.Region; [geo.NoRegion] those without
	Networks     [Networks]int // premises with a claim on the network region
	Technologies []Count       // premises by technology of the claims that count, most first, then by name
	Variants     []Count       // likewise by WAN Variant
	// LivePostcodes are those the register holds as live, NotInExtracts those
	// of them without premises.
	LivePostcodes, NotInExtracts int
	// Location is the mean of the live postcodes' locations, Bounds the south-
	// west and north-east corners around all postcodes' locations; zero where
	// none has coordinates.
	Location geo.Location
	Bounds   [2]geo.Location
}

// Count is how many premises have a named thing.
type Count struct {
	Name string
	N    int
}

// counted is what the premises of a sector or outcode have, worked out once:
// what does not depend on the day, and how many are in each state from each day
// on which that changes.
type counted struct {
	byRegion               [len(geo.Regions) + 1]int
	byNetwork              [Networks]int
	technologies, variants []Count
	turns                  []turn // by day, the first before all
}

// turn is how many premises are in each state from a day on.
type turn struct {
	from   Day
	states [len(States)]uint32 // in the order of States
}

func (c *counted) memory() (bytes int64) {
	return int64(20*len(c.turns) + 24*(len(c.technologies)+len(c.variants)))
}

// summary counts premises by state on a day.
func (c *counted) summary(on Day) (sum Summary) {
	i, found := slices.BinarySearchFunc(c.turns, on, func(t turn, on Day) int { return cmp.Compare(t.from, on) })
	if !found {
		i--
	}
	if i >= 0 {
		for k, n := range c.turns[i].states {
			sum.Add(States[k], int(n))
		}
	}
	return sum
}

// distribute fills d for a day.
func (p *place) distribute(d *Distribution, on Day) {
	*d = Distribution{
		Summary: p.summary(on), Regions: p.byRegion, Networks: p.byNetwork,
		Technologies:  append(d.Technologies[:0], p.technologies...),
		Variants:      append(d.Variants[:0], p.variants...),
		LivePostcodes: p.live, NotInExtracts: p.missing, Bounds: p.bounds,
	}
	if p.located > 0 {
		d.Location = geo.Location{Lat: int32(p.latSum / p.located), Lng: int32(p.lngSum / p.located)}
	}
}

// profile calls f with every claim set and Region of sectors from to to, and
// how many premises have it.
func (s *Snapshot) profile(from, to int, f func(set ClaimSet, r geo.Region, n int)) {
	i, end := 0, 0
	if from > 0 {
		i = int(s.profEnds.at(from - 1))
	}
	if to > 0 {
		end = int(s.profEnds.at(to - 1))
	}
	for ; i < end; i++ {
		it := s.profItems.at(i)
		f(ClaimSet{s: s, code: uint32(it >> 2)}, geo.Region(it&3), int(s.profCounts.at(i)))
	}
}

// count counts the premises of sectors from to to.
func (s *Snapshot) count(from, to int, b *budget) (c counted, err error) {
	t := tallies{technologies: map[uint32]int{}, variants: map[uint32]int{}, changes: map[Day]*[len(States)]uint32{}}
	s.profile(from, to, func(set ClaimSet, r geo.Region, n int) {
		if err != nil {
			return
		}
		if err = b.count(set.Len() + 1); err != nil {
			return
		}
		c.byRegion[r] += n
		t.countClaims(&c, set, n)
		last, days := State(0), len(t.changes)
		t.turns(set, func(day Day, st State) {
			d := t.changes[day]
			if d == nil {
				d = new([len(States)]uint32)
				t.changes[day] = d
			}
			d[st-1] += uint32(n)
			if last != 0 {
				d[last-1] -= uint32(n) // below zero comes round again in the sum
			}
			last = st
		})
		err = b.take(len(t.changes)-days, turnBytes)
	})
	if err != nil {
		return c, err
	}
	c.technologies, c.variants = named(t.technologies, s.technologies), named(t.variants, s.variants)
	if err := b.take(len(c.technologies)+len(c.variants), countBytes); err != nil {
		return c, err
	}
	var sum [len(States)]uint32
	c.turns = make([]turn, 0, len(t.changes))
	for _, day := range slices.Sorted(maps.Keys(t.changes)) {
		for k, n := range t.changes[day] {
			sum[k] += n
		}
		c.turns = append(c.turns, turn{day, sum})
	}
	return c, nil
}

// tallies are counts under way, and what is needed to count a claim set, of
// however many claims, in about as many steps.
type tallies struct {
	technologies, variants map[uint32]int // premises by number of the name
	changes                map[Day]*[len(States)]uint32

	numbers []uint32
	events  []stateTurn
	states  []State // of each claim of the set
}

// stateTurn is a day on which the state of a claim of the set changes.
type stateTurn struct {
	day   Day
	claim int // its place in the set
}

// countClaims counts n premises with a claim set.
func (t *tallies) countClaims(c *counted, set ClaimSet, n int) {
	s := set.s
	var networks networkSet
	first, end := set.span()
	for i := first; i < end; i++ {
		if network := set.network(i); !networks.has(network) {
			networks = networks.with(network)
			c.byNetwork[network] += n
		}
	}
	// A premises counts once for a technology, however many of its claims have it.
	once := func(of map[uint32]int, number func(f *claimFacts) uint32) {
		t.numbers = t.numbers[:0]
		for _, it := range s.setItems[first:end] {
			if f := &s.facts[it>>1]; f.counts && number(f) != 0 {
				t.numbers = append(t.numbers, number(f))
			}
		}
		slices.Sort(t.numbers)
		for _, k := range slices.Compact(t.numbers) {
			of[k] += n
		}
	}
	once(t.technologies, func(f *claimFacts) uint32 { return f.technology })
	once(t.variants, func(f *claimFacts) uint32 { return f.variant })
}

// turns calls f with the state of a claim set before all days, and then with
// every day on which that changes.
func (t *tallies) turns(set ClaimSet, f func(from Day, st State)) {
	var held [len(States)]int // claims by state
	best := func() State {
		for _, st := range States {
			if held[st-1] > 0 {
				return st
			}
		}
		return Unknown
	}
	t.events, t.states = t.events[:0], t.states[:0]
	for i := range set.Len() {
		c, _ := set.At(i)
		st := State(0)
		if set.Counts(i) {
			st = c.On(math.MinInt32).State
			held[st-1]++
			if c.End != 0 {
				t.events = append(t.events, stateTurn{c.End + 1, i})
			}
			if c.Anticipated > c.AsOf {
				t.events = append(t.events, stateTurn{c.Anticipated, i})
			}
		}
		t.states = append(t.states, st)
	}
	slices.SortFunc(t.events, func(a, b stateTurn) int { return cmp.Compare(a.day, b.day) })
	last := best()
	f(math.MinInt32, last)
	for i, e := range t.events {
		c, _ := set.At(e.claim)
		held[t.states[e.claim]-1]--
		t.states[e.claim] = c.On(e.day).State
		held[t.states[e.claim]-1]++
		if i+1 < len(t.events) && t.events[i+1].day == e.day {
			continue
		}
		if st := best(); st != last {
			last = st
			f(e.day, st)
		}
	}
}

// named lists counts by the names that their numbers stand for, most first.
func named(counts map[uint32]int, names []string) []Count {
	if len(counts) == 0 {
		return nil
	}
	list := make([]Count, 0, len(counts))
	for k, n := range counts {
		list = append(list, Count{names[k], n})
	}
	slices.SortFunc(list, compareCounts)
	return list
}

// tally adds n to a name's count.
func tally(counts []Count, name string, n int) []Count {
	for i := range counts {
		if counts[i].Name == name {
			counts[i].N += n
			return counts
		}
	}
	return append(counts, Count{name, n})
}

// compareCounts puts the most frequent first, then goes by name.
func compareCounts(a, b Count) int {
	return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Name, b.Name))
}

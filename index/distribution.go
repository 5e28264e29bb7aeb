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
func (s *Snapshot) count(from, to int) counted {
	var c counted
	var days []Day
	changes := map[Day]*[len(States)]uint32{}
	s.profile(from, to, func(set ClaimSet, r geo.Region, n int) {
		c.byRegion[r] += n
		s.countClaims(&c, set, n)
		days = append(days[:0], math.MinInt32)
		days = set.appendTurns(days)
		slices.Sort(days)
		last := State(0)
		for _, day := range slices.Compact(days) {
			st := set.State(day)
			if st == last {
				continue
			}
			d := changes[day]
			if d == nil {
				d = new([len(States)]uint32)
				changes[day] = d
			}
			d[st-1] += uint32(n)
			if last != 0 {
				d[last-1] -= uint32(n) // below zero comes round again in the sum
			}
			last = st
		}
	})
	slices.SortFunc(c.technologies, compareCounts)
	slices.SortFunc(c.variants, compareCounts)
	var sum [len(States)]uint32
	for _, day := range slices.Sorted(maps.Keys(changes)) {
		for k, n := range changes[day] {
			sum[k] += n
		}
		c.turns = append(c.turns, turn{day, sum})
	}
	return c
}

// countClaims counts n premises with a claim set.
func (s *Snapshot) countClaims(c *counted, set ClaimSet, n int) {
	var networks networkSet
	first, end := set.span()
	for i := first; i < end; i++ {
		k := s.setItems[i] >> 1
		if network := s.claims[k].Network; !networks.has(network) {
			networks = networks.with(network)
			c.byNetwork[network] += n
		}
		f := &s.facts[k]
		if !f.counts {
			continue
		}
		// A premises counts once for a technology, however many of its claims
		// have it.
		technology, variant := f.technology != 0, f.variant != 0
		for j := first; j < i; j++ {
			if g := &s.facts[s.setItems[j]>>1]; g.counts {
				technology = technology && g.technology != f.technology
				variant = variant && g.variant != f.variant
			}
		}
		if technology {
			c.technologies = tally(c.technologies, s.technologies[f.technology], n)
		}
		if variant {
			c.variants = tally(c.variants, s.variants[f.variant], n)
		}
	}
}

// appendTurns appends the days on which the state of one of the claims changes.
func (c ClaimSet) appendTurns(dst []Day) []Day {
	from, to := c.span()
	for i := from; i < to; i++ {
		claim := &c.s.claims[c.s.setItems[i]>>1]
		if claim.End != 0 {
			dst = append(dst, claim.End+1)
		}
		if claim.Anticipated > claim.AsOf {
			dst = append(dst, claim.Anticipated)
		}
	}
	return dst
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

package loader

import (
	"cmp"
	"maps"
	"slices"

	"coverd/geo"
	"coverd/index"
)

// report is what there is to tell of the build; built is nil if it was refused
// before a snapshot was made of it, or because of it.
func (r *run) report(built *index.Built) Report {
	rep := Report{
		Summary: r.summary, Gates: r.sortedGates(), States: r.counted.States,
		Networks: []NetworkCount{}, Regions: []RegionCount{}, Reasons: r.reasons(),
		Carried: append([]Carried{}, r.carriedOver...), Overrides: append([]index.Override{}, r.overridden...), Timings: []Timing{}, Land: r.land,
	}
	var before *index.Baselines
	if p := r.o.Previous; p != nil {
		rep.Previous, before = p.ID(), p.Baselines()
	}
	if r.counted.Premises == 0 && built == nil {
		return rep
	}
	rep.Networks = networkCounts(r.counted.Networks, before)
	for i, n := range r.counted.Regions {
		c := RegionCount{Premises: n, Before: -1}
		if i > 0 {
			c.Region = geo.Regions[i-1].String()
		}
		if before != nil {
			c.Before = before.Regions[i]
		}
		rep.Regions = append(rep.Regions, c)
	}
	if len(r.m.Registers) > 0 {
		rep.Lag = lagOf(r.counted.Lagging, r.m.AsOf, r.o.Previous, &r.registers)
	}
	if r.delta != nil {
		rep.Changes = r.changes(r.delta)
	}
	return rep
}

// reasons adds up the rejected rows of all sources.
func (r *run) reasons() []ReasonCount {
	sum := map[Code]int64{}
	for i := range r.summary.Sources {
		for code, n := range r.summary.Sources[i].Reasons {
			sum[code] += n
		}
	}
	list := []ReasonCount{}
	for _, code := range slices.Sorted(maps.Keys(sum)) {
		list = append(list, ReasonCount{code, sum[code]})
	}
	slices.SortStableFunc(list, func(a, b ReasonCount) int { return cmp.Compare(b.Rows, a.Rows) })
	return list
}

// networkCounts pairs tonight's counts with those before; what is gone is there
// too, with nothing tonight.
func networkCounts(now []index.NetworkBaseline, before *index.Baselines) []NetworkCount {
	list := []NetworkCount{}
	for _, n := range now {
		list = append(list, NetworkCount{CSP: n.CSP, Network: n.Network, Summary: n.Summary})
	}
	if before == nil {
		return list
	}
	for _, b := range before.Networks {
		i := slices.IndexFunc(list, func(n NetworkCount) bool { return n.CSP == b.CSP && n.Network == b.Network })
		if i < 0 {
			i = len(list)
			list = append(list, NetworkCount{CSP: b.CSP, Network: b.Network})
		}
		list[i].Before = new(b.Summary)
	}
	for i := range list {
		if list[i].Before == nil {
			list[i].Before = &index.Summary{}
		}
	}
	slices.SortFunc(list, func(a, b NetworkCount) int {
		return cmp.Or(cmp.Compare(a.CSP, b.CSP), cmp.Compare(a.Network, b.Network))
	})
	return list
}

// changes takes what is told of the difference to the previous snapshot.
func (r *run) changes(d *index.Delta) *Changes {
	c := &Changes{Since: r.o.Previous.Info().AsOf.String(), Kinds: []KindCount{}, CSPs: []CSPChange{}, Outcodes: []OutcodeChange{}}
	for _, k := range index.ChangeKinds() {
		c.Kinds = append(c.Kinds, KindCount{k.String(), d.Kinds[k]})
	}
	for _, s := range d.CSPs {
		if s.Before+s.After > 0 { // else it has areas alone
			c.CSPs = append(c.CSPs, CSPChange{s.CSP, s.Before, s.After, s.Both, s.Flipped})
		}
	}
	most := slices.SortedStableFunc(slices.Values(d.Outcodes), func(a, b index.OutcodeDelta) int { return cmp.Compare(b.Changes, a.Changes) })
	for _, o := range most[:min(len(most), maxOutcodes)] {
		c.Outcodes = append(c.Outcodes, OutcodeChange{
			Outcode: o.Outcode.String(), Changes: o.Changes, Gained: o.Gained, Lost: o.Lost, StateChanged: o.StateChanged, Place: r.placeOf(o.Outcode),
		})
	}
	return c
}

// placeOf is the middle of an outcode's postcodes, as the register has them
// tonight or else as the previous snapshot does.
func (r *run) placeOf(o geo.Outcode) Place {
	if c := r.registers.outcodes[o]; c != nil && c.located > 0 {
		return c.place()
	}
	var c outcodeCount
	if out, ok := r.o.Previous.Outcode(o); ok {
		for i := range out.Len() {
			c.add(out.Unit(i).At())
		}
	}
	return c.place()
}

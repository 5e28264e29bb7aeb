package index

import (
	"cmp"
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golang/geo/s2"

	"coverd/geo"
)

// unit is a postcode under way: of the register, of the extracts, or both.
type unit struct {
	Entry
	inRegister bool
	region     geo.Region
	basis      Basis
	border     float64
	n          int    // premises
	group      int    // place among the units with premises, in Hilbert order; −1: none
	first      int    // its first premises in the final order
	hilbert    uint64 // S2 cell of its register location, or of its premises' mean; 0: neither
	latSum     int64  // of its located premises, in microdegrees
	lngSum     int64
	located    int64
	regions    geo.RegionSet // of its located premises
}

// layout is the final order of premises and postcodes.
type layout struct {
	units    []unit     // in directory order
	premises []premises // by group, then address, UPRN, location, claim set, flags
	groups   []int      // units with premises, in Hilbert order
	firsts   []int      // where each group starts, then where the premises without postcode do, then the end
}

// layOut orders everything, and uses up the Builder's rows, which are premises
// by now. Postcodes with premises go in Hilbert order of where they are, so that
// premises near each other on the ground are near each other in memory; premises
// without postcode follow, in Hilbert order of their own.
func (m *merger) layOut(ctx context.Context, workers int) (*layout, error) {
	s := &m.b.rows
	var l layout
	units, places, err := m.units(ctx, workers)
	if err != nil {
		return nil, err
	}
	m.allocateUnits(units, workers)
	shareOut(len(units), 1024, workers, func(i int) {
		u := &units[i]
		switch {
		case u.At.IsValid():
			u.hilbert = leafCell(u.At)
		case u.located > 0:
			u.hilbert = leafCell(geo.Location{Lat: int32(u.latSum / u.located), Lng: int32(u.lngSum / u.located)})
		}
	})
	l.groups = inHilbertOrder(units)
	at, total := 0, s.len()
	l.firsts = make([]int, 0, len(l.groups)+2)
	for g, i := range l.groups {
		units[i].group, units[i].first = g, at
		l.firsts = append(l.firsts, at)
		at += units[i].n
	}
	l.firsts = append(l.firsts, at, total)

	// Counting sort into the groups, then each group on its own. The rows that
	// became no premises are given back first, or the list would not find room
	// within 3 GiB: their memory is in pieces, and it wants a single one.
	giveBack(total)
	l.premises = make([]premises, total)
	next := make([]atomic.Int64, len(l.groups)+1)
	for g := range next {
		next[g].Store(int64(l.firsts[g]))
	}
	err = s.each(ctx, workers, func(_ int, b *bucket) {
		for run := range b.runs {
			g := len(l.groups)
			if p := run[0].postcode; p.IsValid() {
				g = units[places.at(p)].group
			}
			end := int(next[g].Add(int64(len(run))))
			for i := range run {
				l.premises[end-len(run)+i] = run[i].premises(b.sets)
			}
		}
		b.cut(0)
	})
	if err != nil {
		return nil, err
	}
	giveBack(total)
	shareOut(len(l.groups), 1024, workers, func(g int) {
		ps := l.premises[l.firsts[g]:l.firsts[g+1]]
		slices.SortFunc(ps, comparePremises)
		allocatePremises(ps, &units[l.groups[g]])
	})
	rest := l.premises[at:]
	cells := make(map[geo.Location]uint64, len(rest))
	for _, p := range rest {
		if p.at.IsValid() {
			cells[p.at] = leafCell(p.at)
		}
	}
	slices.SortFunc(rest, func(a, b premises) int {
		return cmp.Or(cmp.Compare(cells[a.at], cells[b.at]), comparePremises(a, b))
	})
	l.units = units
	return &l, nil
}

// inHilbertOrder lists the units with premises, and makes the others' group −1.
func inHilbertOrder(units []unit) []int {
	type spot struct {
		hilbert uint64
		unit    int
	}
	var spots []spot
	for i := range units {
		if units[i].group = -1; units[i].n > 0 {
			spots = append(spots, spot{units[i].hilbert, i})
		}
	}
	slices.SortFunc(spots, func(a, b spot) int { // ties in directory order
		if a.hilbert != b.hilbert {
			return cmp.Compare(a.hilbert, b.hilbert)
		}
		return cmp.Compare(a.unit, b.unit)
	})
	list := make([]int, len(spots))
	for i, s := range spots {
		list[i] = s.unit
	}
	return list
}

// giveBack gives unused memory back to the system, where there are premises
// enough for that to be worth a collection.
func giveBack(premises int) {
	if premises > 1<<20 {
		debug.FreeOSMemory()
	}
}

// runs yields stretches of premises with the same postcode.
func (b *bucket) runs(yield func([]row) bool) {
	for _, chunk := range b.chunks {
		for i := 0; i < len(chunk); {
			j := i + 1
			for j < len(chunk) && chunk[j].postcode == chunk[i].postcode {
				j++
			}
			if !yield(chunk[i:j]) {
				return
			}
			i = j
		}
	}
}

// premises undoes what resolveBucket has packed.
func (r *row) premises(sets []uint32) premises {
	a := allocation(int64(r.line))
	return premises{
		uprn: r.uprn(), at: r.at, postcode: r.postcode, address: r.address, set: sets[r.claim],
		region: a.Region, basis: a.Basis, conflict: r.line>>5&1 == 1,
	}
}

// The claim set and the flags settle the order of premises that are alike in
// all else, which takes rows without UPRN that give only an address, and others
// that give only a postcode, at the same coordinates.
func comparePremises(a, b premises) int {
	// One after another: cmp.Or would work all of them out, 500 million times.
	switch {
	case a.address != b.address:
		return cmp.Compare(a.address, b.address)
	case a.uprn != b.uprn:
		return cmp.Compare(a.uprn, b.uprn)
	case a.at != b.at:
		return a.at.Compare(b.at)
	case a.set != b.set:
		return cmp.Compare(a.set, b.set)
	}
	return cmp.Compare(flags(a.region, a.basis, a.conflict), flags(b.region, b.basis, b.conflict))
}

func leafCell(l geo.Location) uint64 {
	p := l.LatLng()
	return uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng)))
}

// units lists the postcodes of the register, of the previous register, and of
// the premises, in directory order, and counts premises into them. places gives
// each postcode's place in the list.
func (m *merger) units(ctx context.Context, workers int) (units []unit, places *postcodeTable, err error) {
	entries := m.b.entries
	places = m.b.entryAt
	registered := len(entries)
	if prev := m.b.o.Previous; prev != nil && len(entries) > 0 {
		for u := range prev.AllPostcodes() {
			e := u.Entry()
			if places.at(e.Postcode) != noPlace || u.Status() == NotInRegister {
				continue
			}
			if u.Status() == Live {
				e.TerminatedAfter, e.TerminatedBy = prev.Info().AsOf, m.b.o.AsOf
			}
			entries = append(entries, e)
		}
		for i, e := range entries[registered:] {
			places.set(e.Postcode, uint32(registered+i))
		}
		registered = len(entries)
	}
	found := make([]map[geo.Postcode]bool, workers) // in no register
	err = m.b.rows.each(ctx, workers, func(k int, b *bucket) {
		if found[k] == nil {
			found[k] = map[geo.Postcode]bool{}
		}
		for run := range b.runs {
			if p := run[0].postcode; p.IsValid() && places.at(p) == noPlace {
				found[k][p] = true
			}
		}
	})
	if err != nil {
		return nil, nil, err
	}
	for _, ps := range found {
		for p := range ps {
			if places.at(p) == noPlace {
				places.set(p, uint32(len(entries)))
				entries = append(entries, Entry{Postcode: p})
			}
		}
	}
	units = make([]unit, 0, len(entries))
	for place := range places.all {
		e := entries[*place]
		units = append(units, unit{Entry: e, inRegister: int(*place) < registered})
		*place = uint32(len(units) - 1)
	}
	m.b.entries, m.b.entryAt = nil, nil

	var locks [256]sync.Mutex // by the lowest bits of a unit's place
	err = m.b.rows.each(ctx, workers, func(_ int, b *bucket) {
		for run := range b.runs {
			if run[0].postcode.IsValid() {
				i := places.at(run[0].postcode)
				lock := &locks[i%uint32(len(locks))]
				lock.Lock()
				units[i].count(run)
				lock.Unlock()
			}
		}
	})
	return units, places, err
}

// count takes premises of the postcode into account.
func (u *unit) count(ps []row) {
	u.n += len(ps)
	for i := range ps {
		if p := &ps[i]; p.at.IsValid() {
			u.located++
			u.latSum += int64(p.at.Lat)
			u.lngSum += int64(p.at.Lng)
			u.regions = u.regions.With(allocation(int64(p.line)).Region)
		}
	}
}

// allocateUnits gives postcodes their Regions: by location; for one the
// register lacks, that of all its premises; else its outcode's, where that lies
// in one Region.
func (m *merger) allocateUnits(units []unit, workers int) {
	shareOut(len(units), 1024, workers, func(i int) {
		u := &units[i]
		u.border = -1
		if u.At.IsValid() {
			a := m.b.regions.locateWithBorder(u.At.LatLng())
			u.region, u.basis, u.border = a.Region, a.Basis, a.Border
		} else if r := u.regions.Only(); r != geo.NoRegion && !u.inRegister {
			u.region, u.basis = r, BasisPremises
		}
	})
	for i := 0; i < len(units); {
		j, set := i, geo.RegionSet(0)
		for ; j < len(units) && units[j].Postcode.Outcode() == units[i].Postcode.Outcode(); j++ {
			set = set.With(units[j].region)
		}
		if r := set.Only(); r != geo.NoRegion {
			for k := i; k < j; k++ {
				if u := &units[k]; u.region == geo.NoRegion && !u.At.IsValid() {
					u.region, u.basis = r, BasisOutcode
				}
			}
		}
		i = j
	}
}

// allocatePremises gives premises without coordinates their postcode's Region.
func allocatePremises(ps []premises, u *unit) {
	if u.region == geo.NoRegion {
		return
	}
	basis := BasisPostcode
	if u.basis == BasisOutcode {
		basis = BasisOutcode
	}
	for i := range ps {
		if p := &ps[i]; !p.at.IsValid() {
			p.region, p.basis = u.region, basis
		}
	}
}

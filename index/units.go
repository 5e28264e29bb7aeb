package index

import (
	"cmp"
	"slices"
	"sync"

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
	premises []premises // by group, then address, UPRN, location
	groups   []int      // units with premises, in Hilbert order
	firsts   []int      // where each group starts, then where the premises without postcode do, then the end
}

// layOut orders everything. Postcodes with premises go in Hilbert order of
// where they are, so that premises near each other on the ground are near each
// other in memory; premises without postcode follow, in Hilbert order of their
// own.
func (m *merger) layOut(ps []premises, workers int) *layout {
	units, unitOf := m.units(ps)
	m.allocateUnits(units, workers)

	var l layout
	for i := range units {
		u := &units[i]
		switch {
		case u.At.IsValid():
			u.hilbert = leafCell(u.At)
		case u.located > 0:
			u.hilbert = leafCell(geo.Location{Lat: int32(u.latSum / u.located), Lng: int32(u.lngSum / u.located)})
		}
		if u.group = -1; u.n > 0 {
			l.groups = append(l.groups, i)
		}
	}
	slices.SortFunc(l.groups, func(a, b int) int { // ties in directory order
		return cmp.Or(cmp.Compare(units[a].hilbert, units[b].hilbert), cmp.Compare(a, b))
	})
	at := 0
	for g, i := range l.groups {
		units[i].group, units[i].first = g, at
		l.firsts = append(l.firsts, at)
		at += units[i].n
	}
	l.firsts = append(l.firsts, at, len(ps))

	// Counting sort into the groups, then each group on its own.
	l.premises = make([]premises, len(ps))
	next := append([]int(nil), l.firsts...)
	for i, p := range ps {
		g := len(l.groups)
		if u := unitOf[i]; u >= 0 {
			g = units[u].group
		}
		l.premises[next[g]] = p
		next[g]++
	}
	parallel(len(l.groups), workers, func(g int) {
		slices.SortFunc(l.premises[l.firsts[g]:l.firsts[g+1]], comparePremises)
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
	return &l
}

func comparePremises(a, b premises) int {
	return cmp.Or(cmp.Compare(a.address, b.address), cmp.Compare(a.uprn, b.uprn), a.at.Compare(b.at))
}

func leafCell(l geo.Location) uint64 {
	p := l.LatLng()
	return uint64(s2.CellIDFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lng)))
}

// parallel calls f for 0 to n-1, in stretches shared out to workers.
func parallel(n, workers int, f func(i int)) {
	const stretch = 1024
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				for j := i; j < min(n, i+stretch); j++ {
					f(j)
				}
			}
		})
	}
	for i := 0; i < n; i += stretch {
		next <- i
	}
	close(next)
	wg.Wait()
}

// units lists the postcodes of the register, of the previous register, and of
// the premises, in directory order. unitOf gives each premises' unit, or −1.
func (m *merger) units(ps []premises) (units []unit, unitOf []int32) {
	for _, e := range m.b.entries {
		units = append(units, unit{Entry: e, inRegister: true})
	}
	if prev := m.b.o.Previous; prev != nil && len(units) > 0 {
		for u := range prev.AllPostcodes() {
			e := u.Entry()
			if _, still := m.b.entryAt[e.Postcode]; still || u.Status() == NotInRegister {
				continue
			}
			if u.Status() == Live {
				e.TerminatedAfter, e.TerminatedBy = prev.Info().AsOf, m.b.o.AsOf
			}
			units = append(units, unit{Entry: e, inRegister: true})
		}
	}
	numbers := make(map[geo.Postcode]int32, len(units))
	for i := range units {
		numbers[units[i].Postcode] = int32(i)
	}
	unitOf = make([]int32, len(ps))
	for i := range ps {
		p := &ps[i]
		if !p.postcode.IsValid() {
			unitOf[i] = -1
			continue
		}
		n, ok := numbers[p.postcode]
		if !ok {
			n = int32(len(units))
			numbers[p.postcode] = n
			units = append(units, unit{Entry: Entry{Postcode: p.postcode}})
		}
		unitOf[i] = n
		u := &units[n]
		u.n++
		if p.at.IsValid() {
			u.located++
			u.latSum += int64(p.at.Lat)
			u.lngSum += int64(p.at.Lng)
			u.regions = u.regions.With(p.region)
		}
	}
	order := make([]int32, len(units))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return units[a].Postcode.Compare(units[b].Postcode) })
	sorted := make([]unit, len(units))
	place := make([]int32, len(units))
	for i, k := range order {
		sorted[i], place[k] = units[k], int32(i)
	}
	for i, n := range unitOf {
		if n >= 0 {
			unitOf[i] = place[n]
		}
	}
	return sorted, unitOf
}

// allocateUnits gives postcodes their Regions: by location; for one the
// register lacks, that of all its premises; else its outcode's, where that lies
// in one Region.
func (m *merger) allocateUnits(units []unit, workers int) {
	parallel(len(units), workers, func(i int) {
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
func (l *layout) allocatePremises() {
	for g, i := range l.groups {
		u := &l.units[i]
		if u.region == geo.NoRegion {
			continue
		}
		basis := BasisPostcode
		if u.basis == BasisOutcode {
			basis = BasisOutcode
		}
		for k := l.firsts[g]; k < l.firsts[g+1]; k++ {
			if p := &l.premises[k]; !p.at.IsValid() {
				p.region, p.basis = u.region, basis
			}
		}
	}
}

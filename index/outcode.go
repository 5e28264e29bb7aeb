package index

import (
	"iter"
	"slices"

	"coverd/geo"
)

// outcodeRow and sectorRow say where an outcode's sectors and postcodes are.
type outcodeRow struct {
	key             uint32 // geo.Outcode's ordinal
	sector, sectors int    // from, to
	unit, unitEnd   int
	place
}

type sectorRow struct {
	sector        geo.Sector
	unit, unitEnd int
	place
}

// place is what the postcodes of a sector or outcode say together.
type place struct {
	regions        geo.RegionSet
	live, missing  int // live postcodes; of these, those in no extract
	bounds         [2]geo.Location
	latSum, lngSum int64
	located        int64
	counted
}

// readPlaces walks the postcodes, which are in directory order, into sectors
// and outcodes.
func (s *Snapshot) readPlaces(r *reader) {
	for i := range s.keys.n {
		u := Unit{s, uint32(i)}
		p := u.Postcode()
		if n := len(s.outcodes); n == 0 || s.outcodes[n-1].key != p.Outcode().Ordinal() {
			s.outcodes = append(s.outcodes, outcodeRow{key: p.Outcode().Ordinal(), sector: len(s.sectors), unit: i})
		}
		if n := len(s.sectors); n == 0 || s.sectors[n-1].sector != p.Sector() {
			s.sectors = append(s.sectors, sectorRow{sector: p.Sector(), unit: i})
		}
		if n := len(s.sectors); n > 0 && s.sectors[n-1].unit == i {
			if r.take(sectionUnitMap, 2, placeBytes); r.err != nil {
				return
			}
		}
		o, q := &s.outcodes[len(s.outcodes)-1], &s.sectors[len(s.sectors)-1]
		o.sectors, o.unitEnd, q.unitEnd = len(s.sectors), i+1, i+1
		o.add(u)
		q.add(u)
	}
}

func (p *place) add(u Unit) {
	p.regions = p.regions.With(u.Region().Region)
	live := u.Status() == Live
	if live {
		p.live++
		if u.Len() == 0 {
			p.missing++
		}
	}
	at := u.At()
	if !at.IsValid() {
		return
	}
	if b := &p.bounds; b[0].IsValid() {
		b[0] = geo.Location{Lat: min(b[0].Lat, at.Lat), Lng: min(b[0].Lng, at.Lng)}
		b[1] = geo.Location{Lat: max(b[1].Lat, at.Lat), Lng: max(b[1].Lng, at.Lng)}
	} else {
		*b = [2]geo.Location{at, at}
	}
	if live {
		p.latSum += int64(at.Lat)
		p.lngSum += int64(at.Lng)
		p.located++
	}
}

// Outcode is an outcode in a snapshot: a small value, valid as long as it.
type Outcode struct {
	s   *Snapshot
	row uint32
}

// Sector is a sector in a snapshot: a small value, valid as long as it.
type Sector struct {
	s   *Snapshot
	row uint32
}

// Outcode finds an outcode of which the register or the extracts hold a
// postcode.
func (s *Snapshot) Outcode(o geo.Outcode) (Outcode, bool) {
	if !o.IsValid() {
		return Outcode{}, false
	}
	i, ok := s.keys.outcode(o)
	return Outcode{s, uint32(i)}, ok
}

// Sector finds a sector of which the register or the extracts hold a postcode.
func (s *Snapshot) Sector(q geo.Sector) (Sector, bool) {
	if !q.IsValid() {
		return Sector{}, false
	}
	i, ok := slices.BinarySearchFunc(s.sectors, q, func(r sectorRow, q geo.Sector) int { return r.sector.Compare(q) })
	return Sector{s, uint32(i)}, ok
}

// Row numbers the outcode within its snapshot, in directory order.
func (o Outcode) Row() int { return int(o.row) }

// Outcode returns the outcode.
func (o Outcode) Outcode() geo.Outcode {
	c, _ := geo.OutcodeFromOrdinal(o.s.outcodes[o.row].key)
	return c
}

// Regions returns the Regions the outcode's postcodes lie in.
func (o Outcode) Regions() geo.RegionSet { return o.s.outcodes[o.row].regions }

// Distribution fills d for a day.
func (o Outcode) Distribution(d *Distribution, on Day) {
	o.s.outcodes[o.row].distribute(d, on)
}

// Summary counts the outcode's premises by state on a day.
func (o Outcode) Summary(on Day) Summary { return o.s.outcodes[o.row].summary(on) }

// Sectors yields the outcode's sectors, in order.
func (o Outcode) Sectors() iter.Seq[Sector] {
	return func(yield func(Sector) bool) {
		for i := o.s.outcodes[o.row].sector; i < o.s.outcodes[o.row].sectors; i++ {
			if !yield(Sector{o.s, uint32(i)}) {
				return
			}
		}
	}
}

// Len returns the number of the outcode's postcodes.
func (o Outcode) Len() int { return o.s.outcodes[o.row].unitEnd - o.s.outcodes[o.row].unit }

// Unit returns postcode i of the outcode, in directory order.
func (o Outcode) Unit(i int) Unit { return Unit{o.s, uint32(o.s.outcodes[o.row].unit + i)} }

// Sector returns the sector.
func (q Sector) Sector() geo.Sector { return q.s.sectors[q.row].sector }

// Regions returns the Regions the sector's postcodes lie in.
func (q Sector) Regions() geo.RegionSet { return q.s.sectors[q.row].regions }

// Distribution fills d for a day.
func (q Sector) Distribution(d *Distribution, on Day) {
	q.s.sectors[q.row].distribute(d, on)
}

// Summary counts the sector's premises by state on a day.
func (q Sector) Summary(on Day) Summary { return q.s.sectors[q.row].summary(on) }

// Len returns the number of the sector's postcodes.
func (q Sector) Len() int { return q.s.sectors[q.row].unitEnd - q.s.sectors[q.row].unit }

// Unit returns postcode i of the sector, in directory order.
func (q Sector) Unit(i int) Unit { return Unit{q.s, uint32(q.s.sectors[q.row].unit + i)} }

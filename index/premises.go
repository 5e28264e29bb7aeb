package index

import (
	"coverd/geo"
)

// Premises is one place a hub may be fitted, in a snapshot: a small value,
// valid as long as the snapshot.
type Premises struct {
	s   *Snapshot
	row uint32
}

// UPRN finds a premises by its UPRN.
func (s *Snapshot) UPRN(u geo.UPRN) (Premises, bool) {
	lo, hi := 0, s.byUPRN.n
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); geo.UPRN(s.premUPRN.at(int(s.byUPRN.at(mid)))) < u {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == s.byUPRN.n || u == 0 {
		return Premises{}, false
	}
	p := Premises{s, uint32(s.byUPRN.at(lo))}
	return p, p.UPRN() == u
}

// Row numbers the premises within its snapshot.
func (p Premises) Row() uint32 { return p.row }

// UPRN returns the premises' UPRN, or 0.
func (p Premises) UPRN() geo.UPRN { return geo.UPRN(p.s.premUPRN.at(int(p.row))) }

// group returns the premises' group of a postcode, or one past the last.
func (p Premises) group() int {
	return p.s.groupPrem.search(0, p.s.groupPrem.n, int64(p.row)+1) - 1
}

// Postcode returns the premises' postcode, or the zero value.
func (p Premises) Postcode() geo.Postcode {
	if u, ok := p.Unit(); ok {
		return u.Postcode()
	}
	return geo.Postcode{}
}

// Unit returns the premises' postcode in the snapshot; ok is false for a
// premises without postcode.
func (p Premises) Unit() (u Unit, ok bool) {
	if g := p.group(); g < p.s.groupUnit.n {
		return Unit{p.s, uint32(p.s.groupUnit.at(g))}, true
	}
	return Unit{}, false
}

// Address returns the address identifier, empty for none. It is shared.
func (p Premises) Address() []byte {
	i := int(p.s.premAddr.at(int(p.row)))
	from := 0
	if i > 0 {
		from = int(p.s.addrEnds.at(i - 1))
	}
	to := int(p.s.addrEnds.at(i))
	return p.s.addrText[from:to:to]
}

// At returns the location, or the zero value.
func (p Premises) At() geo.Location { return p.s.premisesAt(int(p.row)) }

func (s *Snapshot) premisesAt(row int) geo.Location {
	return location(s.premLat.at(row), s.premLng.at(row))
}

// location undoes storedLat and storedLng.
func location(lat, lng int64) geo.Location {
	if lat == noLat && lng == noLng {
		return geo.Location{}
	}
	return geo.Location{Lat: int32(lat), Lng: int32(lng)}
}

// Region returns the premises' Region: by its location, or without coordinates
// its postcode's, or its outcode's. The distance to the border is left at −1;
// [Snapshot.Locate] tells it.
func (p Premises) Region() Allocation { return allocation(p.s.premFlags.at(int(p.row))) }

// allocation undoes flags.
func allocation(f int64) Allocation { return Allocation{geo.Region(f & 3), Basis(f >> 2 & 7), -1} }

// Conflict reports whether rows contradicted each other about this premises on
// some network region; what they said is not in the snapshot.
func (p Premises) Conflict() bool { return p.s.premFlags.at(int(p.row))>>5&1 == 1 }

// Claims returns the premises' claims.
func (p Premises) Claims() ClaimSet {
	return ClaimSet{s: p.s, code: uint32(p.s.premSet.at(int(p.row)))}
}

// State is that of the premises' claims.
func (p Premises) State(on Day) State { return p.Claims().State(on) }

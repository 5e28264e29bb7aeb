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

// Row numbers the premises within its snapshot.
func (p Premises) Row() uint32 { return p.row }

// UPRN returns the premises' UPRN, or 0.
func (p Premises) UPRN() geo.UPRN { return p.s.roster.uprn(int(p.row)) }

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
	if g := p.s.roster.group(int(p.row)); g < p.s.groupUnit.n {
		return Unit{p.s, uint32(p.s.groupUnit.at(g))}, true
	}
	return Unit{}, false
}

// Address returns the address identifier, empty for none. It is shared.
func (p Premises) Address() []byte { return p.s.address(p.s.roster.address(int(p.row))) }

// address is the text of the address with a number.
func (s *Snapshot) address(i int) []byte {
	from := 0
	if i > 0 {
		from = int(s.addrEnds.at(i - 1))
	}
	to := int(s.addrEnds.at(i))
	return s.addrText[from:to:to]
}

// At returns the location, or the zero value.
func (p Premises) At() geo.Location { return p.s.premises.at(int(p.row)) }

// Region returns the premises' Region: by its location, or without coordinates
// its postcode's, or its outcode's. The distance to the border is left at −1;
// [Snapshot.Locate] tells it.
func (p Premises) Region() Allocation { return allocation(p.flags()) }

func (p Premises) flags() int64 { return p.s.kindFlags.at(p.s.roster.kind(int(p.row))) }

// allocation undoes flags.
func allocation(f int64) Allocation { return Allocation{geo.Region(f & 3), Basis(f >> 2 & 7), -1} }

// Conflict reports whether rows contradicted each other about this premises on
// some network region; what they said is not in the snapshot.
func (p Premises) Conflict() bool { return p.flags()>>5&1 == 1 }

// Claims returns the premises' claims.
func (p Premises) Claims() ClaimSet {
	return ClaimSet{s: p.s, code: uint32(p.s.kindSet.at(p.s.roster.kind(int(p.row))))}
}

// Kind numbers what the premises has in common with many others: claims, Region
// and conflict. [Snapshot.Kind] tells them; a number is below [Snapshot.Kinds].
func (p Premises) Kind() uint32 { return uint32(p.s.roster.kind(int(p.row))) }

// Kinds is how many kinds of premises there are.
func (s *Snapshot) Kinds() int { return s.kindSet.n }

// Kind returns the claims, the Region and the conflict of premises of a kind.
func (s *Snapshot) Kind(kind uint32) (claims ClaimSet, region Allocation, conflict bool) {
	f := s.kindFlags.at(int(kind))
	return ClaimSet{s: s, code: uint32(s.kindSet.at(int(kind)))}, allocation(f), f>>5&1 == 1
}

// State is that of the premises' claims.
func (p Premises) State(on Day) State { return p.Claims().State(on) }

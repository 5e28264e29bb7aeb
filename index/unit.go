package index

import (
	"coverd/geo"
)

// Unit is a postcode of the register or the extracts, in a snapshot: a small
// value, valid as long as the snapshot.
type Unit struct {
	s   *Snapshot
	row uint32
}

// Postcode finds a postcode that the register or the extracts hold.
func (s *Snapshot) Postcode(p geo.Postcode) (Unit, bool) {
	if !p.IsValid() {
		return Unit{}, false
	}
	n, ok := s.keys.find(p)
	return Unit{s, uint32(n)}, ok
}

// Postcode returns the postcode.
func (u Unit) Postcode() geo.Postcode {
	p, _ := geo.PostcodeFromOrdinal(u.s.keys.at(int(u.row)))
	return p
}

// inRegister reports whether the register holds the postcode.
func (u Unit) inRegister() bool { return u.s.unitFlags.at(int(u.row))>>5&1 == 1 }

// Status tells what the register says of the postcode.
func (u Unit) Status() RegisterStatus {
	switch {
	case !u.inRegister():
		return NotInRegister
	case u.s.unitTerm.at(int(u.row)) != 0 || u.s.unitBy.at(int(u.row)) != 0:
		return Terminated
	}
	return Live
}

// Entry returns what the register says of the postcode: of one it lacks, the
// postcode alone.
func (u Unit) Entry() Entry {
	i := int(u.row)
	return Entry{
		Postcode: u.Postcode(), At: u.At(),
		Introduced: Month(u.s.unitIntro.at(i)), Terminated: Month(u.s.unitTerm.at(i)),
		TerminatedAfter: Day(u.s.unitAfter.at(i)), TerminatedBy: Day(u.s.unitBy.at(i)),
	}
}

// At returns the location the register gives, or the zero value.
func (u Unit) At() geo.Location {
	if p := int(u.s.unitPoint.at(int(u.row))); p > 0 {
		return u.s.places.at(p - 1)
	}
	return geo.Location{}
}

// Region returns the postcode's Region: by its location; of a postcode the
// register lacks, that of all its premises; else its outcode's. The distance
// to the border is to 0.1 m.
func (u Unit) Region() Allocation {
	a := allocation(u.s.unitFlags.at(int(u.row)))
	if d := u.s.unitBorder.at(int(u.row)); d > 0 {
		a.Border = float64(d-1) / 10
	}
	return a
}

// premises returns the rows of the postcode's premises.
func (u Unit) premises() (from, to int) {
	from = int(u.s.unitFirst.at(int(u.row)))
	return from, from + u.Len()
}

// Len returns the number of premises.
func (u Unit) Len() int { return int(u.s.unitLen.at(int(u.row))) }

// Premises returns premises i, in the order of their addresses as a person
// would list them, then of UPRN.
func (u Unit) Premises(i int) Premises {
	return Premises{u.s, uint32(int(u.s.unitFirst.at(int(u.row))) + i)}
}

// Summary counts the postcode's premises by state on a day.
func (u Unit) Summary(on Day) Summary {
	var sum Summary
	from, to := u.premises()
	for i := from; i < to; i++ {
		sum.Add(Premises{u.s, uint32(i)}.State(on), 1)
	}
	return sum
}

// Summary counts premises by state.
type Summary struct {
	Premises    int `json:"premises"`
	Available   int `json:"available"`
	Planned     int `json:"planned"`
	Unavailable int `json:"unavailable"`
	Unknown     int `json:"unknown"`
}

// Add counts n premises in a state.
func (s *Summary) Add(st State, n int) {
	s.Premises += n
	switch st {
	case Available:
		s.Available += n
	case Planned:
		s.Planned += n
	case Unavailable:
		s.Unavailable += n
	default:
		s.Unknown += n
	}
}

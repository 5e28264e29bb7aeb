package duis

import (
	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// maxCandidates is the most premises that are named where none, or several, have
// the address.
const maxCandidates = 100

// Found is what a snapshot has for a request: one premises, or a reason why there
// is not one.
type Found struct {
	Premises index.Premises // where Reason is ""
	// Grade says how the address was found to be that of the premises;
	// AddressNone where none was given.
	Grade index.AddressGrade
	// Reason is that of a postcode answer without premises, or of a problem, or
	// [SeveralPremises].
	Reason string
	Region geo.Region // of the premises, else of the postcode, else none
	// Candidates are the premises with the address where they are several, and
	// where there is none those whose addresses are most like it, at most 100.
	Candidates []index.Premises
}

// SeveralPremises is the reason where more than one premises have the address.
const SeveralPremises = "several_premises"

// Find looks up what the request is about. A postcode with an empty address
// identifier is answered if it has one premises.
func (q *Request) Find(s *index.Snapshot) Found {
	if q.UPRN != 0 {
		p, ok := s.UPRN(q.UPRN)
		if !ok {
			return Found{Reason: api.UnknownUPRN}
		}
		return Found{Premises: p, Region: p.Region().Region}
	}
	if q.OutOfArea {
		return Found{Reason: api.OutOfArea}
	}
	unit, ok := s.Postcode(q.Postcode)
	if !ok {
		outcode, known := s.Outcode(q.Postcode.Outcode())
		if !known {
			return Found{Reason: api.UnknownPostcode}
		}
		return Found{Reason: api.PostcodeNotInRegister, Region: outcode.Regions().Only()}
	}
	f := Found{Region: unit.Region().Region}
	switch {
	case unit.Len() == 0 && unit.Status() == index.Terminated:
		f.Reason = api.PostcodeTerminated
	case unit.Len() == 0:
		f.Reason = api.PostcodeNotInExtracts
	default:
		f.match(q.AddressIdentifier, unit)
	}
	return f
}

// match finds the premises of a postcode with an address identifier.
func (f *Found) match(address string, unit index.Unit) {
	var m index.AddressMatcher
	var places []int
	if address == "" {
		for i := range unit.Len() {
			places = append(places, i)
		}
	} else {
		details := unit.AppendDetails(nil)
		m.Ask([]byte(address))
		if places, f.Grade = m.AppendFound(nil, details); len(places) == 0 {
			f.Reason = api.AddressNotMatched
			places = m.AppendCandidates(nil, details, maxCandidates)
		}
	}
	if f.Reason == "" && len(places) == 1 {
		f.Premises = unit.Premises(places[0])
		f.Region = f.Premises.Region().Region
		return
	}
	if f.Reason == "" {
		f.Reason = SeveralPremises
	}
	for _, i := range places[:min(len(places), maxCandidates)] {
		f.Candidates = append(f.Candidates, unit.Premises(i))
	}
}

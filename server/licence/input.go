package licence

import (
	"time"

	"coverd/geo"
	"coverd/index"
)

// Window is how many days before the Applicable Date 49.10 speaks of.
const Window = 30

// Claims is what the database held of a premises: [index.ClaimSet] is one.
type Claims interface {
	State(on index.Day) index.State
	Fit(on index.Day) (fit index.Fit, ok bool)
}

// Indication is what the database said of the premises on some known days:
// [index.Indication], with days filled in.
type Indication struct {
	From, To index.Day // both included
	Present  bool      // there was such a premises
	Claims   Claims    // nil unless present
	Snapshot string
}

// Place is a premises, or a location without one.
type Place struct {
	UPRN     geo.UPRN
	Postcode geo.Postcode
	Address  string // address identifier
	Location geo.Location
}

// Check is a check on record: an answer that somebody was given, as a receipt or
// a service request tells of it.
type Check struct {
	Reference string
	At        time.Time // when it was made
	Place     Place     // what it was about, as far as it says
	Snapshot  string
	AsOf      index.Day // the day that the snapshot's data describes; 0: it does not say
	Network   string    // the one network region that it was about; "": all
	Known     index.Day // the day that the database was read; 0: that of the check
	On        index.Day // the day that it was read about
	// State, From and Until are what was answered: from and until which day there
	// is coverage, both included, 0 for no bound. State 0: the answer was about all
	// premises of a postcode, which differ.
	State       index.State
	From, Until index.Day
	// Basis is what State rests on: [BasisClaims] or [BasisArea], or what is an
	// estimate.
	Basis string
}

// Bases of a check that are the database's own indication.
const (
	BasisClaims = "claims"        // what CSPs claim of the premises
	BasisArea   = "coverage_area" // what a CSP claims of an area around the place
)

// Input is all that a conclusion rests on.
type Input struct {
	Place Place

	Installation index.Day // the Installation Date
	CutOff       index.Day // the cut-off date of 49.8(c)
	CheckDate    index.Day // the day that the database is read for 49.8(c): not after Installation
	Applicable   index.Day // the Applicable Date of 49.10; 0: none was stated

	Today index.Day // the last known day there is
	// HistoryFrom is the first known day that is remembered; 0: none is, as for a
	// location without premises.
	HistoryFrom index.Day
	// History is what the database said from HistoryFrom to Today, oldest first,
	// without a gap.
	History []Indication

	Checks []Check // in any order
	// Unread says why the record of checks cannot be read; "": it was.
	Unread string
	// London says which calendar day a time belongs to.
	London *time.Location
}

// at returns what the database said on a known day; ok is false where that is
// not known.
func (in *Input) at(known index.Day) (i Indication, ok bool) {
	if in.HistoryFrom == 0 || known < in.HistoryFrom || known > in.Today {
		return Indication{}, false
	}
	for _, i := range in.History {
		if i.From <= known && known <= i.To {
			return i, true
		}
	}
	return Indication{}, false
}

// day is the calendar day of a time, in London.
func (in *Input) day(t time.Time) index.Day { return index.DayOf(t.In(in.London)) }

// said is what the database, or a check, says of a day.
type said struct {
	present     bool
	state       index.State
	from, until index.Day
}

// about reads an indication about a day.
func (i *Indication) about(on index.Day) said {
	if !i.Present {
		return said{state: index.Unknown}
	}
	s := said{present: true, state: i.Claims.State(on)}
	fit, ok := i.Claims.Fit(on)
	switch {
	case !ok:
	case s.state == index.Available:
		s.from, s.until = fit.Status.From, fit.Claim.End
	case s.state == index.Planned:
		first, ok := i.firstAvailable(on)
		if !ok { // a plan that ends before it begins
			s.state = index.Unavailable
			break
		}
		s.from = first
		if fit, ok := i.Claims.Fit(first); ok {
			s.until = fit.Claim.End
		}
	}
	return s
}

// firstAvailable is the first day, from one on, of which the indication says
// that there is coverage.
func (i *Indication) firstAvailable(from index.Day) (index.Day, bool) {
	if !i.Present {
		return 0, false
	}
	for d := from; ; {
		switch i.Claims.State(d) {
		case index.Available:
			return d, true
		case index.Planned:
			fit, ok := i.Claims.Fit(d)
			if !ok || fit.Status.From <= d {
				return 0, false
			}
			d = fit.Status.From
		default: // no claim begins later, or it would be planned
			return 0, false
		}
	}
}

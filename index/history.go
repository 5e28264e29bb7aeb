package index

import (
	"coverd/geo"
)

// Indication is what the database said of a premises on some known days: what
// it would have been answered then, about any day. A snapshot is in force from
// its as-of day up to the day before that of the next one.
//
// What a premises says of itself beside its claims (its postcode, address,
// location and Region) is not remembered: it is as it is now, or was last.
type Indication struct {
	From     Day // the first known day; 0: since before what is remembered
	To       Day // the last known day; 0: until now
	Present  bool
	Conflict bool     // see [Premises.Conflict]
	Claims   ClaimSet // empty if there was no such premises; see below
	Snapshot string   // ID of the first snapshot remembered that said so
}

// The claims of an indication of the past are as they were, but for their
// as-of day, which is not remembered: it is [Day] 0, or where a date of theirs
// had been missed by then, that date. So they have the same status on any day.

// HistoryFrom is the first known day that can be answered about: the snapshot's
// own as-of day where it remembers nothing.
func (s *Snapshot) HistoryFrom() Day { return s.info.AsOf }

// AppendHistory appends what was said of the premises on the known days from
// one to another, both included, newest last. Indications are whole: the first
// may begin before from, the last end after to.
func (p Premises) AppendHistory(dst []Indication, from, to Day) []Indication {
	if from > to {
		return dst
	}
	return append(dst, p.current())
}

// Known is what was said of the premises on a known day: from the snapshot's
// as-of day on what it says now. ok is false before what is remembered.
func (p Premises) Known(known Day) (i Indication, ok bool) {
	if known < p.s.HistoryFrom() {
		return Indication{}, false
	}
	return p.current(), true
}

// current is what the snapshot itself says.
func (p Premises) current() Indication {
	return Indication{Present: true, Conflict: p.Conflict(), Claims: p.Claims(), Snapshot: p.s.ID()}
}

// IndicatedSince finds the last known day from since to until on which coverage
// on a day was indicated: on which the premises' state on that day was
// [Available]. Days before what is remembered count as if it had not been: see
// [Snapshot.HistoryFrom].
func (p Premises) IndicatedSince(on, since, until Day) (known Day, ok bool) {
	if until < p.s.HistoryFrom() || since > until || p.State(on) != Available {
		return 0, false
	}
	return until, true
}

// Departed is a premises that the snapshot has no more, and remembers: a small
// value, valid as long as the snapshot.
type Departed struct {
	s *Snapshot
	i uint32
}

// Departed finds a premises that has gone, by its UPRN.
func (s *Snapshot) Departed(u geo.UPRN) (Departed, bool) { return Departed{}, false }

// UPRN returns the premises' UPRN, or 0.
func (d Departed) UPRN() geo.UPRN { return 0 }

// Postcode returns the premises' last postcode, or the zero value.
func (d Departed) Postcode() geo.Postcode { return geo.Postcode{} }

// Address returns its last address identifier, empty for none. It is shared.
func (d Departed) Address() []byte { return nil }

// At returns its last location, or the zero value.
func (d Departed) At() geo.Location { return geo.Location{} }

// Known is [Premises.Known] of one that has gone.
func (d Departed) Known(known Day) (Indication, bool) { return Indication{}, false }

// AppendHistory is [Premises.AppendHistory] of one that has gone.
func (d Departed) AppendHistory(dst []Indication, from, to Day) []Indication { return dst }

// IndicatedSince is [Premises.IndicatedSince] of one that has gone.
func (d Departed) IndicatedSince(on, since, until Day) (known Day, ok bool) { return 0, false }

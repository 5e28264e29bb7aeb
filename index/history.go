package index

// Indication is what the database said of a premises on some known days: what
// would have been answered then, about any day. A snapshot is in force from its
// as-of day up to the day before that of the next one.
//
// Remembered are the claims, those that areas lend included, whether rows
// contradicted each other, and whether there was such a premises at all. Its
// postcode, address, location and Region are not: they are as they are now, or
// were last.
type Indication struct {
	From     Day // the first known day; 0: since before what is remembered
	To       Day // the last known day; 0: until now
	Present  bool
	Conflict bool     // see [Premises.Conflict]
	Claims   ClaimSet // empty where there was no such premises
	Snapshot string   // ID of the first snapshot remembered that said so
	// Past tells that the claims are remembered. They have the status on any day
	// that they had then, but their as-of day is not what it was.
	Past bool
}

// HistoryFrom is the first known day that can be answered about: the snapshot's
// own as-of day where it remembers nothing.
func (s *Snapshot) HistoryFrom() Day {
	if s.past != nil {
		return s.past.days[0]
	}
	return s.info.AsOf
}

// AppendHistory appends what was said of the premises on the known days from
// one to another, both included, newest last. Indications are whole: the first
// may begin before from, the last end after to.
func (p Premises) AppendHistory(dst []Indication, from, to Day) []Indication {
	t := p.story()
	return t.append(dst, from, to)
}

// Known is what was said of the premises on a known day: from the snapshot's
// as-of day on what it says now. ok is false before what is remembered.
func (p Premises) Known(known Day) (i Indication, ok bool) {
	t := p.story()
	return t.known(known)
}

// IndicatedSince finds the last known day from since to until on which coverage
// on a day was indicated: on which the premises' state on that day was
// [Available]. Known days before what is remembered count as if it had not been:
// see [Snapshot.HistoryFrom].
func (p Premises) IndicatedSince(on, since, until Day) (known Day, ok bool) {
	return p.IndicatedSinceOn(NoNetwork, on, since, until)
}

// IndicatedSinceOn is IndicatedSince by claims on one network region alone, or on
// all if that is NoNetwork.
func (p Premises) IndicatedSinceOn(only NetworkRegion, on, since, until Day) (known Day, ok bool) {
	t := p.story()
	return t.indicatedSince(only, on, since, until)
}

func (p Premises) story() story {
	return p.s.story(int(p.row), Indication{Present: true, Conflict: p.Conflict(), Claims: p.Claims()})
}

// story tells what was said of a premises, oldest first.
type story struct {
	s     *Snapshot
	chain chain
	now   Indication // what is said of it now
	from  int        // the snapshot that the next indication begins with
	ended bool
}

func (s *Snapshot) story(row int, now Indication) story {
	t := story{s: s, now: now}
	if s.past != nil {
		t.chain = s.past.chain(row)
	}
	return t
}

// next returns the next indication.
func (t *story) next() (i Indication, ok bool) {
	h := t.s.past
	switch {
	case t.ended:
		return Indication{}, false
	case h == nil:
		t.ended = true
		t.now.Snapshot = t.s.ID()
		return t.now, true
	}
	from := t.from
	if night, code, more := t.chain.next(); more {
		i, t.from = h.indication(code), night
		i.To = h.days[night] - 1
	} else {
		i, t.ended = t.now, true
	}
	if from > 0 {
		i.From = h.days[from]
	}
	if i.Snapshot = t.s.ID(); from < len(h.ids) {
		i.Snapshot = h.ids[from]
	}
	return i, true
}

// until is the last known day of the indication, as far as an end is known.
func (i *Indication) until() Day {
	if i.To == 0 {
		return maxDay
	}
	return i.To
}

func (t *story) known(known Day) (Indication, bool) {
	if known < t.s.HistoryFrom() {
		return Indication{}, false
	}
	for {
		if i, ok := t.next(); !ok || known <= i.until() {
			return i, ok
		}
	}
}

func (t *story) append(dst []Indication, from, to Day) []Indication {
	from = max(from, t.s.HistoryFrom())
	for {
		i, ok := t.next()
		if !ok || from > to || i.From > to && i.From != 0 {
			return dst
		}
		if i.until() >= from {
			dst = append(dst, i)
		}
	}
}

func (t *story) indicatedSince(only NetworkRegion, on, since, until Day) (known Day, ok bool) {
	since = max(since, t.s.HistoryFrom())
	for {
		i, more := t.next()
		if !more || since > until || i.From > until && i.From != 0 {
			return known, ok
		}
		if last := min(i.until(), until); last >= since && i.Present && i.Claims.Only(only).State(on) == Available {
			known, ok = last, true
		}
	}
}

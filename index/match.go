package index

import (
	"bytes"
	"cmp"
	"slices"

	"coverd/geo"
)

// matcher compares premises, for one goroutine.
type matcher struct {
	c    *comparer
	list []difference // found
	lost []uint32     // rows of premises that are in the old snapshot alone, if they are tracked

	outcomes map[uint64]*outcome
	lastKey  uint64
	last     *outcome

	kinds    ChangeCounts
	csps     map[string]*CSPDelta
	outcodes map[geo.Outcode]*OutcodeDelta

	old, now []Details // of the postcode
	rows     [2][]keyedRow
	events   []event
	found    []difference
	changes  []Change
}

// keyedRow is a premises of a postcode without UPRN, by what it is told by.
type keyedRow struct {
	fold string
	at   geo.Location
	i    int
}

// mostOutcomes bounds the memory of a matcher: pairs of kinds may be as many as
// there are premises.
const mostOutcomes = 1 << 14

// outcome compares two kinds, plus 1; 0: it is not there.
func (m *matcher) outcome(old, now uint32) *outcome {
	key := uint64(old)<<32 | uint64(now)
	if m.last != nil && m.lastKey == key {
		return m.last
	}
	o := m.outcomes[key]
	if o == nil {
		if len(m.outcomes) >= mostOutcomes {
			m.flush()
		}
		var before, after *aspect
		if old > 0 {
			before = m.c.old.aspect(old-1, m.c.day)
		}
		if now > 0 {
			after = m.c.now.aspect(now-1, m.c.day)
		}
		o = newOutcome(before, after, m.c.day)
		m.outcomes[key] = o
	}
	m.lastKey, m.last = key, o
	return o
}

// flush counts the outcomes' premises and forgets them.
func (m *matcher) flush() {
	for _, o := range m.outcomes {
		for i := range o.csps {
			if o.n > 0 {
				at(m.csps, o.csps[i].CSP).add(o.n, &o.csps[i])
			}
		}
	}
	clear(m.outcomes)
	m.last = nil
}

// outcode compares the postcodes of an outcode and their premises.
func (m *matcher) outcode(p outcodePair) {
	var i, endOld, k, endNow int
	if p.old >= 0 {
		i, endOld = m.c.old.outcodes[p.old].unit, m.c.old.outcodes[p.old].unitEnd
	}
	if p.now >= 0 {
		k, endNow = m.c.now.outcodes[p.now].unit, m.c.now.outcodes[p.now].unitEnd
	}
	for i < endOld || k < endNow {
		order := 0
		switch {
		case k == endNow:
			order = -1
		case i == endOld:
			order = 1
		default:
			order = cmp.Compare(m.c.old.keys.at(i), m.c.now.keys.at(k))
		}
		var d difference
		if order <= 0 {
			i++
			d.old = uint32(i)
		}
		if order >= 0 {
			k++
			d.now = uint32(k)
		}
		m.postcode(d)
	}
}

// postcode compares a postcode and its premises.
func (m *matcher) postcode(d difference) {
	m.found, m.old, m.now = m.found[:0], m.old[:0], m.now[:0]
	oldFirst, nowFirst := 0, 0
	if d.old > 0 {
		u := Unit{m.c.old, d.old - 1}
		oldFirst, _ = u.premises()
		m.old = u.AppendDetails(m.old)
	}
	if d.now > 0 {
		u := Unit{m.c.now, d.now - 1}
		nowFirst, _ = u.premises()
		m.now = u.AppendDetails(m.now)
	}
	m.match(uint32(oldFirst), uint32(nowFirst))

	d.kind = eventPostcode
	if m.postcodeDiffers(d) {
		m.found = append(m.found, d)
	}
	m.tell()
}

// postcodeDiffers reports whether there is anything to tell of a postcode.
func (m *matcher) postcodeDiffers(d difference) bool {
	if d.old > 0 && d.now > 0 {
		a, b := Unit{m.c.old, d.old - 1}, Unit{m.c.now, d.now - 1}
		if a.Status() == b.Status() && a.At() == b.At() {
			return false
		}
	}
	var e event
	m.event(&e, d)
	return e.differs()
}

// tell puts what was found of a postcode in order, counts it and lists it.
func (m *matcher) tell() {
	if len(m.found) == 0 {
		return
	}
	if len(m.found) > 1 {
		m.events = slices.Grow(m.events[:0], len(m.found))[:len(m.found)]
		order := make([]int, len(m.found))
		for i, d := range m.found {
			m.event(&m.events[i], d)
			order[i] = i
		}
		slices.SortStableFunc(order, func(i, k int) int { return m.events[i].compare(&m.events[k]) })
		for _, i := range order {
			m.list = append(m.list, m.found[i])
			m.count(&m.events[i])
		}
		return
	}
	var e event
	m.event(&e, m.found[0])
	m.count(&e)
	m.list = append(m.list, m.found[0])
}

// count counts the changes of an event.
func (m *matcher) count(e *event) {
	m.changes = e.appendChanges(m.changes[:0])
	if len(m.changes) == 0 {
		return
	}
	o := at(m.outcodes, m.changes[0].Postcode.Outcode())
	for i := range m.changes {
		m.kinds[m.changes[i].Kind]++
		o.add(m.changes[i].Kind)
	}
}

// match finds the premises of a postcode in each other's. Most have a UPRN and
// stand in the same place in both lists.
func (m *matcher) match(oldFirst, nowFirst uint32) {
	i, k := 0, 0
	for i < len(m.old) && k < len(m.now) && m.old[i].UPRN == m.now[k].UPRN && m.old[i].UPRN != 0 {
		m.both(oldFirst+uint32(i), nowFirst+uint32(k), &m.old[i], &m.now[k])
		i, k = i+1, k+1
	}
	if i == len(m.old) && k == len(m.now) {
		return
	}
	a, b := sortedRows(m.rows[0][:0], m.old[i:], i, m.old), sortedRows(m.rows[1][:0], m.now[k:], k, m.now)
	m.rows[0], m.rows[1] = a, b
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(b) == 0:
			order = -1
		case len(a) == 0:
			order = 1
		default:
			x, y := &m.old[a[0].i], &m.now[b[0].i]
			if order = cmp.Or(cmp.Compare(x.UPRN, y.UPRN), cmp.Compare(a[0].fold, b[0].fold)); order == 0 && x.UPRN == 0 && a[0].fold == "" {
				order = x.At.Compare(y.At)
			}
		}
		switch {
		case order < 0:
			m.gone(oldFirst+uint32(a[0].i), &m.old[a[0].i], len(a[0].fold) > 0)
		case order > 0:
			m.come(nowFirst+uint32(b[0].i), &m.now[b[0].i], len(b[0].fold) > 0)
		default:
			m.both(oldFirst+uint32(a[0].i), nowFirst+uint32(b[0].i), &m.old[a[0].i], &m.now[b[0].i])
		}
		if order <= 0 {
			a = a[1:]
		}
		if order >= 0 {
			b = b[1:]
		}
	}
}

// sortedRows lists premises by UPRN, those without first: by address, those
// without that too first, and location.
func sortedRows(dst []keyedRow, details []Details, first int, all []Details) []keyedRow {
	for i := range details {
		d := &details[i]
		r := keyedRow{at: d.At, i: first + i}
		if d.UPRN == 0 && len(d.Address) > 0 {
			r.fold = FoldAddress(string(d.Address))
		}
		dst = append(dst, r)
	}
	slices.SortFunc(dst, func(a, b keyedRow) int {
		return cmp.Or(cmp.Compare(all[a.i].UPRN, all[b.i].UPRN), cmp.Compare(a.fold, b.fold), a.at.Compare(b.at), cmp.Compare(a.i, b.i))
	})
	return dst
}

// both compares a premises that is in both snapshots, at the same postcode.
func (m *matcher) both(old, now uint32, a, b *Details) {
	o := m.outcome(a.Kind+1, b.Kind+1)
	o.n++
	if m.c.track != nil {
		m.c.track.same(old, now, a.Kind, b.Kind)
	}
	if len(o.changes) > 0 || a.At != b.At || !bytes.Equal(a.Address, b.Address) {
		m.found = append(m.found, difference{eventPremises, old + 1, now + 1})
	}
}

// gone looks elsewhere for a premises of the old snapshot that is not in its
// postcode any more. addressed tells that its postcode and address are its
// identity, if it has no UPRN.
func (m *matcher) gone(row uint32, d *Details, addressed bool) {
	switch {
	case d.UPRN != 0:
		if p, ok := m.c.now.UPRN(d.UPRN); ok {
			m.found = append(m.found, difference{eventAway, row + 1, p.row + 1})
			return
		}
	case !addressed && d.At.IsValid():
		if there, ok := atPoint(m.c.points[1](), d.At); ok {
			m.found = append(m.found, difference{eventAway, row + 1, there + 1})
			return
		}
	}
	m.outcome(d.Kind+1, 0).n++
	m.found = append(m.found, difference{eventPremises, row + 1, 0})
	if m.c.track != nil {
		m.lost = append(m.lost, row)
	}
}

// come looks elsewhere for a premises of the new snapshot that was not in its
// postcode before.
func (m *matcher) come(row uint32, d *Details, addressed bool) {
	from, ok := uint32(0), false
	switch {
	case d.UPRN != 0:
		var p Premises
		p, ok = m.c.old.UPRN(d.UPRN)
		from = p.row
	case !addressed && d.At.IsValid():
		from, ok = atPoint(m.c.points[0](), d.At)
	}
	if !ok {
		m.outcome(0, d.Kind+1).n++
		m.found = append(m.found, difference{eventPremises, 0, row + 1})
		if m.c.track != nil {
			m.c.track.from[row] = came
		}
		return
	}
	was := Premises{m.c.old, from}.Kind()
	m.outcome(was+1, d.Kind+1).n++
	if m.c.track != nil {
		m.c.track.same(from, row, was, d.Kind)
	}
	m.found = append(m.found, difference{eventPremises, from + 1, row + 1})
}

// restOfNow compares premises without postcode of the new snapshot.
func (m *matcher) restOfNow(from, to int) {
	m.found = m.found[:0]
	m.each(m.c.now, from, to, func(row uint32, d *Details) {
		n := len(m.found)
		m.come(row, d, false)
		if f := &m.found[n]; f.old > 0 && !m.differs(f) {
			m.found = m.found[:n]
		}
	})
	m.tell()
}

// restOfOld looks for premises without postcode of the old snapshot that have
// one now, or are gone.
func (m *matcher) restOfOld(from, to int) {
	m.found = m.found[:0]
	m.each(m.c.old, from, to, func(row uint32, d *Details) {
		n := len(m.found)
		m.gone(row, d, false)
		if f := &m.found[n]; f.kind == eventAway {
			if _, ok := (Premises{m.c.now, f.now - 1}).Unit(); !ok {
				m.found = m.found[:n] // it has none now either: restOfNow has it
			}
		}
	})
	m.tell()
}

// each calls f with the details of rows.
func (m *matcher) each(s *Snapshot, from, to int, f func(row uint32, d *Details)) {
	var details [blockRows]Details
	for row := from; row < to; {
		stop := min(to, (row/blockRows+1)*blockRows)
		here := details[:stop-row]
		s.details(here, row)
		for i := range here {
			f(uint32(row+i), &here[i])
		}
		row = stop
	}
}

// differs reports whether there is anything to tell of a premises that is in
// both snapshots.
func (m *matcher) differs(d *difference) bool {
	a, b := Premises{m.c.old, d.old - 1}, Premises{m.c.now, d.now - 1}
	return len(m.outcome(a.Kind()+1, b.Kind()+1).changes) > 0 ||
		a.At() != b.At() || a.Postcode() != b.Postcode() || !bytes.Equal(a.Address(), b.Address())
}

// event fills in what is to be told of a difference.
func (m *matcher) event(e *event, d difference) {
	*e = event{kind: d.kind}
	if d.kind == eventPostcode {
		if d.old > 0 {
			u := Unit{m.c.old, d.old - 1}
			e.was, e.had = u.Entry(), u.inRegister()
			e.now.postcode = e.was.Postcode
		}
		if d.now > 0 {
			u := Unit{m.c.now, d.now - 1}
			e.is, e.has = u.Entry(), u.inRegister()
			e.now.postcode = e.is.Postcode
		}
		return
	}
	var old, now uint32
	if d.old > 0 {
		p := Premises{m.c.old, d.old - 1}
		e.uprn, e.old, old = p.UPRN(), site{p.Postcode(), p.Address(), p.At()}, p.Kind()+1
	}
	if d.now > 0 {
		p := Premises{m.c.now, d.now - 1}
		e.uprn, e.now, now = p.UPRN(), site{p.Postcode(), p.Address(), p.At()}, p.Kind()+1
	}
	e.outcome = m.outcome(old, now)
}

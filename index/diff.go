package index

import (
	"cmp"
	"iter"
	"runtime"
	"slices"
	"sync"

	"coverd/geo"
)

// Diff yields what has changed from one snapshot to another: see [ChangeKind].
// Premises are the same by UPRN; those without by postcode and address, case and
// space aside; those without these by location. Changes come in directory order
// of postcode, those of none last, then of UPRN, address, location, network
// region, CSP and kind.
//
// # Why
//
// Both snapshots are walked outcode by outcode, on all cores, postcode beside
// postcode: nearly all premises stand there on both sides, and what they have in
// common with others is compared once for each pair of kinds. A premises that
// does not is looked up by its UPRN in the other snapshot, so that nothing has to
// be remembered: the differences of some outcodes are held at a time, and those
// of all premises without postcode.
func Diff(old, now *Snapshot) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		var list []Change
		c := newComparer(old, now, runtime.GOMAXPROCS(0))
		c.run(func(e *event) bool {
			list = e.appendChanges(list[:0])
			for i := range list {
				if !yield(list[i]) {
					return false
				}
			}
			return true
		})
	}
}

// CountChanges counts what Diff yields.
func CountChanges(old, now *Snapshot) *Delta {
	c := newComparer(old, now, runtime.GOMAXPROCS(0))
	c.run(func(*event) bool { return true })
	return c.delta()
}

// comparer compares two snapshots.
type comparer struct {
	old, now *Snapshot
	day      Day
	outcodes []outcodePair
	matchers []*matcher
	points   [2]func() []pointRow // of old and now; see byPoint
	track    *tracker             // nil: nobody asks
}

// outcodePair is an outcode, by its place in either snapshot; −1: it is not there.
type outcodePair struct{ old, now int }

// pointRow is a premises that its location tells from others.
type pointRow struct {
	at  geo.Location
	row uint32
}

// restRows is how many premises without postcode are compared at a time.
const restRows = 1 << 14

// newComparer prepares a comparison. Of now, no more need have been read than
// its sections and its facts.
func newComparer(old, now *Snapshot, workers int) *comparer {
	c := &comparer{old: old, now: now, day: now.info.AsOf}
	i, k := 0, 0
	for i < len(old.outcodes) || k < len(now.outcodes) {
		p := outcodePair{-1, -1}
		if i < len(old.outcodes) && (k == len(now.outcodes) || old.outcodes[i].key <= now.outcodes[k].key) {
			p.old = i
		}
		if k < len(now.outcodes) && (i == len(old.outcodes) || now.outcodes[k].key <= old.outcodes[i].key) {
			p.now = k
		}
		if p.old >= 0 {
			i++
		}
		if p.now >= 0 {
			k++
		}
		c.outcodes = append(c.outcodes, p)
	}
	for range workers {
		c.matchers = append(c.matchers, &matcher{c: c, outcomes: map[uint64]*outcome{}, csps: map[string]*CSPDelta{}, outcodes: map[geo.Outcode]*OutcodeDelta{}})
	}
	for side, s := range []*Snapshot{old, now} {
		c.points[side] = sync.OnceValue(func() []pointRow { return s.byPoint(workers) })
	}
	return c
}

// rest returns where a snapshot's premises without postcode begin.
func (s *Snapshot) rest() int {
	n := s.groupUnit.n
	if n == 0 {
		return 0
	}
	_, end := Unit{s, uint32(s.groupUnit.at(n - 1))}.premises()
	return end
}

// run yields every event, in order, until use returns false.
func (c *comparer) run(use func(*event) bool) {
	oldRest, nowRest := c.old.rest(), c.now.rest()
	oldParts := (c.old.premises.n - oldRest + restRows - 1) / restRows
	nowParts := (c.now.premises.n - nowRest + restRows - 1) / restRows
	n, reader := len(c.outcodes), newMatcherReader(c)
	var rest []difference
	left := n
	inOrder(n+nowParts+oldParts, len(c.matchers), func(worker, i int, list []difference) []difference {
		m := c.matchers[worker]
		m.list = list
		switch i -= n; {
		case i < 0:
			m.outcode(c.outcodes[i+n])
		case i < nowParts:
			m.restOfNow(nowRest+i*restRows, min(c.now.premises.n, nowRest+(i+1)*restRows))
		default:
			i -= nowParts
			m.restOfOld(oldRest+i*restRows, min(c.old.premises.n, oldRest+(i+1)*restRows))
		}
		return m.list
	}, func(list []difference) bool {
		if left--; left < 0 { // those without postcode: in order only once all are there
			rest = append(rest, list...)
			return true
		}
		return reader.all(list, use)
	})
	if left > 0 {
		return
	}
	reader.sort(rest)
	reader.all(rest, use)
}

// difference is an event under way: rows of premises or numbers of postcodes in
// the two snapshots, plus 1; 0: it is not there.
type difference struct {
	kind     eventKind
	old, now uint32
}

// matcherReader makes events of differences, on a goroutine of its own.
type matcherReader struct{ m *matcher }

func newMatcherReader(c *comparer) matcherReader {
	return matcherReader{&matcher{c: c, outcomes: map[uint64]*outcome{}}}
}

func (r matcherReader) all(list []difference, use func(*event) bool) bool {
	var e event
	for _, d := range list {
		r.m.event(&e, d)
		if !use(&e) {
			return false
		}
	}
	return true
}

// sort puts differences of premises without postcode in order.
func (r matcherReader) sort(list []difference) {
	type keyed struct {
		uprn geo.UPRN
		difference
	}
	keys := make([]keyed, len(list))
	for i, d := range list {
		keys[i].difference = d
		if d.old > 0 {
			keys[i].uprn = Premises{r.m.c.old, d.old - 1}.UPRN()
		} else {
			keys[i].uprn = Premises{r.m.c.now, d.now - 1}.UPRN()
		}
	}
	var x, y event
	slices.SortFunc(keys, func(a, b keyed) int {
		if a.uprn != b.uprn {
			return cmp.Compare(a.uprn, b.uprn)
		}
		r.m.event(&x, a.difference)
		r.m.event(&y, b.difference)
		return x.compare(&y)
	})
	for i := range keys {
		list[i] = keys[i].difference
	}
}

// delta returns what has been counted. The comparison must have run to its end.
func (c *comparer) delta() *Delta {
	d := &Delta{CSPs: []CSPDelta{}, Outcodes: []OutcodeDelta{}}
	csps, outcodes := map[string]*CSPDelta{}, map[geo.Outcode]*OutcodeDelta{}
	for _, m := range c.matchers {
		m.flush()
		for k, n := range m.kinds {
			d.Kinds[k] += n
		}
		for name, x := range m.csps {
			y := at(csps, name)
			y.CSP = name
			y.add(1, x)
		}
		for o, x := range m.outcodes {
			y := at(outcodes, o)
			y.Outcode = o
			y.Changes, y.Gained, y.Lost, y.StateChanged = y.Changes+x.Changes, y.Gained+x.Gained, y.Lost+x.Lost, y.StateChanged+x.StateChanged
		}
	}
	for _, x := range csps {
		d.CSPs = append(d.CSPs, *x)
	}
	for _, x := range outcodes {
		d.Outcodes = append(d.Outcodes, *x)
	}
	slices.SortFunc(d.CSPs, func(a, b CSPDelta) int { return cmp.Compare(a.CSP, b.CSP) })
	slices.SortFunc(d.Outcodes, func(a, b OutcodeDelta) int { return compareOutcode(a.Outcode, b.Outcode) })
	return d
}

// at returns the entry of a map, made where there is none.
func at[K comparable, V any](m map[K]*V, k K) *V {
	v := m[k]
	if v == nil {
		v = new(V)
		m[k] = v
	}
	return v
}

// byPoint lists the premises that are told apart by their location: those
// without UPRN that lack a postcode or an address.
func (s *Snapshot) byPoint(workers int) []pointRow {
	list := gather(blocksOf(s.premises.n), workers, func(block int, list []pointRow) []pointRow {
		var details [blockRows]Details
		from := block * blockRows
		here := details[:min(blockRows, s.premises.n-from)]
		s.details(here, from)
		for i := range here {
			d := &here[i]
			if d.UPRN != 0 || !d.At.IsValid() {
				continue
			}
			if _, ok := (Premises{s, uint32(from + i)}).Unit(); !ok || len(d.Address) == 0 {
				list = append(list, pointRow{d.At, uint32(from + i)})
			}
		}
		return list
	})
	sortParallel(list, workers, func(a, b pointRow) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.row, b.row)) })
	return list
}

// atPoint finds a premises of byPoint.
func atPoint(list []pointRow, at geo.Location) (row uint32, ok bool) {
	i, ok := slices.BinarySearchFunc(list, at, func(p pointRow, at geo.Location) int { return p.at.Compare(at) })
	if !ok {
		return 0, false
	}
	return list[i].row, true
}

package index

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"sync"

	"coverd/geo"
)

// RowRef is where a row stands: the caller's number of its file, and its line.
type RowRef struct{ File, Line uint32 }

// Conflict is a set of rows that make different claims for one premises, one
// network region and one CSP. None of them is in the snapshot.
type Conflict struct {
	Rows     []RowRef // in order of file and line
	UPRN     geo.UPRN
	Postcode geo.Postcode
	Address  string
	Network  NetworkRegion
	CSP      string
}

// premises is a premises under way.
type premises struct {
	uprn     geo.UPRN
	at       geo.Location
	postcode geo.Postcode
	address  uint32 // rank
	set      uint32
	region   geo.Region
	basis    Basis
	conflict bool
}

// merger turns rows into premises: identity, disagreement, conflict, and the
// claims that areas lend. Rows arrive in any order and leave no trace of it.
type merger struct {
	b         *Builder
	claims    []Claim  // in order
	briefs    []brief  // by claim
	rankOf    []uint32 // by ClaimID
	ranks     []uint32 // by AddressID
	addresses []string // in order; 0 is ""
	fold      []uint32 // by address rank: addresses that differ in case and space alone have the same number
	areas     *areas
	lender    *lender
}

// brief is what merging asks of a claim, 20 bytes to the claim's 136.
type brief struct {
	content uint32 // claims that differ in their as-of alone have the same
	about   uint32 // claims of one CSP on one network region have the same
	asOf    Day
	precede uint32 // the CSP's precedence
	network NetworkRegion
	future  bool // it is available, with a date after its as-of
}

// newMerger puts claims and addresses into their final order.
func (b *Builder) newMerger() *merger {
	m := &merger{b: b}

	areaClaims := make([]Claim, len(b.areas))
	shapes := make([]geo.MultiPolygon, len(b.areas))
	for i, a := range b.areas {
		areaClaims[i], shapes[i] = a.Claim, a.Shape
	}
	m.claims = slices.Concat(b.claims, areaClaims)
	slices.SortFunc(m.claims, func(x, y Claim) int { return x.Compare(&y) })
	m.claims = slices.Compact(m.claims)
	rank := make(map[Claim]uint32, len(m.claims))
	contents, abouts := map[Claim]uint32{}, map[Claim]uint32{}
	number := func(codes map[Claim]uint32, c Claim) uint32 {
		code, ok := codes[c]
		if !ok {
			code = uint32(len(codes))
			codes[c] = code
		}
		return code
	}
	for i, c := range m.claims {
		rank[c] = uint32(i)
		f := brief{
			asOf: c.AsOf, precede: uint32(b.csps[c.CSP]), network: c.Network,
			future: c.Availability == AvailabilityTrue && c.Anticipated > c.AsOf,
			about:  number(abouts, Claim{CSP: c.CSP, Network: c.Network}),
		}
		c.AsOf = 0
		f.content = number(contents, c)
		m.briefs = append(m.briefs, f)
	}
	for _, c := range b.claims {
		m.rankOf = append(m.rankOf, rank[c])
	}
	codes := make([]uint32, len(areaClaims))
	for i, c := range areaClaims {
		codes[i] = rank[c]
	}
	m.areas = newAreas(geo.NewMesh(shapes), codes)
	m.lender = newLender(m.areas)
	m.rankAddresses()
	return m
}

// merged is what came of all rows, beside the premises.
type merged struct {
	sets      [][]uint32 // items: claim rank, doubled, plus 1 if an area lends it
	conflicts []Conflict
	same      int64 // rows that said the same as another
	future    int64 // available claims with a date after their as-of
}

// resolve turns the rows into premises, in their place, and lets go of what was
// only needed for that.
func (m *merger) resolve(ctx context.Context, workers int, progress func(done, total int64)) (*merged, error) {
	total := int64(m.b.rows.len())
	if err := m.join(ctx, workers); err != nil {
		return nil, err
	}
	ws := make([]*worker, workers)
	for i := range ws {
		ws[i] = newWorker()
	}
	var mu sync.Mutex // guards the count
	done := int64(0)
	err := m.b.rows.each(ctx, workers, func(k int, b *bucket) {
		n := int64(b.n)
		m.resolveBucket(ws[k], b)
		b.worker = k
		mu.Lock()
		defer mu.Unlock()
		done += n
		progress(done, total)
	})
	if err != nil {
		return nil, err
	}
	m.lender, m.b.locator = nil, nil
	m.rankOf, m.ranks, m.fold, m.briefs = nil, nil, nil, nil
	all := m.gather(ws)
	for b := range m.b.rows.all {
		b.sets = ws[b.worker].final
	}
	return all, nil
}

// resolveBucket writes premises over the rows of a bucket. Group j starts at
// row j or after it, so all rows up to j are of groups up to j and not needed
// any more when premises j is written there.
func (m *merger) resolveBucket(w *worker, b *bucket) {
	m.group(&w.grouper, b)
	for j, head := range w.heads {
		p := m.one(w, m.rowsOf(w, b, head))
		*b.at(j) = row{
			key: uint64(p.uprn) << 24, at: p.at, postcode: p.postcode,
			address: p.address, claim: p.set, line: uint32(flags(p.region, p.basis, p.conflict)),
		}
	}
	b.cut(len(w.heads))
}

// rowsOf copies the rows of a group, with the ranks of claims and addresses.
func (m *merger) rowsOf(w *worker, b *bucket, head uint32) []Row {
	w.rows = w.rows[:0]
	for i := head + 1; i > 0; i = w.next[i-1] {
		r := b.at(int(i - 1))
		w.rows = append(w.rows, Row{
			UPRN: r.uprn(), At: r.at, Postcode: r.postcode,
			Address: AddressID(m.ranks[r.address]), Claim: ClaimID(m.rankOf[r.claim]),
			File: uint32(r.key & (MaxFiles - 1)), Line: r.line,
		})
	}
	return w.rows
}

// worker is what one goroutine has made of its rows, and its scratch memory.
type worker struct {
	merged
	codes map[string]uint32 // of sets
	final []uint32          // by code: the code in the end
	last  []uint32          // the set before, which neighbours often share
	code  uint32            // its code

	grouper
	rows  []Row
	items []uint32
	areas []uint32
	key   []byte
}

func newWorker() *worker { return &worker{codes: map[string]uint32{}} }

// one makes a premises of its rows.
func (m *merger) one(w *worker, rows []Row) premises {
	p := premises{uprn: rows[0].UPRN}
	p.postcode, p.address, p.at = m.decide(rows)
	// Claims are ordered by network region and CSP first.
	if len(rows) > 1 {
		slices.SortFunc(rows, func(a, b Row) int {
			if a.Claim != b.Claim {
				return cmp.Compare(a.Claim, b.Claim)
			}
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
	}
	w.items = w.items[:0]
	var networks networkSet
	for len(rows) > 0 {
		n, differ := 1, false // of rows by one CSP on one network region
		first := &m.briefs[rows[0].Claim]
		for n < len(rows) && m.briefs[rows[n].Claim].about == first.about {
			differ = differ || m.briefs[rows[n].Claim].content != first.content
			n++
		}
		last := rows[n-1].Claim // the latest as-of of equal claims
		switch {
		case first.network == NoNetwork: // rows that mark, and claim nothing
			p.conflict = true
		case differ:
			p.conflict = true
			w.conflicts = append(w.conflicts, m.conflict(&p, rows[:n]))
		default:
			w.same += int64(n - 1)
			if m.briefs[last].future {
				w.future++
			}
			networks = networks.with(first.network)
			w.items = append(w.items, uint32(last)<<1)
		}
		rows = rows[n:]
	}
	if p.at.IsValid() {
		at := p.at.LatLng()
		a := m.b.Locate(at)
		p.region, p.basis = a.Region, a.Basis
		own := len(w.items)
		w.areas = m.lender.appendAt(w.areas[:0], at)
		for _, i := range w.areas {
			code := m.areas.claims[i]
			if network := m.briefs[code].network; !networks.has(network) {
				networks = networks.with(network)
				w.items = append(w.items, code<<1|1)
			}
		}
		if len(w.items) > own {
			slices.Sort(w.items)
		}
	}
	p.set = w.set()
	return p
}

// set interns the worker's items.
func (w *worker) set() uint32 {
	if slices.Equal(w.items, w.last) && len(w.sets) > 0 {
		return w.code
	}
	w.key = w.key[:0]
	for _, it := range w.items {
		w.key = binary.BigEndian.AppendUint32(w.key, it)
	}
	code, ok := w.codes[string(w.key)]
	if !ok {
		code = uint32(len(w.sets))
		w.sets = append(w.sets, slices.Clone(w.items))
		w.codes[string(w.key)] = code
	}
	w.last, w.code = append(w.last[:0], w.items...), code
	return code
}

func (m *merger) conflict(p *premises, rows []Row) Conflict {
	c := Conflict{
		UPRN: p.uprn, Postcode: p.postcode, Address: m.addresses[p.address],
		Network: m.claims[rows[0].Claim].Network, CSP: m.claims[rows[0].Claim].CSP,
	}
	for _, r := range rows {
		c.Rows = append(c.Rows, RowRef{r.File, r.Line})
	}
	slices.SortFunc(c.Rows, RowRef.compare)
	return c
}

func (r RowRef) compare(s RowRef) int {
	return cmp.Or(cmp.Compare(r.File, s.File), cmp.Compare(r.Line, s.Line))
}

// gather joins what the workers have made and numbers claim sets in order.
func (m *merger) gather(ws []*worker) *merged {
	var all merged
	for _, w := range ws {
		all.sets = append(all.sets, w.sets...)
		all.conflicts = append(all.conflicts, w.conflicts...)
		all.same += w.same
		all.future += w.future
	}
	slices.SortFunc(all.sets, slices.Compare)
	all.sets = slices.CompactFunc(all.sets, slices.Equal)
	for _, w := range ws {
		w.final = make([]uint32, len(w.sets))
		for code, items := range w.sets {
			i, _ := slices.BinarySearchFunc(all.sets, items, slices.Compare)
			w.final[code] = uint32(i)
		}
	}
	slices.SortFunc(all.conflicts, func(a, b Conflict) int { return a.Rows[0].compare(b.Rows[0]) })
	return &all
}

// prune drops the claims that no premises and no area has: those of
// conflicting rows. The order of the others stays.
func (m *merger) prune(all *merged) {
	used := make([]bool, len(m.claims))
	for _, items := range all.sets {
		for _, it := range items {
			used[it>>1] = true
		}
	}
	for _, c := range m.areas.claims {
		used[c] = true
	}
	final := make([]uint32, len(m.claims))
	var kept []Claim
	for i, u := range used {
		if final[i] = uint32(len(kept)); u {
			kept = append(kept, m.claims[i])
		}
	}
	for _, items := range all.sets {
		for i, it := range items {
			items[i] = final[it>>1]<<1 | it&1
		}
	}
	for i, c := range m.areas.claims {
		m.areas.claims[i] = final[c]
	}
	m.claims = kept
}

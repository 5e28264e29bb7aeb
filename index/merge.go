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
	content   []uint32 // claims that differ in their as-of alone have the same number
	precede   []int    // by claim: its CSP's precedence
	rankOf    []uint32 // by ClaimID
	addresses []string // in order; 0 is ""
	fold      []uint32 // by address rank: addresses that differ in case and space alone have the same number
	areas     *areas
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
	contents := map[Claim]uint32{}
	for i, c := range m.claims {
		rank[c] = uint32(i)
		m.precede = append(m.precede, b.csps[c.CSP])
		c.AsOf = 0
		id, ok := contents[c]
		if !ok {
			id = uint32(len(contents))
			contents[c] = id
		}
		m.content = append(m.content, id)
	}
	for _, c := range b.claims {
		m.rankOf = append(m.rankOf, rank[c])
	}
	codes := make([]uint32, len(areaClaims))
	for i, c := range areaClaims {
		codes[i] = rank[c]
	}
	m.areas = newAreas(geo.NewMesh(shapes), codes)
	return m
}

// merged is what one worker has made of its rows.
type merged struct {
	premises  []premises
	sets      [][]uint32 // items: claim rank, doubled, plus 1 if an area lends it
	setCodes  map[string]uint32
	conflicts []Conflict
	same      int64 // rows that said the same as another
	future    int64 // available claims with a date after their as-of
}

// resolve turns sorted rows into premises, workers at a time.
func (m *merger) resolve(ctx context.Context, workers int, progress func(done, total int64)) (*merged, error) {
	rows, n := m.gather()
	sortRows(rows[:n], workers)
	joined, alone := m.join(rows, n)

	// Cut at premises, so that no worker sees half of one.
	var parts [][]Row
	for i := 0; i < n; {
		j := min(n, i+1<<16)
		for j < n && rows[j].UPRN == rows[j-1].UPRN {
			j++
		}
		parts = append(parts, rows[i:j])
		i = j
	}
	out := make([]merged, len(parts)+1)
	next, done := make(chan int), make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			var w worker
			for i := range next {
				out[i] = m.resolvePart(&w, parts[i], joined)
				done <- len(parts[i])
			}
		})
	}
	go func() { // ends when next is drained or ctx is
		defer close(next)
		for i := range parts {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() { wg.Wait(); close(done) }()
	sum := int64(0)
	for k := range done {
		sum += int64(k)
		progress(sum, int64(len(rows)))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var w worker
	res := &out[len(parts)]
	*res = merged{setCodes: map[string]uint32{}}
	for g := range groups(alone, func(a, b *Row) bool { return m.key(a) == m.key(b) }) {
		m.one(res, &w, g)
	}
	progress(int64(len(rows)), int64(len(rows)))
	return m.gatherParts(out), nil
}

// resolvePart handles rows with UPRNs, and the joined rows of those UPRNs.
func (m *merger) resolvePart(w *worker, rows, joined []Row) merged {
	res := merged{premises: make([]premises, 0, len(rows)), setCodes: map[string]uint32{}}
	j, _ := slices.BinarySearchFunc(joined, rows[0].UPRN, func(r Row, u geo.UPRN) int { return cmp.Compare(r.UPRN, u) })
	for g := range groups(rows, func(a, b *Row) bool { return a.UPRN == b.UPRN }) {
		k := j
		for k < len(joined) && joined[k].UPRN == g[0].UPRN {
			k++
		}
		if k > j {
			g = append(g, joined[j:k]...) // copies: g is at capacity
			j = k
		}
		m.one(&res, w, g)
	}
	return res
}

// worker is scratch memory.
type worker struct {
	items []uint32
	areas []uint32
	key   []byte
}

// one makes a premises of its rows.
func (m *merger) one(res *merged, w *worker, rows []Row) {
	p := premises{uprn: rows[0].UPRN}
	p.postcode, p.address, p.at = m.decide(rows)
	// Claims are ordered by network region and CSP first.
	if len(rows) > 1 {
		slices.SortFunc(rows, func(a, b Row) int {
			return cmp.Or(cmp.Compare(a.Claim, b.Claim), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
	}
	w.items = w.items[:0]
	var networks [Networks]bool
	for g := range groups(rows, func(a, b *Row) bool {
		x, y := &m.claims[a.Claim], &m.claims[b.Claim]
		return x.Network == y.Network && x.CSP == y.CSP
	}) {
		last := g[len(g)-1] // the latest as-of of equal claims
		if slices.ContainsFunc(g, func(r Row) bool { return m.content[r.Claim] != m.content[last.Claim] }) {
			p.conflict = true
			res.conflicts = append(res.conflicts, m.conflict(&p, g))
			continue
		}
		c := &m.claims[last.Claim]
		res.same += int64(len(g) - 1)
		if c.Availability == AvailabilityTrue && c.Anticipated > c.AsOf {
			res.future++
		}
		networks[c.Network] = true
		w.items = append(w.items, uint32(last.Claim)<<1)
	}
	if p.at.IsValid() {
		at := p.at.LatLng()
		a := m.b.regions.locate(at)
		p.region, p.basis = a.Region, a.Basis
		w.areas = m.areas.appendAt(w.areas[:0], at)
		for _, i := range w.areas {
			if code := m.areas.claims[i]; !networks[m.claims[code].Network] {
				networks[m.claims[code].Network] = true
				w.items = append(w.items, code<<1|1)
			}
		}
		slices.Sort(w.items)
	}
	p.set = res.set(w)
	res.premises = append(res.premises, p)
}

// set interns the worker's items.
func (res *merged) set(w *worker) uint32 {
	w.key = w.key[:0]
	for _, it := range w.items {
		w.key = binary.BigEndian.AppendUint32(w.key, it)
	}
	code, ok := res.setCodes[string(w.key)]
	if !ok {
		code = uint32(len(res.sets))
		res.sets = append(res.sets, slices.Clone(w.items))
		res.setCodes[string(w.key)] = code
	}
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

// gatherParts joins the workers' results and numbers claim sets in order.
func (m *merger) gatherParts(parts []merged) *merged {
	var all merged
	codes := map[string]uint32{}
	n := 0
	for i := range parts {
		n += len(parts[i].premises)
		for k := range parts[i].setCodes {
			codes[k] = 0
		}
	}
	keys := make([]string, 0, len(codes))
	for k := range codes {
		keys = append(keys, k)
	}
	slices.Sort(keys) // big-endian items: the order of their numbers
	for i, k := range keys {
		codes[k] = uint32(i)
		items := make([]uint32, len(k)/4)
		for j := range items {
			items[j] = binary.BigEndian.Uint32([]byte(k[4*j:]))
		}
		all.sets = append(all.sets, items)
	}
	all.premises = make([]premises, 0, n)
	for i := range parts {
		part := &parts[i]
		final := make([]uint32, len(part.sets))
		for k, code := range part.setCodes {
			final[code] = codes[k]
		}
		for _, p := range part.premises {
			p.set = final[p.set]
			all.premises = append(all.premises, p)
		}
		all.conflicts = append(all.conflicts, part.conflicts...)
		all.same += part.same
		all.future += part.future
		*part = merged{}
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

package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"coverd/geo"
)

// Report counts what became of the facts.
type Report struct {
	Rows            int64 // rows added
	Premises        int64
	Merged          int64      // rows that said the same as another
	Conflicts       []Conflict // in order of their first row
	RegionMismatch  int64      // claims on a network region of another Region than their premises'
	FutureDates     int64      // available claims with an anticipated date after their as-of
	WithoutLocation int64      // premises
	WithoutPostcode int64      // premises
	WithoutUPRN     int64      // premises
	NotInRegister   int64      // postcodes of premises that the register does not hold
	NotInExtracts   int64      // live postcodes of the register without premises
	Tally
	Lagging []Entry // the live postcodes without premises, in directory order
}

// Built is a snapshot ready to be written.
type Built struct {
	Report Report
	// Delta counts what has changed since Options.Previous; nil without.
	Delta  *Delta
	b      *Builder
	info   Info
	packed []packed
}

// Build resolves identity and conflicts, allocates Regions, lends area claims,
// and freezes it all. The Builder is used up.
func (b *Builder) Build(ctx context.Context) (*Built, error) {
	workers := runtime.GOMAXPROCS(0)
	tell := func(stage string) func(done, total int64) {
		return func(done, total int64) {
			if b.o.Progress != nil {
				b.o.Progress(stage, done, total)
			}
		}
	}
	out := &Built{b: b}
	out.Report.Rows = int64(b.rows.len())
	m := b.newMerger()
	tell("merge")(0, out.Report.Rows)
	all, err := m.resolve(ctx, workers, tell("merge"))
	if err != nil {
		return nil, err
	}
	m.prune(all)
	tell("order")(0, 1)
	l, err := m.layOut(ctx, workers)
	if err != nil {
		return nil, err
	}
	tell("order")(1, 1)

	tell("freeze")(0, 1)
	out.count(m, l, all)
	out.info = b.info(m, l, all)
	if err := out.info.withinLimits(); err != nil {
		return nil, err
	}
	sections := m.sections(l, all)
	now, r, err := readBack(sections, &out.info, workers)
	if err != nil {
		return nil, err
	}
	out.info.ContentDigest = now.contentDigest(workers)
	tell("freeze")(1, 1)

	tell("calibrate")(0, 1)
	now.index(workers)
	if c := now.calibrate(calibrationPostcodes, workers); c != nil {
		sections = append(sections, section{sectionEstimates, c.appendTo(nil)})
	}
	tell("calibrate")(1, 1)

	tell("compress")(0, 1)
	if out.packed, err = pack(sections, workers); err != nil {
		return nil, err
	}
	tell("compress")(1, 1)
	if b.o.Previous != nil {
		tell("compare")(0, 1)
		if err := out.remember(now, r); err != nil {
			return nil, err
		}
		tell("compare")(1, 1)
	}
	return out, ctx.Err()
}

// remember compares with the snapshot before, and adds the journal and the
// history. r has read now.
func (o *Built) remember(now *Snapshot, r *reader) error {
	rest := 0
	for i := range o.packed {
		rest += len(o.packed[i].stored)
	}
	c := newComparer(o.b.o.Previous, now, r.workers)
	c.track = newTracker(c.old, c.now)
	sections, delta, err := journalSections(c, rest)
	if err != nil {
		return err
	}
	past, err := c.history(r, sections, max(rest/pastShare, pastFloor))
	if err != nil {
		return err
	}
	sections = append(sections, past...)
	more, err := pack(sections, r.workers)
	o.Delta, o.packed = delta, append(o.packed, more...)
	return err
}

// history returns the sections of the history. It is left out, to begin anew
// with the next night, where a reader would have to refuse it as too large.
func (c *comparer) history(r *reader, journal []section, room int) ([]section, error) {
	var lost []uint32
	for _, m := range c.matchers {
		lost = append(lost, m.lost...)
	}
	sections := historySections(c.old, c.now, c.track, lost, room, r.workers)
	for _, s := range slices.Concat(journal, sections) {
		r.raws[s.name] = s.raw
		r.budget.bytes.Add(int64(len(s.raw)))
	}
	r.take(sectionChangeHead, len(r.raws[sectionChangeHead]), 16)
	if c.now.readHistory(r); errors.Is(r.err, errBudget) {
		return nil, nil
	}
	return sections, r.err
}

// readBack reads the sections as any reader of the file would, which proves that
// it can. What they contain can be told from the result, nothing be found by
// place.
func readBack(sections []section, info *Info, workers int) (*Snapshot, *reader, error) {
	meta, err := json.Marshal(info)
	if err != nil {
		return nil, nil, err
	}
	raws := map[string][]byte{sectionMeta: meta}
	for _, s := range sections {
		raws[s.name] = s.raw
	}
	r := newReader(raws, workers)
	s := &Snapshot{}
	if s.read(r); r.err != nil {
		return nil, nil, fmt.Errorf("the snapshot cannot be read back: %w", r.err)
	}
	s.readFacts()
	return s, r, nil
}

// WriteTo writes the snapshot file. It may be called more than once; the bytes
// are the same unless SetSources, SetBaselines or SetOverrides was called in
// between.
func (o *Built) WriteTo(w io.Writer) (int64, error) {
	o.info.Sources, o.info.Overrides = o.b.sources, o.b.overrides
	meta, err := json.Marshal(&o.info)
	if err != nil {
		return 0, err
	}
	first := []section{{sectionMeta, meta}}
	if o.b.baselines != nil {
		counts, err := json.Marshal(o.b.baselines)
		if err != nil {
			return 0, err
		}
		first = append(first, section{sectionBaselines, counts})
	}
	head, err := pack(first, 1)
	if err != nil {
		return 0, err
	}
	return writeFile(w, append(head, o.packed...))
}

// Repeats reports whether the snapshot has been made before: of the same files,
// with the same result. That it would be built on s is then all that tells it
// from s.
func (o *Built) Repeats(s *Snapshot) bool {
	text := func(i Info) string {
		i.ID, i.FormatVersion, i.Bytes, i.Memory, i.Sections, i.Previous, i.HistoryFrom = "", 0, 0, 0, nil, "", 0
		b, err := json.Marshal(&i)
		if err != nil {
			return ""
		}
		return string(b)
	}
	now := o.info
	now.Sources, now.Overrides = o.b.sources, o.b.overrides
	return text(now) == text(s.info)
}

func (o *Built) count(m *merger, l *layout, all *merged) {
	r := &o.Report
	r.Premises, r.Merged, r.Conflicts, r.FutureDates = int64(len(l.premises)), all.same, all.conflicts, all.future
	r.Tally = m.tally(l, all)
	for i := range l.premises {
		p := &l.premises[i]
		for _, it := range all.sets[p.set] {
			network := m.claims[it>>1].Network.Region()
			if it&1 == 0 && network != geo.NoRegion && p.region != geo.NoRegion && network != p.region {
				r.RegionMismatch++
			}
		}
		if !p.at.IsValid() {
			r.WithoutLocation++
		}
		if !p.postcode.IsValid() {
			r.WithoutPostcode++
		}
		if p.uprn == 0 {
			r.WithoutUPRN++
		}
	}
	for i := range l.units {
		switch u := &l.units[i]; {
		case !u.inRegister:
			r.NotInRegister++
		case u.n == 0 && u.Status() == Live:
			r.NotInExtracts++
			r.Lagging = append(r.Lagging, u.Entry)
		}
	}
}

// Section names; FORMAT.md says what each holds.
const (
	sectionMeta      = "meta"
	sectionBaselines = "base.counts"
	sectionClaims    = "claims"
	sectionSetEnds   = "set.end"
	sectionSetItems  = "set.item"
	sectionAddrText  = "addr.text"
	sectionAddrEnds  = "addr.end"
	sectionKinds     = "kind"
	sectionPremBox   = "prem.box"
	sectionPremLoc   = "prem.loc"
	sectionPremHead  = "prem.head"
	sectionPremBits  = "prem.bits"
	sectionRunHead   = "run.head"
	sectionRunBits   = "run.bits"
	sectionOddHead   = "odd.head"
	sectionOddBits   = "odd.bits"
	sectionUnitOut   = "unit.out"
	sectionUnitMap   = "unit.map"
	sectionUnits     = "unit"
	sectionGroupUnit = "group.unit"
	sectionPoints    = "point.unit"
	sectionPointBox  = "point.box"
	sectionPointLoc  = "point.loc"
	sectionProfEnds  = "prof.end"
	sectionProfItems = "prof.item"
	sectionProfCount = "prof.count"
	sectionAreaClaim = "area.claim"
	sectionEstimates = "est.table" // where there was enough to hold out

	sectionChangeHead = "change.head" // where there was a snapshot before
	sectionChangeLog  = "change.log"
)

// sections packs every column, in the order of FORMAT.md. Premises take as long
// as all the rest, and both have parts that only one worker can do, so they are
// packed side by side.
func (m *merger) sections(l *layout, all *merged) []section {
	var parts [3][]section
	part := func(i int, write func(add addFunc, col colFunc)) {
		add := func(name string, raw []byte) { parts[i] = append(parts[i], section{name, raw}) }
		write(add, func(name string, n int, value func(i int) int64) { add(name, columnOf(n, value)) })
	}
	var rest sync.WaitGroup
	rest.Go(func() {
		part(0, func(add addFunc, col colFunc) { m.claimSections(all, add, col) })
		part(2, func(add addFunc, col colFunc) { m.placeSections(l, add, col) })
	})
	part(1, func(add addFunc, col colFunc) { m.premisesSections(l, add, col) })
	rest.Wait()
	return slices.Concat(parts[:]...)
}

// claimSections writes the dictionary of claims, and the sets of them.
func (m *merger) claimSections(all *merged, add addFunc, col colFunc) {
	add(sectionClaims, appendClaims(nil, m.claims))
	var items []uint32
	var ends []int64
	for _, s := range all.sets {
		items = append(items, s...)
		ends = append(ends, int64(len(items)))
	}
	col(sectionSetEnds, len(ends), func(i int) int64 { return ends[i] })
	col(sectionSetItems, len(items), func(i int) int64 { return int64(items[i]) })
}

// placeSections writes postcodes, what sectors hold, areas and Regions.
func (m *merger) placeSections(l *layout, add addFunc, col colFunc) {
	unitSections(l, add, col)

	pr := profile(l)
	col(sectionProfEnds, len(pr.ends), func(i int) int64 { return int64(pr.ends[i]) })
	col(sectionProfItems, len(pr.items), func(i int) int64 { return int64(pr.items[i]) })
	col(sectionProfCount, len(pr.counts), func(i int) int64 { return int64(pr.counts[i]) })

	col(sectionAreaClaim, len(m.areas.claims), func(i int) int64 { return int64(m.areas.claims[i]) })
	meshSections("area", &m.areas.mesh, add, col)
	coverSections("region", m.b.regions.cover, add, col)
}

// flags packs Region (bits 0–1), basis (bits 2–4) and one more bit (5).
func flags(r geo.Region, b Basis, bit bool) int64 {
	v := int64(r) | int64(b)<<2
	if bit {
		v |= 1 << 5
	}
	return v
}

// checkFlags checks that there are no more bits, and that every basis is one.
func checkFlags(c *column) error {
	for i := range c.n {
		if f := c.at(i); f&^(1<<6-1) != 0 || Basis(f>>2&7) >= bases {
			return fmt.Errorf("flags %#x", f)
		}
	}
	return nil
}

// info fills in what META says beyond the sources.
func (b *Builder) info(m *merger, l *layout, all *merged) Info {
	outcodes := int64(0)
	for i := range l.units {
		if i == 0 || l.units[i].Postcode.Outcode() != l.units[i-1].Postcode.Outcode() {
			outcodes++
		}
	}
	previous := ""
	if b.o.Previous != nil {
		previous = b.o.Previous.ID()
	}
	return Info{
		Previous:     previous,
		AsOf:         b.o.AsOf,
		Tool:         b.o.Tool,
		Premises:     int64(len(l.premises)),
		Postcodes:    int64(len(l.units)),
		Outcodes:     outcodes,
		Claims:       int64(len(m.claims)),
		ClaimSets:    int64(len(all.sets)),
		Areas:        int64(m.areas.mesh.Len()),
		Indicative:   b.o.Indicative,
		CountsAsWAN:  b.o.CountsAsWAN,
		Prefer:       b.o.Prefer,
		Attributions: b.o.Attributions,
	}
}

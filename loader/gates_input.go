package loader

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"coverd/index"
)

// feed is all that one CSP sent of one kind: what the gates compare with what
// it sent before.
type feed struct {
	csp     string
	kind    Kind
	parts   []int // of the manifest's extracts
	counts  *rowCounts
	before  *index.SourceBaseline // nil: none
	carried *index.Carried        // nil: it came tonight
	missing bool                  // nothing of it came
	partial bool                  // part of it did not come
}

// name is what the gates call it.
func (f *feed) name() string {
	if f.kind == KindAreas {
		return f.csp + " areas"
	}
	return f.csp
}

// few is how many of its rows never trip a gate that judges shares of them: a
// CSP has few coverage areas, and each is large, so that none is too few.
func (f *feed) few() int64 {
	if f.kind == KindAreas {
		return 0
	}
	return few
}

// newFeeds groups the manifest's extracts, in its order.
func (r *run) newFeeds() []*feed {
	var list []*feed
	var base *index.Baselines
	if r.o.Previous != nil {
		base = r.o.Previous.Baselines()
	}
	for i := range r.m.Extracts {
		e := &r.m.Extracts[i]
		k := slices.IndexFunc(list, func(f *feed) bool { return f.csp == e.CSP && f.kind == e.Kind })
		if k < 0 {
			k = len(list)
			list = append(list, &feed{
				csp: e.CSP, kind: e.Kind, counts: newRowCounts(r.m.Gates.DistanceMetres), before: base.Source(e.CSP, string(e.Kind)),
			})
		}
		list[k].parts = append(list[k].parts, i)
	}
	return list
}

// source is the summary of an extract.
func (r *run) source(extract int) *SourceSummary {
	return &r.summary.Sources[1+len(r.m.Registers)+extract]
}

// sums adds up a feed's rows.
func (r *run) sums(f *feed) (rows, accepted, rejected int64) {
	for _, i := range f.parts {
		s := r.source(i)
		rows += s.Rows
		accepted += s.Accepted
		rejected += s.Rejected
	}
	return rows, accepted, rejected
}

// candidate tells how to look at what was refused.
func (r *run) candidate() string {
	return fmt.Sprintf("with the override below, coverd build --manifest %s --previous %s --out candidate.snap; then coverd diff %[2]s candidate.snap",
		r.m.Path, r.previousPath())
}

func (r *run) previousPath() string {
	switch {
	case r.o.PreviousPath != "":
		return r.o.PreviousPath
	case r.o.Previous != nil:
		return r.after() + ".snap"
	}
	return "PREVIOUS"
}

// since names the previous snapshot.
func (r *run) since() string { return "in " + r.after() }

// inputGates judges all that can be judged before the snapshot is made, the
// source's own gates apart.
func (r *run) inputGates() {
	for _, f := range r.feeds {
		if f.missing || f.carried != nil || slices.ContainsFunc(f.parts, func(i int) bool { return r.refused(r.source(i)) }) {
			continue // that is told, and what follows of it need not be
		}
		r.ageGates(f)
		r.distanceGate(f)
		if !f.partial {
			r.sizeGates(f)
			r.emptyGates(f)
		}
	}
	r.registerGates()
	r.goneGates()
}

// goneGates finds what the previous night had and the manifest does not name.
func (r *run) goneGates() {
	if r.o.Previous == nil || r.o.Previous.Baselines() == nil {
		return
	}
	for i := range r.o.Previous.Baselines().Sources {
		s := &r.o.Previous.Baselines().Sources[i]
		f := feed{csp: s.CSP, kind: Kind(s.Kind)}
		if !slices.ContainsFunc(r.feeds, func(f *feed) bool { return f.csp == s.CSP && string(f.kind) == s.Kind }) {
			r.verdict(gateMissing, f.name(), fmt.Sprintf("%s: the manifest names no %s extract of it, and %s there were %s rows: a CSP that sends nothing never makes the snapshot smaller by itself",
				f.name(), s.Kind, r.since(), thousands(s.Accepted)), "coverd inspect "+r.previousPath())
		}
	}
}

// ageGates holds sequence and as-of of a feed to what they were.
func (r *run) ageGates(f *feed) {
	if f.before == nil || len(f.before.Parts) == 0 {
		r.noBaseline(gateSequence, f.name(), "no sequence before this one")
		r.noBaseline(gateAsOf, f.name(), "no as-of before this one")
		return
	}
	var sequences, days, fineSequences, fineDays []string
	for k, i := range f.parts {
		if r.gone(i) {
			continue
		}
		e, now := &r.m.Extracts[i], r.source(i)
		was := f.before.Parts[0]
		paired := len(f.parts) == len(f.before.Parts)
		if paired {
			was = f.before.Parts[k]
		} else {
			for _, b := range f.before.Parts { // the oldest: no later than the one that this follows
				was.Sequence, was.AsOf = min(was.Sequence, b.Sequence), min(was.AsOf, b.AsOf)
			}
		}
		fineSequences = append(fineSequences, fmt.Sprintf("%s has sequence %d, %d %s", e.Pattern, e.Sequence, was.Sequence, r.since()))
		fineDays = append(fineDays, fmt.Sprintf("%s is as of %v, %v %s", e.Pattern, e.AsOf, was.AsOf, r.since()))
		switch {
		case e.Sequence == 0 && was.Sequence != 0:
			now.Warnings = append(now.Warnings, fmt.Sprintf("it has no sequence, and had %d %s: a file sent again would not be noticed", was.Sequence, r.since()))
		case e.Sequence < was.Sequence:
			sequences = append(sequences, fmt.Sprintf("%s has sequence %d, %d lower than %d %s: it is an earlier night's", e.Pattern, e.Sequence, was.Sequence-e.Sequence, was.Sequence, r.since()))
		case e.Sequence == was.Sequence && e.Sequence != 0 && paired && !sameFiles(now.Files, was.Digests):
			sequences = append(sequences, fmt.Sprintf("%s has sequence %d, the same as %s, and is another file: which of the two is right?", e.Pattern, e.Sequence, r.since()))
		}
		if e.AsOf < was.AsOf {
			days = append(days, fmt.Sprintf("%s is as of %v, %d days before %v %s", e.Pattern, e.AsOf, was.AsOf-e.AsOf, was.AsOf, r.since()))
		}
	}
	tell := func(gate string, wrong, fine []string) {
		g := GateResult{Gate: gate, Source: f.name(), Verdict: Passed, Look: "coverd inspect " + r.previousPath()}
		if len(wrong) > 0 {
			g.Verdict, fine = Refused, wrong
		}
		g.Msg = f.name() + ": " + strings.Join(fine, "; ")
		r.result(g, false)
	}
	tell(gateSequence, sequences, fineSequences)
	tell(gateAsOf, days, fineDays)
}

func sameFiles(files []index.File, digests []string) bool {
	now := digestsOf(files)
	was := slices.Clone(digests)
	slices.Sort(now)
	slices.Sort(was)
	return slices.Equal(now, was)
}

func digestsOf(files []index.File) []string {
	list := make([]string, len(files))
	for i := range files {
		list[i] = files[i].SHA256
	}
	return list
}

// sizeGates holds the number of a feed's rows to what it was.
func (r *run) sizeGates(f *feed) {
	t, name := &r.m.Gates, f.name()
	if f.before == nil || f.before.Accepted == 0 {
		for _, g := range []string{gateShrink, gateShrinkArea, gateGrowth} {
			r.noBaseline(g, name, "no rows to compare with")
		}
		return
	}
	_, now, _ := r.sums(f)
	was := f.before.Accepted
	least := f.few()
	say := func(how string, n int64) string {
		return fmt.Sprintf("%s: %s good rows, %s %s: %s %% %s", name, thousands(now), thousands(was), r.since(), percentText(float64(n)/float64(was)), how)
	}
	r.share(gateShrink, name, &measured{
		tonight: now, before: was, value: float64(max(0, was-now)) / float64(was), warn: t.ShrinkWarn, hold: t.Shrink,
		pass: was-now <= least, what: say("fewer", max(0, was-now)), look: r.candidate(),
	})
	r.share(gateGrowth, name, &measured{
		tonight: now, before: was, value: float64(max(0, now-was)) / float64(was), hold: t.Growth,
		pass: now-was <= least, what: say("more", max(0, now-was)), look: r.candidate(),
	})
	var areas []areaShare
	tonight := f.counts.baselines()
	for _, a := range f.before.Areas {
		if a.Area != noArea && float64(a.Rows) >= t.AreaRows {
			areas = append(areas, newAreaShare(a.Area, rowsOfArea(tonight, a.Area), a.Rows))
		}
	}
	r.shrinkAreas(name, "good rows", areas)
}

// areaShare is by how much a postcode area shrank.
type areaShare struct {
	area     string
	now, was int64
	lost     float64
}

func newAreaShare(area string, now, was int64) areaShare {
	return areaShare{area, now, was, float64(max(0, was-now)) / float64(was)}
}

// few reports whether too little is lost to be judged.
func (a areaShare) few() bool { return a.was-a.now <= few }

func rowsOfArea(areas []index.AreaBaseline, area string) int64 {
	s := index.SourceBaseline{Areas: areas}
	if a := s.Area(area); a != nil {
		return a.Rows
	}
	return 0
}

// shrinkAreas judges the postcode area that shrank most.
func (r *run) shrinkAreas(name, of string, areas []areaShare) {
	hold := r.m.Gates.ShrinkArea
	if len(areas) == 0 {
		r.noBaseline(gateShrinkArea, name, fmt.Sprintf("no postcode area had %s %s", thousands(int64(r.m.Gates.AreaRows)), of))
		return
	}
	slices.SortStableFunc(areas, func(a, b areaShare) int { // those of which enough is lost first
		if a.few() != b.few() {
			if b.few() {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.lost, a.lost)
	})
	worst := &areas[0]
	what := fmt.Sprintf("%s: postcode area %s: %s %s, %s %s: %s %% fewer", name, worst.area, thousands(worst.now), of, thousands(worst.was), r.since(), percentText(worst.lost))
	var others []string
	for _, a := range areas[1:] {
		if a.lost > hold && !a.few() && len(others) < maxShown {
			others = append(others, fmt.Sprintf("%s %s %%", a.area, percentText(a.lost)))
		}
	}
	if len(others) > 0 {
		what += " (and " + strings.Join(others, ", ") + ")"
	}
	r.share(gateShrinkArea, name, &measured{
		tonight: worst.now, before: worst.was, value: worst.lost, hold: hold, pass: worst.few(),
		at: worst.area, what: what, look: r.candidate(),
	})
}

// emptyGates finds the column whose cells have become empty most, in all and in
// one postcode area.
func (r *run) emptyGates(f *feed) {
	t, name := &r.m.Gates, f.name()
	base := r.baseColumns()
	tonight := index.SourceBaseline{Areas: f.counts.baselines()}
	if f.before == nil || len(f.before.Areas) == 0 {
		r.noBaseline(gateEmpty, name, "no rows to compare with")
		r.noBaseline(gateEmptyArea, name, "no rows to compare with")
		return
	}
	all, area := measured{value: -1, hold: t.Empty, rise: true}, measured{value: -1, hold: t.EmptyArea, rise: true}
	worse := func(m *measured, column, where string, now, rows, was, wasRows int64) {
		if rows == 0 || wasRows == 0 {
			return
		}
		before := float64(was) / float64(wasRows)
		rise := max(0, float64(now)/float64(rows)-before)
		pass := float64(now)-before*float64(rows) <= float64(f.few())
		if m.value >= 0 && (pass && !m.pass || pass == m.pass && rise <= m.value) {
			return // what is too little to be judged hides nothing else
		}
		m.tonight, m.before, m.value, m.at = now, was, rise, strings.TrimSpace(column+" "+where)
		m.pass = pass
		in := ""
		if where != "" {
			in = " in postcode area " + where
		}
		m.what = fmt.Sprintf("%s: column %s is empty in %s of %s good rows%s (%s %%), %s of %s %s: %s points more", name, column,
			thousands(now), thousands(rows), in, percentText(float64(now)/float64(rows)), thousands(was), thousands(wasRows), r.since(), percentText(rise))
		m.look = r.candidate()
	}
	for c := range numColumns {
		k := slices.Index(base, columnNames[c])
		if k < 0 {
			continue
		}
		now, rows := tonight.Empty(int(c))
		was, wasRows := f.before.Empty(k)
		worse(&all, columnNames[c], "", now, rows, was, wasRows)
		for i := range f.before.Areas {
			b := &f.before.Areas[i]
			if a := tonight.Area(b.Area); a != nil && b.Area != noArea && float64(b.Rows) >= t.AreaRows {
				worse(&area, columnNames[c], b.Area, a.Empty[c], a.Rows, b.Empty[k], b.Rows)
			}
		}
	}
	for _, g := range []struct {
		gate string
		m    *measured
	}{{gateEmpty, &all}, {gateEmptyArea, &area}} {
		switch {
		case g.m.value < 0:
			r.noBaseline(g.gate, name, "no rows to compare with")
			continue
		case g.m.value == 0:
			g.m.at, g.m.what = "", fmt.Sprintf("%s: no column has more empty cells than %s", name, r.since())
		}
		r.share(g.gate, name, g.m)
	}
}

// baseColumns are the columns that the baselines count.
func (r *run) baseColumns() []string {
	if r.o.Previous == nil || r.o.Previous.Baselines() == nil {
		return nil
	}
	return r.o.Previous.Baselines().Columns
}

// distanceGate judges rows that are far from their postcode.
func (r *run) distanceGate(f *feed) {
	t, name := &r.m.Gates, f.name()
	both, far := f.counts.both, f.counts.tooFar
	if both == 0 {
		return
	}
	value := float64(far) / float64(both)
	what := fmt.Sprintf("%s: %s of %s rows with coordinates and postcode (%s %%) are over %s m from where the register has the postcode",
		name, thousands(far), thousands(both), percentText(value), thousands(int64(t.DistanceMetres)))
	var at []string
	for _, row := range f.counts.examples {
		at = append(at, fmt.Sprintf("%s:%d", r.files[row.File].name, row.Line))
	}
	if far > 0 {
		what += ", such as " + strings.Join(at, ", ")
	}
	m := measured{tonight: far, before: both, value: value, hold: t.Distance, pass: far <= few, what: what, look: r.rejectsOf(f)}
	if far > 0 && (m.pass || value <= m.hold) {
		s := r.source(f.parts[0])
		s.Warnings = append(s.Warnings, strings.TrimPrefix(what, name+": "))
	}
	r.share(gateDistance, name, &m)
}

// rejectsOf tells where a feed's rows are.
func (r *run) rejectsOf(f *feed) string {
	return "look at these rows of " + r.source(f.parts[0]).Pattern
}

// registerGates holds the registers to what they were.
func (r *run) registerGates() {
	const name = "register"
	base := r.o.Previous
	if base == nil || base.Baselines() == nil || base.Baselines().Register == nil || base.Baselines().Register.Live == 0 {
		if len(r.m.Registers) > 0 {
			r.noBaseline(gateRegister, name, "no register to compare with")
		}
		return
	}
	was := base.Baselines().Register
	lost := was.Live - r.registers.live
	value := float64(max(0, lost)) / float64(was.Live)
	r.share(gateRegister, name, &measured{
		tonight: r.registers.live, before: was.Live, value: value, hold: r.m.Gates.Register, pass: lost <= few,
		what: fmt.Sprintf("register: %s live postcodes, %s %s: %s %% fewer", thousands(r.registers.live), thousands(was.Live), r.since(), percentText(value)),
		look: r.candidate(),
	})
	var areas []areaShare
	for _, a := range was.Areas {
		if float64(a.Live) >= r.m.Gates.AreaRows {
			areas = append(areas, newAreaShare(a.Area, r.registers.areas[a.Area], a.Live))
		}
	}
	r.shrinkAreas(name, "live postcodes", areas)
}

// dateGates judges the manifest's own day, against the previous snapshot's and
// against the clock.
func (r *run) dateGates() {
	const name = "manifest"
	if p := r.o.Previous; p != nil {
		g := GateResult{Gate: gateAsOf, Source: name, Verdict: Passed, Look: "coverd inspect " + r.previousPath()}
		if was := p.Info().AsOf; r.m.AsOf < was {
			g.Verdict = Refused
			g.Msg = fmt.Sprintf("the manifest is as of %v, %d days before %v %s: time does not run backwards, and no override makes it; to answer from an earlier night again, roll back to its snapshot", r.m.AsOf, was-r.m.AsOf, was, r.since())
		}
		r.result(g, true)
	}
	if r.o.Now.IsZero() || r.m.Gates.FutureHours == 0 {
		return
	}
	// An extract cannot be of a later day than the manifest.
	ahead := r.m.AsOf.Time().Sub(r.o.Now)
	most := time.Duration(r.m.Gates.FutureHours * float64(time.Hour))
	wrong := ""
	if ahead > most {
		wrong = fmt.Sprintf("the manifest is as of %v, which starts in %.0f hours: at most %v are let pass; is the date wrong, or this machine's clock (%s)?",
			r.m.AsOf, ahead.Hours(), r.m.Gates.FutureHours, r.o.Now.UTC().Format(time.RFC3339))
	}
	r.verdict(gateFuture, name, wrong, "date")
}

package index

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
)

// nightOn is the world a night later, with changes of every kind: how many is up
// to rng. The calendar goes on, and all claims are made anew.
func (w *world) nightOn(rng *rand.Rand, changes int) *world {
	next := *w
	next.options.AsOf++
	next.rows, next.entries, next.areas = slices.Clone(w.rows), slices.Clone(w.entries), slices.Clone(w.areas)
	claims := testClaims()
	for i := range next.rows {
		next.rows[i].claim.AsOf++
	}
	for i := range next.areas {
		next.areas[i].Claim.AsOf++
	}
	for range changes {
		if len(next.rows) == 0 {
			break
		}
		r := &next.rows[rng.IntN(len(next.rows))]
		other := next.rows[rng.IntN(len(next.rows))]
		switch rng.IntN(16) {
		case 0:
			r.claim = claims[rng.IntN(len(claims))]
			r.claim.AsOf = next.options.AsOf
		case 1:
			r.claim.Anticipated = next.options.AsOf + Day(rng.IntN(60)-30)
		case 2:
			r.claim.End = next.options.AsOf + Day(rng.IntN(60)-30)
		case 3:
			r.claim.Variant += "+"
		case 4:
			r.claim.Likelihood = Likelihood(rng.IntN(4))
		case 5:
			r.claim.Info = "new"
		case 6:
			if r.UPRN != 0 {
				r.Postcode = other.Postcode
			}
		case 7:
			if r.UPRN != 0 {
				r.address = other.address
			}
		case 8:
			if r.UPRN != 0 {
				r.At = other.At
			}
		case 9:
			*r = next.rows[len(next.rows)-1]
			next.rows = next.rows[:len(next.rows)-1]
		case 10:
			added := other
			added.Line += 1 << 20
			added.UPRN = geo.UPRN(980_000_000_000 + rng.IntN(1000))
			next.rows = append(next.rows, added)
		case 11:
			if r.address != "" && r.Postcode.IsValid() {
				r.UPRN = 0
			}
		case 12:
			if len(next.areas) > 0 {
				next.areas[rng.IntN(len(next.areas))].Claim.Technology += "+"
			}
		case 13:
			if len(next.entries) > 0 {
				e := &next.entries[rng.IntN(len(next.entries))]
				switch rng.IntN(4) {
				case 0:
					e.Terminated, e.TerminatedAfter, e.TerminatedBy = 0, 0, 0
				case 1:
					e.Terminated, _ = ParseMonth("2026-10")
				case 2:
					e.At.Lat += int32(rng.IntN(4000))
				case 3:
					next.entries = slices.DeleteFunc(next.entries, func(f Entry) bool { return f.Postcode == e.Postcode })
				}
			}
		case 14:
			r.address = strings.ToLower(r.address)
		case 15:
			if r.UPRN != 0 {
				r.At.Lng += 17
			}
		}
		if r.UPRN == 0 && !r.At.IsValid() && (r.address == "" || !r.Postcode.IsValid()) {
			r.At = other.At
		}
		if r.UPRN == 0 && !r.At.IsValid() && (r.address == "" || !r.Postcode.IsValid()) {
			r.At = located(52.5, -1.5)
		}
	}
	return &next
}

// slowKey tells premises apart across snapshots; of several with the same (rows
// that give only an address may meet others that give only a postcode) the
// number says which.
type slowKey struct {
	uprn   geo.UPRN
	pc     geo.Postcode
	fold   string
	at     geo.Location
	number int
}

func slowKeys(s *Snapshot) map[slowKey]Premises {
	all := slices.Collect(s.AllPremises())
	slices.SortStableFunc(all, func(a, b Premises) int { return a.At().Compare(b.At()) })
	m := map[slowKey]Premises{}
	for _, p := range all {
		k := slowKey{uprn: p.UPRN()}
		if k.uprn == 0 {
			if p.Postcode().IsValid() && len(p.Address()) > 0 {
				k.pc, k.fold = p.Postcode(), FoldAddress(string(p.Address()))
			} else {
				k.at = p.At()
			}
		}
		for _, taken := m[k]; taken; _, taken = m[k] {
			k.number++
		}
		m[k] = p
	}
	return m
}

// told is a change with what it is ordered by.
type told struct {
	Change
	at geo.Location
}

// slowDiff compares all premises and all postcodes, by maps.
func slowDiff(old, now *Snapshot) []Change {
	day := now.Info().AsOf
	var all []told
	was, is := slowKeys(old), slowKeys(now)
	change := func(p Premises, c Change) {
		c.Postcode, c.UPRN, c.Address = p.Postcode(), p.UPRN(), string(p.Address())
		all = append(all, told{c, p.At()})
	}
	for k, p := range was {
		if _, ok := is[k]; !ok {
			change(p, Change{Kind: PremisesLost, Before: p.State(day).String()})
		}
	}
	for k, p := range is {
		q, ok := was[k]
		if !ok {
			change(p, Change{Kind: PremisesGained, After: p.State(day).String()})
			continue
		}
		if q.Region().Region != p.Region().Region {
			change(p, Change{Kind: RegionMoved, Before: q.Region().Region.String(), After: p.Region().Region.String()})
		}
		if q.Conflict() != p.Conflict() {
			c := Change{Kind: ClaimChanged, Before: "no conflict", After: "conflict"}
			if q.Conflict() {
				c.Before, c.After = c.After, c.Before
			}
			change(p, c)
		}
		var before, after []string
		if q.Postcode() != p.Postcode() {
			before, after = append(before, "postcode: "+orNone(q.Postcode().String())), append(after, "postcode: "+orNone(p.Postcode().String()))
		}
		if q.At() != p.At() {
			before, after = append(before, "location: "+slowAt(q.At())), append(after, "location: "+slowAt(p.At()))
		}
		if !bytes.Equal(q.Address(), p.Address()) {
			before, after = append(before, "address_identifier: "+orNone(string(q.Address()))), append(after, "address_identifier: "+orNone(string(p.Address())))
		}
		if len(before) > 0 {
			c := Change{Kind: DetailsChanged, Before: strings.Join(before, "; "), After: strings.Join(after, "; ")}
			change(p, c)
			if q.Postcode() != p.Postcode() {
				change(q, c)
			}
		}
		for _, c := range slowClaimChanges(q, p, day) {
			change(p, c)
		}
	}
	postcodes := map[geo.Postcode][2]Entry{}
	for i, s := range []*Snapshot{old, now} {
		for u := range s.AllPostcodes() {
			pair := postcodes[u.Postcode()]
			if u.Status() != NotInRegister {
				pair[i] = u.Entry()
			}
			postcodes[u.Postcode()] = pair
		}
	}
	for p, pair := range postcodes {
		status := func(e Entry) string {
			switch {
			case !e.Postcode.IsValid():
				return "not_in_register"
			case e.Terminated != 0:
				return "terminated " + e.Terminated.String()
			case e.TerminatedBy != 0:
				return fmt.Sprintf("terminated between %v and %v", e.TerminatedAfter, e.TerminatedBy)
			}
			return "live"
		}
		before, after := status(pair[0]), status(pair[1])
		kind := map[string]ChangeKind{"not_in_register live": PostcodeNew, "terminated live": PostcodeRestored}
		short := func(s string) string { s, _, _ = strings.Cut(s, " "); return s }
		if short(before) != short(after) {
			k, ok := kind[short(before)+" "+short(after)]
			if !ok {
				k = PostcodeTerminated
			}
			all = append(all, told{Change{Kind: k, Postcode: p, Before: before, After: after}, geo.Location{Lat: -1 << 30}})
		}
		a, b := pair[0].At, pair[1].At
		if pair[0].Postcode.IsValid() && pair[1].Postcode.IsValid() && a.IsValid() != b.IsValid() ||
			a.IsValid() && b.IsValid() && geo.Distance(a.LatLng(), b.LatLng()) > 100 {
			text := func(l geo.Location) string {
				if !l.IsValid() {
					return ""
				}
				return slowAt(l)
			}
			all = append(all, told{Change{Kind: PostcodeMoved, Postcode: p, Before: text(a), After: text(b)}, geo.Location{Lat: -1 << 30}})
		}
	}
	slices.SortFunc(all, func(a, b told) int {
		last := func(c told) int { return b2i(!c.Postcode.IsValid()) }
		premises := func(c told) int { return b2i(c.Kind < PostcodeNew) }
		return cmp.Or(
			cmp.Compare(last(a), last(b)), a.Postcode.Compare(b.Postcode), cmp.Compare(premises(a), premises(b)),
			cmp.Compare(a.UPRN, b.UPRN), strings.Compare(a.Address, b.Address), a.at.Compare(b.at),
			cmp.Compare(a.Network, b.Network), strings.Compare(a.CSP, b.CSP), cmp.Compare(a.Kind, b.Kind))
	})
	var list []Change
	for _, c := range all {
		list = append(list, c.Change)
	}
	return list
}

func orNone(s string) string { return cmp.Or(s, "none") }

func slowAt(l geo.Location) string {
	if !l.IsValid() {
		return "none"
	}
	return fmt.Sprintf("%.6f,%.6f", l.LatLng().Lat, l.LatLng().Lng)
}

// slowClaims are a premises' claims by what they are about; true: of its own.
func slowClaimsOf(p Premises) map[[2]string]held {
	m := map[[2]string]held{}
	set := p.Claims()
	for i := range set.Len() {
		c, lent := set.At(i)
		m[[2]string{c.Network.String(), c.CSP}] = held{c, lent, set.Counts(i)}
	}
	return m
}

func slowClaimChanges(q, p Premises, day Day) (list []Change) {
	was, is := slowClaimsOf(q), slowClaimsOf(p)
	turned := q.State(day) != p.State(day)
	full := func(h held) string {
		var parts []string
		add := func(name, value string) {
			if value != "" {
				parts = append(parts, name+": "+value)
			}
		}
		add("dates", slowDates(h))
		add("wan_variant", h.Variant)
		for _, f := range slowRest(h) {
			if f[0] != "counts_as_wan" {
				add(f[0], f[1])
			}
		}
		return strings.Join(parts, "; ")
	}
	for k, h := range was {
		if _, ok := is[k]; !ok {
			if turned && h.counts {
				list = append(list, Change{Kind: StateChanged, Network: h.Network, CSP: h.CSP, Before: h.On(day).State.String()})
			}
			list = append(list, Change{Kind: ClaimChanged, Network: h.Network, CSP: h.CSP, Before: full(h)})
		}
	}
	for k, h := range is {
		g, ok := was[k]
		like := Change{Network: h.Network, CSP: h.CSP}
		add := func(kind ChangeKind, before, after string) {
			if before != after {
				like.Kind, like.Before, like.After = kind, before, after
				list = append(list, like)
			}
		}
		if !ok {
			if turned && h.counts {
				add(StateChanged, "", h.On(day).State.String())
			}
			add(ClaimChanged, "", full(h))
			continue
		}
		add(StateChanged, g.On(day).State.String(), h.On(day).State.String())
		add(DateMoved, slowDates(g), slowDates(h))
		add(VariantChanged, g.Variant, h.Variant)
		var before, after []string
		b, a := slowRest(g), slowRest(h)
		for i := range b {
			if b[i] != a[i] {
				before, after = append(before, b[i][0]+": "+orNone(b[i][1])), append(after, a[i][0]+": "+orNone(a[i][1]))
			}
		}
		add(ClaimChanged, strings.Join(before, "; "), strings.Join(after, "; "))
	}
	return list
}

func slowDates(h held) string {
	text := ""
	if h.Anticipated != 0 {
		text = "from " + h.Anticipated.String()
	}
	if h.End != 0 {
		text += " until " + h.End.String()
	}
	return strings.TrimSpace(text)
}

func slowRest(h held) [][2]string {
	source := map[bool]string{false: "premises", true: "area"}[h.lent]
	return [][2]string{
		{"coverage_availability", map[Availability]string{AvailabilityTrue: "true", AvailabilityFalse: "false"}[h.Availability]},
		{"claim_source", source},
		{"counts_as_wan", fmt.Sprint(h.counts)},
		{"wan_technology", h.Technology},
		{"connectivity_likelihood", h.Likelihood.String()},
		{"auxiliary_equipment", h.Auxiliary},
		{"additional_information", h.Info},
	}
}

// slowDelta counts changes, and claims one by one.
func slowDelta(old, now *Snapshot, changes []Change) *Delta {
	d := &Delta{CSPs: []CSPDelta{}, Outcodes: []OutcodeDelta{}}
	outcodes := map[geo.Outcode]*OutcodeDelta{}
	for _, c := range changes {
		d.Kinds[c.Kind]++
		o := at(outcodes, c.Postcode.Outcode())
		o.Outcode = c.Postcode.Outcode()
		o.add(c.Kind)
	}
	csps := map[string]*CSPDelta{}
	was, is := slowKeys(old), slowKeys(now)
	for k, p := range was {
		q, ok := is[k]
		for about, h := range slowClaimsOf(p) {
			g := held{}
			if ok {
				g = slowClaimsOf(q)[about]
			}
			changed := int64(1)
			if g.Claim != nil && g.On(now.Info().AsOf).State == h.On(now.Info().AsOf).State {
				changed = 0
			}
			switch {
			case h.lent && ok && !slices.ContainsFunc(slices.Collect(maps.Values(slowClaimsOf(q))), func(g held) bool { return !g.lent && g.Network == h.Network }):
				c := at(csps, h.CSP)
				c.Lent, c.LentChanged = c.Lent+1, c.LentChanged+changed
			case !h.lent:
				c := at(csps, h.CSP)
				if c.Before++; g.Claim != nil && !g.lent {
					c.Both, c.Flipped = c.Both+1, c.Flipped+changed
				}
			}
		}
	}
	for _, p := range is {
		for _, h := range slowClaimsOf(p) {
			if !h.lent {
				at(csps, h.CSP).After++
			}
		}
	}
	for name, c := range csps {
		c.CSP = name
		d.CSPs = append(d.CSPs, *c)
	}
	for _, o := range outcodes {
		d.Outcodes = append(d.Outcodes, *o)
	}
	slices.SortFunc(d.CSPs, func(a, b CSPDelta) int { return cmp.Compare(a.CSP, b.CSP) })
	slices.SortFunc(d.Outcodes, func(a, b OutcodeDelta) int { return compareOutcode(a.Outcode, b.Outcode) })
	return d
}

// TestDiffIsWhatMapsTell compares random worlds, a night on and at random.
func TestDiffIsWhatMapsTell(t *testing.T) {
	checkWorlds(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 2))
		w := makeWorld(seed, rapid.IntRange(0, 250).Draw(t, "rows"))
		next := w.nightOn(rng, rapid.IntRange(0, 60).Draw(t, "changes"))
		if rapid.Bool().Draw(t, "previous") {
			next.options.Previous = w.open(t)
		}
		if rapid.IntRange(0, 9).Draw(t, "virtual WAN") == 0 {
			next.options.CountsAsWAN = true
		}
		old, now := w.open(t), next.open(t)
		want := slowDiff(old, now)
		got := slices.Collect(Diff(old, now))
		if d := gocmp.Diff(want, got, gocmp.Comparer(func(a, b Change) bool { return a == b })); d != "" {
			t.Fatalf("want, got:\n%s", d)
		}
		if d := gocmp.Diff(slowDelta(old, now, want), CountChanges(old, now), gocmp.AllowUnexported(geo.Outcode{})); d != "" {
			t.Fatalf("delta, want, got:\n%s", d)
		}
		for workers := 1; workers <= 3; workers++ {
			var again []Change
			newComparer(old, now, workers).run(func(e *event) bool {
				again = e.appendChanges(again)
				return true
			})
			if !slices.Equal(again, got) {
				t.Fatalf("%d workers tell otherwise", workers)
			}
		}
	})
}

// TestNothingToTellMeansTheSameContent: where Diff is empty, premises and their
// claims are the same but for the days that the claims are as of. Areas, Regions
// and the register are left as they are, of which not all is told. A night of
// either kind is there before any is drawn.
func TestNothingToTellMeansTheSameContent(t *testing.T) {
	if tells(t, 1, 30, 0) {
		t.Error("of a night without a change something is told")
	}
	if !tells(t, 1, 30, 20) {
		t.Error("of a night of changes nothing is told")
	}
	checkWorlds(t, func(t *rapid.T) {
		tells(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 60).Draw(t, "rows"), rapid.IntRange(0, 2).Draw(t, "changes"))
	})
}

// tells reports whether Diff has anything to tell of a world's night, and fails
// t where it has not though the content differs.
func tells(t tb, seed uint64, rows, changes int) bool {
	t.Helper()
	w := makeWorld(seed, rows)
	next := w.nightOn(rand.New(rand.NewPCG(seed, 4)), changes)
	next.entries = w.entries
	next.areas = slices.Clone(w.areas)
	rng := rand.New(rand.NewPCG(seed, 5))
	rng.Shuffle(len(next.rows), func(i, k int) { next.rows[i], next.rows[k] = next.rows[k], next.rows[i] })
	for range Diff(w.open(t), next.open(t)) {
		return true
	}
	sameDay := func(w *world) string {
		w.rows = slices.Clone(w.rows)
		for i := range w.rows {
			w.rows[i].claim.AsOf = worldDay
		}
		return w.open(t).Info().ContentDigest
	}
	if was, is := sameDay(w), sameDay(next); was != is {
		t.Fatal("content", was, "and", is, "with nothing told")
	}
	return false
}

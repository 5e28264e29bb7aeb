package loader

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

var accuracyWorlds = flag.Int("accuracy.worlds", 0, "made-up chains of nights to score outcomes against; 0: a few")

// accuracyNight is a night as it was made up: what is claimed of each premises,
// by its UPRN; a premises without claim is not there.
type accuracyNight struct {
	day    index.Day
	claims map[int]accuracyClaim
	snap   *index.Snapshot
}

type accuracyClaim struct {
	available string // true, false or nothing
	date      index.Day
	variant   string
}

// accuracyPremises is where a premises is, on every night the same.
type accuracyPremises struct {
	postcode, address, csp string
	hidden                 bool // its UPRN is in no extract
}

type accuracyWorld struct {
	rng      *rand.Rand
	premises []accuracyPremises
	nights   []accuracyNight
}

func makeAccuracyWorld(t testing.TB, seed uint64) *accuracyWorld {
	t.Helper()
	w := &accuracyWorld{rng: rand.New(rand.NewPCG(seed, 4))}
	rng := w.rng
	for i := range 40 {
		w.premises = append(w.premises, accuracyPremises{
			postcode: fmt.Sprintf("GU%d 1A%c", 1+i%3, "ABD"[i/3%3]), address: strconv.Itoa(i), csp: "AB"[i%2 : i%2+1], hidden: i%10 == 9,
		})
	}
	var last *index.Snapshot
	start := day(t, "2026-10-01")
	claims := map[int]accuracyClaim{}
	for night := range 3 {
		start += index.Day(1 + rng.IntN(9))
		for i := range w.premises {
			if change := rng.IntN(4) == 0; change == (night > 0) {
				if rng.IntN(6) == 0 {
					delete(claims, i)
					continue
				}
				c := accuracyClaim{available: []string{"true", "true", "false", ""}[rng.IntN(4)], variant: []string{"SKU1", "SKU2", ""}[rng.IntN(3)]}
				if c.available == "false" && rng.IntN(2) == 0 {
					c.date = start + index.Day(rng.IntN(20)-5)
				}
				claims[i] = c
			}
		}
		rows := map[string]string{}
		for i := range w.premises {
			if c, ok := claims[i]; ok {
				p, uprn := w.premises[i], strconv.Itoa(1000+i)
				if p.hidden {
					uprn = ""
				}
				rows[p.csp] += fmt.Sprintf("%s,%s,%s,51.%06d,-1.000000,South,%s,%v,%s\n", uprn, p.postcode, p.address, 500_000+10*i, c.available, c.date, c.variant)
			}
		}
		x := premisesWorld("A", claimsHeader+rows["A"], "B", claimsHeader+rows["B"])
		x["coverd.toml"] = strings.Replace(x["coverd.toml"], "2026-11-22", start.String(), 1)
		last, _ = x.buildAfter(t, last)
		w.nights = append(w.nights, accuracyNight{start, maps.Clone(claims), last})
	}
	return w
}

// state is a claim's on a day, of a night, by the words of the design.
func (c accuracyClaim) state(on, asOf index.Day) string {
	switch {
	case c.available == "true", c.available == "false" && c.date > asOf && on >= c.date:
		return "available"
	case c.available == "":
		return "unknown"
	case c.date > asOf:
		return "planned"
	}
	return "unavailable"
}

// slowRow scores a row: what is counted, under which names.
func (w *accuracyWorld) slowRow(cells []string, lead int) (indicated, outcode string, claim *accuracyClaim, csp string, reject bool) {
	uprn, pc, address, on := cells[0], cells[1], cells[2], cells[3]
	d, err := index.ParseDay(on)
	if err != nil || cells[4] != "8.14.1" && cells[4] != "8.14.2" || uprn == "x" || pc == "GU1 IAA" || uprn == "" && pc == "" {
		return "", "", nil, "", true
	}
	if pc != "" {
		outcode = pc[:3]
	}
	night := -1
	for i := range w.nights {
		if w.nights[i].day <= d-index.Day(lead) {
			night = i
		}
	}
	if night < 0 {
		return "not_known", outcode, nil, "", false
	}
	n := &w.nights[night]
	found, fits := map[string]bool{}, map[string]bool{}
	byUPRN := false
	for i, p := range w.premises {
		c, there := n.claims[i]
		if there && !p.hidden && uprn == strconv.Itoa(1000+i) {
			return c.state(d, n.day), p.postcode[:3], &c, p.csp, false
		}
		if !there && !p.hidden && uprn == strconv.Itoa(1000+i) {
			for _, before := range w.nights[:night] {
				if _, was := before.claims[i]; was { // its place is remembered
					outcode = p.postcode[:3]
				}
			}
		}
		byUPRN = byUPRN || uprn != ""
	}
	for i, p := range w.premises {
		c, there := n.claims[i]
		if !there || p.postcode != pc || address != "" && p.address != address || address == "" && byUPRN {
			continue
		}
		found[c.state(d, n.day)] = true
		fits[p.csp+c.variant] = true
		claim, csp, indicated = &c, p.csp, c.state(d, n.day)
	}
	if len(fits) > 1 {
		claim = nil
	}
	if len(found) > 1 {
		return "", "", nil, "", true
	}
	if len(found) == 0 {
		return "no_premises_found", outcode, nil, "", false
	}
	return indicated, outcode, claim, csp, false
}

// outcomesOf counts by the names of slowRow.
func outcomesOf(c *OutcomeCounts) map[string]Outcomes {
	return map[string]Outcomes{
		"available": c.Available, "planned": c.Planned, "unavailable": c.Unavailable, "unknown": c.Unknown,
		"no_premises_found": c.NoPremises, "not_known": c.Unread,
	}
}

// ofFits is all that is counted of fits, and in all.
func ofFits(a *Accuracy) map[string]OutcomeCounts {
	counts := map[string]OutcomeCounts{"": a.OutcomeCounts}
	for _, g := range a.Groups {
		if g.Dimension != "outcode" {
			counts[g.Dimension+" "+g.Name] = g.OutcomeCounts
		}
	}
	return counts
}

// TestAccuracySlowly: the report equals what a plain count of each row makes,
// however many workers there are and wherever the table is cut.
func TestAccuracySlowly(t *testing.T) {
	worlds, rows := 6, 300
	if small() {
		worlds, rows = 2, 200
	}
	if *accuracyWorlds > 0 {
		worlds = *accuracyWorlds
	}
	seen := map[string]int{}
	for seed := range uint64(worlds) {
		w := makeAccuracyWorld(t, seed)
		rng, lead := w.rng, int(seed%3)
		var table, byUPRN, byPostcode bytes.Buffer
		byUPRN.WriteString("uprn,installation_date,outcome\n")
		byPostcode.WriteString("postcode,address,installation_date,outcome\n")
		table.WriteString("uprn,postcode,address,installation_date,outcome,premise_type\n")
		type key struct{ dimension, name, indicated string }
		want := map[key]*Outcomes{}
		rejected := int64(0)
		for range rows {
			i := rng.IntN(len(w.premises) + 3)
			cells := []string{strconv.Itoa(1000 + i), "", "", (w.nights[0].day + index.Day(rng.IntN(40)-3)).String(), []string{"8.14.1", "8.14.2"}[rng.IntN(2)], []string{"Terraced", "", "x"}[rng.IntN(3)]}
			if i < len(w.premises) && rng.IntN(2) == 0 {
				cells[1], cells[2] = w.premises[i].postcode, w.premises[i].address
				if rng.IntN(2) == 0 {
					cells[0] = ""
				}
				if rng.IntN(5) == 0 {
					cells[2] = ""
				}
			}
			switch rng.IntN(40) {
			case 0:
				cells[0] = "x"
			case 1:
				cells[1] = "GU1 IAA"
			case 2:
				cells[3] = "soon"
			case 3:
				cells[4] = "maybe"
			case 4:
				cells[0], cells[1] = "", ""
			case 5:
				cells[1] = "GU9 9ZZ"
			}
			table.WriteString(strings.Join(cells, ",") + "\n")
			fmt.Fprintf(&byUPRN, "%d,%s,%s\n", 1000+i, cells[3], cells[4])
			if i < len(w.premises) {
				fmt.Fprintf(&byPostcode, "%s,%s,%s,%s\n", w.premises[i].postcode, w.premises[i].address[:len(w.premises[i].address)*(i%3)/2], cells[3], cells[4])
			}
			indicated, outcode, claim, csp, reject := w.slowRow(cells, lead)
			if reject {
				rejected++
				seen["rejected"]++
				continue
			}
			seen[indicated]++
			names := []key{{"all", "", indicated}, {"premise_type", map[string]string{"Terraced": "Terraced", "": "(empty)", "x": "(not recognised)"}[cells[5]], indicated}}
			if outcode != "" {
				names = append(names, key{"outcode", outcode, indicated})
			}
			if claim != nil {
				variant := claim.variant
				if variant == "" {
					variant = "(empty)"
				}
				names = append(names, key{"csp", csp, indicated}, key{"network_region", "South", indicated}, key{"wan_variant", variant, indicated})
			}
			for _, k := range names {
				if want[k] == nil {
					want[k] = &Outcomes{}
				}
				if cells[4] == "8.14.1" {
					want[k].Success++
				} else {
					want[k].NoWAN++
				}
			}
		}
		var snaps []*index.Snapshot
		for _, n := range w.nights {
			snaps = append(snaps, n.snap)
		}
		score := func(snaps []*index.Snapshot, text string, workers int) *Accuracy {
			t.Helper()
			a, err := Score(t.Context(), snaps, "-", strings.NewReader(text), AccuracyOptions{Lead: lead, Workers: workers, Least: 5})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		got := score(snaps, table.String(), 1)
		have := map[key]*Outcomes{}
		take := func(dimension, name string, c *OutcomeCounts) {
			for indicated, o := range outcomesOf(c) {
				if o.all() > 0 {
					have[key{dimension, name, indicated}] = &o
				}
			}
		}
		take("all", "", &got.OutcomeCounts)
		for i := range got.Groups {
			take(got.Groups[i].Dimension, got.Groups[i].Name, &got.Groups[i].OutcomeCounts)
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Fatalf("seed %d: -want +got:\n%s", seed, d)
		}
		for i := 1; i < len(got.Groups); i++ {
			a, b := &got.Groups[i-1], &got.Groups[i]
			switch {
			case a.Dimension != b.Dimension, a.Ranked && !b.Ranked:
			case b.Ranked && !a.Ranked, a.Ranked && *a.Inaccurate.Low < *b.Inaccurate.Low, !a.Ranked && a.Name >= b.Name:
				t.Fatalf("seed %d: %s %s stands before %s", seed, a.Dimension, a.Name, b.Name)
			}
			if b.Ranked != (b.Available.all() >= 5) {
				t.Fatalf("seed %d: %s %s, of %d available, ranked %v", seed, b.Dimension, b.Name, b.Available.all(), b.Ranked)
			}
		}
		if got.Rejected != rejected || got.Rows != int64(rows) || got.Scored+got.NotKnown+got.Rejected != got.Rows {
			t.Fatalf("seed %d: %d rejected of %d, want %d of %d", seed, got.Rejected, got.Rows, rejected, rows)
		}
		estimates := got.Estimates.None + got.Estimates.NotKnown + got.Estimates.Unknown
		for _, b := range got.Estimates.Bands {
			estimates += b.Observed.Of
		}
		if estimates != got.NoPremises.all() {
			t.Fatalf("seed %d: %d estimates, want %d", seed, estimates, got.NoPremises.all())
		}
		// By UPRN the last snapshot alone remembers it all.
		chained, remembered := score(snaps, byUPRN.String(), 1), score(snaps[2:], byUPRN.String(), 1)
		if d := cmp.Diff(ofFits(chained), ofFits(remembered)); d != "" {
			t.Fatalf("seed %d: -chain +history:\n%s", seed, d)
		}
		// By postcode it remembers whatever was there, those that have gone since
		// included; only that none was does not follow from it.
		chained, remembered = score(snaps, byPostcode.String(), 1), score(snaps[2:], byPostcode.String(), 1)
		if d := cmp.Diff(chained.RejectedBy, remembered.RejectedBy); d != "" {
			t.Fatalf("seed %d: -chain +history:\n%s", seed, d)
		}
		was := func(a *Accuracy) [4]Outcomes { return [...]Outcomes{a.Available, a.Planned, a.Unavailable, a.Unknown} }
		if d := cmp.Diff(was(chained), was(remembered)); d != "" {
			t.Fatalf("seed %d: -chain +history:\n%s", seed, d)
		}
		if seed > 0 {
			continue
		}
		// A table of several blocks: many times the same rows.
		head, body, _ := strings.Cut(table.String(), "\n")
		const times = 150
		text := head + "\n" + strings.Repeat(body, times)
		one, five := score(snaps, text, 1), score(snaps, text, 5)
		if d := cmp.Diff(one, five); d != "" {
			t.Fatalf("one worker and five: %s", d)
		}
		if one.Rows != times*got.Rows || one.Available.Success != times*got.Available.Success || one.Rejected != times*rejected {
			t.Fatalf("%d times: %d rows, %+v", times, one.Rows, one.Available)
		}
		lines := strings.Split(text, "\n")
		for i := range one.Rejects {
			if r := &one.Rejects[i]; lines[r.Line-1] != r.Row {
				t.Fatalf("line %d is %q, told as %q", r.Line, lines[r.Line-1], r.Row)
			}
		}
		if last := one.Rejects; len(last) != maxRejectsKept || !slices.IsSortedFunc(last, func(a, b Reject) int { return a.Line - b.Line }) {
			t.Fatalf("%d rejects kept", len(last))
		}
	}
	for _, name := range []string{"available", "planned", "unavailable", "unknown", "no_premises_found", "not_known", "rejected"} {
		if seen[name] == 0 {
			t.Errorf("nothing was %s: %v", name, seen)
		}
	}
}

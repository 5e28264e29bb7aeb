package loader

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

// Each gate: a night that trips it, and one just inside that does not.
func TestGates(t *testing.T) {
	res := baseNight().judge(t, nil, Options{})
	if len(res.Refusals) > 0 {
		t.Fatal(res.Refusals)
	}
	base := open(t, res)
	many := func(n *night) { n.arqiva = addRows(n.arqiva, "B", 151) }
	for _, tt := range []struct {
		name    string
		edit    func(n *night)
		refused []string
		warned  string // a gate of Arqiva's
	}{
		{"the same again", func(*night) {}, nil, ""},

		{"shrink", func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 101) }, []string{"shrink Arqiva"}, ""},
		{"shrink inside", func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 100) }, nil, "shrink"},
		{"shrink warned", func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 40) }, nil, "shrink"},
		{"shrink not warned", func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 39) }, nil, ""},
		{"shrink tuned", func(n *night) {
			n.arqiva = dropRows(n.arqiva, "B", 101)
			n.more = "[gates]\nshrink = 0.06\n"
		}, nil, "shrink"},
		{"few rows never trip it", func(n *night) {
			n.arqiva = dropRows(n.arqiva, "B", 10)
			n.more = "[gates]\nshrink = 0.001\n"
		}, nil, ""},

		{"shrink_area", func(n *night) {
			many(n)
			n.more = "[gates]\nchanged = 1\nchanged_warn = 0\n"
			n.arqiva = dropRows(n.arqiva, "GU", 151)
		}, []string{"shrink_area Arqiva"}, ""},
		{"shrink_area inside", func(n *night) {
			many(n)
			n.more = "[gates]\nchanged = 1\nchanged_warn = 0\n"
			n.arqiva = dropRows(n.arqiva, "GU", 150)
		}, nil, ""},
		{"shrink_area of fewer rows", func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 99) }, nil, "shrink"},

		{"growth", func(n *night) { n.arqiva = addRows(n.arqiva, "B", 401) }, []string{"growth Arqiva"}, ""},
		{"growth inside", func(n *night) { n.arqiva = addRows(n.arqiva, "B", 400) }, nil, ""},

		{"register", func(n *night) { n.register = dropPostcodes(n.register, "B", 25) }, []string{"register register"}, ""},
		{"register inside", func(n *night) { n.register = dropPostcodes(n.register, "B", 24) }, nil, ""},
		{"register area", func(n *night) {
			n.register = dropPostcodes(n.register, "GU", 121)
			n.more = "[gates]\nregister = 0.5\n"
		}, []string{"shrink_area register"}, ""},
		{"register area inside", func(n *night) {
			n.register = dropPostcodes(n.register, "GU", 120)
			n.more = "[gates]\nregister = 0.5\n"
		}, nil, ""},

		{"changed", func(n *night) { change(n.arqiva, "GU", 120, func(r *nightRow) { r.available = "false" }) }, []string{"changed Arqiva"}, ""},
		{"changed just over", func(n *night) { change(n.arqiva, "GU", 101, func(r *nightRow) { r.available = "false" }) }, []string{"changed Arqiva"}, ""},
		{"changed inside", func(n *night) { change(n.arqiva, "GU", 100, func(r *nightRow) { r.available = "false" }) }, nil, "changed"},
		{"changed warned", func(n *night) { change(n.arqiva, "GU", 80, func(r *nightRow) { r.available = "false" }) }, nil, "changed"},
		{"changed not warned", func(n *night) { change(n.arqiva, "GU", 79, func(r *nightRow) { r.available = "false" }) }, nil, ""},

		{"changed to another network region", func(n *night) {
			change(n.arqiva, "GU", 2000, func(r *nightRow) { r.network = "4G South" })
			change(n.arqiva, "B", 2000, func(r *nightRow) { r.network = "4G South" })
		}, []string{"changed Arqiva"}, ""},
		{"changed to other premises", func(n *night) { change(n.arqiva, "GU", 101, func(r *nightRow) { r.uprn += 500_000 }) }, []string{"changed Arqiva"}, ""},
		{"changed to other premises inside", func(n *night) { change(n.arqiva, "GU", 100, func(r *nightRow) { r.uprn += 500_000 }) }, nil, "changed"},

		{"empty", func(n *night) { change(n.arqiva, "B", 21, func(r *nightRow) { r.variant = "" }) }, []string{"empty Arqiva"}, ""},
		{"empty inside", func(n *night) { change(n.arqiva, "B", 20, func(r *nightRow) { r.variant = "" }) }, nil, ""},
		{"empty_area", func(n *night) {
			change(n.arqiva, "GU", 76, func(r *nightRow) { r.variant = "" })
			n.more = "[gates]\nempty = 0.5\n"
		}, []string{"empty_area Arqiva"}, ""},
		{"empty_area inside", func(n *night) {
			change(n.arqiva, "GU", 75, func(r *nightRow) { r.variant = "" })
			n.more = "[gates]\nempty = 0.5\n"
		}, nil, ""},

		{"regions", func(n *night) { change(n.arqiva, "GU", 11, func(r *nightRow) { r.lat = 52.501 }) }, []string{"regions premises"}, ""},
		{"regions inside", func(n *night) { change(n.arqiva, "GU", 10, func(r *nightRow) { r.lat = 52.501 }) }, nil, ""},
		{"regions with other boundaries", func(n *night) {
			n.regions = strings.ReplaceAll(boxes, "52.5]", "52.4985]")
		}, nil, ""},

		{"distance", func(n *night) { change(n.arqiva, "GU", 11, func(r *nightRow) { r.lat = 52.44 }) }, []string{"distance Arqiva"}, ""},
		{"distance inside", func(n *night) { change(n.arqiva, "GU", 10, func(r *nightRow) { r.lat = 52.44 }) }, nil, ""},
		{"distance not too far", func(n *night) { change(n.arqiva, "GU", 1500, func(r *nightRow) { r.lat = 52.46 }) }, nil, ""},

		{"overlap", func(n *night) {
			for i := range 11 {
				n.vodafone[i].uprn = n.arqiva[i].uprn
			}
		}, []string{"overlap South"}, ""},
		{"overlap inside", func(n *night) {
			for i := range 10 {
				n.vodafone[i].uprn = n.arqiva[i].uprn
			}
		}, nil, ""},
		{"no overlap on other network regions", func(n *night) {
			for i := range 15 {
				n.vodafone[i].uprn, n.vodafone[i].network = n.arqiva[i].uprn, "4G South"
			}
		}, nil, ""},

		{"sequence lower", func(n *night) { n.sequence = 411 }, []string{"sequence Arqiva", "sequence Vodafone"}, ""},
		{"sequence equal, the same files", func(n *night) { n.sequence = 412 }, nil, ""},
		{"sequence equal, another file", func(n *night) { n.sequence = 412; n.arqiva[0].variant = "SKU2" }, []string{"sequence Arqiva"}, ""},
		{"empty source", func(n *night) { n.vodafone = nil }, []string{"missing Vodafone"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := baseNight().after(tt.edit).judge(t, base, Options{})
			if diff := cmp.Diff(append([]string{}, tt.refused...), refusals(res)); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			if (res.Built == nil) != (len(tt.refused) > 0) {
				t.Errorf("snapshot %v", res.Built != nil)
			}
			for _, g := range res.Gates {
				switch {
				case g.Source == "Arqiva" && g.Gate == tt.warned && g.Verdict != Warned:
					t.Errorf("%s %s: %s", g.Gate, g.Verdict, g.Msg)
				case g.Verdict == Warned && g.Gate != tt.warned:
					t.Errorf("%s warned: %s", g.Gate, g.Msg)
				case g.Margin != nil && g.Verdict == Refused && *g.Margin >= 0:
					t.Errorf("%s refused with a margin of %v", g.Gate, *g.Margin)
				}
			}
			for _, r := range res.Refusals {
				if r.Look == "" || !strings.Contains(r.Override, fmt.Sprintf("after  = %q", base.ID()[:12])) {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// The text of a refusal says all that is needed to decide.
func TestRefusalTells(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	res := baseNight().after(func(n *night) { n.arqiva = dropRows(n.arqiva, "B", 101) }).judge(t, base, Options{PreviousPath: "snapshots/old.snap"})
	var b strings.Builder
	if err := res.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"refused: shrink: Arqiva: 1,899 good rows, 2,000 in " + base.ID()[:12] + ": 5.1 % fewer; at most 5 % are let pass, which it is over by 0.05 points\n",
		"coverd diff snapshots/old.snap candidate.snap\n",
		"\n[[override]]\ngate   = \"shrink\"\nsource = \"Arqiva\"\nafter  = \"" + base.ID()[:12] + "\"\nby     = \"\"\nreason = \"\"\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

// Without a previous snapshot, or with one that has no baselines, there is
// nothing to judge by, and the report says so.
func TestGatesWithoutBaseline(t *testing.T) {
	res := baseNight().judge(t, nil, Options{})
	for _, gate := range []string{gateShrink, gateShrinkArea, gateGrowth, gateEmpty, gateEmptyArea, gateChanged, gateSequence, gateAsOf} {
		if g := gateOf(t, res, gate, "Arqiva"); g.Verdict != NoBaseline {
			t.Errorf("%s: %s", gate, g.Verdict)
		}
	}
	if g := gateOf(t, res, gateRegister, "register"); g.Verdict != NoBaseline {
		t.Errorf("register: %s", g.Verdict)
	}
}

// An as-of day may not go backwards, nor lie far ahead of the clock.
func TestDates(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	at := func(day string) func(*night) { return func(n *night) { n.asOf = day } }
	if got := refusals(baseNight().after(at("2026-11-22")).judge(t, base, Options{})); len(got) > 0 {
		t.Errorf("the same day again: %v", got)
	}
	res := baseNight().after(at("2026-11-21")).judge(t, base, Options{})
	if got := refusals(res); !cmp.Equal(got, []string{"as_of Arqiva", "as_of Vodafone", "as_of manifest"}) || res.Refusals[0].Override != "" {
		t.Errorf("the day before: %v, %q", got, res.Refusals[0].Override)
	}
	later := baseNight().after(func(n *night) { n.arqivaMore = "#" })
	w := later.world()
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "as_of = 2026-11-23\n#", "as_of = 2026-11-21\n#", 1)
	got, err := w.try(t, Options{Previous: base})
	if err == nil || !cmp.Equal(refusals(got), []string{"as_of Arqiva"}) || got.Refusals[0].Override == "" {
		t.Errorf("an extract of the day before: %v", err)
	}
	start := day(t, "2026-11-23").Time()
	for hours, want := range map[int][]string{-26: {}, -27: {"future manifest"}, 0: {}, 1000: {}} {
		res := baseNight().after(nil).judge(t, base, Options{Now: start.Add(time.Duration(hours) * time.Hour)})
		if got := refusals(res); !cmp.Equal(got, want) {
			t.Errorf("%d hours after the day has started: %v, want %v", hours, got, want)
		}
	}
	tuned := baseNight().after(func(n *night) { n.more = "[gates]\nfuture_hours = 48\n" })
	if got := refusals(tuned.judge(t, base, Options{Now: start.Add(-48 * time.Hour)})); len(got) > 0 {
		t.Errorf("tuned: %v", got)
	}
}

// What a directory of postcodes once did: all rows there, and one column empty in
// one area.
func TestColumnEmptiedInOneArea(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	res := baseNight().after(func(n *night) {
		change(n.arqiva, "GU", 2000, func(r *nightRow) { r.variant = "" })
	}).judge(t, base, Options{})
	if got := refusals(res); !cmp.Equal(got, []string{"empty Arqiva", "empty_area Arqiva"}) {
		t.Errorf("refused %v", got)
	}
	if g := gateOf(t, res, gateEmptyArea, "Arqiva"); g.At != "wan_variant GU" || g.Value != 1 {
		t.Errorf("at %q, value %v: %s", g.At, g.Value, g.Msg)
	}
}

// What a validator of routes once did: two of five sources empty, and the merger
// of the rest published.
func TestTwoOfFiveSourcesEmpty(t *testing.T) {
	csps := []string{"A", "B", "C", "D", "E"}
	of := func(empty string, more string) world {
		var pairs []string
		for i, csp := range csps {
			rows := nightRows(990_000_000_000+i*1000, 100)
			if strings.Contains(empty, csp) {
				rows = nil
			}
			pairs = append(pairs, csp+"\n"+more, nightCSV(rows))
		}
		return premisesWorld(pairs...)
	}
	base, _ := of("", "").build(t)
	res, err := of("BD", "").try(t, Options{Previous: base})
	if err == nil || !cmp.Equal(refusals(res), []string{"missing B", "missing D"}) {
		t.Fatalf("error %v, refused %v", err, refusals(res))
	}
	res, err = of("BD", `on_missing = "carry"`).try(t, Options{Previous: base})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := open(t, res).Info(), base.Info(); got.Premises != want.Premises || got.ContentDigest != want.ContentDigest {
		t.Errorf("%d premises, want the %d of before", got.Premises, want.Premises)
	}
}

// A CSP that the manifest names no more does not vanish either.
func TestSourceGoneFromManifest(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	w := baseNight().after(nil).world()
	before, _, _ := strings.Cut(w["coverd.toml"], "[[extract]]\ncsp = \"Vodafone\"")
	res, err := w.with("coverd.toml", before).try(t, Options{Previous: base})
	if err == nil || !cmp.Equal(refusals(res), []string{"missing Vodafone"}) {
		t.Errorf("error %v", err)
	}
}

// Rows in another order, and another number of workers, change nothing of what
// the gates say and of what travels to the next night.
func TestGatesWhateverTheOrder(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	tonight := func(seed uint64) *night {
		return baseNight().after(func(n *night) {
			n.arqiva = dropRows(n.arqiva, "B", 90)
			change(n.arqiva, "GU", 15, func(r *nightRow) { r.variant = "" })
			change(n.arqiva, "B", 9, func(r *nightRow) { r.lat = 52.44 })
			rng := rand.New(rand.NewPCG(seed, 1))
			if seed > 0 {
				rng.Shuffle(len(n.arqiva), func(i, j int) { n.arqiva[i], n.arqiva[j] = n.arqiva[j], n.arqiva[i] })
				rng.Shuffle(len(n.register), func(i, j int) { n.register[i], n.register[j] = n.register[j], n.register[i] })
			}
		})
	}
	say := func(res *Result) string {
		for i := range res.Sources {
			res.Sources[i].Warnings = nil // which name lines
			res.Sources[i].Files = nil
		}
		for i := range res.Gates {
			if res.Gates[i].Gate == gateDistance {
				res.Gates[i].Msg = ""
			}
			res.Gates[i].Look = ""
		}
		b, err := json.MarshalIndent(&res.Report, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	counts := func(res *Result) *index.Baselines {
		b := open(t, res).Baselines()
		for i := range b.Sources {
			b.Sources[i].Parts = nil // digests
		}
		return b
	}
	first := tonight(0).judge(t, base, Options{})
	wantCounts, want := counts(first), say(first)
	for seed := range uint64(5) {
		res := tonight(seed).judge(t, base, Options{Workers: 1 + int(seed*3)})
		if diff := cmp.Diff(wantCounts, counts(res)); diff != "" {
			t.Errorf("seed %d: baselines (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(want, say(res)); diff != "" {
			t.Errorf("seed %d: report (-want +got):\n%s", seed, diff)
		}
	}
}

// rowCounts counts as a simple loop would.
func TestRowCounts(t *testing.T) {
	dir := t.TempDir()
	n := baseNight()
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range n.arqiva {
		r := &n.arqiva[i]
		if rng.IntN(3) == 0 {
			r.variant = ""
		}
		if rng.IntN(5) == 0 {
			r.postcode = ""
		}
		if rng.IntN(50) == 0 {
			r.lat = 52.3
		}
	}
	n.more = "[gates]\ndistance = 1\n"
	n.world().write(t, dir)
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Build(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, empty, far := map[string]int64{}, map[string]int64{}, int64(0)
	for _, r := range n.arqiva {
		area := strings.TrimRight(r.postcode[:min(2, len(r.postcode))], "0123456789")
		if area == "" {
			area = noArea
		}
		rows[area]++
		if r.variant == "" {
			empty[area]++
		}
		if r.postcode != "" && r.lat == 52.3 {
			far++
		}
	}
	s := open(t, res).Baselines().Source("Arqiva", "premises")
	for area := range rows {
		a := s.Area(area)
		if a == nil || a.Rows != rows[area] || a.Empty[colVariant] != empty[area] || a.Empty[colUPRN] != 0 || a.Empty[colEasting] != a.Rows || a.Empty[colLat] != 0 {
			t.Errorf("%s: %+v, want %d rows, %d empty", area, a, rows[area], empty[area])
		}
	}
	if len(s.Areas) != len(rows) {
		t.Errorf("%d areas, want %d", len(s.Areas), len(rows))
	}
	if g := gateOf(t, res, gateDistance, "Arqiva"); g.Tonight != far {
		t.Errorf("%d rows far from their postcode, want %d", g.Tonight, far)
	}
}

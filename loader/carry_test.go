package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

// Carrying everything over is the same again: premises, areas, conflicts and all.
func TestCarryEverything(t *testing.T) {
	dir := sampleDir(t)
	first, err := index.OpenBytes(buildIn(t, dir, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	conflicts := 0
	for p := range first.AllPremises() {
		if p.Conflict() {
			conflicts++
		}
	}
	if conflicts == 0 || first.Info().Areas == 0 {
		t.Fatal("nothing in it that is hard to carry")
	}
	path := filepath.Join(dir, "coverd.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, extracts, _ := strings.Cut(string(text), "[[extract]]")
	extracts = strings.ReplaceAll("[[extract]]"+extracts, "[[extract]]\n", "[[extract]]\non_missing = \"carry\"\n")
	for _, folder := range []string{"arqiva", "telefonica", "vodafone", "dcc"} {
		extracts = strings.ReplaceAll(extracts, `= "`+folder+"/", `= "gone/`)
	}
	if err := os.WriteFile(path, []byte(head+extracts), 0o644); err != nil {
		t.Fatal(err)
	}
	previous := first
	for night := range 2 {
		m, err := ReadManifest(path)
		if err != nil {
			t.Fatal(err)
		}
		res, err := Build(t.Context(), m, Options{Previous: previous})
		if err != nil {
			t.Fatal(err)
		}
		next := open(t, res)
		if got, want := next.Info().ContentDigest, first.Info().ContentDigest; got != want {
			t.Errorf("night %d: content %s, want %s", night, got, want)
		}
		if n := res.Changes.Kinds; slices.ContainsFunc(n, func(k KindCount) bool { return k.Count > 0 }) {
			t.Errorf("night %d: changes %v", night, n)
		}
		if res.Areas != first.Info().Areas {
			t.Errorf("night %d: %d areas, want %d", night, res.Areas, first.Info().Areas)
		}
		if res.Conflicts != 0 {
			t.Errorf("night %d: %d new conflicts", night, res.Conflicts)
		}
		if res.Rows != 0 || len(res.Carried) != 6 || res.Carried[0].From != first.ID() {
			t.Errorf("night %d: %d rows, carried %+v", night, res.Rows, res.Carried)
		}
		want := *previous.Baselines()
		got := *next.Baselines()
		for i := range got.Sources {
			if c := got.Sources[i].Carried; c == nil || c.From != first.ID() {
				t.Errorf("%s carried %v", got.Sources[i].CSP, c)
			}
		}
		got.Sources, want.Sources = uncarried(got.Sources), uncarried(want.Sources)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("night %d: baselines (-before +now):\n%s", night, diff)
		}
		previous = next
	}
}

func uncarried(list []index.SourceBaseline) []index.SourceBaseline {
	list = slices.Clone(list)
	for i := range list {
		list[i].Carried = nil
	}
	return list
}

// lateNight is a night some days after the first, in which nothing of Vodafone
// came.
func lateNight(days int, edit func(*night)) *night {
	return baseNight().after(func(n *night) {
		n.asOf = fmt.Sprintf("2026-11-%02d", 22+days)
		n.voMore, n.absent = `on_missing = "carry"`, true
		if edit != nil {
			edit(n)
		}
	})
}

// Carry holds for some days, and no longer.
func TestCarryDays(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	for _, tt := range []struct {
		days    int
		more    string
		refused bool
	}{
		{0, "", false},
		{3, "", false},
		{4, "", true},
		{1, "\ncarry_days = 1", false},
		{2, "\ncarry_days = 1", true},
		{7, "\ncarry_days = 7", false},
	} {
		res := lateNight(tt.days, func(n *night) { n.voMore += tt.more }).judge(t, base, Options{})
		if got := refusals(res); (len(got) > 0) != tt.refused || tt.refused && !cmp.Equal(got, []string{"missing Vodafone"}) {
			t.Errorf("after %d days%s: refused %v", tt.days, tt.more, got)
		}
		if tt.refused && (!strings.Contains(res.Refusals[0].Msg, "1 more") || !strings.Contains(res.Refusals[0].Msg, "vodafone.csv is not there")) {
			t.Errorf("message %q", res.Refusals[0].Msg)
		}
	}
}

// Carried claims keep their day and their sequence, night after night, and the
// baselines theirs; when the file comes at last it is judged by these.
func TestCarryTwiceThenTheFileComes(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	previous := base
	for days := 1; days <= 2; days++ {
		res := lateNight(days, func(n *night) { n.sequence += days }).judge(t, previous, Options{})
		if len(res.Refusals) > 0 {
			t.Fatal(res.Refusals)
		}
		s := res.Sources[3]
		if s.AsOf != day(t, "2026-11-22") || s.Sequence != 412 || s.Rows != 0 || !slices.Equal(s.Notes, []string{"carried from " + base.ID()[:12] + ", as of 2026-11-22"}) {
			t.Errorf("source %+v", s.Source)
		}
		want := Carried{CSP: "Vodafone", Kind: KindPremises, From: base.ID(), AsOf: day(t, "2026-11-22"), Days: days, Most: 3, Claims: 400}
		if diff := cmp.Diff([]Carried{want}, res.Carried); diff != "" {
			t.Errorf("carried (-want +got):\n%s", diff)
		}
		if slices.ContainsFunc(res.Gates, func(g GateResult) bool { return g.Gate == gateShrink && g.Source == "Vodafone" }) {
			t.Error("what was carried is judged as what came")
		}
		next := open(t, res)
		if got := uncarried([]index.SourceBaseline{*next.Baselines().Source("Vodafone", "premises")}); !cmp.Equal(got[0], *base.Baselines().Source("Vodafone", "premises")) {
			t.Errorf("baseline %+v", got)
		}
		n := 0
		for p := range next.AllPremises() {
			if c, _ := p.Claims().At(0); c.CSP == "Vodafone" && c.AsOf == day(t, "2026-11-22") {
				n++
			}
		}
		if n != 400 {
			t.Errorf("%d premises of Vodafone's", n)
		}
		previous = next
	}
	late := func(edit func(*night)) []string {
		return refusals(lateNight(3, func(n *night) {
			n.absent, n.sequence = false, 420
			edit(n)
		}).judge(t, previous, Options{}))
	}
	if got := late(func(*night) {}); len(got) > 0 {
		t.Errorf("the file comes: %v", got)
	}
	if got := late(func(n *night) { n.vodafone = n.vodafone[:300] }); !cmp.Equal(got, []string{"shrink Vodafone"}) {
		t.Errorf("a quarter of it is missing: %v", got)
	}
}

// What cannot be carried is refused, and says why.
func TestCarryRefused(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	part := func(n *night) world {
		w := n.world()
		return w.with("coverd.toml", fmt.Sprintf("\n[[extract]]\ncsp = \"Vodafone\"\nkind = \"premises\"\npath = \"more.csv\"\nas_of = %s\non_missing = \"carry\"\n", n.asOf)).
			with("more.csv", nightCSV(nightRows(990_000_200_000, 5)))
	}
	for _, tt := range []struct {
		name     string
		w        world
		previous *index.Snapshot
		want     string // of the message; "": it is carried
	}{
		{"no previous snapshot", lateNight(1, nil).world(), nil, "there is no previous snapshot"},
		{"not asked for", lateNight(1, func(n *night) { n.voMore, n.absent, n.vodafone = "", false, nil }).world(), base, `on_missing = "carry" in its [[extract]]`},
		{"no file, and not asked for", lateNight(1, func(n *night) { n.voMore = "" }).world(), base, `vodafone.csv is not there; in`},
		{"no rows", lateNight(1, func(n *night) { n.absent, n.vodafone = false, nil }).world(), base, ""},
		{"part of it came", part(lateNight(1, nil)), base, "part of a night cannot be carried over"},
		{"another CSP", lateNight(1, func(n *night) { n.arqivaMore = "" }).world().with("coverd.toml", "\n[[extract]]\ncsp = \"DCC\"\nkind = \"areas\"\npath = \"x.geojsonl\"\non_missing = \"carry\"\n"), base, "has no claims of it to carry over"},
	} {
		res, err := tt.w.try(t, Options{Previous: tt.previous})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || len(res.Refusals) != 1 || res.Refusals[0].Gate != gateMissing || !strings.Contains(res.Refusals[0].Msg, tt.want)):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A file that cannot be read is no missing one: nothing is carried for it.
func TestBadFileIsNotCarried(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	w := lateNight(1, nil).world().with("vodafone.csv", "no header that we know\n")
	res, err := w.try(t, Options{Previous: base})
	if err == nil || !cmp.Equal(refusals(res), []string{"file vodafone.csv"}) || len(res.Carried) > 0 {
		t.Errorf("error %v, carried %v", err, res.Carried)
	}
}

// The mark of a conflict is carried for whoever claims the premises, on however
// many network regions.
func TestCarryConflictBesideClaimsOnAllNetworks(t *testing.T) {
	const columns = "uprn,network_region,coverage_availability\n"
	all := columns + "990000000001," + strings.Join(networkNames(), ",true\n990000000001,") + ",true\n"
	w := premisesWorld("A\non_missing = \"carry\"", all, "B\non_missing = \"carry\"", columns+"990000000001,South,true\n990000000001,South,false\n")
	first, _ := w.build(t)
	next, _ := w.with("1.csv", columns).with("2.csv", columns).buildAfter(t, first)
	if got, want := next.Info().ContentDigest, first.Info().ContentDigest; got != want || !first.PremisesAt(0).Conflict() {
		t.Errorf("content %s, want %s", got, want)
	}
}

// A CSP that was let be missing one night has nothing to carry the next: its
// source is listed, but nothing came of it.
func TestNothingToCarryAfterNothingCame(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	without := open(t, lateNight(5, func(n *night) {
		n.more = overrideText("missing", "Vodafone", base.ID()[:12], "A", "its line is down")
	}).judge(t, base, Options{}))
	res := lateNight(6, nil).judge(t, without, Options{})
	if got := refusals(res); !cmp.Equal(got, []string{"missing Vodafone"}) || !strings.Contains(res.Refusals[0].Msg, "has no claims of it to carry over") {
		t.Errorf("refused %v, carried %+v", res.Refusals, res.Carried)
	}
}

// Where part of a CSP's night is let be missing, the part that came is judged by
// its sequence all the same, and what comes late by the last that came.
func TestPartOfANight(t *testing.T) {
	two := func(n *night, more string) world {
		return n.world().with("coverd.toml", fmt.Sprintf("\n[[extract]]\ncsp = \"Vodafone\"\nkind = \"premises\"\npath = \"more.csv\"\nsequence = %d\n", n.sequence)).with("more.csv", more)
	}
	more, none := nightCSV(nightRows(990_000_200_000, 5)), nightCSV(nil)
	base, _ := two(baseNight(), more).build(t)
	let := func(n *night) {
		n.more = overrideText("missing", "Vodafone", base.ID()[:12], "A", "the small file is late")
	}
	res, err := two(baseNight().after(func(n *night) { let(n); n.sequence = 411 }), none).try(t, Options{Previous: base})
	if got := refusals(res); !cmp.Equal(got, []string{"sequence Arqiva", "sequence Vodafone"}) {
		t.Errorf("an earlier night's: refused %v, %v", got, err)
	}
	part, _ := two(baseNight().after(let), none).buildAfter(t, base)
	res, err = two(baseNight().after(nil), more).try(t, Options{Previous: part})
	if err != nil {
		t.Errorf("the small file comes, with the same sequence: refused %v", refusals(res))
	}
}

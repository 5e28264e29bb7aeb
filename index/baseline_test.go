package index

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// someBaselines have something everywhere.
func someBaselines() *Baselines {
	return &Baselines{
		Columns: []string{"uprn", "postcode"},
		Sources: []SourceBaseline{
			{CSP: "Arqiva", Kind: "areas", Parts: []PartBaseline{{AsOf: 20_000, Digests: []string{}}}, Rows: 3, Accepted: 3, Areas: []AreaBaseline{}},
			{
				CSP: "Arqiva", Kind: "premises", Parts: []PartBaseline{{Sequence: 412, AsOf: 20_000, Digests: []string{strings.Repeat("ab", 32)}}},
				Rows: 10, Accepted: 9, Rejected: 1, Premises: 8,
				Areas:   []AreaBaseline{{Area: "-", Rows: 1, Empty: []int64{0, 1}}, {Area: "GU", Rows: 8, Empty: []int64{2, 0}}},
				Carried: &Carried{From: "7ec1b1d29b72", AsOf: 20_000},
			},
		},
		Register: &RegisterBaseline{Rows: 5, Live: 4, Areas: []RegisterCount{{"B", 1}, {"GU", 3}}},
		Regions:  [4]int64{0, 1, 2, 6},
		Networks: []NetworkBaseline{{CSP: "Arqiva", Network: NetworkSouth, Summary: Summary{Premises: 8, Available: 8}}},
	}
}

// withBaselines is a small snapshot file with some, and some overrides.
func withBaselines(t *testing.T, base *Baselines, o []Override) []byte {
	t.Helper()
	w := makeWorld(3, 30)
	w.baselines, w.overrides = base, o
	file, _ := w.build(t, nil)
	return file
}

// Baselines and overrides are in the file, and no part of the content.
func TestBaselinesTravel(t *testing.T) {
	want := []Override{{"shrink", "Arqiva", "7ec1b1d29b72", "A. Operator", "it is right", "10 % fewer"}}
	s, err := OpenBytes(withBaselines(t, someBaselines(), want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(someBaselines(), s.Baselines()); diff != "" {
		t.Errorf("baselines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, s.Info().Overrides); diff != "" {
		t.Errorf("overrides (-want +got):\n%s", diff)
	}
	plain, err := OpenBytes(withBaselines(t, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if plain.Baselines() != nil || plain.Info().ContentDigest != s.Info().ContentDigest {
		t.Error("baselines where there are none, or another content for them")
	}
	if got := s.Info().Sections[1].Name; got != sectionBaselines {
		t.Errorf("the second section is %s", got)
	}
	if b := s.Baselines().Source("Arqiva", "premises"); b == nil || b.Area("GU").Rows != 8 || b.Area("G") != nil || s.Baselines().Source("Arqiva", "x") != nil {
		t.Error("sources and areas are not found")
	}
	if empty, rows := s.Baselines().Source("Arqiva", "premises").Empty(0); empty != 2 || rows != 9 {
		t.Errorf("%d of %d", empty, rows)
	}
	var none *Baselines
	if none.Source("Arqiva", "premises") != nil {
		t.Error("a source of nothing")
	}
}

// Counts that cannot be counts are damage.
func TestDamagedBaselines(t *testing.T) {
	for name, damage := range map[string]func(*Baselines){
		"source twice":         func(b *Baselines) { b.Sources[0].Kind = "premises" },
		"areas out of order":   func(b *Baselines) { b.Sources[1].Areas[0].Area = "H" },
		"too few columns":      func(b *Baselines) { b.Columns = b.Columns[:1] },
		"rows below zero":      func(b *Baselines) { b.Sources[1].Rows = -1 },
		"cells below zero":     func(b *Baselines) { b.Sources[1].Areas[1].Empty[1] = -1 },
		"live below zero":      func(b *Baselines) { b.Register.Areas[0].Live = -1 },
		"register's areas":     func(b *Baselines) { b.Register.Areas[0].Area = "GU" },
		"Regions below zero":   func(b *Baselines) { b.Regions[0] = -1 },
		"premises below zero":  func(b *Baselines) { b.Networks[0].Available = -1 },
		"rejected below zero":  func(b *Baselines) { b.Sources[1].Rejected = -1 },
		"a network without it": func(b *Baselines) { b.Networks[0].Network = NoNetwork },
	} {
		b := someBaselines()
		damage(b)
		if s, err := OpenBytes(withBaselines(t, b, nil)); err == nil || !strings.Contains(err.Error(), sectionBaselines) {
			t.Errorf("%s: got %v, %v", name, s != nil, err)
		}
	}
}

// A snapshot's counts are those of a plain walk over it.
func TestTally(t *testing.T) {
	for seed := range uint64(20) {
		w := makeWorld(seed, 200)
		w.options.CountsAsWAN = seed%2 == 0
		file, report := w.build(t, nil)
		s, err := OpenBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range report.Overlaps { // any of them will do
			o := &report.Overlaps[i]
			if (o.Example != "") != (o.Several > 0) {
				t.Errorf("seed %d: %+v", seed, o)
			}
			o.Example = ""
		}
		if diff := cmp.Diff(slowTally(s), report.Tally); diff != "" {
			t.Errorf("seed %d (-slow +got):\n%s", seed, diff)
		}
	}
}

func slowTally(s *Snapshot) Tally {
	t := Tally{CSPs: map[string]int64{}}
	on := s.Info().AsOf
	networks := map[NetworkBaseline]int{}
	var overlaps [Networks]Overlap
	for p := range s.AllPremises() {
		t.States.Add(p.State(on), 1)
		t.Regions[p.Region().Region]++
		csps, claims := map[string]bool{}, map[NetworkRegion]int{}
		for i := range p.Claims().Len() {
			c, lent := p.Claims().At(i)
			if lent {
				continue
			}
			csps[c.CSP] = true
			key := NetworkBaseline{CSP: c.CSP, Network: c.Network}
			if _, ok := networks[key]; !ok {
				networks[key] = len(t.Networks)
				t.Networks = append(t.Networks, key)
			}
			t.Networks[networks[key]].Add(c.On(on).State, 1)
			if p.Claims().Counts(i) {
				claims[c.Network]++
			}
		}
		for csp := range csps {
			t.CSPs[csp]++
		}
		for network, n := range claims {
			overlaps[network].Premises++
			if n > 1 {
				overlaps[network].Several++
			}
		}
	}
	for network, o := range overlaps {
		if o.Network = NetworkRegion(network); o.Premises > 0 {
			t.Overlaps = append(t.Overlaps, o)
		}
	}
	slices.SortFunc(t.Networks, func(a, b NetworkBaseline) int {
		if c := strings.Compare(a.CSP, b.CSP); c != 0 {
			return c
		}
		return int(a.Network) - int(b.Network)
	})
	return t
}

// What a Builder does not write is what a reader refuses.
func TestLimits(t *testing.T) {
	good := Info{Premises: MaxPremises, Claims: MaxClaims, ClaimSets: 1 << 20, Areas: MaxAreas}
	if err := good.withinLimits(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Info){
		"premises": func(i *Info) { i.Premises++ },
		"claims":   func(i *Info) { i.Claims++ },
		"areas":    func(i *Info) { i.Areas++ },
		"negative": func(i *Info) { i.Areas = -1 },
	} {
		i := good
		if change(&i); i.withinLimits() == nil {
			t.Errorf("%s: nothing refuses it", name)
		}
	}
}

package index

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
)

// TestConflicts: what contradicts, what merely repeats, and what stands beside.
func TestConflicts(t *testing.T) {
	yes, no := says(NetworkSouth, AvailabilityTrue), says(NetworkSouth, AvailabilityFalse)
	older := func(c Claim) Claim { c.AsOf--; return c }
	by := func(csp string, c Claim) Claim { c.CSP = csp; return c }
	fourG := says(Network4GSouth, AvailabilityTrue)
	another := yes
	another.Info = "the same, but for a word"
	area := says(NetworkSouth, AvailabilityTrue)
	area.Variant = "of the area"
	for _, c := range []struct {
		name     string
		claims   []Claim
		want     []Claim    // and whether lent, by being area
		conflict [][]uint32 // lines
		merged   int64
	}{
		{"one", []Claim{yes}, []Claim{yes}, nil, 0},
		{"twice the same", []Claim{yes, yes, yes}, []Claim{yes}, nil, 2},
		{"the same again on a later day", []Claim{older(yes), yes, older(yes)}, []Claim{yes}, nil, 2},
		{"two network regions", []Claim{yes, fourG}, []Claim{yes, fourG}, nil, 0},
		{"two CSPs on one network region", []Claim{no, by("DCC", yes)}, []Claim{by("DCC", yes), no}, nil, 0},
		{"yes and no: the area is asked", []Claim{yes, no}, []Claim{area}, [][]uint32{{2, 3}}, 0},
		{"a word more", []Claim{another, yes}, []Claim{area}, [][]uint32{{2, 3}}, 0},
		{"yes and no, on two days", []Claim{older(yes), no}, []Claim{area}, [][]uint32{{2, 3}}, 0},
		{"yes twice, and no", []Claim{yes, no, yes}, []Claim{area}, [][]uint32{{2, 3, 4}}, 0},
		{"beside another network region", []Claim{yes, no, fourG}, []Claim{area, fourG}, [][]uint32{{2, 3}}, 0},
		{"beside another CSP", []Claim{yes, no, by("DCC", yes)}, []Claim{by("DCC", yes)}, [][]uint32{{2, 3}}, 0},
		{"two CSPs, each with itself", []Claim{yes, by("DCC", no), no, by("DCC", yes)}, []Claim{area}, [][]uint32{{2, 4}, {3, 5}}, 0},
	} {
		w := small()
		w.areas = []Area{{Claim: area, Shape: geo.MultiPolygon{{square(52.4, -1.6, 0.2)}}}}
		for _, claim := range c.claims {
			w.add(1, "GU1 1AA", located(52.5, -1.5), "12", claim)
		}
		file, report := w.build(t, nil)
		s, err := OpenBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := s.UPRN(1)
		var got []Claim
		for i := range p.Claims().Len() {
			claim, lent := p.Claims().At(i)
			got = append(got, *claim)
			if lent != (*claim == area) {
				t.Errorf("%s: %+v lent: %v", c.name, claim, lent)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: claims (-want +got):\n%s", c.name, d)
		}
		if p.Conflict() != (c.conflict != nil) || report.Merged != c.merged {
			t.Errorf("%s: conflict %v, %d merged, want %d", c.name, p.Conflict(), report.Merged, c.merged)
		}
		var lines [][]uint32
		for _, x := range report.Conflicts {
			var l []uint32
			for _, r := range x.Rows {
				l = append(l, r.Line)
			}
			lines = append(lines, l)
			if x.UPRN != 1 || x.Postcode.String() != "GU1 1AA" || x.Address != "12" || x.Network != NetworkSouth {
				t.Errorf("%s: %+v", c.name, x)
			}
		}
		if d := cmp.Diff(c.conflict, lines); d != "" {
			t.Errorf("%s: conflicts (-want +got):\n%s", c.name, d)
		}
		// A claim that nobody makes any more is not in the file.
		kept := c.want
		if !slices.Contains(kept, area) {
			kept = append(kept, area)
		}
		if n := s.Info().Claims; n != int64(len(kept)) {
			t.Errorf("%s: %d claims in the file, want %d", c.name, n, len(kept))
		}
	}
}

// TestResolveLetsGo: the tables of areas and Regions are not there any more when
// premises are ordered, for which memory is short.
func TestResolveLetsGo(t *testing.T) {
	b := makeWorld(3, 100).builder(t, nil)
	m := b.newMerger()
	if _, err := m.resolve(t.Context(), 2, func(_, _ int64) {}); err != nil {
		t.Fatal(err)
	}
	if m.lender != nil || b.locator != nil {
		t.Error("they are still there")
	}
}

// patient is a context that is cancelled once it has been asked so many times.
type patient struct {
	context.Context
	asks atomic.Int64
}

func (p *patient) Err() error {
	if p.asks.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestMergeCancelled: wherever a build is cancelled it stops there, and makes
// nothing of what it has half of.
func TestMergeCancelled(t *testing.T) {
	without := func(b *Builder) (n int) {
		for i := range b.rows.without {
			n += b.rows.without[i].n
		}
		return n
	}
	w := makeWorld(2, 400)
	for asks := int64(0); ; asks += 100 {
		b := w.builder(t, nil)
		m, ctx := b.newMerger(), &patient{Context: t.Context()}
		ctx.asks.Store(asks)
		before := without(b)
		if err := m.join(ctx, 2); err != nil {
			if n := without(b); n != before {
				t.Errorf("cancelled after %d asks: %d rows have joined others", asks, before-n)
			}
			continue
		}
		if _, err := m.resolve(ctx, 2, func(_, _ int64) {}); err != nil {
			continue
		}
		l, err := m.layOut(ctx, 2)
		if err == nil {
			return
		}
		if l != nil {
			t.Errorf("cancelled after %d asks: laid out all the same", asks)
		}
	}
}

package index

import (
	"math/rand/v2"
	"os"
	"testing"

	"coverd/geo"
)

// BenchmarkHistory asks random premises of a snapshot that COVERD_SNAPSHOT names,
// or of a small one: for their state, and whether coverage was indicated in the
// thirty days before.
func BenchmarkHistory(b *testing.B) {
	var s *Snapshot
	if path := os.Getenv("COVERD_SNAPSHOT"); path != "" {
		var err error
		if s, err = Open(path); err != nil {
			b.Fatal(err)
		}
	} else {
		list := longNights(b, rand.New(rand.NewPCG(1, 1)), 300, 5, 60)
		s = list[len(list)-1]
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const mask = 1<<16 - 1
	var uprns []geo.UPRN
	for len(uprns) <= mask {
		if u := s.PremisesAt(uint32(rng.IntN(s.premises.n))).UPRN(); u != 0 {
			uprns = append(uprns, u)
		}
	}
	today := s.info.AsOf
	i, n := 0, 0
	for _, c := range []struct {
		name string
		ask  func(p Premises) bool
	}{
		{"state", func(p Premises) bool { return p.State(today) == Available }},
		{"30 days", func(p Premises) bool { _, ok := p.IndicatedSince(today, today-30, today); return ok }},
		{"known", func(p Premises) bool { i, _ := p.Known(today - 30); return i.Present }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, _ := s.UPRN(uprns[i&mask])
				if c.ask(p) {
					n++
				}
				i++
			}
		})
	}
}

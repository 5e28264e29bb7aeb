package bench

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"coverd/geo"
	"coverd/index"
)

// PremisesSweep is what came of looking for every premises by all that leads to
// it.
type PremisesSweep struct {
	Premises int64 `json:"premises"`
	UPRN     Found `json:"uprn"`
	Postcode Found `json:"postcode"`
	// Location is whether a premises is among those at distance 0 from its own
	// location. Crowded are the places with more premises on one spot than
	// Nearest gives: of these it is found if it comes after the last one given,
	// in the order of those at the same distance.
	Location Found `json:"location"`
	Crowded  int64 `json:"crowded"`
}

// Found counts the premises that have a key, and those it does not lead to.
type Found struct {
	Asked   int64 `json:"asked"`
	Missing int64 `json:"missing"`
	// First is the row of the first that is missing; −1: none is.
	First int64 `json:"first_missing"`
}

// Missing is how many premises were not found by a key of theirs.
func (s *PremisesSweep) Missing() int64 {
	return s.UPRN.Missing + s.Postcode.Missing + s.Location.Missing
}

func (f *Found) count(found bool, row uint32) {
	f.Asked++
	if found {
		return
	}
	f.Missing++
	if f.First < 0 || int64(row) < f.First {
		f.First = int64(row)
	}
}

func (f *Found) add(g Found) {
	f.Asked += g.Asked
	f.Missing += g.Missing
	if f.First < 0 || g.First >= 0 && g.First < f.First {
		f.First = g.First
	}
}

// SweepPremises looks for every premises of a snapshot by its UPRN, by its
// postcode, and around its own location, on all cores.
func SweepPremises(ctx context.Context, snap *index.Snapshot, progress Progress) (*PremisesSweep, error) {
	const batch = 4096
	total := int(snap.Info().Premises)
	sum := newSweep()
	var mu sync.Mutex // of sum
	batches := make(chan []index.Premises, 2*runtime.GOMAXPROCS(0))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		next := make([]index.Premises, 0, batch)
		flush := func() error {
			select {
			case batches <- next:
				next = make([]index.Premises, 0, batch)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		for p := range snap.AllPremises() {
			if next = append(next, p); len(next) == batch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			s := sweeper{snap: snap, near: make([]index.Neighbour, 0, index.MaxNearest)}
			for homes := range batches {
				s.PremisesSweep = newSweep()
				for _, p := range homes {
					s.look(p)
				}
				mu.Lock()
				sum.add(&s.PremisesSweep)
				progress.report("premises", int(sum.Premises), total)
				mu.Unlock()
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &sum, nil
}

func newSweep() PremisesSweep {
	none := Found{First: -1}
	return PremisesSweep{UPRN: none, Postcode: none, Location: none}
}

func (s *PremisesSweep) add(t *PremisesSweep) {
	s.Premises += t.Premises
	s.UPRN.add(t.UPRN)
	s.Postcode.add(t.Postcode)
	s.Location.add(t.Location)
	s.Crowded += t.Crowded
}

// sweeper looks for premises, on one goroutine.
type sweeper struct {
	PremisesSweep
	snap *index.Snapshot
	near []index.Neighbour
}

func (s *sweeper) look(p index.Premises) {
	s.Premises++
	if u := p.UPRN(); u.IsValid() {
		q, ok := s.snap.UPRN(u)
		s.UPRN.count(ok && q.Row() == p.Row(), p.Row())
	}
	if postcode := p.Postcode(); postcode.IsValid() {
		s.Postcode.count(s.inPostcode(p, postcode), p.Row())
	}
	if at := p.At(); at.IsValid() {
		s.Location.count(s.atPlace(p, at.LatLng()), p.Row())
	}
}

func (s *sweeper) inPostcode(p index.Premises, postcode geo.Postcode) bool {
	unit, ok := s.snap.Postcode(postcode)
	if !ok {
		return false
	}
	for i := range unit.Len() {
		if unit.Premises(i).Row() == p.Row() {
			return true
		}
	}
	return false
}

func (s *sweeper) atPlace(p index.Premises, at geo.LatLng) bool {
	s.near = s.snap.Nearest(s.near[:0], at, index.MaxNearest, 0)
	for i := range s.near {
		if s.near[i].Premises.Row() == p.Row() {
			return s.near[i].Distance == 0
		}
	}
	if len(s.near) < index.MaxNearest {
		return false
	}
	s.Crowded++
	last := s.near[len(s.near)-1].Premises
	return compareTies(last, p) <= 0
}

// compareTies orders premises at the same distance as Nearest does.
func compareTies(p, q index.Premises) int {
	return cmp.Or(
		p.Postcode().Compare(q.Postcode()),
		cmp.Compare(p.UPRN(), q.UPRN()),
		bytes.Compare(p.Address(), q.Address()),
	)
}

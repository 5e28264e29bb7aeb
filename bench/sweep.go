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
	// location. Crowded are the premises on a spot with more of them than Nearest
	// gives, and not given: such a one is found if all that are given are on the
	// spot too, and come before it in the order of those at the same distance.
	Location Found `json:"location"`
	Crowded  int64 `json:"crowded"`
}

// Found counts the premises that have a key, and those it does not lead to.
type Found struct {
	Asked   int64 `json:"asked"`
	Missing int64 `json:"missing"`
	// First is the first that is missing, as it can be looked up, by UPRN, else
	// by postcode, else by location; "": none is.
	First string `json:"first_missing,omitzero"`
	row   uint32 // of First
}

// Missing is how many premises were not found by a key of theirs.
func (s *PremisesSweep) Missing() int64 {
	return s.UPRN.Missing + s.Postcode.Missing + s.Location.Missing
}

func (f *Found) count(found bool, p index.Premises) {
	f.Asked++
	if !found {
		f.miss(1, p.Row(), keyOf(p))
	}
}

// miss counts n missing, of which the first has a row and a key.
func (f *Found) miss(n int64, row uint32, key string) {
	if n > 0 && (f.Missing == 0 || row < f.row) {
		f.First, f.row = key, row
	}
	f.Missing += n
}

func (f *Found) add(g Found) {
	f.Asked += g.Asked
	f.miss(g.Missing, g.row, g.First)
}

// keyOf is what coverd lookup takes to find a premises, or those around it.
func keyOf(p index.Premises) string {
	switch at := p.At(); {
	case p.UPRN().IsValid():
		return p.UPRN().String()
	case p.Postcode().IsValid():
		return p.Postcode().String()
	default:
		b := append(appendDegrees(nil, at.LatLng().Lat), ',')
		return string(appendDegrees(b, at.LatLng().Lng))
	}
}

// SweepPremises looks for every premises of a snapshot by its UPRN, by its
// postcode, and around its own location, on all cores.
func SweepPremises(ctx context.Context, snap *index.Snapshot, progress Progress) (*PremisesSweep, error) {
	const batch = 4096
	total := int(snap.Info().Premises)
	var sum PremisesSweep
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
			s := newSweeper(snap)
			for homes := range batches {
				s.PremisesSweep = PremisesSweep{}
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
	near []index.Neighbour

	// The look-ups, which are the snapshot's but in tests.
	uprn     func(geo.UPRN) (index.Premises, bool)
	postcode func(geo.Postcode) (index.Unit, bool)
	nearest  func(list []index.Neighbour, p geo.LatLng, limit int, radius float64) []index.Neighbour
}

func newSweeper(snap *index.Snapshot) *sweeper {
	return &sweeper{near: make([]index.Neighbour, 0, index.MaxNearest), uprn: snap.UPRN, postcode: snap.Postcode, nearest: snap.Nearest}
}

func (s *sweeper) look(p index.Premises) {
	s.Premises++
	if u := p.UPRN(); u.IsValid() {
		q, ok := s.uprn(u)
		s.UPRN.count(ok && q.Row() == p.Row(), p)
	}
	if postcode := p.Postcode(); postcode.IsValid() {
		s.Postcode.count(s.inPostcode(p, postcode), p)
	}
	if at := p.At(); at.IsValid() {
		s.Location.count(s.atPlace(p, at.LatLng()), p)
	}
}

func (s *sweeper) inPostcode(p index.Premises, postcode geo.Postcode) bool {
	unit, ok := s.postcode(postcode)
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
	s.near = s.nearest(s.near[:0], at, index.MaxNearest, 0)
	for i := range s.near {
		if s.near[i].Premises.Row() == p.Row() {
			return s.near[i].Distance == 0
		}
	}
	if len(s.near) < index.MaxNearest {
		return false
	}
	s.Crowded++
	last := &s.near[len(s.near)-1]
	return last.Distance == 0 && compareTies(last.Premises, p) < 0
}

// compareTies orders premises at the same distance as Nearest does.
func compareTies(p, q index.Premises) int {
	return cmp.Or(
		p.Postcode().Compare(q.Postcode()),
		cmp.Compare(p.UPRN(), q.UPRN()),
		bytes.Compare(p.Address(), q.Address()),
		cmp.Compare(p.Row(), q.Row()),
	)
}

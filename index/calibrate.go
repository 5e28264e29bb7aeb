package index

import (
	"cmp"
	"math"
	"slices"
)

// Sizes of the calibration of a build.
const (
	calibrationPostcodes = 80_000 // about as many are held out, of fewer all
	calibrationLeast     = 500    // postcodes with premises that a table is made of
)

// calibrate holds out about so many postcodes of all the country, and counts how
// often estimates of them are right; nil where there are too few.
//
// # Why postcodes weigh differently
//
// Nearly everywhere all premises are in one state, and so is every estimate; one
// postcode in thirty is in a sector where they are not, and of the estimates
// that are wrong 98 % are. Three in ten of the postcodes held out are of such
// sectors, which is ten times their share, and each of the others counts as
// often as it stands for more of its kind.
//
// # Why so many
//
// Of the country's 1.5 million postcodes few have estimates that are not all but
// certain. With a quarter as many held out, those were too few: estimates stated
// as right in 85 of 100 cases were so in 77. These cost a build of the country 7
// seconds of processor time.
//
// Which postcodes and which of their premises follows from the postcode and the
// salt alone: the same night after night, whatever the machine.
func (s *Snapshot) calibrate(postcodes, workers int) *calibration {
	list, weight := s.choose(postcodes, calibrationSalt)
	if len(list) < calibrationLeast {
		return nil
	}
	stretches := slices.Collect(slices.Chunk(list, 64))
	sum := &calibration{postcodes: len(list), weight: weight}
	free := make(chan *calibrator, workers)
	all := make([]calibrator, workers)
	for i := range all {
		c := &all[i]
		c.holdout = newHoldout(s, c.judge)
		free <- c
	}
	shareOut(len(stretches), 1, workers, func(i int) {
		c := <-free
		for _, u := range stretches[i] {
			if c.stratum = 0; u.rest {
				c.stratum = 1
			}
			c.holdout.postcode(u.Unit, u.hash(^calibrationSalt))
		}
		free <- c
	})
	for i := range all {
		for k := range sum.counts {
			for stratum, n := range all[i].counts[k] {
				sum.counts[k][stratum].cases += n.cases
				sum.counts[k][stratum].right += n.right
			}
		}
	}
	sum.weigh()
	return sum
}

// calibrator counts for one goroutine.
type calibrator struct {
	holdout *holdout
	counts  [traits][2]count
	stratum int // of the postcode held out: 0 of a mixed sector
}

func (c *calibrator) judge(e *Estimate, truth ClaimSet) {
	n := &c.counts[traitsOf(e)][c.stratum]
	n.cases++
	if truth.State(c.holdout.s.info.AsOf) == e.State {
		n.right++
	}
}

// calibrationSalt makes the choice of postcodes one of many.
const calibrationSalt uint64 = 0x636f766572640001

// chosen is a postcode to hold out.
type chosen struct {
	Unit
	rest bool // not of a mixed sector
}

// sampling is which of a snapshot's postcodes are held out.
type sampling struct {
	mixed  []bool  // sectors whose premises are not all in one state
	each   float64 // of theirs one in so many
	weight int     // of the others one in so many times as many
}

// sampling plans to hold out about n of the postcodes that have premises.
func (s *Snapshot) sampling(n int) sampling {
	p := sampling{mixed: make([]bool, len(s.sectors)), weight: 1}
	mixed, rest := 0, 0
	for i := range s.sectors {
		sum := s.sectors[i].summary(s.info.AsOf)
		p.mixed[i] = max(sum.Available, sum.Planned, sum.Unavailable, sum.Unknown) < sum.Premises
		there := 0
		s.units(i, func(Unit) { there++ })
		if p.mixed[i] {
			mixed += there
		} else {
			rest += there
		}
	}
	p.each = max(1, float64(mixed)/float64(n-min(rest, n*7/10)))
	if left := float64(n) - float64(mixed)/p.each; float64(rest) > left {
		p.weight = max(1, int(math.Round(float64(rest)/left/p.each)))
	}
	return p
}

// oneIn tells that one in so many of a sector's postcodes is held out.
func (p *sampling) oneIn(sector int) float64 {
	if p.mixed[sector] {
		return p.each
	}
	return p.each * float64(p.weight)
}

// units calls f with the postcodes of a sector that have premises.
func (s *Snapshot) units(sector int, f func(u Unit)) {
	for row := s.sectors[sector].unit; row < s.sectors[sector].unitEnd; row++ {
		if u := (Unit{s, uint32(row)}); u.Len() > 0 {
			f(u)
		}
	}
}

// choose takes about n of the postcodes that have premises, in the order that
// their premises are held in, which is that of places: what is near is asked for
// one after another.
func (s *Snapshot) choose(n int, salt uint64) (list []chosen, weight int) {
	p := s.sampling(n)
	for i := range s.sectors {
		below := uint64(math.MaxUint64)
		if oneIn := p.oneIn(i); oneIn > 1 {
			below = uint64(math.MaxUint64 / oneIn)
		}
		s.units(i, func(u Unit) {
			if u.hash(salt) <= below {
				list = append(list, chosen{u, !p.mixed[i]})
			}
		})
	}
	slices.SortFunc(list, func(a, b chosen) int { return cmp.Compare(s.unitFirst.at(int(a.row)), s.unitFirst.at(int(b.row))) })
	return list, p.weight
}

// hash is a number that a postcode has by its text and the salt.
func (u Unit) hash(salt uint64) uint64 {
	x := uint64(u.Postcode().Ordinal()) ^ salt // the finalizer of splitmix64: near numbers land far apart
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Calibration is how often estimates come true, measured when the snapshot was
// built: postcodes all over the country were held out, one premises of each was
// estimated as if nothing were known of its postcode, again as if nothing were
// known within 250 m, and from its sector, its outcode and its neighbours of the
// same postcode; and State compared with what the CSPs say of it on the as-of
// day.
//
// Confidence of an estimate is the share that was right of those with the same
// traits. It speaks of State alone, and of days near the as-of day: of other
// days it is as good as the dates in the claims are.
type Calibration struct {
	Postcodes int               `json:"postcodes"` // held out
	Cases     []CalibrationCase `json:"cases"`     // those that there were
}

// CalibrationCase is estimates of the same traits.
type CalibrationCase struct {
	OneNetwork bool    `json:"one_network"` // the question was about a single network region
	Basis      string  `json:"basis"`
	State      string  `json:"state"`
	Agreement  *Band   `json:"agreement"`  // share of the witnesses in State; nil: there was no witness
	Distance   *Band   `json:"distance_m"` // to the nearest witness; nil: they were not near
	Premises   Band    `json:"premises"`   // how many witnesses
	Cases      int     `json:"cases"`
	Right      int     `json:"right"` // of these, those whose State was the truth
	Share      float64 `json:"share"` // of right ones in the country, where a place of a mixed sector stands for fewer than another
	Confidence float64 `json:"confidence"`
}

// Band is a range of numbers: From up to but not including To; To 0 is no end.
type Band struct {
	From float64 `json:"from"`
	To   float64 `json:"to,omitzero"`
}

// Calibration returns the table that confidences are read from; nil where the
// snapshot has none: there were too few postcodes, or an earlier version built it.
func (s *Snapshot) Calibration() *Calibration {
	c := s.calibration
	if c == nil {
		return nil
	}
	out := &Calibration{Postcodes: c.postcodes}
	for i := range c.counts {
		n := c.counts[i]
		if n[0].cases+n[1].cases == 0 {
			continue
		}
		reach, agreement, state, basis := apart(i)
		item := CalibrationCase{
			OneNetwork: basis >= traitBases, Basis: traitBasis[basis%traitBases], State: States[state].String(),
			Cases: int(n[0].cases + n[1].cases), Right: int(n[0].right + n[1].right), Confidence: c.confidence[i],
		}
		if agreement > 0 {
			item.Agreement = &Band{From: agreementFrom[agreement]}
			if agreement+1 < traitAgreements {
				item.Agreement.To = agreementFrom[agreement+1]
			}
		}
		s := c.share(i)
		item.Share = s.right / s.cases
		item.Distance, item.Premises = reachBands(reach)
		out.Cases = append(out.Cases, item)
	}
	return out
}

// calibration is a Calibration by number of traits.
type calibration struct {
	postcodes int              // held out
	weight    int              // how often a case counts that is not of a mixed sector
	counts    [traits][2]count // of mixed sectors, of others

	confidence [traits]float64
}

// count is cases, and how many of them were right.
type count struct{ cases, right uint32 }

// Traits of an estimate, each with the number of its bands. One is a number made
// of all of them, the first the most significant.
const (
	traitQuestions  = 2 // of all network regions, of one
	traitBases      = 5
	traitStates     = len(States)
	traitAgreements = 7
	traitReaches    = 12

	traits = traitQuestions * traitBases * traitStates * traitAgreements * traitReaches
)

// traitBasis are the bases in the order of their numbers.
var traitBasis = [traitBases]string{EstimateArea, EstimateNearest, EstimateOwn, EstimateSector, EstimateOutcode}

// agreementFrom is where the bands of agreement begin, but for the first: that
// is where there is no witness. The last is all of them.
var agreementFrom = [traitAgreements]float64{-1, 0, 0.25, 0.5, 0.7, 0.9, 1}

// agreementPrior is what is thought of a band before anything is seen.
var agreementPrior = [traitAgreements]float64{0.5, 0.15, 0.4, 0.6, 0.8, 0.9, 0.95}

// Bands of reach: of witnesses that are near, the distance to the nearest of ten,
// then of fewer; of others how many there are.
var (
	reachMetres   = [...]float64{0, 50, 100, 250}
	reachPremises = [...]int{0, 3, 10, 100}
)

// bandOf is the last of some bands that does not begin above a value.
func bandOf[T int | float64](value T, from []T) int {
	i := len(from) - 1
	for i > 0 && value < from[i] {
		i--
	}
	return i
}

// reachOf is an estimate's band of reach.
func reachOf(e *Estimate) int {
	if e.Distance < 0 {
		return 2*len(reachMetres) + bandOf(e.Premises, reachPremises[:])
	}
	reach := bandOf(e.Distance, reachMetres[:])
	if e.Premises < EstimateWitnesses {
		reach += len(reachMetres)
	}
	return reach
}

// reachBands undoes reachOf.
func reachBands(reach int) (distance *Band, premises Band) {
	if k := reach - 2*len(reachMetres); k >= 0 {
		premises.From = float64(reachPremises[k])
		if k+1 < len(reachPremises) {
			premises.To = float64(reachPremises[k+1])
		}
		return nil, premises
	}
	k := reach % len(reachMetres)
	distance = &Band{From: reachMetres[k]}
	if k+1 < len(reachMetres) {
		distance.To = reachMetres[k+1]
	}
	if reach >= len(reachMetres) {
		return distance, Band{From: 1, To: EstimateWitnesses}
	}
	return distance, Band{From: EstimateWitnesses}
}

// confidence is that of an estimate which is complete otherwise.
func (s *Snapshot) confidence(e *Estimate) float64 {
	switch {
	case s.calibration != nil:
		return s.calibration.confidence[traitsOf(e)]
	case e.Basis == EstimateArea:
		return float64(e.agree+9) / float64(e.Premises+10)
	}
	return float64(e.agree+1) / float64(e.Premises+2)
}

// traitsOf are the traits of an estimate.
func traitsOf(e *Estimate) int {
	n := 0
	if e.Only != NoNetwork {
		n = 1
	}
	n *= traitBases
	switch e.Basis {
	case EstimateNearest:
		n++
	case EstimateOwn:
		n += 2
	case EstimateSector:
		n += 3
	case EstimateOutcode:
		n += 4
	}
	n = n*traitStates + int(e.State) - 1
	n = n*traitAgreements + bandOf(e.Agreement, agreementFrom[:])
	return n*traitReaches + reachOf(e)
}

// How many cases a coarser count weighs beside a finer: the last step, to all
// traits of an estimate, and those before it.
const (
	calibrationWeight = 50
	coarseWeight      = 200
)

// weigh works the confidences out. Few have been seen of many a combination of
// traits, so that each is taken together with what fewer traits tell: agreement
// alone; then with the question and the basis; then with the reach; and last with
// the state. Of the ways that were tried at national scale, with other postcodes
// held out, this came closest: within 4 points in every band.
func (c *calibration) weigh() {
	var byAgreement [traitAgreements]share
	var byBasis [traitQuestions * traitBases * traitAgreements]share
	var byReach [traitQuestions * traitBases * traitAgreements * traitReaches]share
	each := func(f func(i, agreement, basis, reach int)) {
		for i := range traits {
			reach, agreement, _, basis := apart(i)
			k := basis*traitAgreements + agreement
			f(i, agreement, k, k*traitReaches+reach)
		}
	}
	each(func(i, agreement, basis, reach int) {
		n := c.share(i)
		for _, s := range [...]*share{&byAgreement[agreement], &byBasis[basis], &byReach[reach]} {
			s.cases += n.cases
			s.right += n.right
			s.squares += n.squares
		}
	})
	each(func(i, agreement, basis, reach int) {
		coarser := byAgreement[agreement].beside(coarseWeight, agreementPrior[agreement])
		coarser = byBasis[basis].beside(coarseWeight, coarser)
		coarser = byReach[reach].beside(coarseWeight, coarser)
		c.confidence[i] = c.share(i).beside(calibrationWeight, coarser)
	})
}

// apart tells the bands that a number of traits is made of, question and basis
// in one.
func apart(i int) (reach, agreement, state, basis int) {
	return i % traitReaches, i / traitReaches % traitAgreements,
		i / traitReaches / traitAgreements % traitStates, i / traitReaches / traitAgreements / traitStates
}

// share is how many of some cases were right, each counted as often as it
// weighs, and the sum of the weights' squares.
type share struct{ cases, right, squares float64 }

// share is that of the cases with some traits.
func (c *calibration) share(i int) share {
	mixed, rest, w := c.counts[i][0], c.counts[i][1], float64(c.weight)
	return share{
		cases:   float64(mixed.cases) + w*float64(rest.cases),
		right:   float64(mixed.right) + w*float64(rest.right),
		squares: float64(mixed.cases) + w*w*float64(rest.cases),
	}
}

// beside is the share, a coarser one weighing as so many cases beside as many as
// tell as much as these of different weights.
func (s share) beside(weight, coarser float64) float64 {
	if s.cases == 0 {
		return coarser
	}
	n := s.cases * s.cases / s.squares
	return (n*s.right/s.cases + weight*coarser) / (n + weight)
}

// calibrationLayout is the first number of the section.
const calibrationLayout = 1

// appendTo writes the section.
func (c *calibration) appendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, calibrationLayout)
	b = binary.AppendUvarint(b, uint64(c.postcodes))
	b = binary.AppendUvarint(b, uint64(c.weight))
	for i := range c.counts {
		for _, n := range c.counts[i] {
			b = binary.AppendUvarint(b, uint64(n.cases))
			b = binary.AppendUvarint(b, uint64(n.right))
		}
	}
	return b
}

// readCalibration reads the table of confidences, which a snapshot need not have.
func (s *Snapshot) readCalibration(r *reader) {
	raw, ok := r.raws[sectionEstimates]
	if !ok || r.err != nil {
		return
	}
	if r.take(sectionEstimates, traits, 32); r.err != nil {
		return
	}
	c, err := parseCalibration(raw)
	r.check(sectionEstimates, err)
	s.calibration = c
}

// parseCalibration reads the section; nil without an error for a layout of later.
func parseCalibration(raw []byte) (*calibration, error) {
	d := decoder{b: raw}
	if layout := d.uvarint(); d.err == nil && layout != calibrationLayout {
		return nil, nil //nolint:nilnil // none that can be read, which is no damage
	}
	c := &calibration{postcodes: int(d.below(math.MaxInt32, "postcodes")), weight: int(d.below(1<<20, "weight"))}
	for i := range c.counts {
		for k := range c.counts[i] {
			n := count{uint32(d.below(math.MaxUint32+1, "cases")), uint32(d.below(math.MaxUint32+1, "cases"))}
			if d.err == nil && n.right > n.cases {
				d.err = fmt.Errorf("%d right of %d cases", n.right, n.cases)
			}
			c.counts[i][k] = n
		}
	}
	if d.err == nil && c.weight == 0 {
		d.err = errors.New("cases that count for nothing")
	}
	if d.err == nil && len(d.b) > 0 {
		d.err = errors.New("more than there are combinations of traits")
	}
	if d.err != nil {
		return nil, d.err
	}
	c.weigh()
	return c, nil
}

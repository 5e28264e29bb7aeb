package loader

import (
	"cmp"
	"math"
	"slices"

	"coverd/index"
)

// Accuracy tells how right the database was: installation outcomes against what
// it had indicated.
type Accuracy struct {
	Rows     int64 `json:"rows"`
	Scored   int64 `json:"scored"`    // rows of which it is known what was indicated
	NotKnown int64 `json:"not_known"` // rows of days that the snapshots do not reach back to
	Rejected int64 `json:"rejected"`  // rows that cannot be scored
	// RejectedBy counts these by the code of the reason; Rejects are the first.
	RejectedBy map[Code]int64      `json:"rejected_by"`
	Rejects    []Reject            `json:"rejects"`
	Columns    map[SheetKey]string `json:"columns"` // that were read
	// Lead is how many days before the installation the database was read, in the
	// snapshots given.
	Lead      int              `json:"lead"`
	Snapshots []ScoredSnapshot `json:"snapshots"`
	OutcomeCounts
	// Least is how many outcomes a group must have to be ranked. Groups are in
	// order of dimension; within it the ranked ones come first, the worst first.
	Least     int              `json:"least"`
	Groups    []OutcomeGroup   `json:"groups"`
	Estimates EstimateAccuracy `json:"estimates"`
}

// ScoredSnapshot is a snapshot that was asked.
type ScoredSnapshot struct {
	ID          string    `json:"id"`
	AsOf        index.Day `json:"as_of"`
	HistoryFrom index.Day `json:"history_from"` // the first known day that it can be asked about
}

// OutcomeCounts count outcomes by what was indicated about the day of the
// installation.
type OutcomeCounts struct {
	Available   Outcomes `json:"available"`
	Planned     Outcomes `json:"planned"` // for a later day
	Unavailable Outcomes `json:"unavailable"`
	Unknown     Outcomes `json:"unknown"`
	NoPremises  Outcomes `json:"no_premises_found"`
	Unread      Outcomes `json:"not_known"`
	// Inaccurate is the share without SM WAN of those indicated available: an
	// "Inaccurate Coverage Database Prediction".
	Inaccurate Rate `json:"inaccurate"`
	// Missed is the share of successes of those indicated unavailable, or planned
	// for later.
	Missed Rate `json:"missed"`
}

// Outcomes count what came of installations.
type Outcomes struct {
	Success int64 `json:"success"` // 8.14.1
	NoWAN   int64 `json:"no_wan"`  // 8.14.2
}

func (o Outcomes) all() int64 { return o.Success + o.NoWAN }

// Rate is a share with its 95 % confidence interval, by Wilson.
type Rate struct {
	N    int64    `json:"n"`
	Of   int64    `json:"of"`
	Rate *float64 `json:"rate"` // to six decimals; null, as the interval, of none
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
}

// rateOf is n of a number.
func rateOf(n, of int64) Rate {
	r := Rate{N: n, Of: of}
	if of > 0 {
		low, high := wilson(n, of)
		r.Rate, r.Low, r.High = new(sixDecimals(float64(n)/float64(of))), new(sixDecimals(low)), new(sixDecimals(high))
	}
	return r
}

func sixDecimals(f float64) float64 { return math.Round(f*1e6) / 1e6 }

// wilson is the score interval of E. B. Wilson (1927), which holds for few
// outcomes and for shares near nothing and all, where the usual one does not.
func wilson(n, of int64) (low, high float64) {
	const z = 1.959963984540054 // of 95 %
	count, share := float64(of), float64(n)/float64(of)
	middle := share + z*z/(2*count)
	reach := z * math.Sqrt(share*(1-share)/count+z*z/(4*count*count))
	scale := 1 + z*z/count
	return max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)
}

// OutcomeGroup counts the outcomes that have something in common.
type OutcomeGroup struct {
	Dimension string `json:"dimension"` // csp, network_region, wan_variant (all of the fit), outcode, or a column
	Name      string `json:"name"`
	// Ranked tells that enough of them were indicated available for the order by
	// rate to mean something.
	Ranked bool `json:"ranked"`
	OutcomeCounts
}

// EstimateAccuracy tells how right estimates were where no premises was found.
type EstimateAccuracy struct {
	Bands []EstimateBand `json:"bands"` // by confidence, of those with a state
	// Unknown counts estimates of a state not known; None places with nothing to
	// go by; NotKnown those of which the snapshot in force is not one of those
	// given.
	Unknown  int64 `json:"unknown"`
	None     int64 `json:"none"`
	NotKnown int64 `json:"not_known"`
}

// EstimateBand is estimates of about the same confidence.
type EstimateBand struct {
	From     float64 `json:"from"`     // the least confidence
	To       float64 `json:"to"`       // that of the next band
	Stated   float64 `json:"stated"`   // the mean confidence, to six decimals
	Observed Rate    `json:"observed"` // the share that came as estimated
}

// report fills in what was counted.
func (a *Accuracy) report(c *scoreCounts) {
	a.OutcomeCounts = c.total.counts()
	a.NotKnown = a.Unread.all()
	a.Scored = a.Rows - a.Rejected - a.NotKnown
	a.Groups = []OutcomeGroup{}
	for group, tallies := range c.groups {
		var list []OutcomeGroup
		for name, t := range tallies {
			g := OutcomeGroup{Dimension: groupNames[group], Name: cmp.Or(name, valueEmpty), OutcomeCounts: t.counts()}
			g.Ranked = g.Inaccurate.Of >= int64(a.Least)
			list = append(list, g)
		}
		slices.SortFunc(list, compareGroups)
		a.Groups = append(a.Groups, list...)
	}
	a.Estimates = EstimateAccuracy{
		Bands: []EstimateBand{}, Unknown: c.estimates[estimateUnknown], None: c.estimates[estimateNone], NotKnown: c.estimates[estimateNotKnown],
	}
	for i, b := range c.bands {
		if b.n == 0 {
			continue
		}
		to := 1.0
		if i+1 < len(bandFloors) {
			to = bandFloors[i+1]
		}
		a.Estimates.Bands = append(a.Estimates.Bands, EstimateBand{
			From: bandFloors[i], To: to, Stated: sixDecimals(float64(b.confidence) / 1e6 / float64(b.n)), Observed: rateOf(b.agree, b.n),
		})
	}
}

// compareGroups puts those with enough outcomes first, and among them the worst:
// by the low end of the interval, so that a few bad outcomes are not taken for
// many.
func compareGroups(a, b OutcomeGroup) int {
	switch {
	case a.Ranked && b.Ranked:
		if order := cmp.Or(cmp.Compare(*b.Inaccurate.Low, *a.Inaccurate.Low), cmp.Compare(b.Inaccurate.Of, a.Inaccurate.Of)); order != 0 {
			return order
		}
	case a.Ranked:
		return -1
	case b.Ranked:
		return 1
	}
	return cmp.Compare(a.Name, b.Name)
}

// counts are what was counted, in the words of the report.
func (t *outcomeTally) counts() OutcomeCounts {
	of := func(i indicated) Outcomes { return Outcomes{t[i][installSuccess], t[i][installNoWAN]} }
	c := OutcomeCounts{
		Available: of(availableIndicated), Planned: of(plannedIndicated), Unavailable: of(unavailableIndicated),
		Unknown: of(unknownIndicated), NoPremises: of(noPremisesIndicated), Unread: of(notKnown),
	}
	c.Inaccurate = rateOf(c.Available.NoWAN, c.Available.all())
	c.Missed = rateOf(c.Unavailable.Success+c.Planned.Success, c.Unavailable.all()+c.Planned.all())
	return c
}

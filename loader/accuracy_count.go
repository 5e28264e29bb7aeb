package loader

import (
	"coverd/geo"
	"coverd/index"
)

// indicated is what the database said of a premises, when it was read, about the
// day of the installation.
type indicated uint8

const (
	availableIndicated indicated = iota
	plannedIndicated
	unavailableIndicated
	unknownIndicated
	noPremisesIndicated
	notKnown // the snapshots do not reach back
	numIndicated
)

// byState is what a state indicates.
var byState = [...]indicated{
	index.Available: availableIndicated, index.Planned: plannedIndicated, index.Unknown: unknownIndicated, index.Unavailable: unavailableIndicated,
}

// estimated is what came of the estimate where there was no premises.
type estimated uint8

const (
	noEstimate       estimated = iota // there was a premises
	estimateMade                      // of coverage, or of none
	estimateUnknown                   // of a state not known
	estimateNone                      // there was nothing to go by
	estimateNotKnown                  // the snapshot in force is not one of those given
	numEstimated
)

// scored is a row, scored.
type scored struct {
	indicated  indicated
	result     installation
	outcode    geo.Outcode               // the zero value: none
	fit        *index.Claim              // nil: none
	values     [numOutcomeColumns]string // of the columns of groups
	estimated  estimated
	confidence float64
	agrees     bool // with the estimate
}

// at takes the outcode of a postcode over, if it is one.
func (v *scored) at(p geo.Postcode) {
	if p.IsValid() {
		v.outcode = p.Outcode()
	}
}

// outcomeTally counts outcomes by what was indicated, then by what came of it.
type outcomeTally [numIndicated][2]int64

func (t *outcomeTally) add(u *outcomeTally) {
	for i := range t {
		t[i][0] += u[i][0]
		t[i][1] += u[i][1]
	}
}

// bandTally counts estimates of about the same confidence. Confidences are added
// up as millionths, so that their sum does not depend on their order.
type bandTally struct{ n, agree, confidence int64 }

// bandFloors are where bands of confidence start.
var bandFloors = [...]float64{0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}

// Groups to report by, beside those of outcomeKeys.
const (
	groupCSP = iota
	groupNetworkRegion
	groupOutcode
	groupVariant
	numGroups = groupVariant + 1 + numOutcomeColumns - keyInstallType
)

// groupNames are their names; those of columns follow.
var groupNames = func() (names [numGroups]string) {
	copy(names[:], []string{"csp", "network_region", "outcode", "wan_variant"})
	for k := keyInstallType; k < numOutcomeColumns; k++ {
		names[groupVariant+1+k-keyInstallType] = string(outcomeKeys[k])
	}
	return names
}()

// scoreCounts are what a worker has counted.
type scoreCounts struct {
	total     outcomeTally
	groups    [numGroups]map[string]*outcomeTally
	bands     [len(bandFloors)]bandTally
	estimates [numEstimated]int64
	name      []byte
}

func newScoreCounts() *scoreCounts {
	c := &scoreCounts{}
	for i := range c.groups {
		c.groups[i] = map[string]*outcomeTally{}
	}
	return c
}

// count counts a row.
func (c *scoreCounts) count(v *scored) {
	c.total[v.indicated][v.result]++
	if v.fit != nil {
		c.in(groupCSP, v.fit.CSP, v)
		c.in(groupNetworkRegion, v.fit.Network.String(), v)
		c.in(groupVariant, v.fit.Variant, v)
	}
	if v.outcode.IsValid() {
		c.name = v.outcode.AppendTo(c.name[:0])
		t := c.groups[groupOutcode][string(c.name)]
		if t == nil {
			t = &outcomeTally{}
			c.groups[groupOutcode][string(c.name)] = t
		}
		t[v.indicated][v.result]++
	}
	for k := keyInstallType; k < numOutcomeColumns; k++ {
		if v.values[k] != "" {
			c.in(groupVariant+1+k-keyInstallType, v.values[k], v)
		}
	}
	if v.indicated != noPremisesIndicated {
		return
	}
	c.estimates[v.estimated]++
	if v.estimated == estimateMade {
		i := len(bandFloors) - 1
		for v.confidence < bandFloors[i] {
			i--
		}
		b := &c.bands[i]
		b.n++
		b.confidence += int64(v.confidence*1e6 + 0.5)
		if v.agrees {
			b.agree++
		}
	}
}

// in counts a row in a group.
func (c *scoreCounts) in(group int, name string, v *scored) {
	t := c.groups[group][name]
	if t == nil {
		t = &outcomeTally{}
		c.groups[group][name] = t
	}
	t[v.indicated][v.result]++
}

// add adds what another has counted.
func (c *scoreCounts) add(d *scoreCounts) {
	c.total.add(&d.total)
	for i := range c.groups {
		for name, t := range d.groups[i] {
			if c.groups[i][name] == nil {
				c.groups[i][name] = &outcomeTally{}
			}
			c.groups[i][name].add(t)
		}
	}
	for i := range c.bands {
		c.bands[i].n += d.bands[i].n
		c.bands[i].agree += d.bands[i].agree
		c.bands[i].confidence += d.bands[i].confidence
	}
	for i := range c.estimates {
		c.estimates[i] += d.estimates[i]
	}
}

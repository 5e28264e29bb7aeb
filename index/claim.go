package index

import (
	"cmp"
	"fmt"
	"strings"
)

// Availability is what a claim says of the present: yes, no, or nothing.
type Availability uint8

// The three availabilities.
const (
	AvailabilityUnknown Availability = iota
	AvailabilityTrue
	AvailabilityFalse
)

// Likelihood is a claim's connectivity likelihood; smaller is better, and
// unstated is worst.
type Likelihood uint8

// The likelihoods of DUIS, and the absence of one.
const (
	NoLikelihood Likelihood = iota
	High
	Medium
	Low
)

// String returns the DUIS name, or "".
func (l Likelihood) String() string {
	switch l {
	case High:
		return "High"
	case Medium:
		return "Medium"
	case Low:
		return "Low"
	}
	return ""
}

// ParseLikelihood reads High, Medium or Low; empty text is no likelihood.
func ParseLikelihood[T ~string | ~[]byte](s T) (Likelihood, error) {
	switch string(s) {
	case "":
		return NoLikelihood, nil
	case "High":
		return High, nil
	case "Medium":
		return Medium, nil
	case "Low":
		return Low, nil
	}
	return NoLikelihood, fmt.Errorf("not a likelihood: %q (want High, Medium or Low)", string(s))
}

// rank orders likelihoods for a fit, unstated last.
func (l Likelihood) rank() uint8 {
	if l == NoLikelihood {
		return uint8(Low) + 1
	}
	return uint8(l)
}

// State is what is known of coverage on a day. Smaller is better; the zero
// value is not a state.
type State uint8

// The states, best first.
const (
	Available State = iota + 1
	Planned
	Unknown
	Unavailable
)

// States lists the states, best first.
var States = [...]State{Available, Planned, Unknown, Unavailable}

// String returns the state's name in answers.
func (s State) String() string {
	switch s {
	case Available:
		return "available"
	case Planned:
		return "planned"
	case Unknown:
		return "unknown"
	case Unavailable:
		return "unavailable"
	}
	return ""
}

// Claim is one CSP's statement about one premises, or one area, on one network
// region. It is comparable: equal claims say the same.
type Claim struct {
	CSP          string
	AsOf         Day // the day the CSP's extract describes
	Network      NetworkRegion
	Availability Availability
	Anticipated  Day // anticipated coverage date
	End          Day // coverage end date: the last day of coverage
	Technology   string
	Variant      string
	Likelihood   Likelihood
	Auxiliary    string // auxiliary equipment needed, such as an aerial type
	Info         string // additional information
}

// Status is a claim evaluated on a day.
type Status struct {
	State   State
	From    Day  // the anticipated date, where coverage rests on one; else none
	Overdue bool // a plan whose date had passed when the claim was made
}

// On evaluates the claim on a day:
//
//   - after its end date: unavailable;
//   - availability true: available;
//   - false with a date after the claim's as-of: planned before that date,
//     available from it on;
//   - false with a date on or before the as-of, a plan that was missed:
//     unavailable and overdue;
//   - false without a date: unavailable; empty: unknown.
func (c *Claim) On(day Day) Status {
	switch {
	case c.End != 0 && c.End < day:
		return Status{State: Unavailable}
	case c.Availability == AvailabilityTrue:
		return Status{State: Available}
	case c.Availability == AvailabilityUnknown:
		return Status{State: Unknown}
	case c.Anticipated == 0:
		return Status{State: Unavailable}
	case c.Anticipated <= c.AsOf:
		return Status{State: Unavailable, Overdue: true}
	case day < c.Anticipated:
		return Status{State: Planned, From: c.Anticipated}
	}
	return Status{State: Available, From: c.Anticipated}
}

// IsVWAN reports whether the claim is for "virtual WAN" over the consumer's
// own broadband, which is not the SM WAN: technology `VWAN`, or `Virtual` as
// the DUIS 5.4 Connectivity enumeration has it.
func (c *Claim) IsVWAN() bool {
	return strings.EqualFold(c.Technology, "VWAN") || strings.EqualFold(c.Technology, "Virtual")
}

// Compare orders claims by network region, then by CSP, then by all the rest,
// so that a list of claims has one order whatever order they came in.
func (c *Claim) Compare(d *Claim) int {
	return cmp.Or(
		cmp.Compare(c.Network, d.Network),
		cmp.Compare(c.CSP, d.CSP),
		cmp.Compare(c.AsOf, d.AsOf),
		cmp.Compare(c.Availability, d.Availability),
		cmp.Compare(c.Anticipated, d.Anticipated),
		cmp.Compare(c.End, d.End),
		cmp.Compare(c.Technology, d.Technology),
		cmp.Compare(c.Variant, d.Variant),
		cmp.Compare(c.Likelihood, d.Likelihood),
		cmp.Compare(c.Auxiliary, d.Auxiliary),
		cmp.Compare(c.Info, d.Info),
	)
}

package loader

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"coverd/index"
)

// Thresholds are what the gates hold a night to. Shares are from 0 to 1, of the
// baseline unless said otherwise; a gate refuses what is over its threshold.
type Thresholds struct {
	Shrink, ShrinkWarn   float64 // accepted rows lost, per CSP and kind
	ShrinkArea           float64 // the same per postcode area, and live postcodes of a register's
	AreaRows             float64 // rows that a postcode area must have had to be judged
	Growth               float64 // accepted rows more, per CSP and kind
	Register             float64 // live postcodes lost
	Changed, ChangedWarn float64 // of a CSP's premises both nights: in another state
	Empty, EmptyArea     float64 // by how much the share of empty cells of a column rises, nationally and in an area
	Regions              float64 // of all premises: in another Region
	Distance             float64 // of a source's rows with coordinates and postcode: too far from it
	DistanceMetres       float64 // how far that is
	Overlap              float64 // of a network region's premises: claimed by several CSPs
	FutureHours          float64 // that an as-of day may start after the build
}

// threshold is a key of [gates].
type threshold struct {
	name  string
	value float64 // by default
	most  float64
	field func(*Thresholds) *float64
}

var thresholds = []threshold{
	{"shrink", 0.05, 1, func(t *Thresholds) *float64 { return &t.Shrink }},
	{"shrink_warn", 0.02, 1, func(t *Thresholds) *float64 { return &t.ShrinkWarn }},
	{"shrink_area", 0.10, 1, func(t *Thresholds) *float64 { return &t.ShrinkArea }},
	{"area_rows", 1000, math.MaxInt32, func(t *Thresholds) *float64 { return &t.AreaRows }},
	{"growth", 0.20, math.MaxInt32, func(t *Thresholds) *float64 { return &t.Growth }},
	{"register", 0.01, 1, func(t *Thresholds) *float64 { return &t.Register }},
	{"changed", 0.05, 1, func(t *Thresholds) *float64 { return &t.Changed }},
	{"changed_warn", 0.04, 1, func(t *Thresholds) *float64 { return &t.ChangedWarn }},
	{"empty", 0.01, 1, func(t *Thresholds) *float64 { return &t.Empty }},
	{"empty_area", 0.05, 1, func(t *Thresholds) *float64 { return &t.EmptyArea }},
	{"regions", 0.001, 1, func(t *Thresholds) *float64 { return &t.Regions }},
	{"distance", 0.005, 1, func(t *Thresholds) *float64 { return &t.Distance }},
	{"distance_metres", 5000, math.MaxInt32, func(t *Thresholds) *float64 { return &t.DistanceMetres }},
	{"overlap", 0.001, 1, func(t *Thresholds) *float64 { return &t.Overlap }},
	{"future_hours", 26, math.MaxInt32, func(t *Thresholds) *float64 { return &t.FutureHours }},
}

// DefaultThresholds are those of a manifest that says nothing of them.
func DefaultThresholds() (t Thresholds) {
	for i := range thresholds {
		*thresholds[i].field(&t) = thresholds[i].value
	}
	return t
}

func thresholdNames() []string {
	names := make([]string, len(thresholds))
	for i := range thresholds {
		names[i] = thresholds[i].name
	}
	return names
}

// thresholds reads [gates]; keys that are unknown have been told already.
func (c *manifestChecker) thresholds(raw map[string]float64) Thresholds {
	t := DefaultThresholds()
	for i := range thresholds {
		k := &thresholds[i]
		v, given := raw[k.name]
		switch {
		case !given:
		case !(v >= 0 && v <= k.most):
			if k.most == 1 {
				c.fail("gates."+k.name, "gates: %s %v: want a share from 0 to 1, such as %v", k.name, v, k.value)
			} else {
				c.fail("gates."+k.name, "gates: %s %v: want a number from 0 up, such as %v", k.name, v, k.value)
			}
		default:
			*k.field(&t) = v
		}
	}
	return t
}

// An Override lets one build pass one gate. It is bound to the snapshot that the
// build comes after, so that it cannot be left in force.
type Override struct {
	Gate   string
	Source string // as the refusal names it
	After  string // first 12 digits of the previous snapshot's ID, or "none"
	By     string // who takes the responsibility
	Reason string
}

// afterNone is Override.After of a build without a previous snapshot.
const afterNone = "none"

// afterDigits are the digits of an ID that Override.After has.
const afterDigits = 12

type rawOverride struct {
	Gate   string `toml:"gate"`
	Source string `toml:"source"`
	After  string `toml:"after"`
	By     string `toml:"by"`
	Reason string `toml:"reason"`
}

func (c *manifestChecker) override(at string, raw *rawOverride) Override {
	o := Override{raw.Gate, raw.Source, strings.ToLower(raw.After), strings.TrimSpace(raw.By), strings.TrimSpace(raw.Reason)}
	what := "override " + at[len("override#"):]
	o.check(func(key, format string, args ...any) {
		c.fail(at+"."+key, "%s: %s", what, fmt.Sprintf(format, args...))
	})
	return o
}

// Override adds an override that a person decides on for one build there and
// then, which comes after a snapshot, or after none. gate and source are as a
// refusal names them; by and reason are not empty.
func (m *Manifest) Override(gate, source, by, reason string, after *index.Snapshot) error {
	o := Override{gate, source, afterOf(after), strings.TrimSpace(by), strings.TrimSpace(reason)}
	var errs []error
	o.check(func(_, format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) })
	m.Overrides = append(m.Overrides, o)
	return errors.Join(errs...)
}

// check tells what is wrong with an override, by its key.
func (o *Override) check(fail func(key, format string, args ...any)) {
	switch why, known := gateWhy(o.Gate); {
	case !known:
		fail("gate", "unknown gate %q%s", o.Gate, didYouMean(o.Gate, gateNames()))
	case why != "":
		fail("gate", "gate %q cannot be overridden: %s", o.Gate, why)
	}
	if o.Source == "" {
		fail("source", "source is missing: copy it from the refusal")
	}
	if o.After != afterNone && (len(o.After) != afterDigits || strings.Trim(o.After, "0123456789abcdef") != "") {
		fail("after", "after %q: want the first %d digits of the ID of the snapshot that the build comes after, as the refusal prints them", o.After, afterDigits)
	}
	for _, text := range []struct{ key, value, want string }{
		{"by", o.By, "who lets it pass"}, {"reason", o.Reason, "why that is right"},
	} {
		if text.value == "" || !plainText(text.value) {
			fail(text.key, "%s %q: write in plain text %s", text.key, text.value, text.want)
		}
	}
}

// afterOf is what an override of a build after a snapshot is bound to.
func afterOf(previous *index.Snapshot) string {
	if previous == nil {
		return afterNone
	}
	return previous.ID()[:afterDigits]
}

// gateNames lists the gates that can be overridden.
func gateNames() []string {
	var names []string
	for i := range gates {
		if gates[i].final == "" {
			names = append(names, gates[i].name)
		}
	}
	return names
}

// gateWhy reports whether there is such a gate, and why it cannot be overridden;
// "" if it can.
func gateWhy(name string) (why string, known bool) {
	i := slices.IndexFunc(gates, func(g gateKind) bool { return g.name == name })
	if i < 0 {
		return "", false
	}
	return gates[i].final, true
}

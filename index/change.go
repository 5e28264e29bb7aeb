package index

import (
	"cmp"
	"encoding/json"
	"fmt"

	"coverd/geo"
)

// ChangeKind says what has changed from one snapshot to another. States are
// those that both snapshots tell of one and the same day, the as-of day of the
// newer: so the calendar alone changes nothing, but a plan that was missed does.
//
//	kind                 of              before, after
//	premises_gained      premises        –, its state
//	premises_lost        premises        its state, –
//	state_changed        claim           states; of a claim gained or lost, where
//	                                     the premises' state changes with it,
//	                                     that of the claim and nothing
//	date_moved           claim           dates: `from D`, `until D`, both, or nothing
//	variant_changed      claim           WAN Variants
//	claim_changed        claim           what differs in anything else but the
//	                                     claim's as-of; of one gained or lost all
//	                                     it says, and nothing
//	                     premises        `no conflict`, `conflict`
//	region_moved         premises        Regions
//	details_changed      premises        what differs of postcode, location and
//	                                     address; of a premises that goes to another
//	                                     postcode told at both
//	postcode_new         postcode        not_in_register, live
//	postcode_terminated  postcode        status; status with the month, or the days
//	                                     between which it happened
//	postcode_restored    postcode        likewise, live
//	postcode_moved       postcode        locations, over 100 m apart or one of
//	                                     them none
//
// "Of a claim" is of one CSP on one network region of a premises, and of a claim
// that a coverage area lends as of one of its own. Text that lists several
// things is `name: value`, joined by `; `, with `none` for what is not there.
//
// Not told: areas and Region boundaries as such, but only what they make of
// premises; of the register, months, and corrections of locations by less.
type ChangeKind uint8

// The kinds of changes.
const (
	PremisesGained ChangeKind = iota
	PremisesLost
	StateChanged
	DateMoved
	VariantChanged
	ClaimChanged
	RegionMoved
	DetailsChanged
	PostcodeNew
	PostcodeTerminated
	PostcodeRestored
	PostcodeMoved
	changeKinds
)

var changeKindNames = [changeKinds]string{
	"premises_gained", "premises_lost", "state_changed", "date_moved", "variant_changed", "claim_changed",
	"region_moved", "details_changed", "postcode_new", "postcode_terminated", "postcode_restored", "postcode_moved",
}

// ChangeKinds lists the kinds, in order.
func ChangeKinds() []ChangeKind {
	list := make([]ChangeKind, changeKinds)
	for i := range list {
		list[i] = ChangeKind(i)
	}
	return list
}

// String returns the kind's name in answers.
func (k ChangeKind) String() string {
	if k < changeKinds {
		return changeKindNames[k]
	}
	return ""
}

// ParseChangeKind reads a kind by its name.
func ParseChangeKind[T ~string | ~[]byte](s T) (ChangeKind, error) {
	for k, name := range changeKindNames {
		if string(s) == name {
			return ChangeKind(k), nil
		}
	}
	return 0, fmt.Errorf("not a kind of change: %q", string(s))
}

// MarshalText implements encoding.TextMarshaler.
func (k ChangeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *ChangeKind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseChangeKind(b)
	return err
}

// Change is one thing that differs between two snapshots. UPRN and Address are
// those of the premises, as the newer snapshot has them where it is in both; of
// a change of a postcode there are none. Network and CSP are those of a claim's.
// See [ChangeKind] for Before and After.
type Change struct {
	Kind     ChangeKind
	Postcode geo.Postcode // the zero value: a premises without
	UPRN     geo.UPRN     // 0: none
	Address  string
	Network  NetworkRegion // NoNetwork: not of a claim
	CSP      string
	Before   string
	After    string
}

// ChangeCounts counts changes by kind.
type ChangeCounts [changeKinds]int64

// Total is the number of all changes.
func (c *ChangeCounts) Total() (n int64) {
	for _, k := range c {
		n += k
	}
	return n
}

// MarshalJSON implements json.Marshaler: an object of all kinds by name.
func (c ChangeCounts) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for k, n := range c {
		if k > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "%q:%d", changeKindNames[k], n)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ChangeCounts) UnmarshalJSON(b []byte) error {
	var m map[ChangeKind]int64
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*c = ChangeCounts{}
	for k, n := range m {
		c[k] = n
	}
	return nil
}

// Delta counts what [Diff] tells.
type Delta struct {
	Kinds    ChangeCounts   `json:"kinds"`
	CSPs     []CSPDelta     `json:"csps"`     // by name
	Outcodes []OutcodeDelta `json:"outcodes"` // those with a change, in directory order; premises without postcode last, at the zero outcode
}

// CSPDelta compares a CSP's own claims on premises, and by themselves those that
// its areas lend.
type CSPDelta struct {
	CSP    string `json:"csp"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
	// Both counts those of a premises and network region that it has a claim for
	// in both snapshots, Flipped those of them that are in another state.
	Both    int64 `json:"both"`
	Flipped int64 `json:"flipped"`
	// Lent counts the claims that its areas lent, in the older snapshot, to premises
	// that are in the newer too and have none of their own there on that network
	// region; LentChanged those that are lent no more, or in another state.
	Lent        int64 `json:"lent"`
	LentChanged int64 `json:"lent_changed"`
}

// OutcodeDelta counts the changes in an outcode: all of them, and those of some
// kinds.
type OutcodeDelta struct {
	Outcode      geo.Outcode `json:"outcode"`
	Changes      int64       `json:"changes"`
	Gained       int64       `json:"gained"` // premises
	Lost         int64       `json:"lost"`   // premises
	StateChanged int64       `json:"state_changed"`
}

// Add counts a change by kind and outcode. Those of an outcode must come together.
func (d *Delta) Add(c *Change) {
	d.Kinds[c.Kind]++
	o, n := c.Postcode.Outcode(), len(d.Outcodes)
	if n == 0 || d.Outcodes[n-1].Outcode != o {
		d.Outcodes, n = append(d.Outcodes, OutcodeDelta{Outcode: o}), n+1
	}
	d.Outcodes[n-1].add(c.Kind)
}

// add adds n times what another counts.
func (c *CSPDelta) add(n int64, d *CSPDelta) {
	c.Before += n * d.Before
	c.After += n * d.After
	c.Both += n * d.Both
	c.Flipped += n * d.Flipped
	c.Lent += n * d.Lent
	c.LentChanged += n * d.LentChanged
}

func (o *OutcodeDelta) add(k ChangeKind) {
	o.Changes++
	switch k {
	case PremisesGained:
		o.Gained++
	case PremisesLost:
		o.Lost++
	case StateChanged:
		o.StateChanged++
	default:
	}
}

// compareOutcode orders outcodes with none last.
func compareOutcode(a, b geo.Outcode) int {
	if a.IsValid() != b.IsValid() {
		return cmp.Compare(b2i(b.IsValid()), b2i(a.IsValid()))
	}
	return a.Compare(b)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

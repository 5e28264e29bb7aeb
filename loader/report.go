package loader

import (
	"coverd/geo"
	"coverd/index"
)

// A Report is everything that an operator reads of a build: the summary of what
// came of each source, the gates with their margins, what changed since the
// previous snapshot, and which postcodes wait for premises. It is the same
// whatever the number of cores, the timings apart. Lists are in the order in
// which they should be shown, and hold no more than a page can.
type Report struct {
	Summary
	Snapshot string `json:"id,omitempty"`       // ID of what was built; "" until it is written, and of refused builds
	Previous string `json:"previous,omitempty"` // ID of the snapshot that it was judged against; "": none

	Gates     []GateResult     `json:"gates"`             // refused and overridden ones first, then by margin
	States    index.Summary    `json:"states"`            // all premises by state on the as-of day
	Networks  []NetworkCount   `json:"networks"`          // premises by CSP and network region
	Regions   []RegionCount    `json:"regions"`           // premises by Region
	Reasons   []ReasonCount    `json:"reasons"`           // rejected rows of all sources, most first
	Changes   *Changes         `json:"changes,omitempty"` // nil: no previous snapshot
	Lag       *Lag             `json:"lag,omitempty"`     // nil: no register
	Carried   []Carried        `json:"carried"`           // sources that are the previous snapshot's
	Overrides []index.Override `json:"overrides"`         // gates that were overridden
	Timings   []Timing         `json:"timings"`           // of the stages, in order; empty unless the caller fills it in

	// Land is drawn on the page's map: the Regions that the manifest names. Nil: the
	// indicative ones.
	Land *[3]geo.MultiPolygon `json:"-"`
}

// Verdict is what came of a gate.
type Verdict string

// The verdicts.
const (
	Passed     Verdict = "passed"
	Warned     Verdict = "warned"      // over the lower threshold, under the upper
	Refused    Verdict = "refused"     // over the threshold: no snapshot
	Overridden Verdict = "overridden"  // over the threshold, and a person let it pass
	NoBaseline Verdict = "no baseline" // nothing to judge by: it counts as passed
)

// GateResult is what one gate said of one source.
type GateResult struct {
	Gate    string  `json:"gate"`    // as EXTRACTS.md lists them
	Source  string  `json:"source"`  // what it judged: a CSP, a path, a network region, …
	Verdict Verdict `json:"verdict"` // see there
	// Tonight and Before are the counts behind the value, and Value what the
	// thresholds are of: for most gates a share, from 0 up. The gates of dates
	// and sequences, and those that judge a file as a whole, have none of these.
	Tonight  int64    `json:"tonight"`
	Before   int64    `json:"before"`
	Value    float64  `json:"value"`
	Warn     float64  `json:"warn,omitempty"`   // value from which on it warns; 0: it does not
	Hold     float64  `json:"hold"`             // value over which it refuses
	Margin   *float64 `json:"margin,omitempty"` // hold less value: negative where it is over; nil: not measured
	At       string   `json:"at,omitempty"`     // where it is worst: a postcode area, a column
	Msg      string   `json:"message"`          // a sentence, with the figures in it
	Look     string   `json:"look,omitempty"`   // a command to look closer with
	Override string   `json:"override,omitempty"`
}

// NetworkCount counts premises with a claim of one CSP's own on one network
// region, by the claim's state on the as-of day; Before is the previous
// snapshot's, nil where there is none.
type NetworkCount struct {
	CSP     string              `json:"csp"`
	Network index.NetworkRegion `json:"network_region"`
	index.Summary
	Before *index.Summary `json:"before,omitempty"`
}

// RegionCount counts premises of one Region, "" being none; Before is −1 where
// nothing is known.
type RegionCount struct {
	Region   string `json:"region"`
	Premises int64  `json:"premises"`
	Before   int64  `json:"before"`
}

// ReasonCount counts rejected rows.
type ReasonCount struct {
	Reason Code  `json:"reason"`
	Rows   int64 `json:"rows"`
}

// Changes counts what changed since the previous snapshot.
type Changes struct {
	Since    string          `json:"since"` // the previous snapshot's as-of day
	Kinds    []KindCount     `json:"kinds"`
	CSPs     []CSPChange     `json:"csps"`
	Outcodes []OutcodeChange `json:"outcodes"` // those changed most, at most 100
}

// KindCount counts changes of one kind.
type KindCount struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

// CSPChange counts one CSP's claims on premises, those that areas lend apart.
type CSPChange struct {
	CSP     string `json:"csp"`
	Before  int64  `json:"before"`
	After   int64  `json:"after"`
	Both    int64  `json:"both"`    // before and after
	Flipped int64  `json:"flipped"` // of both: in another state on the as-of day
}

// OutcodeChange counts the changes of one outcode.
type OutcodeChange struct {
	Outcode      string `json:"outcode"`
	Changes      int64  `json:"changes"`
	Gained       int64  `json:"gained"`
	Lost         int64  `json:"lost"`
	StateChanged int64  `json:"state_changed"`
	Place
}

// Place is where something is on a map, in degrees of WGS84; both are nought
// where that is not known.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// Lag is the new-build lag: live postcodes of the register that are in no
// extract.
type Lag struct {
	Postcodes int64 `json:"postcodes"`
	Dated     int64 `json:"dated"`   // of these, the register says since when they exist
	Undated   int64 `json:"undated"` // of these, it does not
	New       int64 `json:"new"`     // of these, they were not in the previous snapshot; −1: there is none

	Ages     []AgeCount    `json:"ages"`     // of the dated ones, youngest first, without gaps
	Outcodes []LagOutcode  `json:"outcodes"` // with most of them, at most 100
	Oldest   []LagPostcode `json:"oldest"`   // of the dated ones, at most 20
}

// AgeCount counts postcodes by how long they have existed.
type AgeCount struct {
	Months    int   `json:"months"` // from this many on
	Until     int   `json:"until"`  // up to but not including this many; 0: no end
	Postcodes int64 `json:"postcodes"`
}

// LagOutcode counts the waiting postcodes of one outcode.
type LagOutcode struct {
	Outcode   string `json:"outcode"`
	Postcodes int64  `json:"postcodes"`
	Live      int64  `json:"live"`             // all live postcodes of it
	Oldest    string `json:"oldest,omitempty"` // the month that the oldest of them was introduced in
	Place
}

// LagPostcode is one waiting postcode.
type LagPostcode struct {
	Postcode   string `json:"postcode"`
	Introduced string `json:"introduced"` // month
	Months     int    `json:"months"`     // since then
}

// Carried is a source that did not come, or was empty, and whose claims are the
// previous snapshot's.
type Carried struct {
	CSP    string    `json:"csp"`
	Kind   Kind      `json:"kind"`
	From   string    `json:"from"` // ID of the snapshot that they were first in
	AsOf   index.Day `json:"as_of"`
	Days   int       `json:"days"`   // that they are old
	Most   int       `json:"most"`   // that they may be
	Claims int64     `json:"claims"` // on premises, or areas
}

// Timing is how long a stage of the build took.
type Timing struct {
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
}

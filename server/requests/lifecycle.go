package requests

import (
	"strings"

	"coverd/index"
)

// Status is where a request stands.
type Status string

// The statuses.
const (
	Resolved  Status = "resolved"  // answered
	Confirmed Status = "confirmed" // a later snapshot has the place, and says what was answered
	Changed   Status = "changed"   // a later snapshot says something else than was answered
	Closed    Status = "closed"    // not answered any more
)

// Statuses are all of them.
var Statuses = []Status{Resolved, Confirmed, Changed, Closed}

// Why a request is closed.
const (
	WhyCancelled = "cancelled" // the party said so
	WhyInstalled = "installation_date_passed"
	WhyExpired   = "expired"
)

// Days after which a request closes by itself: after its installation date, by
// which a visit that was put off has a date of its own; without one, after it was
// made.
const (
	CloseAfterInstallation = 30
	CloseAfterCreation     = 400
)

// ExpiredOn reports whether a request's time is over, and why. A day is one in
// London.
func ExpiredOn(today, created, installation index.Day) (why string, over bool) {
	if installation != 0 {
		return WhyInstalled, today > installation+CloseAfterInstallation
	}
	return WhyExpired, today > created+CloseAfterCreation
}

// Change is something that matters and is not as it was answered before.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Compare tells what matters in an answer and is another than in the one before:
// to who fits a hub, the Region, the state and from when, and what to take along.
// How sure the answer is, on what basis and from how far away, does not matter by
// itself. That the extracts have the place now is no change but a confirmation;
// that they have lost it is one.
func Compare(before, now *Answer) (changes []Change) {
	if before.InExtracts && !now.InExtracts {
		changes = append(changes, Change{"in_extracts", "true", "false"})
	}
	for _, f := range []Change{
		{"region", before.Region.String(), now.Region.String()},
		{"state", before.State.String(), now.State.String()},
		{"from", dayText(before.From), dayText(now.From)},
		{"network_region", before.Network.String(), now.Network.String()},
		{"wan_variant", before.Variant, now.Variant},
		{"auxiliary_equipment", before.Auxiliary, now.Auxiliary},
	} {
		if f.Before != f.After {
			changes = append(changes, f)
		}
	}
	return changes
}

func dayText(d index.Day) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// Next is where an open request goes with another answer, and what has changed.
// It is the whole of the life cycle, but for closing.
//
// What differs from the answer before, which is what the party was told last,
// makes it changed. Else it is confirmed, from when on the extracts have the place
// until something changes. Without either it stays as it is.
func Next(status Status, before, now *Answer) (Status, []Change) {
	changes := Compare(before, now)
	switch {
	case len(changes) > 0:
		return Changed, changes
	case now.InExtracts:
		return Confirmed, nil
	}
	return status, nil
}

// ParseStatus reads a status; letter case does not matter.
func ParseStatus(s string) (Status, bool) {
	for _, known := range Statuses {
		if strings.EqualFold(s, string(known)) {
			return known, true
		}
	}
	return "", false
}

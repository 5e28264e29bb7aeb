package api

import (
	"encoding/json"
	"time"
)

// ServiceRequest is a service request as it stands. It answers POST
// /v1/service-requests and GET /v1/service-requests/{reference}, and is listed by
// GET /v1/service-requests, there without history and answer.
type ServiceRequest struct {
	Reference string    `json:"reference"`
	Status    string    `json:"status"` // resolved, confirmed, changed, closed
	Created   time.Time `json:"created"`
	// Region, Coverage and Snapshot are those of the last answer, made at Answered.
	Region   Region          `json:"region"`
	Coverage RequestCoverage `json:"coverage"`
	Query    RequestQuery    `json:"query"`
	Answered time.Time       `json:"answered"`
	Answers  int             `json:"answers"` // how many there are
	Closed   *RequestClosed  `json:"closed"`  // null while it is open

	History  []RequestAnswer `json:"history,omitempty"` // all answers, the oldest first
	Answer   json.RawMessage `json:"answer,omitempty"`  // the last one: a LocationAnswer without next_step
	Snapshot RequestSnapshot `json:"snapshot"`
	Receipt  *string         `json:"receipt,omitempty"`
}

// RequestQuery is a service request as it was understood.
type RequestQuery struct {
	Postcode         PostcodeText `json:"postcode"`
	Outcode          OutcodeText  `json:"outcode"` // the postcode's, where that is given
	Latitude         Number       `json:"latitude"`
	Longitude        Number       `json:"longitude"`
	InstallationDate Date         `json:"installation_date"`
	Party            Text         `json:"party"`
	Role             Text         `json:"role"`
	OwnReference     Text         `json:"own_reference"`
}

// RequestCoverage is what of an answer matters to who fits a hub: when any of it
// changes, so does the status.
type RequestCoverage struct {
	State string `json:"state"`
	// Basis is premises where State is a CSP's own claim about the premises at
	// the place; else it is an estimate's.
	Basis      Text `json:"basis"`
	InExtracts bool `json:"in_extracts"` // the extracts have the postcode, or a premises at the location
	UPRN       UPRN `json:"uprn"`        // of that premises
	// Fit is what to take along; null where nothing says.
	Fit *RequestFit `json:"fit"`
}

// RequestFit is a hub to take along.
type RequestFit struct {
	NetworkRegion      string `json:"network_region"`
	WANVariant         Text   `json:"wan_variant"`
	AuxiliaryEquipment Text   `json:"auxiliary_equipment"`
	From               Date   `json:"from"`
}

// RequestSnapshot names the snapshot of an answer.
type RequestSnapshot struct {
	ID   string `json:"id"`
	AsOf Date   `json:"as_of"`
}

// RequestClosed tells when a request was closed, and why: cancelled,
// installation_date_passed or expired.
type RequestClosed struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
}

// RequestAnswer is one of the answers to a service request.
type RequestAnswer struct {
	At       time.Time       `json:"at"`
	On       Date            `json:"on"` // the day asked about
	Region   Region          `json:"region"`
	Coverage RequestCoverage `json:"coverage"`
	Snapshot RequestSnapshot `json:"snapshot"`
	Receipt  *string         `json:"receipt,omitempty"`
}

// ServiceRequestList answers GET /v1/service-requests: a page, the newest first.
type ServiceRequestList struct {
	ServiceRequests []ServiceRequest `json:"service_requests"`
	Next            Text             `json:"next"` // path of the next page; null on the last
}

// ServiceRequestChanges answers GET /v1/service-requests/changes: what has
// happened since, the oldest first, and as far back as changes are kept.
type ServiceRequestChanges struct {
	Changes []RequestChange `json:"changes"`
	// Cursor is what to give as `since` the next time, whether or not anything is
	// new. Next is the path of the next page; null where this is the last.
	Cursor string `json:"cursor"`
	Next   Text   `json:"next"`
}

// RequestChange is something that has happened to a service request.
type RequestChange struct {
	Cursor       string          `json:"cursor"` // `since` for what comes after it
	At           time.Time       `json:"at"`
	Reference    string          `json:"reference"`
	Party        Text            `json:"party"`
	OwnReference Text            `json:"own_reference"`
	Was          Text            `json:"was"` // the status before; null: it was made
	Status       string          `json:"status"`
	Changes      []FieldChange   `json:"changes"` // what of region and coverage is another
	Why          Text            `json:"why"`     // it was closed
	Region       Region          `json:"region"`
	Coverage     RequestCoverage `json:"coverage"`
	Snapshot     RequestSnapshot `json:"snapshot"`
}

// FieldChange is a field that had another value.
type FieldChange struct {
	Field  string `json:"field"` // region, state, from, network_region, wan_variant, auxiliary_equipment, in_extracts
	Before Text   `json:"before"`
	After  Text   `json:"after"`
}

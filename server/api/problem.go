package api

// Problem is what is answered in place of an answer: a problem document of RFC
// 9457, `application/problem+json`. Code is stable and for programs; Detail
// and Hint are for people and may be reworded.
type Problem struct {
	Type        string       `json:"type"` // a URN that ends in the code
	Title       string       `json:"title"`
	Status      int          `json:"status"` // the HTTP status
	Code        string       `json:"code"`
	Detail      string       `json:"detail,omitempty"`    // what is wrong with this request
	Hint        string       `json:"hint,omitempty"`      // how to mend it, or where else to ask
	Parameter   string       `json:"parameter,omitempty"` // what of the request it is about
	Suggestions []Suggestion `json:"suggestions,omitempty"`
	Snapshot    *SnapshotRef `json:"snapshot,omitempty"` // null where no snapshot was asked
}

// Suggestion is a code that may have been meant. It is an offer: it is never
// applied.
type Suggestion struct {
	Text   string `json:"text"`
	Kind   string `json:"kind"` // postcode, outcode, sector or address
	Reason string `json:"reason"`
}

// ProblemTypePrefix precedes the code in a Problem's Type.
const ProblemTypePrefix = "urn:problem:coverd:"

// Codes of problems.
const (
	MalformedPostcode      = "malformed_postcode"
	MalformedOutcode       = "malformed_outcode"
	MalformedSector        = "malformed_sector"
	MalformedUPRN          = "malformed_uprn"
	MalformedCoordinate    = "malformed_coordinate"
	MalformedGridReference = "malformed_grid_reference"
	MalformedDate          = "malformed_date"
	MalformedSnapshot      = "malformed_snapshot"
	MalformedWANMatrix     = "malformed_wan_matrix_request"
	MalformedParameter     = "malformed_parameter"
	UnknownParameter       = "unknown_parameter"
	InvalidReceipt         = "invalid_receipt"
	SeveralPremises        = "several_premises"
	BadRequest             = "bad_request"

	UnknownPostcode     = "unknown_postcode"
	UnknownOutcode      = "unknown_outcode"
	UnknownSector       = "unknown_sector"
	UnknownUPRN         = "unknown_uprn"
	UnknownRegion       = "unknown_region"
	UnknownPath         = "unknown_path"
	OutOfArea           = "out_of_area"
	OutsideGreatBritain = "outside_great_britain"

	ChangesTooOld = "changes_too_old"
	HistoryTooOld = "history_too_old"

	MalformedBody           = "malformed_body"
	UnknownMember           = "unknown_member"
	MalformedMember         = "malformed_member"
	MalformedReference      = "malformed_reference"
	MalformedIdempotencyKey = "malformed_idempotency_key"
	IdempotencyKeyReused    = "idempotency_key_reused"
	UnknownReference        = "unknown_reference"
	LedgerUnavailable       = "ledger_unavailable"

	MethodNotAllowed        = "method_not_allowed"
	RequestTimeout          = "request_timeout"
	LengthRequired          = "length_required"
	BodyTooLarge            = "body_too_large"
	ExpectationFailed       = "expectation_failed"
	HeaderTooLarge          = "header_too_large"
	VersionNotSupported     = "version_not_supported"
	ServiceRequestsNotTaken = "service_requests_not_taken"
	ReceiptsNotGiven        = "receipts_not_given"
	InternalError           = "internal_error"
)

// ProblemKind is a kind of problem.
type ProblemKind struct {
	Code   string
	Status int
	Title  string
}

// ProblemKinds lists every kind of problem that may be reported.
var ProblemKinds = []ProblemKind{
	{MalformedPostcode, 400, "Not a postcode"},
	{MalformedOutcode, 400, "Not an outcode"},
	{MalformedSector, 400, "Not a sector"},
	{MalformedUPRN, 400, "Not a UPRN"},
	{MalformedCoordinate, 400, "Not a coordinate"},
	{MalformedGridReference, 400, "Not a grid reference"},
	{MalformedDate, 400, "Not a date"},
	{MalformedSnapshot, 400, "Not the ID of a snapshot"},
	{MalformedWANMatrix, 400, "Not a RequestWANMatrix that can be answered"},
	{MalformedParameter, 400, "Not a value that the parameter can have"},
	{UnknownParameter, 400, "No such parameter"},
	{InvalidReceipt, 400, "Not a valid receipt"},
	{SeveralPremises, 400, "Several premises have the postcode"},
	{BadRequest, 400, "Not a well-formed HTTP request"},
	{MalformedBody, 400, "Not a body that is taken here"},
	{UnknownMember, 400, "No such member of the body"},
	{MalformedMember, 400, "Not a value that the member can have"},
	{MalformedReference, 400, "Not the reference of a service request"},
	{MalformedIdempotencyKey, 400, "Not an idempotency key"},

	{UnknownPostcode, 404, "Neither the postcode nor its outcode is known"},
	{NoPremisesFound, 404, "No premises is known at the postcode"},
	{UnknownOutcode, 404, "The outcode is not known"},
	{UnknownSector, 404, "The sector is not known"},
	{UnknownUPRN, 404, "No extract has the UPRN"},
	{UnknownRegion, 404, "No such Region"},
	{UnknownReference, 404, "No such service request"},
	{UnknownPath, 404, "No such path"},
	{OutOfArea, 404, "Outside smart metering in Great Britain"},
	{OutsideGreatBritain, 404, "Over 2 km off Great Britain"},

	{MethodNotAllowed, 405, "The path does not take the method"},
	{RequestTimeout, 408, "The request took too long to arrive"},
	{ChangesTooOld, 410, "Changes since then are not known"},
	{HistoryTooOld, 410, "What was known then is not remembered"},
	{LengthRequired, 411, "A body needs a Content-Length"},
	{BodyTooLarge, 413, "The body is too large"},
	{ExpectationFailed, 417, "Only 100-continue may be expected"},
	{IdempotencyKeyReused, 422, "The idempotency key belongs to another request"},
	{HeaderTooLarge, 431, "The request line and headers are too large"},
	{InternalError, 500, "Something went wrong here"},
	{ServiceRequestsNotTaken, 501, "Service requests are not taken here"},
	{ReceiptsNotGiven, 501, "Receipts are not given here"},
	{LedgerUnavailable, 503, "Service requests cannot be kept or looked up for now"},
	{VersionNotSupported, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken"},
}

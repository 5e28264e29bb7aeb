package api

import "coverd/geo"

// ValidateAnswer answers GET /v1/postcodes/{postcode}/validate: what is to be
// said of a text as a postcode. Nothing in it is ever applied.
type ValidateAnswer struct {
	Query ValidateQuery `json:"query"`
	// Verdict is well_formed, out_of_area or malformed.
	Verdict  string       `json:"verdict"`
	Postcode PostcodeText `json:"postcode"` // as it is written; null unless well formed
	// Status is live, terminated or not_in_register; null unless well formed.
	Status     Text        `json:"status"`
	InExtracts bool        `json:"in_extracts"`
	Position   *int        `json:"position,omitempty"` // byte of the text at which it goes wrong
	Detail     Text        `json:"detail"`             // what is wrong
	Hint       Text        `json:"hint"`               // what to do about it, or what to know
	Snapshot   SnapshotRef `json:"snapshot"`
	// Suggestions are codes that may have been meant, the likeliest first.
	Suggestions []Suggestion `json:"suggestions"`
}

// Verdicts of ValidateAnswer.
const (
	VerdictWellFormed = "well_formed"
	VerdictOutOfArea  = "out_of_area"
	VerdictMalformed  = "malformed"
)

// ValidateQuery repeats the text.
type ValidateQuery struct {
	Postcode string `json:"postcode"`
}

// SuggestionsOf puts suggestions into the shape of the wire.
func SuggestionsOf(list []geo.Suggestion) []Suggestion {
	out := make([]Suggestion, len(list))
	for i, s := range list {
		out[i] = Suggestion{Text: s.Text, Kind: s.What, Reason: s.Reason}
	}
	return out
}

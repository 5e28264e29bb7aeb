package api

// WANMatrixAnswer answers POST /v1/request-wan-matrix in JSON: all that the
// DSPWANMatrix says, and what it has no place for.
type WANMatrixAnswer struct {
	Query        WANMatrixQuery `json:"query"`
	Outcome      string         `json:"outcome"`          // premises_found, no_premises_found or several_premises_found
	Reason       string         `json:"reason,omitempty"` // of no_premises_found
	ResponseCode string         `json:"response_code"`
	ResponseText string         `json:"response_text"`
	Region       Text           `json:"region"` // of the premises, else of the postcode; null where there is no telling
	AddressMatch AddressMatch   `json:"address_match,omitzero"`
	// Responses are those of the DSPWANMatrix, one for each network region; of the
	// flat shape there is one.
	Responses []WANMatrixResponse `json:"responses"`
	// Premises is the premises found, as the CSPs describe it.
	Premises *Premises `json:"premises"`
	// Candidates are the premises with the address where they are several, and
	// where there is none those whose addresses are most like it; at most 100.
	Candidates []Candidate `json:"candidates,omitempty"`
	// Estimate and NextStep come with no_premises_found where a place is known.
	Estimate *Estimate   `json:"estimate,omitempty"`
	NextStep *NextStep   `json:"next_step,omitempty"`
	Snapshot SnapshotRef `json:"snapshot"`
}

// WANMatrixQuery repeats the question.
type WANMatrixQuery struct {
	RequestID         Text   `json:"request_id"`
	SchemaVersion     string `json:"schema_version"`
	UPRN              UPRN   `json:"uprn"`
	Postcode          Text   `json:"postcode"`
	AddressIdentifier Text   `json:"address_identifier"`
	On                Date   `json:"on"` // today, in London
}

// WANMatrixResponse is what is said of one network region. Without coverage data
// all but the first two are null.
type WANMatrixResponse struct {
	CSPRegion                  string `json:"csp_region"`
	ResponseCode               string `json:"response_code"`
	CoverageAvailability       *bool  `json:"coverage_availability"`
	AnticipatedCoverageDate    Date   `json:"anticipated_coverage_date"`
	WANTechnology              Text   `json:"wan_technology"`
	ConnectivityLikelihood     Text   `json:"connectivity_likelihood"`
	AuxiliaryEquipmentRequired Text   `json:"auxiliary_equipment_required"`
	AdditionalInformation      Text   `json:"additional_information"`
}

// Candidate is a premises that may have been meant.
type Candidate struct {
	UPRN              UPRN `json:"uprn"`
	AddressIdentifier Text `json:"address_identifier"`
}

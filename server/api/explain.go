package api

import (
	"bytes"
	"encoding/json"
)

// Explanation says why an answer is as it is: Sentences for people, and all that
// they say as data. It comes with ?explain=1, and is no part of the answer's
// contract with programs that only want the answer.
type Explanation struct {
	Sentences []string `json:"sentences"` // what matters most first
	Subject   string   `json:"subject"`   // what was asked about, as people name it
	Kind      string   `json:"kind"`      // premises, postcode, outcode, sector or location
	On        Date     `json:"on"`        // the day asked about
	Outcome   string   `json:"outcome"`   // the answer's
	Reason    Text     `json:"reason"`    // of no_premises_found
	// Address is the one asked for at a postcode, AddressMatch what became of it;
	// null where none was asked for, or the postcode has no premises.
	Address      Text          `json:"address"`
	AddressMatch *AddressFacts `json:"address_match"`
	// State is that of all premises found, or the estimate's; null where the
	// premises differ.
	State   Text    `json:"state"`
	Summary Summary `json:"summary"` // of the premises found
	// Premises are those found by what is known of them, the most frequent first;
	// PremisesLeftOut are those of more groups than are told.
	Premises        []PremisesFacts `json:"premises"`
	PremisesLeftOut int             `json:"premises_left_out"`
	// Estimate is told where no premises was found, and of locations.
	Estimate *EstimateFacts `json:"estimate"`
	Areas    []AreaFacts    `json:"areas"` // around a location, smallest first
	Region   RegionFacts    `json:"region"`
	Regions  []string       `json:"regions"`  // that the postcodes of an outcode or sector lie in
	Register *Postcode      `json:"register"` // what the register says of the postcode; null without one
}

// AddressFacts are what became of the address asked for at a postcode.
type AddressFacts struct {
	Grade    string `json:"grade"`    // exact, normalised or none
	Premises int    `json:"premises"` // that have it so
	Of       int    `json:"of"`       // premises of the postcode
	// Refused are addresses that were passed over: where the grade is exact, those
	// that are the same when normalised; where it is none, those most like it, first.
	Refused        []string `json:"refused"`
	RefusedLeftOut int      `json:"refused_left_out"` // further ones
}

// PremisesFacts are what is known of premises that are alike in it.
type PremisesFacts struct {
	Premises  int      `json:"premises"`  // how many
	Addresses []string `json:"addresses"` // of the first of them; UPRN and number for one without
	State     string   `json:"state"`
	// Conflict tells that rows contradicted each other about them: what these
	// claimed is left out.
	Conflict bool         `json:"conflict"`
	Claims   []ClaimFacts `json:"claims"` // the one that decides first, those that do not count last
	// Areas are those around a single premises, smallest first.
	Areas  []AreaFacts `json:"areas"`
	Region RegionFacts `json:"region"`
}

// ClaimFacts are what became of a claim, and why.
type ClaimFacts struct {
	NetworkRegion string `json:"network_region"`
	CSP           string `json:"csp"`
	State         string `json:"state"`
	// Rule is what decided State: ended, covered, not_stated, no_plan, overdue,
	// plan_ahead or plan_came.
	Rule                    string         `json:"rule"`
	AnticipatedCoverageDate Date           `json:"anticipated_coverage_date"`
	CoverageEndDate         Date           `json:"coverage_end_date"`
	ConnectivityLikelihood  Text           `json:"connectivity_likelihood"`
	WANTechnology           Text           `json:"wan_technology"`
	WANVariant              Text           `json:"wan_variant"`
	AuxiliaryEquipment      Text           `json:"auxiliary_equipment"`
	AdditionalInformation   Text           `json:"additional_information"`
	AsOf                    Date           `json:"as_of"` // the day the extract describes
	Extracts                []ExtractFacts `json:"extracts"`
	ClaimSource             string         `json:"claim_source"` // own, or area: lent by the smallest around the premises
	Area                    *AreaFacts     `json:"area"`         // that lends it; null where the premises' areas differ
	// NotCounted is why it does not count: smets1, unknown_network_region or vwan;
	// null: it does.
	NotCounted Text `json:"not_counted"`
	// Place is its place among those that count: 1 decides the state and the hub to
	// fit. 0: it does not count.
	Place int `json:"place"`
	// LostBy is the first criterion by which it stands behind the one that decides:
	// state, from, likelihood, prefer, network_region, csp or claim.
	LostBy Text `json:"lost_by"`
}

// Sources of a claim.
const (
	ClaimOwn  = "own"
	ClaimArea = ClaimSourceArea
)

// ExtractFacts tell which of a CSP's extracts a claim came in. There are several
// where its extracts of the day cannot be told apart.
type ExtractFacts struct {
	Sequence int    `json:"sequence"` // 0: it has none
	Path     string `json:"path"`     // of its first file; "" where claims were carried over
	Carried  bool   `json:"carried"`  // the claims are those of an earlier night
}

// AreaFacts are what became of a coverage area.
type AreaFacts struct {
	Number        int    `json:"number"` // from 1, in the order of the manifest and of the features
	CSP           string `json:"csp"`
	NetworkRegion string `json:"network_region"`
	State         string `json:"state"`
	Rule          string `json:"rule"`
	Ground        Metres `json:"ground_m2"` // square metres on the ground
	// Role is lends, larger (a smaller one lends on its network region) or
	// own_claim (the premises has a claim of its own there).
	Role                  Text `json:"role"`
	AdditionalInformation Text `json:"additional_information"`
}

// RegionFacts are what a Region allocation rests on.
type RegionFacts struct {
	Region
	// Indicative tells that the boundaries are not those the DCC publishes.
	Indicative bool `json:"indicative"`
}

// EstimateFacts are what an estimate rests on.
type EstimateFacts struct {
	State      string          `json:"state"`
	Basis      Text            `json:"basis"` // null: there is nothing to go by
	Premises   int             `json:"premises"`
	Distance   Metres          `json:"distance_m"`
	Confidence Share           `json:"confidence"`
	Fit        *Fit            `json:"fit"`
	Networks   []AgreementFact `json:"networks"`
}

// AgreementFact tells how far those that an estimate rests on agree about a
// network region.
type AgreementFact struct {
	NetworkRegion string `json:"network_region"`
	ClaimSource   string `json:"claim_source"` // area, or premises
	States        Counts `json:"states"`       // premises by state, the most frequent first
}

func appendExplanation(b []byte, e *Explanation) []byte {
	if e == nil {
		return b
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic(err) // a type that cannot be encoded
	}
	return append(append(b, `,"explanation":`...), bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}

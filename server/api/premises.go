package api

// Premises is one place a hub may be fitted, and what the CSPs say of it.
type Premises struct {
	UPRN              UPRN      `json:"uprn"`
	AddressIdentifier Text      `json:"address_identifier"`
	Latitude          Degrees   `json:"latitude"`
	Longitude         Degrees   `json:"longitude"`
	Region            Text      `json:"region"`
	RegionBasis       Text      `json:"region_basis"` // boundary, nearest, postcode, outcode
	State             string    `json:"state"`        // available, planned, unavailable, unknown
	Conflict          bool      `json:"conflict,omitempty"`
	Fit               *Fit      `json:"fit"` // null where no claim counts
	Networks          []Network `json:"networks"`
	// Departed is the first day on which it was there no more, of a premises that
	// was on the known day asked about.
	Departed Date `json:"departed,omitzero"`
	// IndicatedSince answers `indicated_since`.
	IndicatedSince IndicatedSince `json:"indicated_since,omitzero"`
}

// Fit is the hub to take along, and why.
type Fit struct {
	NetworkRegion      string `json:"network_region"`
	WANVariant         Text   `json:"wan_variant"`
	AuxiliaryEquipment Text   `json:"auxiliary_equipment"`
	From               Date   `json:"from"` // the day of a plan, come true or not; null: coverage is there without one, or there is none
	Reason             string `json:"reason"`
}

// Network is one CSP's claim about one premises on one network region.
type Network struct {
	NetworkRegion           string `json:"network_region"`
	State                   string `json:"state"`
	Overdue                 bool   `json:"overdue,omitempty"`      // a plan whose day had passed when the claim was made
	ClaimSource             string `json:"claim_source,omitempty"` // "area": of the smallest coverage area around the premises; else its own
	WANTechnology           Text   `json:"wan_technology"`
	WANVariant              Text   `json:"wan_variant"`
	ConnectivityLikelihood  Text   `json:"connectivity_likelihood"`
	AuxiliaryEquipment      Text   `json:"auxiliary_equipment"`
	AnticipatedCoverageDate Date   `json:"anticipated_coverage_date"`
	CoverageEndDate         Date   `json:"coverage_end_date"` // the last day of coverage
	AdditionalInformation   Text   `json:"additional_information"`
	CSP                     string `json:"csp"`
	AsOf                    Date   `json:"as_of"` // the day the CSP's extract describes; null of a claim of the past
}

// ClaimSourceArea marks what a coverage area says.
const ClaimSourceArea = "area"

func (p *Premises) appendJSON(b []byte) []byte {
	return append(p.appendFields(append(b, '{')), '}')
}

func (p *Premises) appendFields(b []byte) []byte {
	b = p.UPRN.appendJSON(append(b, `"uprn":`...))
	b = p.AddressIdentifier.appendJSON(append(b, `,"address_identifier":`...))
	b = p.Latitude.appendJSON(append(b, `,"latitude":`...))
	b = p.Longitude.appendJSON(append(b, `,"longitude":`...))
	return p.AppendClaims(p.AppendState(b))
}

// AppendState appends the part of a premises between its location and what is
// claimed.
func (p *Premises) AppendState(b []byte) []byte {
	b = p.Region.appendJSON(append(b, `,"region":`...))
	b = p.RegionBasis.appendJSON(append(b, `,"region_basis":`...))
	b = appendNamed(b, `,"state":`, p.State)
	if p.Conflict {
		b = append(b, `,"conflict":true`...)
	}
	return b
}

// AppendClaims appends the part of a premises from its fit on.
func (p *Premises) AppendClaims(b []byte) []byte {
	b = p.Fit.appendJSON(append(b, `,"fit":`...))
	b = append(b, `,"networks":[`...)
	for i := range p.Networks {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.Networks[i].appendJSON(b)
	}
	return p.AppendPast(append(b, ']'))
}

// AppendPast appends the part of a premises that is about known days.
func (p *Premises) AppendPast(b []byte) []byte {
	if p.Departed != (Date{}) {
		b = p.Departed.appendJSON(append(b, `,"departed":`...))
	}
	if p.IndicatedSince != (IndicatedSince{}) {
		b = p.IndicatedSince.appendJSON(append(b, `,"indicated_since":`...))
	}
	return b
}

func (f *Fit) appendJSON(b []byte) []byte {
	if f == nil {
		return append(b, "null"...)
	}
	b = appendNamed(b, `{"network_region":`, f.NetworkRegion)
	b = f.WANVariant.appendJSON(append(b, `,"wan_variant":`...))
	b = f.AuxiliaryEquipment.appendJSON(append(b, `,"auxiliary_equipment":`...))
	b = f.From.appendJSON(append(b, `,"from":`...))
	b = appendNamed(b, `,"reason":`, f.Reason)
	return append(b, '}')
}

func (n *Network) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"network_region":`, n.NetworkRegion)
	b = appendNamed(b, `,"state":`, n.State)
	if n.Overdue {
		b = append(b, `,"overdue":true`...)
	}
	if n.ClaimSource != "" {
		b = appendNamed(b, `,"claim_source":`, n.ClaimSource)
	}
	b = n.WANTechnology.appendJSON(append(b, `,"wan_technology":`...))
	b = n.WANVariant.appendJSON(append(b, `,"wan_variant":`...))
	b = n.ConnectivityLikelihood.appendJSON(append(b, `,"connectivity_likelihood":`...))
	b = n.AuxiliaryEquipment.appendJSON(append(b, `,"auxiliary_equipment":`...))
	b = n.AnticipatedCoverageDate.appendJSON(append(b, `,"anticipated_coverage_date":`...))
	b = n.CoverageEndDate.appendJSON(append(b, `,"coverage_end_date":`...))
	b = n.AdditionalInformation.appendJSON(append(b, `,"additional_information":`...))
	b = appendNamed(b, `,"csp":`, n.CSP)
	b = n.AsOf.appendJSON(append(b, `,"as_of":`...))
	return append(b, '}')
}

// PremisesAnswer answers GET /v1/premises/{uprn}: one element of a postcode
// answer's premises, with its postcode.
type PremisesAnswer struct {
	Query   PremisesQuery `json:"query"`
	Outcome string        `json:"outcome"`
	Premises
	Postcode *Postcode   `json:"postcode"` // null for a premises without one
	Snapshot SnapshotRef `json:"snapshot"`
}

// PremisesQuery repeats the question, days filled in.
type PremisesQuery struct {
	UPRN           UPRN `json:"uprn"`
	On             Date `json:"on"`
	Known          Date `json:"known,omitzero"`
	IndicatedSince Date `json:"indicated_since,omitzero"`
	NetworkRegion  Text `json:"network,omitempty"`
}

// AppendJSON appends the answer.
func (a *PremisesAnswer) AppendJSON(b []byte) []byte {
	return a.AppendClosing(a.appendFields(a.AppendOpening(b)))
}

// AppendOpening appends the answer up to the fields of the premises, for who
// appends these on their own: see [AppendLocated].
func (a *PremisesAnswer) AppendOpening(b []byte) []byte {
	b = a.Query.UPRN.appendJSON(append(b, `{"query":{"uprn":`...))
	b = a.Query.On.appendJSON(append(b, `,"on":`...))
	b = appendKnown(b, a.Query.Known, a.Query.IndicatedSince)
	if a.Query.NetworkRegion != "" {
		b = appendNamed(b, `,"network":`, string(a.Query.NetworkRegion))
	}
	b = appendNamed(b, `},"outcome":`, a.Outcome)
	return append(b, ',')
}

// AppendClosing appends the answer from behind the fields of the premises.
func (a *PremisesAnswer) AppendClosing(b []byte) []byte {
	b = append(b, `,"postcode":`...)
	if a.Postcode == nil {
		b = append(b, "null"...)
	} else {
		b = a.Postcode.appendJSON(b)
	}
	b = a.Snapshot.appendJSON(append(b, `,"snapshot":`...))
	return append(b, '}')
}

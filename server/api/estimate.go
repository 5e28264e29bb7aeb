package api

import "coverd/geo"

// Estimate is what coverage to expect at a place where no premises is known.
// It is never a CSP's claim about that place.
type Estimate struct {
	State      string            `json:"state"`
	Basis      Text              `json:"basis"`      // coverage_area, postcode, nearest_premises, sector, outcode; null: nothing to go by
	Confidence Share             `json:"confidence"` // how often such estimates of State are right
	Agreement  Share             `json:"agreement"`  // share of the premises that are in State; null: there are none
	Premises   int               `json:"premises"`   // how many it rests on
	Distance   Metres            `json:"distance_m"` // to the nearest of them; null where they are not near
	Fit        *Fit              `json:"fit"`
	Networks   []NetworkEstimate `json:"networks"`
}

// NetworkEstimate is what to expect on one network region.
type NetworkEstimate struct {
	NetworkRegion          string `json:"network_region"`
	ClaimSource            string `json:"claim_source,omitempty"` // "area": a coverage area around the place says so
	Premises               int    `json:"premises"`               // of those it rests on, how many have a claim here
	Distance               Metres `json:"distance_m"`             // to the nearest of these; null where they are not near
	Agreement              Share  `json:"agreement"`              // share of these in the first of State; null: there are none
	State                  Spread `json:"state"`
	From                   Spread `json:"from"` // days
	WANVariant             Spread `json:"wan_variant"`
	AuxiliaryEquipment     Spread `json:"auxiliary_equipment"`
	ConnectivityLikelihood Spread `json:"connectivity_likelihood"`
}

func (e *Estimate) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"state":`, e.State)
	b = e.Basis.appendJSON(append(b, `,"basis":`...))
	b = e.Confidence.appendJSON(append(b, `,"confidence":`...))
	b = e.Agreement.appendJSON(append(b, `,"agreement":`...))
	b = appendInt(b, `,"premises":`, e.Premises)
	b = e.Distance.appendJSON(append(b, `,"distance_m":`...))
	b = e.Fit.appendJSON(append(b, `,"fit":`...))
	b = append(b, `,"networks":[`...)
	for i := range e.Networks {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.Networks[i].appendJSON(b)
	}
	return append(b, "]}"...)
}

func (n *NetworkEstimate) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"network_region":`, n.NetworkRegion)
	if n.ClaimSource != "" {
		b = appendNamed(b, `,"claim_source":`, n.ClaimSource)
	}
	b = appendInt(b, `,"premises":`, n.Premises)
	b = n.Distance.appendJSON(append(b, `,"distance_m":`...))
	b = n.Agreement.appendJSON(append(b, `,"agreement":`...))
	b = n.State.appendJSON(append(b, `,"state":`...))
	b = n.From.appendJSON(append(b, `,"from":`...))
	b = n.WANVariant.appendJSON(append(b, `,"wan_variant":`...))
	b = n.AuxiliaryEquipment.appendJSON(append(b, `,"auxiliary_equipment":`...))
	b = n.ConnectivityLikelihood.appendJSON(append(b, `,"connectivity_likelihood":`...))
	return append(b, '}')
}

// NextStep is what to do where no premises was found: the Service Management
// Service Request to raise (SEC Appendix H 3.3).
type NextStep struct {
	Action string             `json:"action"` // raise_service_request
	Text   string             `json:"text"`   // for people
	Method string             `json:"method"`
	Path   string             `json:"path"`
	Body   ServiceRequestBody `json:"body"`  // ready to post once it has what it needs
	Needs  []string           `json:"needs"` // fields of the body still to be filled in
}

// ServiceRequestBody asks about a location.
type ServiceRequestBody struct {
	Postcode         PostcodeText `json:"postcode,omitzero"`
	Outcode          OutcodeText  `json:"outcode,omitzero"`
	InstallationDate Date         `json:"installation_date,omitzero"`
	Latitude         Degrees      `json:"latitude"` // of the place of installation
	Longitude        Degrees      `json:"longitude"`
}

// RaiseServiceRequest is NextStep's action.
const RaiseServiceRequest = "raise_service_request"

// ServiceRequestPath is where service requests are posted.
const ServiceRequestPath = "/v1/service-requests"

func (n *NextStep) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"action":`, n.Action)
	b = appendNamed(b, `,"text":`, n.Text)
	b = appendNamed(b, `,"method":`, n.Method)
	b = appendNamed(b, `,"path":`, n.Path)
	b = append(b, `,"body":{`...)
	if n.Body.Postcode.V != (geo.Postcode{}) {
		b = append(n.Body.Postcode.appendJSON(append(b, `"postcode":`...)), ',')
	}
	if n.Body.Outcode.V != (geo.Outcode{}) {
		b = append(n.Body.Outcode.appendJSON(append(b, `"outcode":`...)), ',')
	}
	if n.Body.InstallationDate.V != 0 {
		b = append(n.Body.InstallationDate.appendJSON(append(b, `"installation_date":`...)), ',')
	}
	b = n.Body.Latitude.appendJSON(append(b, `"latitude":`...))
	b = n.Body.Longitude.appendJSON(append(b, `,"longitude":`...))
	b = append(b, `},"needs":[`...)
	for i, f := range n.Needs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, f)
	}
	return append(b, "]}"...)
}

// appendAbsence appends what comes with no_premises_found, if it does.
func appendAbsence(b []byte, e *Estimate, n *NextStep) []byte {
	if e != nil {
		b = e.appendJSON(append(b, `,"estimate":`...))
	}
	if n != nil {
		b = n.appendJSON(append(b, `,"next_step":`...))
	}
	return b
}

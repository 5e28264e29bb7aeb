package api

import "coverd/geo"

// PlaceAnswer answers GET /v1/outcodes/{outcode} and /v1/sectors/{sector}: how
// coverage is distributed there, and a page of what is inside.
type PlaceAnswer struct {
	Query          PlaceQuery     `json:"query"`
	Outcome        string         `json:"outcome"`
	Reason         string         `json:"reason,omitempty"`
	Summary        Summary        `json:"summary"`
	Regions        Counts         `json:"regions"`         // premises by Region; "none" where there is no telling
	NetworkRegions Counts         `json:"network_regions"` // premises with a claim on it
	Technologies   Counts         `json:"technologies"`    // premises with a claim of it that counts
	Variants       Counts         `json:"variants"`        // likewise
	Postcodes      PostcodeCounts `json:"postcodes"`
	Location       *Point         `json:"location"` // mean of the live postcodes
	Bounds         *Bounds        `json:"bounds"`   // around all postcodes
	// Inside is a page of the outcode's sectors or the sector's postcodes, in
	// order; Next is the path of the page after it.
	Inside []PlaceItem `json:"inside"`
	Next   Text        `json:"next"`

	Estimate *Estimate `json:"estimate,omitempty"`
	NextStep *NextStep `json:"next_step,omitempty"`

	Explanation *Explanation `json:"explanation,omitempty"`
	Snapshot    SnapshotRef  `json:"snapshot"`
}

// PlaceQuery repeats the question, days filled in: Outcode or Sector is set.
type PlaceQuery struct {
	Outcode OutcodeText `json:"outcode,omitzero"`
	Sector  SectorText  `json:"sector,omitzero"`
	On      Date        `json:"on"`
}

// PostcodeCounts counts the postcodes that the register holds as live, and
// those of them that no extract has.
type PostcodeCounts struct {
	Live          int `json:"live"`
	NotInExtracts int `json:"not_in_extracts"`
}

// PlaceItem is a sector or a postcode in a list.
type PlaceItem struct {
	Sector   SectorText   `json:"sector,omitzero"`
	Postcode PostcodeText `json:"postcode,omitzero"`
	Status   string       `json:"status,omitempty"` // of a postcode
	Region   Text         `json:"region"`           // null where there is no telling, or several
	Summary  Summary      `json:"summary"`
}

// AppendJSON appends the answer.
func (a *PlaceAnswer) AppendJSON(b []byte) []byte {
	b = append(b, `{"query":{`...)
	if a.Query.Outcode.V != (geo.Outcode{}) {
		b = append(a.Query.Outcode.appendJSON(append(b, `"outcode":`...)), ',')
	}
	if a.Query.Sector.V != (geo.Sector{}) {
		b = append(a.Query.Sector.appendJSON(append(b, `"sector":`...)), ',')
	}
	b = a.Query.On.appendJSON(append(b, `"on":`...))
	b = appendNamed(b, `},"outcome":`, a.Outcome)
	if a.Reason != "" {
		b = appendNamed(b, `,"reason":`, a.Reason)
	}
	b = a.Summary.appendJSON(append(b, `,"summary":`...))
	b = a.Regions.appendJSON(append(b, `,"regions":`...))
	b = a.NetworkRegions.appendJSON(append(b, `,"network_regions":`...))
	b = a.Technologies.appendJSON(append(b, `,"technologies":`...))
	b = a.Variants.appendJSON(append(b, `,"variants":`...))
	b = appendInt(b, `,"postcodes":{"live":`, a.Postcodes.Live)
	b = appendInt(b, `,"not_in_extracts":`, a.Postcodes.NotInExtracts)
	b = append(b, `},"location":`...)
	if a.Location == nil {
		b = append(b, "null"...)
	} else {
		b = a.Location.appendJSON(b)
	}
	b = append(b, `,"bounds":`...)
	if a.Bounds == nil {
		b = append(b, "null"...)
	} else {
		b = a.Bounds.appendJSON(b)
	}
	b = append(b, `,"inside":[`...)
	for i := range a.Inside {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.Inside[i].appendJSON(b)
	}
	b = append(b, ']')
	b = a.Next.appendJSON(append(b, `,"next":`...))
	b = appendAbsence(b, a.Estimate, a.NextStep)
	b = appendExplanation(b, a.Explanation)
	b = a.Snapshot.appendJSON(append(b, `,"snapshot":`...))
	return append(b, '}')
}

func (p *PlaceItem) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if p.Sector.V != (geo.Sector{}) {
		b = append(p.Sector.appendJSON(append(b, `"sector":`...)), ',')
	}
	if p.Postcode.V != (geo.Postcode{}) {
		b = append(p.Postcode.appendJSON(append(b, `"postcode":`...)), ',')
	}
	if p.Status != "" {
		b = append(appendNamed(b, `"status":`, p.Status), ',')
	}
	b = p.Region.appendJSON(append(b, `"region":`...))
	b = p.Summary.appendJSON(append(b, `,"summary":`...))
	return append(b, '}')
}

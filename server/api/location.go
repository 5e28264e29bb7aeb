package api

// LocationAnswer answers GET /v1/locations.
type LocationAnswer struct {
	Query            LocationQuery     `json:"query"`
	Outcome          string            `json:"outcome"` // location_resolved
	Location         Location          `json:"location"`
	Region           Region            `json:"region"`
	Coverage         Estimate          `json:"coverage"`
	Areas            []Area            `json:"areas"` // that contain the location, smallest first
	NearestPremises  []NearestPremises `json:"nearest_premises"`
	NearestPostcodes []NearestPostcode `json:"nearest_postcodes"`
	// NextStep is for where no premises here is known. The answer inside a service
	// request has none: the request has been raised, and is answered again by itself.
	NextStep    *NextStep    `json:"next_step,omitempty"`
	Explanation *Explanation `json:"explanation,omitempty"`
	Snapshot    SnapshotRef  `json:"snapshot"`
}

// LocationQuery repeats the question as it was put, in one of three ways, with
// what was left to default filled in.
type LocationQuery struct {
	Latitude      Number `json:"latitude,omitzero"`
	Longitude     Number `json:"longitude,omitzero"`
	Easting       Number `json:"easting,omitzero"`
	Northing      Number `json:"northing,omitzero"`
	GridReference Text   `json:"grid_reference,omitempty"`
	On            Date   `json:"on"`
	Limit         int    `json:"limit"`
	Radius        Number `json:"radius"` // metres
}

// Location is a location in every notation. The grid reference is that of the
// rounded easting and northing.
type Location struct {
	Latitude      Degrees    `json:"latitude"`
	Longitude     Degrees    `json:"longitude"`
	Easting       GridMetres `json:"easting"`
	Northing      GridMetres `json:"northing"`
	GridReference Text       `json:"grid_reference"`
	// GridSquare is the side in metres of the square that a grid reference
	// named: the answer is for its centre.
	GridSquare int `json:"grid_square_m,omitempty"`
}

// Area is a coverage area around a location, and what it claims.
type Area struct {
	CSP                    string `json:"csp"`
	NetworkRegion          string `json:"network_region"`
	State                  string `json:"state"`
	Overdue                bool   `json:"overdue,omitempty"`
	From                   Date   `json:"from"`
	WANTechnology          Text   `json:"wan_technology"`
	WANVariant             Text   `json:"wan_variant"`
	ConnectivityLikelihood Text   `json:"connectivity_likelihood"`
	AuxiliaryEquipment     Text   `json:"auxiliary_equipment"`
	CoverageEndDate        Date   `json:"coverage_end_date"`
	AdditionalInformation  Text   `json:"additional_information"`
	AsOf                   Date   `json:"as_of"`
}

// NearestPremises is a premises near a location.
type NearestPremises struct {
	UPRN              UPRN         `json:"uprn"`
	Postcode          PostcodeText `json:"postcode"`
	AddressIdentifier Text         `json:"address_identifier"`
	Distance          Metres       `json:"distance_m"`
	State             string       `json:"state"`
}

// NearestPostcode is a live postcode near a location.
type NearestPostcode struct {
	Postcode PostcodeText `json:"postcode"`
	Distance Metres       `json:"distance_m"`
}

// AppendJSON appends the answer.
func (a *LocationAnswer) AppendJSON(b []byte) []byte {
	b = a.Query.appendJSON(append(b, `{"query":`...))
	b = appendNamed(b, `,"outcome":`, a.Outcome)
	b = a.Location.Latitude.appendJSON(append(b, `,"location":{"latitude":`...))
	b = a.Location.Longitude.appendJSON(append(b, `,"longitude":`...))
	b = a.Location.Easting.appendJSON(append(b, `,"easting":`...))
	b = a.Location.Northing.appendJSON(append(b, `,"northing":`...))
	b = a.Location.GridReference.appendJSON(append(b, `,"grid_reference":`...))
	if a.Location.GridSquare != 0 {
		b = appendInt(b, `,"grid_square_m":`, a.Location.GridSquare)
	}
	b = a.Region.appendJSON(append(b, `},"region":`...))
	b = a.Coverage.appendJSON(append(b, `,"coverage":`...))
	b = append(b, `,"areas":[`...)
	for i := range a.Areas {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.Areas[i].appendJSON(b)
	}
	b = append(b, `],"nearest_premises":[`...)
	for i := range a.NearestPremises {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.NearestPremises[i].appendJSON(b)
	}
	b = append(b, `],"nearest_postcodes":[`...)
	for i := range a.NearestPostcodes {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.NearestPostcodes[i].Postcode.appendJSON(append(b, `{"postcode":`...))
		b = a.NearestPostcodes[i].Distance.appendJSON(append(b, `,"distance_m":`...))
		b = append(b, '}')
	}
	b = append(b, ']')
	if a.NextStep != nil {
		b = a.NextStep.appendJSON(append(b, `,"next_step":`...))
	}
	b = appendExplanation(b, a.Explanation)
	b = a.Snapshot.appendJSON(append(b, `,"snapshot":`...))
	return append(b, '}')
}

func (q *LocationQuery) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if !q.Latitude.IsZero() {
		b = append(q.Latitude.appendJSON(append(b, `"latitude":`...)), ',')
	}
	if !q.Longitude.IsZero() {
		b = append(q.Longitude.appendJSON(append(b, `"longitude":`...)), ',')
	}
	if !q.Easting.IsZero() {
		b = append(q.Easting.appendJSON(append(b, `"easting":`...)), ',')
	}
	if !q.Northing.IsZero() {
		b = append(q.Northing.appendJSON(append(b, `"northing":`...)), ',')
	}
	if q.GridReference != "" {
		b = append(q.GridReference.appendJSON(append(b, `"grid_reference":`...)), ',')
	}
	b = q.On.appendJSON(append(b, `"on":`...))
	b = appendInt(b, `,"limit":`, q.Limit)
	b = q.Radius.appendJSON(append(b, `,"radius":`...))
	return append(b, '}')
}

func (a *Area) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"csp":`, a.CSP)
	b = appendNamed(b, `,"network_region":`, a.NetworkRegion)
	b = appendNamed(b, `,"state":`, a.State)
	if a.Overdue {
		b = append(b, `,"overdue":true`...)
	}
	b = a.From.appendJSON(append(b, `,"from":`...))
	b = a.WANTechnology.appendJSON(append(b, `,"wan_technology":`...))
	b = a.WANVariant.appendJSON(append(b, `,"wan_variant":`...))
	b = a.ConnectivityLikelihood.appendJSON(append(b, `,"connectivity_likelihood":`...))
	b = a.AuxiliaryEquipment.appendJSON(append(b, `,"auxiliary_equipment":`...))
	b = a.CoverageEndDate.appendJSON(append(b, `,"coverage_end_date":`...))
	b = a.AdditionalInformation.appendJSON(append(b, `,"additional_information":`...))
	b = a.AsOf.appendJSON(append(b, `,"as_of":`...))
	return append(b, '}')
}

func (p *NearestPremises) appendJSON(b []byte) []byte {
	b = p.UPRN.appendJSON(append(b, `{"uprn":`...))
	b = p.Postcode.appendJSON(append(b, `,"postcode":`...))
	b = p.AddressIdentifier.appendJSON(append(b, `,"address_identifier":`...))
	b = p.Distance.appendJSON(append(b, `,"distance_m":`...))
	b = appendNamed(b, `,"state":`, p.State)
	return append(b, '}')
}

package api

import "coverd/geo"

// Outcomes of a question about a place.
const (
	PremisesFound        = "premises_found"
	NoPremisesFound      = "no_premises_found"
	SeveralPremisesFound = "several_premises_found" // with the address of a RequestWANMatrix, which is to be one
	LocationResolved     = "location_resolved"
)

// Reasons for [NoPremisesFound].
const (
	PostcodeNotInExtracts = "postcode_not_in_extracts" // the register has it, no extract does
	PostcodeTerminated    = "postcode_terminated"      // retired, and in no extract
	PostcodeNotInRegister = "postcode_not_in_register" // in neither; its outcode is known
	AddressNotMatched     = "address_not_matched"      // the postcode has premises, none with this address
	OutcodeNotInExtracts  = "outcode_not_in_extracts"  // none of its postcodes has premises
	SectorNotInExtracts   = "sector_not_in_extracts"   // likewise
)

// SnapshotRef names the snapshot that an answer comes from.
type SnapshotRef struct {
	ID   string `json:"id"`
	AsOf Date   `json:"as_of"` // the day its data describes
	// AgeDays is how many days ago that was in London when the answer was made; 0
	// where it lies ahead.
	AgeDays int `json:"age_days"`
	// IndicativeRegions tells that the Region boundaries are not those that
	// the DCC publishes.
	IndicativeRegions bool `json:"indicative_regions"`
	// Stale tells that the data is older than the server was told to accept.
	Stale bool `json:"stale,omitempty"`
}

func (s *SnapshotRef) appendJSON(b []byte) []byte {
	b = appendNamed(b, `{"id":`, s.ID)
	b = s.AsOf.appendJSON(append(b, `,"as_of":`...))
	b = appendInt(b, `,"age_days":`, s.AgeDays)
	b = appendBool(append(b, `,"indicative_regions":`...), s.IndicativeRegions)
	if s.Stale {
		b = append(b, `,"stale":true`...)
	}
	return append(b, '}')
}

// Postcode is what the register says of a postcode.
type Postcode struct {
	Postcode  geo.Postcode `json:"postcode"`
	Status    string       `json:"status"` // live, terminated or not_in_register
	Latitude  Degrees      `json:"latitude"`
	Longitude Degrees      `json:"longitude"`
	Easting   GridMetres   `json:"easting"`
	Northing  GridMetres   `json:"northing"`

	Introduced Month `json:"introduced,omitzero"`
	// Terminated is the month of the register's own statement.
	// TerminatedBetween is given where the register lists no terminations.
	Terminated        Month   `json:"terminated,omitzero"`
	TerminatedBetween Between `json:"terminated_between,omitzero"`
}

// Between encloses a day: the as-of days of the last register with a postcode
// and of the first without.
type Between struct {
	After Date `json:"after"`
	By    Date `json:"by"`
}

func (p *Postcode) appendJSON(b []byte) []byte {
	b = append(p.Postcode.AppendTo(append(b, `{"postcode":"`...)), '"')
	b = appendNamed(b, `,"status":`, p.Status)
	b = p.Latitude.appendJSON(append(b, `,"latitude":`...))
	b = p.Longitude.appendJSON(append(b, `,"longitude":`...))
	b = p.Easting.appendJSON(append(b, `,"easting":`...))
	b = p.Northing.appendJSON(append(b, `,"northing":`...))
	if p.Introduced.V != 0 {
		b = p.Introduced.appendJSON(append(b, `,"introduced":`...))
	}
	if p.Terminated.V != 0 {
		b = p.Terminated.appendJSON(append(b, `,"terminated":`...))
	}
	if p.TerminatedBetween != (Between{}) {
		b = p.TerminatedBetween.After.appendJSON(append(b, `,"terminated_between":{"after":`...))
		b = p.TerminatedBetween.By.appendJSON(append(b, `,"by":`...))
		b = append(b, '}')
	}
	return append(b, '}')
}

// Region is the Region allocation of a place.
type Region struct {
	Name  Text `json:"name"`  // North, Central, South; null where there is no telling
	Basis Text `json:"basis"` // boundary, nearest, postcode, outcode, premises
	// BorderDistance is the distance to the nearest land of another Region;
	// null when over 5 km, or not known.
	BorderDistance Metres `json:"border_distance_m"`
	NearBorder     bool   `json:"near_border"` // within 5 m of another Region
}

func (r *Region) appendJSON(b []byte) []byte {
	b = r.Name.appendJSON(append(b, `{"name":`...))
	b = r.Basis.appendJSON(append(b, `,"basis":`...))
	b = r.BorderDistance.appendJSON(append(b, `,"border_distance_m":`...))
	b = appendBool(append(b, `,"near_border":`...), r.NearBorder)
	return append(b, '}')
}

// Summary counts premises by state.
type Summary struct {
	Premises    int `json:"premises"`
	Available   int `json:"available"`
	Planned     int `json:"planned"`
	Unavailable int `json:"unavailable"`
	Unknown     int `json:"unknown"`
}

func (s *Summary) appendJSON(b []byte) []byte {
	b = appendInt(b, `{"premises":`, s.Premises)
	b = appendInt(b, `,"available":`, s.Available)
	b = appendInt(b, `,"planned":`, s.Planned)
	b = appendInt(b, `,"unavailable":`, s.Unavailable)
	b = appendInt(b, `,"unknown":`, s.Unknown)
	return append(b, '}')
}

// Point is a location.
type Point struct {
	Latitude  Degrees `json:"latitude"`
	Longitude Degrees `json:"longitude"`
}

func (p *Point) appendJSON(b []byte) []byte {
	b = p.Latitude.appendJSON(append(b, `{"latitude":`...))
	b = p.Longitude.appendJSON(append(b, `,"longitude":`...))
	return append(b, '}')
}

// Bounds is a rectangle in latitude and longitude.
type Bounds struct {
	South Degrees `json:"south"`
	West  Degrees `json:"west"`
	North Degrees `json:"north"`
	East  Degrees `json:"east"`
}

func (r *Bounds) appendJSON(b []byte) []byte {
	b = r.South.appendJSON(append(b, `{"south":`...))
	b = r.West.appendJSON(append(b, `,"west":`...))
	b = r.North.appendJSON(append(b, `,"north":`...))
	b = r.East.appendJSON(append(b, `,"east":`...))
	return append(b, '}')
}

package geo

import "math"

// LatLng is a WGS84 position in degrees.
type LatLng struct{ Lat, Lng float64 }

// Great Britain's extent in whole-degree-and-a-bit: every premises, quay and
// islet lies inside, and the two ranges do not overlap, so a swapped pair can
// always be told.
const (
	MinLat = 49.8
	MaxLat = 61.0
	MinLng = -8.7
	MaxLng = 1.8
)

// IsValid reports whether p is a position on Earth at all: both numbers
// finite, latitude within ±90 and longitude within ±180.
func (p LatLng) IsValid() bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lng) <= 180 // false for NaN
}

// InExtent reports whether p lies in the rectangle around Great Britain.
func (p LatLng) InExtent() bool {
	return p.Lat >= MinLat && p.Lat <= MaxLat && p.Lng >= MinLng && p.Lng <= MaxLng
}

// Swapped reports whether p is outside the rectangle around Great Britain and
// would be inside with latitude and longitude exchanged.
func (p LatLng) Swapped() bool {
	return !p.InExtent() && LatLng{p.Lng, p.Lat}.InExtent()
}

// Location is a stored position: millionths of a degree, about 0.1 m. The
// zero value means "no coordinates".
type Location struct{ Lat, Lng int32 }

// Location rounds p to the nearest millionth of a degree, halves away from
// zero. p must be valid.
func (p LatLng) Location() Location {
	return Location{int32(math.Round(p.Lat * 1e6)), int32(math.Round(p.Lng * 1e6))}
}

// IsValid reports whether l holds coordinates.
func (l Location) IsValid() bool { return l != Location{} }

// LatLng returns the position in degrees.
func (l Location) LatLng() LatLng { return LatLng{float64(l.Lat) / 1e6, float64(l.Lng) / 1e6} }

// Compare orders locations by latitude, then longitude.
func (l Location) Compare(m Location) int {
	if l.Lat != m.Lat {
		return int(l.Lat) - int(m.Lat)
	}
	return int(l.Lng) - int(m.Lng)
}

package geo

import (
	"fmt"
	"strings"
)

// Region is the geographic allocation of a location: North, Central or South.
// The order is the order in which ties on a shared border are resolved.
type Region uint8

// The three Regions, and the absence of one.
const (
	NoRegion Region = iota
	North
	Central
	South
)

// Regions lists the three Regions in order.
var Regions = [...]Region{North, Central, South}

// String returns the Region's name, or "" for NoRegion.
func (r Region) String() string {
	switch r {
	case North:
		return "North"
	case Central:
		return "Central"
	case South:
		return "South"
	}
	return ""
}

// ParseRegion reads a Region's name; letter case does not matter.
func ParseRegion(s string) (Region, error) {
	for _, r := range Regions {
		if strings.EqualFold(s, r.String()) {
			return r, nil
		}
	}
	return NoRegion, fmt.Errorf("not a Region: %q (want North, Central or South)", clip(s))
}

// RegionSet is a set of Regions.
type RegionSet uint8

// With returns the set with r added; adding NoRegion changes nothing.
func (s RegionSet) With(r Region) RegionSet {
	if r == NoRegion {
		return s
	}
	return s | 1<<(r-1)
}

// Has reports whether r is in the set.
func (s RegionSet) Has(r Region) bool { return r != NoRegion && s>>(r-1)&1 == 1 }

// Only returns the set's single member, or NoRegion when it has none or several.
func (s RegionSet) Only() Region {
	switch s {
	case 1:
		return North
	case 2:
		return Central
	case 4:
		return South
	}
	return NoRegion
}

package index

import (
	"fmt"

	"coverd/geo"
)

// NetworkRegion is the DUIS CSPRegion of a claim. The order is the last
// tie-break of [ClaimSet.Fit] and the order in which networks are listed.
type NetworkRegion uint8

// The network regions of DUIS (since V5.3a), and the absence of one.
const (
	NoNetwork NetworkRegion = iota
	NetworkNorth
	NetworkCentral
	NetworkSouth
	Network4GNorth
	Network4GCentral
	Network4GSouth
	NetworkUnknown
	NetworkSMETS1
)

// Networks is how many network regions there are, NoNetwork included.
const Networks = int(NetworkSMETS1) + 1

var networkNames = [Networks]string{"", "North", "Central", "South", "4G North", "4G Central", "4G South", "Unknown", "SMETS1"}

// String returns the name DUIS gives the network region, or "".
func (n NetworkRegion) String() string {
	if int(n) < len(networkNames) {
		return networkNames[n]
	}
	return ""
}

// ParseNetworkRegion reads a network region by its exact DUIS name.
func ParseNetworkRegion[T ~string | ~[]byte](s T) (NetworkRegion, error) {
	for i := NetworkNorth; int(i) < Networks; i++ {
		if string(s) == networkNames[i] {
			return i, nil
		}
	}
	return NoNetwork, fmt.Errorf("not a network region: %q (want North, Central, South, 4G North, 4G Central, 4G South, Unknown or SMETS1)", string(s))
}

// Counts reports whether claims on n count towards a premises' state: those on
// Unknown and SMETS1 never do.
func (n NetworkRegion) Counts() bool { return n >= NetworkNorth && n <= Network4GSouth }

// Region returns the Region a network region belongs to, or NoRegion.
func (n NetworkRegion) Region() geo.Region {
	switch n {
	case NetworkNorth, Network4GNorth:
		return geo.North
	case NetworkCentral, Network4GCentral:
		return geo.Central
	case NetworkSouth, Network4GSouth:
		return geo.South
	default:
		return geo.NoRegion
	}
}

// networkSet is a set of network regions.
type networkSet uint16

func (s networkSet) has(n NetworkRegion) bool           { return s>>n&1 == 1 }
func (s networkSet) with(n NetworkRegion) networkSet    { return s | 1<<n }
func (s networkSet) without(n NetworkRegion) networkSet { return s &^ (1 << n) }

// MarshalText implements encoding.TextMarshaler.
func (n NetworkRegion) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *NetworkRegion) UnmarshalText(b []byte) (err error) {
	*n, err = ParseNetworkRegion(b)
	return err
}

package index

import (
	"errors"
	"fmt"
	"math"
)

// The most that a snapshot can hold: what a reader refuses, a Builder does not
// write. Both ask withinLimits.
const (
	MaxPremises = math.MaxUint32
	MaxClaims   = math.MaxUint32 / 2 // distinct; the other half of the numbers are those that areas lend
	MaxAreas    = math.MaxInt32
)

// ErrCapacity is what the error of Build wraps where there is more than a
// snapshot can hold.
var ErrCapacity = errors.New("more than a snapshot can hold")

// withinLimits reports whether a snapshot can hold so much.
func (i *Info) withinLimits() error {
	for _, c := range []struct {
		what    string
		n, most int64
	}{
		{"premises", i.Premises, MaxPremises},
		{"distinct claims", i.Claims, MaxClaims},
		{"claim sets", i.ClaimSets, math.MaxInt32},
		{"areas", i.Areas, MaxAreas},
	} {
		if c.n < 0 || c.n > c.most {
			return fmt.Errorf("%w: %d %s, of which there are at most %d", ErrCapacity, c.n, c.what, c.most)
		}
	}
	return nil
}

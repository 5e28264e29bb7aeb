package loader

import (
	"fmt"
	"slices"

	"coverd/index"
)

// A Manifest names the inputs of a build. [ReadManifest] makes one; all of it
// has been checked, and every file it names exists, but for those of an extract
// that may be missing.
type Manifest struct {
	Path string // of the manifest itself, as given
	Dir  string // its folder: what its paths are relative to

	AsOf         index.Day             // the day the data describes
	Prefer       []index.NetworkRegion // tie-break for fits, best first
	Snapshots    string                // directory of generations; "" if not given
	CountsAsWAN  bool                  // virtual-WAN claims count
	Regions      string                // Region boundaries; "" for the indicative ones
	Indicative   bool                  // the boundaries are not the DCC's
	Attributions []string              // notices that must travel with the data, besides those of the formats
	Registers    []RegisterInput
	Extracts     []Extract
	Gates        Thresholds
	Overrides    []Override

	absent error // tells which extracts are not there that nothing is carried for; nil: none
}

// RegisterInput is one postcode register of a manifest.
type RegisterInput struct {
	Pattern string   // the path, as written
	Files   []string // what it matches, sorted
	Format  Format   // "" to recognise it
}

// Kind says what an extract holds.
type Kind string

// The kinds of extract.
const (
	KindPremises Kind = "premises"
	KindAreas    Kind = "areas"
)

// Extract is one extract of a manifest.
type Extract struct {
	CSP         string
	Kind        Kind
	Pattern     string   // the path, as written
	Files       []string // what it matches, sorted
	AsOf        index.Day
	Sequence    int64                        // 0 if not given
	Rows        int64                        // what the provider says it sent; -1 if not given
	SHA256      string                       // of the only file, in lower case; "" if not given
	MaxRejected float64                      // share of rows that may be rejected, never fewer than ten rows
	Columns     map[string]string            // ours = theirs
	Values      map[string]map[string]string // by our column: theirs = ours
	Carry       bool                         // where it is missing or empty, the previous snapshot's claims are taken
	CarryDays   int                          // and these are at most so many days old
	Missing     bool                         // no file is there
	Corrections []string                     // files of rejected rows that have been corrected, sorted
}

// DefaultCarryDays is for how many days claims are carried where the manifest
// does not say.
const DefaultCarryDays = 3

// DefaultMaxRejected is the share of an extract's rows that may be rejected
// where the manifest does not say.
const DefaultMaxRejected = 0.001

// minAllowed is how many rejected rows never stop a build.
const minAllowed = 10

// CSPs returns the CSPs in order of precedence: that in which the manifest
// first names them.
func (m *Manifest) CSPs() []string {
	var csps []string
	for _, e := range m.Extracts {
		if !slices.Contains(csps, e.CSP) {
			csps = append(csps, e.CSP)
		}
	}
	return csps
}

// ManifestError is one thing wrong with a manifest.
type ManifestError struct {
	Path string
	Line int // 0 where there is none, as for something missing
	Msg  string
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
}

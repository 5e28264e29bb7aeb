package index

import (
	"coverd/geo"
)

// Row is one accepted line of a premises extract: one premises and one claim.
// What tells premises apart must be there: a UPRN, or a postcode with an
// address, or a location.
// A claim on NoNetwork claims nothing: it marks the premises as one that rows of
// its CSP contradicted each other about, as [Premises.Conflict] tells.
// Strings are interned first, with [Builder.Claim] and [Builder.Address], so
// that fifty million of these fit in memory; see rowStore.
type Row struct {
	UPRN     geo.UPRN     // 0: none
	At       geo.Location // zero: none
	Postcode geo.Postcode // zero: none
	Address  AddressID
	Claim    ClaimID
	File     uint32 // the caller's number of the file the row stands in, less than MaxFiles
	Line     uint32 // its line, counted from 1
}

// ClaimID is the number a Builder has given to a claim.
type ClaimID uint32

// AddressID is the number a Builder has given to an address identifier; 0 is
// the empty one.
type AddressID uint32

// Area is one feature of a coverage-area extract.
type Area struct {
	Claim Claim
	Shape geo.MultiPolygon
}

// RegisterStatus tells what the register says of a postcode.
type RegisterStatus uint8

// The register's statements.
const (
	NotInRegister RegisterStatus = iota
	Live
	Terminated
)

// String returns the status's name in answers.
func (s RegisterStatus) String() string {
	switch s {
	case Live:
		return "live"
	case Terminated:
		return "terminated"
	default:
		return "not_in_register"
	}
}

// Entry is one postcode of the register.
type Entry struct {
	Postcode   geo.Postcode
	At         geo.Location // zero: the register gives no coordinates
	Introduced Month        // zero: not known
	// Terminated is the month the register says the postcode was terminated
	// in. Zero with both days below zero: live.
	Terminated Month
	// TerminatedAfter and TerminatedBy enclose the termination where the
	// register lists none, but the postcode was in an earlier register and is
	// not in this one: the as-of days of the two.
	TerminatedAfter, TerminatedBy Day
}

// Status returns Live or Terminated.
func (e *Entry) Status() RegisterStatus {
	if e.Terminated != 0 || e.TerminatedBy != 0 {
		return Terminated
	}
	return Live
}

// Source describes one input, for the record the snapshot keeps of what it was
// made from.
type Source struct {
	Kind     string   `json:"kind"`          // premises, areas, register, regions
	CSP      string   `json:"csp,omitempty"` // of an extract
	Format   string   `json:"format,omitempty"`
	AsOf     Day      `json:"as_of,omitzero"`
	Sequence int64    `json:"sequence,omitempty"`
	Files    []File   `json:"files"`
	Rows     int64    `json:"rows"`     // data rows or features read
	Accepted int64    `json:"accepted"` // of these, taken into the snapshot
	Rejected int64    `json:"rejected"` // of these, quarantined, conflicts included
	Notes    []string `json:"notes,omitempty"`

	// Files that correct rows of Files, as a person has had it.
	Corrections []File `json:"corrections,omitempty"`
}

// File is one file of a source. Path is relative to the manifest.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of the file as stored
	Bytes  int64  `json:"bytes"`
}

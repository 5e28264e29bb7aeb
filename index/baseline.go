package index

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Baselines are counts of the input that a snapshot was made from. They travel
// in it, so that the next night's input can be judged against them by whoever
// has the snapshot and nothing else. They are no part of the content.
type Baselines struct {
	Columns  []string          `json:"columns"` // what the counts of empty cells are of, in their order
	Sources  []SourceBaseline  `json:"sources"` // by CSP, then kind
	Register *RegisterBaseline `json:"register,omitempty"`
	Regions  [4]int64          `json:"regions"`  // premises by Region: none, North, Central, South
	Networks []NetworkBaseline `json:"networks"` // by CSP, then network region
}

// SourceBaseline counts what one CSP sent of one kind. Of a source that was
// carried over from an earlier snapshot it is still what that night counted.
type SourceBaseline struct {
	CSP      string         `json:"csp"`
	Kind     string         `json:"kind"` // premises or areas
	Parts    []PartBaseline `json:"parts"`
	Rows     int64          `json:"rows"`
	Accepted int64          `json:"accepted"` // of these, in the snapshot
	Rejected int64          `json:"rejected"` // of these, quarantined, conflicts included
	Premises int64          `json:"premises"` // with a claim of it; of areas none
	// Areas are the good rows by postcode area, conflicts included: the letters
	// of the outcode, "-" for rows without postcode, in order.
	Areas   []AreaBaseline `json:"areas"`
	Carried *Carried       `json:"carried,omitempty"` // nil: it came tonight
}

// Carried tells that claims were carried over from an earlier snapshot.
type Carried struct {
	From string `json:"from"`  // ID of the snapshot that the claims were first in
	AsOf Day    `json:"as_of"` // theirs: the earliest of the source's parts
}

// PartBaseline is one extract of a source.
type PartBaseline struct {
	Sequence int64    `json:"sequence,omitempty"` // 0: none was given
	AsOf     Day      `json:"as_of"`
	Digests  []string `json:"digests"` // SHA-256 of each file, as stored
}

// AreaBaseline counts the good rows of one postcode area.
type AreaBaseline struct {
	Area  string  `json:"area"`
	Rows  int64   `json:"rows"`
	Empty []int64 `json:"empty"` // of these, rows whose cell is empty, by column
}

// RegisterBaseline counts a register's own rows: nothing of earlier ones.
type RegisterBaseline struct {
	Rows  int64           `json:"rows"`
	Live  int64           `json:"live"`
	Areas []RegisterCount `json:"areas"` // live ones by postcode area, in order
}

// RegisterCount counts the live postcodes of one postcode area.
type RegisterCount struct {
	Area string `json:"area"`
	Live int64  `json:"live"`
}

// NetworkBaseline counts premises with a claim of one CSP's own on one network
// region, by the claim's state on the as-of day.
type NetworkBaseline struct {
	CSP     string        `json:"csp"`
	Network NetworkRegion `json:"network_region"`
	Summary
}

// Source returns the counts of a CSP's input of one kind, or nil.
func (b *Baselines) Source(csp, kind string) *SourceBaseline {
	if b == nil {
		return nil
	}
	for i := range b.Sources {
		if s := &b.Sources[i]; s.CSP == csp && s.Kind == kind {
			return s
		}
	}
	return nil
}

// Empty adds up the empty cells of a column over all postcode areas, and the
// rows they are of.
func (s *SourceBaseline) Empty(column int) (empty, rows int64) {
	for i := range s.Areas {
		empty += s.Areas[i].Empty[column]
		rows += s.Areas[i].Rows
	}
	return empty, rows
}

// Area returns the counts of a postcode area, or nil.
func (s *SourceBaseline) Area(area string) *AreaBaseline {
	if i, ok := slices.BinarySearchFunc(s.Areas, area, func(a AreaBaseline, area string) int { return cmp.Compare(a.Area, area) }); ok {
		return &s.Areas[i]
	}
	return nil
}

// SetBaselines records the counts of the input. Like SetSources it may be called
// until the snapshot is written; the Builder keeps b.
func (b *Builder) SetBaselines(base *Baselines) { b.baselines = base }

// Baselines returns the counts of the input that the snapshot was made from, or
// nil if it has none. It is shared: do not modify.
func (s *Snapshot) Baselines() *Baselines { return s.baselines }

// Override is a gate that a person overrode for one build.
type Override struct {
	Gate     string `json:"gate"`
	Source   string `json:"source"`
	After    string `json:"after"` // first 12 digits of the ID of the snapshot before
	By       string `json:"by"`
	Reason   string `json:"reason"`
	Measured string `json:"measured"` // what the gate said
}

// SetOverrides records the gates that were overridden. Like SetSources it may be
// called until the snapshot is written.
func (b *Builder) SetOverrides(o []Override) { b.overrides = o }

// readBaselines reads the counts of the input, which a snapshot need not have.
func (s *Snapshot) readBaselines(r *reader) {
	raw, ok := r.raws[sectionBaselines]
	if !ok || r.err != nil {
		return
	}
	var b Baselines
	err := json.Unmarshal(raw, &b)
	if err == nil {
		err = b.check()
	}
	if r.check(sectionBaselines, err); err == nil {
		s.baselines = &b
	}
}

// check reports whether counts can be counts, and are in order.
func (b *Baselines) check() error {
	negative := false
	count := func(list ...int64) {
		for _, n := range list {
			negative = negative || n < 0
		}
	}
	for i := range b.Sources {
		s := &b.Sources[i]
		count(s.Rows, s.Accepted, s.Rejected, s.Premises)
		if i > 0 && cmp.Or(cmp.Compare(b.Sources[i-1].CSP, s.CSP), cmp.Compare(b.Sources[i-1].Kind, s.Kind)) >= 0 {
			return fmt.Errorf("source %s %s out of order", s.CSP, s.Kind)
		}
		for k := range s.Areas {
			a := &s.Areas[k]
			if len(a.Empty) != len(b.Columns) {
				return fmt.Errorf("%d counts of empty cells for %d columns", len(a.Empty), len(b.Columns))
			}
			if k > 0 && s.Areas[k-1].Area >= a.Area {
				return fmt.Errorf("postcode area %q out of order", a.Area)
			}
			count(a.Rows)
			count(a.Empty...)
		}
	}
	if g := b.Register; g != nil {
		count(g.Rows, g.Live)
		for i, a := range g.Areas {
			if i > 0 && g.Areas[i-1].Area >= a.Area {
				return fmt.Errorf("postcode area %q of the register out of order", a.Area)
			}
			count(a.Live)
		}
	}
	count(b.Regions[:]...)
	for _, n := range b.Networks {
		count(int64(n.Premises), int64(n.Available), int64(n.Planned), int64(n.Unavailable), int64(n.Unknown))
	}
	if negative {
		return errors.New("a count below zero")
	}
	return nil
}

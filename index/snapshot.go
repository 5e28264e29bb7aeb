package index

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"strings"

	"coverd/geo"
)

// Snapshot is an immutable index of coverage, safe for concurrent use.
// Distances are metres on the ground. Values it returns share its memory and
// must not be modified.
type Snapshot struct {
	info                   Info
	baselines              *Baselines // nil: none
	claims                 []Claim
	facts                  []claimFacts
	technologies, variants []string // 0 is ""

	setStarts, setItems []uint32 // of each set its items start, and the end; see ClaimSet.span
	addrEnds            column
	addrText            []byte

	premises           locations
	roster             roster
	kindSet, kindFlags column // claim set and flags of each kind
	runs, odds         directory

	keys      keyset
	groupUnit column // postcode of each group

	unitFlags, unitBorder, unitFirst, unitLen, unitPoint column
	unitIntro, unitTerm, unitAfter, unitBy               column

	points column    // postcodes with a location, the live ones first, each in Hilbert order
	places locations // of points

	profEnds, profItems, profCounts column

	outcodes []outcodeRow // in directory order
	sectors  []sectorRow  // in directory order

	regions *regions
	areas   *areas

	nearPremises, nearPoints nearby

	journal *journal // nil: it remembers no nights
	past    *history // nil: of no premises what was said before

	calibration *calibration // of estimates; nil: none
}

// Info describes a snapshot. What follows from the file itself (ID,
// FormatVersion, Bytes, Memory, HistoryFrom, Sections) is not in its meta.
type Info struct {
	ID            string          `json:"id,omitzero"`
	FormatVersion int             `json:"format_version,omitzero"`
	Previous      string          `json:"previous,omitempty"` // ID of the snapshot it was built on
	AsOf          Day             `json:"as_of"`
	Tool          string          `json:"tool"`
	Premises      int64           `json:"premises"`
	Postcodes     int64           `json:"postcodes"` // of the register and the extracts
	Outcodes      int64           `json:"outcodes"`
	Claims        int64           `json:"claims"`     // distinct
	ClaimSets     int64           `json:"claim_sets"` // distinct
	Areas         int64           `json:"areas"`
	Bytes         int64           `json:"bytes,omitzero"`  // of the file
	Memory        int64           `json:"memory,omitzero"` // bytes held once opened, the R-trees apart
	ContentDigest string          `json:"content_digest"`
	Indicative    bool            `json:"indicative_regions"`
	CountsAsWAN   bool            `json:"counts_as_wan"`
	Prefer        []NetworkRegion `json:"prefer,omitempty"`
	Sources       []Source        `json:"sources"`
	HistoryFrom   Day             `json:"history_from,omitzero"` // the first known day that is remembered, where there is one before AsOf
	Overrides     []Override      `json:"overrides,omitempty"`   // gates that a person overrode for this build
	Attributions  []string        `json:"attributions"`
	Sections      []SectionInfo   `json:"sections,omitzero"`
}

// HistoryBytes is what the past of premises takes in the file.
func (i *Info) HistoryBytes() (n int64) {
	for _, s := range i.Sections {
		if strings.HasPrefix(s.Name, "hist.") {
			n += s.Stored
		}
	}
	return n
}

// SectionInfo tells where the bytes of a snapshot go.
type SectionInfo struct {
	Name   string `json:"name"`
	Stored int64  `json:"stored"` // bytes in the file
	Raw    int64  `json:"raw"`    // bytes unpacked
}

// OpenOptions say how a snapshot is opened. The zero value is as fast as can be.
type OpenOptions struct {
	// Workers is how many goroutines share the work: one a core by default.
	// A single one is the caller's own, so that what the caller does to its
	// thread, such as give way to others, holds for all of the work.
	Workers int
}

// Open reads and verifies a snapshot file. The file is read into memory: it
// may be replaced or removed afterwards. Errors wrap [ErrNotSnapshot],
// [ErrVersion] or [ErrCorrupt], or are the file system's.
func Open(path string) (*Snapshot, error) { return OpenWith(path, OpenOptions{}) }

// OpenWith is Open with options.
func OpenWith(path string, o OpenOptions) (*Snapshot, error) {
	file, err := readFile(path)
	if err != nil {
		return nil, err
	}
	s, err := openBytes(file, o)
	if err != nil {
		return nil, &fs.PathError{Op: "open snapshot", Path: path, Err: err}
	}
	return s, nil
}

// readFile reads a file into memory, of which one with a size takes no more
// than that.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var b []byte
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular(): // a pipe does not tell its size
		b, err = io.ReadAll(f)
	default:
		b = make([]byte, info.Size())
		adviseHuge(b)
		if _, err = io.ReadFull(f, b); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = &fs.PathError{Op: "open snapshot", Path: path, Err: fmt.Errorf("%w: cut off while it was read", ErrCorrupt)}
		}
	}
	return b, errors.Join(err, f.Close())
}

// OpenBytes is Open for a file already in memory. The snapshot keeps file and
// answers from it: it must not be modified.
func OpenBytes(file []byte) (*Snapshot, error) { return openBytes(file, OpenOptions{}) }

func openBytes(file []byte, o OpenOptions) (*Snapshot, error) {
	entries, id, err := parseTable(file)
	if err != nil {
		return nil, err
	}
	workers := cmp.Or(o.Workers, runtime.GOMAXPROCS(0))
	raws, err := unpack(file, entries, workers)
	if err != nil {
		return nil, err
	}
	r := newReader(raws, workers)
	s := &Snapshot{}
	s.read(r)
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, r.err)
	}
	s.info.ID, s.info.FormatVersion, s.info.Bytes = id, formatVersion, int64(len(file))
	s.info.Memory = s.info.Bytes
	s.info.Sections = sectionInfos(entries)
	if s.past != nil {
		s.info.HistoryFrom = s.past.days[0]
	}
	for _, e := range entries {
		if e.codec != codecRaw {
			s.info.Memory += int64(e.raw)
		}
	}
	s.index(workers)
	s.info.Memory += int64(4 * (len(s.setStarts) + len(s.setItems)))
	s.info.Memory += s.keys.memory() + s.nearPremises.memory() + s.nearPoints.memory()
	for i := range s.sectors {
		s.info.Memory += s.sectors[i].memory()
	}
	for i := range s.outcodes {
		s.info.Memory += s.outcodes[i].memory()
	}
	return s, nil
}

// index makes what nearest places are found with.
func (s *Snapshot) index(workers int) {
	s.nearPremises = newNearby(&s.premises, s.premises.n, workers, s.premisesTies)
	live := 0
	for live < s.points.n && (Unit{s, uint32(s.points.at(live))}).Status() == Live {
		live++
	}
	s.nearPoints = newNearby(&s.places, live, workers, func(i, j int) int { return cmp.Compare(s.points.at(i), s.points.at(j)) })
}

// ID identifies the snapshot: the first 16 bytes of the file's SHA-256 digest,
// in hexadecimal.
func (s *Snapshot) ID() string { return s.info.ID }

// Info describes the snapshot. It is shared: do not modify.
func (s *Snapshot) Info() *Info { return &s.info }

// Locate allocates a Region to a point, with its distance to the nearest land
// of another Region. The Region is [geo.NoRegion] over 2 km off Great Britain.
func (s *Snapshot) Locate(p geo.LatLng) Allocation { return s.regions.locateWithBorder(p) }

// Region is Locate without the distance to the border, which it leaves at −1.
func (s *Snapshot) Region(p geo.LatLng) Allocation { return s.regions.locate(p) }

// RegionShape returns the land of a Region, whose rings share the snapshot's
// memory.
func (s *Snapshot) RegionShape(r geo.Region) geo.MultiPolygon {
	return s.regions.cover.Mesh.Shape(int(r) - 1)
}

// RegionCover is the S2 covering behind Region allocation.
func (s *Snapshot) RegionCover() *geo.Cover { return s.regions.cover }

// ClaimSets returns how many distinct claim sets there are.
func (s *Snapshot) ClaimSets() int { return len(s.setStarts) - 1 }

// AllPremises yields every premises, in the order they are held.
func (s *Snapshot) AllPremises() iter.Seq[Premises] {
	return func(yield func(Premises) bool) {
		for i := range s.premises.n {
			if !yield(Premises{s, uint32(i)}) {
				return
			}
		}
	}
}

// PremisesAt returns the premises of a number, which is less than
// Info.Premises: see [Premises.Row].
func (s *Snapshot) PremisesAt(row uint32) Premises { return Premises{s, row} }

// PostcodeAt returns postcode i in directory order, i being less than
// Info.Postcodes.
func (s *Snapshot) PostcodeAt(i int) Unit { return Unit{s, uint32(i)} }

// AllPostcodes yields every postcode of the register and the extracts, in
// directory order.
func (s *Snapshot) AllPostcodes() iter.Seq[Unit] {
	return func(yield func(Unit) bool) {
		for i := range s.keys.n {
			if !yield(Unit{s, uint32(i)}) {
				return
			}
		}
	}
}

// AllOutcodes yields every outcode of the register and the extracts, in
// directory order.
func (s *Snapshot) AllOutcodes() iter.Seq[Outcode] {
	return func(yield func(Outcode) bool) {
		for i := range s.outcodes {
			if !yield(Outcode{s, uint32(i)}) {
				return
			}
		}
	}
}

package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"coverd/geo"
)

// reader hands out sections; the first error sticks.
type reader struct {
	raws map[string][]byte
	most int // values a column may have
	err  error
}

// newReader allows columns two values to every byte of all sections together.
// A column of equal values takes no space, so that without this a few bytes
// could claim a million million premises; but facts that differ take space in
// one column or another, and real files stay far below.
func newReader(raws map[string][]byte) *reader {
	r := &reader{raws: raws}
	for _, raw := range raws {
		r.most += 2 * len(raw)
	}
	return r
}

func (r *reader) check(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("section %q: %w", name, err)
	}
}

func (r *reader) bytes(name string) []byte {
	raw, ok := r.raws[name]
	if !ok {
		r.check(name, errors.New("missing"))
	}
	return raw
}

func (r *reader) column(name string) column {
	raw := r.bytes(name)
	if r.err != nil {
		return column{}
	}
	c, err := parseColumn(raw)
	if err == nil && c.n > r.most {
		c, err = column{}, fmt.Errorf("%d values, at most %d fit the file", c.n, r.most)
	}
	r.check(name, err)
	return c
}

// sized reads a column of n values, each from lo to hi.
func (r *reader) sized(name string, n int, lo, hi int64) column {
	c := r.column(name)
	if r.err == nil && c.n != n {
		r.check(name, fmt.Errorf("%d values, want %d", c.n, n))
	}
	if r.err == nil {
		r.check(name, c.within(lo, hi))
	}
	return c
}

// upTo reads a list of different numbers below n.
func (r *reader) upTo(name string, n int) column {
	c := r.column(name)
	if r.err == nil && c.n > n {
		r.check(name, fmt.Errorf("%d values, want at most %d", c.n, n))
	}
	if r.err == nil {
		r.check(name, c.within(0, int64(n)-1))
	}
	return c
}

// ends reads a column of offsets that never fall, from at least 0 to exactly
// last.
func (r *reader) ends(name string, last int) column {
	c := r.column(name)
	if r.err != nil {
		return c
	}
	r.check(name, c.within(0, int64(last)))
	r.check(name, c.ascending(false))
	if c.n == 0 && last > 0 || c.n > 0 && c.at(c.n-1) != int64(last) {
		r.check(name, fmt.Errorf("offsets do not end at %d", last))
	}
	return c
}

// read takes every section in and checks that every number in it can be
// followed, so that no look-up ever has to.
func (s *Snapshot) read(r *reader) {
	s.readMeta(r)
	s.readClaims(r)
	s.readPremises(r)
	s.readUnits(r)
	s.readProfiles(r)
	s.readShapes(r)
	s.checkCounts(r)
}

func (s *Snapshot) readMeta(r *reader) {
	meta := r.bytes(sectionMeta)
	if r.err != nil {
		return
	}
	err := json.Unmarshal(meta, &s.info)
	i := &s.info
	i.ID, i.FormatVersion, i.Bytes, i.Memory, i.Sections = "", 0, 0, 0, nil
	switch {
	case err != nil:
	case i.AsOf == 0:
		err = errors.New("no as-of day")
	case i.Premises < 0 || i.Premises > math.MaxUint32:
		err = fmt.Errorf("%d premises", i.Premises)
	}
	r.check(sectionMeta, err)
}

func (s *Snapshot) readClaims(r *reader) {
	raw := r.bytes(sectionClaims)
	if r.err != nil {
		return
	}
	claims, err := parseClaims(raw)
	r.check(sectionClaims, err)
	s.claims = claims
	s.setItems = r.column(sectionSetItems)
	r.check(sectionSetItems, s.setItems.within(0, int64(2*len(claims)-1)))
	s.setEnds = r.ends(sectionSetEnds, s.setItems.n)
}

// The largest latitude, longitude and UPRN that are stored.
const (
	maxLat  = 90_000_000
	maxLng  = 180_000_000
	maxUPRN = 999_999_999_999
)

func (s *Snapshot) readPremises(r *reader) {
	s.addrText = r.bytes(sectionAddrText)
	s.addrEnds = r.ends(sectionAddrEnds, len(s.addrText))
	n := int(s.info.Premises)
	s.premLat = r.sized(sectionPremLat, n, -maxLat, maxLat)
	s.premLng = r.sized(sectionPremLng, n, -maxLng, maxLng)
	s.premUPRN = r.sized(sectionPremUPRN, n, 0, maxUPRN)
	s.premAddr = r.sized(sectionPremAddr, n, 0, int64(s.addrEnds.n)-1)
	s.premSet = r.sized(sectionPremSet, n, 0, int64(s.setEnds.n)-1)
	s.premFlags = r.sized(sectionPremFlags, n, 0, maxFlags)
	s.byUPRN = r.upTo(sectionUPRN, n)
}

func (s *Snapshot) readUnits(r *reader) {
	s.unitKey = r.column(sectionUnitKey)
	r.check(sectionUnitKey, s.unitKey.within(0, int64(geo.Postcodes-1)))
	r.check(sectionUnitKey, s.unitKey.ascending(true))
	n := s.unitKey.n
	s.unitLat = r.sized(sectionUnitLat, n, -maxLat, maxLat)
	s.unitLng = r.sized(sectionUnitLng, n, -maxLng, maxLng)
	s.unitFlags = r.sized(sectionUnitFlags, n, 0, maxFlags)
	s.unitBorder = r.sized(sectionUnitBord, n, 0, MaxBorder*10+1)
	s.unitIntro = r.sized(sectionUnitIntro, n, 0, maxMonth)
	s.unitTerm = r.sized(sectionUnitTerm, n, 0, maxMonth)
	s.unitAfter = r.sized(sectionUnitAfter, n, minDay, maxDay)
	s.unitBy = r.sized(sectionUnitBy, n, minDay, maxDay)
	s.points = r.upTo(sectionPoints, n)

	s.groupUnit = r.upTo(sectionGroupUnit, n)
	s.groupPrem = r.ends(sectionGroupPrem, s.premLat.n)
	s.unitGroup = r.sized(sectionUnitGroup, n, 0, int64(s.groupUnit.n))
	if r.err != nil {
		return
	}
	// Every premises is in a group, and every group has a postcode of its own,
	// but for the last, of premises without.
	if s.groupPrem.n != s.groupUnit.n+2 || s.groupPrem.at(0) != 0 {
		r.check(sectionGroupPrem, fmt.Errorf("%d offsets for %d groups", s.groupPrem.n, s.groupUnit.n))
		return
	}
	grouped := 0
	for i := range n {
		if g := int(s.unitGroup.at(i)); g > 0 {
			grouped++
			if int(s.groupUnit.at(g-1)) != i {
				r.check(sectionUnitGroup, fmt.Errorf("group %d and postcode %d disagree", g-1, i))
				return
			}
		}
	}
	if grouped != s.groupUnit.n {
		r.check(sectionUnitGroup, fmt.Errorf("%d of %d groups have a postcode", grouped, s.groupUnit.n))
	}
	s.readPlaces()
}

func (s *Snapshot) readProfiles(r *reader) {
	s.profItems = r.column(sectionProfItems)
	r.check(sectionProfItems, s.profItems.within(0, int64(s.setEnds.n)<<2-1))
	s.profCounts = r.sized(sectionProfCount, s.profItems.n, 0, s.info.Premises)
	s.profEnds = r.ends(sectionProfEnds, s.profItems.n)
	if r.err == nil && s.profEnds.n != len(s.sectors) {
		r.check(sectionProfEnds, fmt.Errorf("%d sectors, want %d", s.profEnds.n, len(s.sectors)))
	}
}

func (s *Snapshot) readShapes(r *reader) {
	mesh := r.mesh("area")
	codes := r.sized(sectionAreaClaim, mesh.Len(), 0, int64(len(s.claims))-1)
	cover := r.cover("region")
	if r.err == nil && cover.Mesh.Len() != len(geo.Regions) {
		r.check("region.shape", fmt.Errorf("%d Regions", cover.Mesh.Len()))
	}
	if r.err != nil {
		return
	}
	claims := make([]uint32, codes.n)
	for i := range claims {
		claims[i] = uint32(codes.at(i))
	}
	s.areas = newAreas(mesh, claims)
	s.regions = newRegions(cover)
}

// checkCounts holds what the file says of itself against what is in it.
func (s *Snapshot) checkCounts(r *reader) {
	if r.err != nil {
		return
	}
	i := &s.info
	for _, c := range []struct {
		what      string
		said, are int64
	}{
		{"postcodes", i.Postcodes, int64(s.unitKey.n)},
		{"outcodes", i.Outcodes, int64(len(s.outcodes))},
		{"claims", i.Claims, int64(len(s.claims))},
		{"claim sets", i.ClaimSets, int64(s.setEnds.n)},
		{"areas", i.Areas, int64(len(s.areas.claims))},
	} {
		if c.said != c.are {
			r.check(sectionMeta, fmt.Errorf("%d %s, there are %d", c.said, c.what, c.are))
		}
	}
}

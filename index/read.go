package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"coverd/geo"
)

// reader hands out sections; the first error sticks.
type reader struct {
	raws    map[string][]byte
	most    int // values a column may have
	workers int
	budget  budget
	err     error
}

// newReader allows columns two values to every byte of all sections together.
// A column of equal values takes no space, so that without this a few bytes
// could claim a million million premises; but facts that differ take space in
// one column or another, and real files stay far below. Postcodes take a bit:
// of them, keyset allows as many as there are.
func newReader(raws map[string][]byte, workers int) *reader {
	r := &reader{raws: raws, workers: workers}
	unpacked := 0
	for _, raw := range raws {
		unpacked += len(raw)
	}
	r.most = 2 * unpacked
	r.budget.grant(int64(unpacked))
	return r
}

func (r *reader) check(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("section %q: %w", name, err)
	}
}

// take counts what is made of a section against the budget.
func (r *reader) take(name string, n, each int) {
	if r.err == nil {
		r.check(name, r.budget.take(n, each))
	}
}

// takeJSON counts what is made of JSON: in three bytes there can be another
// object of a list.
func (r *reader) takeJSON(name string, raw []byte) {
	r.take(name, bytes.Count(raw, []byte("{"))+bytes.Count(raw, []byte("null")), objectBytes)
	r.take(name, len(raw), 16)
}

func (r *reader) bytes(name string) []byte {
	raw, ok := r.raws[name]
	if !ok {
		r.check(name, errors.New("missing"))
	}
	return raw
}

func (r *reader) column(name string) column { return r.records(name, 1)[0] }

// records reads a section of several columns.
func (r *reader) records(name string, fields int) []column {
	if raw := r.bytes(name); r.err == nil {
		c, err := parseRecords(raw, fields)
		if err == nil && c[0].n > r.most {
			err = fmt.Errorf("%d values, at most %d fit the file", c[0].n, r.most)
		}
		if err == nil {
			return c
		}
		r.check(name, err)
	}
	return make([]column, fields)
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
	s.readBaselines(r)
	s.readClaims(r)
	s.readPremises(r)
	s.readUnits(r)
	s.readProfiles(r)
	s.readShapes(r)
	s.checkCounts(r)
	s.countPlaces(r)
	s.readHistory(r)
	s.readJournal(r)
	s.readCalibration(r)
}

func (s *Snapshot) readMeta(r *reader) {
	meta := r.bytes(sectionMeta)
	if r.err != nil {
		return
	}
	if r.takeJSON(sectionMeta, meta); r.err != nil {
		return
	}
	info, err := parseMeta(meta)
	s.info = info
	r.check(sectionMeta, err)
}

func (s *Snapshot) readClaims(r *reader) {
	raw := r.bytes(sectionClaims)
	if r.err != nil {
		return
	}
	n, _ := binary.Uvarint(raw)
	r.take(sectionClaims, int(min(n, uint64(len(raw)))), claimBytes)
	if r.take(sectionClaims, len(raw), 2); r.err != nil {
		return
	}
	claims, err := parseClaims(raw)
	r.check(sectionClaims, err)
	s.claims = claims
	items := r.column(sectionSetItems)
	r.check(sectionSetItems, items.within(0, int64(2*len(claims)-1)))
	ends := r.ends(sectionSetEnds, items.n)
	if r.err == nil {
		r.check(sectionSetItems, checkSets(&ends, &items))
	}
	if r.err != nil {
		return
	}
	if r.take(sectionSetItems, ends.n+items.n, 4); r.err != nil {
		return
	}
	s.setStarts = make([]uint32, 1, ends.n+1)
	for i := range ends.n {
		s.setStarts = append(s.setStarts, uint32(ends.at(i)))
	}
	s.setItems = make([]uint32, items.n)
	for i := range s.setItems {
		s.setItems[i] = uint32(items.at(i))
	}
}

// checkSets checks that claims rise within each set, and that the sets do. So
// none is longer than there are claims, and all of them together take space:
// equal values would not.
func checkSets(ends, items *column) error {
	var last, set []int64
	from := 0
	for k := range ends.n {
		to := int(ends.at(k))
		set = set[:0]
		for i := from; i < to; i++ {
			it := items.at(i)
			if n := len(set); n > 0 && set[n-1]>>1 >= it>>1 {
				return fmt.Errorf("claims of set %d out of order", k)
			}
			set = append(set, it)
		}
		if k > 0 && slices.Compare(last, set) >= 0 {
			return fmt.Errorf("set %d does not follow the one before", k)
		}
		last, set, from = set, last, to
	}
	return nil
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
	kinds := r.records(sectionKinds, 2)
	s.kindSet, s.kindFlags = kinds[0], kinds[1]
	r.check(sectionKinds, s.kindSet.within(0, int64(s.ClaimSets())-1))
	r.check(sectionKinds, checkFlags(&s.kindFlags))
	n := int(s.info.Premises)
	s.premises = r.locations(sectionPremBox, sectionPremLoc, n)
	s.roster = r.roster(sectionPremHead, sectionPremBits, n, s.addrEnds.n, s.kindSet.n)
	s.runs = r.directory(sectionRunHead, sectionRunBits, n)
	s.odds = r.directory(sectionOddHead, sectionOddBits, n)
}

func (s *Snapshot) readUnits(r *reader) {
	s.keys = r.keyset(sectionUnitOut, sectionUnitMap)
	s.groupUnit = r.upTo(sectionGroupUnit, s.keys.n)
	s.points = r.upTo(sectionPoints, s.keys.n)
	s.places = r.locations(sectionPointBox, sectionPointLoc, s.points.n)
	f := r.records(sectionUnits, len(unitFields(nil, nil)))
	s.unitFlags, s.unitBorder, s.unitFirst, s.unitLen, s.unitPoint = f[0], f[1], f[2], f[3], f[4]
	s.unitIntro, s.unitTerm, s.unitAfter, s.unitBy = f[5], f[6], f[7], f[8]
	if r.err == nil && s.unitFlags.n != s.keys.n {
		r.check(sectionUnits, fmt.Errorf("%d records for %d postcodes", s.unitFlags.n, s.keys.n))
	}
	if r.err != nil {
		return
	}
	for _, c := range []struct {
		values *column
		lo, hi int64
	}{
		{&s.unitBorder, 0, MaxBorder*10 + 1},
		{&s.unitFirst, 0, s.info.Premises},
		{&s.unitLen, 0, s.info.Premises},
		{&s.unitPoint, 0, int64(s.points.n)},
		{&s.unitIntro, 0, maxMonth},
		{&s.unitTerm, 0, maxMonth},
		{&s.unitAfter, minDay, maxDay},
		{&s.unitBy, minDay, maxDay},
	} {
		r.check(sectionUnits, c.values.within(c.lo, c.hi))
	}
	r.check(sectionUnits, checkFlags(&s.unitFlags))
	if r.err == nil {
		r.check(sectionUnits, s.checkUnits())
	}
	if r.err != nil {
		return
	}
	// Outcodes have their numbers from keys and their rows from the postcodes.
	if s.readPlaces(r); r.err == nil && len(s.outcodes) != s.keys.outcodes.n {
		r.check(sectionUnitMap, fmt.Errorf("%d of %d outcodes have a postcode", len(s.outcodes), s.keys.outcodes.n))
	}
}

// checkUnits checks that every premises is in a group, and every group has a
// postcode of its own, but for the last, of premises without; and that points
// and postcodes agree.
func (s *Snapshot) checkUnits() error {
	group, next := 0, 0 // and where it must start
	for row := 0; row < s.premises.n; row += blockRows {
		for starts := s.roster.head(row).starts(); starts != 0; starts &= starts - 1 {
			at := row + bits.TrailingZeros64(starts)
			if at != next {
				return fmt.Errorf("group %d starts at premises %d, want %d", group, at, next)
			}
			if next = s.premises.n; group < s.groupUnit.n {
				u := int(s.groupUnit.at(group))
				if int(s.unitFirst.at(u)) != at || s.unitLen.at(u) == 0 {
					return fmt.Errorf("group %d and postcode %d disagree", group, u)
				}
				next = at + int(s.unitLen.at(u))
			}
			group++
		}
	}
	if next != s.premises.n || group < s.groupUnit.n {
		return fmt.Errorf("%d groups, up to premises %d", group, next)
	}
	grouped, located := 0, 0
	for i := range s.keys.n {
		if s.unitLen.at(i) > 0 {
			grouped++
		}
		if p := int(s.unitPoint.at(i)); p > 0 {
			located++
			if int(s.points.at(p-1)) != i {
				return fmt.Errorf("point %d and postcode %d disagree", p-1, i)
			}
		}
	}
	if grouped != s.groupUnit.n || located != s.points.n {
		return fmt.Errorf("%d of %d groups and %d of %d points have a postcode", grouped, s.groupUnit.n, located, s.points.n)
	}
	return nil
}

func (s *Snapshot) readProfiles(r *reader) {
	s.profItems = r.column(sectionProfItems)
	r.check(sectionProfItems, s.profItems.within(0, int64(s.ClaimSets())<<2-1))
	s.profCounts = r.sized(sectionProfCount, s.profItems.n, 0, s.info.Premises)
	s.profEnds = r.ends(sectionProfEnds, s.profItems.n)
	if r.err == nil && s.profEnds.n != len(s.sectors) {
		r.check(sectionProfEnds, fmt.Errorf("%d sectors, want %d", s.profEnds.n, len(s.sectors)))
	}
	if r.err == nil {
		r.check(sectionProfItems, checkProfiles(&s.profEnds, &s.profItems))
	}
}

// checkProfiles checks that items rise within each sector, so that a sector has
// no more of them than there are claim sets and Regions.
func checkProfiles(ends, items *column) error {
	from := 0
	for k := range ends.n {
		to := int(ends.at(k))
		for i := from + 1; i < to; i++ {
			if items.at(i-1) >= items.at(i) {
				return fmt.Errorf("items of sector %d out of order", k)
			}
		}
		from = to
	}
	return nil
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
	if s.areas, s.regions = newAreas(mesh, claims), newRegions(cover); r.err == nil {
		r.take("area.poly", s.areas.listed(), 4)
		r.take("region.poly", s.regions.shapes.listed(), 4)
	}
}

// countPlaces counts the premises of sectors and outcodes, from the claims.
func (s *Snapshot) countPlaces(r *reader) {
	if r.err != nil {
		return
	}
	s.readFacts()
	r.check(sectionProfItems, inParallel(len(s.sectors), r.workers, func(i int) (err error) {
		s.sectors[i].counted, err = s.count(i, i+1, &r.budget)
		return err
	}))
	if r.err != nil {
		return
	}
	r.check(sectionProfItems, inParallel(len(s.outcodes), r.workers, func(i int) (err error) {
		s.outcodes[i].counted, err = s.count(s.outcodes[i].sector, s.outcodes[i].sectors, &r.budget)
		return err
	}))
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
		{"postcodes", i.Postcodes, int64(s.keys.n)},
		{"outcodes", i.Outcodes, int64(len(s.outcodes))},
		{"claims", i.Claims, int64(len(s.claims))},
		{"claim sets", i.ClaimSets, int64(s.ClaimSets())},
		{"areas", i.Areas, int64(len(s.areas.claims))},
	} {
		if c.said != c.are {
			r.check(sectionMeta, fmt.Errorf("%d %s, there are %d", c.said, c.what, c.are))
		}
	}
}

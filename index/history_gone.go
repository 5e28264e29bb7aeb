package index

import (
	"cmp"
	"fmt"
	"sort"

	"coverd/geo"
)

// departures lists the premises that the snapshot has no more and remembers, in order
// of postcode, those without last, UPRN, address and location.
type departures struct {
	n                    int
	place, uprn          column // place: see postcodePlace
	lat, lng, addressEnd column
	text                 []byte
	byUPRN               column // those that have one, in order of it
}

// Departed is a premises that the snapshot has no more, and remembers: a small
// value, valid as long as the snapshot. What it says beside its past is what was
// last said.
type Departed struct {
	s *Snapshot
	i uint32
}

// Departed finds a premises that has gone, by its UPRN.
func (s *Snapshot) Departed(u geo.UPRN) (Departed, bool) {
	if s.past == nil || u == 0 {
		return Departed{}, false
	}
	g := &s.past.gone
	k := sort.Search(g.byUPRN.n, func(k int) bool { return g.uprnOf(k) >= u })
	if k == g.byUPRN.n || g.uprnOf(k) != u {
		return Departed{}, false
	}
	return Departed{s, uint32(g.byUPRN.at(k))}, true
}

// uprnOf is the UPRN that is in place k of them.
func (g *departures) uprnOf(k int) geo.UPRN { return geo.UPRN(g.uprn.at(int(g.byUPRN.at(k)))) }

// AppendDeparted appends the premises that have gone from a postcode, or from
// none, that of the zero value. They are in order of UPRN, address, location.
func (s *Snapshot) AppendDeparted(dst []Departed, p geo.Postcode) []Departed {
	if s.past == nil {
		return dst
	}
	g, place := &s.past.gone, int64(postcodePlace(p))
	for i := sort.Search(g.n, func(i int) bool { return g.place.at(i) >= place }); i < g.n && g.place.at(i) == place; i++ {
		dst = append(dst, Departed{s, uint32(i)})
	}
	return dst
}

// DepartedLen is how many premises the snapshot remembers and has no more.
func (s *Snapshot) DepartedLen() int {
	if s.past == nil {
		return 0
	}
	return s.past.gone.n
}

// UPRN returns the premises' UPRN, or 0.
func (d Departed) UPRN() geo.UPRN { return geo.UPRN(d.s.past.gone.uprn.at(int(d.i))) }

// Postcode returns its last postcode, or the zero value.
func (d Departed) Postcode() geo.Postcode {
	return postcodeAt(uint32(d.s.past.gone.place.at(int(d.i))))
}

// Address returns its last address identifier, empty for none. It is shared.
func (d Departed) Address() []byte {
	g, from := &d.s.past.gone, 0
	if d.i > 0 {
		from = int(g.addressEnd.at(int(d.i) - 1))
	}
	to := int(g.addressEnd.at(int(d.i)))
	return g.text[from:to:to]
}

// At returns its last location, or the zero value.
func (d Departed) At() geo.Location {
	g := &d.s.past.gone
	return geo.Location{Lat: int32(g.lat.at(int(d.i))), Lng: int32(g.lng.at(int(d.i)))}
}

// Region is the Region of where it was last: by its location, or without one
// that of its postcode, if that is still known.
func (d Departed) Region() Allocation {
	if at := d.At(); at.IsValid() {
		return d.s.Region(at.LatLng())
	}
	if u, ok := d.s.Postcode(d.Postcode()); ok {
		return u.Region()
	}
	return Allocation{Border: -1}
}

// Known is [Premises.Known] of one that has gone.
func (d Departed) Known(known Day) (Indication, bool) {
	t := d.story()
	return t.known(known)
}

// AppendHistory is [Premises.AppendHistory] of one that has gone.
func (d Departed) AppendHistory(dst []Indication, from, to Day) []Indication {
	t := d.story()
	return t.append(dst, from, to)
}

// IndicatedSince is [Premises.IndicatedSince] of one that has gone.
func (d Departed) IndicatedSince(on, since, until Day) (known Day, ok bool) {
	return d.IndicatedSinceOn(NoNetwork, on, since, until)
}

// IndicatedSinceOn is [Premises.IndicatedSinceOn] of one that has gone.
func (d Departed) IndicatedSinceOn(only NetworkRegion, on, since, until Day) (known Day, ok bool) {
	t := d.story()
	return t.indicatedSince(only, on, since, until)
}

// Since is the first known day on which it was not there any more.
func (d Departed) Since() Day {
	t := d.story()
	for {
		if i, ok := t.next(); !ok || i.To == 0 {
			return i.From
		}
	}
}

func (d Departed) story() story {
	now := d.s.past.indication(0)
	now.Past = false
	return d.s.story(d.s.premises.n+int(d.i), now)
}

// goneFields are the fields of a record of hist.gone.
func goneFields(list []goneRow) []field {
	end := 0
	ends := make([]int, len(list))
	for i := range list {
		end += len(list[i].address)
		ends[i] = end
	}
	return []field{
		{"place", func(i int) int64 { return int64(list[i].place) }},
		{"uprn", func(i int) int64 { return int64(list[i].uprn) }},
		{"latitude", func(i int) int64 { return int64(list[i].at.Lat) }},
		{"longitude", func(i int) int64 { return int64(list[i].at.Lng) }},
		{"address", func(i int) int64 { return int64(ends[i]) }},
	}
}

// goneRow is a premises to be listed.
type goneRow struct {
	place   uint32
	uprn    geo.UPRN
	address string
	at      geo.Location
}

func (r *goneRow) compare(q *goneRow) int {
	return cmp.Or(cmp.Compare(r.place, q.place), cmp.Compare(r.uprn, q.uprn), cmp.Compare(r.address, q.address), r.at.Compare(q.at))
}

// row is what hist.gone has of a premises.
func (d Departed) row() goneRow {
	return goneRow{postcodePlace(d.Postcode()), d.UPRN(), string(d.Address()), d.At()}
}

// read reads the list. Every number in it is checked.
func (g *departures) read(r *reader) {
	f := r.records(sectionPastGone, len(goneFields(nil)))
	g.n, g.place, g.uprn, g.lat, g.lng, g.addressEnd = f[0].n, f[0], f[1], f[2], f[3], f[4]
	g.text = r.bytes(sectionPastText)
	g.byUPRN = r.upTo(sectionPastUPRN, g.n)
	if r.err != nil {
		return
	}
	for _, c := range []struct {
		values *column
		lo, hi int64
	}{
		{&g.place, 0, int64(geo.Postcodes)},
		{&g.uprn, 0, maxUPRN},
		{&g.lat, -maxLat, maxLat},
		{&g.lng, -maxLng, maxLng},
		{&g.addressEnd, 0, int64(len(g.text))},
	} {
		r.check(sectionPastGone, c.values.within(c.lo, c.hi))
	}
	r.check(sectionPastGone, g.place.ascending(false))
	r.check(sectionPastGone, g.addressEnd.ascending(false))
	if r.err == nil && (g.n == 0 && len(g.text) > 0 || g.n > 0 && g.addressEnd.at(g.n-1) != int64(len(g.text))) {
		r.check(sectionPastGone, fmt.Errorf("addresses do not end at %d", len(g.text)))
	}
	for k := 0; r.err == nil && k < g.byUPRN.n; k++ {
		if u := g.uprnOf(k); u == 0 || k > 0 && u < g.uprnOf(k-1) {
			r.check(sectionPastUPRN, fmt.Errorf("UPRN %d in place %d", u, k))
		}
	}
}

package loader

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"

	"coverd/geo"
	"coverd/index"
)

// columnSet is a set of our columns.
type columnSet uint32

func setOf(columns ...column) (s columnSet) {
	for _, c := range columns {
		s |= 1 << c
	}
	return s
}

// The columns of coordinates come in pairs.
var (
	degreeColumns = setOf(colLat, colLng)
	metreColumns  = setOf(colEasting, colNorthing)
)

// emptyCells are the columns of a claim that are empty.
func emptyCells(c *index.Claim) (s columnSet) {
	empty := func(col column, is bool) {
		if is {
			s |= 1 << col
		}
	}
	empty(colAvailable, c.Availability == index.AvailabilityUnknown)
	empty(colAnticipated, c.Anticipated == 0)
	empty(colEnd, c.End == 0)
	empty(colTechnology, c.Technology == "")
	empty(colVariant, c.Variant == "")
	empty(colLikelihood, c.Likelihood == index.NoLikelihood)
	empty(colAuxiliary, c.Auxiliary == "")
	empty(colInfo, c.Info == "")
	return s
}

// maxExamples is how many rows too far from their postcode are named.
const maxExamples = 3

// noArea is the postcode area of rows without postcode.
const noArea = "-"

// rowCounts counts good rows by postcode area. A worker has its own, and they
// are added up: sums do not depend on who counted what.
//
// It runs once a row: rows that are like the one before, in a postcode area,
// only raise run.
type rowCounts struct {
	areas map[string]*areaCount
	far   float64 // how far from its postcode a row is too far, in metres
	near  int32   // difference of coordinates, in millionths of a degree, up to which it is not

	postcode geo.Postcode // of the row before
	at       geo.Location // of that postcode in the register
	area     *areaCount   // its; nil: no row yet
	empty    columnSet    // of the row before
	run      int64        // rows like it that are not counted yet

	both, tooFar int64          // rows with coordinates and a located postcode; of these those too far from it
	examples     []index.RowRef // the first few of these
}

type areaCount struct {
	rows  int64
	empty [numColumns]int64
}

func newRowCounts(far float64) *rowCounts {
	// A millionth of a degree is at most 0.112 m: both differences together stay
	// below far.
	return &rowCounts{areas: map[string]*areaCount{}, far: far, near: int32(min(far/2/0.112, 1e9))}
}

// add counts a row. locate tells where the register has a postcode.
func (c *rowCounts) add(r *index.Row, empty columnSet, locate func(geo.Postcode) geo.Location) {
	if r.Postcode != c.postcode || c.area == nil {
		c.moveTo(r.Postcode, locate)
	}
	if empty != c.empty {
		c.flush()
		c.empty = empty
	}
	c.run++
	if !r.At.IsValid() || !c.at.IsValid() {
		return
	}
	c.both++
	if lat, lng := r.At.Lat-c.at.Lat, r.At.Lng-c.at.Lng; max(lat, -lat) > c.near || max(lng, -lng) > c.near {
		if geo.Distance(r.At.LatLng(), c.at.LatLng()) > c.far {
			if c.tooFar++; len(c.examples) < maxExamples { // a worker's rows rise
				c.examples = append(c.examples, index.RowRef{File: r.File, Line: r.Line})
			}
		}
	}
}

// moveTo goes on to another postcode.
func (c *rowCounts) moveTo(p geo.Postcode, locate func(geo.Postcode) geo.Location) {
	if c.area == nil || p.Outcode() != c.postcode.Outcode() {
		c.flush()
		c.area = c.areaOf(p)
	}
	c.postcode, c.at = p, geo.Location{}
	if p.IsValid() {
		c.at = locate(p)
	}
}

func (c *rowCounts) areaOf(p geo.Postcode) *areaCount {
	name := noArea
	if p.IsValid() {
		name = p.Outcode().Area()
	}
	a := c.areas[name]
	if a == nil {
		a = &areaCount{}
		c.areas[name] = a
	}
	return a
}

// flush counts the rows of the run.
func (c *rowCounts) flush() {
	if c.run == 0 {
		return
	}
	c.area.rows += c.run
	for s := uint(c.empty); s != 0; s &= s - 1 {
		c.area.empty[bits.TrailingZeros(s)] += c.run
	}
	c.run = 0
}

// merge adds what another has counted.
func (c *rowCounts) merge(o *rowCounts) {
	c.flush()
	o.flush()
	c.both += o.both
	c.tooFar += o.tooFar
	c.examples = append(c.examples, o.examples...)
	slices.SortFunc(c.examples, func(a, b index.RowRef) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	c.examples = c.examples[:min(len(c.examples), maxExamples)]
	for name, from := range o.areas {
		to := c.areas[name]
		if to == nil {
			c.areas[name] = new(*from)
			continue
		}
		to.rows += from.rows
		for i := range to.empty {
			to.empty[i] += from.empty[i]
		}
	}
}

// baselines lists the postcode areas in order.
func (c *rowCounts) baselines() []index.AreaBaseline {
	c.flush()
	list := []index.AreaBaseline{}
	for _, name := range slices.Sorted(maps.Keys(c.areas)) {
		a := c.areas[name]
		list = append(list, index.AreaBaseline{Area: name, Rows: a.rows, Empty: slices.Clone(a.empty[:])})
	}
	return list
}

// registerCounts counts what the registers hold.
type registerCounts struct {
	rows, live int64
	areas      map[string]int64 // live, by postcode area
	outcodes   map[geo.Outcode]*outcodeCount

	outcode geo.Outcode // of the live entry before
	area    string      // its
	last    *outcodeCount
}

// outcodeCount counts the live postcodes of an outcode, and where they are.
type outcodeCount struct {
	live, located int64
	lat, lng      int64 // sums, in millionths of a degree
}

func (o *outcodeCount) add(at geo.Location) {
	o.live++
	if at.IsValid() {
		o.located++
		o.lat += int64(at.Lat)
		o.lng += int64(at.Lng)
	}
}

// place is the middle of the postcodes.
func (o *outcodeCount) place() Place {
	if o.located == 0 {
		return Place{}
	}
	at := geo.Location{Lat: int32(o.lat / o.located), Lng: int32(o.lng / o.located)}.LatLng()
	return Place{at.Lat, at.Lng}
}

func newRegisterCounts() registerCounts {
	return registerCounts{areas: map[string]int64{}, outcodes: map[geo.Outcode]*outcodeCount{}}
}

func (c *registerCounts) add(e *index.Entry) {
	c.rows++
	if e.Status() != index.Live {
		return
	}
	if o := e.Postcode.Outcode(); o != c.outcode {
		c.outcode, c.area = o, o.Area()
		if c.last = c.outcodes[o]; c.last == nil {
			c.last = &outcodeCount{}
			c.outcodes[o] = c.last
		}
	}
	c.live++
	c.areas[c.area]++
	c.last.add(e.At)
}

func (c *registerCounts) baseline() *index.RegisterBaseline {
	b := &index.RegisterBaseline{Rows: c.rows, Live: c.live, Areas: []index.RegisterCount{}}
	for _, name := range slices.Sorted(maps.Keys(c.areas)) {
		b.Areas = append(b.Areas, index.RegisterCount{Area: name, Live: c.areas[name]})
	}
	return b
}

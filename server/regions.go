package server

import (
	"strconv"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// regionDocuments are the boundaries of the Regions as GeoJSON. They are the
// same for everybody and megabytes long, so they are made once a snapshot, and
// sent without a copy.
type regionDocuments struct {
	all longBody                       // a FeatureCollection
	one [len(geo.Regions) + 1]longBody // a Feature by geo.Region; parts of all
}

func newRegionDocuments(snap *index.Snapshot, ref api.SnapshotRef) *regionDocuments {
	var ends [len(geo.Regions) + 1][2]int
	b := []byte(`{"type":"FeatureCollection","features":[`)
	for i, r := range geo.Regions {
		if i > 0 {
			b = append(b, ',')
		}
		ends[r][0] = len(b)
		b = appendRegion(b, snap, ref, r)
		ends[r][1] = len(b)
	}
	b = append(b, "]}"...)
	d := &regionDocuments{all: newLongBody(b)}
	for _, r := range geo.Regions {
		d.one[r] = newLongBody(b[ends[r][0]:ends[r][1]:ends[r][1]])
	}
	return d
}

// answerRegions answers the boundaries of all Regions, as a GeoJSON
// FeatureCollection.
func (q *scratch) answerRegions([]byte) { q.sendRegions(&q.snap.regions().all) }

// answerRegion answers the boundary of one Region, as a GeoJSON Feature.
func (q *scratch) answerRegion(key []byte) {
	r, err := geo.ParseRegion(string(key))
	if err != nil {
		q.problem(api.Problem{Code: api.UnknownRegion, Parameter: "name", Detail: err.Error(), Hint: "all three are at /v1/regions"})
		return
	}
	q.sendRegions(&q.snap.regions().one[r])
}

// sendRegions is send for a part of regionDocuments.
func (q *scratch) sendRegions(d *longBody) {
	c := q.coding(len(d[identity]()))
	if q.modified(typeGeoJSON, c) {
		q.ctx.Response.SetBodyRaw(d[c]())
	}
}

// appendRegion appends a Region as a GeoJSON Feature (RFC 7946: longitude
// first). Coordinates are the very ones that locations are tested against.
func appendRegion(b []byte, snap *index.Snapshot, ref api.SnapshotRef, r geo.Region) []byte {
	b = append(append(b, `{"type":"Feature","id":"`...), r.String()...)
	b = append(append(b, `","properties":{"region":"`...), r.String()...)
	b = strconv.AppendBool(append(b, `","indicative":`...), ref.IndicativeRegions)
	b = append(append(b, `,"snapshot":"`...), ref.ID...)
	b = append(b, `"},"geometry":{"type":"MultiPolygon","coordinates":[`...)
	for i, polygon := range snap.RegionShape(r) {
		b = appendOpen(b, i)
		for j, ring := range polygon {
			b = appendRing(appendOpen(b, j), ring, j > 0)
		}
		b = append(b, ']')
	}
	return append(b, "]}}"...)
}

// appendRing appends a ring's positions, the first repeated as the last, and
// the bracket that closes it: anticlockwise, a hole clockwise.
func appendRing(b []byte, ring geo.Ring, hole bool) []byte {
	n := len(ring)
	twice := 0.0 // twice the area that the ring goes around anticlockwise
	for i, p := range ring {
		next := ring[(i+1)%n]
		twice += (p.Lng-ring[0].Lng)*(next.Lat-ring[0].Lat) - (next.Lng-ring[0].Lng)*(p.Lat-ring[0].Lat)
	}
	step := 1
	if twice < 0 != hole {
		step = n - 1
	}
	for i := range n + 1 {
		p := ring[i*step%n]
		b = strconv.AppendFloat(appendOpen(b, i), p.Lng, 'f', -1, 64)
		b = append(strconv.AppendFloat(append(b, ','), p.Lat, 'f', -1, 64), ']')
	}
	return append(b, ']')
}

// appendOpen opens item i of a list of lists.
func appendOpen(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, '[')
}

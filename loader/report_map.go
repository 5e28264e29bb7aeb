package loader

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"coverd/geo"
)

// mapPart is the map of what changed: the land, and a circle an outcode, in
// kilometres of the National Grid with north up.
type mapPart struct {
	Width, Height, PixelHeight int
	Land                       []landPath
	Dots                       []mapDot
	Key                        []keyItem
	Caption                    string
}

type landPath struct{ Class, Path string }

type mapDot struct{ Class, X, Y, R, Title string }

// The picture, in kilometres. Great Britain reaches from 5,000 m to 656,000 m east
// and from 5,000 m to 1,220,000 m north; a pixel is about 1.6 km.
const (
	mapWest, mapEast   = 0, 670
	mapSouth, mapNorth = 0, 1230
	mapPixels          = 416 // wide

	// landTolerance is how far the outlines that are drawn are from the
	// boundaries, in metres: half a pixel. Of the 250,000 vertices of the
	// indicative boundaries some 3,000 are left.
	landTolerance = 800
	// landLeast is the side of a square around the smallest island that is drawn.
	landLeast = 2500

	largestDot, smallestDot = 26, 2.5 // radii
)

func changeMap(land *[3]geo.MultiPolygon, outcodes []OutcodeChange) *mapPart {
	m := &mapPart{
		Width: mapEast - mapWest, Height: mapNorth - mapSouth, PixelHeight: mapPixels * (mapNorth - mapSouth) / (mapEast - mapWest),
		Key: []keyItem{{"gained", "mostly premises gained"}, {"lost", "mostly premises lost"}, {"changed", "mostly states changed"}, {"other", "other changes"}},
	}
	for i, r := range geo.Regions {
		m.Land = append(m.Land, landPath{strings.ToLower(r.String()), outline(land[i])})
	}
	most, nowhere := int64(1), 0
	for i := range outcodes {
		most = max(most, outcodes[i].Changes)
	}
	// The largest first, so that none hides a smaller one.
	for _, o := range slices.SortedStableFunc(slices.Values(outcodes), func(a, b OutcodeChange) int { return int(max(-1, min(1, b.Changes-a.Changes))) }) {
		g, ok := geo.GridFromLatLng(geo.LatLng{Lat: o.Latitude, Lng: o.Longitude})
		if o.Place == (Place{}) || !ok {
			nowhere++
			continue
		}
		x, y := onMap(g)
		m.Dots = append(m.Dots, mapDot{
			changeClass(&o), decimal(x), decimal(y), decimal(max(smallestDot, largestDot*math.Sqrt(float64(o.Changes)/float64(most)))),
			fmt.Sprintf("%s: %s changes (%s gained, %s lost, %s in another state)", o.Outcode, thousands(o.Changes), thousands(o.Gained), thousands(o.Lost), thousands(o.StateChanged)),
		})
	}
	m.Caption = fmt.Sprintf("The %s with most changes; the area of a circle is as their number.", number(len(m.Dots), "outcode"))
	if nowhere > 0 {
		m.Caption += fmt.Sprintf(" %s without a place on the map.", number(nowhere, "outcode"))
	}
	return m
}

// changeClass is what most of an outcode's changes are.
func changeClass(o *OutcodeChange) string {
	class, most := "other", int64(0)
	for _, c := range []struct {
		class string
		n     int64
	}{{"lost", o.Lost}, {"changed", o.StateChanged}, {"gained", o.Gained}} {
		if c.n > most {
			class, most = c.class, c.n
		}
	}
	return class
}

// onMap is the place of a point in the picture.
func onMap(g geo.Grid) (x, y float64) { return g.E/1000 - mapWest, mapNorth - g.N/1000 }

// outline draws the outer rings of a Region, simplified.
func outline(land geo.MultiPolygon) string {
	var b strings.Builder
	for _, polygon := range land {
		if len(polygon) == 0 {
			continue
		}
		ring := make([]geo.Grid, 0, len(polygon[0]))
		lo, hi := geo.Grid{E: math.Inf(1), N: math.Inf(1)}, geo.Grid{E: math.Inf(-1), N: math.Inf(-1)}
		for _, v := range polygon[0] {
			g, ok := geo.GridFromLatLng(v)
			if !ok {
				continue // off the National Grid, and so off the map
			}
			lo, hi = geo.Grid{E: min(lo.E, g.E), N: min(lo.N, g.N)}, geo.Grid{E: max(hi.E, g.E), N: max(hi.N, g.N)}
			ring = append(ring, g)
		}
		if len(ring) < 3 || max(hi.E-lo.E, hi.N-lo.N) < landLeast {
			continue
		}
		ring = simplifyRing(ring, landTolerance)
		if len(ring) < 3 {
			continue
		}
		for i, g := range ring {
			x, y := onMap(g)
			letter := byte('L')
			if i == 0 {
				letter = 'M'
			}
			b.WriteByte(letter)
			b.WriteString(decimal(x) + " " + decimal(y))
		}
		b.WriteByte('Z')
	}
	return b.String()
}

// simplifyRing leaves out vertices of a ring so that none of them is further
// than so many metres from what is left (D. Douglas, T. Peucker, 1973). The ring
// is cut into two lines, at its first vertex and the one furthest from that.
func simplifyRing(ring []geo.Grid, tolerance float64) []geo.Grid {
	far, most := 0, 0.0
	for i, g := range ring {
		if d := math.Hypot(g.E-ring[0].E, g.N-ring[0].N); d > most {
			far, most = i, d
		}
	}
	if far == 0 {
		return nil
	}
	keep := make([]bool, len(ring)+1)
	closed := append(slices.Clip(ring), ring[0])
	type span struct{ from, to int }
	spans := []span{{0, far}, {far, len(ring)}}
	keep[0], keep[far] = true, true
	for len(spans) > 0 {
		s := spans[len(spans)-1]
		spans = spans[:len(spans)-1]
		at, most := 0, tolerance
		for i := s.from + 1; i < s.to; i++ {
			if d := offLine(closed[i], closed[s.from], closed[s.to]); d > most {
				at, most = i, d
			}
		}
		if at > 0 {
			keep[at] = true
			spans = append(spans, span{s.from, at}, span{at, s.to})
		}
	}
	var out []geo.Grid
	for i, g := range ring {
		if keep[i] {
			out = append(out, g)
		}
	}
	return out
}

// offLine is the distance of p from the line between a and b.
func offLine(p, a, b geo.Grid) float64 {
	dx, dy := b.E-a.E, b.N-a.N
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(max(((p.E-a.E)*dx+(p.N-a.N)*dy)/l, 0), 1)
	}
	return math.Hypot(p.E-a.E-t*dx, p.N-a.N-t*dy)
}

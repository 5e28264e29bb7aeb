package geo

import "math"

// The WGS84 ellipsoid: semi-major axis in metres, and eccentricity squared
// (NIMA TR8350.2, 2000, §3.2).
const (
	wgs84A  = 6378137.0
	wgs84E2 = 6.69437999014e-3
)

// Metric is the length of a degree at a latitude, in metres on the ground.
type Metric struct{ PerLat, PerLng float64 }

// MetricAt returns the length of a degree of latitude and of longitude at a
// latitude: the meridional and prime-vertical radii of curvature of WGS84,
// times the cosine for the latter.
func MetricAt(lat float64) Metric {
	sin, cos := math.Sincos(lat * (math.Pi / 180))
	w := 1 - wgs84E2*sin*sin
	n := wgs84A / math.Sqrt(w)
	return Metric{
		PerLat: n * (1 - wgs84E2) / w * (math.Pi / 180),
		PerLng: n * cos * (math.Pi / 180),
	}
}

// Distance returns the distance from p to q in metres on the ground, by the
// length of degrees at the middle latitude. It is meant for up to 100 km: in
// Great Britain it stays within 0.01 % of the geodesic.
func Distance(p, q LatLng) float64 {
	m := MetricAt((p.Lat + q.Lat) / 2)
	return math.Hypot(m.PerLat*(p.Lat-q.Lat), m.PerLng*(p.Lng-q.Lng))
}

// SegmentDistance returns the distance in metres from p to the nearest point
// of the edge a→b, which is straight in longitude and latitude. It is exact to
// 0.1 % or 0.1 m where that point is within some 10 km of p.
func SegmentDistance(p, a, b LatLng) float64 {
	m := MetricAt(p.Lat)
	x, y := (a.Lng-p.Lng)*m.PerLng, (a.Lat-p.Lat)*m.PerLat
	dx, dy := (b.Lng-a.Lng)*m.PerLng, (b.Lat-a.Lat)*m.PerLat
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, -(x*dx+y*dy)/l))
	}
	if t == 1 {
		return Distance(p, b) // to the bit, as from the next edge, which begins there
	}
	return Distance(p, LatLng{a.Lat + t*(b.Lat-a.Lat), a.Lng + t*(b.Lng-a.Lng)})
}

// Plane touches the Earth at a point. It passes over what is not near the point
// at a tenth of the cost of a distance, most of which is trigonometry.
type Plane struct {
	at LatLng
	m  Metric
}

// PlaneAt returns the plane at a point up to 80 degrees from the equator.
func PlaneAt(p LatLng) Plane { return Plane{p, MetricAt(p.Lat)} }

// planeShare is how much of a distance on a plane, of up to 10 km, is surely in
// the one on the ground. The middle latitude that [Distance] measures at is at
// most 5 km from the point, where a degree of longitude differs by 0.08 % times
// the tangent of the latitude: by 0.45 % at 80 degrees.
const planeShare = 0.99

// SegmentBeyond reports that [SegmentDistance] of an edge is more than metres,
// of which there are at most 10,000. False means that it may not be.
func (l *Plane) SegmentBeyond(a, b LatLng, metres float64) bool {
	x, y := (a.Lng-l.at.Lng)*l.m.PerLng, (a.Lat-l.at.Lat)*l.m.PerLat
	dx, dy := (b.Lng-a.Lng)*l.m.PerLng, (b.Lat-a.Lat)*l.m.PerLat
	if d := dx*dx + dy*dy; d > 0 {
		t := max(0, min(1, -(x*dx+y*dy)/d))
		x, y = x+t*dx, y+t*dy
	}
	return beyond(x, y, metres)
}

// RectBeyond reports that no point of a rectangle is within metres, of which
// there are at most 10,000. False means that some may be.
func (l *Plane) RectBeyond(r Rect, metres float64) bool {
	y := max(r.Min.Lat-l.at.Lat, l.at.Lat-r.Max.Lat, 0) * l.m.PerLat
	x := max(r.Min.Lng-l.at.Lng, l.at.Lng-r.Max.Lng, 0) * l.m.PerLng
	return beyond(x, y, metres)
}

func beyond(x, y, metres float64) bool {
	metres += 1e-6 // more than rounding may add
	return (x*x+y*y)*(planeShare*planeShare) > metres*metres
}

// GroundArea returns the area of a multipolygon in square metres on the
// ground: on the sphere of WGS84's area, at authalic latitudes, holes taken
// off. It is exact to 0.1 %: an edge is taken as straight in longitude and
// authalic latitude's sine, halved until it is short.
func GroundArea(m MultiPolygon) float64 {
	total := 0.0
	for _, g := range m {
		for i, r := range g {
			sum := 0.0
			for k, a := range r {
				sum += strip(a, r[(k+1)%len(r)], 8)
			}
			if i > 0 {
				total -= math.Abs(sum)
			} else {
				total += math.Abs(sum)
			}
		}
	}
	return total
}

// strip is the signed area between an edge and the equator. It is halved up to
// so many times, which is enough for edges of 12 degrees: a file may hold many
// that go round the Earth.
func strip(a, b LatLng, halvings int) float64 {
	if halvings > 0 && math.Abs(a.Lat-b.Lat) > 0.05 && math.Abs(a.Lng-b.Lng) > 0.05 {
		mid := LatLng{(a.Lat + b.Lat) / 2, (a.Lng + b.Lng) / 2}
		return strip(a, mid, halvings-1) + strip(mid, b, halvings-1)
	}
	return (b.Lng - a.Lng) * (math.Pi / 180) * (authalic(a.Lat) + authalic(b.Lat)) / 2
}

// authalic returns the area in square metres between the equator and a
// latitude, per radian of longitude (J. P. Snyder, "Map Projections: A Working
// Manual", USGS 1395, 1987, equation 3-12, times a²/2).
func authalic(lat float64) float64 {
	e, sin := math.Sqrt(wgs84E2), math.Sin(lat*(math.Pi/180))
	q := (1 - wgs84E2) * (sin/(1-wgs84E2*sin*sin) - math.Log((1-e*sin)/(1+e*sin))/(2*e))
	return wgs84A * wgs84A / 2 * q
}

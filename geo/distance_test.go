package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// vincenty is the geodesic on WGS84 by the inverse formula of T. Vincenty,
// "Direct and Inverse Solutions of Geodesics on the Ellipsoid", Survey Review
// 23 (1975): good to 0.5 mm at these distances.
func vincenty(p, q LatLng) float64 {
	if p == q {
		return 0
	}
	const f = 1 / 298.257223563
	b := wgs84A * (1 - f)
	rad := math.Pi / 180
	u1, u2 := math.Atan((1-f)*math.Tan(p.Lat*rad)), math.Atan((1-f)*math.Tan(q.Lat*rad))
	l := (q.Lng - p.Lng) * rad
	su1, cu1 := math.Sincos(u1)
	su2, cu2 := math.Sincos(u2)
	lambda := l
	for range 200 {
		sl, cl := math.Sincos(lambda)
		ss := math.Hypot(cu2*sl, cu1*su2-su1*cu2*cl)
		if ss == 0 {
			return 0
		}
		cs := su1*su2 + cu1*cu2*cl
		sigma := math.Atan2(ss, cs)
		sa := cu1 * cu2 * sl / ss
		c2a := 1 - sa*sa
		c2m := 0.0
		if c2a != 0 {
			c2m = cs - 2*su1*su2/c2a
		}
		c := f / 16 * c2a * (4 + f*(4-3*c2a))
		next := l + (1-c)*f*sa*(sigma+c*ss*(c2m+c*cs*(-1+2*c2m*c2m)))
		if math.Abs(next-lambda) > 1e-13 {
			lambda = next
			continue
		}
		k2 := c2a * (wgs84A*wgs84A - b*b) / (b * b)
		a := 1 + k2/16384*(4096+k2*(-768+k2*(320-175*k2)))
		bb := k2 / 1024 * (256 + k2*(-128+k2*(74-47*k2)))
		d := bb * ss * (c2m + bb/4*(cs*(-1+2*c2m*c2m)-bb/6*c2m*(-3+4*ss*ss)*(-3+4*c2m*c2m)))
		return b * a * (sigma - d)
	}
	return math.NaN()
}

func drawGB(t *rapid.T, name string) LatLng {
	return LatLng{rapid.Float64Range(MinLat, MaxLat).Draw(t, name+" lat"), rapid.Float64Range(MinLng, MaxLng).Draw(t, name+" lng")}
}

func drawNear(t *rapid.T, p LatLng, degrees float64, name string) LatLng {
	return LatLng{p.Lat + rapid.Float64Range(-degrees, degrees).Draw(t, name+" lat"), p.Lng + rapid.Float64Range(-degrees, degrees).Draw(t, name+" lng")}
}

func TestVincentyOnAKnownLine(t *testing.T) {
	// Flinders Peak to Buninyong, Geocentric Datum of Australia technical
	// manual: 54,972.271 m (GRS80, which differs from WGS84 below a millimetre).
	p := LatLng{-(37 + 57/60.0 + 3.72030/3600), 144 + 25/60.0 + 29.52440/3600}
	q := LatLng{-(37 + 39/60.0 + 10.15610/3600), 143 + 55/60.0 + 35.38390/3600}
	if d := vincenty(p, q); math.Abs(d-54972.271) > 0.001 {
		t.Errorf("%v m", d)
	}
}

func TestDistanceIsTheGeodesic(t *testing.T) {
	worst := 0.0
	rapid.Check(t, func(t *rapid.T) {
		p := drawGB(t, "p")
		q := drawNear(t, p, rapid.SampledFrom([]float64{0.000001, 0.001, 0.1, 0.6}).Draw(t, "reach"), "q")
		want := vincenty(p, q)
		off := math.Abs(Distance(p, q) - want)
		if off > max(want*1e-4, 0.001) {
			t.Fatalf("%v to %v: %v m, geodesic %v m", p, q, Distance(p, q), want)
		}
		if want > 1 {
			worst = max(worst, off/want)
		}
	})
	t.Logf("worst %.1e", worst)
}

// Up to 100 km in any direction, as the comment says; due east, where a
// parallel bends away from the geodesic, is the worst.
func TestDistanceFarAway(t *testing.T) {
	worst := 0.0
	rapid.Check(t, func(t *rapid.T) {
		p := drawGB(t, "p")
		m := MetricAt(p.Lat)
		sin, cos := math.Sincos(rapid.Float64Range(0, 2*math.Pi).Draw(t, "bearing"))
		d := rapid.Float64Range(1, 100_000).Draw(t, "metres")
		q := LatLng{p.Lat + d*cos/m.PerLat, p.Lng + d*sin/m.PerLng}
		want := vincenty(p, q)
		off := math.Abs(Distance(p, q)/want - 1)
		if off > 1e-4 {
			t.Fatalf("%v to %v: %v m, geodesic %v m", p, q, Distance(p, q), want)
		}
		worst = max(worst, off)
	})
	t.Logf("worst %.1e", worst)
}

// An edge may be of any length: what counts is that its nearest point is near.
func TestSegmentDistanceOfLongEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGB(t, "p")
		foot := drawNear(t, p, rapid.SampledFrom([]float64{1e-5, 0.001, 0.04}).Draw(t, "reach"), "foot")
		turn := rapid.Float64Range(0, math.Pi).Draw(t, "turn")
		sin, cos := math.Sincos(turn)
		west, east := rapid.Float64Range(0, 3).Draw(t, "west"), rapid.Float64Range(0, 3).Draw(t, "east")
		a := LatLng{foot.Lat - west*sin, foot.Lng - west*cos}
		b := LatLng{foot.Lat + east*sin, foot.Lng + east*cos}
		// The geodesic to the nearest point, by ternary search.
		lo, hi := 0.0, 1.0
		at := func(f float64) float64 {
			return vincenty(p, LatLng{a.Lat + f*(b.Lat-a.Lat), a.Lng + f*(b.Lng-a.Lng)})
		}
		for range 100 {
			if f, g := lo+(hi-lo)/3, hi-(hi-lo)/3; at(f) < at(g) {
				hi = g
			} else {
				lo = f
			}
		}
		want := at((lo + hi) / 2)
		if got := SegmentDistance(p, a, b); math.Abs(got-want) > max(0.001*want, 0.1) {
			t.Fatalf("%v to %v–%v: %v m, geodesic %v m", p, a, b, got, want)
		}
	})
}

func TestSegmentDistanceIsTheNearestPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGB(t, "p")
		a, b := drawNear(t, p, 0.08, "a"), drawNear(t, p, 0.08, "b")
		want := math.Inf(1)
		for i := range 2001 {
			f := float64(i) / 2000
			want = min(want, Distance(p, LatLng{a.Lat + f*(b.Lat-a.Lat), a.Lng + f*(b.Lng-a.Lng)}))
		}
		got := SegmentDistance(p, a, b)
		// The samples are up to 4 m off the nearest point along the segment.
		step := Distance(a, b) / 4000
		if got > want+max(want*1e-4, 0.01) || math.Hypot(got, step)+max(want*1e-4, 0.01) < want {
			t.Fatalf("%v to %v–%v: %v m, nearest sample %v m", p, a, b, got, want)
		}
	})
	p := LatLng{52, -1}
	if d := SegmentDistance(p, p, p); d != 0 {
		t.Errorf("to itself: %v", d)
	}
	if d := SegmentDistance(p, LatLng{52, -1.1}, LatLng{52, -0.9}); d > 1e-6 {
		t.Errorf("to an edge through it: %v", d)
	}
}

func TestPlanePassesOverWhatIsBeyond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGB(t, "p")
		if rapid.IntRange(0, 9).Draw(t, "elsewhere") == 0 {
			p.Lat = rapid.Float64Range(-80, 80).Draw(t, "lat")
		}
		plane := PlaneAt(p)
		reach := rapid.SampledFrom([]float64{0.001, 0.1, 2}).Draw(t, "reach")
		a, b := drawNear(t, p, reach, "a"), drawNear(t, p, reach, "b")
		d := SegmentDistance(p, a, b)
		for _, metres := range []float64{d, d * 1.001, d / 0.97, rapid.Float64Range(0, 10_000).Draw(t, "metres")} {
			if metres <= 10_000 && d <= metres && plane.SegmentBeyond(a, b, metres) {
				t.Fatalf("%v to %v–%v: beyond %v m, %v m away", p, a, b, metres, d)
			}
		}
		if less := d * 0.97; d < 10_000 && d > 0.001 && !plane.SegmentBeyond(a, b, less) {
			t.Fatalf("%v to %v–%v: %v m away, not beyond %v m", p, a, b, d, less)
		}

		r := EmptyRect().Extend(a).Extend(b)
		nearest := math.Inf(1)
		for i := range 21 {
			for j := range 21 {
				q := LatLng{r.Min.Lat + float64(i)/20*(r.Max.Lat-r.Min.Lat), r.Min.Lng + float64(j)/20*(r.Max.Lng-r.Min.Lng)}
				nearest = min(nearest, Distance(p, q))
			}
		}
		if nearest <= 10_000 && plane.RectBeyond(r, nearest) {
			t.Fatalf("%v to %v: beyond %v m, where a point is", p, r, nearest)
		}
		clamped := LatLng{max(r.Min.Lat, min(p.Lat, r.Max.Lat)), max(r.Min.Lng, min(p.Lng, r.Max.Lng))}
		if d := Distance(p, clamped); d < 10_000 && d > 0.001 && !plane.RectBeyond(r, d*0.97) {
			t.Fatalf("%v to %v: nearest %v m, not beyond a bit less", p, r, d)
		}
	})
}

func TestGroundArea(t *testing.T) {
	// A degree cell from 52 to 53 N: the zone's area over 360, with the zone
	// integrated numerically from the radii of curvature.
	zone := 0.0
	for i := range 100_000 {
		lat := 52 + (float64(i)+0.5)/100_000
		m := MetricAt(lat)
		zone += m.PerLat / 100_000 * m.PerLng
	}
	cell := Ring{{52, -1}, {52, 0}, {53, 0}, {53, -1}}
	if got := GroundArea(MultiPolygon{{cell}}); math.Abs(got/zone-1) > 1e-4 {
		t.Errorf("%v m², want %v", got, zone)
	}
	hole := Ring{{52.5, -0.6}, {52.6, -0.6}, {52.6, -0.4}, {52.5, -0.4}}
	whole, less := GroundArea(MultiPolygon{{cell}}), GroundArea(MultiPolygon{{cell, hole}})
	if d := whole - less - GroundArea(MultiPolygon{{hole}}); math.Abs(d) > 1 {
		t.Errorf("the hole's area is off by %v m²", d)
	}
	// Winding does not matter, nor a long slanting edge's being cut in two.
	a, b := LatLng{50, -5}, LatLng{58, 1}
	mid := LatLng{54, -2}
	one, two := GroundArea(MultiPolygon{{{a, b, {50, 1}}}}), GroundArea(MultiPolygon{{{{50, 1}, b, mid, a}}})
	if math.Abs(one/two-1) > 1e-4 {
		t.Errorf("%v and %v m²", one, two)
	}
}

func BenchmarkDistance(b *testing.B) {
	p, q := LatLng{51.245279, -0.582312}, LatLng{51.25, -0.6}
	r := Rect{LatLng{51.3, -0.7}, LatLng{51.4, -0.6}}
	b.Run("point", func(b *testing.B) {
		for b.Loop() {
			Distance(p, q)
		}
	})
	plane := PlaneAt(p)
	b.Run("rect beyond", func(b *testing.B) {
		for b.Loop() {
			plane.RectBeyond(r, 2000)
		}
	})
	b.Run("segment beyond", func(b *testing.B) {
		for b.Loop() {
			plane.SegmentBeyond(q, r.Min, 2000)
		}
	})
	b.Run("segment", func(b *testing.B) {
		for b.Loop() {
			SegmentDistance(p, q, r.Min)
		}
	})
}

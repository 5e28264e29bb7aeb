package geo

import (
	"math"
	"sync"
)

// Grid is a position on the National Grid (OSGB36): metres east and north of
// its false origin south-west of the Isles of Scilly.
type Grid struct{ E, N float64 }

// The National Grid's projection, on the GRS80 ellipsoid of ETRS89 (Ordnance
// Survey, "A Guide to Coordinate Systems in Great Britain", v3.6, annexe A).
const (
	grs80A = 6378137.0
	grs80B = 6356752.3141
	gridF0 = 0.9996012717 // scale on the central meridian
	gridE0 = 400000.0
	gridN0 = -100000.0
)

var (
	gridPhi0    = 49 * math.Pi / 180
	gridLambda0 = -2 * math.Pi / 180
	grs80E2     = 1 - (grs80B*grs80B)/(grs80A*grs80A)
	grs80N      = (grs80A - grs80B) / (grs80A + grs80B)
)

// GridFromLatLng converts through the OSTN15 grid, which defines OSGB36: to
// about 0.1 m of the ground, and within a millimetre of OSTN15 itself. ok is
// false outside the transformation's 700 by 1,250 km.
func GridFromLatLng(p LatLng) (g Grid, ok bool) {
	if !p.IsValid() || p.Lat < 45 || p.Lat > 65 || p.Lng < -15 || p.Lng > 10 {
		return Grid{}, false
	}
	etrs := project(p)
	shift := shiftAt(etrs)
	g = Grid{etrs.E + shift.E, etrs.N + shift.N}
	if !g.inExtent() {
		return Grid{}, false
	}
	return g, true
}

// LatLng converts through the OSTN15 grid, the inverse of GridFromLatLng. ok
// is false outside the transformation's 700 by 1,250 km.
func (g Grid) LatLng() (p LatLng, ok bool) {
	if !g.inExtent() {
		return LatLng{}, false
	}
	// The shift is known where one comes from, not where one is: it varies by
	// millimetres over metres, so a few rounds settle it.
	etrs := g
	for range 20 {
		shift := shiftAt(etrs)
		next := Grid{g.E - shift.E, g.N - shift.N}
		settled := math.Abs(next.E-etrs.E) < 1e-6 && math.Abs(next.N-etrs.N) < 1e-6
		etrs = next
		if settled {
			break
		}
	}
	return unproject(etrs), true
}

func (g Grid) inExtent() bool {
	return g.E >= 0 && g.E <= 1000*(ostnColumns-1) && g.N >= 0 && g.N <= 1000*(ostnRows-1)
}

// meridian is the developed arc of the meridian from the true origin (Guide,
// equation C3).
func meridian(phi float64) float64 {
	n := grs80N
	n2, n3 := n*n, n*n*n
	d, s := phi-gridPhi0, phi+gridPhi0
	return grs80B * gridF0 * ((1+n+5*n2/4+5*n3/4)*d -
		(3*n+3*n2+21*n3/8)*math.Sin(d)*math.Cos(s) +
		(15*n2/8+15*n3/8)*math.Sin(2*d)*math.Cos(2*s) -
		35*n3/24*math.Sin(3*d)*math.Cos(3*s))
}

// radii are the prime-vertical and meridional radii, scaled, and η².
func radii(phi float64) (nu, rho, eta2 float64) {
	sin := math.Sin(phi)
	w := 1 - grs80E2*sin*sin
	nu = grs80A * gridF0 / math.Sqrt(w)
	rho = nu * (1 - grs80E2) / w
	return nu, rho, nu/rho - 1
}

// project is the transverse Mercator projection of ETRS89 (Guide, annexe C.1).
func project(p LatLng) Grid {
	phi, l := p.Lat*(math.Pi/180), p.Lng*(math.Pi/180)-gridLambda0
	nu, rho, eta2 := radii(phi)
	sin, cos := math.Sincos(phi)
	t2 := sin * sin / (cos * cos)
	c3, c5 := cos*cos*cos, cos*cos*cos*cos*cos
	l2 := l * l
	return Grid{
		E: gridE0 + l*(nu*cos+l2*(nu/6*c3*(nu/rho-t2)+
			l2*nu/120*c5*(5-18*t2+t2*t2+14*eta2-58*t2*eta2))),
		N: gridN0 + meridian(phi) + l2*(nu/2*sin*cos+
			l2*(nu/24*sin*c3*(5-t2+9*eta2)+
				l2*nu/720*sin*c5*(61-58*t2+t2*t2))),
	}
}

// footPoint is the latitude at which the meridian has a northing, as the Guide's
// iteration finds it. That starts from the true origin and takes five rounds,
// each of which costs a quarter of a conversion. Starting from the line between
// the two nearest of some tabulated points, which is 12 µm off the curve, and
// with the slope of that line, one round leaves less than a nanometre.
func footPoint(n float64) float64 {
	const step = 250.0
	points := footPoints()
	m := (n - gridN0) / step
	i := int(max(0, min(m, float64(len(points)-2))))
	slope := (points[i+1] - points[i]) / step
	phi := points[i] + (m-float64(i))*step*slope
	for range 20 {
		d := n - gridN0 - meridian(phi)
		phi += d * slope
		if math.Abs(d) < 1e-4 {
			break
		}
	}
	return phi
}

var footPoints = sync.OnceValue(func() []float64 {
	points := make([]float64, 5600) // to a northing of 1,300 km
	phi := gridPhi0
	for i := range points {
		for range 20 {
			d := 250*float64(i) - meridian(phi)
			phi += d / (grs80A * gridF0)
			if math.Abs(d) < 1e-6 {
				break
			}
		}
		points[i] = phi
	}
	return points
})

// unproject inverts project: the foot-point latitude, then the Guide's series
// (annexe C.2). The two series are cut off differently, so a round trip is exact
// to 1 mm within 250 km of the central meridian and to 20 mm on the grid's rim.
// Ordnance Survey's own figures come from these same series, so they are kept as
// they are.
func unproject(g Grid) LatLng {
	phi := footPoint(g.N)
	nu, rho, eta2 := radii(phi)
	tan, sec := math.Tan(phi), 1/math.Cos(phi)
	t2 := tan * tan
	e := g.E - gridE0
	e2, nu3 := e*e, nu*nu*nu
	nu5, nu7 := nu3*nu*nu, nu3*nu*nu*nu*nu
	return LatLng{
		Lat: (phi - e2*(tan/(2*rho*nu)-
			e2*(tan/(24*rho*nu3)*(5+3*t2+eta2-9*t2*eta2)-
				e2*tan/(720*rho*nu5)*(61+90*t2+45*t2*t2)))) * (180 / math.Pi),
		Lng: (gridLambda0 + e*sec*(1/nu-
			e2*(1/(6*nu3)*(nu/rho+2*t2)-
				e2*(1/(120*nu5)*(5+28*t2+24*t2*t2)-
					e2/(5040*nu7)*(61+662*t2+1320*t2*t2+720*t2*t2*t2))))) * (180 / math.Pi),
	}
}

package loader

import (
	"coverd/geo"
)

// sheetPlace is where a row says that it is.
type sheetPlace struct {
	read   bool // the cells have been read
	ok     bool
	at     geo.LatLng
	region geo.Region
	why    sheetOutcome // what is wrong with what is there; 0: nothing is
	detail string
}

// located reads the row's location, if that was not done before: degrees, else
// metres, else a grid reference.
func (a *annotator) located(row []byte) bool {
	l := &a.place
	if l.read {
		return l.ok
	}
	l.read = true
	if lat, lng := a.cell(row, keyLatitude), a.cell(row, keyLongitude); len(lat)+len(lng) > 0 {
		a.take(sheetDegrees(lat, lng))
	}
	if e, n := a.cell(row, keyEasting), a.cell(row, keyNorthing); !l.ok && len(e)+len(n) > 0 {
		a.take(sheetMetres(e, n))
	}
	if x, y := a.cell(row, keyX), a.cell(row, keyY); !l.ok && len(x)+len(y) > 0 {
		a.take(sheetNumbers(x, y))
	}
	if ref := a.cell(row, keyGridReference); !l.ok && len(ref) > 0 {
		if r, err := geo.ParseGridRef(ref); err != nil {
			a.take(geo.LatLng{}, malformedGridReference, err.Error())
		} else {
			a.take(sheetGrid(r.Centre()))
		}
	}
	return l.ok
}

// take takes a location over, or the first reason why there is none.
func (a *annotator) take(p geo.LatLng, why sheetOutcome, detail string) {
	l := &a.place
	if why == 0 {
		if l.region = a.s.Region(p).Region; l.region != geo.NoRegion {
			l.ok, l.at, l.why, l.detail = true, p, 0, ""
			return
		}
		why, detail = outsideGreatBritain, "over 2 km off Great Britain"
	}
	if l.why == 0 {
		l.why, l.detail = why, detail
	}
}

func sheetDegrees(lat, lng []byte) (p geo.LatLng, o sheetOutcome, detail string) {
	if len(lat) == 0 || len(lng) == 0 {
		return p, malformedCoordinate, "half a location"
	}
	var err error
	if p.Lat, err = geo.ParseDegrees(lat); err != nil {
		return p, malformedCoordinate, err.Error()
	}
	if p.Lng, err = geo.ParseDegrees(lng); err != nil {
		return p, malformedCoordinate, err.Error()
	}
	switch {
	case p.Swapped():
		return p, malformedCoordinate, "latitude and longitude are swapped"
	case !p.IsValid():
		return p, malformedCoordinate, "a latitude is at most 90 degrees"
	}
	return p, 0, ""
}

func sheetMetres(e, n []byte) (p geo.LatLng, o sheetOutcome, detail string) {
	if len(e) == 0 || len(n) == 0 {
		return p, malformedCoordinate, "half a location"
	}
	var g geo.Grid
	var err error
	if g.E, err = geo.ParseMetres(e); err != nil {
		return p, malformedCoordinate, err.Error()
	}
	if g.N, err = geo.ParseMetres(n); err != nil {
		return p, malformedCoordinate, err.Error()
	}
	return sheetGrid(g)
}

func sheetGrid(g geo.Grid) (p geo.LatLng, o sheetOutcome, detail string) {
	p, ok := g.LatLng()
	if !ok {
		return p, outsideGreatBritain, "off the land of the National Grid"
	}
	return p, 0, ""
}

// sheetNumbers reads x and y: degrees up to 180, which nothing on the grid's land
// is in metres, and else metres.
func sheetNumbers(x, y []byte) (p geo.LatLng, o sheetOutcome, detail string) {
	const most = 180
	a, errA := geo.ParseMetres(x)
	b, errB := geo.ParseMetres(y)
	if errA == nil && errB == nil && max(a, -a, b, -b) <= most {
		return sheetDegrees(y, x)
	}
	return sheetMetres(x, y)
}

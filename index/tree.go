package index

import (
	"github.com/tidwall/rtree"

	"coverd/geo"
)

// tree is an R-tree over rectangles in latitude and longitude. It is filled
// once and then only searched, which needs no lock. The wrapper keeps the
// library's signatures, which change between releases, in one place, and its
// coordinates float64: with integers it computes areas that overflow.
type tree struct{ t rtree.RTreeG[uint32] }

func (t *tree) insert(r geo.Rect, item uint32) {
	t.t.Insert([2]float64{r.Min.Lat, r.Min.Lng}, [2]float64{r.Max.Lat, r.Max.Lng}, item)
}

// search calls f with every item whose rectangle meets r. f must not keep
// anything: it does not escape.
func (t *tree) search(r geo.Rect, f func(item uint32)) {
	t.t.Search([2]float64{r.Min.Lat, r.Min.Lng}, [2]float64{r.Max.Lat, r.Max.Lng},
		func(_, _ [2]float64, item uint32) bool {
			f(item)
			return true
		})
}

// any reports whether f says so of any item whose rectangle meets r, and asks
// no further.
func (t *tree) any(r geo.Rect, f func(item uint32) bool) (found bool) {
	t.t.Search([2]float64{r.Min.Lat, r.Min.Lng}, [2]float64{r.Max.Lat, r.Max.Lng},
		func(_, _ [2]float64, item uint32) bool {
			found = f(item)
			return !found
		})
	return found
}

// minPerLat is less than the length of any degree of latitude in metres: that
// at the equator is 110,574.
const minPerLat = 110_500

// around returns a rectangle that surely contains everything within metres of
// r: by the smallest length a degree has anywhere within that distance.
func around(r geo.Rect, metres float64) geo.Rect {
	dLat := metres / minPerLat
	dLng := metres / (geo.MetricAt(min(89, max(r.Max.Lat, -r.Min.Lat)+dLat)).PerLng * 0.999)
	return geo.Rect{
		Min: geo.LatLng{Lat: r.Min.Lat - dLat, Lng: r.Min.Lng - dLng},
		Max: geo.LatLng{Lat: r.Max.Lat + dLat, Lng: r.Max.Lng + dLng},
	}
}

// aroundPoint is around for a point.
func aroundPoint(p geo.LatLng, metres float64) geo.Rect {
	return around(geo.Rect{Min: p, Max: p}, metres)
}

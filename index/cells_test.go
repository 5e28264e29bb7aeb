package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// TestCells: what is remembered by cell is what the exact look-ups say, beside
// edges above all, and in whatever order points come.
func TestCells(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	near := func(v geo.LatLng, reach float64) geo.LatLng {
		return geo.LatLng{Lat: v.Lat + reach*(2*rnd.Float64()-1), Lng: v.Lng + reach*(2*rnd.Float64()-1)}.Location().LatLng()
	}
	var shapes []geo.MultiPolygon
	for range 200 { // stars, some with a hole, of 20 m to 40 km
		centre := geo.LatLng{Lat: 51 + rnd.Float64(), Lng: -2 + rnd.Float64()}
		size := 0.4 * rnd.Float64() * rnd.Float64() * rnd.Float64()
		var rings geo.Polygon
		for range 1 + rnd.IntN(2) {
			var ring []geo.LatLng
			for range 3 + rnd.IntN(20) {
				ring = append(ring, near(centre, size))
			}
			rings = append(rings, ring)
			size /= 3
		}
		shapes = append(shapes, geo.MultiPolygon{rings})
	}
	// Edges along the sides of cells, and level ones.
	shapes = append(shapes, geo.MultiPolygon{{square(51.5, -1.5, 1.0/cellsPerDegree)}}, geo.MultiPolygon{{square(51.25, -1.25, 0.25)}})
	mesh := geo.NewMesh(shapes)
	areas := newAreas(mesh, nil)
	full, cramped := newLender(areas), newLender(areas)
	cramped.room = 3000
	r := newRegions(geo.NewCover(geo.NewMesh(borderLand(shapes)), geo.CoverOptions{}))
	locator := newLocator(r)
	for i := range 300_000 {
		v := mesh.Vertices[rnd.IntN(len(mesh.Vertices))]
		p := near(v, []float64{1e-6, 1e-4, 2.0 / cellsPerDegree, 0.1}[i%4])
		if i%10 == 0 {
			p = v
		}
		want := areas.appendAt(nil, p)
		for _, l := range []*lender{full, cramped} {
			if got := l.appendAt(nil, p); !slices.Equal(got, want) {
				t.Fatalf("areas at %v: %v, want %v", p, got, want)
			}
		}
		if got, want := locator.locate(p), r.locate(p); got != want {
			t.Fatalf("Region at %v: %v, want %v", p, got, want)
		}
	}
	if few, all := len(cramped.codes), len(full.codes); few == 0 || few > 30 || all < 100 {
		t.Errorf("%d lists of areas in a room for 30, of %d", few, all)
	}
}

// borderLand makes three Regions of ragged shapes.
func borderLand(shapes []geo.MultiPolygon) []geo.MultiPolygon {
	return []geo.MultiPolygon{shapes[0], shapes[1], slices.Concat(shapes[2:12]...)}
}

// Outside the grid, and where nothing is a number, the exact look-up answers.
func TestCellsOutside(t *testing.T) {
	areas := newAreas(geo.NewMesh([]geo.MultiPolygon{{{square(0, 0, 80)}}}), nil)
	lender := newLender(areas)
	for _, p := range []geo.LatLng{{Lat: 48.9, Lng: 0}, {Lat: 62.1, Lng: 0}, {Lat: 55, Lng: -9.1}, {Lat: 55, Lng: 2}, {Lat: 49, Lng: -9}} {
		if got, want := lender.appendAt(nil, p), areas.appendAt(nil, p); !slices.Equal(got, want) {
			t.Errorf("areas at %v: %v, want %v", p, got, want)
		}
	}
}

// TestCellsOfManyShapes: however many shapes share a cell, another costs no
// more. Were they looked through, this would take minutes.
func TestCellsOfManyShapes(t *testing.T) {
	const n = 1 << 18
	shapes := make([]geo.MultiPolygon, n)
	for i := range shapes {
		shapes[i] = geo.MultiPolygon{{square(52, -2, 0.5/cellsPerDegree)}}
	}
	m := geo.NewMesh(shapes)
	c := newCells(&m, maxTouches)
	if each := float64(len(c.touches)) / n; each != 4 {
		t.Errorf("%v cells a shape, want those around the corner of four", each)
	}
}

// TestCellsAreBounded: where edges would take too many cells there are none, and
// every answer is the exact look-up's.
func TestCellsAreBounded(t *testing.T) {
	shapes := []geo.MultiPolygon{{{square(52, -2, 1)}}, {{square(52.5, -1.5, 1)}}}
	land := squares()
	areas := newAreas(geo.NewMesh(shapes), nil)
	r := newRegions(geo.NewCover(geo.NewMesh(land[:]), geo.CoverOptions{}))
	n := len(newCells(&areas.mesh, maxTouches).touches)
	if newCells(&areas.mesh, n) == nil {
		t.Errorf("no cells where all %d fit", n)
	}
	few := newCells(&areas.mesh, n-1)
	if few != nil {
		t.Fatalf("%d cells, want at most %d", len(few.touches), n-1)
	}
	lender, locator := newLender(areas), newLocator(r)
	lender.cells, locator.cells = few, few
	for i := range 400 {
		p := geo.LatLng{Lat: 51.95 + float64(i%20)/10, Lng: -2.05 + float64(i/20)/10}
		for range 2 {
			if got, want := lender.appendAt(nil, p), areas.appendAt(nil, p); !slices.Equal(got, want) {
				t.Errorf("areas at %v: %v, want %v", p, got, want)
			}
			if got, want := locator.locate(p), r.locate(p); got != want {
				t.Errorf("Region at %v: %v, want %v", p, got, want)
			}
		}
	}
	if len(lender.codes) > 0 {
		t.Error("lists of areas are kept that no cell has")
	}
}

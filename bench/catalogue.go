package bench

import (
	"fmt"
	"math/rand/v2"

	"coverd/geo"
	"coverd/index"
)

// besideBorder is how near the other Region is to a border point, in metres.
const besideBorder = 100

// Catalogue knows what of a snapshot there is to ask for. It is read only once
// made.
type Catalogue struct {
	Snap *index.Snapshot

	// Postcodes, in directory order.
	filled    []index.Unit // with premises
	bordering []index.Unit // of these, with another Region within 5 km
	empty     []index.Unit // live and located, without premises
	outcodes  []geo.Outcode
	vertices  []geo.LatLng // of the Regions
}

// NewCatalogue walks over a snapshot's postcodes.
func NewCatalogue(snap *index.Snapshot) *Catalogue {
	c := &Catalogue{Snap: snap}
	for unit := range snap.AllPostcodes() {
		switch {
		case unit.Len() > 0:
			c.filled = append(c.filled, unit)
			if unit.At().IsValid() && unit.Region().Border >= 0 {
				c.bordering = append(c.bordering, unit)
			}
		case unit.Status() == index.Live && unit.At().IsValid():
			c.empty = append(c.empty, unit)
		}
	}
	for o := range snap.AllOutcodes() {
		c.outcodes = append(c.outcodes, o.Outcode())
	}
	for _, r := range geo.Regions {
		for _, polygon := range snap.RegionShape(r) {
			for _, ring := range polygon {
				c.vertices = append(c.vertices, ring...)
			}
		}
	}
	return c
}

// LandPoints draws points evenly over the land of the Regions.
func (c *Catalogue) LandPoints(seed uint64, n int) []geo.LatLng {
	rng := random("land", seed)
	points := make([]geo.LatLng, 0, n)
	for tries := 0; len(points) < n && tries < 1000*n; tries++ {
		if p := inExtent(rng); c.Snap.Region(p).Basis == index.BasisBoundary {
			points = append(points, p)
		}
	}
	return points
}

// BorderPoints draws points with another Region within 100 m.
func (c *Catalogue) BorderPoints(seed uint64, n int) ([]geo.LatLng, error) {
	draw, err := c.borderPoint(random("border points", seed))
	if err != nil {
		return nil, err
	}
	points := make([]geo.LatLng, n)
	for i := range points {
		points[i] = draw()
	}
	return points, nil
}

// borderPoint returns what draws points beside borders: within some metres of
// the Regions' vertices, coasts left out.
func (c *Catalogue) borderPoint(rng *rand.Rand) (func() geo.LatLng, error) {
	const tries = 10_000 // in a row without success: there is no border
	draw := func() (geo.LatLng, bool) {
		for range tries {
			p := jitter(c.vertices[rng.IntN(len(c.vertices))], besideBorder/3, rng)
			if at := c.Snap.Locate(p); at.Border >= 0 && at.Border <= besideBorder {
				return p, true
			}
		}
		return geo.LatLng{}, false
	}
	if len(c.vertices) > 0 {
		if _, ok := draw(); ok {
			return func() geo.LatLng {
				for {
					if p, ok := draw(); ok {
						return p
					}
				}
			}, nil
		}
	}
	return nil, fmt.Errorf("borders between Regions: %w", errNone)
}

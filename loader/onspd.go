package loader

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// The names that editions of the ONSPD have given to a column, in the order in
// which we prefer them.
var onspdNames = struct{ postcode, easting, northing, quality, introduced, terminated, lat, lng []string }{
	postcode:   []string{"pcds", "pcd8", "pcd7", "pcd"}, // with a space; 8, 7 characters
	easting:    []string{"oseast1m", "east1m"},
	northing:   []string{"osnrth1m", "north1m"},
	quality:    []string{"osgrdind", "gridind"},
	introduced: []string{"dointr"},
	terminated: []string{"doterm"},
	lat:        []string{"lat"},
	lng:        []string{"long"},
}

func isPostcodeColumn(name string) bool { return slices.Contains(onspdNames.postcode, name) }

// onspdRows reads the ONS Postcode Directory. Eastings and northings go
// through OSTN15; latitude and longitude, which the ONS computes with less
// care, only stand in for them.
func onspdRows(header []string) (rowReader, error) {
	names := lowered(header)
	find := func(of []string) int {
		for _, n := range of {
			if i := slices.Index(names, n); i >= 0 {
				return i
			}
		}
		return -1
	}
	var (
		postcode, introduced, terminated = find(onspdNames.postcode), find(onspdNames.introduced), find(onspdNames.terminated)
		easting, northing, quality       = find(onspdNames.easting), find(onspdNames.northing), find(onspdNames.quality)
		lat, lng                         = find(onspdNames.lat), find(onspdNames.lng)
		grid, degrees                    = easting >= 0 && northing >= 0, lat >= 0 && lng >= 0
	)
	if !grid && !degrees {
		return nil, fmt.Errorf("neither oseast1m and osnrth1m nor lat and long; it has: %s", listed(header))
	}
	return func(fields [][]byte) (e index.Entry, skip bool, f *cellFault) {
		cell := func(i int) []byte {
			if i < 0 {
				return nil
			}
			return trimSpace(fields[i])
		}
		var err error
		if e.Postcode, err = geo.ParsePostcode(cell(postcode)); err != nil {
			if errors.Is(err, geo.ErrOutOfArea) {
				return e, true, nil
			}
			return e, false, postcodeFault(names[postcode], cell(postcode), err)
		}
		if e.Introduced, f = onspdMonth(cell(introduced), "dointr"); f != nil {
			return e, false, f
		}
		if e.Terminated, f = onspdMonth(cell(terminated), "doterm"); f != nil {
			return e, false, f
		}
		if f = monthOrder("doterm", &e); f != nil {
			return e, false, f
		}
		const noGridReference = "9"
		var at geo.LatLng
		switch {
		case string(cell(quality)) == noGridReference:
			return e, false, nil
		case len(cell(easting)) > 0 && len(cell(northing)) > 0:
			at, f = eastingNorthing(cell(easting), cell(northing))
		case len(cell(lat)) == 0 || len(cell(lng)) == 0, strings.HasPrefix(string(cell(lat)), "99.99"):
			return e, false, nil
		default:
			at, f = latLng(cell(lat), cell(lng))
		}
		if f != nil {
			return e, false, f
		}
		e.At = at.Location()
		return e, false, nil
	}, nil
}

// onspdMonth reads a month as `202611`; empty is none.
func onspdMonth(cell []byte, column string) (index.Month, *cellFault) {
	if len(cell) == 0 {
		return 0, nil
	}
	if len(cell) != 6 {
		return 0, fault(column, CodeDate, "not a month: %q (want YYYYMM)", clip(cell))
	}
	m, err := index.ParseMonth(string(cell[:4]) + "-" + string(cell[4:]))
	if err != nil {
		return 0, fault(column, CodeDate, "not a month: %q (want YYYYMM)", clip(cell))
	}
	return m, nil
}

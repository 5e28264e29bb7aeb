package loader

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"coverd/geo"
	"coverd/index"
)

//go:embed regions/indicative.geojson.zst
var indicativeRegions []byte

//go:embed regions/ATTRIBUTION.txt
var indicativeNotice string

// IndicativeRegions returns the boundaries that are used where a manifest names
// none. They are grouped from statistical areas and are not the DCC's.
// land[r-1] is the land of Region r.
func IndicativeRegions() (land [3]geo.MultiPolygon, err error) {
	z, err := zstd.NewReader(bytes.NewReader(indicativeRegions), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return land, err
	}
	defer z.Close()
	land, _, err = readRegions("indicative.geojson", z)
	return land, err
}

// IndicativeAttribution is the notice that must travel with
// [IndicativeRegions].
func IndicativeAttribution() string {
	i := strings.Index(indicativeNotice, "Contains Ordnance Survey")
	j := strings.Index(indicativeNotice, "\n\nSHA-256")
	if i < 0 || j < i {
		return strings.Join(strings.Fields(indicativeNotice), " ")
	}
	return strings.Join(strings.Fields(indicativeNotice[i:j]), " ")
}

// Regions reads Region boundaries: a GeoJSON FeatureCollection (or newline
// delimited features) of Polygons and MultiPolygons with a property `region`,
// one of North, Central and South. Several features may share a Region; all
// three are needed. land[r-1] is the land of Region r; the vertices are kept
// as they are written. The file may be compressed.
func Regions(path string) (land [3]geo.MultiPolygon, src index.Source, err error) {
	in, err := openInput(path, filepath.Base(path), nil)
	if err != nil {
		return land, src, err
	}
	defer in.Close()
	land, n, err := readRegions(in.name, in)
	if err != nil {
		return land, src, err
	}
	file, err := in.finish()
	if err != nil {
		return land, src, err
	}
	return land, index.Source{Kind: "regions", Format: "geojson", Files: []index.File{file}, Rows: n, Accepted: n}, nil
}

// readRegions reads all features. Nothing of a boundary may be wrong: there is
// no quarantine for land.
func readRegions(name string, r io.Reader) (land [3]geo.MultiPolygon, n int64, err error) {
	var bad error
	end := features(name, r, maxRegionFeature, func(f feature) bool {
		n++
		bad = addRegion(&land, &f)
		if bad != nil {
			bad = &FileError{name, f.line, fmt.Sprintf("/features/%d%v", f.number-1, bad)}
		}
		return bad == nil
	})
	if bad != nil {
		return land, n, bad
	}
	if end != nil && end != io.EOF {
		return land, n, end
	}
	for _, r := range geo.Regions {
		if len(land[r-1]) == 0 {
			return land, n, &FileError{File: name, Msg: fmt.Sprintf(
				"no feature with property \"region\": %q: boundaries of all three Regions are needed", r)}
		}
	}
	return land, n, nil
}

// addRegion adds a feature's land to its Region. The error starts with a JSON
// pointer relative to the feature.
func addRegion(land *[3]geo.MultiPolygon, f *feature) error {
	properties, geometry, bad := f.parse()
	if bad != nil {
		return fmt.Errorf(": %s", bad.msg)
	}
	name, ok := properties["region"].text()
	if !ok {
		return errors.New(`/properties: no text property "region": want North, Central or South`)
	}
	region, err := geo.ParseRegion(name)
	if err != nil {
		return fmt.Errorf("/properties/region: %w", err)
	}
	shape, err := parseArea(geometry, onEarth)
	if err != nil {
		if strings.HasPrefix(err.Error(), "/") {
			return fmt.Errorf("/geometry%w", err)
		}
		return fmt.Errorf("/geometry: %w", err)
	}
	land[region-1] = append(land[region-1], shape...)
	return nil
}

package loader

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
	"coverd/index"
)

func TestRegions(t *testing.T) {
	lines := strings.NewReplacer("{\"type\": \"FeatureCollection\", \"features\": [\n", "", "]}\n", "", "},\n", "}\n").Replace(boxes)
	for name, text := range map[string]string{
		"r.geojson": boxes, "r.geojson.gz": gzipped(t, boxes), "r.json.zst": zstded(t, boxes), "bom.geojson": "\xef\xbb\xbf" + boxes,
		"r.geojsonl": lines, "r.ndjson.gz": gzipped(t, lines),
	} {
		dir := t.TempDir()
		world{name: text}.write(t, dir)
		land, src, err := Regions(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, at := range []float64{56, 53, 51} {
			for j := range land {
				if got := land[j].Contains(geo.LatLng{Lat: at, Lng: -1}); got != (i == j) {
					t.Errorf("%s: %v contains %v° North: %v", name, geo.Regions[j], at, got)
				}
			}
		}
		if src.Kind != "regions" || src.Rows != 3 || len(src.Files) != 1 || src.Files[0].Path != name {
			t.Errorf("%s: source %+v", name, src)
		}
	}
}

// Several features, and several polygons, may make up a Region.
func TestRegionOfParts(t *testing.T) {
	parts := strings.Replace(boxes, `[[[-4,55],[0,55],[0,57],[-4,57],[-4,55]]]}}`,
		`[[[-4,55],[0,55],[0,56],[-4,56],[-4,55]]]}},
{"type": "Feature", "properties": {"region": "North", "name": "an islet"}, "geometry": {"type": "MultiPolygon", "coordinates": [[[[-4,58],[0,58],[0,59],[-4,58]]],[[[-4,60],[0,60],[0,61],[-4,60]]]]}}`, 1)
	land, n, err := readRegions("r.geojson", strings.NewReader(parts))
	if err != nil || n != 4 || len(land[0]) != 3 || len(land[1]) != 1 {
		t.Errorf("%d features, %d and %d polygons, %v", n, len(land[0]), len(land[1]), err)
	}
}

func TestBadRegions(t *testing.T) {
	for _, tt := range []struct{ old, replacement, want string }{
		{`"Central"`, `"Midlands"`, "regions.geojson:3: /features/1/properties/region: "},
		{`"region": "Central"`, `"name": "Central"`, `regions.geojson:3: /features/1/properties: no text property "region": want North, Central or South`},
		{`"region": "Central"`, `"region": 2`, `regions.geojson:3: /features/1/properties: no text property "region"`},
		{`"Central"`, `"South"`, `regions.geojson: no feature with property "region": "Central": boundaries of all three Regions are needed`},
		{`"Polygon", "coordinates": [[[-4,50.5]`, `"Polygon", "coordinates": [[[-4,50.6]`, "regions.geojson:4: /features/2/geometry/coordinates/0: the ring is not closed"},
		{`"Polygon", "coordinates": [[[-4,50.5]`, `"Point", "coordinates": [[[-4,50.5]`, `regions.geojson:4: /features/2/geometry: its type is "Point"`},
		{"[-4,55],[0,55],[0,57]", "[-4,55],[0,55],[57,0]", "regions.geojson:2: /features/0/geometry/coordinates/0/2: longitude 57, latitude 0 are exchanged"},
		{`{"type": "Feature", "properties": {"region": "South"`, `{"type": "Feature", "properties": {"region": "South", "region": "North"`, `regions.geojson:4: /features/2: properties: "region" is there twice`},
		{"]}\n", "]", "regions.geojson:5: it is cut"},
	} {
		text := strings.Replace(boxes, tt.old, tt.replacement, 1)
		if text == boxes {
			t.Fatalf("%s: not there", tt.old)
		}
		_, _, err := readRegions("regions.geojson", strings.NewReader(text))
		if _, ok := errors.AsType[*FileError](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.replacement, err, tt.want)
		}
		if gates, _ := premisesWorld("Arqiva", rowsOf(1, 0)).with("regions.geojson", text).refused(t); !cmp.Equal(gates, []string{gateFile}) {
			t.Errorf("%s: gates %v", tt.replacement, gates)
		}
	}
}

// The indicative Regions hold what the sample's neighbours were checked
// against, and say whose data they are.
func TestIndicativeRegions(t *testing.T) {
	land, err := IndicativeRegions()
	if err != nil {
		t.Fatal(err)
	}
	b, err := index.NewBuilder(land, index.Options{AsOf: day(t, "2026-11-22")})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, f := range sampleTSV(t, "neighbours.tsv")[1:] {
		lat, err1 := strconv.ParseFloat(f[0], 64)
		lng, err2 := strconv.ParseFloat(f[1], 64)
		if err1 != nil || err2 != nil {
			t.Fatal(f)
		}
		got := b.Locate(geo.LatLng{Lat: lat, Lng: lng}).Region.String()
		if want := strings.TrimPrefix(f[3], "outside_great_britain"); got != want {
			t.Errorf("%s is in %q, want %q", f[2], got, want)
		}
		checked++
	}
	if checked != 80 {
		t.Errorf("%d places", checked)
	}
	if got := IndicativeAttribution(); !strings.HasPrefix(got, "Contains Ordnance Survey") || strings.Contains(got, "\n") {
		t.Errorf("attribution %q", got)
	}
}

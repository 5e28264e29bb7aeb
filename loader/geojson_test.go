package loader

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/geo"
)

// walkFeatures lists the features of a text as line#number raw, and the error.
func walkFeatures(name, text string) (list []string, err error) {
	err = features(name, strings.NewReader(text), maxAreaFeature, func(f feature) bool {
		list = append(list, fmt.Sprintf("%d#%d %s", f.line, f.number, f.raw))
		return true
	})
	return list, err
}

func TestFeatures(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a.geojson", `{"type":"FeatureCollection","features":[]}`, nil},
		{"a.geojson", "\n{ \"crs\": {\"a\":[1]},\n\"features\": [\n {\"a\":1},\n\n{\"b\":\n2} , {\"c\":3}],\n\"type\":\"FeatureCollection\" }\n\n", []string{`4#1 {"a":1}`, "6#2 {\"b\":\n2}", `7#3 {"c":3}`}},
		{"a.json.gz", "{\"type\":\"FeatureCollection\",\r\n\"features\":[\r\n{}]}", []string{"3#1 {}"}},
		{"a.geojsonl", "{\"a\":1}\n\n {\"b\":2} \r\nnot json\n{}", []string{`1#1 {"a":1}`, `3#2 {"b":2}`, "4#3 not json", "5#4 {}"}},
		{"a.ndjson.zst", "{}\n", []string{"1#1 {}"}},
		{"a.ndjson", "", nil},
	} {
		got, err := walkFeatures(tt.name, tt.text)
		if !cmp.Equal(got, tt.want) || err != io.EOF {
			t.Errorf("%q: got %q, %v", tt.text, got, err)
		}
	}
}

func TestBadCollections(t *testing.T) {
	const head = "{\"type\":\"FeatureCollection\",\n\"features\":[\n{\"a\":1},\n"
	for _, tt := range []struct{ text, want string }{
		{"", "a.geojson:1: it is cut: the JSON ends too early"},
		{"[]", "a.geojson:1: not a FeatureCollection: want a JSON object"},
		{"{}", `a.geojson:1: no "type": want a FeatureCollection`},
		{`{"features":[]}`, `a.geojson:1: no "type": want a FeatureCollection`},
		{`{"type":"FeatureCollection"}`, `a.geojson:1: no "features": want a FeatureCollection`},
		{"\n\n{\"type\":\n\"Feature\"}", "a.geojson:4: its type is Feature, not FeatureCollection; a file with one feature a line is named .ndjson or .geojsonl"},
		{"{\"type\":5}", "a.geojson:1: its type is 5, not FeatureCollection"},
		{`{"type":"FeatureCollection","features":{}}`, `a.geojson:1: "features" is not an array`},
		{`{"type":"FeatureCollection","features":[],"features":[]}`, `a.geojson:1: "features" is there twice`},
		{"{\"type\":\"FeatureCollection\",\"features\":[]}\n\n{}", "a.geojson:3: something follows the FeatureCollection"},
		{head + "{\"b\":\n\ntru}\n]}", "a.geojson:6: not JSON: invalid character '}' in literal true (expecting 'e')"},
		{head + "{\"b\":1}\n\n{\"c\":1}]}", "a.geojson:6: not JSON: expected comma after array element"},
		{head + "]}", "a.geojson:4: not JSON: invalid character ']' looking for beginning of value"},
		{head + "{\"b\":\n\n[1,", "a.geojson:6: it is cut: the JSON ends too early"},
		{head + "{}]\n", "a.geojson:5: it is cut: the JSON ends too early"},
	} {
		_, err := walkFeatures("a.geojson", tt.text)
		if _, ok := errors.AsType[*FileError](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// A collection that is cut anywhere is refused.
func TestCutCollection(t *testing.T) {
	for n := range len(boxes) - 1 { // the last is a line end
		if _, err := walkFeatures("a.geojson", boxes[:n]); err == io.EOF && n < len(boxes)-1 {
			t.Errorf("cut after %d bytes: no error", n)
		} else if _, ok := errors.AsType[*FileError](err); !ok {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

// A feature that never ends is given up.
func TestLineCounterBound(t *testing.T) {
	c := &lineCounter{r: io.MultiReader(strings.NewReader("["), &repeated{unit: "1,", left: 1 << 20}), most: 1 << 16, line: 1}
	err := json.NewDecoder(c).Decode(new(json.RawMessage))
	if !errors.Is(err, errLongLine) || c.read > 4<<16 {
		t.Errorf("after %d bytes: %v", c.read, err)
	}
	d := json.NewDecoder(&lineCounter{r: &repeated{unit: "[]\n", left: 1 << 18}, most: 1 << 16, line: 1})
	for err = nil; err == nil; {
		err = d.Decode(new(json.RawMessage))
	}
	if !errors.Is(err, errLongLine) {
		t.Errorf("without any offset asked for: %v", err)
	}
	c = &lineCounter{r: &repeated{unit: "[]\n", left: 1 << 18}, most: 1 << 16, line: 1}
	d = json.NewDecoder(c)
	for err = nil; err == nil; c.at(d.InputOffset()) {
		err = d.Decode(new(json.RawMessage))
	}
	if err != io.EOF {
		t.Errorf("with offsets asked for: %v", err)
	}
	if _, err := newLineReader(&repeated{unit: "x", left: 1 << 20}).next(1 << 17); !errors.Is(err, errLongLine) {
		t.Errorf("a long line: %v", err)
	}
}

func TestParseFeature(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		code Code
		want string
	}{
		{`{"type":"Feature","properties":{"a":"b","c":null,"d":true},"geometry":{}}`, "", ""},
		{`{"type":"Feature","properties":null,"geometry":null,"id":5}`, "", ""},
		{`{"type":"Feature"}`, "", ""},
		{`{"type":"Point"}`, CodeJSON, `not a GeoJSON feature: its type is "Point"`},
		{`{}`, CodeJSON, `not a GeoJSON feature: its type is ""`},
		{`[]`, CodeJSON, "not a GeoJSON feature: json: "},
		{`{"type":"Feature"`, CodeJSON, "not a GeoJSON feature: unexpected end of JSON input"},
		{`{"type":"Feature"} x`, CodeJSON, "not a GeoJSON feature: invalid character 'x'"},
		{"{\"type\":\"Feature\",\"properties\":{\"a\":\"caf\xe9\"}}", CodeEncoding, "not UTF-8"},
		{`{"type":"Feature","properties":[]}`, CodeProperty, "properties: not an object"},
		{`{"type":"Feature","properties":{"a":1,"a":2}}`, CodeProperty, `properties: "a" is there twice`},
	} {
		_, _, bad := (&feature{raw: []byte(tt.raw)}).parse()
		if bad == nil {
			bad = &cellFault{}
		}
		if bad.code != tt.code || !strings.HasPrefix(bad.msg, tt.want) {
			t.Errorf("%s: got %s: %s, want %s: %s", tt.raw, bad.code, bad.msg, tt.code, tt.want)
		}
	}
}

func TestParseArea(t *testing.T) {
	const ring = `[[-1,52],[0,52],[0,53],[-1,52]]`
	for _, tt := range []struct{ geometry, want string }{
		{`{"type":"Polygon","coordinates":[` + ring + `]}`, ""},
		{`{"type":"Polygon","coordinates":[` + ring + `,` + ring + `]}`, ""},
		{`{"type":"MultiPolygon","coordinates":[[` + ring + `],[` + ring + `]]}`, ""},
		{`{"type":"Polygon","coordinates":[[[-1,52,7],[0,52,7],[0,5.3e1,7],[-1,52,7]]]}`, ""},
		{``, "no geometry: want a Polygon or MultiPolygon"},
		{`null`, "no geometry: want a Polygon or MultiPolygon"},
		{`[]`, "not an object"},
		{`{"type":"Point","coordinates":[1,2]}`, `its type is "Point": want a Polygon or MultiPolygon`},
		{`{"type":"GeometryCollection","geometries":[]}`, `its type is "GeometryCollection"`},
		{`{"type":"Polygon"}`, "/coordinates: "},
		{`{"type":"Polygon","coordinates":null}`, "/coordinates: null is not a list of rings"},
		{`{"type":"Polygon","coordinates":[]}`, "/coordinates: a polygon without rings"},
		{`{"type":"MultiPolygon","coordinates":[]}`, "/coordinates: no polygons"},
		{`{"type":"MultiPolygon","coordinates":[[]]}`, "/coordinates/0: a polygon without rings"},
		{`{"type":"Polygon","coordinates":[[]]}`, "/coordinates/0: a ring of 0 positions: a triangle has 4"},
		{`{"type":"Polygon","coordinates":[` + ring + `,[[-1,52],[0,52],[-1,52]]]}`, "/coordinates/1: a ring of 3 positions"},
		{`{"type":"MultiPolygon","coordinates":[[` + ring + `],[[[-1,52],[0,52],[0,53],[-1,53]]]]}`, "/coordinates/1/0: the ring is not closed"},
		{`{"type":"Polygon","coordinates":[[[-1],[0,52],[0,53],[-1]]]}`, "/coordinates/0/0: [-1] is not a position of two numbers, or three"},
		{`{"type":"Polygon","coordinates":[[[-1,52],[0,52,1,1],[0,53],[-1,52]]]}`, "/coordinates/0/1: [0,52,1,1] is not a position of two numbers, or three"},
		{`{"type":"Polygon","coordinates":[[[-1,"52"],[0,52],[0,53],[-1,52]]]}`, `/coordinates/0/0: [-1,"52"] is not a position`},
		{`{"type":"Polygon","coordinates":[[null,[0,52],[0,53],[-1,52]]]}`, "/coordinates/0/0: null is not a position"},
		{`{"type":"Polygon","coordinates":[[[-1,1e999],[0,52],[0,53],[-1,52]]]}`, "/coordinates/0/0: [-1,1e999] is not a position"},
		{`{"type":"Polygon","coordinates":[[[52,-1],[52,0],[53,0],[52,-1]]]}`, "/coordinates/0/0: longitude 52, latitude -1 are exchanged: GeoJSON has longitude first"},
		{`{"type":"Polygon","coordinates":[[[499049,150522],[0,52],[0,53],[499049,150522]]]}`, "/coordinates/0/0: longitude 499049, latitude 150522 is not a position in degrees of WGS84: are these eastings and northings?"},
		{`{"type":"Polygon","coordinates":[[[2.3,48.8],[0,52],[0,53],[2.3,48.8]]]}`, ""}, // radio does not end at the coast
		{`{"type":"Polygon","coordinates":[[[2.3,48.7],[0,52],[0,53],[2.3,48.7]]]}`, "/coordinates/0/0: longitude 2.3, latitude 48.7 is not in or near Great Britain"},
	} {
		shape, err := parseArea([]byte(tt.geometry), nearBritain)
		switch {
		case tt.want == "" && (err != nil || len(shape) == 0):
			t.Errorf("%s: %v", tt.geometry, err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
			t.Errorf("%s:\n got %v\nwant %s", tt.geometry, err, tt.want)
		}
	}
}

// Vertices are as they were written: to the last bit, and without the position
// that is repeated.
func TestParseAreaKeepsVertices(t *testing.T) {
	shape, err := parseArea([]byte(`{"type":"Polygon","coordinates":[[[-1.123456789012345,52],[0,52.1],[0,53],[-1.123456789012345,52]]]}`), onEarth)
	want := geo.MultiPolygon{{{{Lat: 52, Lng: -1.123456789012345}, {Lat: 52.1}, {Lat: 53}}}}
	if diff := cmp.Diff(want, shape); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzFeatures(f *testing.F) {
	f.Add(boxes, false)
	f.Add("{\"type\":\"Feature\",\"properties\":{\"region\":\"North\"},\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1,52,3]]]]}}\n{", true)
	f.Add(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":null}},5,[],"x"]}`, false)
	p := newAreaParser(&Extract{CSP: "A"})
	f.Fuzz(func(t *testing.T, text string, lines bool) {
		name := "a.geojson"
		if lines {
			name = "a.geojsonl"
		}
		end := features(name, strings.NewReader(text), maxAreaFeature, func(ft feature) bool {
			if ft.line < 1 || ft.line > 1+strings.Count(text, "\n") || ft.number < 1 {
				t.Fatalf("feature %d on line %d", ft.number, ft.line)
			}
			if part := p.feature(name, ft, nil); part.err == nil && part.accepted+int64(len(part.rejects)) != 1 {
				t.Fatalf("feature %s: neither taken nor rejected", ft.raw)
			}
			return true
		})
		if _, ok := errors.AsType[*FileError](end); !ok && end != io.EOF {
			t.Fatalf("%v is no FileError", end)
		}
		if bad, ok := errors.AsType[*FileError](end); ok && bad.Line > 1+strings.Count(text, "\n") {
			t.Fatalf("line %d of %d: %v", bad.Line, 1+strings.Count(text, "\n"), end)
		}
		if _, _, err := readRegions(name, strings.NewReader(text)); err != nil && err.Error() == "" {
			t.Fatal("an error that says nothing")
		}
	})
}

package loader

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coverd/geo"
)

// slowArea is parseArea by way of encoding/json, for geometries without keys
// that are there twice. It only tells whether there is an error.
func slowArea(text string) (shape geo.MultiPolygon, ok bool) {
	var g struct {
		Type        *string         `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if json.Unmarshal([]byte(text), &g) != nil || g.Type == nil {
		return nil, false
	}
	polygons := make([][][][]*float64, 1)
	switch *g.Type {
	case "Polygon":
		if json.Unmarshal(g.Coordinates, &polygons[0]) != nil {
			return nil, false
		}
	case "MultiPolygon":
		if json.Unmarshal(g.Coordinates, &polygons) != nil {
			return nil, false
		}
	default:
		return nil, false
	}
	for _, rings := range polygons {
		var polygon geo.Polygon
		for _, ring := range rings {
			var r geo.Ring
			for _, p := range ring {
				if len(p) < 2 || len(p) > 3 || slices.Contains(p, nil) {
					return nil, false
				}
				r = append(r, geo.LatLng{Lng: *p[0], Lat: *p[1]})
			}
			if len(r) < 4 || r[0] != r[len(r)-1] {
				return nil, false
			}
			polygon = append(polygon, r[:len(r)-1])
		}
		if len(polygon) == 0 {
			return nil, false
		}
		shape = append(shape, polygon)
	}
	return shape, len(shape) > 0
}

func checkArea(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) {
	t.Helper()
	if !json.Valid([]byte(text)) {
		return
	}
	got, err := parseArea(jsonValue(strings.Trim(text, " \t\r\n")), func(geo.LatLng) error { return nil })
	want, ok := slowArea(text)
	if (err == nil) != ok || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s\n got %v, %v\nwant %v", text, got, err, want)
	}
}

// Geometries read in place are those that encoding/json reads.
func TestAreaIsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n"})
		odd := rapid.IntRange(0, 40)
		list := func(n int, item func() string) string {
			items := make([]string, n)
			for i := range items {
				items[i] = space.Draw(t, "space") + item() + space.Draw(t, "space")
			}
			return "[" + strings.Join(items, ",") + space.Draw(t, "space") + "]"
		}
		number := func() string {
			return rapid.SampledFrom([]string{"0", "-0", "1", "51.25", "-1.5", "5e1", "1E-2", "0.1234567890123456789"}).Draw(t, "number")
		}
		either := func(usual func() string) string {
			if odd.Draw(t, "odd") == 0 {
				return rapid.SampledFrom([]string{"null", "[]", "{}", `"x"`, `"]"`, `"\""`, "true", "[[]]", "[1]", "[1,2,3,4]", `{"a":[1]}`, "1e999"}).Draw(t, "value")
			}
			return usual()
		}
		position := func() string { return list(rapid.IntRange(2, 3).Draw(t, "n"), func() string { return either(number) }) }
		ring := func() string {
			n := rapid.IntRange(3, 5).Draw(t, "positions")
			first, i := either(position), -1
			return list(n+1, func() string {
				if i++; i == 0 || i == n {
					return first
				}
				return either(position)
			})
		}
		polygon := func() string {
			return list(rapid.IntRange(1, 3).Draw(t, "rings"), func() string { return either(ring) })
		}
		kind, coordinates := "Polygon", either(polygon)
		if rapid.Bool().Draw(t, "multi") {
			kind, coordinates = "MultiPolygon", list(rapid.IntRange(0, 3).Draw(t, "polygons"), func() string { return either(polygon) })
		}
		checkArea(t, fmt.Sprintf(`{"a":"}\"","type":"%s" , "coordinates":%s%s}`, kind, coordinates, space.Draw(t, "space")))
	})
}

func FuzzArea(f *testing.F) {
	f.Add(`{"type":"Polygon","coordinates":[[[-1,52],[0,52],[0,53e0],[-1,52]]]}`)
	f.Add(`{"type":"MultiPolygon","coordinates":[[[[-1,52,7],[0,52,7],[0,53,7],[-1,52,7]],[]]], "x":{"]":"\\\""}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		v := jsonValue(strings.Trim(text, " \t\r\n"))
		if n := v.end(); n != len(v) {
			t.Fatalf("%q ends after %d", text, n)
		}
		keys := map[string]any{}
		m, err := v.members()
		if isObject := json.Unmarshal([]byte(text), &keys) == nil && strings.HasPrefix(string(v), "{"); !isObject && err == nil {
			t.Fatalf("%q is no object", text)
		} else if err == nil && len(m) != len(keys) {
			t.Fatalf("%q: members %q", text, m)
		}
		for name := range m {
			if lower := strings.ToLower(name); name != lower && (lower == "type" || lower == "coordinates") || strings.ContainsAny(name, "\u017f\u212a") {
				return // encoding/json takes these for ours
			}
		}
		if err == nil {
			checkArea(t, text)
		}
	})
}

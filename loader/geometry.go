package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"coverd/geo"
)

// jsonValue is a value of JSON that is known to be well-formed, without space
// around it.
//
// Why not encoding/json throughout: into Go's values it makes of a feature some
// thirty times as much memory as its text, for a geometry of `[],[],[],…` or a
// property that is a list of lists; and of two keys that are the same it takes
// the last. It still says what is well-formed.
type jsonValue []byte

// end returns how long the value is that b starts with.
func (b jsonValue) end() int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
			continue
		case ']', '}':
			depth--
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i // of a number or a word; the others have ended below
			}
			continue
		default:
			if depth == 0 && i+1 < len(b) && strings.IndexByte(",:]} \t\n\r", b[i+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(b)
}

// next takes the first value of b, and what separates it from the one after.
func (b jsonValue) next() (v, rest jsonValue) {
	b = bytes.TrimLeft(b, " \t\n\r")
	n := b.end()
	v, rest = b[:n], bytes.TrimLeft(b[n:], " \t\n\r")
	if len(rest) > 0 && (rest[0] == ',' || rest[0] == ':') {
		rest = bytes.TrimLeft(rest[1:], " \t\n\r")
	}
	return v, rest
}

// inside is what stands between the brackets, if the value has such.
func (b jsonValue) inside(open byte) (in jsonValue, ok bool) {
	if len(b) < 2 || b[0] != open {
		return nil, false
	}
	return bytes.Trim(b[1:len(b)-1], " \t\n\r"), true
}

// text decodes a string. It is no text if it has half of a surrogate pair.
func (b jsonValue) text() (s string, ok bool) {
	if len(b) == 0 || b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return "", false
	}
	const mended = "\ufffd"
	ok = !strings.Contains(s, mended) || bytes.Contains(b, []byte(mended)) || bytes.Contains(bytes.ToLower(b), []byte(`\ufffd`))
	return s, ok
}

// maxProperties is the most properties that a feature may have.
const maxProperties = 1000

// members reads an object. A key that is there twice is an error.
func (b jsonValue) members() (map[string]jsonValue, error) {
	in, ok := b.inside('{')
	if !ok {
		return nil, errors.New("not an object")
	}
	m := map[string]jsonValue{}
	for len(in) > 0 {
		var key, v jsonValue
		key, in = in.next()
		v, in = in.next()
		name, ok := key.text()
		switch _, again := m[name]; {
		case !ok:
			return nil, fmt.Errorf("%s is no text: half of a surrogate pair", clip(key))
		case again:
			return nil, fmt.Errorf("%q is there twice", clip([]byte(name)))
		case len(m) == maxProperties:
			return nil, fmt.Errorf("more than %d of them", maxProperties)
		}
		m[name] = v
	}
	return m, nil
}

// parse takes a feature apart.
func (f *feature) parse() (properties map[string]jsonValue, geometry jsonValue, bad *cellFault) {
	if !utf8.Valid(f.raw) {
		return nil, nil, fault("", CodeEncoding, "not UTF-8")
	}
	if err := json.Unmarshal(f.raw, &struct{}{}); err != nil {
		return nil, nil, fault("", CodeJSON, "not a GeoJSON feature: %v", err)
	}
	raw, err := jsonValue(f.raw).members()
	if err != nil {
		return nil, nil, fault("", CodeJSON, "not a GeoJSON feature: its members: %v", err)
	}
	if kind, _ := raw["type"].text(); kind != "Feature" {
		return nil, nil, fault("", CodeJSON, "not a GeoJSON feature: its type is %q", clip([]byte(kind)))
	}
	properties = map[string]jsonValue{}
	if p := raw["properties"]; len(p) > 0 && string(p) != "null" {
		if properties, err = p.members(); err != nil {
			return nil, nil, fault("", CodeProperty, "properties: %v", err)
		}
	}
	return properties, raw["geometry"], nil
}

// parseArea reads a Polygon or MultiPolygon. check judges each position. The
// error names the place by a JSON pointer relative to the geometry.
func parseArea(raw jsonValue, check func(geo.LatLng) error) (geo.MultiPolygon, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("no geometry: want a Polygon or MultiPolygon")
	}
	g, err := raw.members()
	if err != nil {
		return nil, err
	}
	switch kind, _ := g["type"].text(); kind {
	case "Polygon":
		polygon, err := parsePolygon(g["coordinates"], check)
		if err != nil {
			return nil, fmt.Errorf("/coordinates%w", err)
		}
		return geo.MultiPolygon{polygon}, nil
	case "MultiPolygon":
		in, ok := g["coordinates"].inside('[')
		if !ok {
			return nil, fmt.Errorf("/coordinates: %s is not a list of polygons", clip(g["coordinates"]))
		}
		var shape geo.MultiPolygon
		for i := 0; len(in) > 0; i++ {
			var v jsonValue
			v, in = in.next()
			polygon, err := parsePolygon(v, check)
			if err != nil {
				return nil, fmt.Errorf("/coordinates/%d%w", i, err)
			}
			shape = append(shape, polygon)
		}
		if len(shape) == 0 {
			return nil, errors.New("/coordinates: no polygons")
		}
		return shape, nil
	default:
		return nil, fmt.Errorf("its type is %q: want a Polygon or MultiPolygon", clip([]byte(kind)))
	}
}

// parsePolygon reads the rings of a polygon.
func parsePolygon(raw jsonValue, check func(geo.LatLng) error) (polygon geo.Polygon, err error) {
	in, ok := raw.inside('[')
	if !ok {
		return nil, fmt.Errorf(": %s is not a list of rings", clip(raw))
	}
	for i := 0; len(in) > 0; i++ {
		var v jsonValue
		v, in = in.next()
		ring, err := parseRing(v, check)
		if err != nil {
			return nil, fmt.Errorf("/%d%w", i, err)
		}
		polygon = append(polygon, ring)
	}
	if len(polygon) == 0 {
		return nil, errors.New(": a polygon without rings")
	}
	return polygon, nil
}

// parseRing reads a ring, which must be closed, and drops the repeated position
// at its end.
func parseRing(raw jsonValue, check func(geo.LatLng) error) (geo.Ring, error) {
	in, ok := raw.inside('[')
	if !ok {
		return nil, fmt.Errorf(": %s is not a ring", clip(raw))
	}
	r := make(geo.Ring, 0, min(bytes.Count(in, []byte{'['}), len(in)/len("[1,52],")+1))
	for i := 0; len(in) > 0; i++ {
		var v jsonValue
		v, in = in.next()
		p, err := parsePosition(v)
		if err == nil {
			err = check(p)
		}
		if err != nil {
			return nil, fmt.Errorf("/%d: %w", i, err)
		}
		r = append(r, p)
	}
	if len(r) < 4 {
		return nil, fmt.Errorf(": a ring of %d positions: a triangle has 4, the last being the first again", len(r))
	}
	if r[0] != r[len(r)-1] {
		return nil, errors.New(": the ring is not closed: its last position is not its first")
	}
	return r[:len(r)-1], nil
}

// parsePosition reads a position: longitude, latitude and perhaps an altitude,
// which is not used. The numbers are kept as they are parsed.
func parsePosition(raw jsonValue) (p geo.LatLng, err error) {
	in, ok := raw.inside('[')
	n := 0
	for more := ok && len(in) > 0; more && n < 4; n++ {
		var number []byte
		number, in, more = bytes.Cut(in, []byte{','})
		v, err := strconv.ParseFloat(string(bytes.TrimSpace(number)), 64)
		if err != nil {
			ok = false
			break
		}
		switch n {
		case 0:
			p.Lng = v
		case 1:
			p.Lat = v
		}
	}
	switch {
	case !ok:
		return p, fmt.Errorf("%s is not a position", clip(raw))
	case n != 2 && n != 3:
		return p, fmt.Errorf("%s is not a position of two numbers, or three: want longitude, latitude", clip(raw))
	}
	return p, nil
}

// onEarth judges a position: it must be one, with the longitude first, as
// GeoJSON has it.
func onEarth(p geo.LatLng) error {
	switch {
	case p.Swapped():
		return fmt.Errorf("longitude %v, latitude %v are exchanged: GeoJSON has longitude first", p.Lng, p.Lat)
	case !p.IsValid():
		return fmt.Errorf("longitude %v, latitude %v is not a position in degrees of WGS84: are these eastings and northings?", p.Lng, p.Lat)
	}
	return nil
}

// areaMargin is how far, in degrees, a coverage area may reach beyond the
// extent of Great Britain: radio does not end at the coast.
const areaMargin = 1

// nearBritain judges a position of a coverage area.
func nearBritain(p geo.LatLng) error {
	if err := onEarth(p); err != nil {
		return err
	}
	if p.Lat < geo.MinLat-areaMargin || p.Lat > geo.MaxLat+areaMargin || p.Lng < geo.MinLng-areaMargin || p.Lng > geo.MaxLng+areaMargin {
		return fmt.Errorf("longitude %v, latitude %v is not in or near Great Britain", p.Lng, p.Lat)
	}
	return nil
}

package loader

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"coverd/geo"
)

// feature is one feature of a GeoJSON file, not yet looked into.
type feature struct {
	line   int // of its first byte
	number int // among the features, from 1
	raw    []byte
	cut    bool // the file ends here, and not in a line end: newline-delimited ones only
}

// maxFeature is the longest feature, in bytes.
const maxFeature = 256 << 20

var longFeature = fmt.Sprintf("a feature of over %d MiB", maxFeature>>20)

// isNewlineDelimited tells by its name a file with one feature a line.
func isNewlineDelimited(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".geojsonl")
}

// features walks the features of a GeoJSON text, which it reads as it goes.
// The error is why the walk ended: [io.EOF] if all is well.
func features(name string, r io.Reader, yield func(feature) bool) error {
	if isNewlineDelimited(name) {
		return featureLines(name, r, yield)
	}
	return featureCollection(name, r, yield)
}

// featureLines walks lines; what is on them is the caller's to judge.
func featureLines(name string, r io.Reader, yield func(feature) bool) error {
	in := newLineReader(r)
	number := 0
	for line := 1; ; line++ {
		raw, err := in.next(maxFeature)
		if err != nil {
			if errors.Is(err, errLongLine) {
				err = &FileError{name, line, longFeature}
			}
			return err
		}
		cut := !bytes.HasSuffix(raw, []byte{'\n'})
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		number++
		if !yield(feature{line, number, bytes.Clone(raw), cut}) {
			return nil
		}
	}
}

// featureCollection walks the features of a FeatureCollection.
func featureCollection(name string, r io.Reader, yield func(feature) bool) error {
	count := &lineCounter{r: r, line: 1, most: maxFeature}
	d := json.NewDecoder(count)
	broken := func(err error) error {
		line := count.at(d.InputOffset())
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			return &FileError{name, count.at(syntaxErrorAt(d, s)), "not JSON: " + err.Error()}
		}
		switch {
		case errors.Is(err, errLongLine):
			return &FileError{name, line, longFeature}
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return &FileError{name, count.at(count.read), "it is cut: the JSON ends too early"}
		}
		return err
	}
	if err := wantDelim(d, '{'); err != nil {
		if errors.Is(err, errNotThat) {
			return &FileError{name, 1, "not a FeatureCollection: want a JSON object"}
		}
		return broken(err)
	}
	number, typed, seen := 0, false, false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return broken(err)
		}
		switch key {
		case "type":
			var kind any
			if err := d.Decode(&kind); err != nil {
				return broken(err)
			}
			typed = true
			if kind != "FeatureCollection" {
				return &FileError{name, count.at(d.InputOffset()), fmt.Sprintf(
					`its type is %v, not FeatureCollection; a file with one feature a line is named .ndjson or .geojsonl`, kind)}
			}
		case "features":
			if seen {
				return &FileError{name, count.at(d.InputOffset()), `"features" is there twice`}
			}
			seen = true
			if err := wantDelim(d, '['); err != nil {
				if errors.Is(err, errNotThat) {
					return &FileError{name, count.at(d.InputOffset()), `"features" is not an array`}
				}
				return broken(err)
			}
			for d.More() {
				var raw json.RawMessage
				if err := d.Decode(&raw); err != nil {
					return broken(err)
				}
				number++
				if !yield(feature{line: count.at(d.InputOffset() - int64(len(raw))), number: number, raw: raw}) {
					return nil
				}
			}
			if _, err := d.Token(); err != nil { // the closing bracket
				return broken(err)
			}
		default:
			var other json.RawMessage
			if err := d.Decode(&other); err != nil {
				return broken(err)
			}
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return broken(err)
	}
	switch {
	case !typed:
		return &FileError{name, 1, `no "type": want a FeatureCollection`}
	case !seen:
		return &FileError{name, 1, `no "features": want a FeatureCollection`}
	}
	if _, err := d.Token(); err != io.EOF {
		return &FileError{name, count.at(d.InputOffset()), "something follows the FeatureCollection"}
	}
	return io.EOF
}

var errNotThat = errors.New("another token")

func wantDelim(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err == nil && t != want {
		err = errNotThat
	}
	return err
}

// syntaxErrorAt is the offset of a syntax error. Where the error is inside a
// value that was to be decoded whole, s.Offset leaves out what was read token
// by token, so the value is read again.
func syntaxErrorAt(d *json.Decoder, s *json.SyntaxError) int64 {
	at := d.InputOffset()
	if s.Offset == at {
		return at
	}
	value, err := io.ReadAll(d.Buffered())
	if err != nil {
		return at
	}
	if inside, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(value, new(json.RawMessage))); ok {
		at += inside.Offset - 1
	}
	return at
}

// lineCounter tells the line of an offset that has been read. Offsets asked
// for only rise. It refuses to read on when that would be more than most bytes
// after the last offset asked for, all of which the decoder would have to keep.
type lineCounter struct {
	r    io.Reader
	most int64
	read int64
	last int64   // the last offset asked for
	ends []int64 // offsets of line ends after it
	line int     // of it
}

func (c *lineCounter) Read(p []byte) (int, error) {
	if c.read-c.last > c.most {
		return 0, errLongLine
	}
	n, err := c.r.Read(p)
	for i := 0; ; {
		k := bytes.IndexByte(p[i:n], '\n')
		if k < 0 {
			break
		}
		i += k + 1
		c.ends = append(c.ends, c.read+int64(i))
	}
	c.read += int64(n)
	return n, err
}

func (c *lineCounter) at(offset int64) int {
	n := 0
	for n < len(c.ends) && c.ends[n] <= offset {
		n++
	}
	c.ends = append(c.ends[:0], c.ends[n:]...)
	c.line += n
	c.last = max(c.last, offset)
	return c.line
}

// rawFeature is a feature as JSON has it.
type rawFeature struct {
	Type       string          `json:"type"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties json.RawMessage `json:"properties"`
}

// parse takes a feature apart.
func (f *feature) parse() (properties map[string]any, geometry json.RawMessage, bad *cellFault) {
	if !utf8.Valid(f.raw) { // encoding/json would mend it
		return nil, nil, fault("", CodeEncoding, "not UTF-8")
	}
	var raw rawFeature
	if err := json.Unmarshal(f.raw, &raw); err != nil {
		return nil, nil, fault("", CodeJSON, "not a GeoJSON feature: %v", err)
	}
	if raw.Type != "Feature" {
		return nil, nil, fault("", CodeJSON, "not a GeoJSON feature: its type is %q", raw.Type)
	}
	properties, err := parseProperties(raw.Properties)
	if err != nil {
		return nil, nil, fault("", CodeProperty, "properties: %v", err)
	}
	return properties, raw.Geometry, nil
}

// parseProperties reads an object; a key that is there twice is an error.
func parseProperties(raw json.RawMessage) (map[string]any, error) {
	properties := map[string]any{}
	if len(raw) == 0 || string(raw) == "null" {
		return properties, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := wantDelim(d, '{'); err != nil {
		return nil, errors.New("not an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if _, ok := properties[name]; ok {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		properties[name] = v
	}
	return properties, nil
}

// position is a GeoJSON position: longitude, latitude and perhaps an altitude,
// which is not used.
type position struct {
	geo.LatLng
	n int // numbers in it
}

// UnmarshalJSON implements [json.Unmarshaler]. The numbers are kept as they
// are parsed.
func (p *position) UnmarshalJSON(b []byte) error {
	*p = position{}
	if len(b) < 2 || b[0] != '[' {
		return fmt.Errorf("%s is not a position", clip(b))
	}
	rest, more := b[1:len(b)-1], true
	for more {
		var number []byte
		number, rest, more = bytes.Cut(rest, []byte{','})
		v, err := strconv.ParseFloat(string(bytes.TrimSpace(number)), 64)
		if err != nil {
			return fmt.Errorf("%s is not a position", clip(b))
		}
		switch p.n {
		case 0:
			p.Lng = v
		case 1:
			p.Lat = v
		}
		p.n++
	}
	return nil
}

// parseArea reads a Polygon or MultiPolygon. check judges each position. The
// error names the place by a JSON pointer relative to the geometry.
func parseArea(raw json.RawMessage, check func(geo.LatLng) error) (geo.MultiPolygon, error) {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, errors.New("no geometry: want a Polygon or MultiPolygon")
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, err
	}
	var polygons [][][]position
	var at func(polygon, ring int) string
	switch g.Type {
	case "Polygon":
		polygons = make([][][]position, 1)
		if err := json.Unmarshal(g.Coordinates, &polygons[0]); err != nil {
			return nil, fmt.Errorf("/coordinates: %w", err)
		}
		at = func(_, ring int) string { return fmt.Sprintf("/coordinates/%d", ring) }
	case "MultiPolygon":
		if err := json.Unmarshal(g.Coordinates, &polygons); err != nil {
			return nil, fmt.Errorf("/coordinates: %w", err)
		}
		at = func(polygon, ring int) string { return fmt.Sprintf("/coordinates/%d/%d", polygon, ring) }
	default:
		return nil, fmt.Errorf("its type is %q: want a Polygon or MultiPolygon", g.Type)
	}
	var shape geo.MultiPolygon
	for i, rings := range polygons {
		if len(rings) == 0 {
			return nil, errors.New("/coordinates: a polygon without rings")
		}
		var polygon geo.Polygon
		for j, ring := range rings {
			r, err := closedRing(ring, check)
			if err != nil {
				return nil, fmt.Errorf("%s%w", at(i, j), err)
			}
			polygon = append(polygon, r)
		}
		shape = append(shape, polygon)
	}
	if len(shape) == 0 {
		return nil, errors.New("/coordinates: no polygons")
	}
	return shape, nil
}

// closedRing checks a ring and drops the repeated position at its end.
func closedRing(ring []position, check func(geo.LatLng) error) (geo.Ring, error) {
	if len(ring) < 4 {
		return nil, fmt.Errorf(": a ring of %d positions: a triangle has 4, the last being the first again", len(ring))
	}
	r := make(geo.Ring, len(ring))
	for i, p := range ring {
		if p.n != 2 && p.n != 3 {
			return nil, fmt.Errorf("/%d: a position of %d numbers: want longitude, latitude", i, p.n)
		}
		if err := check(p.LatLng); err != nil {
			return nil, fmt.Errorf("/%d: %w", i, err)
		}
		r[i] = p.LatLng
	}
	if r[0] != r[len(r)-1] {
		return nil, errors.New(": the ring is not closed: its last position is not its first")
	}
	return r[:len(r)-1], nil
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

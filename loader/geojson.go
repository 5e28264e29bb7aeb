package loader

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// feature is one feature of a GeoJSON file, not yet looked into.
type feature struct {
	line   int // of its first byte
	number int // among the features, from 1
	raw    []byte
	cut    bool // the file ends here, and not in a line end: newline-delimited ones only
}

// weight is what a feature counts for of the bytes that are held.
func (f feature) weight() int64 { return min(int64(len(f.raw)), maxAreaFeature) }

// The longest feature, in bytes: of coverage areas, and of Region boundaries.
// As text and as vertices one takes some eight times that to read. Of real
// polygons the largest electoral ward has 0.3 MiB, the largest local authority
// 1 MiB, and the largest Region of the indicative ones 4 MiB.
const (
	maxAreaFeature   = 4 << 20
	maxRegionFeature = 8 << 20
)

// maxFeatureLines is the most lines that a feature stands on.
const maxFeatureLines = 1 << 20

func longFeature(most int) string {
	return fmt.Sprintf("a feature of over %d MiB, or of over %s lines: split it, or write fewer decimals", most>>20, thousands(maxFeatureLines))
}

// isNewlineDelimited tells by its name a file with one feature a line.
func isNewlineDelimited(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return strings.HasSuffix(name, ".ndjson") || strings.HasSuffix(name, ".geojsonl")
}

// features walks the features of a GeoJSON text, which it reads as it goes; one
// has at most so many bytes. The error is why the walk ended: [io.EOF] if all is
// well.
func features(name string, r io.Reader, most int, yield func(feature) bool) error {
	if isNewlineDelimited(name) {
		return featureLines(name, r, most, yield)
	}
	return featureCollection(name, r, most, yield)
}

// featureLines walks lines; what is on them is the caller's to judge.
func featureLines(name string, r io.Reader, most int, yield func(feature) bool) error {
	in := newLineReader(r)
	number := 0
	for line := 1; ; line++ {
		raw, err := in.next(most)
		if err != nil {
			if errors.Is(err, errLongLine) {
				err = &FileError{name, line, longFeature(most)}
			}
			return err
		}
		cut := !bytes.HasSuffix(raw, []byte{'\n'})
		if raw = bytes.Trim(raw, " \t\r\n"); len(raw) == 0 {
			continue
		}
		number++
		if !yield(feature{line, number, bytes.Clone(raw), cut}) {
			return nil
		}
	}
}

// featureCollection walks the features of a FeatureCollection.
func featureCollection(name string, r io.Reader, most int, yield func(feature) bool) error {
	count := &lineCounter{r: r, line: 1, most: int64(most)}
	d := json.NewDecoder(count)
	broken := func(err error) error {
		line := count.at(d.InputOffset())
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			return &FileError{name, count.at(syntaxErrorAt(d, s)), "not JSON: " + err.Error()}
		}
		switch {
		case errors.Is(err, errLongLine):
			return &FileError{name, line, longFeature(most)}
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
			var kind json.RawMessage
			if err := d.Decode(&kind); err != nil {
				return broken(err)
			}
			typed = true
			if text, _ := jsonValue(kind).text(); text != "FeatureCollection" {
				return &FileError{name, count.at(d.InputOffset()), fmt.Sprintf(
					`its type is %s, not FeatureCollection; a file with one feature a line is named .ndjson or .geojsonl`, cmp.Or(clip([]byte(text)), clip(kind)))}
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
	last int64    // the last offset asked for
	base int64    // what ends count from
	ends []uint32 // offsets of line ends
	past int      // how many of them are before last
	line int      // of last
}

func (c *lineCounter) Read(p []byte) (int, error) {
	if c.read-c.last > c.most || len(c.ends)-c.past > maxFeatureLines {
		return 0, errLongLine
	}
	n, err := c.r.Read(p)
	for i := 0; ; {
		k := bytes.IndexByte(p[i:n], '\n')
		if k < 0 {
			break
		}
		i += k + 1
		c.ends = append(c.ends, uint32(c.read+int64(i)-c.base))
	}
	c.read += int64(n)
	return n, err
}

func (c *lineCounter) at(offset int64) int {
	for c.past < len(c.ends) && c.base+int64(c.ends[c.past]) <= offset {
		c.past++
		c.line++
	}
	c.last = max(c.last, offset)
	if c.past >= len(c.ends)/2 { // half of them may go: each is moved once, on average
		moved := uint32(c.last - c.base)
		for i, end := range c.ends[c.past:] {
			c.ends[i] = end - moved
		}
		c.ends, c.past, c.base = c.ends[:len(c.ends)-c.past], 0, c.last
	}
	return c.line
}

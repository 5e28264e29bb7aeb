package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"coverd/geo"
	"coverd/index"
)

// Text is a string that may be absent: "" is null.
type Text string

// MarshalJSON implements json.Marshaler.
func (t Text) MarshalJSON() ([]byte, error) { return t.appendJSON(nil), nil }

func (t Text) appendJSON(b []byte) []byte {
	if t == "" {
		return append(b, "null"...)
	}
	return appendString(b, string(t))
}

// Maybe is a value that may be absent: its zero value is null. Others are
// their text in a JSON string.
type Maybe[T interface {
	comparable
	AppendTo(b []byte) []byte
}] struct{ V T }

type (
	// Date is a day as YYYY-MM-DD, or null.
	Date = Maybe[index.Day]
	// Month is a month as YYYY-MM, or null.
	Month = Maybe[index.Month]
	// UPRN is the digits of a UPRN, or null.
	UPRN = Maybe[geo.UPRN]
	// PostcodeText is a postcode such as GU1 1AA, or null.
	PostcodeText = Maybe[geo.Postcode]
	// OutcodeText is an outcode such as GU1, or null.
	OutcodeText = Maybe[geo.Outcode]
	// SectorText is a sector such as GU1 1, or null.
	SectorText = Maybe[geo.Sector]
)

// Some wraps a value.
func Some[T interface {
	comparable
	AppendTo(b []byte) []byte
}](v T,
) Maybe[T] {
	return Maybe[T]{v}
}

// MarshalJSON implements json.Marshaler.
func (m Maybe[T]) MarshalJSON() ([]byte, error) { return m.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Maybe[T]) UnmarshalJSON(b []byte) error {
	*m = Maybe[T]{}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	switch v := any(&m.V).(type) {
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(text))
	case *index.Month:
		var err error
		*v, err = index.ParseMonth(text)
		return err
	}
	return fmt.Errorf("cannot read a %T", m.V)
}

// The texts of T never need escaping.
func (m Maybe[T]) appendJSON(b []byte) []byte {
	var none T
	if m.V == none {
		return append(b, "null"...)
	}
	return append(m.V.AppendTo(append(b, '"')), '"')
}

// Degrees is a WGS84 latitude or longitude, written with six decimals (0.1 m),
// which is what is stored. NaN is null.
type Degrees float64

// NoDegrees is the absent one.
func NoDegrees() Degrees { return Degrees(math.NaN()) }

// MarshalJSON implements json.Marshaler.
func (d Degrees) MarshalJSON() ([]byte, error) { return d.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Degrees) UnmarshalJSON(b []byte) error {
	return unmarshalFloat((*float64)(d), b, math.NaN())
}

// IsZero makes omitzero leave the absent one out.
func (d Degrees) IsZero() bool { return math.IsNaN(float64(d)) }

func (d Degrees) appendJSON(b []byte) []byte {
	if math.IsNaN(float64(d)) {
		return append(b, "null"...)
	}
	return appendFixed(b, float64(d), 6)
}

// Metres is a distance on the ground, written with one decimal. What is below
// zero is null.
type Metres float64

// MarshalJSON implements json.Marshaler.
func (m Metres) MarshalJSON() ([]byte, error) { return m.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Metres) UnmarshalJSON(b []byte) error { return unmarshalFloat((*float64)(m), b, -1) }

func (m Metres) appendJSON(b []byte) []byte {
	if !(m >= 0) {
		return append(b, "null"...)
	}
	return appendFixed(b, float64(m), 1)
}

// GridMetres is a National Grid easting or northing in whole metres. Zero,
// which lies in the sea, is null.
type GridMetres int32

// MarshalJSON implements json.Marshaler.
func (m GridMetres) MarshalJSON() ([]byte, error) { return m.appendJSON(nil), nil }

func (m GridMetres) appendJSON(b []byte) []byte {
	if m == 0 {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, int64(m), 10)
}

// Share is a number from 0 to 1, written with three decimals and never rounded
// up, so that nearly certain does not read as certain. What is below zero is
// null.
type Share float64

// MarshalJSON implements json.Marshaler.
func (s Share) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Share) UnmarshalJSON(b []byte) error { return unmarshalFloat((*float64)(s), b, -1) }

// String is the share as answers have it; "null" below zero.
func (s Share) String() string { return string(s.appendJSON(nil)) }

func (s Share) appendJSON(b []byte) []byte {
	if !(s >= 0) {
		return append(b, "null"...)
	}
	n := int(min(s, 1) * 1000) // never rounded up
	return append(b, '0'+byte(n/1000), '.', '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
}

// Number is a number as it was given, written with as many digits as it takes.
// NaN is null.
type Number float64

// NoNumber is the absent one.
func NoNumber() Number { return Number(math.NaN()) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) { return n.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	return unmarshalFloat((*float64)(n), b, math.NaN())
}

// IsZero makes omitzero leave the absent one out.
func (n Number) IsZero() bool { return math.IsNaN(float64(n)) }

func (n Number) appendJSON(b []byte) []byte {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, float64(n), 'f', -1, 64)
}

func unmarshalFloat(f *float64, b []byte, null float64) error {
	if bytes.Equal(b, []byte("null")) {
		*f = null
		return nil
	}
	return json.Unmarshal(b, f)
}

// Count is how many premises have a named thing.
type Count = index.Count

// Counts is a JSON object of counts by name, in the order given.
type Counts []Count

// MarshalJSON implements json.Marshaler.
func (c Counts) MarshalJSON() ([]byte, error) { return c.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler; it keeps the order.
func (c *Counts) UnmarshalJSON(b []byte) error {
	*c = (*c)[:0]
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("want an object of counts, not %v", t)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var n int
		if err := d.Decode(&n); err != nil {
			return err
		}
		*c = append(*c, Count{Name: name.(string), N: n})
	}
	return nil
}

func (c Counts) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i := range c {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, c[i].Name), ':')
		b = strconv.AppendInt(b, int64(c[i].N), 10)
	}
	return append(b, '}')
}

// Spread is what the premises that an estimate rests on have of one thing,
// the most frequent first. Where they agree it is that one value (or null);
// else a list of {"value", "premises"}.
type Spread []Count

// MarshalJSON implements json.Marshaler.
func (s Spread) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

// UnmarshalJSON implements json.Unmarshaler. Of a unanimous value the count is
// not known, and 0.
func (s *Spread) UnmarshalJSON(b []byte) error {
	*s = nil
	if len(b) > 0 && b[0] == '[' {
		var list []struct {
			Value    string `json:"value"`
			Premises int    `json:"premises"`
		}
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		for _, v := range list {
			*s = append(*s, Count{Name: v.Value, N: v.Premises})
		}
		return nil
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*s = Spread{{Name: one}}
	return nil
}

func (s Spread) appendJSON(b []byte) []byte {
	switch len(s) {
	case 0:
		return append(b, "null"...)
	case 1:
		return Text(s[0].Name).appendJSON(b)
	}
	for i := range s {
		if i == 0 {
			b = append(b, `[{"value":`...)
		} else {
			b = append(b, `,{"value":`...)
		}
		b = Text(s[i].Name).appendJSON(b)
		b = strconv.AppendInt(append(b, `,"premises":`...), int64(s[i].N), 10)
		b = append(b, '}')
	}
	return append(b, ']')
}

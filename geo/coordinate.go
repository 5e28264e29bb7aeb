package geo

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrMalformedCoordinate is what the errors of ParseDegrees, ParseMetres and
// ParseLatLng wrap.
var ErrMalformedCoordinate = errors.New("not a coordinate")

func coordinateError(s, why string) error {
	return fmt.Errorf("%w: %q: %s", ErrMalformedCoordinate, clip(s), why)
}

// ParseDegrees reads an angle in decimal degrees from −180 to 180, such as
// `-0.5823`: plain decimal notation, space around it forgiven. Where it accepts,
// the number is that of strconv.ParseFloat.
func ParseDegrees[T ~string | ~[]byte](s T) (float64, error) {
	v, err := parseDecimal(s)
	if err == nil && math.Abs(v) > 180 {
		err = coordinateError(string(s), "more than 180 degrees; eastings and northings are given as such")
	}
	if err != nil {
		return 0, err
	}
	return v, nil
}

// ParseMetres reads a length in metres of at most 10,000 km, in plain decimal
// notation.
func ParseMetres[T ~string | ~[]byte](s T) (float64, error) {
	v, err := parseDecimal(s)
	if err == nil && math.Abs(v) > 1e7 {
		err = coordinateError(string(s), "more than 10,000 km")
	}
	if err != nil {
		return 0, err
	}
	return v, nil
}

// minus is the sign that web pages have where a keyboard has the hyphen.
const minus = "\u2212"

// pow10 are the powers of ten that a float64 holds exactly, as far as needed.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseDecimal reads [+-]digits[.digits]. Up to fifteen digits the number is a
// whole one divided by a power of ten, both held exactly, which rounds once
// and so is right to the bit; longer ones go to strconv.
func parseDecimal[T ~string | ~[]byte](s T) (float64, error) {
	i, end := 0, len(s)
	for i < end && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	for end > i && (s[end-1] == ' ' || s[end-1] == '\t') {
		end--
	}
	if i == end {
		return 0, coordinateError(string(s), "it is empty")
	}
	start := i
	negative := s[i] == '-'
	if negative || s[i] == '+' {
		i++
	}
	whole, digits, decimals, point := uint64(0), 0, 0, false
	for ; i < end; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if digits < 19 {
				whole = whole*10 + uint64(c-'0')
			}
			digits++
			if point {
				decimals++
			}
		case c == '.' && !point:
			point = true
		case c == ',':
			return 0, coordinateError(string(s), "a decimal point is written as a full stop")
		case c == minus[0] && end-i > len(minus) && string(s[i:i+len(minus)]) == minus:
			return 0, coordinateError(string(s), "its minus sign is a typographic one: write a hyphen")
		default:
			return 0, coordinateError(string(s), "want a decimal number, such as 51.2452")
		}
	}
	switch {
	case digits == 0:
		return 0, coordinateError(string(s), "want a decimal number, such as 51.2452")
	case digits > 40:
		return 0, coordinateError(string(s), "more than 40 digits")
	case digits > 15:
		v, err := strconv.ParseFloat(string(s[start:end]), 64)
		if err != nil {
			return 0, coordinateError(string(s), "want a decimal number, such as 51.2452")
		}
		return v, nil
	}
	v := float64(whole) / pow10[decimals]
	if negative {
		v = -v
	}
	return v, nil
}

// ParseLatLng reads a latitude and a longitude with a comma between them, such
// as `51.2452,-0.5823`. It does not ask whether they are in Great Britain.
func ParseLatLng[T ~string | ~[]byte](s T) (LatLng, error) {
	text := string(s)
	a, b, ok := strings.Cut(text, ",")
	if !ok || strings.Contains(b, ",") {
		return LatLng{}, coordinateError(text, "want latitude, comma, longitude, such as 51.2452,-0.5823")
	}
	lat, err := ParseDegrees(a)
	if err != nil {
		return LatLng{}, err
	}
	lng, err := ParseDegrees(b)
	if err != nil {
		return LatLng{}, err
	}
	p := LatLng{lat, lng}
	if !p.IsValid() {
		return LatLng{}, coordinateError(text, "a latitude is at most 90 degrees; it comes first")
	}
	return p, nil
}

package main

import (
	"errors"
	"net/url"
	"strings"

	"coverd/geo"
)

// keyHelp documents parseKey to those who type keys.
const keyHelp = `A KEY is one of
  GU1 1AA         a postcode, in any case and spacing
  E11             an outcode
  E1 1            a sector: the space decides (E11 is the outcode; E11 1 and E111 are the sector E11 1)
  990061391234    a UPRN: one number
  499049 150522   easting and northing in metres: two large numbers
  51.2452,-0.5823 latitude and longitude in degrees: two numbers up to 180
  SU 99049 50522  a grid reference of four to ten figures (TQ38 is read as an outcode, so give TQ 35 85)
Quote keys that contain spaces. Put -- before a key that starts with a minus sign.`

// keyKind is what a key of lookup asks for.
type keyKind int

const (
	keyPostcode keyKind = iota
	keyOutcode
	keySector
	keyUPRN
	keyDegrees
	keyMetres
	keyGridReference
)

// A key is a question as typed, told apart by its shape. Whether it is well
// formed is for the server's routes to say, so that both say the same.
type key struct {
	kind keyKind
	a, b string // the text, or the two numbers
}

// parseKey tells which kind of key s is. Shapes that could be several things
// are what keyHelp says; what looks like none is taken for a postcode, whose
// errors explain best.
func parseKey(s string) key {
	s = strings.TrimSpace(s)
	fields := strings.Fields(s)
	switch {
	case strings.Contains(s, ","):
		a, b, _ := strings.Cut(s, ",")
		return numbers(strings.TrimSpace(a), strings.TrimSpace(b), keyDegrees)
	case s != "" && strings.Trim(s, "0123456789.+- \t") == "":
		if len(fields) == 2 {
			return numbers(fields[0], fields[1], keyMetres)
		}
		return key{kind: keyUPRN, a: s}
	}
	_, notPostcode := geo.ParsePostcode(s)
	_, notSector := geo.ParseSector(s)
	_, notOutcode := geo.ParseOutcode(s)
	n := len(fields)
	switch {
	case notPostcode == nil:
		return key{kind: keyPostcode, a: s}
	case isReal(notSector) && n > 1 && len(fields[n-1]) == 1:
		return key{kind: keySector, a: s}
	case isReal(notOutcode):
		return key{kind: keyOutcode, a: s}
	case isGridReference(strings.Join(fields, "")):
		return key{kind: keyGridReference, a: s}
	case notSector == nil:
		return key{kind: keySector, a: s}
	}
	return key{kind: keyPostcode, a: s}
}

// numbers is a key of two numbers. Their size tells degrees from metres where
// the sign between them says otherwise: nothing in Great Britain is within 180 m
// of the grid's origin, and no angle is over 180 degrees.
func numbers(a, b string, kind keyKind) key {
	x, errX := geo.ParseMetres(a)
	y, errY := geo.ParseMetres(b)
	if errX == nil && errY == nil {
		switch size := max(x, -x, y, -y); {
		case kind == keyMetres && size <= 180:
			kind = keyDegrees
		case kind == keyDegrees && size > 180:
			kind = keyMetres
		}
	}
	return key{kind, a, b}
}

// isReal reports whether err is none, or says no more than that the code is of
// a place outside Great Britain.
func isReal(err error) bool { return err == nil || errors.Is(err, geo.ErrOutOfArea) }

// isGridReference reports whether s, without spaces, is two letters and at
// least four digits. Fewer would be outcodes and sectors.
func isGridReference(s string) bool {
	if len(s) < 6 {
		return false
	}
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	return isLetter(s[0]) && isLetter(s[1]) && strings.Trim(s[2:], "0123456789") == ""
}

// text is the key as it was understood, for what is said about it.
func (k key) text() string {
	if k.kind == keyDegrees {
		return k.a + "," + k.b
	}
	return strings.TrimSpace(k.a + " " + k.b)
}

// uri is the HTTP request that asks for the key.
func (k key) uri(a *asked) string {
	q := url.Values{}
	var path string
	switch k.kind {
	case keyPostcode:
		path = "/v1/postcodes/" + url.PathEscape(k.a)
	case keyOutcode:
		path = "/v1/outcodes/" + url.PathEscape(k.a)
	case keySector:
		path = "/v1/sectors/" + url.PathEscape(k.a)
	case keyUPRN:
		path = "/v1/premises/" + url.PathEscape(k.a)
	case keyDegrees:
		path = "/v1/locations"
		q.Set("latitude", k.a)
		q.Set("longitude", k.b)
	case keyMetres:
		path = "/v1/locations"
		q.Set("easting", k.a)
		q.Set("northing", k.b)
	case keyGridReference:
		path = "/v1/locations"
		q.Set("grid_reference", k.a)
	}
	for name, value := range map[string]string{"on": a.on, "known": a.known} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if a.address != "" && k.kind == keyPostcode {
		q.Set("address", a.address)
	}
	if a.explain {
		q.Set("explain", "1")
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

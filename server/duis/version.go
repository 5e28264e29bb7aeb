package duis

import (
	"fmt"
	"strconv"
	"strings"
)

// Namespace is that of all elements, but for those of a [Fault].
const Namespace = "http://www.dccinterface.co.uk/ServiceUserGateway"

// Shape is how a DSPWANMatrix is laid out.
type Shape uint8

// The shapes.
const (
	Flat Shape = iota + 1 // up to 5.1
	List                  // from 5.3 on
)

// Version is a schemaVersion of DUIS.
type Version struct {
	Text  string // as it was given
	Shape Shape
}

// parseVersion reads a version, such as 5.4 or 5.3a, whose shape of answers is
// known.
func parseVersion(text string) (Version, error) {
	digits := text
	if n := len(text); n > 1 && text[n-1] >= 'a' && text[n-1] <= 'z' {
		digits = text[:n-1] // a lesser edition
	}
	majorText, minorText, dotted := strings.Cut(digits, ".")
	if !dotted {
		minorText = "0"
	}
	major, err := strconv.ParseUint(majorText, 10, 8)
	if err != nil || major == 0 {
		return Version{}, fmt.Errorf("%s is not a version of DUIS", quote(text))
	}
	minor, err := strconv.ParseUint(minorText, 10, 8)
	if err != nil {
		return Version{}, fmt.Errorf("%s is not a version of DUIS", quote(text))
	}
	switch {
	case major < 5 || major == 5 && minor <= 1:
		return Version{text, Flat}, nil
	case major > 5 || minor >= 3:
		return Version{text, List}, nil
	}
	return Version{}, fmt.Errorf("which shape of answer version %s reads is not known", text)
}

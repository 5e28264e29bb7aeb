package loader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"coverd/index"
)

// claimReader makes claims of the cells of one extract's rows or features.
type claimReader struct {
	csp    string
	asOf   index.Day
	values [numColumns]map[string]string // theirs = ours; nil: no mapping
}

func newClaimReader(e *Extract) *claimReader {
	r := &claimReader{csp: e.CSP, asOf: e.AsOf}
	for c, name := range columnNames {
		r.values[c] = e.Values[name]
	}
	return r
}

// mapped returns a cell's value in our spelling, without space around it.
func (r *claimReader) mapped(c column, cell []byte) []byte {
	cell = trimSpace(cell)
	if m := r.values[c]; m != nil {
		if ours, ok := m[string(cell)]; ok {
			return trimSpace([]byte(ours))
		}
	}
	return cell
}

// claim reads the cells of a claim, the first being that of firstClaim.
func (r *claimReader) claim(cells *[numClaimColumns][]byte) (c index.Claim, f *cellFault) {
	c.CSP, c.AsOf = r.csp, r.asOf
	cell := func(col column) []byte { return r.mapped(col, cells[col-firstClaim]) }
	// check turns the first error into a fault that names its column.
	check := func(col column, code Code, err error) {
		if err != nil && f == nil {
			f = fault(col.String(), code, "%s%s", err, r.hint(col, cell(col)))
		}
	}
	var err error
	if len(cell(colNetwork)) == 0 {
		err = errors.New("it is empty: a claim is about a network region")
	} else {
		c.Network, err = index.ParseNetworkRegion(cell(colNetwork))
	}
	check(colNetwork, CodeNetworkRegion, err)
	c.Availability, err = parseAvailability(cell(colAvailable))
	check(colAvailable, CodeAvailability, err)
	c.Anticipated, err = parseDay(cell(colAnticipated))
	check(colAnticipated, CodeDate, err)
	c.End, err = parseDay(cell(colEnd))
	check(colEnd, CodeDate, err)
	c.Likelihood, err = index.ParseLikelihood(cell(colLikelihood))
	check(colLikelihood, CodeLikelihood, err)
	for _, t := range [...]struct {
		col  column
		text *string
	}{{colTechnology, &c.Technology}, {colVariant, &c.Variant}, {colAuxiliary, &c.Auxiliary}, {colInfo, &c.Info}} {
		*t.text = string(cell(t.col))
		check(t.col, CodeTooLong, checkLength(t.col, *t.text))
	}
	if f == nil && c.Availability == index.AvailabilityFalse && c.Anticipated != 0 && c.End != 0 && c.End < c.Anticipated {
		f = fault(colEnd.String(), CodeDateOrder, "a plan that ends before it starts: coverage ends on %v, and is anticipated on %v", c.End, c.Anticipated)
	}
	return c, f
}

// hint helps with a value that may just be spelt otherwise.
func (r *claimReader) hint(c column, cell []byte) string {
	var known []string
	switch c {
	case colNetwork:
		known = networkNames()
	case colAvailable:
		known = []string{"true", "false"}
	case colLikelihood:
		known = []string{"High", "Medium", "Low"}
	default:
		return ""
	}
	if len(cell) == 0 {
		return ""
	}
	for _, k := range known {
		if strings.EqualFold(k, string(cell)) || strings.EqualFold(k[:1], string(cell)) {
			return fmt.Sprintf("; if it means %s, say so under [extract.values.%v]: %q = %q", k, c, string(cell), k)
		}
	}
	return fmt.Sprintf("; other spellings go under [extract.values.%v]", c)
}

// parseAvailability reads true or false, in any case; empty is unknown.
func parseAvailability(cell []byte) (index.Availability, error) {
	switch {
	case len(cell) == 0:
		return index.AvailabilityUnknown, nil
	case bytes.EqualFold(cell, []byte("true")):
		return index.AvailabilityTrue, nil
	case bytes.EqualFold(cell, []byte("false")):
		return index.AvailabilityFalse, nil
	}
	return 0, fmt.Errorf("neither true nor false, nor empty for unknown: %q", clip(cell))
}

// parseDay reads a date; empty is none.
func parseDay(cell []byte) (index.Day, error) {
	if len(cell) == 0 {
		return 0, nil
	}
	return index.ParseDay(cell)
}

func checkLength(c column, text string) error {
	if most := maxLength[c]; len(text) > most {
		if n := utf8.RuneCountInString(text); n > most {
			return fmt.Errorf("%d characters: at most %d", n, most)
		}
	}
	return nil
}

// mayBreak reports whether a column's text may have line breaks in it: free
// text may, and what is not read is none of our business.
func mayBreak(name string) bool {
	return name == colAddress.String() || name == colInfo.String() || !slices.Contains(columnNames[:], name)
}

// textFault looks for what text must not hold, bytes that are not UTF-8 and
// control characters, and says what it found; the code is "" for good text.
// breaks allows line ends, which the lexer has made LF.
func textFault(b []byte, breaks bool) (code Code, what string) {
	for i := 0; i < len(b); {
		c, n := utf8.DecodeRune(b[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			return CodeEncoding, fmt.Sprintf("not UTF-8: byte %d is 0x%02X; is it Latin-1 or Windows-1252?", i+1, b[i])
		case c == '\n' && breaks:
		case c == '\n' || c == '\r':
			return CodeControl, "a line break inside it"
		case c == '\t':
			return CodeControl, "a tab in it"
		case unicode.IsControl(c):
			return CodeControl, fmt.Sprintf("a control character: byte %d starts U+%04X", i+1, c)
		}
		i += n
	}
	return "", ""
}

// isPlain reports, fast, whether b is printable ASCII alone; if not, textFault
// must say whether it is good. It looks at eight bytes at a time: the highest
// bit of each comes to be set by a byte below 0x20, by 0x7f, and by one above. A
// borrow from the next byte can only raise a false alarm where there is a true
// one.
func isPlain(b []byte) bool {
	const each = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		v := binary.LittleEndian.Uint64(b)
		if (v|(v-each*0x20)|(v+each))&(each*0x80) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c-0x20 > 0x7e-0x20 {
			return false
		}
	}
	return true
}

// clip shortens a cell for a message.
func clip(cell []byte) string {
	cell = cell[:min(len(cell), 400)] // a cell may have megabytes, and a character four
	if s := []rune(string(cell)); len(s) > 60 {
		return string(s[:60]) + "…"
	}
	return string(cell)
}

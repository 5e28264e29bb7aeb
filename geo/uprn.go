package geo

import (
	"errors"
	"fmt"
	"strconv"
)

// A UPRN is a Unique Property Reference Number: 1 to MaxUPRN, 40 bits. It does
// not encode a location. The zero value is none. As text and in JSON it is a
// string of digits without padding.
type UPRN uint64

// MaxUPRN is the highest UPRN: twelve digits.
const MaxUPRN UPRN = 999_999_999_999

// ErrMalformedUPRN is the kind of every error of [ParseUPRN].
var ErrMalformedUPRN = errors.New("malformed UPRN")

// A UPRNError tells why a text is not a UPRN. It unwraps to
// [ErrMalformedUPRN].
type UPRNError struct {
	Input string
	Pos   int    // byte of Input at which it went wrong; len(Input) at its end
	Msg   string // what is wrong
}

func (e *UPRNError) Error() string {
	return fmt.Sprintf("not a UPRN: %q: %s", clip(e.Input), e.Msg)
}

// Unwrap returns [ErrMalformedUPRN].
func (e *UPRNError) Unwrap() error { return ErrMalformedUPRN }

// ParseUPRN reads a UPRN: one to twelve digits, with any number of zeros and
// white space before them, and white space after. Errors are [*UPRNError];
// success allocates nothing.
func ParseUPRN[T ~string | ~[]byte](s T) (UPRN, error) {
	i, end := 0, len(s)
	for i < end && isSpace(s[i]) {
		i++
	}
	for i < end && isSpace(s[end-1]) {
		end--
	}
	if i == end {
		return 0, &UPRNError{string(s), i, "it is empty"}
	}
	var u UPRN
	for ; i < end; i++ {
		c := s[i]
		if !isDigit(c) {
			return 0, &UPRNError{string(s), i, uprnFault(c)}
		}
		if u = u*10 + UPRN(c-'0'); u > MaxUPRN {
			return 0, &UPRNError{string(s), i, "it has more than 12 digits"}
		}
	}
	if u == 0 {
		return 0, &UPRNError{string(s), 0, "it is zero; UPRNs start at 1"}
	}
	return u, nil
}

// uprnFault explains a character that is no digit.
func uprnFault(c byte) string {
	switch c {
	case '.', 'e', 'E', '+':
		return "it has only digits; a spreadsheet may have turned it into a decimal number"
	case '-':
		return "it has only digits, no sign or hyphen"
	case ',', ' ', '\t':
		return "it has only digits, without separators"
	}
	return "it has only digits"
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// IsValid reports whether u is within 1 to [MaxUPRN].
func (u UPRN) IsValid() bool { return u > 0 && u <= MaxUPRN }

// AppendTo appends the UPRN's digits, without padding; nothing for zero.
func (u UPRN) AppendTo(b []byte) []byte {
	if u == 0 {
		return b
	}
	return strconv.AppendUint(b, uint64(u), 10)
}

// String returns the UPRN's digits, without padding; "" for zero.
func (u UPRN) String() string {
	var buf [20]byte
	return string(u.AppendTo(buf[:0]))
}

// AppendText implements [encoding.TextAppender]; it never fails.
func (u UPRN) AppendText(b []byte) ([]byte, error) { return u.AppendTo(b), nil }

// MarshalText implements [encoding.TextMarshaler]; zero is "". It makes JSON
// a string, since many readers of JSON lose digits of large numbers.
func (u UPRN) MarshalText() ([]byte, error) { return u.AppendTo(nil), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] as [ParseUPRN] does, and
// reads "" as zero.
func (u *UPRN) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*u = 0
		return nil
	}
	*u, err = ParseUPRN(text)
	return err
}

package geo

import (
	"cmp"
	"strings"
)

// The alphabets of the grammar, each in byte order. A letter's place in its
// alphabet is its digit in an ordinal.
const (
	firstLetters  = "ABCDEFGHIJKLMNOPRSTUWYZ" // not Q V X
	secondLetters = "ABCDEFGHKLMNOPQRSTUVWXY" // not I J Z
	thirdLetters  = "ABCDEFGHJKPSTUW"         // A9A
	fourthLetters = "ABEHMNPRVWXY"            // AA9A
	inwardLetters = "ABDEFGHJLNPQRSTUWXYZ"    // not C I K M O V
)

// Sizes of the grammar's blocks: after the area's letters come ten districts
// of one digit, ninety of two (no leading zero), or a digit and a letter.
const (
	perSingle = 10 + 90 + 10*len(thirdLetters)               // 250 outcodes to a one-letter area
	perDouble = 10 + 90 + 10*len(fourthLetters)              // 220 to a two-letter area
	perFirst  = perSingle + len(secondLetters)*perDouble     // 5,310 to a first letter
	Outcodes  = len(firstLetters) * perFirst                 // outcodes in the grammar: 122,130
	Inwards   = 10 * len(inwardLetters) * len(inwardLetters) // inward codes to an outcode: 4,000
	Sectors   = Outcodes * 10                                // sectors in the grammar: 1,221,300
	Postcodes = Outcodes * Inwards                           // postcodes in the grammar: 488,520,000, 29 bits
)

// An Outcode is the outward half of a postcode, such as GU1 or SW1A: any that
// the grammar allows, whether or not it is in use. The zero value is none.
//
// The six shapes (A9, A99, A9A, AA9, AA99, AA9A) over their alphabets make
// 122,130 outcodes. Their order is that of their texts.
type Outcode struct{ n uint32 } // ordinal+1

// alphabet maps a byte to its place in a set of letters, others to -1.
type alphabet [256]int8

func newAlphabet(letters string) *alphabet {
	var a alphabet
	for c := range a {
		a[c] = int8(strings.IndexByte(letters, byte(c)))
	}
	return &a
}

var (
	firstOf  = newAlphabet(firstLetters)
	secondOf = newAlphabet(secondLetters)
	thirdOf  = newAlphabet(thirdLetters)
	fourthOf = newAlphabet(fourthLetters)
	inwardOf = newAlphabet(inwardLetters)
)

// ParseOutcode reads an outcode. Letter case does not matter, nor do white
// space around it and between letters and digits; but "E1 1" is a sector and
// not the outcode E11. Errors are [*PostcodeError], of kind [ErrMalformed] or
// [ErrOutOfArea]; success allocates nothing.
func ParseOutcode[T ~string | ~[]byte](s T) (Outcode, error) {
	var buf [maxChars]byte
	n, gap := squeeze(s, &buf)
	o, ok := outward(buf[:n])
	if !ok || outsideGB(&buf) || gap > areaLen(&buf) {
		return Outcode{}, explain(string(s), outcodeKind)
	}
	return o, nil
}

// OutcodeFromOrdinal is the inverse of [Outcode.Ordinal]; false when n is not
// below [Outcodes].
func OutcodeFromOrdinal(n uint32) (Outcode, bool) {
	if n >= uint32(Outcodes) {
		return Outcode{}, false
	}
	return Outcode{n + 1}, true
}

// Ordinal returns the outcode's place in the grammar, from 0 to Outcodes-1.
// The zero Outcode has none.
func (o Outcode) Ordinal() uint32 { return o.n - 1 }

// IsValid reports whether o is an outcode, and not the zero value.
func (o Outcode) IsValid() bool { return o.n != 0 }

// Compare orders outcodes by their texts: E1, E10, E1W, E2, EC1A.
func (o Outcode) Compare(p Outcode) int { return cmp.Compare(o.n, p.n) }

// AppendTo appends the outcode's text, or nothing for the zero value.
func (o Outcode) AppendTo(b []byte) []byte {
	if !o.IsValid() {
		return b
	}
	n := int(o.Ordinal())
	b = append(b, firstLetters[n/perFirst])
	n %= perFirst
	last := thirdLetters
	if n >= perSingle {
		n -= perSingle
		b = append(b, secondLetters[n/perDouble])
		n %= perDouble
		last = fourthLetters
	}
	// District 0 lacks the ten that would have a leading zero; as if it had
	// them, all districts are alike.
	if n > 0 && n <= len(last) {
		return append(b, '0', last[n-1])
	}
	if n > 0 {
		n += 10
	}
	per := 1 + 10 + len(last)
	b = append(b, '0'+byte(n/per))
	switch n %= per; {
	case n == 0:
		return b
	case n <= 10:
		return append(b, '0'+byte(n-1))
	default:
		return append(b, last[n-11])
	}
}

// String returns the outcode's text, or "" for the zero value.
func (o Outcode) String() string {
	var buf [4]byte
	return string(o.AppendTo(buf[:0]))
}

// Area returns the outcode's area, its one or two leading letters, or "" for
// the zero value.
func (o Outcode) Area() string {
	var buf [4]byte
	b := o.AppendTo(buf[:0])
	for i, c := range b {
		if isDigit(c) {
			return string(b[:i])
		}
	}
	return ""
}

// AppendText implements [encoding.TextAppender]; it never fails.
func (o Outcode) AppendText(b []byte) ([]byte, error) { return o.AppendTo(b), nil }

// MarshalText implements [encoding.TextMarshaler]; the zero value is "".
func (o Outcode) MarshalText() ([]byte, error) { return o.AppendTo(nil), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] as [ParseOutcode] does,
// and reads "" as the zero value.
func (o *Outcode) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*o = Outcode{}
		return nil
	}
	*o, err = ParseOutcode(text)
	return err
}

// outward reads an outcode in capitals, without spaces.
func outward(b []byte) (Outcode, bool) {
	if len(b) < 2 || len(b) > 4 {
		return Outcode{}, false
	}
	first := firstOf[b[0]]
	if first < 0 {
		return Outcode{}, false
	}
	n, last, size := int(first)*perFirst, thirdOf, len(thirdLetters)
	b = b[1:]
	if second := secondOf[b[0]]; second >= 0 {
		n += perSingle + int(second)*perDouble
		last, size = fourthOf, len(fourthLetters)
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 2 || !isDigit(b[0]) {
		return Outcode{}, false
	}
	d, twos := int(b[0]-'0'), 10
	if d == 0 {
		twos = 0 // no leading zero
	} else {
		n += d*(1+10+size) - 10
	}
	if len(b) == 2 {
		switch c := b[1]; {
		case isDigit(c) && d > 0:
			n += 1 + int(c-'0')
		case last[c] >= 0:
			n += 1 + twos + int(last[c])
		default:
			return Outcode{}, false
		}
	}
	return Outcode{uint32(n) + 1}, true
}

// areaLen returns how many letters a well-formed outcode starts with.
func areaLen(b *[maxChars]byte) int {
	if isDigit(b[1]) {
		return 1
	}
	return 2
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'A' <= c && c <= 'Z' }

package geo

import "cmp"

// A Postcode is one postcode unit, such as GU1 1AA: any that the grammar
// allows, whether or not it is in use. The zero value is none.
//
// It is a number, the code's place among the grammar's 488,520,000 (29 bits):
// 122,130 outcodes with 4,000 inward codes each. The order is directory order,
// which is the byte order of the texts: E1 1AA, E10 1AA, E1W 1AA, E2 1AA.
//
// The six shapes and their alphabets alone decide what is well-formed, never
// the habits of an area ([Outcode.Hint]), and being well-formed says nothing
// of existence: new postcodes are in use before any directory lists them.
type Postcode struct{ n uint32 } // ordinal+1

// maxChars is the most letters and digits a postcode has.
const maxChars = 7

// ParsePostcode reads a postcode. Letter case does not matter, nor does white
// space (ASCII, or U+00A0): the last three characters are the inward code.
// Errors are [*PostcodeError], of kind [ErrMalformed] or [ErrOutOfArea];
// success allocates nothing.
func ParsePostcode[T ~string | ~[]byte](s T) (Postcode, error) {
	var buf [maxChars]byte
	n, _ := squeeze(s, &buf)
	p, ok := postcode(buf[:n])
	if !ok || outsideGB(&buf) {
		return Postcode{}, explain(string(s), postcodeKind)
	}
	return p, nil
}

// postcode reads a postcode in capitals, without spaces.
func postcode(b []byte) (Postcode, bool) {
	n := len(b) - 3
	if n < 2 {
		return Postcode{}, false
	}
	o, ok := outward(b[:n])
	l1, l2 := inwardOf[b[n+1]], inwardOf[b[n+2]]
	if !ok || !isDigit(b[n]) || l1 < 0 || l2 < 0 {
		return Postcode{}, false
	}
	return PostcodeFrom(o, (uint16(b[n]-'0')*20+uint16(l1))*20+uint16(l2))
}

// squeeze copies the letters and digits of s to b, in capitals, and returns
// how many there are: 0 when s has other characters than these and white
// space, or too many. Gap is how many precede the last inner white space.
func squeeze[T ~string | ~[]byte](s T, b *[maxChars]byte) (n, gap int) {
	space := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == ' ', '\t' <= c && c <= '\r':
			space = n
			continue
		case c == nbsp[0] && i+1 < len(s) && s[i+1] == nbsp[1]:
			space = n
			i++
			continue
		default:
			return 0, 0
		}
		if n == maxChars {
			return 0, 0
		}
		b[n], gap = c, space
		n++
	}
	return n, gap
}

// nbsp is the no-break space, which word processors put into postcodes.
const nbsp = "\u00a0"

// PostcodeFrom returns a postcode of an outcode; false when the outcode is the
// zero value or the inward code not below [Inwards].
func PostcodeFrom(o Outcode, inward uint16) (Postcode, bool) {
	if !o.IsValid() || int(inward) >= Inwards {
		return Postcode{}, false
	}
	return Postcode{o.Ordinal()*uint32(Inwards) + uint32(inward) + 1}, true
}

// PostcodeFromOrdinal is the inverse of [Postcode.Ordinal]; false when n is
// not below [Postcodes].
func PostcodeFromOrdinal(n uint32) (Postcode, bool) {
	if n >= uint32(Postcodes) {
		return Postcode{}, false
	}
	return Postcode{n + 1}, true
}

// Ordinal returns the postcode's place in the grammar, from 0 to Postcodes-1.
// The zero Postcode has none.
func (p Postcode) Ordinal() uint32 { return p.n - 1 }

// IsValid reports whether p is a postcode, and not the zero value.
func (p Postcode) IsValid() bool { return p.n != 0 }

// Outcode returns the postcode's outcode.
func (p Postcode) Outcode() Outcode {
	if !p.IsValid() {
		return Outcode{}
	}
	return Outcode{p.Ordinal()/uint32(Inwards) + 1}
}

// Sector returns the postcode's sector.
func (p Postcode) Sector() Sector {
	if !p.IsValid() {
		return Sector{}
	}
	return Sector{p.Ordinal()/uint32(Inwards/10) + 1}
}

// Inward returns the place of the inward code among those of the outcode, from
// 0 (0AA) to Inwards-1 (9ZZ).
func (p Postcode) Inward() uint16 {
	if !p.IsValid() {
		return 0
	}
	return uint16(p.Ordinal() % uint32(Inwards))
}

// Compare orders postcodes as directories do, by their texts.
func (p Postcode) Compare(q Postcode) int { return cmp.Compare(p.n, q.n) }

// AppendTo appends the postcode's text, in capitals with one space, or nothing
// for the zero value.
func (p Postcode) AppendTo(b []byte) []byte {
	if !p.IsValid() {
		return b
	}
	in := p.Inward()
	return append(p.Outcode().AppendTo(b), ' ', '0'+byte(in/400), inwardLetters[in/20%20], inwardLetters[in%20])
}

// String returns the postcode's text, such as "GU1 1AA", or "" for the zero
// value.
func (p Postcode) String() string {
	var buf [8]byte
	return string(p.AppendTo(buf[:0]))
}

// AppendText implements [encoding.TextAppender]; it never fails.
func (p Postcode) AppendText(b []byte) ([]byte, error) { return p.AppendTo(b), nil }

// MarshalText implements [encoding.TextMarshaler]; the zero value is "".
func (p Postcode) MarshalText() ([]byte, error) { return p.AppendTo(nil), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] as [ParsePostcode] does,
// and reads "" as the zero value.
func (p *Postcode) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*p = Postcode{}
		return nil
	}
	*p, err = ParsePostcode(text)
	return err
}

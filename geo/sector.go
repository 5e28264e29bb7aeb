package geo

import "cmp"

// A Sector is an outcode and the digit that begins the inward code, such as
// GU1 1: any that the grammar allows. The zero value is none. The order is
// that of the texts: E1 0, E1 9, E10 0, E1W 1, E2 0.
type Sector struct{ n uint32 } // ordinal+1

// ParseSector reads a sector: an outcode and one digit, with or without white
// space, so that "E11" is E1 1 and "E11 1" is E11 1. Errors are
// [*PostcodeError], of kind [ErrMalformed] or [ErrOutOfArea]; success
// allocates nothing.
func ParseSector[T ~string | ~[]byte](s T) (Sector, error) {
	var buf [maxChars]byte
	n, _ := squeeze(s, &buf)
	q, ok := sector(buf[:n])
	if !ok || outsideGB(&buf) {
		return Sector{}, explain(string(s), sectorKind)
	}
	return q, nil
}

// sector reads a sector in capitals, without spaces.
func sector(b []byte) (Sector, bool) {
	n := len(b) - 1
	if n < 2 || !isDigit(b[n]) {
		return Sector{}, false
	}
	o, ok := outward(b[:n])
	if !ok {
		return Sector{}, false
	}
	return SectorFrom(o, b[n]-'0')
}

// SectorFrom returns a sector of an outcode; false when the outcode is the
// zero value or the digit above 9.
func SectorFrom(o Outcode, digit uint8) (Sector, bool) {
	if !o.IsValid() || digit > 9 {
		return Sector{}, false
	}
	return Sector{o.Ordinal()*10 + uint32(digit) + 1}, true
}

// SectorFromOrdinal is the inverse of [Sector.Ordinal]; false when n is not
// below [Sectors].
func SectorFromOrdinal(n uint32) (Sector, bool) {
	if n >= uint32(Sectors) {
		return Sector{}, false
	}
	return Sector{n + 1}, true
}

// Ordinal returns the sector's place in the grammar, from 0 to Sectors-1.
// The zero Sector has none.
func (q Sector) Ordinal() uint32 { return q.n - 1 }

// IsValid reports whether q is a sector, and not the zero value.
func (q Sector) IsValid() bool { return q.n != 0 }

// Outcode returns the sector's outcode.
func (q Sector) Outcode() Outcode {
	if !q.IsValid() {
		return Outcode{}
	}
	return Outcode{q.Ordinal()/10 + 1}
}

// Digit returns the sector's digit, 0 to 9.
func (q Sector) Digit() uint8 {
	if !q.IsValid() {
		return 0
	}
	return uint8(q.Ordinal() % 10)
}

// Compare orders sectors by their texts.
func (q Sector) Compare(r Sector) int { return cmp.Compare(q.n, r.n) }

// AppendTo appends the sector's text with its space, or nothing for the zero
// value.
func (q Sector) AppendTo(b []byte) []byte {
	if !q.IsValid() {
		return b
	}
	return append(q.Outcode().AppendTo(b), ' ', '0'+q.Digit())
}

// String returns the sector's text, such as "GU1 1", or "" for the zero value.
func (q Sector) String() string {
	var buf [6]byte
	return string(q.AppendTo(buf[:0]))
}

// AppendText implements [encoding.TextAppender]; it never fails.
func (q Sector) AppendText(b []byte) ([]byte, error) { return q.AppendTo(b), nil }

// MarshalText implements [encoding.TextMarshaler]; the zero value is "".
func (q Sector) MarshalText() ([]byte, error) { return q.AppendTo(nil), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] as [ParseSector] does,
// and reads "" as the zero value.
func (q *Sector) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*q = Sector{}
		return nil
	}
	*q, err = ParseSector(text)
	return err
}

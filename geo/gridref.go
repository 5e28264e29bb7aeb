package geo

import (
	"errors"
	"fmt"
	"math"
)

// GridRef is a National Grid reference: a square, from 10 km (two figures) to
// 1 m (ten figures) wide.
type GridRef struct {
	Corner Grid    // the south-west corner
	Size   float64 // the width in metres
}

// Centre returns the middle of the square.
func (r GridRef) Centre() Grid { return Grid{r.Corner.E + r.Size/2, r.Corner.N + r.Size/2} }

// ErrMalformedGridRef is what the errors of ParseGridRef wrap.
var ErrMalformedGridRef = errors.New("not a grid reference")

func gridRefError(s, why string) error {
	return fmt.Errorf("%w: %q: %s", ErrMalformedGridRef, clip(s), why)
}

// ParseGridRef reads a reference such as `SU 99049 50522`, `su9950` or `TQ38`:
// two letters and 2 to 10 figures, an even number. Case and spaces do not
// matter. Squares off the grid's 700 by 1,300 km are refused.
func ParseGridRef[T ~string | ~[]byte](s T) (GridRef, error) {
	var letters [2]byte
	var figures [10]byte
	nl, nf := 0, 0
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch {
		case c == ' ' || c == '\t':
		case c >= 'A' && c <= 'Z' && nf == 0 && nl < 2:
			if c == 'I' {
				return GridRef{}, gridRefError(string(s), "the letter I is not used")
			}
			letters[nl] = c
			nl++
		case c >= '0' && c <= '9' && nl == 2 && nf < 10:
			figures[nf] = c - '0'
			nf++
		case c >= '0' && c <= '9' && nl == 2:
			return GridRef{}, gridRefError(string(s), "more than ten figures")
		default:
			return GridRef{}, gridRefError(string(s), "want two letters and then figures, such as SU 990 505")
		}
	}
	switch {
	case nl < 2:
		return GridRef{}, gridRefError(string(s), "want two letters and then figures, such as SU 990 505")
	case nf == 0:
		return GridRef{}, gridRefError(string(s), "a square of 100 km is no location: add at least two figures")
	case nf%2 != 0:
		return GridRef{}, gridRefError(string(s), "an odd number of figures: easting and northing have equally many")
	}
	// Letters count from A in the north-west, by rows of five, I left out: the
	// first in squares of 500 km from 1,000 km west and 500 km south of the
	// false origin, the second in squares of 100 km.
	column, row := 0, 0
	for i, scale := range [...]int{5, 1} {
		k := int(letters[i] - 'A')
		if letters[i] > 'I' {
			k--
		}
		column += k % 5 * scale
		row += (4 - k/5) * scale
	}
	column, row = column-10, row-5
	if column < 0 || column > 6 || row < 0 || row > 12 {
		return GridRef{}, gridRefError(string(s), "the square "+string(letters[:])+" is not on the National Grid")
	}
	e, n, size := 0, 0, 100_000
	for i := range nf / 2 {
		size /= 10
		e += int(figures[i]) * size
		n += int(figures[nf/2+i]) * size
	}
	return GridRef{Grid{float64(column*100_000 + e), float64(row*100_000 + n)}, float64(size)}, nil
}

// AppendRef appends the reference of the square that holds g, of the given
// number of figures (even, 2 to 10; others are taken as 10), with spaces:
// `SU 99049 50522`. It appends nothing off the grid's 700 by 1,300 km.
func (g Grid) AppendRef(b []byte, figures int) []byte {
	if !(g.E >= 0 && g.E < 700_000 && g.N >= 0 && g.N < 1_300_000) {
		return b
	}
	if figures < 2 || figures > 10 || figures%2 != 0 {
		figures = 10
	}
	e, n := int(math.Floor(g.E)), int(math.Floor(g.N))
	column, row := e/100_000+10, n/100_000+5
	for _, k := range [...]int{(4-row/5)*5 + column/5, (4-row%5)*5 + column%5} {
		c := 'A' + byte(k)
		if c >= 'I' {
			c++
		}
		b = append(b, c)
	}
	for _, v := range [...]int{e % 100_000, n % 100_000} {
		b = append(b, ' ')
		for i, unit := 0, 10_000; i < figures/2; i, unit = i+1, unit/10 {
			b = append(b, byte('0'+v/unit%10))
		}
	}
	return b
}

// Ref is AppendRef as a string.
func (g Grid) Ref(figures int) string { return string(g.AppendRef(nil, figures)) }

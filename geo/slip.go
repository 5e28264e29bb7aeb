package geo

import (
	"fmt"
	"slices"
	"strings"
)

// slots says, for each outward shape and position, which characters may stand
// there.
var slots = [][]string{
	{firstLetters, digits},
	{firstLetters, digits[1:], digits},
	{firstLetters, digits, thirdLetters},
	{firstLetters, secondLetters, digits},
	{firstLetters, secondLetters, digits[1:], digits},
	{firstLetters, secondLetters, digits, fourthLetters},
}

const digits = "0123456789"

// tailSlots is what follows the outward code.
var tailSlots = map[string][]string{
	postcodeKind: {digits, inwardLetters, inwardLetters},
	sectorKind:   {digits},
}

// letterFor and digitFor pair letters and digits that are taken for each
// other, by eye or by machine.
func letterFor(digit byte) string {
	switch digit {
	case '0':
		return "O"
	case '1':
		return "IL"
	case '2':
		return "Z"
	case '5':
		return "S"
	case '6':
		return "G"
	case '8':
		return "B"
	}
	return ""
}

func digitFor(letter byte) byte {
	switch letter {
	case 'O', 'Q':
		return '0'
	case 'I', 'L':
		return '1'
	case 'Z':
		return '2'
	case 'S':
		return '5'
	case 'G':
		return '6'
	case 'B':
		return '8'
	}
	return 0
}

// letterLike returns letters that look like one that never stands there.
func letterLike(letter byte) string {
	switch letter {
	case 'C':
		return "G"
	case 'I':
		return "LJ"
	case 'J', 'L':
		return "I"
	case 'K':
		return "X"
	case 'M':
		return "N"
	case 'O':
		return "QD"
	case 'Q':
		return "O"
	case 'V':
		return "UWY"
	case 'X':
		return "K"
	case 'Z':
		return "S"
	case '0':
		return "DQ" // where there is no O
	}
	return ""
}

// maxSlips is how many slips a text may have before it is something else. A
// letter that never stands in its place counts for three.
const maxSlips = 3

// read adds the codes that a text is when letters and digits that look alike
// may stand for each other, at most slips of them.
func (s *suggester) read(text string, cost, slips int, reason string) {
	for _, out := range slots {
		tail := tailSlots[s.what]
		if len(text) != len(out)+len(tail) {
			continue
		}
		m := matcher{s: s, slots: slices.Concat(out, tail), buf: []byte(text)}
		m.match(0, cost, slips, reason)
	}
}

// matcher fills the positions of one shape from the left.
type matcher struct {
	s     *suggester
	slots []string
	buf   []byte
}

func (m *matcher) match(i, cost, slips int, reason string) {
	if i == len(m.buf) {
		m.s.add(string(m.buf), m.s.what, cost, reason)
		return
	}
	given := m.buf[i]
	try := func(c byte, slip, price int, format string) {
		if slip > slips || strings.IndexByte(m.slots[i], c) < 0 {
			return
		}
		next := fmt.Sprintf(format, c, given)
		if reason != "" {
			next = reason + ", " + next
		}
		m.buf[i] = c
		m.match(i+1, cost+price, slips-slip, next)
		m.buf[i] = given
	}
	switch {
	case strings.IndexByte(m.slots[i], given) >= 0:
		m.match(i+1, cost, slips, reason)
	case isDigit(m.slots[i][0]):
		if d := digitFor(given); d != 0 {
			try(d, 1, costSlip, "digit %c for letter %c")
		}
	default:
		for _, c := range []byte(letterFor(given)) {
			try(c, 1, costSlip, "letter %c for digit %c")
		}
		for _, c := range []byte(letterLike(given)) {
			try(c, maxSlips, costEdit, "letter %c for %c")
		}
	}
}

package requests

import (
	"crypto/rand"
	"errors"
)

// Reference is what a request goes by: SR-7K3M-9QXD, eight digits of Crockford's
// base 32, which has no I, L, O or U, so that it can be read out on the telephone.
// Its 40 bits are random: a million requests leave one guess in a million right.
type Reference string

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewReference makes one.
func NewReference() Reference {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	b := []byte("SR-0000-0000")
	for i, at := range digitsAt {
		b[at] = crockford[random[i]&31]
	}
	return Reference(b)
}

var digitsAt = [8]int{3, 4, 5, 6, 8, 9, 10, 11}

// ErrReference is a text that is no reference.
var ErrReference = errors.New("not the reference of a service request")

// ParseReference reads a reference as people write it: letter case, spaces and
// hyphens do not matter, O is 0, and I and L are 1.
func ParseReference(s string) (Reference, error) {
	var digits []byte
	for _, c := range []byte(s) {
		switch {
		case c == '-' || c == ' ':
			continue
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		if len(digits) == 10 {
			return "", ErrReference
		}
		digits = append(digits, c)
	}
	if len(digits) != 10 || digits[0] != 'S' || digits[1] != 'R' {
		return "", ErrReference
	}
	b := []byte("SR-0000-0000")
	for i, at := range digitsAt {
		c := digits[2+i]
		switch c {
		case 'O':
			c = '0'
		case 'I', 'L':
			c = '1'
		}
		if !isCrockford(c) {
			return "", ErrReference
		}
		b[at] = c
	}
	return Reference(b), nil
}

func isCrockford(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' && c != 'I' && c != 'L' && c != 'O' && c != 'U'
}

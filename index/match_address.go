package index

import (
	"bytes"
	"cmp"
	"slices"
)

// AddressGrade says how well an address identifier is another: the greater the
// better.
type AddressGrade uint8

// The grades of an address.
const (
	// AddressNone: it is another, or none.
	AddressNone AddressGrade = iota
	// AddressNormalised: it is the same by [NormalAddress].
	AddressNormalised
	// AddressExact: it is the same but for case and spacing, as [FoldAddress] has it.
	AddressExact
)

// String returns the grade's name in answers: none, normalised or exact.
func (g AddressGrade) String() string {
	switch g {
	case AddressExact:
		return "exact"
	case AddressNormalised:
		return "normalised"
	default:
		return "none"
	}
}

// AddressMatch tells which premises of a postcode have an address.
type AddressMatch struct {
	Grade AddressGrade // of all that were found
	Found []int        // places in the postcode, in order; none where Grade is AddressNone
}

// MatchAddress finds the premises of a postcode with an address identifier: those
// with the best grade that any of them has.
func (u Unit) MatchAddress(address string) AddressMatch {
	var m AddressMatcher
	m.Ask([]byte(address))
	found, grade := m.AppendFound(nil, u.AppendDetails(nil))
	return AddressMatch{grade, found}
}

// AddressMatcher finds the premises that have an address, and where none has,
// those whose addresses are most like it. The zero value is ready to be asked; it
// keeps its memory from one question to the next, and is not safe for concurrent
// use.
type AddressMatcher struct {
	asked   []byte
	normal  []byte // of what was asked
	other   []byte // of what it is compared with
	n       normaliser
	pairs   []uint16 // of normal
	theirs  []uint16 // of other
	ranking []likeness
}

// Ask says which address identifier is looked for from now on.
func (m *AddressMatcher) Ask(address []byte) {
	m.asked = append(m.asked[:0], address...)
	m.normal = m.n.append(m.normal[:0], address)
}

// Grade compares an address identifier with the one asked for. Two empty ones,
// which identify nothing, are not the same.
func (m *AddressMatcher) Grade(address []byte) AddressGrade {
	switch {
	case len(address) == 0:
		return AddressNone
	case SameAddress(m.asked, address):
		return AddressExact
	case len(m.normal) == 0:
		return AddressNone
	}
	if m.other = m.n.append(m.other[:0], address); bytes.Equal(m.normal, m.other) {
		return AddressNormalised
	}
	return AddressNone
}

// AppendFound appends the places in list of the premises that have the address,
// at the best grade that any of them has it, and returns that.
func (m *AddressMatcher) AppendFound(dst []int, list []Details) ([]int, AddressGrade) {
	from := len(dst)
	for i := range list {
		if len(list[i].Address) > 0 && SameAddress(m.asked, list[i].Address) {
			dst = append(dst, i)
		}
	}
	if len(dst) > from {
		return dst, AddressExact
	}
	for i := range list {
		if m.Grade(list[i].Address) == AddressNormalised {
			dst = append(dst, i)
		}
	}
	if len(dst) > from {
		return dst, AddressNormalised
	}
	return dst, AddressNone
}

// likeness says how much an address is like the one asked for.
type likeness struct {
	at            int
	common, total int // pairs of characters in both; in each, added up
}

// comparedBytes is how much of a normal form is compared for likeness: the
// addresses of extracts have 30 characters.
const comparedBytes = 128

// AppendCandidates appends the places in list of up to limit premises with
// different addresses, those most like the one asked for first, then in the order
// of the list. The measure is Dice's coefficient of the pairs of characters next
// to each other in the normal forms, ends included: it forgives a misspelt letter
// as well as words in another order.
func (m *AddressMatcher) AppendCandidates(dst []int, list []Details, limit int) []int {
	m.pairs = appendPairs(m.pairs[:0], m.normal)
	m.ranking = m.ranking[:0]
	last := []byte(nil)
	for i := range list {
		address := list[i].Address
		if len(address) == 0 || bytes.Equal(address, last) {
			continue
		}
		last = address
		m.other = m.n.append(m.other[:0], address)
		m.theirs = appendPairs(m.theirs[:0], m.other)
		m.ranking = append(m.ranking, likeness{i, inBoth(m.pairs, m.theirs), len(m.pairs) + len(m.theirs)})
	}
	slices.SortStableFunc(m.ranking, func(a, b likeness) int {
		return cmp.Compare(b.common*a.total, a.common*b.total)
	})
	for _, r := range m.ranking[:min(limit, len(m.ranking))] {
		dst = append(dst, r.at)
	}
	return dst
}

// appendPairs appends the pairs of neighbours in a normal form, in order.
func appendPairs(dst []uint16, normal []byte) []uint16 {
	before := byte(0)
	for _, c := range normal[:min(len(normal), comparedBytes)] {
		dst = append(dst, uint16(before)<<8|uint16(c))
		before = c
	}
	dst = append(dst, uint16(before)<<8)
	slices.Sort(dst)
	return dst
}

// inBoth counts what two ordered lists have in common.
func inBoth(a, b []uint16) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n, a, b = n+1, a[1:], b[1:]
		}
	}
	return n
}

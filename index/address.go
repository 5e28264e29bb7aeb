package index

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FoldAddress is the form in which address identifiers are compared: upper
// case, with every run of white space one space and none at the ends.
func FoldAddress(s string) string {
	return strings.ToUpper(strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " "))
}

// SameAddress reports whether two address identifiers are the same, case and
// spacing aside: as [FoldAddress] has it, without making anything.
func SameAddress(x, y []byte) bool {
	if !isASCII(x) || !isASCII(y) {
		return FoldAddress(string(x)) == FoldAddress(string(y))
	}
	x, y = bytes.TrimSpace(x), bytes.TrimSpace(y)
	i, j := 0, 0
	for i < len(x) && j < len(y) {
		c, d := x[i], y[j]
		if isSpace(c) && isSpace(d) {
			for isSpace(x[i]) {
				i++
			}
			for isSpace(y[j]) {
				j++
			}
			continue
		}
		if upper(c) != upper(d) {
			return false
		}
		i, j = i+1, j+1
	}
	return i == len(x) && j == len(y)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// compareAddress orders address identifiers as a person would list them:
// numbers in the text by their value, letters regardless of case, and what is
// still equal by its bytes.
func compareAddress(a, b string) int {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		if isDigit(a[i]) && isDigit(b[j]) {
			x, y := numberEnd(a, i), numberEnd(b, j)
			m, n := strings.TrimLeft(a[i:x], "0"), strings.TrimLeft(b[j:y], "0")
			if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
				return c
			}
			i, j = x, y
			continue
		}
		if c := cmp.Compare(upper(a[i]), upper(b[j])); c != 0 {
			return c
		}
		i, j = i+1, j+1
	}
	return cmp.Or(cmp.Compare(len(a)-i, len(b)-j), strings.Compare(a, b))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func numberEnd[T string | []byte](s T, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

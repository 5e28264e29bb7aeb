package loader

import (
	"bytes"
	"unicode/utf8"

	"coverd/index"
)

// matched counts the premises with an address, and returns the kind of the one in
// the worst state.
func (a *annotator) matched(unit index.Unit, address []byte) (kind uint32, n int) {
	a.details = unit.AppendDetails(a.details[:0])
	worst := index.State(0)
	for i := range a.details {
		d := &a.details[i]
		if !sameAddress(d.Address, address) {
			continue
		}
		n++
		if st := a.state(d.Kind); st > worst {
			kind, worst = d.Kind, st
		}
	}
	return kind, n
}

// sameAddress reports whether two address identifiers are the same, case and
// spacing aside, as [index.FoldAddress] has it.
func sameAddress(x, y []byte) bool {
	if !isASCII(x) || !isASCII(y) {
		return index.FoldAddress(string(x)) == index.FoldAddress(string(y))
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
		if upperASCII(c) != upperASCII(d) {
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

func upperASCII(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

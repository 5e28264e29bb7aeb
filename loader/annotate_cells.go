package loader

import (
	"math"
	"strconv"
)

// append appends the answer's cells, and counts it.
func (a *annotator) append(dst []byte, sum *sheetCounts) []byte {
	r, sep := &a.answer, a.columns.separator
	sum.outcomes[r.outcome]++
	sum.states[r.state]++
	dst = append(append(dst, sep), outcomeNames[r.outcome]...)
	dst = appendSheetCell(append(dst, sep), a.reason, sep)
	dst = append(append(dst, sep), r.state.String()...)
	dst = append(dst, sep)
	if r.hasFit {
		dst = append(r.fit.Status.From.AppendTo(dst), sep)
		dst = append(append(dst, r.fit.Claim.Network.String()...), sep)
		dst = append(appendSheetCell(dst, r.fit.Claim.Variant, sep), sep)
		dst = appendSheetCell(dst, r.fit.Claim.Auxiliary, sep)
	} else {
		dst = append(dst, sep, sep, sep)
	}
	dst = append(append(dst, sep), r.region.String()...)
	dst = append(append(dst, sep), r.basis...)
	dst = append(dst, sep)
	if r.confidence >= 0 && r.basis != "" {
		dst = strconv.AppendFloat(dst, math.Floor(1000*min(r.confidence, 1))/1000, 'f', 3, 64) // as in answers over HTTP: never rounded up
	}
	dst = append(dst, sep)
	if r.distance >= 0 && r.basis != "" {
		dst = strconv.AppendFloat(dst, r.distance, 'f', 1, 64)
	}
	return append(dst, a.last...)
}

// appendSheetCell appends a cell of our own, which no spreadsheet takes for a
// formula, and no line end is in.
func appendSheetCell[T ~string | ~[]byte](b []byte, cell T, separator byte) []byte {
	quote := false
	for i := range len(cell) {
		c := cell[i]
		quote = quote || c == separator || c == '"' || c < ' '
	}
	if !quote {
		if isFormula(cell) {
			b = append(b, '\'')
		}
		return append(b, cell...)
	}
	b = append(b, '"')
	if isFormula(cell) {
		b = append(b, '\'')
	}
	for i := range len(cell) {
		switch c := cell[i]; {
		case c == '"':
			b = append(b, '"', '"')
		case c < ' ' || c == 0x7f:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

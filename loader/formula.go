package loader

import (
	"strings"
	"unicode/utf8"
)

// Inert keeps a spreadsheet from taking a cell for a formula, by a quote in
// front of what would start one, or of a quote that looks like ours.
func Inert(cell string) string {
	if isFormula(cell) || isQuoted(cell) {
		return "'" + cell
	}
	return cell
}

// original undoes Inert.
func original(cell string) string {
	if isQuoted(cell) {
		return cell[1:]
	}
	return cell
}

// isFormula reports whether a cell starts with what makes a formula, or
// something like it, of it: the signs, also in full width, and the control
// characters that hide one.
func isFormula[T ~string | ~[]byte](cell T) bool {
	if len(cell) == 0 {
		return false
	}
	switch cell[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n', 0:
		return true
	case 0xef: // as every sign of full width
		first, _ := utf8.DecodeRuneInString(string(cell[:min(len(cell), utf8.UTFMax)]))
		return strings.ContainsRune("＝＋－＠", first)
	}
	return false
}

// isQuoted reports whether a cell is a formula with quotes in front.
func isQuoted(cell string) bool {
	rest := strings.TrimLeft(cell, "'")
	return len(rest) < len(cell) && isFormula(rest)
}

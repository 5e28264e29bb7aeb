package index

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NormalAddress is the form in which address identifiers are compared by
// [AddressNormalised]: two of them are the same where their normal forms are.
// It is upper case, without accents and without
//
//   - punctuation and spacing, but for what joins numbers: `12-14`, `2/1` and
//     `2 1` are three different things, and a dash of any kind, or `to`, is one;
//   - zeros before a number, a space or dash between a number and its letter
//     (`12 a`), `No` before a number, and `the`;
//   - abbreviations of what dwellings and streets are called (`Apt` and
//     `Apartment` are `FLAT`, `Gdns` is `GARDENS`).
//
// No number, and no letter of one, is ever left out or altered: identifiers with
// different numbers have different normal forms. A unit is no flat: there are
// shops under flats, with the same numbers. Text without a letter or digit has an
// empty normal form, which equals nothing.
func NormalAddress(s string) string {
	var n normaliser
	return string(n.append(nil, []byte(s)))
}

// addressToken is a run of digits, or one of letters.
type addressToken struct {
	text   []byte
	number bool
	suffix bool // the letter of the number before
	gap    gap  // what stands before it
}

// long reports whether a token is a word that no number is part of.
func (t *addressToken) long() bool { return !t.number && len(t.text) > 3 }

// gap is what stands between two tokens. Of several marks the greatest counts.
type gap byte

const (
	gapNone gap = iota // digits after letters, or the reverse
	gapSpace
	gapDot
	gapComma
	gapSlash
	gapDash
)

// short reports whether a token is a number or a single letter: what joins two
// of these matters.
func (t *addressToken) short() bool {
	return t.number || utf8.RuneCount(t.text) == 1
}

// normaliser makes normal forms. It keeps its memory from one to the next.
type normaliser struct {
	upper  []byte
	tokens []addressToken
}

// append appends the normal form of an address identifier.
func (n *normaliser) append(dst, address []byte) []byte {
	n.upper = appendPlain(n.upper[:0], address)
	n.split()
	n.drop()
	n.attach()
	n.ranges()
	n.spellOut()
	for i := range n.tokens {
		t := &n.tokens[i]
		if i > 0 {
			dst = append(dst, between(&n.tokens[i-1], t)...)
		}
		dst = append(dst, t.text...)
	}
	return dst
}

// appendPlain appends text in upper case and without accents: house names in
// Wales have them, and spreadsheets lose them.
func appendPlain(dst, text []byte) []byte {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			plain := bytes.ToUpper(withoutMarks(bytes.ToUpper(text)))
			return append(dst, withoutMarks(plain)...)
		}
	}
	from := len(dst)
	dst = append(dst, text...)
	for i, c := range dst[from:] {
		dst[from+i] = upper(c)
	}
	return dst
}

// withoutMarks is text without the marks on its letters. Compatibility forms
// stay: 12½ is not 121/2.
func withoutMarks(text []byte) []byte {
	letter := false
	return bytes.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) && letter {
			return -1
		}
		letter = unicode.IsLetter(r)
		return r
	}, norm.NFD.Bytes(text))
}

// split takes n.upper apart.
func (n *normaliser) split() {
	n.tokens = n.tokens[:0]
	text, before := n.upper, gapSpace
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		end := i + size
		switch {
		case r == '&':
			n.tokens = append(n.tokens, addressToken{text: wordAnd, gap: gapSpace})
			before, i = gapSpace, end
			continue
		case isDigit(text[i]):
			end = numberEnd(text, i)
			n.tokens = append(n.tokens, addressToken{text: trimZeros(text[i:end]), number: true, gap: before})
		case isWord(r) && !isApostrophe(r):
			end = wordEnd(text, i)
			n.tokens = append(n.tokens, addressToken{text: withoutApostrophes(text[i:end]), gap: before})
		default:
			before, i = max(before, gapOf(r)), end
			continue
		}
		before, i = gapNone, end
	}
	for i := 1; i < len(n.tokens); i++ {
		// FLAT12 and 12HIGH STREET lack a space; A12, 12A and 2ND do not.
		if t := &n.tokens[i]; t.gap == gapNone && (t.long() || n.tokens[i-1].long()) {
			t.gap = gapSpace
		}
	}
}

func isWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// wordEnd is where a word ends. An apostrophe within it is part of it.
func wordEnd(text []byte, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if isApostrophe(r) {
			next, _ := utf8.DecodeRune(text[i+size:])
			if !isWord(next) || isDigit(text[i+size]) {
				return i
			}
		} else if !isWord(r) || isDigit(text[i]) {
			return i
		}
		i += size
	}
	return i
}

func isApostrophe(r rune) bool { return r == '\'' || r == '`' || r == '’' || r == '‘' || r == 'ʼ' }

// withoutApostrophes is a word without its apostrophes, in its place.
func withoutApostrophes(word []byte) []byte {
	if bytes.IndexByte(word, '\'') < 0 && bytes.IndexByte(word, '`') < 0 && isASCII(word) {
		return word
	}
	kept := word[:0]
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRune(word[i:])
		if !isApostrophe(r) {
			kept = append(kept, word[i:i+size]...)
		}
		i += size
	}
	return kept
}

// trimZeros is a number without the zeros before it.
func trimZeros(number []byte) []byte {
	for len(number) > 1 && number[0] == '0' {
		number = number[1:]
	}
	return number
}

func gapOf(r rune) gap {
	switch r {
	case '-', '‐', '‑', '‒', '–', '—', '―', '−':
		return gapDash
	case '/', '\\':
		return gapSlash
	case ',', ';', ':', '(', ')':
		return gapComma
	case '.':
		return gapDot
	}
	return gapSpace
}

// drop leaves out `the`, and `No` before a number.
func (n *normaliser) drop() {
	kept := len(n.tokens) // from here on, backwards: what follows decides
	for i := len(n.tokens) - 1; i >= 0; i-- {
		t := &n.tokens[i]
		var next *addressToken
		if kept < len(n.tokens) {
			next = &n.tokens[kept]
		}
		var drop bool
		switch string(t.text) {
		case "THE":
			drop = t.gap != gapNone && (next == nil && i > 0 || next != nil && next.gap != gapNone)
		case "NO", "NUM", "NUMBER":
			drop = t.gap != gapNone && next != nil && next.number
		}
		if !drop {
			kept--
			n.tokens[kept] = *t
		} else if next != nil {
			next.gap = max(next.gap, t.gap)
		}
	}
	n.tokens = append(n.tokens[:0], n.tokens[kept:]...)
}

// attach tells the letters that belong to the number before: 12A, 12 A, 12-A.
func (n *normaliser) attach() {
	for i := 1; i < len(n.tokens); i++ {
		t, before := &n.tokens[i], &n.tokens[i-1]
		alone := i+1 == len(n.tokens) || n.tokens[i+1].gap != gapNone
		if before.number && !t.number && t.short() && alone && (t.gap <= gapSpace || t.gap == gapDash) {
			t.suffix, t.gap = true, gapNone
		}
	}
}

// ranges turns `12 to 14` into 12-14.
func (n *normaliser) ranges() {
	kept := n.tokens[:0]
	for i := range n.tokens {
		t := n.tokens[i]
		if i > 0 && i+1 < len(n.tokens) && string(t.text) == "TO" && t.gap != gapNone {
			before, after := &n.tokens[i-1], &n.tokens[i+1]
			if (before.number || before.suffix) && after.number && after.gap != gapNone {
				after.gap = gapDash
				continue
			}
		}
		kept = append(kept, t)
	}
	n.tokens = kept
}

// spellOut writes abbreviations out, where they stand alone.
func (n *normaliser) spellOut() {
	for i := range n.tokens {
		t := &n.tokens[i]
		alone := t.gap != gapNone && (i+1 == len(n.tokens) || n.tokens[i+1].gap != gapNone)
		switch word, kind := abbreviation(t.text); kind {
		case isDwelling:
			if t.gap != gapNone {
				t.text = word
				if i+1 < len(n.tokens) {
					n.tokens[i+1].gap = max(n.tokens[i+1].gap, gapSpace)
				}
			}
		case isStreet:
			if alone && i > 0 && !n.tokens[i-1].short() {
				t.text = word
			}
		case isLastOfStreet:
			if alone && i > 0 && !n.tokens[i-1].short() && i+1 == len(n.tokens) {
				t.text = word
			}
		case isNone:
		}
	}
}

// between is what stands between two tokens in the normal form.
func between(a, b *addressToken) string {
	if b.gap == gapNone {
		return ""
	}
	if a.short() && b.short() {
		switch {
		case b.gap == gapDash:
			return "-"
		case b.gap == gapSlash:
			return "/"
		case b.gap == gapDot && a.number && b.number:
			return "."
		case b.gap >= gapDot && a.number && !b.number:
			return "," // 12, A is not 12A
		}
	}
	return " "
}

// abbreviationKind says where an abbreviation is one.
type abbreviationKind uint8

const (
	isNone         abbreviationKind = iota
	isDwelling                      // goes before a number
	isStreet                        // goes after a name
	isLastOfStreet                  // goes after a name, and means something else elsewhere
)

var wordAnd = []byte("AND")

// abbreviation is what an abbreviation stands for.
func abbreviation(word []byte) (full []byte, kind abbreviationKind) {
	if len(word) > 9 {
		return nil, isNone
	}
	a := abbreviations[string(word)]
	return a.full, a.kind
}

// abbreviations are those that stand for one thing only where they are written
// out: St is a saint but at the end, Dr a doctor.
var abbreviations = map[string]struct {
	full []byte
	kind abbreviationKind
}{
	"FLT": {[]byte("FLAT"), isDwelling}, "APT": {[]byte("FLAT"), isDwelling}, "APPT": {[]byte("FLAT"), isDwelling},
	"APARTMENT": {[]byte("FLAT"), isDwelling},

	"RD": {[]byte("ROAD"), isStreet}, "AVE": {[]byte("AVENUE"), isStreet}, "AV": {[]byte("AVENUE"), isStreet},
	"CRES": {[]byte("CRESCENT"), isStreet}, "GDNS": {[]byte("GARDENS"), isStreet}, "CT": {[]byte("COURT"), isStreet},
	"HSE": {[]byte("HOUSE"), isStreet}, "BLDG": {[]byte("BUILDING"), isStreet}, "BLDGS": {[]byte("BUILDINGS"), isStreet},
	"LN": {[]byte("LANE"), isStreet}, "SQ": {[]byte("SQUARE"), isStreet}, "TERR": {[]byte("TERRACE"), isStreet},
	"COTT": {[]byte("COTTAGE"), isStreet}, "COTTS": {[]byte("COTTAGES"), isStreet},

	"ST": {[]byte("STREET"), isLastOfStreet}, "DR": {[]byte("DRIVE"), isLastOfStreet}, "CL": {[]byte("CLOSE"), isLastOfStreet},
	"PL": {[]byte("PLACE"), isLastOfStreet}, "TER": {[]byte("TERRACE"), isLastOfStreet},
}

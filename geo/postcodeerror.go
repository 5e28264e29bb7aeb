package geo

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The kinds of [PostcodeError].
var (
	// ErrMalformed: the text breaks the grammar.
	ErrMalformed = errors.New("malformed")
	// ErrOutOfArea: the code is real, or of a real area, but outside smart
	// metering in Great Britain.
	ErrOutOfArea = errors.New("out of area")
)

// What a PostcodeError is about.
const (
	postcodeKind = "postcode"
	outcodeKind  = "outcode"
	sectorKind   = "sector"
)

// A PostcodeError tells why a text is not a postcode, outcode or sector that
// can be asked for.
type PostcodeError struct {
	Input string // the text, as given
	What  string // what was wanted: postcode, outcode or sector
	Pos   int    // byte of Input at which it went wrong; len(Input) at its end
	Msg   string // what is wrong
	Hint  string // what to do about it, or what to know
	Err   error  // [ErrMalformed] or [ErrOutOfArea]
}

func (e *PostcodeError) Error() string {
	if e.Err == ErrOutOfArea {
		return fmt.Sprintf("%s out of area: %q: %s", e.What, clip(e.Input), e.Msg)
	}
	s := fmt.Sprintf("malformed %s: %q: %s", e.What, clip(e.Input), e.Msg)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap returns the kind, [ErrMalformed] or [ErrOutOfArea].
func (e *PostcodeError) Unwrap() error { return e.Err }

// clip shortens a text for a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// A fault is what is wrong with a squeezed text: pos counts its characters.
type fault struct {
	pos       int
	msg, hint string
}

// explain finds out why a text was refused. It is the slow path of the
// parsers and looks at everything anew.
func explain(in, what string) *PostcodeError {
	chars, at, gap, foreign := scan(in)
	e := &PostcodeError{Input: in, What: what, Err: ErrMalformed}
	letters := leadingLetters(chars)
	outside := cmp.Or(outsideArea(letters), outsideCode(letters))
	fail := func(f fault) *PostcodeError {
		e.Pos, e.Msg, e.Hint = at[f.pos], f.msg, cmp.Or(outside, f.hint)
		return e
	}
	if is, hint := otherQuestion(in, chars); is != "" {
		return fail(fault{0, "it looks like " + is, hint})
	}
	if foreign >= 0 {
		r, _ := utf8.DecodeRuneInString(in[foreign:])
		return fail(fault{len(chars), fmt.Sprintf("%q is neither a letter nor a digit", r), "use only the letters A to Z, digits and spaces"})
	}
	if len(chars) == 0 {
		return fail(fault{0, "it is empty", looksLike(what)})
	}
	if code := outsideCode(chars); code != "" || outside != "" && wellFormed(chars, what) {
		e.Err, e.Msg, e.Hint = ErrOutOfArea, cmp.Or(code, outside), "coverage is held for England, Scotland and Wales only"
		return e
	}
	if strings.HasPrefix(chars, "ZZ99") {
		return fail(fault{1, "no area has Z as its second letter", "ZZ99 codes are the pseudo-postcodes of the Office for National Statistics, for no fixed abode or addresses abroad"})
	}
	return fail(findFault(chars, gap, what))
}

// scan squeezes a text of any length. It returns its letters and digits in
// capitals up to the first other character, where they stand in the text, and at
// last where they end, how many precede the last inner space, and where the
// other character is, or -1.
func scan(in string) (chars string, at []int, gap, foreign int) {
	const most = 32 // beyond any code; what follows changes nothing
	var b []byte
	space := 0
	for i, r := range in {
		switch {
		case 'a' <= r && r <= 'z':
			r -= 'a' - 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		case r < utf8.RuneSelf && isSpace(byte(r)), r == '\u00a0':
			space = len(b)
			continue
		default:
			return string(b), append(at, i), gap, i
		}
		if len(b) == most {
			break
		}
		b, at, gap = append(b, byte(r)), append(at, i), space
	}
	return string(b), append(at, len(in)), gap, -1
}

// leadingLetters returns the letters a text starts with.
func leadingLetters(chars string) string {
	n := 0
	for n < len(chars) && isLetter(chars[n]) {
		n++
	}
	return chars[:n]
}

// otherQuestion tells what a text is that answers another question than where
// by post, and what to do with it; "" if it is none.
func otherQuestion(in, chars string) (is, hint string) {
	if _, err := ParseLatLng(in); err == nil {
		return "a latitude and longitude", "ask for the location instead"
	}
	if n := len(chars); n >= 8 && strings.Trim(in, digits+" ") == "" {
		if _, err := ParseUPRN(in); err == nil {
			return "a UPRN", "ask for the premises instead"
		}
	} else if n >= 6 && strings.Contains(onGrid, chars[:1]) {
		if r, err := ParseGridRef(in); err == nil && r.Size <= 1000 {
			return "a National Grid reference", "ask for the location instead"
		}
	}
	return "", ""
}

// onGrid are the first letters of the squares that have land.
const onGrid = "HNST"

// wellFormed reports whether squeezed characters obey the grammar of what.
func wellFormed(chars, what string) (ok bool) {
	if len(chars) > maxChars {
		return false
	}
	switch b := []byte(chars); what {
	case postcodeKind:
		_, ok = postcode(b)
	case outcodeKind:
		_, ok = outward(b)
	case sectorKind:
		_, ok = sector(b)
	}
	return ok
}

// spaced returns squeezed characters as they are written.
func spaced(chars, what string) string {
	switch n := len(chars); what {
	case postcodeKind:
		return chars[:n-3] + " " + chars[n-3:]
	case sectorKind:
		return chars[:n-1] + " " + chars[n-1:]
	}
	return chars
}

func looksLike(what string) string {
	switch what {
	case outcodeKind:
		return "outcodes look like GU1, E1W or SW1A"
	case sectorKind:
		return "sectors look like GU1 1, E1W 2 or SW1A 1"
	}
	return "postcodes look like GU1 1AA, E1W 2AB or SW1A 1AA"
}

func article(what string) string {
	if what == outcodeKind {
		return "an " + what
	}
	return "a " + what
}

// unusual reports whether a well-formed code's outcode breaks the habits of
// its area.
func unusual(chars, what string) bool {
	o, _ := outward([]byte(chars[:len(chars)-len(tailSlots[what])]))
	return o.Hint() != ""
}

// findFault says what is wrong with squeezed characters that are not what was
// wanted.
func findFault(chars string, gap int, what string) fault {
	n := len(chars)
	// Something else, and whole?
	kinds := []string{postcodeKind, outcodeKind, sectorKind}
	if gap > 0 && gap == n-1 {
		kinds = []string{postcodeKind, sectorKind, outcodeKind} // the space decides
	}
	for _, k := range kinds {
		if k != what && wellFormed(chars, k) && !(k == sectorKind && gap == 0 && unusual(chars, k)) {
			return fault{n, "it is " + article(k), otherKindHint(chars, k, what)}
		}
	}
	if wellFormed(chars, what) { // an outcode, but for the space
		return fault{gap, "a space inside", "without the space it would be " + chars}
	}
	switch lettersOnly := strings.Trim(chars, firstLetters+"QVX") == ""; {
	case lettersOnly && n <= 2 && firstOf[chars[0]] >= 0 && (n < 2 || secondOf[chars[1]] >= 0):
		return fault{n, "it has no district", "add the district to the area's letters, as in GU1; " + looksLike(what)}
	case lettersOnly && (n > 4 || n > 2 && what != outcodeKind):
		return fault{n, "there is no digit in it", looksLike(what)}
	case what == postcodeKind && gap == n-3 && wellFormed(chars[:gap], outcodeKind):
		return findInwardFault(chars) // the space decides
	case what == postcodeKind:
		for _, k := range []int{7, 6, 5} {
			if k < n && wellFormed(chars[:k], what) {
				return fault{k, fmt.Sprintf("there is more after %s", spaced(chars[:k], what)), "take away what stands after it"}
			}
			if k+1 < n && wellFormed(chars[n-k:], what) && !unusual(chars[n-k:], what) {
				return fault{0, fmt.Sprintf("there is more before %s", spaced(chars[n-k:], what)), "take away what stands before it"}
			}
		}
	}
	// GU01, S014 or W01A, with or without what follows.
	if tail := len(tailSlots[what]); n > tail {
		out := chars[:n-tail]
		k := max(len(leadingLetters(out)), 1)
		if k+1 < len(out) && out[k] == '0' && wellFormed(out[:k]+out[k+1:], outcodeKind) {
			return fault{k, "the district has a leading zero", leadingZeroHint(out[:k], out[k+1:])}
		}
	}
	if longest := map[string]int{postcodeKind: 7, outcodeKind: 4, sectorKind: 5}[what]; n > longest {
		return fault{longest, fmt.Sprintf("it is too long: %s has at most %d letters and digits", article(what), longest), looksLike(what)}
	}
	switch what {
	case outcodeKind:
		return findOutwardFault(chars, what)
	case sectorKind:
		if wellFormed(chars[:n-1], outcodeKind) {
			return fault{n - 1, fmt.Sprintf("%q is not a digit", chars[n-1]), "a sector ends in one digit, as in GU1 1"}
		}
		return findOutwardFault(chars[:n-1], what)
	}
	if n > 3 && wellFormed(chars[:n-1], sectorKind) && inwardOf[chars[n-1]] >= 0 {
		return fault{n, "its last letter is missing", "an inward code is a digit and two letters, as in 1AA"}
	}
	if n < 5 {
		return fault{n, "it is too short: a postcode has at least 5 letters and digits", looksLike(what)}
	}
	if !wellFormed(chars[:n-3], outcodeKind) {
		return findOutwardFault(chars[:n-3], what)
	}
	return findInwardFault(chars)
}

// otherKindHint advises someone who gave k and was asked for what.
func otherKindHint(chars, k, what string) string {
	switch {
	case what == postcodeKind && k == outcodeKind:
		return "add the inward code, as in " + chars + " 1AA, or ask for outcode " + chars
	case what == postcodeKind:
		return "add the last two letters, or ask for sector " + spaced(chars, k)
	case k == postcodeKind:
		n := len(chars) - 3
		if what == sectorKind {
			n++
		}
		return fmt.Sprintf("ask for postcode %s, or for its %s %s", spaced(chars, k), what, spaced(chars[:n], what))
	case k == sectorKind:
		n := len(chars) - 1
		return fmt.Sprintf("ask for sector %s, or for its outcode %s", spaced(chars, k), chars[:n])
	}
	return "add the sector's digit, as in " + chars + " 1, or ask for outcode " + chars
}

// findOutwardFault says what is wrong with an outward code.
func findOutwardFault(out, what string) fault {
	if out == "" {
		return fault{0, "it has no outward code", looksLike(what)}
	}
	if !isLetter(out[0]) {
		return fault{0, fmt.Sprintf("it starts with the digit %c", out[0]), "it has to start with the letters of an area, as GU in GU1"}
	}
	if firstOf[out[0]] < 0 {
		return fault{0, fmt.Sprintf("no area starts with %c", out[0]), "Q, V and X are not used there"}
	}
	k, letters := 1, thirdLetters
	if len(out) > 1 && isLetter(out[1]) {
		if secondOf[out[1]] < 0 {
			return fault{1, fmt.Sprintf("no area has %c as its second letter", out[1]), "I, J and Z are not used there: did you mean a digit?"}
		}
		k, letters = 2, fourthLetters
	}
	if k == len(out) || !isDigit(out[k]) {
		return fault{k, fmt.Sprintf("the area %s is not followed by a digit", out[:k]), "the district is a digit, two digits, or a digit and a letter, as in GU1, GU15 or SW1A"}
	}
	rest := out[k+1:]
	if len(rest) > 1 {
		return fault{k + 2, fmt.Sprintf("the outward code %s is too long", out), looksLike(what)}
	}
	return fault{k + 1, fmt.Sprintf("%s is not a letter that follows the digit of a district there", rest), "after " + out[:k] + "'s digit it is one of " + letters}
}

// leadingZeroHint advises on GU01 and on S01, which may be S1 or SO1.
func leadingZeroHint(area, district string) string {
	without, letter := "write "+area+district, area+"O"
	switch {
	case !listed(areas, letter):
		return without
	case !listed(areas, area):
		return "write the letter O: " + letter + district
	}
	return without + ", or with the letter O " + letter + district
}

// findInwardFault says what is wrong with the last three characters of a
// postcode whose outward code is well-formed.
func findInwardFault(chars string) fault {
	const hint = "an inward code is a digit and two letters, as in 1AA"
	n := len(chars) - 3
	in := chars[n:]
	if !isDigit(in[0]) {
		return fault{n, fmt.Sprintf("the inward code %s does not start with a digit", in), hint}
	}
	i := 1
	if inwardOf[in[1]] >= 0 {
		i = 2
	}
	if isDigit(in[i]) {
		return fault{n + i, fmt.Sprintf("the inward code %s has the digit %c for a letter", in, in[i]), hint}
	}
	return fault{n + i, fmt.Sprintf("the inward code %s has the letter %c", in, in[i]), "inward codes never have C, I, K, M, O or V"}
}

package geo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A Suggestion is a code that someone may have meant. It is an offer: nothing
// in this package ever applies one.
type Suggestion struct {
	Text   string // in canonical form, such as "GU1 1AA"
	What   string // what Text is: postcode, outcode or sector
	Reason string // how it differs from what was given
}

// maxSuggestions is the most that are made: more would not be read.
const maxSuggestions = 5

// SuggestPostcode returns up to five codes that a malformed postcode may have
// been meant for, the likeliest first; none for a well-formed postcode. Where
// the text is an outcode or a sector, that is suggested.
func SuggestPostcode[T ~string | ~[]byte](s T) []Suggestion {
	return suggest(string(s), postcodeKind, nil)
}

// SuggestOutcode is [SuggestPostcode] where an outcode is wanted.
func SuggestOutcode[T ~string | ~[]byte](s T) []Suggestion {
	return suggest(string(s), outcodeKind, nil)
}

// SuggestSector is [SuggestPostcode] where a sector is wanted.
func SuggestSector[T ~string | ~[]byte](s T) []Suggestion {
	return suggest(string(s), sectorKind, nil)
}

// SuggestPostcodeFunc is [SuggestPostcode] with knowledge of which postcodes
// exist: those come first. For a well-formed postcode that does not exist it
// returns near misses that do, and no others.
func SuggestPostcodeFunc[T ~string | ~[]byte](s T, exists func(Postcode) bool) []Suggestion {
	return suggest(string(s), postcodeKind, exists)
}

// candidate is a suggestion under way; the least cost is the best.
type candidate struct {
	Suggestion
	cost    int
	unusual bool // breaks the habits of its area
	far     bool // changed so much, and unusual still
	missing bool // known not to exist
}

type suggester struct {
	what   string
	all    string // the letters and digits of the text
	plain  bool   // with only spaces between them
	exists func(Postcode) bool
	found  []candidate
}

// The costs of what may have gone wrong, in the order in which suggestions are
// best read.
const (
	costNone    = 0 // punctuation, spaces
	costOutside = 1 // added for what is out of area
	costSlip    = 2 // O for 0, GU01 for GU1
	costEdit    = 3 // a character too many, two exchanged, a letter that is never there
	costPart    = 4 // only a part of the text
	costOther   = 7 // something else than was wanted
	costUnasked = 8 // a part of the text, and something else
)

func suggest(in, what string, exists func(Postcode) bool) []Suggestion {
	words, change := splitWords(in)
	all := strings.Join(words, "")
	plain := change == ""
	p, err := parseAs(in, what)
	if !errors.Is(err, ErrMalformed) && (err != nil || exists == nil || exists(p)) || strings.HasPrefix(all, "ZZ99") {
		return nil // well-formed, real but outside, or no place at all
	}
	s := &suggester{what: what, all: all, plain: plain, exists: exists}
	if all != "" && len(all) <= maxChars+3 {
		s.whole(words, all, change)
		s.edits(words, all)
	}
	if len(s.found) == 0 && len(words) > 1 {
		s.parts(words)
	}
	return s.best(err == nil)
}

// best returns what was found, the best first, without noise: codes that break
// the habits of their area beside codes that do not, or after much change, and
// changes to a text that needs none. Whatever is known to exist stays.
func (s *suggester) best(onlyExisting bool) []Suggestion {
	known := func(c candidate) bool { return c.What == postcodeKind && s.exists != nil && !c.missing }
	slices.SortStableFunc(s.found, func(a, b candidate) int {
		switch {
		case known(a) != known(b) && known(a):
			return -1
		case known(a) != known(b):
			return 1
		}
		return cmp.Compare(a.cost, b.cost)
	})
	usual := slices.ContainsFunc(s.found, func(c candidate) bool { return !c.unusual })
	var out []Suggestion
	for _, c := range s.found {
		noise := c.far || c.unusual && usual || s.found[0].cost == costNone && c.cost > costSlip || onlyExisting
		dup := slices.ContainsFunc(out, func(o Suggestion) bool { return o.Text == c.Text })
		if (known(c) || !noise) && !dup && len(out) < maxSuggestions {
			out = append(out, c.Suggestion)
		}
	}
	return out
}

// parseAs parses a text as what was wanted; the postcode, if it is one.
func parseAs(in, what string) (p Postcode, err error) {
	switch what {
	case postcodeKind:
		return ParsePostcode(in)
	case outcodeKind:
		_, err = ParseOutcode(in)
	case sectorKind:
		_, err = ParseSector(in)
	}
	return Postcode{}, err
}

// splitWords returns the runs of letters and digits in a text, in capitals,
// and what was done to get them: nothing if only spaces stand between them.
// Look-alikes of other scripts and full-width forms count as what they look
// like, invisible characters as nothing. Of a long text only the end is read,
// where addresses have their postcode.
func splitWords(in string) (words []string, change string) {
	const most = 200
	if len(in) > most {
		in = in[len(in)-most:]
	}
	if strings.Contains(in, "%20") {
		in, change = strings.ReplaceAll(in, "%20", " "), "without punctuation"
	}
	var word []byte
	flush := func() {
		if len(word) > 0 {
			words, word = append(words, string(word)), nil
		}
	}
	for _, r := range in {
		switch {
		case 'a' <= r && r <= 'z':
			word = append(word, byte(r-'a'+'A'))
			continue
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			word = append(word, byte(r))
			continue
		case r == ' ', '\t' <= r && r <= '\r', r == '\u00a0':
			flush()
			continue
		}
		switch c, ok := lookAlike(r); {
		case ok:
			word = append(word, c)
			change = cmp.Or(change, "in plain letters and digits")
			continue
		case r == '\u00ad', '\u200b' <= r && r <= '\u200f', r == '\u2060', r == '\ufeff': // invisible
		case unicode.IsLetter(r), unicode.IsDigit(r):
			word = append(word, '?') // nothing can be made of it
		default:
			flush()
		}
		change = "without punctuation"
	}
	flush()
	return words, change
}

// lookAlike returns the letter or digit that a character of another script
// looks like.
func lookAlike(r rune) (byte, bool) {
	const (
		others = "АВЕЅІЈКМНОРСТУХаеіјкорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
		latin  = "ABESIJKMHOPCTYXAEIJKOPCYXABEZHIKMNOPTYX"
	)
	switch {
	case '０' <= r && r <= '９':
		return byte(r - '０' + '0'), true
	case 'Ａ' <= r && r <= 'Ｚ':
		return byte(r - 'Ａ' + 'A'), true
	case 'ａ' <= r && r <= 'ｚ':
		return byte(r - 'ａ' + 'A'), true
	}
	i := 0
	for _, o := range others {
		if o == r {
			return latin[i], true
		}
		i++
	}
	return 0, false
}

// whole tries the text as what was wanted, with slips set right, and as
// something else.
func (s *suggester) whole(words []string, all, change string) {
	kinds := kindsOf(words)
	if s.what == outcodeKind && kinds[0] == sectorKind && wellFormed(all, sectorKind) && wellFormed(all, outcodeKind) {
		s.add(all, sectorKind, costNone, "this is a sector")
	}
	s.read(all, costNone, maxSlips, change)
	for i := 1; i <= 2 && i+1 < len(all); i++ { // SW01A 1AA
		next := all[i+1]
		if isLetter(all[i-1]) && all[i] == '0' && (isDigit(next) || digitFor(next) != 0) {
			s.read(all[:i]+all[i+1:], costSlip, maxSlips, "without the leading zero of the district")
		}
	}
	s.other(all, kinds, costOther, "this is %s")
}

// kindsOf returns the kinds in the order in which to try them: the space
// decides that E1 1 is a sector before E11 is an outcode.
func kindsOf(words []string) [3]string {
	if len(words[len(words)-1]) == 1 {
		return [...]string{sectorKind, postcodeKind, outcodeKind}
	}
	return [...]string{postcodeKind, outcodeKind, sectorKind}
}

// other adds what the text is, and what part of that was wanted.
func (s *suggester) other(text string, kinds [3]string, cost int, format string) {
	for _, k := range kinds {
		if k == s.what || !wellFormed(text, k) {
			continue
		}
		s.add(text, k, cost, fmt.Sprintf(format, article(k)))
		if more := len(tailSlots[k]) - len(tailSlots[s.what]); more > 0 {
			s.add(text[:len(text)-more], s.what, cost, fmt.Sprintf("the %s of %s", s.what, spaced(text, k)))
		}
	}
	if n := len(text) - 1; s.what == postcodeKind && n > 2 && inwardOf[text[n]] >= 0 && wellFormed(text[:n], sectorKind) {
		s.add(text[:n], sectorKind, cost, "the last letter is missing; this is the sector")
	}
}

// edits tries the text with one thing about it changed.
func (s *suggester) edits(words []string, all string) {
	for _, k := range []string{postcodeKind, outcodeKind, sectorKind} {
		if k != s.what && wellFormed(all, k) {
			return // something else, and whole
		}
	}
	trim := func(from, to int) {
		for cut := from; cut <= to && cut < len(all); cut++ {
			s.exact(all[:len(all)-cut], fmt.Sprintf("without %q at the end", all[len(all)-cut:]))
			if cut < 3 {
				s.exact(all[cut:], fmt.Sprintf("without %q at the start", all[:cut]))
			}
		}
	}
	trim(1, 1)
	border := len(words[0]) // nobody exchanges characters across a space
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a == b {
			s.exact(all[:i]+all[i+1:], fmt.Sprintf("with one %c instead of two", a))
		} else if i != border {
			s.exact(all[:i-1]+string([]byte{b, a})+all[i+1:], fmt.Sprintf("with %c and %c exchanged", a, b))
		}
	}
	trim(2, 3)
	for i := range all { // one too many anywhere: so many guesses that only those count that exist
		if p, err := ParsePostcode(all[:i] + all[i+1:]); err == nil && s.what == postcodeKind && s.exists != nil && s.exists(p) {
			s.add(all[:i]+all[i+1:], s.what, costEdit, fmt.Sprintf("without the %c", all[i]))
		}
	}
	if len(words) == 2 {
		s.exact(words[1]+words[0], "with the two halves exchanged")
	}
}

// exact adds a text that an edit made well-formed.
func (s *suggester) exact(text, reason string) {
	if wellFormed(text, s.what) {
		s.add(text, s.what, costEdit, reason)
	}
}

// parts looks for the code among the words of an address, from its end, and
// failing that for any code.
func (s *suggester) parts(words []string) {
	windows(words, func(words []string) {
		if text := strings.Join(words, ""); strings.ContainsAny(text, digits) {
			s.read(text, costPart, 1, "without the rest of the text")
		}
	})
	if len(s.found) == 0 {
		windows(words, func(words []string) {
			s.other(strings.Join(words, ""), kindsOf(words), costUnasked, "%s in the text")
		})
	}
}

// windows calls f with one to three words in a row, but not with all.
func windows(words []string, f func([]string)) {
	for end := len(words); end > 0; end-- {
		for n := min(3, end); n > 0; n-- {
			if n < len(words) {
				f(words[end-n : end])
			}
		}
	}
}

// add adds a well-formed code.
func (s *suggester) add(text, what string, cost int, reason string) {
	if reason == "" {
		reason = "without the spaces"
	}
	c := candidate{Suggestion: Suggestion{spaced(text, what), what, reason}, cost: cost}
	if o, _ := outward([]byte(text[:len(text)-len(tailSlots[what])])); o.Hint() != "" {
		c.Reason += "; but " + o.Hint()
		if outsideArea(o.Area()) != "" {
			c.cost += costOutside
		} else {
			same := text == s.all && (what == s.what || s.plain)
			c.unusual = true
			c.far = !same && (cost > costSlip || !listed(areas, o.Area()))
		}
	}
	if what == postcodeKind && s.exists != nil {
		p, err := ParsePostcode(text)
		c.missing = err != nil || !s.exists(p)
	}
	s.found = append(s.found, c)
}

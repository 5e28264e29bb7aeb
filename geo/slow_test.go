package geo

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// The grammar in the words of its description, to hold the parsers against.
const (
	slowOutward = `(?:[A-PR-UWYZ](?:[0-9]|[1-9][0-9]|[0-9][ABCDEFGHJKPSTUW])` +
		`|[A-PR-UWYZ][A-HK-Y](?:[0-9]|[1-9][0-9]|[0-9][ABEHMNPRVWXY]))`
	slowOutside = `^(?:BT|JE|GY|IM|BF|BX|GX)[0-9]`
)

var (
	slowSqueeze  = regexp.MustCompile("[ \t\n\v\f\r\u00a0]")
	slowPatterns = map[string]*regexp.Regexp{
		postcodeKind: regexp.MustCompile(`^(` + slowOutward + `)([0-9][ABD-HJLNP-UW-Z]{2})$`),
		outcodeKind:  regexp.MustCompile(`^(` + slowOutward + `)()$`),
		sectorKind:   regexp.MustCompile(`^(` + slowOutward + `)([0-9])$`),
	}
	slowIsOutside = regexp.MustCompile(slowOutside)
	slowSpecials  = regexp.MustCompile(`^(?:BFPO[0-9]{0,4}|GIR(?:0|0A|0AA)?|(?:ASCN|STHL|TDCU|BBND|BIQQ|FIQQ|SIQQ|PCRN|TKCA)(?:1|1ZZ)?)$`)
	slowUPRN      = regexp.MustCompile("^[ \t\n\v\f\r]*0*([1-9][0-9]{0,11})[ \t\n\v\f\r]*$")
)

// slowUpper is strings.ToUpper for ASCII alone: ſ and K are no letters here.
func slowUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 32
		}
		return r
	}, s)
}

// slowParse returns the canonical text, or the kind of error.
func slowParse(what, s string) (string, error) {
	squeezed := slowUpper(slowSqueeze.ReplaceAllString(s, ""))
	if slowSpecials.MatchString(squeezed) {
		return "", ErrOutOfArea
	}
	m := slowPatterns[what].FindStringSubmatch(squeezed)
	if m == nil {
		return "", ErrMalformed
	}
	if slowIsOutside.MatchString(squeezed) {
		return "", ErrOutOfArea
	}
	if what == outcodeKind {
		// A space after the first digit makes it a sector.
		words := strings.Fields(strings.ReplaceAll(s, "\u00a0", " "))
		for i := range words[:len(words)-1] {
			if strings.ContainsAny(strings.Join(words[:i+1], ""), "0123456789") {
				return "", ErrMalformed
			}
		}
		return squeezed, nil
	}
	return m[1] + " " + m[2], nil
}

func slowParseUPRN(s string) (UPRN, bool) {
	m := slowUPRN.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	u, err := strconv.ParseUint(m[1], 10, 64)
	return UPRN(u), err == nil
}

// nearCode draws texts that are codes, or nearly.
func nearCode() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "real") {
			p, _ := PostcodeFromOrdinal(rapid.Uint32Range(0, uint32(Postcodes)-1).Draw(t, "n"))
			b := []byte(p.String())
			if rapid.Bool().Draw(t, "cut") {
				b = b[:rapid.IntRange(1, len(b)).Draw(t, "to")]
			}
			for range rapid.IntRange(0, 2).Draw(t, "changes") {
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("AaIiOoZzQ015 \t-")).Draw(t, "to")
			}
			return string(b)
		}
		part := rapid.SampledFrom([]string{"A", "b", "E", "g", "I", "J", "M", "O", "T", "W", "X", "Y", "z", "0", "1", "2", "9", " ", "\t", "\u00a0", "\xa0", "\xc2", "-", "é", "BT", "JE", "GIR", "BFPO", "ASCN", "1ZZ", "ſ", "K"})
		return strings.Join(rapid.SliceOfN(part, 0, 9).Draw(t, "parts"), "")
	})
}

// slowFootPoint is the Guide's iteration, from the true origin.
func slowFootPoint(n float64) float64 {
	phi := gridPhi0
	for range 20 {
		d := n - gridN0 - meridian(phi)
		phi += d / (grs80A * gridF0)
		if math.Abs(d) < 1e-6 {
			break
		}
	}
	return phi
}

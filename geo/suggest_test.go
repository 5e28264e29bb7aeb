package geo

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func texts(list []Suggestion) (out []string) {
	for _, s := range list {
		out = append(out, s.Text)
	}
	return out
}

func TestSuggestionsSayWhy(t *testing.T) {
	for _, c := range []struct{ input, text, reason string }{
		{"GUI 1AA", "GU1 1AA", "digit 1 for letter I"},
		{"SWIA IAA.", "SW1A 1AA", "without punctuation, digit 1 for letter I, digit 1 for letter I"},
		{"GU1 11A", "GU1 1LA", "letter L for digit 1"},
		{"GU1 1CA", "GU1 1GA", "letter G for C"},
		{"GU01 1AA", "GU1 1AA", "without the leading zero of the district"},
		{"£GU1 1AA", "GU1 1AA", "without punctuation"},
		{"ＧＵ1 1AA", "GU1 1AA", "in plain letters and digits"},
		{"GU1 1AAX", "GU1 1AA", `without "X" at the end`},
		{"12 GU1 1AA", "GU1 1AA", `without "12" at the start`},
		{"SSW1A 1AA", "SW1A 1AA", `without "S" at the start`},
		{"GU1 A1A", "GU1 1AA", "with A and 1 exchanged"},
		{"1AA GU1", "GU1 1AA", "with the two halves exchanged"},
		{"Guildford GU1 1AA", "GU1 1AA", "without the rest of the text"},
		{"GU1", "GU1", "this is an outcode"},
		{"GU1 1", "GU1 1", "this is a sector"},
		{"GU1 1A", "GU1 1", "the last letter is missing; this is the sector"},
		{"Guildford, GU1", "GU1", "an outcode in the text"},
		{"BT1 IAA", "BT1 1AA", "digit 1 for letter I; but BT is Northern Ireland, which has its own electricity and gas arrangements"},
		{"5R43 4AA", "SR43 4AA", "letter S for digit 5; but SR usually has only single-digit districts"},
	} {
		got := SuggestPostcode(c.input)
		if len(got) == 0 || got[0].Text != c.text || got[0].Reason != c.reason {
			t.Errorf("%q: %v, want %s: %s", c.input, got, c.text, c.reason)
		}
		if bytes := SuggestPostcode([]byte(c.input)); !slices.Equal(bytes, got) {
			t.Errorf("%q: as bytes %v", c.input, bytes)
		}
	}
	if got, want := SuggestOutcode("gu11aa"), []Suggestion{{"GU1 1AA", "postcode", "this is a postcode"}, {"GU1", "outcode", "the outcode of GU1 1AA"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got, want := SuggestOutcode("E1 1"), []Suggestion{{"E1 1", "sector", "this is a sector"}, {"E11", "outcode", "without the spaces"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got, want := SuggestSector("gu11aa"), []Suggestion{{"GU1 1AA", "postcode", "this is a postcode"}, {"GU1 1", "sector", "the sector of GU1 1AA"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestWellFormedNeedsNoSuggestion(t *testing.T) {
	for _, s := range []string{"GU1 1AA", "gu11aa", " GU1\u00a01AA\t", "BT1 1AA", "GIR 0AA", "BFPO 1", "AA1 1AA", "SR43 4AA"} {
		if got := SuggestPostcode(s); got != nil {
			t.Errorf("%q: %v", s, got)
		}
	}
	if got := SuggestOutcode("gu1"); got != nil {
		t.Errorf("%v", got)
	}
	if got := SuggestSector("gu1 1"); got != nil {
		t.Errorf("%v", got)
	}
}

func existing(tb testing.TB, list ...string) func(Postcode) bool {
	tb.Helper()
	m := map[Postcode]bool{}
	for _, s := range list {
		m[mustPostcode(tb, s)] = true
	}
	return func(p Postcode) bool { return m[p] }
}

func TestSuggestExistingFirst(t *testing.T) {
	for _, c := range []struct{ input, exists, want string }{
		{"S01 1AA", "", "S1 1AA,S10 1AA"},
		{"S01 1AA", "SO1 1AA", "SO1 1AA,S1 1AA,S10 1AA"}, // what exists outweighs habits
		{"S01 1AA", "S10 1AA", "S10 1AA,S1 1AA"},
		{"EZ1 1AA", "ZE1 1AA", "ZE1 1AA,E21 1AA"},
		// Well-formed: only what exists instead.
		{"W1S 1AA", "", ""},
		{"W1S 1AA", "W1S 1AA", ""},
		{"W1S 1AA", "W15 1AA", "W15 1AA"},
		{"EC1B 1AA", "EC18 1AA,EC1A 1AA", "EC18 1AA"},
		{"UG1 1AA", "GU1 1AA", "GU1 1AA"},
		{"GU1 1AB", "GU1 1BA,GU2 1AB", "GU1 1BA"},
		{"SW1A 1AA", "W1A 1AA", "W1A 1AA"},
		{"GU1 1IFU", "GU1 1FU", "GU1 1FU,GU11 1FU"}, // one too many, in the middle
		{"BT1 1AA", "GU1 1AA", ""},
	} {
		var list []string
		if c.exists != "" {
			list = strings.Split(c.exists, ",")
		}
		if got := strings.Join(texts(SuggestPostcodeFunc(c.input, existing(t, list...))), ","); got != c.want {
			t.Errorf("%q where %s exists: %s, want %s", c.input, c.exists, got, c.want)
		}
	}
}

func TestEverySlipIsFound(t *testing.T) {
	// One character of a real postcode taken for its look-alike: wherever that
	// is malformed, the postcode is among the suggestions, and first if it
	// alone is known to exist.
	slips := map[byte]string{'O': "0", '0': "O", 'I': "1", 'L': "1", '1': "IL", 'S': "5", '5': "S", 'Z': "2", '2': "Z", 'B': "8", '8': "B", 'G': "6", '6': "G"}
	tried := 0
	for i, s := range sample(t) {
		if i%3 != 0 && !strings.HasPrefix(s, "SR43") {
			continue
		}
		for at := range len(s) {
			for _, c := range slips[s[at]] {
				wrong := s[:at] + string(c) + s[at+1:]
				if _, err := ParsePostcode(wrong); err == nil {
					continue
				}
				tried++
				if got := texts(SuggestPostcodeFunc(wrong, existing(t, s))); len(got) == 0 || got[0] != s {
					t.Errorf("%s for %s: %v", wrong, s, got)
				}
				if got := texts(SuggestPostcode(wrong)); !slices.Contains(got, s) && mustPostcode(t, s).Hint() == "" {
					t.Errorf("%s for %s: %v", wrong, s, got)
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d slips", tried)
	}
}

func TestSuggestionsAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { sound(t, nearCode().Draw(t, "s")) })
}

// sound checks what holds for the suggestions of any text.
func sound(t interface {
	Helper()
	Fatalf(string, ...any)
}, s string,
) {
	t.Helper()
	odd := func(p Postcode) bool { return p.Ordinal()%2 == 1 }
	for what, f := range map[string]func(string) []Suggestion{
		postcodeKind: SuggestPostcode[string],
		outcodeKind:  SuggestOutcode[string],
		sectorKind:   SuggestSector[string],
		"with func":  func(s string) []Suggestion { return SuggestPostcodeFunc(s, odd) },
	} {
		got := f(s)
		if len(got) > maxSuggestions || !slices.Equal(got, f(s)) {
			t.Fatalf("%q: %v, then %v", s, got, f(s))
		}
		if _, err := parse(what, s); err == nil && what != "with func" && len(got) > 0 {
			t.Fatalf("%q is well-formed: %v", s, got)
		}
		seen, others := map[string]bool{}, false
		for _, g := range got {
			if !wellFormed(strings.ReplaceAll(g.Text, " ", ""), g.What) || g.Reason == "" || seen[g.Text] {
				t.Fatalf("%q: %v", s, got)
			}
			seen[g.Text] = true
			p, err := ParsePostcode(g.Text)
			known := err == nil && odd(p)
			if what == "with func" && known && others {
				t.Fatalf("%q: %v: %s exists", s, got, g.Text)
			}
			others = others || !known
		}
	}
}

func TestSuggestionsOfLongTexts(t *testing.T) {
	// Work is bounded whatever the length; the address's end is what counts.
	long := strings.Repeat("1l0O5S ", 200_000) + "Guildford GU1 IAA"
	if got := SuggestPostcode(long); !slices.Contains(texts(got), "GU1 1AA") {
		t.Errorf("%v", got)
	}
	_, err := ParsePostcode(long)
	if err == nil || len(err.Error()) > 300 {
		t.Error(len(err.Error()))
	}
}

func BenchmarkSuggestPostcode(b *testing.B) {
	for b.Loop() {
		SuggestPostcode("SWIA IAA")
	}
}

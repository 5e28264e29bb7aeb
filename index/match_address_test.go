package index

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNormalAddress(t *testing.T) {
	for _, same := range [][]string{
		{"12", " 12 ", "012", "No 12", "no. 12", "NO12", "Number 12", "#12", "12."},
		{"12A", "12 a", "12-A", "012A", "No. 12a"},
		{"12-14", "12 - 14", "12 to 14", "12–14", "12 TO 14", "012-014"},
		{"12A-14", "12 a to 14", "12A – 14"},
		{"2/1", "02/1", "2 / 1"},
		{"FLAT 2 WEY HOUSE", "Flat 2, Wey House", "Apartment 2, Wey House", "APT. 2 WEY HSE", "flat no 2 (Wey House)", "FLAT2 WEY HOUSE", "Apt2, Wey House", "flat 02 wey house", "Flt 2; Wey  House."},
		{"FLAT 2 14 HIGH STREET", "Flat 2, 14 High Street", "flat 2, 14 high st", "Apt 2, No 14 High St.", "FLAT 2 14HIGH STREET"},
		{"ST JOHNS COTTAGE", "St. John's Cottage", "st john’s cott", "THE ST JOHNS COTTAGE"},
		{"OLD BARN", "The Old Barn", "OLD-BARN"},
		{"TY COCH", "Tŷ Coch", "TY\u0302 COCH"},
		{"ROSE AND CROWN", "Rose & Crown", "The Rose & Crown"},
		{"THE", "the", "The the"},
		{"A12", "a12"},
		{"MAPLE CLOSE", "Maple Cl"},
	} {
		for _, s := range same {
			if got := NormalAddress(s); got != same[0] {
				t.Errorf("%q: %q, want %q", s, got, same[0])
			}
		}
	}
	for _, apart := range [][]string{
		{"12", "12A", "12B", "13", "1", "2", "120", "FLAT 12", "UNIT 12"},
		{"12-14", "12/14", "12 14", "12.14", "1214", "12 & 14", "13"},
		{"A12", "A 12", "12 A", "12, A"},
		{"12½", "121/2", "12 1/2", "12"},
		{"ST JOHNS", "STREET JOHNS", "JOHNS"},
		{"FLAT A, 12 HIGH STREET", "FLAT A12 HIGH STREET", "12 HIGH STREET"},
		{"2ND FLOOR", "2 ND FLOOR"},
		{"1'2", "12"},
		{"", "A"},
	} {
		for i, s := range apart {
			for _, u := range apart[:i] {
				if a, b := NormalAddress(s), NormalAddress(u); a == b {
					t.Errorf("%q and %q are both %q", s, u, a)
				}
			}
		}
	}
	for _, s := range []string{"", " ", "-", "'", "ʼ", "’’", "\xff", "\u0302"} {
		if got := NormalAddress(s); got != "" {
			t.Errorf("%q: %q, want nothing", s, got)
		}
	}
}

func TestSameAddress(t *testing.T) {
	for _, c := range [][2]string{
		{"Flat 1", "FLAT  1"}, {"", ""}, {"a", ""}, {"a b", "ab"}, {" a", "a "}, {"é x", "É  X"}, {"a\tb", "a b"}, {"ab", "a"}, {"ß", "SS"}, {"a ", "a b"}, {"a b", "a "},
	} {
		if got, want := SameAddress([]byte(c[0]), []byte(c[1])), FoldAddress(c[0]) == FoldAddress(c[1]); got != want {
			t.Errorf("%q and %q: %v", c[0], c[1], got)
		}
	}
}

var digitRuns = regexp.MustCompile(`[0-9]+`)

// numbersOf are the numbers in a text, without zeros before them.
func numbersOf(s string) (numbers []string) {
	for _, n := range digitRuns.FindAllString(s, -1) {
		if n = strings.TrimLeft(n, "0"); n == "" {
			n = "0"
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// addressWords make identifiers that are alike: what is compared must be told
// apart, or not, for a reason.
var addressWords = []string{
	"1", "2", "12", "12", "13", "14", "012", "A", "B", "a", "FLAT", "Flat", "Apt", "Apartment", "UNIT", "The", "THE", "No", "no.", "Number", "to", "TO", "&", "and",
	"Wey", "House", "Hse", "Court", "Ct", "St", "Street", "John's", "JOHNS", "Tŷ", "TY", "½", "2nd", "Rd", "Terr", "O’Brien", "ʼ", "\u0302", "É", "ǰ", "ſ",
}

var addressGaps = []string{" ", " ", " ", "", "-", " - ", "–", "/", ", ", ",", ".", "  ", "'", "\xff"}

func drawAddress(t *rapid.T, label string) string {
	var b strings.Builder
	for i := range rapid.IntRange(0, 6).Draw(t, label) {
		if i > 0 {
			b.WriteString(rapid.SampledFrom(addressGaps).Draw(t, "gap"))
		}
		b.WriteString(rapid.SampledFrom(addressWords).Draw(t, "word"))
	}
	return b.String()
}

// checkAddresses checks what holds of any two identifiers.
func checkAddresses(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, a, b string,
) {
	t.Helper()
	var m, other AddressMatcher
	m.Ask([]byte(a))
	other.Ask([]byte(b))
	forth, back := m.Grade([]byte(b)), other.Grade([]byte(a))
	if a != "" && b != "" && forth != back {
		t.Fatalf("%q is %q: %v, but the reverse: %v", a, b, forth, back)
	}
	na, nb := NormalAddress(a), NormalAddress(b)
	if again := NormalAddress(na); again != na {
		t.Fatalf("%q: %q, and of that %q", a, na, again)
	}
	if again := NormalAddress(FoldAddress(a)); again != na {
		t.Fatalf("%q: %q, but folded first %q", a, na, again)
	}
	switch want := slowGrade(a, b); {
	case forth != want:
		t.Fatalf("%q and %q: %v, want %v (%q, %q)", a, b, forth, want, na, nb)
	case forth == AddressExact && na != nb:
		t.Fatalf("%q and %q are the same, but not normalised: %q, %q", a, b, na, nb)
	case forth != AddressNone && !slices.Equal(numbersOf(a), numbersOf(b)):
		t.Fatalf("%q and %q have different numbers, and match: %v", a, b, forth)
	case !slices.Equal(numbersOf(a), numbersOf(na)):
		t.Fatalf("%q: %q has other numbers", a, na)
	}
}

// slowGrade is Grade, by the words of its documentation.
func slowGrade(a, b string) AddressGrade {
	switch {
	case b == "":
		return AddressNone
	case FoldAddress(a) == FoldAddress(b):
		return AddressExact
	case NormalAddress(a) == NormalAddress(b) && NormalAddress(a) != "":
		return AddressNormalised
	}
	return AddressNone
}

func TestAddressesNeverMatchAcrossNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkAddresses(t, drawAddress(t, "a"), drawAddress(t, "b")) })
	// One identifier, and the same with another number.
	rng := rand.New(rand.NewPCG(1, 2))
	pairs := 20_000
	if testing.Short() {
		pairs = 2000
	}
	for range pairs {
		var words [2]strings.Builder
		at := rng.IntN(4)
		for i := range 4 {
			w, g := addressWords[rng.IntN(len(addressWords))], addressGaps[rng.IntN(len(addressGaps))]
			for k := range words {
				if i == at {
					words[k].WriteString([]string{"31", "32"}[k])
				} else {
					words[k].WriteString(w)
				}
				words[k].WriteString(g)
			}
		}
		checkAddresses(t, words[0].String(), words[1].String())
		if a, b := words[0].String(), words[1].String(); slowGrade(a, b) != AddressNone {
			t.Fatalf("%q is %q", a, b)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("Flat 2, Wey House", "APT. 2 WEY HSE")
	f.Add("12 to 14", "12–14")
	f.Add("12 a", "12-A")
	f.Add("Tŷ Coch, The Ct", "TY COCH CT")
	f.Add("NO THE 12 TO NO 14", "12'2")
	f.Fuzz(func(t *testing.T, a, b string) { checkAddresses(t, a, b) })
}

// slowCandidates ranks by Dice's coefficient, computed from maps.
func slowCandidates(asked string, list []Details, limit int) (places []int) {
	pairs := func(s string) map[string]int {
		n := NormalAddress(s)
		n = "\x00" + n[:min(len(n), comparedBytes)] + "\x00"
		m := map[string]int{}
		for i := 1; i < len(n); i++ {
			m[n[i-1:i+1]]++
		}
		return m
	}
	type ranked struct {
		at            int
		common, total float64
	}
	var all []ranked
	mine := pairs(asked)
	for i := range list {
		if a := list[i].Address; len(a) > 0 && (i == 0 || !bytes.Equal(a, list[i-1].Address)) {
			r := ranked{at: i}
			for _, n := range mine {
				r.total += float64(n)
			}
			for k, n := range pairs(string(a)) {
				r.total += float64(n)
				r.common += float64(min(n, mine[k]))
			}
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		if x, y := a.common*b.total, b.common*a.total; x != y {
			return map[bool]int{true: -1, false: 1}[x > y]
		}
		return a.at - b.at
	})
	for _, r := range all[:min(limit, len(all))] {
		places = append(places, r.at)
	}
	return places
}

func TestMatcherIsItsSlowTwin(t *testing.T) {
	var m AddressMatcher
	rapid.Check(t, func(t *rapid.T) {
		asked := drawAddress(t, "asked")
		list := make([]Details, rapid.IntRange(0, 12).Draw(t, "n"))
		for i := range list {
			list[i].Address = []byte(drawAddress(t, "address"))
		}
		slices.SortFunc(list, func(a, b Details) int { return compareAddress(string(a.Address), string(b.Address)) })
		var want []int
		grade := AddressNone
		for i := range list {
			if g := slowGrade(asked, string(list[i].Address)); g > grade {
				grade, want = g, []int{i}
			} else if g == grade && g != AddressNone {
				want = append(want, i)
			}
		}
		m.Ask([]byte(asked))
		if got, g := m.AppendFound(nil, list); g != grade || !slices.Equal(got, want) {
			t.Fatalf("%q: %v %v, want %v %v", asked, g, got, grade, want)
		}
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		if got, want := m.AppendCandidates(nil, list, limit), slowCandidates(asked, list, limit); !slices.Equal(got, want) {
			t.Fatalf("%q: candidates %v, want %v", asked, got, want)
		}
	})
}

func TestCandidatesNearestFirst(t *testing.T) {
	var list []Details
	for _, a := range []string{"1", "2", "11", "12", "12B", "21", "FLAT 1 WEY HOUSE", "FLAT 12 WEY HOUSE", "HOLLY COTTAGE", "IVY COTTAGE"} {
		list = append(list, Details{Address: []byte(a)})
	}
	var m AddressMatcher
	for asked, want := range map[string][]string{
		"12A":                {"12", "12B"},
		"Holy Cottage":       {"HOLLY COTTAGE", "IVY COTTAGE"},
		"Wey House, Flat 12": {"FLAT 12 WEY HOUSE"},
	} {
		m.Ask([]byte(asked))
		for i, at := range m.AppendCandidates(nil, list, len(want)) {
			if got := string(list[at].Address); got != want[i] {
				t.Errorf("%q: candidate %d is %q, want %q", asked, i, got, want[i])
			}
		}
	}
}

func TestMatcherAllocatesNothing(t *testing.T) {
	list := []Details{{Address: []byte("Flat 2, Wey House")}, {Address: []byte("12 to 14")}}
	var m AddressMatcher
	var found []int
	ask := func() {
		m.Ask([]byte("The Apt. No 2 Wey Hse"))
		found, _ = m.AppendFound(found[:0], list)
		found = m.AppendCandidates(found[:0], list, 100)
	}
	ask()
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package geo

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSizesOfTheGrammar(t *testing.T) {
	// 23 first letters; 250 outcodes to a one-letter area and 220 to each of
	// 23 two-letter areas.
	if Outcodes != 122_130 || Inwards != 4_000 || Sectors != 1_221_300 || Postcodes != 488_520_000 {
		t.Error(Outcodes, Inwards, Sectors, Postcodes)
	}
}

func TestOutcodesAreTheGrammarInOrder(t *testing.T) {
	// Every text of 2 to 4 characters that the pattern allows, in byte order.
	const chars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var want []string
	var grow func(s string)
	grow = func(s string) {
		if slowPatterns[outcodeKind].MatchString(s) {
			want = append(want, s)
		}
		for _, c := range chars {
			if len(s) < 4 {
				grow(s + string(c))
			}
		}
	}
	for _, first := range chars[10:] {
		grow(string(first))
	}
	if len(want) != Outcodes || !slices.IsSorted(want) {
		t.Fatalf("%d outcodes match the pattern, want %d", len(want), Outcodes)
	}
	var buf [8]byte
	for n, text := range want {
		o, ok := OutcodeFromOrdinal(uint32(n))
		if !ok || !o.IsValid() || int(o.Ordinal()) != n || string(o.AppendTo(buf[:0])) != text {
			t.Fatalf("ordinal %d is %q, want %q", n, o, text)
		}
		back, ok := outward([]byte(text))
		if !ok || back != o {
			t.Fatalf("%s reads as %v", text, back)
		}
		parsed, err := ParseOutcode(text)
		if reason, outside := OutOfArea(o); outside {
			if !errors.Is(err, ErrOutOfArea) || !strings.HasPrefix(reason, o.Area()+" is ") {
				t.Fatalf("%s: %v, %q", text, err, reason)
			}
		} else if err != nil || parsed != o {
			t.Fatalf("%s parses as %v, %v", text, parsed, err)
		}
	}
	if _, ok := OutcodeFromOrdinal(uint32(Outcodes)); ok {
		t.Error("an ordinal beyond the last outcode")
	}
}

func TestOrderIsThatOfTheTexts(t *testing.T) {
	list := []string{"B1 1AA", "B1 9ZZ", "BA1 1AA", "E1 0AA", "E1 6AN", "E10 5AA", "E19 9ZZ", "E1W 1AA", "E2 0AA", "EC1A 1BB", "EC2A 1AA", "GU1 1AA", "GU1 1AB", "GU1 1BA", "GU1 2AA", "GU10 1AA", "W1A 0AX", "W1B 1AA", "W2 1AA"}
	for i := 1; i < len(list); i++ {
		p, q := mustPostcode(t, list[i-1]), mustPostcode(t, list[i])
		if p.Compare(q) >= 0 || p.Ordinal() >= q.Ordinal() {
			t.Errorf("%v is not before %v", p, q)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		p, _ := PostcodeFromOrdinal(rng.Uint32N(uint32(Postcodes)))
		q, _ := PostcodeFromOrdinal(rng.Uint32N(uint32(Postcodes)))
		if rng.IntN(2) == 0 { // near each other
			q, _ = PostcodeFromOrdinal(min(p.Ordinal()+rng.Uint32N(30_000), uint32(Postcodes)-1))
		}
		if got, want := p.Compare(q), cmp.Compare(p.String(), q.String()); got != want {
			t.Fatalf("Compare(%v, %v) = %d, want %d", p, q, got, want)
		}
		if got, want := p.Sector().Compare(q.Sector()), cmp.Compare(p.Sector().String(), q.Sector().String()); got != want {
			t.Fatalf("Compare(%v, %v) = %d, want %d", p.Sector(), q.Sector(), got, want)
		}
		if got, want := p.Outcode().Compare(q.Outcode()), cmp.Compare(p.Outcode().String(), q.Outcode().String()); got != want {
			t.Fatalf("Compare(%v, %v) = %d, want %d", p.Outcode(), q.Outcode(), got, want)
		}
	}
}

func mustPostcode(tb testing.TB, s string) Postcode {
	tb.Helper()
	p, err := ParsePostcode(s)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestInwardCodes(t *testing.T) {
	o, err := ParseOutcode("GU1")
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for in := range uint16(Inwards) {
		p, ok := PostcodeFrom(o, in)
		text := p.String()
		if !ok || p.Inward() != in || p.Outcode() != o || text <= last || mustPostcode(t, text) != p {
			t.Fatalf("inward code %d: %v after %s", in, p, last)
		}
		q := p.Sector()
		if q.Outcode() != o || q.Digit() != text[4]-'0' || q.String() != text[:5] {
			t.Fatalf("sector of %v is %v", p, q)
		}
		if back, ok := SectorFrom(o, q.Digit()); !ok || back != q {
			t.Fatalf("SectorFrom(%v, %d) = %v", o, q.Digit(), back)
		}
		if back, ok := SectorFromOrdinal(q.Ordinal()); !ok || back != q {
			t.Fatalf("SectorFromOrdinal(%d) = %v", q.Ordinal(), back)
		}
		last = text
	}
	if _, ok := PostcodeFrom(o, uint16(Inwards)); ok {
		t.Error("an inward code beyond 9ZZ")
	}
	if _, ok := SectorFrom(o, 10); ok {
		t.Error("a sector beyond 9")
	}
	if _, ok := SectorFromOrdinal(uint32(Sectors)); ok {
		t.Error("a sector beyond the last")
	}
	if p, ok := PostcodeFromOrdinal(uint32(Postcodes) - 1); !ok || p.String() != "ZY9Y 9ZZ" {
		t.Errorf("the last postcode is %v", p)
	}
	if _, ok := PostcodeFromOrdinal(uint32(Postcodes)); ok {
		t.Error("a postcode beyond the last")
	}
}

func TestZeroValuesAreNone(t *testing.T) {
	var p Postcode
	var o Outcode
	var q Sector
	if p.IsValid() || o.IsValid() || q.IsValid() || p.Outcode() != o || p.Sector() != q || q.Outcode() != o || p.Inward() != 0 || q.Digit() != 0 {
		t.Error("a zero value is something")
	}
	if p.String()+o.String()+q.String()+o.Area()+o.Hint()+p.Hint() != "" {
		t.Error("a zero value has a text")
	}
	if _, ok := PostcodeFrom(o, 0); ok {
		t.Error("a postcode without outcode")
	}
	if _, ok := SectorFrom(o, 0); ok {
		t.Error("a sector without outcode")
	}
	if _, ok := OutOfArea(o); ok {
		t.Error("no outcode is out of area")
	}
}

func TestForgiving(t *testing.T) {
	for _, s := range []string{"GU1 1AA", "gu11aa", "GU11AA", " gU1  1aA ", "GU1\t1AA\r\n", "GU1\u00a01AA", "\u00a0GU11AA\u00a0", "GU11 AA", "G U 1 1 A A", "GU1\v\f1AA"} {
		if p, err := ParsePostcode(s); err != nil || p.String() != "GU1 1AA" {
			t.Errorf("%q: %v, %v", s, p, err)
		}
		if p, err := ParsePostcode([]byte(s)); err != nil || p.String() != "GU1 1AA" {
			t.Errorf("bytes %q: %v, %v", s, p, err)
		}
	}
	type text string
	if p, err := ParsePostcode(text("sw1a1aa")); err != nil || p.String() != "SW1A 1AA" {
		t.Error(p, err)
	}
	for s, want := range map[string]string{"E11": "E11", " e11 ": "E11", "E 11": "E11", "gu 1": "GU1", "sw1a": "SW1A", "S W1A": "SW1A"} {
		if o, err := ParseOutcode(s); err != nil || o.String() != want {
			t.Errorf("outcode %q: %v, %v; want %s", s, o, err, want)
		}
	}
	for s, want := range map[string]string{"E11": "E1 1", "E1 1": "E1 1", "E11 1": "E11 1", "E111": "E11 1", "gu11": "GU1 1", "GU1 1": "GU1 1", "sw1a1": "SW1A 1"} {
		if q, err := ParseSector(s); err != nil || q.String() != want {
			t.Errorf("sector %q: %v, %v; want %s", s, q, err, want)
		}
	}
}

func TestTextsAndJSON(t *testing.T) {
	type all struct {
		P Postcode
		O Outcode
		Q Sector
		U UPRN
		M map[Postcode]UPRN
	}
	in := `{"P":"GU1 1AA","O":"SW1A","Q":"E1 1","U":"100012345678","M":{"W1A 0AX":"1"}}`
	var v all
	if err := json.Unmarshal([]byte(in), &v); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(v); err != nil || string(out) != in {
		t.Errorf("%s, %v", out, err)
	}
	zero := `{"P":"","O":"","Q":"","U":"","M":null}`
	if err := json.Unmarshal([]byte(zero), &v); err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal(v); err != nil || string(out) != zero {
		t.Errorf("%s, %v", out, err)
	}
	if b, err := mustPostcode(t, "gu11aa").AppendText([]byte("at ")); err != nil || string(b) != "at GU1 1AA" {
		t.Errorf("%s, %v", b, err)
	}
	if b, err := mustPostcode(t, "gu11aa").Outcode().AppendText([]byte("in ")); err != nil || string(b) != "in GU1" {
		t.Errorf("%s, %v", b, err)
	}
	if b, err := mustPostcode(t, "gu11aa").Sector().AppendText([]byte("in ")); err != nil || string(b) != "in GU1 1" {
		t.Errorf("%s, %v", b, err)
	}
	for _, bad := range []string{`{"P":"GU1"}`, `{"O":"E1 1"}`, `{"Q":"W1A"}`, `{"U":"0"}`, `{"P":" "}`} {
		if err := json.Unmarshal([]byte(bad), &v); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestHints(t *testing.T) {
	for out, want := range map[string]string{
		"GU1": "", "SW1A": "", "W1A": "", "EC4Y": "", "WC2E": "", "NW1W": "", "SE1P": "", "E1W": "", "N1C": "", "CR0": "", "LL65": "", "SO14": "",
		"SR43": "SR usually has only single-digit districts",
		"HA10": "HA usually has only single-digit districts",
		"LL1":  "LL usually has only two-digit districts",
		"GU0":  "GU usually has no district 0",
		"E2A":  "a letter after the district is usual in central London only; E2 has none",
		"NW1A": "a letter after the district is usual in central London only; NW1 has none",
		"AA1":  "no postcode area AA",
		"A1":   "no postcode area A",
		"UK1":  "no postcode area UK",
	} {
		o, err := ParseOutcode(out)
		if err != nil || o.Hint() != want {
			t.Errorf("%s: %q, %v; want %q", out, o.Hint(), err, want)
		}
		if p, ok := PostcodeFrom(o, 0); !ok || p.Hint() != want {
			t.Errorf("%s: %q, want %q", p, p.Hint(), want)
		}
	}
	bt, _ := outward([]byte("BT1"))
	if reason, ok := OutOfArea(bt); !ok || bt.Hint() != reason || !strings.HasPrefix(reason, "BT is Northern Ireland") {
		t.Errorf("BT1: %q", bt.Hint())
	}
}

func TestDeadOutcodesAreWellFormed(t *testing.T) {
	for s := range strings.FieldsSeq("BB94 BS0 BS80 CA99 CR44 DN55 E77 EC50 EH77 FY0 G9 GU95 L73 LE55 ME99 NE82 NE83 NG70 OL95 PE99 SR9 YO91") {
		o, err := ParseOutcode(s)
		if err != nil || o.String() != s || o.Hint() != "" {
			t.Errorf("%s: %v, %v, %q", s, o, err, o.Hint())
		}
	}
	if _, err := ParsePostcode("DN55 1PT"); err != nil {
		t.Error(err)
	}
}

// sample returns the real postcodes of testdata.
func sample(tb testing.TB) (list []string) {
	tb.Helper()
	data, err := os.ReadFile("testdata/postcodes.txt")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list
}

func TestRealPostcodes(t *testing.T) {
	list := sample(t)
	seen := map[string]bool{}
	var unusual []string
	for i, s := range list {
		p, err := ParsePostcode(s)
		if err != nil || p.String() != s {
			t.Errorf("%s: %v, %v", s, p, err)
			continue
		}
		if i > 0 && mustPostcode(t, list[i-1]).Compare(p) >= 0 {
			t.Errorf("%s is not after %s", s, list[i-1])
		}
		seen[p.Outcode().Area()] = true
		if p.Hint() != "" && !slices.Contains(unusual, p.Outcode().String()) {
			unusual = append(unusual, p.Outcode().String())
		}
	}
	if len(list) < 2000 || len(seen) != 120 || len(strings.Fields(areas)) != 120 {
		t.Errorf("%d codes of %d areas; %d areas listed", len(list), len(seen), len(strings.Fields(areas)))
	}
	for area := range strings.FieldsSeq(areas) {
		if !seen[area] {
			t.Errorf("no code of %s", area)
		}
	}
	if want := []string{"SR43"}; !slices.Equal(unusual, want) {
		t.Errorf("unusual outcodes in use: %v, want %v", unusual, want)
	}
}

// TestCodePointOpen reads all of Code-Point Open from the folder of CSVs in
// COVERD_CODEPOINT, as in
//
//	COVERD_CODEPOINT=codepo_gb/Data/CSV go test ./geo -run CodePointOpen -v
//
// without that, the sample in its spelling.
func TestCodePointOpen(t *testing.T) {
	check := func(field string) error { // canonical, or padded to seven characters
		p, err := ParsePostcode(field)
		if err != nil {
			return err
		}
		text := p.String()
		out, in, _ := strings.Cut(text, " ")
		if padded := fmt.Sprintf("%-4s%s", out, in); field != text && field != padded {
			return fmt.Errorf("%q came back as %q", field, padded)
		}
		if back, ok := PostcodeFromOrdinal(p.Ordinal()); !ok || back != p {
			return fmt.Errorf("%v has the ordinal of %v", p, back)
		}
		if back, ok := PostcodeFrom(p.Outcode(), p.Inward()); !ok || back != p {
			return fmt.Errorf("%v is put together as %v", p, back)
		}
		slow, err := slowParse(postcodeKind, field)
		if err == nil && slow != text {
			err = fmt.Errorf("%v: slowly %s", p, slow)
		}
		return err
	}
	dir := os.Getenv("COVERD_CODEPOINT")
	if dir == "" {
		for _, s := range sample(t) {
			out, in, _ := strings.Cut(s, " ")
			for _, field := range []string{s, fmt.Sprintf("%-4s%s", out, in)} {
				if err := check(field); err != nil {
					t.Error(err)
				}
			}
		}
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) != 120 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	n := 0
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); n++ {
			field, _, _ := strings.Cut(lines.Text(), ",")
			if err := check(strings.Trim(field, `"`)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.Close()
	}
	if n < 1_700_000 {
		t.Errorf("only %d postcodes", n)
	}
	t.Logf("%d postcodes", n)
}

func TestParsersAgreeWithSlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { agree(t, nearCode().Draw(t, "s")) })
}

// agree holds the parsers against their slow twin, and against themselves.
func agree(t interface {
	Helper()
	Fatalf(string, ...any)
}, s string,
) {
	t.Helper()
	for _, what := range []string{postcodeKind, outcodeKind, sectorKind} {
		got, err := parse(what, s)
		want, kind := slowParse(what, s)
		if got != want || !errors.Is(err, kind) {
			t.Fatalf("%s %q: %q, %v; slowly %q, %v", what, s, got, err, want, kind)
		}
		if err != nil {
			if e, ok := errors.AsType[*PostcodeError](err); !ok || e.Input != s || e.Hint == "" || e.Msg == "" || e.Pos < 0 || e.Pos > len(s) || e.Error() == "" {
				t.Fatalf("%s %q: %+v", what, s, err)
			}
			continue
		}
		if back, err := parse(what, got); err != nil || back != got {
			t.Fatalf("%s %q: %q reads back as %q, %v", what, s, got, back, err)
		}
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	post, out, sect := []byte(" sw1a 1aa"), []byte("sw1a"), []byte("sw1a 1")
	p, o, q := mustPostcode(t, "SW1A 1AA"), mustPostcode(t, "SW1A 1AA").Outcode(), mustPostcode(t, "SW1A 1AA").Sector()
	var buf [8]byte
	var err error
	for name, f := range map[string]func(){
		"ParsePostcode string": func() { _, err = ParsePostcode("gu1 1aa") },
		"ParsePostcode bytes":  func() { _, err = ParsePostcode(post) },
		"ParseOutcode string":  func() { _, err = ParseOutcode("gu1") },
		"ParseOutcode bytes":   func() { _, err = ParseOutcode(out) },
		"ParseSector string":   func() { _, err = ParseSector("gu1 1") },
		"ParseSector bytes":    func() { _, err = ParseSector(sect) },
		"ParseUPRN string":     func() { _, err = ParseUPRN("000100012345678") },
		"ParseUPRN bytes":      func() { _, err = ParseUPRN([]byte("100012345678")) },
		"AppendTo":             func() { p.AppendTo(buf[:0]); o.AppendTo(buf[:0]); q.AppendTo(buf[:0]) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 || err != nil {
			t.Errorf("%s: allocs = %v, want 0; %v", name, n, err)
		}
	}
}

func BenchmarkParsePostcode(b *testing.B) {
	list := sample(b)
	for i := 0; b.Loop(); i++ {
		if _, err := ParsePostcode(list[i%len(list)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPostcodeAppendTo(b *testing.B) {
	var list []Postcode
	for _, s := range sample(b) {
		list = append(list, mustPostcode(b, s))
	}
	var buf [8]byte
	for i := 0; b.Loop(); i++ {
		list[i%len(list)].AppendTo(buf[:0])
	}
}

package geo

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// malformed is a row of testdata/malformed.tsv.
type malformed struct {
	line              int
	what, input, kind string
	says              string
	suggestions       []string // the first ones; empty: none at all
}

func readMalformed(tb testing.TB) (rows []malformed) {
	tb.Helper()
	data, err := os.ReadFile("testdata/malformed.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) < 5 {
			tb.Fatalf("malformed.tsv:%d: %d columns", n, len(f))
		}
		m := malformed{n, f[0], f[1], f[2], f[3], f[4:]}
		if strings.HasPrefix(m.input, `"`) {
			if m.input, err = strconv.Unquote(m.input); err != nil {
				tb.Fatalf("malformed.tsv:%d: %v", n, err)
			}
		}
		if m.suggestions[0] == "-" {
			m.suggestions = nil
		}
		rows = append(rows, m)
	}
	return rows
}

// parse parses as what is wanted, to text.
func parse(what, s string) (string, error) {
	switch what {
	case postcodeKind:
		p, err := ParsePostcode(s)
		return p.String(), err
	case outcodeKind:
		o, err := ParseOutcode(s)
		return o.String(), err
	default:
		q, err := ParseSector(s)
		return q.String(), err
	}
}

func TestMalformed(t *testing.T) {
	rows := readMalformed(t)
	if len(rows) < 300 {
		t.Fatalf("only %d rows", len(rows))
	}
	kinds := map[string]error{"malformed": ErrMalformed, "outside": ErrOutOfArea}
	for _, m := range rows {
		text, err := parse(m.what, m.input)
		if !errors.Is(err, kinds[m.kind]) || text != "" {
			t.Errorf("line %d: %s %q: got %q, %v; want it %s", m.line, m.what, m.input, text, err, m.kind)
			continue
		}
		e, ok := errors.AsType[*PostcodeError](err)
		if !ok || e.Input != m.input || e.What != m.what || e.Hint == "" || e.Msg == "" || e.Pos < 0 || e.Pos > len(m.input) {
			t.Errorf("line %d: %q: incomplete error %+v", m.line, m.input, err)
			continue
		}
		if !strings.Contains(e.Msg+" ("+e.Hint+")", m.says) {
			t.Errorf("line %d: %q: %s (%s); want %q", m.line, m.input, e.Msg, e.Hint, m.says)
		}
		if msg := err.Error(); !strings.Contains(msg, e.Msg) || len(msg) > 400 {
			t.Errorf("line %d: message %q", m.line, msg)
		}
		checkSuggestions(t, m)
	}
}

func checkSuggestions(t *testing.T, m malformed) {
	t.Helper()
	suggest := map[string]func(string) []Suggestion{
		postcodeKind: SuggestPostcode[string], outcodeKind: SuggestOutcode[string], sectorKind: SuggestSector[string],
	}[m.what]
	got := suggest(m.input)
	var texts []string
	for _, s := range got {
		texts = append(texts, s.Text)
		if back, err := parse(s.What, s.Text); back != s.Text && !errors.Is(err, ErrOutOfArea) {
			t.Errorf("line %d: %q: suggestion %+v is no %s: %v", m.line, m.input, s, s.What, err)
		}
		if s.Reason == "" || !utf8.ValidString(s.Reason) {
			t.Errorf("line %d: %q: suggestion %+v has no reason", m.line, m.input, s)
		}
	}
	ok := len(texts) >= len(m.suggestions) && len(texts) <= maxSuggestions
	for i := range m.suggestions {
		ok = ok && texts[i] == m.suggestions[i]
	}
	if m.suggestions == nil {
		ok = len(texts) == 0
	}
	if !ok {
		t.Errorf("line %d: %q: suggestions %v, want %v first", m.line, m.input, got, m.suggestions)
	}
}

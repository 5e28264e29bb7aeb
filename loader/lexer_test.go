package loader

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// csvRecord is a record, or what is wrong with it; n and lines are its length
// and its line ends.
type csvRecord struct {
	fields   []string
	err      error
	n, lines int
}

// lexAll splits text, to which a line end is added where it has none.
func lexAll(text string) (records []csvRecord) {
	data := []byte(text)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(data, '\n')
	}
	var x lexer
	for len(data) > 0 {
		n, lines, err := x.next(data)
		if len(trimEnd(data[:n])) > 0 {
			rec := csvRecord{err: err, n: n, lines: lines}
			if err == nil {
				for _, f := range x.fields {
					rec.fields = append(rec.fields, string(f))
				}
			}
			records = append(records, rec)
		}
		data = data[n:]
	}
	return records
}

// slowLexAll is encoding/csv.
func slowLexAll(text string) (records []csvRecord) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	for {
		at := r.InputOffset()
		fields, err := r.Read()
		if err == io.EOF {
			return records
		}
		rec := csvRecord{fields: fields}
		if p, ok := errors.AsType[*csv.ParseError](err); ok {
			rec.fields = nil
			if rec.err = errQuote; errors.Is(p, csv.ErrBareQuote) {
				rec.err = errBareQuote
			}
		}
		rec.n = int(r.InputOffset() - at)
		records = append(records, rec)
	}
}

// checkLexer compares the lexer with encoding/csv.
func checkLexer(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) {
	t.Helper()
	got, want := lexAll(text), slowLexAll(text)
	if len(got) != len(want) {
		t.Fatalf("%q: %d records, encoding/csv has %d\n got %+v\nwant %+v", text, len(got), len(want), got, want)
	}
	for i := range got {
		if (got[i].err == nil) != (want[i].err == nil) || (got[i].err == errBareQuote) != (want[i].err == errBareQuote) {
			t.Fatalf("%q: record %d: error %v, encoding/csv has %v", text, i, got[i].err, want[i].err)
		}
		if !cmp.Equal(got[i].fields, want[i].fields) {
			t.Fatalf("%q: record %d is %q, encoding/csv has %q", text, i, got[i].fields, want[i].fields)
		}
	}
}

func TestLexer(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []csvRecord
	}{
		{"a,b\n", []csvRecord{{fields: []string{"a", "b"}, n: 4, lines: 1}}},
		{"a,b\r\n,\r\n", []csvRecord{{fields: []string{"a", "b"}, n: 5, lines: 1}, {fields: []string{"", ""}, n: 3, lines: 1}}},
		{"\n\r\na\n", []csvRecord{{fields: []string{"a"}, n: 2, lines: 1}}},
		{`"a ""b"", c",d` + "\n", []csvRecord{{fields: []string{`a "b", c`, "d"}, n: 15, lines: 1}}},
		{"\"a\r\nb\n\nc\",d\n", []csvRecord{{fields: []string{"a\nb\n\nc", "d"}, n: 12, lines: 4}}},
		{`"",""` + "\n", []csvRecord{{fields: []string{"", ""}, n: 6, lines: 1}}},
		{`"a",` + "\n", []csvRecord{{fields: []string{"a", ""}, n: 5, lines: 1}}},
		{` "a"` + "\nb\n", []csvRecord{{err: errBareQuote, n: 5, lines: 1}, {fields: []string{"b"}, n: 2, lines: 1}}},
		{`a"b` + "\n", []csvRecord{{err: errBareQuote, n: 4, lines: 1}}},
		{`"a"b` + "\n", []csvRecord{{err: errQuote, n: 5, lines: 1}}},
		{`"a" ,b` + "\n", []csvRecord{{err: errQuote, n: 7, lines: 1}}},
		{"\"a\nb", []csvRecord{{err: errOpenQuote, n: 5, lines: 2}}},
		{"a\rb\n", []csvRecord{{fields: []string{"a\rb"}, n: 4, lines: 1}}},
	} {
		got := lexAll(tt.text)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(csvRecord{}), cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
		checkLexer(t, tt.text)
	}
}

func TestLexerIsEncodingCSV(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("a,\"\n\r é")), 0, 24, -1)
	rapid.Check(t, func(t *rapid.T) { checkLexer(t, text.Draw(t, "text")) })
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{"a,b\r\n\"c\"\"d\",e\n", "\"a\n", "a\"b\n", "\r\n\n,\n", "\"\"\"\",\"\r\n\"\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkLexer(t, text) })
}

// What the lexer gives joins up again to what it was given.
func TestLexerRoundTrip(t *testing.T) {
	cell := rapid.StringOfN(rapid.RuneFrom([]rune("ab ,\"\nŵ")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		record := rapid.SliceOfN(cell, 2, 5).Draw(t, "record")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		got := lexAll(b.String())
		if len(got) != 1 || !cmp.Equal(got[0].fields, record) || got[0].n != b.Len() {
			t.Fatalf("%q: got %+v", b.String(), got)
		}
	})
}

func TestLexerAllocates(t *testing.T) {
	data := []byte("990000000001,GU1 2AA,\"1, \"\"Snug\"\"\",51.2,-0.5\n990000000001,GU1 2AA,1,51.2,-0.5\n")
	var x lexer
	if n := testing.AllocsPerRun(100, func() {
		for rest := data; len(rest) > 0; {
			n, _, err := x.next(rest)
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

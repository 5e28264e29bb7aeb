package loader

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// piece is one record as a reader of blocks meets it: its line and its text, or
// the code of what is wrong with its line.
type piece struct {
	line uint32
	text string
	code Code
}

// split cuts text into blocks and those into records.
func split(text string, size int, r func(io.Reader) io.Reader) (pieces []piece, err error) {
	s := newSplitter("x.csv", r(strings.NewReader(text)), size)
	var x lexer
	for {
		b, err := s.next()
		if err != nil {
			return pieces, err
		}
		if b.bad != nil {
			pieces = append(pieces, piece{b.line, b.bad.Row, b.bad.Code})
			continue
		}
		for data, line := b.data, b.line; len(data) > 0; {
			n, lines, err := x.next(data)
			p := piece{line: line, text: string(data[:n])}
			if err != nil {
				p.code, p.text = CodeQuotes, string(trimEnd(data[:n]))
			}
			pieces = append(pieces, p)
			data, line = data[n:], line+uint32(lines)
		}
		b.free()
	}
}

// slowSplit is the rule: a record of up to maxRecord bytes; else the line it
// starts on is bad, and so is that of a record that goes wrong on a later line.
func slowSplit(text string) (pieces []piece, cut bool) {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	var x lexer
	for line := uint32(1); text != ""; {
		first := strings.IndexByte(text, '\n') + 1
		p := piece{line: line}
		n, lines, err := x.next([]byte(text))
		switch {
		case first > maxRecord:
			n, lines, p.code, p.text = first, 1, CodeLineLength, text[:1<<10]+"…"
		case err == errOpenQuote && len(text) < maxRecord:
			return pieces, true
		case n > maxRecord, err != nil:
			n, lines, p.code, p.text = first, 1, CodeQuotes, string(trimEnd([]byte(text[:first])))
		default:
			p.text = text[:n]
		}
		pieces = append(pieces, p)
		text, line = text[n:], line+uint32(lines)
	}
	return pieces, false
}

func checkSplit(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string, size int,
) {
	t.Helper()
	want, cut := slowSplit(text)
	for _, r := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.DataErrReader} {
		got, err := split(text, size, r)
		if _, isCut := errors.AsType[*FileError](err); isCut != cut || !isCut && err != io.EOF {
			t.Fatalf("%.200q: error %v, want cut: %v", text, err, cut)
		}
		if !slices.Equal(want, got) { // cmp takes its time
			t.Fatalf("%.200q, blocks of %d (-want +got):\n%s", text, size, cmp.Diff(want, got, cmp.AllowUnexported(piece{})))
		}
	}
}

func TestSplitter(t *testing.T) {
	long := strings.Repeat("x", maxRecord-1)
	lines := func(n int) string { return strings.Repeat("a line of some length, with a comma\n", n) }
	for _, text := range []string{
		"", "a", "a\n", "a\r\n\r\nb", lines(10),
		long + "\nb\n",                           // as long as may be
		long + "x\nb\n",                          // one byte more
		long + "\r\nb\n",                         // the line end counts
		long + long + long + "\nb\n", long + "x", // over several reads, and at the end
		"\"a\nb\"\nc\n",
		"\"a\nb\"x\nc\n",              // only its first line is bad
		"a,\"b\nc,d\ne,\"f\"\ng,h\n",  // a quote that swallows lines up to the next quote
		"\"a\n" + lines(3000) + "b\n", // closes nowhere near
		"\"a\n" + lines(1500) + "\"\nb\n",
		"\"" + lines(1500) + "\"\n" + lines(3), "\"" + lines(1900) + "\"\n" + lines(3), // whole and too long
		"a\n\"b\n", // closes nowhere: cut
		lines(3) + "\"" + long + "\"\n" + lines(3),
		"\"" + lines(1000) + "\",\"" + lines(1000) + "\"\nb\n",
	} {
		for _, size := range []int{1, 100, 4 << 10, blockSize} {
			checkSplit(t, text, size)
		}
	}
}

func TestSplitterIsSlowSplit(t *testing.T) {
	chunk := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("ab,\"\r\n")), 0, 40, -1),
		rapid.SampledFrom([]string{
			"\n", "\"", strings.Repeat("y", maxRecord-5), strings.Repeat("z,z,z,z,z,z\n", 1000), strings.Repeat(`"q","q","q"`+"\n", 1000),
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(chunk, 1, 6).Draw(t, "chunks"), "")
		checkSplit(t, text, rapid.SampledFrom([]int{1, 1000, 100_000}).Draw(t, "size"))
	})
}

func FuzzSplitter(f *testing.F) {
	f.Add("a,b\n\"c\nd\"\n", uint8(3))
	f.Add("a,b\n\"c\nd\"x\n\"\n", uint8(0))
	f.Fuzz(func(t *testing.T, text string, repeat uint8) {
		if len(text) > 2000 {
			return
		}
		// Long enough to leave a window, now and then.
		checkSplit(t, text+strings.Repeat(text, int(repeat)), 1+int(repeat)*100)
	})
}

func TestSplitterHeader(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a,\"b \"\"c\"\"\",\"d\ne\"\n1\n", `x.csv:1: first line: a line break inside it`},
		{"a, b ,\"c,d\"\n1\n", `["a" " b " "c,d"] 2`},
		{"\r\n\n\na,b\n", `["a" "b"] 5`},
		{"", "x.csv: it is empty: not even a header row"},
		{"\n\r\n", "x.csv: it is empty: not even a header row"},
		{"a,b", "x.csv:1: it is cut: the header has no line end, and nothing follows it"},
		{"a\rb\rc\r", "x.csv:1: first line: its lines end in CR alone: want LF or CRLF"},
		{strings.Repeat("a,b\r", maxRecord), "x.csv:1: its lines end in CR alone: want LF or CRLF"},
		{strings.Repeat("a", maxRecord), "x.csv:1: its first line is over 65536 bytes"},
		{strings.Repeat("a", maxRecord-1) + "\n1\n", fmt.Sprintf(`["%s"] 2`, strings.Repeat("a", maxRecord-1))},
		{"a,\"b\n", "x.csv:1: first line: a quote that is never closed"},
		{"a\x00b\n", "x.csv:1: first line: a control character: byte 2 starts U+0000"},
		{"caf\xe9\n", "x.csv:1: first line: not UTF-8: byte 4 is 0xE9; is it Latin-1 or Windows-1252?"},
	} {
		s := newSplitter("x.csv", strings.NewReader(tt.text), 100)
		header, err := s.header()
		got := fmt.Sprintf("%q %d", header, s.line)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%.40q: got %.200s, want %.200s", tt.text, got, tt.want)
		}
	}
}

func TestSplitterReadError(t *testing.T) {
	broken := errors.New("disk")
	for _, text := range []string{"", "a,b\n", strings.Repeat("a,b\n", 100_000)} {
		_, err := split(text, 1000, func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(broken)) })
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: error %v", len(text), err)
		}
	}
}

// However large the file, and whatever is in it, a splitter holds a block and a
// record.
func TestSplitterMemory(t *testing.T) {
	for _, unit := range []string{"x", "\"", "\"\n", "a,b\n", "\"\"", "\"a\n"} {
		text := &repeated{unit: unit, left: 2 << 20}
		s := newSplitter("x.csv", text, 4<<10)
		for {
			b, err := s.next()
			if err != nil {
				break
			}
			if n := cap(b.data) + cap(s.rest); n > 4*(4<<10+maxRecord)+2*blockSize+2*maxRecord {
				t.Fatalf("%q: %d bytes held", unit, n)
			}
			b.free()
		}
	}
}

// repeated is a text, over and over.
type repeated struct {
	unit string
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(r.unit) <= len(p) {
		n += copy(p[n:], r.unit)
	}
	if n == 0 {
		n = copy(p, r.unit[:min(len(p), len(r.unit))])
	}
	r.left -= n
	return n, nil
}

package loader

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// slowRecords takes a sheet apart, rune by rune, in the plainest way: each record
// with its line end, its fields, and whether it is a bad one.
func slowRecords(text string, separator byte) (records []slowRecord) {
	for len(text) > 0 {
		first := text
		if i := strings.IndexByte(text, '\n'); i >= 0 {
			first = text[:i+1]
		}
		if len(first) > maxRecord || len(first) == maxRecord && !strings.HasSuffix(first, "\n") {
			records = append(records, slowRecord{text: first, bad: true})
			text = text[len(first):]
			continue
		}
		r := slowRecordAt(text[:min(len(text), maxRecord)], separator, len(text) <= maxRecord)
		if r.bad {
			r = slowRecord{text: first, bad: true}
		}
		records = append(records, r)
		text = text[len(r.text):]
	}
	return records
}

type slowRecord struct {
	text   string
	fields []string
	bad    bool
}

func slowRecordAt(text string, separator byte, whole bool) (r slowRecord) {
	for rest := text; ; {
		field := ""
		if strings.HasPrefix(rest, `"`) {
			rest = rest[1:]
			for {
				i := strings.IndexByte(rest, '"')
				if i < 0 {
					return slowRecord{bad: true}
				}
				field, rest = field+rest[:i], rest[i+1:]
				if !strings.HasPrefix(rest, `"`) {
					break
				}
				field, rest = field+`"`, rest[1:]
			}
		} else {
			i := strings.IndexFunc(rest, func(c rune) bool { return c == '\n' || c == rune(separator) })
			if i < 0 {
				i = len(rest)
			}
			if strings.HasPrefix(rest[i:], "\n") && strings.HasSuffix(rest[:i], "\r") {
				i--
			}
			field, rest = rest[:i], rest[i:]
		}
		r.fields = append(r.fields, strings.TrimSpace(field))
		end := ""
		switch {
		case rest == "" && whole:
		case strings.HasPrefix(rest, string(separator)):
			rest = rest[1:]
			continue
		case strings.HasPrefix(rest, "\n"):
			end = "\n"
		case strings.HasPrefix(rest, "\r\n"):
			end = "\r\n"
		default:
			return slowRecord{bad: true}
		}
		r.text = text[:len(text)-len(rest)+len(end)]
		return r
	}
}

// cutSheet takes a sheet apart as Annotate does.
func cutSheet(t testing.TB, r io.Reader, separator byte, size int) (records []slowRecord) {
	t.Helper()
	c := sheetCutter{r: r, size: size, lex: sheetLexer{separator: separator}}
	x := sheetLexer{separator: separator}
	long := ""
	for {
		b, err := c.next()
		if err == io.EOF {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(b.data) > size+maxRecord {
			t.Errorf("a block of %d bytes", len(b.data))
		}
		if b.long {
			if long += string(b.data); b.end {
				records = append(records, slowRecord{text: long, bad: true})
				long = ""
			}
			continue
		}
		for data := b.data; len(data) > 0; {
			n, err := x.next(data)
			r := slowRecord{text: string(data[:n]), bad: err != nil}
			for i := range x.ends {
				var scratch []byte
				r.fields = append(r.fields, string(x.field(data[:n], i, &scratch)))
			}
			records = append(records, r)
			data = data[n:]
		}
	}
}

func checkSheet(t testing.TB, text string, separator byte, size int) {
	t.Helper()
	want := slowRecords(text, separator)
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(text), "halves": iotest.HalfReader(strings.NewReader(text))} {
		got := cutSheet(t, r, separator, size)
		if !slices.EqualFunc(got, want, func(a, b slowRecord) bool {
			return a.text == b.text && a.bad == b.bad && slices.Equal(a.fields, b.fields)
		}) {
			t.Fatalf("%s, separator %q, size %d: %.500q\ngot  %.500q\nwant %.500q", name, separator, size, text, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
}

var sheetTexts = []string{
	"", "a", "a,b\n1,2\n", "a,b\r\n\r\n1,2", "\"a\nb\",\"c\"\"d\"\n\"x", `"a"b,c` + "\n1,2", "a\"b\",c\n", "\"\"\n\"\"\"\"\n", "\"a\r\n\"\r\nb\r\r\n\r",
	"a;b\n\"1;2\";\"3\n4\"\n", "\xff,\x00\n", "x,\"y\nz\n\"w\n\"v\"\n",
}

func FuzzSheet(f *testing.F) {
	for _, s := range sheetTexts {
		f.Add(s, byte(0), uint16(7))
	}
	f.Fuzz(func(t *testing.T, text string, separator byte, size uint16) {
		checkSheet(t, text, []byte{',', ';', '\t'}[separator%3], 1+int(size))
	})
}

// Lines and quoted fields around the bound, which fuzzing rarely makes.
func TestSheetLong(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	rounds := 40
	if small() {
		rounds = 12
	}
	for range rounds {
		var b strings.Builder
		for range 1 + rng.IntN(6) {
			n := maxRecord - 4 + rng.IntN(8)
			if rng.IntN(3) == 0 {
				n = rng.IntN(3 * maxRecord)
			}
			fill := strings.Repeat([]string{"x", "\"", "x\n", "\r", "x,", "\"\"", "\n"}[rng.IntN(7)], n)[:n]
			b.WriteString([]string{"", "\"", ",\"", "a\n"}[rng.IntN(4)] + fill + []string{"\n", "\r\n", "\"\n", "\",b\r\n", ""}[rng.IntN(5)])
		}
		checkSheet(t, b.String(), ',', 1+rng.IntN(3*maxRecord))
	}
}

func TestSheetHeader(t *testing.T) {
	for _, c := range []struct {
		line, want string
		separator  byte
	}{
		{"a,b", "a|b", ','},
		{"a;b,c;d", "a|b,c|d", ';'},
		{"a\tb", "a|b", '\t'},
		{"Post Code", "Post Code", ','},
		{`"a,b";c;"d ""e"""`, `a,b|c|d "e"`, ';'},
	} {
		got, sep, err := sheetHeader([]byte(c.line))
		if err != nil || strings.Join(got, "|") != c.want || sep != c.separator {
			t.Errorf("%s: %q, %q, %v", c.line, got, sep, err)
		}
	}
	if _, _, err := sheetHeader([]byte(`a,"b`)); err == nil {
		t.Error("a quote that is not closed is let pass")
	}
}

func TestSheetColumns(t *testing.T) {
	for _, c := range []struct {
		header, want string
		given        map[SheetKey]string
	}{
		{"Site,POST_CODE,Lat ,LONG", "postcode:1 latitude:2 longitude:3", nil},
		{"UPRN,p-code,Address Line 1", "uprn:0 postcode:1 address:2", nil},
		{"x,y", "x:0 y:1", nil},
		{"Eastings,Northings,lat", "easting:0 northing:1", nil},
		{"OS Grid Ref", "grid_reference:0", nil},
		{"PC,postcode", "postcode:0", map[SheetKey]string{SheetPostcode: "PC"}},
		{"postcode,PC,house", "uprn:0 postcode:1 address:2", map[SheetKey]string{SheetPostcode: "PC", SheetUPRN: "postcode"}},
		{"house", "", nil},
		{"lat", "", nil},
		{"postcode,coverd_state", "", nil},
		{"postcode", "", map[SheetKey]string{SheetUPRN: "x"}},
	} {
		var got strings.Builder
		if cols, err := findSheetColumns(strings.Split(c.header, ","), c.given); err == nil {
			for _, k := range SheetKeys {
				if cols.at[k] >= 0 {
					got.WriteString(fmt.Sprintf(" %s:%d", k, cols.at[k]))
				}
			}
		}
		if strings.TrimSpace(got.String()) != c.want {
			t.Errorf("%s: %q, want %q", c.header, got.String(), c.want)
		}
	}
}

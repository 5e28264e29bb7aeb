package loader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// What is wrong with a row of a sheet.
var (
	errSheetQuote = errors.New(`its quotes are not closed, or text follows a closing quote: a quote inside a quoted field is written ""`)
	errSheetLong  = errors.New("it is a line of over 64 KiB")
)

// sheetLexer finds the fields of a record of a planner's table. It is more
// lenient than [lexer], because the table is not ours: any separator, and a quote
// inside a field that does not start with one is a quote.
type sheetLexer struct {
	separator byte
	// ends are where the fields of the last record end, in it: each but the last
	// at a separator.
	ends []int32
}

// next returns the length of the record at the start of data, its line end
// included. Where its quotes are bad that is the length of its first line, and
// the fields are none. Of data no more is looked at than a record may have, which
// must hold a line end, or else the end of the sheet. A record that ends further
// on is bad.
func (x *sheetLexer) next(data []byte) (n int, err error) {
	x.ends = x.ends[:0]
	last := len(data) <= maxRecord
	if !last {
		data = data[:maxRecord]
	}
	n = bytes.IndexByte(data, '\n') + 1
	if n == 0 {
		n = len(data)
	}
	line := trimEnd(data[:n])
	if bytes.IndexByte(line, '"') >= 0 {
		return x.quoted(data, n, last)
	}
	for i := 0; ; {
		k := bytes.IndexByte(line[i:], x.separator)
		if k < 0 {
			x.ends = append(x.ends, int32(len(line)))
			return n, nil
		}
		x.ends = append(x.ends, int32(i+k))
		i += k + 1
	}
}

// quoted is next for a record whose first line has quotes and a length. last
// says that the record may end where data does.
func (x *sheetLexer) quoted(data []byte, first int, last bool) (n int, err error) {
	bad := func() (int, error) {
		x.ends = x.ends[:0]
		return first, errSheetQuote
	}
	for i := 0; ; i++ { // i is where a field starts
		if i < len(data) && data[i] == '"' {
			for i++; ; i += 2 { // past a doubled quote
				k := bytes.IndexByte(data[i:], '"')
				if k < 0 {
					return bad()
				}
				i += k
				if i+1 == len(data) || data[i+1] != '"' {
					break
				}
			}
			i++
		} else {
			for i < len(data) && data[i] != x.separator && data[i] != '\n' {
				i++
			}
			if i < len(data) && data[i] == '\n' && i > 0 && data[i-1] == '\r' {
				i--
			}
		}
		x.ends = append(x.ends, int32(i))
		switch rest := data[i:]; {
		case len(rest) == 0 && last:
			return i, nil
		case len(rest) == 0:
			return bad()
		case rest[0] == x.separator:
		case rest[0] == '\n':
			return i + 1, nil
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 2, nil
		default:
			return bad()
		}
	}
}

// field returns a field of the last record: without the quotes around it, and
// without space. Doubled quotes are undone in scratch.
func (x *sheetLexer) field(data []byte, i int, scratch *[]byte) []byte {
	from := int32(0)
	if i > 0 {
		from = x.ends[i-1] + 1
	}
	cell := data[from:x.ends[i]]
	if len(cell) >= 2 && cell[0] == '"' {
		cell = cell[1 : len(cell)-1]
		if bytes.IndexByte(cell, '"') >= 0 {
			*scratch = appendUndoubled((*scratch)[:0], cell)
			cell = *scratch
		}
	}
	return bytes.TrimSpace(cell)
}

func appendUndoubled(b, cell []byte) []byte {
	for i := 0; i < len(cell); i++ {
		if b = append(b, cell[i]); cell[i] == '"' {
			i++
		}
	}
	return b
}

// sheetBlock is a stretch of a sheet.
type sheetBlock struct {
	data  []byte
	long  bool // it is part of a line that is too long
	end   bool // of that
	owner *[]byte
}

var sheetPool = sync.Pool{New: func() any { return new([]byte) }}

// sheetCutter cuts a sheet into blocks of whole records, no byte of it lost.
type sheetCutter struct {
	r    io.Reader
	size int // of blocks
	rest []byte
	eof  bool
	long bool // rest is in a line that is too long
	lex  sheetLexer
}

// fill reads until there is a good block, or the sheet ends.
func (c *sheetCutter) fill() error {
	want := c.size + maxRecord
	if cap(c.rest) < want {
		c.rest = append(make([]byte, 0, want), c.rest...)
	}
	for len(c.rest) < want && !c.eof {
		n, err := c.r.Read(c.rest[len(c.rest):want])
		c.rest = c.rest[:len(c.rest)+n]
		if err == io.EOF {
			c.eof = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// next returns the next block; [io.EOF] at the end.
func (c *sheetCutter) next() (sheetBlock, error) {
	if err := c.fill(); err != nil {
		return sheetBlock{}, err
	}
	if len(c.rest) == 0 {
		return sheetBlock{}, io.EOF
	}
	if c.long {
		return c.longPart(), nil
	}
	n := c.whole()
	if n == 0 {
		c.long = true
		return c.longPart(), nil
	}
	return c.take(n), nil
}

// take makes a block of the next bytes.
func (c *sheetCutter) take(n int) sheetBlock {
	owner := sheetPool.Get().(*[]byte)
	*owner = append((*owner)[:0], c.rest[:n]...)
	c.rest = c.rest[:copy(c.rest, c.rest[n:])]
	return sheetBlock{data: *owner, owner: owner}
}

// longPart takes what there is of a line that is too long, but for a line end
// that may be cut in two.
func (c *sheetCutter) longPart() sheetBlock {
	n := bytes.IndexByte(c.rest, '\n') + 1
	end := n > 0 || c.eof
	if n == 0 {
		if n = len(c.rest); !c.eof && c.rest[n-1] == '\r' {
			n--
		}
	}
	b := c.take(n)
	b.long, b.end, c.long = true, end, !end
	return b
}

// whole returns how much of rest is whole records; 0 if the first line is too
// long to be one.
func (c *sheetCutter) whole() (n int) {
	for n < len(c.rest) {
		// A window as long as a record may be: one with no end in it is too long.
		w := c.rest[n:min(len(c.rest), n+maxRecord)]
		last := c.eof && n+len(w) == len(c.rest)
		if len(w) < maxRecord && !last {
			return n // there may be more of it
		}
		q := bytes.IndexByte(w, '"')
		if q < 0 {
			q = len(w)
		}
		if i := bytes.LastIndexByte(w[:q], '\n'); i >= 0 {
			n += i + 1 // lines that are short enough, and have no quotes
			continue
		}
		if bytes.IndexByte(w, '\n') < 0 {
			if last && len(w) < maxRecord {
				n += len(w)
			}
			return n
		}
		k, _ := c.lex.next(c.rest[n:])
		n += k
	}
	return n
}

// sheetHead is the header row of a sheet.
type sheetHead struct {
	blank     []byte // blank lines before it
	line, end []byte // it, and its line end
	fields    []string
	separator byte
	at        int // its line, from 1
}

// header takes the header row, and what is before it. The errors are
// [*FileError], of a file with a name, or the file system's.
func (c *sheetCutter) header(name string) (h sheetHead, err error) {
	if err := c.fill(); err != nil {
		return h, err
	}
	blank := 0
	for isBlank(c.rest[blank:]) {
		blank += bytes.IndexByte(c.rest[blank:], '\n') + 1
	}
	h.blank = bytes.Clone(c.rest[:blank])
	h.at = 1 + bytes.Count(h.blank, []byte{'\n'})
	c.rest = c.rest[:copy(c.rest, c.rest[blank:])]
	fault := func(format string, args ...any) error { return &FileError{name, h.at, fmt.Sprintf(format, args...)} }
	if len(c.rest) == 0 {
		return h, fault("it is empty: not even a header row")
	}
	n := bytes.IndexByte(c.rest, '\n') + 1
	if n == 0 {
		n = len(c.rest)
	}
	h.line = bytes.Clone(trimEnd(c.rest[:n]))
	h.end = bytes.Clone(c.rest[len(h.line):n])
	switch {
	case n > maxRecord:
		return h, fault("its first line is over %d bytes", maxRecord)
	case bytes.IndexByte(h.line, '\r') >= 0:
		return h, fault("its lines end in CR alone: want LF or CRLF")
	}
	if h.fields, h.separator, err = sheetHeader(h.line); err != nil {
		return h, fault("first line: %v", err)
	}
	c.lex.separator = h.separator
	c.rest = c.rest[:copy(c.rest, c.rest[n:])]
	return h, nil
}

package loader

import (
	"bytes"
	"errors"
)

// What is wrong with the quotes of a record.
var (
	errBareQuote = errors.New(`a quote inside a field that does not start with one: write "…" around the field and "" for a quote in it`)
	errQuote     = errors.New(`text after a closing quote: a quote inside a quoted field is written ""`)
	errOpenQuote = errors.New("a quote that is never closed")
)

// lexer splits records of CSV (RFC 4180) into fields, as encoding/csv does:
// LF or CRLF ends a line, a quoted field may hold both, and the field's CRLF
// becomes LF.
type lexer struct {
	// fields are those of the last record. They share the data's memory, or
	// the lexer's, and are good until the next record.
	fields  [][]byte
	copied  bool // they are in scratch
	scratch []byte
	ends    []int // of the fields in scratch
}

// next splits the record at the start of data, and returns its length and how
// many line ends it holds. The length includes the line end, so the record is
// data[:n] even when the error says that it is bad. With errOpenQuote, data
// holds no end of the record. data must hold a line end.
func (x *lexer) next(data []byte) (n, lines int, err error) {
	n = bytes.IndexByte(data, '\n') + 1
	line := trimEnd(data[:n])
	if bytes.IndexByte(line, '"') >= 0 {
		return x.quoted(data)
	}
	x.fields, x.copied = x.fields[:0], false
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			x.fields = append(x.fields, line)
			return n, 1, nil
		}
		x.fields = append(x.fields, line[:i])
		line = line[i+1:]
	}
}

// trimEnd drops a line end.
func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
		if n > 1 && line[n-2] == '\r' {
			line = line[:n-2]
		}
	}
	return line
}

// quoted is next for a record with a quote in it.
func (x *lexer) quoted(data []byte) (n, lines int, err error) {
	x.scratch, x.ends, x.fields, x.copied = x.scratch[:0], x.ends[:0], x.fields[:0], true
	var line, rest []byte
	more := func() bool { // the next line of the record
		i := bytes.IndexByte(data[n:], '\n') + 1
		if i == 0 {
			return false
		}
		line = data[n : n+i]
		rest = trimEnd(line)
		n += i
		lines++
		return true
	}
	more()
	for {
		if len(rest) == 0 || rest[0] != '"' {
			i := bytes.IndexByte(rest, ',')
			field := rest
			if i >= 0 {
				field = rest[:i]
			}
			if bytes.IndexByte(field, '"') >= 0 {
				return n, lines, errBareQuote
			}
			x.scratch = append(x.scratch, field...)
			x.ends = append(x.ends, len(x.scratch))
			if i < 0 {
				break
			}
			rest = rest[i+1:]
			continue
		}
		rest = rest[1:]
		for {
			i := bytes.IndexByte(rest, '"')
			if i < 0 {
				x.scratch = append(append(x.scratch, rest...), '\n')
				if !more() {
					return n, lines, errOpenQuote
				}
				continue
			}
			x.scratch = append(x.scratch, rest[:i]...)
			rest = rest[i+1:]
			if len(rest) == 0 || rest[0] != '"' {
				break
			}
			x.scratch = append(x.scratch, '"')
			rest = rest[1:]
		}
		x.ends = append(x.ends, len(x.scratch))
		if len(rest) == 0 {
			break
		}
		if rest[0] != ',' {
			return n, lines, errQuote
		}
		rest = rest[1:]
	}
	start := 0
	for _, end := range x.ends {
		x.fields = append(x.fields, x.scratch[start:end:end])
		start = end
	}
	return n, lines, nil
}

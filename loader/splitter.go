package loader

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
)

const (
	maxRecord = 64 << 10  // the longest record, in bytes, its line end included
	blockSize = 512 << 10 // what is parsed at a time
)

// block is a stretch of a CSV file: whole records, or one bad one.
type block struct {
	line  uint32 // of its first byte
	data  []byte // ends in a line end
	cut   bool   // the file ends here, and not in a line end
	bad   *Reject
	owner *[]byte // the pool's
}

// free gives the block's memory back.
func (b *block) free() {
	if b.owner != nil {
		blockPool.Put(b.owner)
		b.owner, b.data = nil, nil
	}
}

var blockPool = sync.Pool{New: func() any { return new([]byte) }}

// splitter cuts a CSV file into blocks of whole records. Records of over
// most bytes are blocks of their own, marked bad: a line that long is skipped;
// of a quote that does not close within so many, or closes on a later line
// but not at the end of a field, only the line is bad that opens it, and
// reading goes on with the next line.
type splitter struct {
	name  string
	r     io.Reader
	size  int     // of blocks
	most  int     // bytes of a record
	line  uint32  // of rest's first byte
	rest  []byte  // read, and not yet in a block
	owner *[]byte // the pooled memory that rest lies in; nil: in tail
	tail  []byte
	eof   bool
	cut   bool // the last line had no end
	lex   lexer
}

func newSplitter(name string, r io.Reader, size int) *splitter {
	return &splitter{name: name, r: r, size: size, most: maxRecord, line: 1}
}

// fill moves rest to pooled memory and reads until there is enough of it to
// decide on its first record, and to make a good block, or the file ends.
func (s *splitter) fill() error {
	want := s.size + s.most
	owner := blockPool.Get().(*[]byte)
	buf := *owner
	if cap(buf) < want+1 { // the one is for a missing line end
		buf = make([]byte, 0, want+1)
	}
	buf = append(buf[:0], s.rest...)
	if s.owner != nil {
		blockPool.Put(s.owner)
	}
	for len(buf) < want && !s.eof {
		k, err := s.r.Read(buf[len(buf):want])
		buf = buf[:len(buf)+k]
		if err == io.EOF {
			s.eof = true
			if len(buf) > 0 && buf[len(buf)-1] != '\n' {
				buf = append(buf, '\n')
				s.cut = true
			}
		} else if err != nil {
			return err
		}
	}
	*owner = buf
	s.rest, s.owner = buf, owner
	return nil
}

// header takes the file's first record, which must be good.
func (s *splitter) header() ([]string, error) {
	header, err := s.peek()
	if err != nil {
		return nil, err
	}
	n, lines, _ := s.lex.next(s.rest) // peek has seen to it
	s.skip(n, lines)
	if s.cut && len(s.rest) == 0 {
		return nil, &FileError{File: s.name, Line: 1, Msg: "it is cut: the header has no line end, and nothing follows it"}
	}
	return header, nil
}

// peek is header, and leaves the record to be read.
func (s *splitter) peek() ([]string, error) {
	for len(s.rest) == 0 && !s.eof {
		if err := s.fill(); err != nil {
			return nil, err
		}
		for isBlank(s.rest) {
			s.skip(bytes.IndexByte(s.rest, '\n')+1, 1)
		}
	}
	if len(s.rest) == 0 {
		return nil, &FileError{File: s.name, Msg: "it is empty: not even a header row"}
	}
	const crAlone = "its lines end in CR alone: want LF or CRLF"
	if i := bytes.IndexByte(s.rest, '\n'); i < 0 || i >= s.most {
		if bytes.IndexByte(s.rest[:min(len(s.rest), s.most)], '\r') >= 0 {
			return nil, &FileError{s.name, 1, crAlone}
		}
		return nil, &FileError{s.name, 1, fmt.Sprintf("its first line is over %d bytes", s.most)}
	}
	if _, _, err := s.lex.next(s.rest); err != nil {
		return nil, &FileError{s.name, int(s.line), "first line: " + err.Error()}
	}
	record := make([]string, len(s.lex.fields))
	for i, f := range s.lex.fields {
		if code, what := textFault(f, false); code != "" {
			if bytes.IndexByte(f, '\r') >= 0 {
				what = crAlone
			}
			return nil, &FileError{s.name, int(s.line), "first line: " + what}
		}
		record[i] = string(f)
	}
	return record, nil
}

func (s *splitter) skip(n, lines int) {
	s.rest = s.rest[n:]
	s.line += uint32(lines)
}

// next returns the next block; io.EOF at the end.
func (s *splitter) next() (block, error) {
	if s.owner == nil || len(s.rest) < s.most && !s.eof {
		if err := s.fill(); err != nil {
			return block{}, err
		}
	}
	if len(s.rest) == 0 {
		return block{}, io.EOF
	}
	switch n, why := s.whole(); {
	case n > 0:
		b := block{line: s.line, data: s.rest[:n:n], cut: s.eof && s.cut && n == len(s.rest), owner: s.owner}
		s.skip(n, bytes.Count(b.data, []byte{'\n'}))
		s.tail = append(s.tail[:0], s.rest...) // out of the memory that goes with the block
		s.rest, s.owner = s.tail, nil
		return b, nil
	case why == longLine:
		return s.skipLine()
	case why == openQuote, why == badQuote:
		i := bytes.IndexByte(s.rest, '\n') + 1
		reason := fmt.Sprintf("a quote that is not closed within %d bytes", s.most)
		if why == badQuote {
			reason = "a quote that is not closed in its line, nor at the end of a field in a later one"
		}
		b := s.bad(CodeQuotes, reason, trimEnd(s.rest[:i]))
		s.skip(i, 1)
		return b, nil
	}
	return block{}, &FileError{s.name, int(s.line), "it ends inside the quotes of this row: it is cut, or a quote is never closed"}
}

// stop is why the records that are whole end where they do.
type stop int

const (
	noMore    stop = iota // not all of the next record has been read
	longLine              // its line is too long
	openQuote             // its quote does not close in time
	badQuote              // its quote closes where it must not, lines further on
	openEnd               // its quote does not close at all
)

// whole returns how much of rest is whole records. Where the first record is
// bad that is nothing.
func (s *splitter) whole() (n int, why stop) {
	for n < len(s.rest) {
		// A window as long as a record may be: one with no end in it is too long.
		w := s.rest[n:min(len(s.rest), n+s.most)]
		full := len(w) == s.most
		q := bytes.IndexByte(w, '"')
		if q < 0 {
			q = len(w)
		}
		if i := bytes.LastIndexByte(w[:q], '\n'); i >= 0 {
			n += i + 1 // lines that are short enough, and have no quotes
			continue
		}
		if bytes.IndexByte(w, '\n') < 0 {
			if full {
				return n, longLine
			}
			return n, noMore
		}
		k, lines, err := s.lex.next(w)
		switch {
		case err == errOpenQuote && full:
			return n, openQuote
		case err == errOpenQuote && s.eof:
			return n, openEnd
		case err == errOpenQuote:
			return n, noMore
		case err != nil && lines > 1:
			return n, badQuote
		}
		n += k
	}
	return n, noMore
}

// skipLine drops a line that is too long, and reports it.
func (s *splitter) skipLine() (block, error) {
	b := s.bad(CodeLineLength, fmt.Sprintf("a line of over %d bytes", s.most), append(s.rest[:1<<10:1<<10], "…"...))
	digest := sha256.New()
	for {
		i := bytes.IndexByte(s.rest, '\n') + 1
		if i > 0 || s.eof {
			digest.Write(trimEnd(s.rest[:i]))
			b.bad.Digest = digestText(digest.Sum(nil))
			s.skip(i, 1)
			return b, nil
		}
		keep := len(s.rest) - 1 // the last byte may be the CR of the line end
		digest.Write(s.rest[:keep])
		s.rest = s.rest[keep:]
		if err := s.fill(); err != nil {
			return block{}, err
		}
	}
}

func (s *splitter) bad(code Code, reason string, row []byte) block {
	return block{line: s.line, bad: &Reject{File: s.name, Line: int(s.line), Code: code, Reason: reason, Row: string(row), Digest: rowDigest(row)}}
}

// isBlank reports whether data starts with an empty line, which is no record.
func isBlank(data []byte) bool {
	return len(data) > 0 && data[0] == '\n' || len(data) > 1 && data[0] == '\r' && data[1] == '\n'
}

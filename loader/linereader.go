package loader

import (
	"bufio"
	"errors"
	"io"
)

var errLongLine = errors.New("line too long")

// lineReader reads lines of any length up to a bound.
type lineReader struct {
	r   *bufio.Reader
	buf []byte
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{r: bufio.NewReaderSize(r, 1<<16)} }

// next returns the next line, which is good until the one after; io.EOF at the
// end.
func (l *lineReader) next(most int) ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case len(l.buf) > most:
			return nil, errLongLine
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(l.buf) > 0:
			return l.buf, nil
		}
		return l.buf, err
	}
}

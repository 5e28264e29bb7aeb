package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// httpRequest is a GET as it goes over the wire.
func httpRequest(uri string) []byte {
	return []byte("GET " + uri + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

// readHTTP reads one response to its end; its body goes to body, or nowhere if
// that is nil. It tells whether the server closes the connection after it. A
// server that is overloaded or broken is an error; an answer that something is
// not known is an answer.
func readHTTP(r *bufio.Reader, body io.Writer) (closes bool, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return false, err
	}
	status, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(status) < len("200") {
		return false, fmt.Errorf("not a status line: %q", line)
	}
	if class := status[0]; class != '2' && class != '4' || string(status[:3]) == "429" {
		return false, fmt.Errorf("answered with %q", bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return false, err
		}
		name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !ok {
			break // the empty line
		}
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = decimal(value); err != nil {
				return false, err
			}
		case bytes.EqualFold(name, []byte("Connection")):
			closes = bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 {
		return false, errors.New("a response without Content-Length")
	}
	return closes, take(r, length, body)
}

// take takes n bytes off r, for w or for nobody.
func take(r *bufio.Reader, n int, w io.Writer) error {
	if w == nil {
		_, err := r.Discard(n)
		return err
	}
	_, err := io.CopyN(w, r, int64(n))
	return err
}

// decimal reads a length without the string that strconv would want.
func decimal(b []byte) (n int, err error) {
	for _, c := range b {
		if c < '0' || c > '9' || n > 1<<40 {
			return 0, fmt.Errorf("not a length: %q", b)
		}
		n = 10*n + int(c-'0')
	}
	if len(b) == 0 {
		return 0, errors.New("not a length: nothing")
	}
	return n, nil
}

// appendRESP appends a command of Redis as it goes over the wire (RESP 2).
func appendRESP(b []byte, words ...string) []byte {
	b = append(strconv.AppendInt(append(b, '*'), int64(len(words)), 10), "\r\n"...)
	for _, w := range words {
		b = append(strconv.AppendInt(append(b, '$'), int64(len(w)), 10), "\r\n"...)
		b = append(append(b, w...), "\r\n"...)
	}
	return b
}

// readRESP reads one reply to its end; what strings it holds go to body, or
// nowhere if that is nil. The server never closes. What is not there is an
// error: nothing is asked for that was not put there.
func readRESP(r *bufio.Reader, body io.Writer) (closes bool, err error) {
	return false, readReply(r, body)
}

func readReply(r *bufio.Reader, body io.Writer) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return errors.New("an empty reply")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return nil
	case '-':
		return fmt.Errorf("redis: %s", rest)
	case '$':
		n, err := decimal(rest)
		if err != nil {
			return err
		}
		if err := take(r, n, body); err != nil {
			return err
		}
		return take(r, len("\r\n"), nil)
	case '*':
		n, err := decimal(rest)
		for ; err == nil && n > 0; n-- {
			err = readReply(r, body)
		}
		return err
	}
	return fmt.Errorf("not a reply: %q", line)
}

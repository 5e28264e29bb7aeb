package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// httpRequest is a GET as it goes over the wire.
func httpRequest(uri string) []byte {
	return []byte("GET " + uri + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

// readHTTP reads one response to its end and drops it. A server that is
// overloaded or broken is an error; an answer that something is not known is an
// answer.
func readHTTP(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	status, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(status) < len("200") {
		return fmt.Errorf("not a status line: %q", line)
	}
	if class := status[0]; class != '2' && class != '4' || string(status[:3]) == "429" {
		return fmt.Errorf("answered with %q", bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		if !ok {
			break // the empty line
		}
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = decimal(bytes.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("a response without Content-Length")
	}
	_, err = r.Discard(length)
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

// readRESP reads one reply to its end and drops it. What is not there is an
// error: nothing is asked for that was not put there.
func readRESP(r *bufio.Reader) error {
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
		_, err = r.Discard(n + len("\r\n"))
		return err
	case '*':
		n, err := decimal(rest)
		for ; err == nil && n > 0; n-- {
			err = readRESP(r)
		}
		return err
	}
	return fmt.Errorf("not a reply: %q", line)
}

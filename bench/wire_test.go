package bench

import (
	"bufio"
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestReadHTTP(t *testing.T) {
	for _, c := range []struct {
		response string
		ok       bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", true},
		{"HTTP/1.1 404 Not Found\r\nServer: x\r\ncontent-length:0\r\n\r\n", true},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", false},
		{"HTTP/1.1 \r\n", false},
		{"SSH-2.0\r\n", false},
		{"", false},
	} {
		in := bufio.NewReader(strings.NewReader(c.response))
		if _, err := readHTTP(in, nil); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.response, err)
		} else if _, end := in.ReadByte(); c.ok && end != io.EOF {
			t.Errorf("%q: not read to its end", c.response)
		}
	}
}

func TestReadRESP(t *testing.T) {
	for _, c := range []struct {
		reply string
		ok    bool
	}{
		{"+OK\r\n", true},
		{":12\r\n", true},
		{"$5\r\na\r\nbc\r\n", true},
		{"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", true},
		{"*0\r\n", true},
		{"-ERR no\r\n", false},
		{"$-1\r\n", false},
		{"$5\r\nab", false},
		{"*2\r\n:1\r\n", false},
		{"?\r\n", false},
		{"\r\n", false},
	} {
		in := bufio.NewReader(strings.NewReader(c.reply))
		if _, err := readRESP(in, nil); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.reply, err)
		} else if _, end := in.ReadByte(); c.ok && end != io.EOF {
			t.Errorf("%q: not read to its end", c.reply)
		}
	}
	if got := string(appendRESP(nil, "GET", "a\r\nb")); got != "*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n" {
		t.Errorf("%q", got)
	}
}

func TestAnswersRoundTrip(t *testing.T) {
	want := [][]byte{[]byte("a"), bytes.Repeat([]byte("bc"), 1000), {0}}
	var wire bytes.Buffer
	fields := []headerField{{[]byte("Etag"), []byte(`"a: b"`)}, {[]byte("Vary"), []byte("Accept-Encoding")}}
	if err := writeAnswers(&wire, fields, want); err != nil {
		t.Fatal(err)
	}
	whole := wire.Bytes()
	had, got, err := readAnswers(bufio.NewReader(bytes.NewReader(whole)))
	if err != nil || len(got) != len(want) || !reflect.DeepEqual(had, fields) {
		t.Fatalf("%q, %d bodies, %v", had, len(got), err)
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("body %d: %q", i, got[i])
		}
	}
	for n := range whole {
		if _, _, err := readAnswers(bufio.NewReader(bytes.NewReader(whole[:n]))); err == nil {
			t.Errorf("cut to %d bytes it is taken for whole", n)
		}
	}
	if _, _, err := readAnswers(bufio.NewReader(strings.NewReader("\xff\xff\xff\xff\x7f"))); err == nil {
		t.Error("a body of gigabytes is believed")
	}
}

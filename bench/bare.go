package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"coverd/server"
)

// The bare handlers.
const (
	BareFastHTTP = "fasthttp"
	BareNetHTTP  = "net/http"
)

// Bare is a bare handler: it reads header fields and bodies from in, as
// writeAnswers writes them, listens on a port of the kernel's choice, writes its
// address to out, and answers every request with all of the fields and the next
// body, whatever was asked. It ends when in or ctx does, so that it does not
// outlive who started it.
func Bare(ctx context.Context, kind string, in io.Reader, out io.Writer) error {
	if kind != BareFastHTTP && kind != BareNetHTTP {
		return fmt.Errorf("%q is not a bare handler: want %s or %s", kind, BareFastHTTP, BareNetHTTP)
	}
	input := bufio.NewReader(in)
	fields, bodies, err := readAnswers(input)
	if err != nil {
		return err
	}
	if len(bodies) == 0 {
		return errors.New("bare handler: no bodies")
	}
	var count atomic.Uint64
	next := func() []byte { return bodies[count.Add(1)%uint64(len(bodies))] }
	var serve func(net.Listener) error
	var shut func() error
	switch kind {
	case BareFastHTTP:
		s := &fasthttp.Server{
			Handler: func(ctx *fasthttp.RequestCtx) {
				ctx.SetContentType("application/json")
				for _, f := range fields {
					ctx.Response.Header.SetCanonical(f.name, f.value)
				}
				ctx.Response.SetBodyRaw(next())
			},
			NoDefaultServerHeader: true,
			CloseOnShutdown:       true,
			IdleTimeout:           30 * time.Second,
			Logger:                silent{},
		}
		serve, shut = s.Serve, s.Shutdown
	default:
		s := &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				body := next()
				w.Header().Set("Content-Type", "application/json")
				for _, f := range fields {
					w.Header()[string(f.name)] = []string{string(f.value)}
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
				_, _ = w.Write(body)
			}),
			ReadHeaderTimeout: 5 * time.Second,
		}
		serve, shut = s.Serve, s.Close
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, listener.Addr())

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the input, at the latest when the process does
		_, _ = io.Copy(io.Discard, input)
		cancel()
	}()
	ended := make(chan error, 1)
	go func() { ended <- serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err = shut()
	_ = listener.Close() // told to end before it began to serve, it is still open, and would be served
	return errors.Join(err, ignoreClosed(<-ended))
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// mostBody bounds what a bare handler takes for a body.
const mostBody = 64 << 20

// headerField is one of the header fields of answers.
type headerField struct{ name, value []byte }

// fieldsOf are the header fields of an answer that a bare handler would not send
// by itself.
func fieldsOf(srv *server.Server, uri string) (fields []headerField) {
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, silent{})
	ctx.Request.SetRequestURI(uri)
	srv.AnswerTo(&ctx)
	for name, value := range ctx.Response.Header.All() {
		switch string(name) {
		case "Content-Type", "Content-Length", "Date":
		default:
			fields = append(fields, headerField{bytes.Clone(name), bytes.Clone(value)})
		}
	}
	return fields
}

// writeAnswers writes fields as they stand in a header, up to its empty line, and
// each body, all behind their length, and a length of 0 at the end.
func writeAnswers(w io.Writer, fields []headerField, bodies [][]byte) error {
	buf := bufio.NewWriter(w)
	var header []byte
	for _, f := range fields {
		header = append(append(append(append(header, f.name...), ": "...), f.value...), "\r\n"...)
	}
	header = append(header, "\r\n"...)
	var length [binary.MaxVarintLen64]byte
	for _, part := range append([][]byte{header}, bodies...) {
		_, _ = buf.Write(length[:binary.PutUvarint(length[:], uint64(len(part)))]) // Flush tells
		_, _ = buf.Write(part)
	}
	_ = buf.WriteByte(0)
	return buf.Flush()
}

func readAnswers(r *bufio.Reader) (fields []headerField, bodies [][]byte, err error) {
	for {
		n, err := binary.ReadUvarint(r)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("bodies: %w", err)
		case n == 0 && len(bodies) == 0:
			return nil, nil, errors.New("bodies: no header before them")
		case n == 0:
			for line := range bytes.Lines(bodies[0]) {
				if name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(": ")); ok {
					fields = append(fields, headerField{name, value})
				}
			}
			return fields, bodies[1:], nil
		case n > mostBody:
			return nil, nil, fmt.Errorf("bodies: one of %d bytes", n)
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, nil, fmt.Errorf("bodies: %w", err)
		}
		bodies = append(bodies, body)
	}
}

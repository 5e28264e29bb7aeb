package server

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// pieces is a connection on which bytes come in pieces of random size.
type pieces struct {
	net.Conn
	rng   *rand.Rand
	left  []byte
	reads int
}

func (p *pieces) Read(b []byte) (int, error) {
	p.reads++
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(len(p.left), 1+p.rng.IntN(2000))])
	p.left = p.left[n:]
	return n, nil
}

func TestConnectionReadsWhatIsSent(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		sent := make([]byte, rng.IntN(10_000))
		for i := range sent {
			sent[i] = byte(rng.Uint32())
		}
		c := &connection{Conn: &pieces{rng: rng, left: sent}}
		var got []byte
		for {
			b := make([]byte, 1)
			if rng.IntN(2) == 0 {
				b = make([]byte, 1+rng.IntN(1000))
			}
			n, err := c.Read(b)
			got = append(got, b[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("seed %d: %d bytes, %v", seed, n, err)
			}
		}
		if !bytes.Equal(got, sent) {
			t.Fatalf("seed %d: %d bytes read, %d sent, not the same", seed, len(got), len(sent))
		}
	}
}

func TestConnectionReadsARequestInOneGo(t *testing.T) {
	request := []byte("GET /v1/outcodes/GU1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	p := &pieces{rng: rand.New(rand.NewPCG(3, 1)), left: request} // which comes whole
	c := &connection{Conn: p}
	var b [8192]byte
	for _, want := range []int{1, len(request) - 1} {
		if n, err := c.Read(b[:want]); n != want || err != nil {
			t.Fatalf("%d bytes, %v, want %d", n, err, want)
		}
	}
	if p.reads != 1 {
		t.Errorf("%d reads, want 1", p.reads)
	}
}

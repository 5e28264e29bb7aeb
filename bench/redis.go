package bench

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// redisServer is a Redis of ours, in memory alone.
type redisServer struct {
	*child
	dir string
}

// errNotInstalled is that a peer is not on this machine.
var errNotInstalled = errors.New("not installed (make bench-peers)")

// startRedis starts a Redis on loopback that keeps nothing.
func startRedis(ctx context.Context) (*redisServer, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errNotInstalled
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "coverd-redis")
	if err != nil {
		return nil, err
	}
	c := &child{name: "Redis", addr: net.JoinHostPort("127.0.0.1", port), cmd: command(ctx, path,
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)}
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.start(out, nil, func(line []byte) bool { return strings.Contains(string(line), "Ready to accept connections") })
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &redisServer{child: c, dir: dir}, nil
}

func (s *redisServer) stop() error { return errors.Join(s.child.stop(), os.RemoveAll(s.dir)) }

// bodies puts bodies there, over those before, and returns the target that gets
// them.
func (s *redisServer) bodies(ctx context.Context, bodies [][]byte) (*target, error) {
	t := &target{name: "Redis", addr: s.addr, read: readRESP, cpu: s.cpu}
	err := s.pipeline(ctx, func(send func(words ...string)) {
		for i, body := range bodies {
			send("SET", "body:"+strconv.Itoa(i), string(body))
			t.requests = append(t.requests, appendRESP(nil, "GET", "body:"+strconv.Itoa(i)))
		}
	})
	return t, err
}

// pipeline sends commands without waiting for each reply, and reads all.
func (s *redisServer) pipeline(ctx context.Context, commands func(send func(words ...string))) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // all replies have been read
	const most = 1000  // replies outstanding, which the kernel's buffers hold
	var buf []byte
	in := bufio.NewReaderSize(conn, 64<<10)
	waiting := 0
	flush := func() {
		if err == nil {
			_, err = conn.Write(buf)
		}
		for ; err == nil && waiting > 0; waiting-- {
			_, err = readRESP(in, nil)
		}
		buf, waiting = buf[:0], 0
	}
	commands(func(words ...string) {
		buf = appendRESP(buf, words...)
		if waiting++; waiting == most {
			flush()
		}
	})
	flush()
	return err
}

// freePort is a port that nobody listened on a moment ago.
func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

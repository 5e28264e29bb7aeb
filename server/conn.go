package server

import "net"

// connection reads a request in one go where fasthttp would take two.
//
// # Why
//
// With ReduceMemoryUsage an idle connection holds no buffers: fasthttp waits
// for one byte, and takes a buffer for the rest when that has come. The second
// read costs 1.5 µs, a seventh of what an outcode's answer takes the process.
// Whoever asks for one byte is given it out of as many as there are, and the
// others next. Half a kilobyte holds most requests, and 10,000 idle connections
// take 5 MB of it.
//
// fasthttp reads a connection from one goroutine at a time. It knows no
// *net.TCPConn in this, so that it sends no writev; hence the WriteBufferSize.
type connection struct {
	net.Conn
	first, end int // of what was read and not given yet
	early      [512]byte
}

// Read implements net.Conn.
func (c *connection) Read(p []byte) (int, error) {
	if c.first == c.end {
		if len(p) != 1 {
			return c.Conn.Read(p)
		}
		n, err := c.Conn.Read(c.early[:])
		c.first, c.end = 0, n
		if n == 0 {
			return 0, err // an error that comes with bytes comes again without
		}
	}
	n := copy(p, c.early[c.first:c.end])
	c.first += n
	return n, nil
}

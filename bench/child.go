package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long a child may take to end once it was told to.
const patience = 10 * time.Second

// child is a process that we started, and the only kind that we end.
type child struct {
	name  string
	addr  string // where it answers
	admin string // of coverd serve: where its metrics are
	ready time.Duration
	cmd   *exec.Cmd
	end   os.Signal // that tells it to end: SIGTERM by default
	stdin io.WriteCloser
	said  bytes.Buffer  // for when it fails
	read  chan struct{} // closed when its output has been read to the end
}

// command makes a child that is told to end with SIGTERM when ctx ends, and is
// killed when it does not. What the environment says of our flags is for us
// alone: a COVERD_MANIFEST would be the child's too.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool { return strings.HasPrefix(v, "COVERD_") })
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// startServe starts coverd serve, with the flags that say what, on ports of the
// kernel's choice and waits until it listens, which it does once the snapshot
// is open and verified.
func startServe(ctx context.Context, binary string, what ...string) (*child, error) {
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, what...)
	c := &child{name: "coverd", cmd: command(ctx, binary, args...)}
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	return c, c.start(log, nil, func(line []byte) bool {
		var says struct{ Msg, Public, Admin string }
		if json.Unmarshal(line, &says) != nil || says.Msg != "listening" {
			return false
		}
		c.addr, c.admin = says.Public, says.Admin
		return true
	})
}

// startBare starts a bare handler of a kind in a process of its own and hands
// it the header fields and the bodies to answer with.
func startBare(ctx context.Context, binary, kind string, fields []headerField, bodies [][]byte) (*child, error) {
	c := &child{name: "bare " + kind, cmd: command(ctx, binary, "bench", "bare", kind)}
	c.cmd.Stderr = &c.said
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	feed := func() error { return writeAnswers(c.stdin, fields, bodies) }
	return c, c.start(out, feed, func(line []byte) bool {
		c.addr = string(bytes.TrimSpace(line))
		return true
	})
}

// start starts the child, feeds it, and reads its output until listening takes
// a line of it for word that it listens. After that the output is read and
// dropped.
func (c *child) start(output io.Reader, feed func() error, listening func(line []byte) bool) error {
	begin := time.Now()
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	var fed error
	if feed != nil {
		fed = feed()
	}
	lines := bufio.NewScanner(output)
	for fed == nil && lines.Scan() {
		if listening(lines.Bytes()) {
			c.ready = time.Since(begin)
			c.read = make(chan struct{})
			go func() { // ends with the output, which ends with the process
				defer close(c.read)
				_, _ = io.Copy(io.Discard, output)
			}()
			return nil
		}
		fmt.Fprintf(&c.said, "%s\n", lines.Bytes())
	}
	_ = c.cmd.Process.Kill() // it may have ended already
	err := errors.Join(fed, c.cmd.Wait())
	return fmt.Errorf("%s did not come up: %w: %s", c.name, err, strings.TrimSpace(c.said.String()))
}

// stop tells the child to end and waits for it. One that does not end in time is
// killed.
func (c *child) stop() error {
	if c.stdin != nil {
		_ = c.stdin.Close() // which is how a bare handler is told
	} else if err := c.cmd.Process.Signal(cmp.Or[os.Signal](c.end, syscall.SIGTERM)); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	<-c.read
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", c.name, err, strings.TrimSpace(c.said.String()))
	}
	return nil
}

// cpu is the processor time the child has taken, to a hundredth of a second;
// 0 where the system does not tell.
func (c *child) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return processorTime(string(stat))
}

// processorTime reads user and system time from a process's /proc/PID/stat.
func processorTime(stat string) time.Duration {
	// The name, in parentheses, may hold anything; utime and stime are the 12th
	// and 13th fields after it, in ticks that are always a hundredth.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is the child's memory in bytes, and the most it ever was; 0 where
// the system does not tell.
func (c *child) resident() (now, peak int64) {
	path := fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid)
	kb := func(name string) int64 {
		n, _ := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
		return n << 10
	}
	return kb("VmRSS"), kb("VmHWM")
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"coverd/index"
	"coverd/index/generations"
	"coverd/server"
)

// TestKilledServers: whenever a server is killed while it swaps, at its own
// admin listener or because the directory changed, the next one serves a whole
// generation, and that is the active one.
func TestKilledServers(t *testing.T) {
	notUnderRace(t)
	n, d, list := twoNights(t)
	twins := map[string]*server.Server{} // what answers should be, by ID
	for _, g := range list {
		snap, err := index.Open(d.Path(g))
		if err != nil {
			t.Fatal(err)
		}
		if twins[g.ID], err = server.New(snap, server.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	other := func() generations.Generation {
		active, err := d.Active()
		if err != nil {
			t.Fatal(err)
		}
		if active.Name == list[0].Name {
			return list[1]
		}
		return list[0]
	}
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	ended := map[string]int{}
	took := 50 * time.Millisecond // a swap: measured in the rounds that see one end
	for round := range wantKills() {
		s := startServer(t, n.snapshots())
		before, err := d.Active()
		if err != nil {
			t.Fatal(err)
		}
		s.answersLike(t, before.ID, twins)
		next := other()
		start := time.Now()
		done := make(chan time.Duration, 1)
		if round%2 == 0 {
			go func() { // ends with the request, which ends with the server
				if resp, err := http.Post("http://"+s.admin+"/snapshots/"+next.ID+"/activate", "", nil); err == nil {
					resp.Body.Close()
					done <- time.Since(start)
				}
			}()
		} else {
			activate(t, d, next)
		}
		delay := time.Duration(rng.Int64N(int64(2 * took)))
		<-time.After(delay)
		s.kill()
		after := n.state(t) // every generation whole, and it is known which is active
		switch {
		case after.active == before.Sequence:
			ended["the old one active"]++
		case after.active == next.Sequence:
			ended["the new one active"]++
		default:
			t.Fatalf("round %d: killed after %v, generation %d is active; %d or %d should be", round, delay, after.active, before.Sequence, next.Sequence)
		}
		if len(after.unfinished) > 0 {
			ended["unfinished files"]++
		}
		select {
		case d := <-done:
			took = (took + d) / 2
		default:
		}
	}
	s := startServer(t, n.snapshots())
	active, err := d.Active()
	if err != nil {
		t.Fatal(err)
	}
	s.answersLike(t, active.ID, twins)
	s.kill()
	activate(t, d, other())
	if left := n.state(t).unfinished; len(left) > 0 {
		t.Errorf("the next activation leaves %s", left)
	}
	t.Logf("%d servers killed, swaps of %v: %v", wantKills(), took, ended)
}

func activate(t *testing.T, d *generations.Dir, g generations.Generation) {
	t.Helper()
	l, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Activate(g.Name); err != nil {
		t.Fatal(err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// aServer is one run of coverd serve.
type aServer struct {
	cmd           *exec.Cmd
	public, admin string
	read          chan struct{} // closed when its log has ended
}

// startServer starts coverd serve, and waits until it listens.
func startServer(t *testing.T, dir string) *aServer {
	t.Helper()
	s := &aServer{
		cmd:  exec.Command("coverd", "serve", "--snapshots", dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"),
		read: make(chan struct{}),
	}
	log, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(log)
	var said strings.Builder
	for lines.Scan() {
		var line logLine
		fmt.Fprintln(&said, lines.Text())
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			s.public, s.admin = line.Public, line.Admin
			go func() {
				defer close(s.read)
				_, _ = io.Copy(io.Discard, log)
			}()
			return s
		}
	}
	close(s.read)
	t.Fatalf("coverd serve ended before it listened:\n%s", &said)
	return nil
}

// kill kills the server, if it lives.
func (s *aServer) kill() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.read
	_ = s.cmd.Wait() // it was killed
}

// answersLike wants the server to answer from a snapshot, and as its twin does.
func (s *aServer) answersLike(t *testing.T, id string, twins map[string]*server.Server) {
	t.Helper()
	for _, path := range []string{"/v1/snapshot", "/v1/postcodes/GU11AA", "/v1/postcodes/GU11AB", "/v1/outcodes/GU1", "/v1/locations?latitude=51.5&longitude=-1.5"} {
		_, _, want := twins[id].Answer("GET", path)
		resp, err := http.Get("http://" + s.public + path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(got, want) || !strings.HasPrefix(resp.Header.Get("Coverd-Snapshot"), id) {
			t.Fatalf("GET %s: %v: %.300s; snapshot %s says %.300s", path, err, got, id, want)
		}
	}
}

// twoNights are two generations in a directory.
func twoNights(t *testing.T) (*nights, *generations.Dir, []generations.Generation) {
	t.Helper()
	n := newNights(t)
	n.build(t).run(t)
	n.build(t).run(t)
	d, err := generations.Open(n.snapshots())
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.List()
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	return n, d, list
}

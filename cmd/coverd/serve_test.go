package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sayer is a log that tells of each line.
type sayer struct {
	mu   sync.Mutex
	text strings.Builder
	said func(line string)
}

func (s *sayer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said(string(p))
	return s.text.Write(p)
}

// A SIGHUP before the server listens neither ends it nor is lost.
func TestHangupBeforeItListens(t *testing.T) {
	live := sampleFile(t)
	next := filepath.Join(t.TempDir(), "next.snap")
	var failed strings.Builder
	if code := run(t.Context(), []string{"build", "--quiet", "--manifest", "testdata/night/coverd.toml", "--out", next}, stdio{out: &failed, err: &failed}); code != exitDone {
		t.Fatal(&failed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // if it is lost
	defer cancel()
	log := &sayer{said: func(line string) {
		switch {
		case strings.Contains(line, `"msg":"opened"`):
			if err := os.Rename(next, live); err != nil {
				t.Error(err)
			}
			if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
				t.Error(err)
			}
		case strings.Contains(line, `"msg":"snapshot swapped"`):
			cancel()
		}
	}}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--snapshot", live}
	if code := run(ctx, args, stdio{out: log, err: log}); code != exitDone || !strings.Contains(log.text.String(), `"msg":"snapshot swapped"`) {
		t.Errorf("exit code %d, %s", code, &log.text)
	}
}

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// full is a disk without room for an answer.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// An answer that could not be written is a failure, whatever the verb does with
// errors of its output.
func TestUnwrittenAnswerIsAFailure(t *testing.T) {
	snap := sampleFile(t)
	for _, args := range [][]string{
		{"version"},
		{"version", "--json"},
		{"lookup", "--json", "--snapshot", snap, "GU1 1AA"},
		{"lookup", "--snapshot", snap, "GU1 1AA"},
		{"verify", snap},
		{"inspect", snap},
		{"--help"},
	} {
		var stderr strings.Builder
		if code := run(t.Context(), args, stdio{out: full{}, err: &stderr}); code != exitFailed || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("coverd %s: exit code %d, %s", strings.Join(args, " "), code, &stderr)
		}
	}
}

// Told to stop while it opens the snapshot, serve ends as well as later.
func TestServeStopsBeforeItListens(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr strings.Builder
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--snapshot", sampleFile(t)}
	if code := run(ctx, args, stdio{out: full{}, err: &stderr}); code != exitDone || !strings.Contains(stderr.String(), `"msg":"stopped"`) {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}

// sampleFile is a file with the sample's snapshot.
func sampleFile(t *testing.T) string {
	t.Helper()
	file, err := sampleSnapshot()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s.snap")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

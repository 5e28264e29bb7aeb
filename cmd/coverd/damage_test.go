package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bad is the corpus of bad snapshots, which package index makes and describes.
var bad = filepath.Join(root, "index", "testdata", "bad")

// TestVerifyRefusesEveryBadSnapshot runs the program once for every file of the
// corpus: it ends with exit code 1, says nothing on standard output, and on
// standard error what the corpus's index says, with the name of the file.
func TestVerifyRefusesEveryBadSnapshot(t *testing.T) {
	notUnderRace(t)
	text, err := os.ReadFile(filepath.Join(bad, "index.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 60 {
		t.Fatalf("only %d bad files", len(lines))
	}
	for i, line := range lines {
		if underRace && i%10 > 0 || testing.Short() && i%3 > 0 {
			continue
		}
		name, rest, _ := strings.Cut(line, "\t")
		_, message, _ := strings.Cut(rest, "\t")
		path := filepath.Join(bad, name)
		cmd := exec.CommandContext(t.Context(), "coverd", "verify", path)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		switch err := cmd.Run(); {
		case err == nil:
			t.Errorf("%s: verify says that it is whole: %s", name, out.String())
		case exited(err) != 1 || out.Len() > 0 || !strings.Contains(said.String(), path+": ") || !strings.Contains(said.String(), message):
			t.Errorf("%s: %v\nstandard output: %s\nstandard error: %s\nwant: %s", name, err, out.String(), said.String(), message)
		}
	}
}

// exited is the exit code of a program that ran, or −1.
func exited(err error) int {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return -1
}

package main

import (
	"path/filepath"
	"runtime/debug"
	"testing"
)

// gcSeen notes the GC percentage in force when something is written.
type gcSeen int

func (s *gcSeen) Write(p []byte) (int, error) {
	*s = gcSeen(debug.SetGCPercent(100))
	debug.SetGCPercent(int(*s))
	return len(p), nil
}

// TestBuildLeavesGOGC: a build has a GC percentage of its own, but not against
// an operator's, and puts back what there was.
func TestBuildLeavesGOGC(t *testing.T) {
	notUnderRace(t)
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for before, want := range map[int]gcSeen{100: gcPercent, 70: 70, -1: -1} {
		debug.SetGCPercent(before)
		var seen gcSeen
		args := []string{"build", "--manifest", "../../fixtures/sample/coverd.toml", "--out", filepath.Join(t.TempDir(), "s.snap")}
		if code := run(t.Context(), args, stdio{out: &seen, err: t.Output()}); code != exitDone {
			t.Fatalf("exit code %d", code)
		}
		if seen != want {
			t.Errorf("with GOGC=%d a build runs at %d, want %d", before, seen, want)
		}
		if after := debug.SetGCPercent(before); after != before {
			t.Errorf("GOGC=%d is %d after the build", before, after)
		}
	}
}

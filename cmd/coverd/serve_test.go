package main

import (
	"runtime/debug"
	"testing"
)

// TestKeepLean: the collector is tuned for a large snapshot, unless the
// environment says otherwise, be it what is the default anyway.
func TestKeepLean(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, c := range []struct {
		gogc     string
		snapshot int64
		want     int
	}{
		{"", 1 << 20, 100},
		{"", 300 << 20, 10},
		{"100", 300 << 20, 100},
		{"off", 300 << 20, 100},
	} {
		t.Setenv("GOGC", c.gogc)
		keepLean(c.snapshot)
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("GOGC=%q, a snapshot of %d bytes: %d, want %d", c.gogc, c.snapshot, got, c.want)
		}
	}
}

package main

import (
	"testing"
	"time"
)

func TestCountText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 1_745_849: "1,745,849", 100_000: "100,000", -12: "-12", -123: "-123", -1234: "-1,234",
	} {
		if got := countText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1 << 20: "1.0 MiB", 377_600_000: "360.1 MiB", 3 << 30: "3.0 GiB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestTookText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234 * time.Microsecond: "1ms", 1234 * time.Millisecond: "1.23s", 61_400 * time.Millisecond: "1m1s",
	} {
		if got := tookText(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

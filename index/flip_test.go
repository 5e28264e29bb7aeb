package index

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"testing"
)

var damageBits = flag.Int("damage.bits", 300, "flip this many random bits of a large snapshot, one at a time")

// opened checks what comes of a damaged file: it is refused, by an error that
// says of which kind the damage is, or opened.
func opened(t *testing.T, what string, n int, file []byte) (*Snapshot, bool) {
	t.Helper()
	s, err := OpenBytes(file)
	if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotSnapshot) && !errors.Is(err, ErrVersion) {
		t.Fatalf("%s %d: %v", what, n, err)
	}
	return s, err == nil
}

// TestEveryFlippedByteIsRefused: the digest is over every byte, those that
// readers ignore included, so that no flip goes unnoticed.
func TestEveryFlippedByteIsRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	golden, _ := tinyWorld().build(t, nil)
	for _, file := range [][]byte{golden, tinyFile(t)} {
		if len(file) > 64<<10 {
			t.Fatalf("%d bytes are too many for this", len(file))
		}
		for i := range file {
			for _, with := range []byte{0xff, 1 << rng.IntN(8), byte(1 + rng.IntN(255))} {
				file[i] ^= with
				if _, ok := opened(t, "byte", i, file); ok {
					t.Errorf("byte %d of %d changed by %#x and not noticed", i, len(file), with)
				}
				file[i] ^= with
			}
		}
		if _, err := OpenBytes(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryCutAndEveryExtensionIsRefused(t *testing.T) {
	golden, _ := tinyWorld().build(t, nil)
	for _, file := range [][]byte{golden, tinyFile(t)} {
		for n := range file {
			if _, ok := opened(t, "cut to", n, file[:n:n]); ok {
				t.Errorf("cut to %d of %d bytes and not noticed", n, len(file))
			}
			// As a file system may leave it: the right size, and zeros from here on.
			zeros := append(bytes.Clone(file[:n]), make([]byte, len(file)-n)...)
			if _, ok := opened(t, "zeros from", n, zeros); ok && !bytes.Equal(zeros, file) {
				t.Errorf("zeros from byte %d of %d and not noticed", n, len(file))
			}
		}
		for n := 1; n <= 600; n++ {
			for _, more := range [][]byte{make([]byte, n), bytes.Repeat([]byte{0xa5}, n), file[:n], file[len(file)-n:]} {
				if _, ok := opened(t, "extended by", n, append(bytes.Clone(file), more...)); ok {
					t.Errorf("extended by %d bytes and not noticed", n)
				}
			}
		}
	}
}

// TestLargeSnapshotDamaged flips single bits of a larger file, and cuts it, at
// random: with the flag at as many places as are wanted.
func TestLargeSnapshotDamaged(t *testing.T) {
	file, _ := makeWorld(77, 40_000).build(t, nil)
	if len(file) < 256<<10 {
		t.Fatalf("only %d bytes", len(file))
	}
	rng := rand.New(rand.NewPCG(9, 9))
	for i := range *damageBits {
		at, bit := rng.IntN(len(file)), byte(1)<<rng.IntN(8)
		file[at] ^= bit
		if _, ok := opened(t, "byte", at, file); ok {
			t.Errorf("bit %#x of byte %d flipped and not noticed", bit, at)
		}
		file[at] ^= bit
		if i < max(*damageBits/100, 100) {
			n := rng.IntN(len(file))
			if _, ok := opened(t, "cut to", n, file[:n:n]); ok {
				t.Errorf("cut to %d of %d bytes and not noticed", n, len(file))
			}
		}
	}
	if _, err := OpenBytes(file); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bits of %d bytes", *damageBits, len(file))
}

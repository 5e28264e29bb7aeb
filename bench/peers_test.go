package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coverd/geo"
)

// A part has whole postcodes, as many as it was asked for, and its keys are of
// them.
func TestPart(t *testing.T) {
	c := catalogue(t)
	total := uint64(c.Snap.Info().Premises)
	for _, take := range []uint64{total / 4, total / 2, total, 2 * total} {
		some := part{take: take, of: total}
		var out bytes.Buffer
		if err := copyPremises(&out, c.Snap, some); err != nil {
			t.Fatal(err)
		}
		n, want := bytes.Count(out.Bytes(), []byte("\n")), int(min(take, total))
		if n < want/2 || n > 2*want || take >= total && n != want {
			t.Errorf("%d of %d premises, want about %d", n, total, want)
		}
		keys, err := some.keys(c, &PeerOptions{Keys: 100, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range keys.Postcodes {
			if !some.has(p) || !strings.Contains(out.String(), "\t"+p.String()+"\t") {
				t.Fatalf("%v was asked for and is not there", p)
			}
		}
	}
	if _, err := (part{take: 0, of: total}).keys(c, &PeerOptions{Keys: 1}); !errors.Is(err, errNone) {
		t.Errorf("of nothing: %v", err)
	}
}

// programs puts shell scripts before everything else that is found by name.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// A peer that is there and does not work is left out; the others are measured.
func TestPeersThatFail(t *testing.T) {
	programs(t, map[string]string{"redis-server": "echo no memory; exit 1", "initdb": "echo no room; exit 1"})
	rows, skipped, err := Peers(t.Context(), catalogue(t), PeerOptions{})
	if err != nil || len(rows) != 0 || len(skipped) != 2 || !strings.Contains(skipped[0], "no memory") || !strings.Contains(strings.Join(skipped, ""), "PostgreSQL with PostGIS: ") {
		t.Errorf("%v, %q, %v", rows, skipped, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Peers(ctx, catalogue(t), PeerOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("told to end: %v", err)
	}
}

// A wc that ends early ends zstd too.
func TestCountLinesWithoutReader(t *testing.T) {
	programs(t, map[string]string{"zstd": "exec cat /dev/zero", "wc": "exit 1"})
	if _, err := countLines(t.Context(), []string{os.DevNull}); err == nil {
		t.Error("no error")
	}
}

// Children do not see what the environment says of our flags.
func TestChildrenHaveTheirOwnFlags(t *testing.T) {
	t.Setenv("COVERD_MANIFEST", "ours")
	t.Setenv("COVER", "theirs")
	out, err := command(t.Context(), "env").Output()
	if err != nil || strings.Contains(string(out), "COVERD_") || !strings.Contains(string(out), "COVER=theirs\n") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestWKT(t *testing.T) {
	ring := func(lat float64) geo.Ring {
		return geo.Ring{{Lat: lat, Lng: 1}, {Lat: lat + 1, Lng: 1}, {Lat: lat, Lng: 2.5}}
	}
	got := string(wkt(geo.MultiPolygon{{ring(50), ring(50.1)}, {ring(60)}}))
	want := "MULTIPOLYGON(((1 50,1 51,2.5 50,1 50),(1 50.1,1 51.1,2.5 50.1,1 50.1)),((1 60,1 61,2.5 60,1 60)))"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestVersionOf(t *testing.T) {
	if a, b := versionOf("/usr/lib/postgresql/9/bin/initdb"), versionOf("/usr/lib/postgresql/15/bin/initdb"); a != 9 || b != 15 {
		t.Errorf("%d, %d", a, b)
	}
}

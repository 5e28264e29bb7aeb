package bench

import (
	"bytes"
	"errors"
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

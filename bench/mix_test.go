package bench

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coverd/geo"
	"coverd/index"
)

func draw(t *testing.T, mix string, seed uint64) *Keys {
	t.Helper()
	keys, err := catalogue(t).Draw(mix, seed, 400)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func diffKeys(a, b *Keys) string {
	return cmp.Diff(a, b, cmpopts.EquateComparable(geo.Postcode{}, geo.Outcode{}, geo.Sector{}))
}

func TestKeysFollowFromTheSeed(t *testing.T) {
	for _, mix := range Mixes {
		first := draw(t, mix, 7)
		if d := diffKeys(first, draw(t, mix, 7)); d != "" {
			t.Errorf("%s: the same seed, other keys:\n%s", mix, d)
		}
		if diffKeys(first, draw(t, mix, 8)) == "" {
			t.Errorf("%s: another seed, the same keys", mix)
		}
		for i, p := range first.Postcodes {
			if first.Outcodes[i] != p.Outcode() || first.Sectors[i] != p.Sector() {
				t.Fatalf("%s: key %d: %v, %v, %v", mix, i, p, first.Outcodes[i], first.Sectors[i])
			}
		}
	}
}

// Each mix asks for what it says.
func TestMixesAreWhatTheySay(t *testing.T) {
	snap := catalogue(t).Snap
	premises := func(p geo.Postcode) int {
		unit, ok := snap.Postcode(p)
		if !ok {
			return -1
		}
		return unit.Len()
	}
	for i, p := range draw(t, Hits, 1).Postcodes {
		keys := draw(t, Hits, 1)
		home, ok := snap.UPRN(keys.UPRNs[i])
		if premises(p) < 1 || !ok || home.Postcode() != p || geo.Distance(home.At().LatLng(), keys.Points[i]) > 200 {
			t.Fatalf("hit %d: %v, %v", i, p, keys.UPRNs[i])
		}
		if i == 50 {
			break
		}
	}
	keys := draw(t, Misses, 1)
	inKnown := 0
	for i, p := range keys.Postcodes {
		_, known := snap.UPRN(keys.UPRNs[i])
		if premises(p) != -1 || known || snap.Region(keys.Points[i]).Region != geo.NoRegion {
			t.Fatalf("miss %d: %v, %v, %v", i, p, keys.UPRNs[i], keys.Points[i])
		}
		if _, ok := snap.Outcode(p.Outcode()); ok {
			inKnown++
		}
	}
	if inKnown < 150 || inKnown > 250 {
		t.Errorf("%d of 400 misses in known outcodes, want about half", inKnown)
	}
	keys = draw(t, NewBuilds, 1)
	for i, p := range keys.Postcodes {
		if unit, ok := snap.Postcode(p); !ok || unit.Len() != 0 || unit.Status() != index.Live {
			t.Fatalf("new build %d: %v", i, p)
		}
	}
	keys = draw(t, Border, 1)
	for i, p := range keys.Postcodes {
		unit, _ := snap.Postcode(p)
		if b := snap.Locate(keys.Points[i]).Border; b < 0 || b > besideBorder || unit.Region().Border < 0 {
			t.Fatalf("border %d: %v, %v", i, p, keys.Points[i])
		}
	}
	count := map[geo.Outcode]int{}
	most := 0
	for _, o := range draw(t, Hot, 1).Outcodes {
		count[o]++
		most = max(most, count[o])
	}
	if most < 160 {
		t.Errorf("the hottest of four outcodes has %d of 400 questions", most)
	}
	kinds := map[int]int{}
	for _, p := range draw(t, Mixed, 1).Postcodes {
		kinds[min(premises(p), 1)]++
	}
	if kinds[1] < 280 || kinds[0] < 20 || kinds[-1] < 20 {
		t.Errorf("of 400 mixed questions %d hit, %d are new builds, %d miss", kinds[1], kinds[0], kinds[-1])
	}
}

func TestUnknownMix(t *testing.T) {
	if _, err := catalogue(t).Draw("hti", 1, 1); err == nil || !strings.Contains(err.Error(), "hits") {
		t.Errorf("%v", err)
	}
}

func TestPointsAreWhereTheySay(t *testing.T) {
	c := catalogue(t)
	land := c.LandPoints(3, 100)
	if len(land) != 100 {
		t.Fatalf("%d points on land", len(land))
	}
	for _, p := range land {
		if c.Snap.Region(p).Basis != index.BasisBoundary {
			t.Errorf("%v is not on land", p)
		}
	}
}

package geo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

// ostnDigest is the SHA-256 of both grids as little-endian numbers, east
// first: of the data this package is to hold.
const ostnDigest = "e9442ff4dc53643a4957840f07a701652885ba386fe4e871995b1fc5af522942"

// TestOSTN15IsTheData checks the embedded grid against its digest. With
// COVERD_OSTN15_EAST and COVERD_OSTN15_NORTH naming the two raw grids, it
// makes the embedded file from them again and compares, or writes it where
// there is none.
func TestOSTN15IsTheData(t *testing.T) {
	if east, north := os.Getenv("COVERD_OSTN15_EAST"), os.Getenv("COVERD_OSTN15_NORTH"); east != "" && north != "" {
		read := func(path string) []uint16 {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out := make([]uint16, len(raw)/2)
			for i := range out {
				out[i] = binary.LittleEndian.Uint16(raw[2*i:])
			}
			return out
		}
		packed, err := packOSTN15(read(east), read(north))
		if err != nil {
			t.Fatal(err)
		}
		if len(ostnPacked) == 0 {
			if err := os.WriteFile("ostn15/ostn15.zst", packed, 0o644); err != nil {
				t.Fatal(err)
			}
			t.Fatal("written; run again")
		}
		if !bytes.Equal(packed, ostnPacked) {
			t.Error("the embedded file is not what the raw grids give")
		}
	}
	if len(ostnPacked) > 2_500_000 {
		t.Errorf("%d bytes embedded", len(ostnPacked))
	}
	g := loadOSTN15()
	h := sha256.New()
	for _, grid := range [][]uint16{g.east, g.north} {
		if err := binary.Write(h, binary.LittleEndian, grid); err != nil {
			t.Fatal(err)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != ostnDigest {
		t.Errorf("digest %s, want %s", got, ostnDigest)
	}
}

// officialRows reads one of Ordnance Survey's test files.
func officialRows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open("testdata/osgb/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOfficialPoints(t *testing.T) {
	want := map[string]Grid{}
	for _, r := range officialRows(t, "OSTN15_OSGM15_TestOutput_ETRStoOSGB.txt") {
		want[r[0]] = Grid{number(t, r[1]), number(t, r[2])}
	}
	worst, n := 0.0, 0
	for _, r := range officialRows(t, "OSTN15_OSGM15_TestInput_ETRStoOSGB.txt") {
		g, ok := GridFromLatLng(LatLng{number(t, r[1]), number(t, r[2])})
		d := max(math.Abs(g.E-want[r[0]].E), math.Abs(g.N-want[r[0]].N))
		worst, n = max(worst, d), n+1
		if !ok || d > 0.001 {
			t.Errorf("%s: %v, want %v", r[0], g, want[r[0]])
		}
	}
	t.Logf("%d points to the grid, worst %.2f mm", n, worst*1000)
	if n != 40 {
		t.Errorf("%d points, want 40", n)
	}

	wantBack := map[string]LatLng{}
	for _, r := range officialRows(t, "OSTN15_OSGM15_TestOutput_OSGBtoETRS.txt") {
		if r[1] == "RESULT" {
			wantBack[r[0]] = LatLng{number(t, r[2]), number(t, r[3])}
		}
	}
	worst, n = 0, 0
	for _, r := range officialRows(t, "OSTN15_OSGM15_TestInput_OSGBtoETRS.txt") {
		p, ok := (Grid{number(t, r[1]), number(t, r[2])}).LatLng()
		d := max(math.Abs(p.Lat-wantBack[r[0]].Lat), math.Abs(p.Lng-wantBack[r[0]].Lng))
		worst, n = max(worst, d), n+1
		if !ok || d > 1e-8 {
			t.Errorf("%s: %v, want %v", r[0], p, wantBack[r[0]])
		}
	}
	t.Logf("%d points from the grid, worst %.1e°", n, worst)
	if n != 40 {
		t.Errorf("%d points, want 40", n)
	}
}

func TestGridRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := Grid{rapid.Float64Range(5000, 699_000).Draw(t, "E"), rapid.Float64Range(1000, 1_249_000).Draw(t, "N")}
		p, ok := g.LatLng()
		if !ok {
			t.Fatalf("%v has no position", g)
		}
		back, ok := GridFromLatLng(p)
		tolerance := 0.02
		if g.E > 150_000 && g.E < 650_000 {
			tolerance = 1e-3
		}
		if !ok || math.Abs(back.E-g.E) > tolerance || math.Abs(back.N-g.N) > tolerance {
			t.Fatalf("%v came back as %v", g, back)
		}
	})
}

// The National Grid's whole 700 by 1,250 km can be gone there and back, its rim
// included, whose shifts would come from beyond the shift grid.
func TestGridRim(t *testing.T) {
	for _, e := range []float64{0, 0.1, 95, 350_000, 699_999.9, 700_000} {
		for _, n := range []float64{0, 0.1, 60, 600_000, 1_249_920, 1_249_999.9} {
			g := Grid{e, n}
			p, ok := g.LatLng()
			back, okBack := GridFromLatLng(p)
			// On the border itself the way back may end a hair outside.
			onBorder := e == 0 || n == 0 || e == 700_000
			if !ok || !okBack && !onBorder || okBack && max(math.Abs(back.E-e), math.Abs(back.N-n)) > 0.02 {
				t.Errorf("%v is at %v, %v, which is %v, %v", g, p, ok, back, okBack)
			}
		}
	}
}

// The surface has no steps: across the border of two squares of the shift grid
// a step of a millimetre is one of a millimetre.
func TestShiftsAreContinuous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := 1000 * float64(rapid.IntRange(1, 699).Draw(t, "E"))
		n := rapid.Float64Range(0, 1_250_000).Draw(t, "N")
		for _, pair := range [][2]Grid{{{e - 5e-4, n}, {e + 5e-4, n}}, {{n / 2, e - 5e-4}, {n / 2, e + 5e-4}}} {
			a, b := shiftAt(pair[0]), shiftAt(pair[1])
			if math.Hypot(a.E-b.E, a.N-b.N) > 1e-6 {
				t.Fatalf("%v has the shift %v, %v has %v", pair[0], a, pair[1], b)
			}
		}
	})
}

func TestDamagedOSTN15(t *testing.T) {
	if _, err := unpackOSTN15(ostnPacked[:1000]); err == nil {
		t.Error("a part of the grid is no error")
	}
	short, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unpackOSTN15(short.EncodeAll(make([]byte, 100), nil)); err == nil {
		t.Error("100 bytes are no error")
	}
	g := loadOSTN15()
	again, err := packOSTN15(g.east, g.north)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := unpackOSTN15(again); err != nil || !slices.Equal(back.east, g.east) || !slices.Equal(back.north, g.north) {
		t.Errorf("packing is not the inverse of unpacking: %v", err)
	}
}

func TestGridOutside(t *testing.T) {
	for _, g := range []Grid{{-1, 5}, {5, -1}, {700_001, 5}, {5, 1_250_001}, {math.NaN(), 5}, {5, math.Inf(1)}} {
		if p, ok := g.LatLng(); ok {
			t.Errorf("%v is at %v", g, p)
		}
	}
	for _, p := range []LatLng{{48, 2}, {0, 0}, {math.NaN(), 0}, {62, -3}, {51, -12}, {90, 0}} {
		if g, ok := GridFromLatLng(p); ok {
			t.Errorf("%v is at %v", p, g)
		}
	}
}

func TestGridAllocatesNothing(t *testing.T) {
	LoadOSTN15()
	p := LatLng{51.245279, -0.582312}
	if n := testing.AllocsPerRun(100, func() {
		g, _ := GridFromLatLng(p)
		g.LatLng()
	}); n != 0 {
		t.Errorf("allocs = %v, want 0", n)
	}
}

func BenchmarkGrid(b *testing.B) {
	LoadOSTN15()
	p := LatLng{51.245279, -0.582312}
	g, _ := GridFromLatLng(p)
	b.Run("from position", func(b *testing.B) {
		for b.Loop() {
			GridFromLatLng(p)
		}
	})
	b.Run("to position", func(b *testing.B) {
		for b.Loop() {
			g.LatLng()
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := unpackOSTN15(ostnPacked); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestFootPoint: the short cut finds the latitude that the Guide's iteration
// does, to a ten-thousandth of what a location is stored to.
func TestFootPoint(t *testing.T) {
	most := 0.0
	for n := -500.0; n < 1_251_000; n += 7.3 {
		most = max(most, math.Abs(footPoint(n)-slowFootPoint(n))*180/math.Pi)
	}
	if t.Logf("within %.2g degrees", most); most > 1e-10 {
		t.Errorf("up to %g degrees from the Guide's", most)
	}
}

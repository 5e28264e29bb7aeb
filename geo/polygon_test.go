package geo

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// orientBig is orient in rational arithmetic.
func orientBig(a, b, p LatLng) int {
	rat := func(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }
	sub := func(x, y float64) *big.Rat { return new(big.Rat).Sub(rat(x), rat(y)) }
	l := new(big.Rat).Mul(sub(b.Lng, a.Lng), sub(p.Lat, a.Lat))
	return l.Cmp(new(big.Rat).Mul(sub(b.Lat, a.Lat), sub(p.Lng, a.Lng)))
}

// nearPoint draws positions so close to each other and to a coarse lattice
// that collinear triples and ties are common.
func nearPoint(t *rapid.T, label string) LatLng {
	lattice := rapid.IntRange(-4, 4)
	nudge := rapid.SampledFrom([]float64{0, 0, 0, 1, -1})
	f := func(base float64, name string) float64 {
		v := base + float64(lattice.Draw(t, label+name))*0.1
		if n := nudge.Draw(t, label+name+"n"); n != 0 {
			v = math.Nextafter(v, v+n)
		}
		return v
	}
	return LatLng{f(52, "lat"), f(-1, "lng")}
}

func TestOrientIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, p := nearPoint(t, "a"), nearPoint(t, "b"), nearPoint(t, "p")
		if got, want := orient(a, b, p), orientBig(a, b, p); got != want {
			t.Fatalf("orient(%v, %v, %v) = %d, want %d", a, b, p, got, want)
		}
		if a != b && Side(a, b, p) != -Side(b, a, p) {
			t.Fatalf("Side(%v, %v, %v) is not opposite to that of the reversed edge", a, b, p)
		}
	})
}

func TestOrientOnLongExactLines(t *testing.T) {
	// Midpoints in binary fractions lie exactly on their line.
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a := LatLng{50 + math.Floor(rng.Float64()*8192)/8192, -2 + math.Floor(rng.Float64()*8192)/8192}
		b := LatLng{50 + math.Floor(rng.Float64()*8192)/8192, -2 + math.Floor(rng.Float64()*8192)/8192}
		mid := LatLng{(a.Lat + b.Lat) / 2, (a.Lng + b.Lng) / 2}
		if orient(a, b, mid) != 0 {
			t.Fatalf("%v is not on %v–%v", mid, a, b)
		}
		up := mid
		up.Lat = math.Nextafter(up.Lat, 90)
		if got, want := orient(a, b, up), orientBig(a, b, up); got != want {
			t.Fatalf("orient(%v, %v, %v) = %d, want %d", a, b, up, got, want)
		}
	}
}

func TestExactPathAllocatesNothing(t *testing.T) {
	a, b := LatLng{50, -1}, LatLng{51, -2}
	mid := LatLng{50.5, -1.5}
	if n := testing.AllocsPerRun(100, func() { orient(a, b, mid) }); n != 0 {
		t.Errorf("allocs = %v, want 0", n)
	}
}

// FuzzOrient holds the sign against rational arithmetic for any six numbers
// that are positions, however small.
func FuzzOrient(f *testing.F) {
	add := func(numbers ...float64) {
		var b []byte
		for _, v := range numbers {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		f.Add(b)
	}
	add(50, -1, 51, -2, 50.5, -1.5)
	add(51.5, -0.1, 51.7, 0.1, 51.6, 0)
	add(51.5, 1e-150, 51.5, -1e-150, 52, 1e-149)
	add(5e-324, -0.1, 0, 0.1, 5e-324, 1e-300)
	add(0.1, 0.1, 0.2, 0.2, 0.3, 0.3)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v [6]float64
		for i := range v {
			if len(raw) < 8*i+8 {
				return
			}
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		}
		a, b, p := LatLng{v[0], v[1]}, LatLng{v[2], v[3]}, LatLng{v[4], v[5]}
		if !a.IsValid() || !b.IsValid() || !p.IsValid() {
			return
		}
		if got, want := orient(a, b, p), orientBig(a, b, p); got != want {
			t.Fatalf("orient(%v, %v, %v) = %d, want %d", a, b, p, got, want)
		}
		if a != b && Side(a, b, p) != -Side(b, a, p) {
			t.Fatalf("Side(%v, %v, %v) is not opposite to that of the reversed edge", a, b, p)
		}
	})
}

// slowSide is Side in rational arithmetic: the point goes a step east that is
// smaller than any other number here, and a smaller one north.
func slowSide(a, b, p LatLng) int {
	rat := func(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }
	step := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 400))
	x, y := new(big.Rat).Add(rat(p.Lng), step), new(big.Rat).Add(rat(p.Lat), new(big.Rat).Mul(step, step))
	l := new(big.Rat).Sub(rat(b.Lng), rat(a.Lng))
	l.Mul(l, y.Sub(y, rat(a.Lat)))
	r := new(big.Rat).Sub(rat(b.Lat), rat(a.Lat))
	return l.Cmp(r.Mul(r, x.Sub(x, rat(a.Lng))))
}

func TestSideIsAStepEast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, p := nearPoint(t, "a"), nearPoint(t, "b"), nearPoint(t, "p")
		if a == b {
			return
		}
		if got, want := Side(a, b, p), slowSide(a, b, p); got != want {
			t.Fatalf("Side(%v, %v, %v) = %d, want %d", a, b, p, got, want)
		}
	})
}

// The half-open rule in figures: of a square, the west and the south side
// belong to it, the east and the north side do not.
func TestHalfOpenSquare(t *testing.T) {
	square := Ring{{52, -2}, {52, -1}, {53, -1}, {53, -2}}
	for p, want := range map[LatLng]bool{
		{52.5, -1.5}: true,
		{52.5, -2}:   true,  // west
		{52, -1.5}:   true,  // south
		{52, -2}:     true,  // south-west
		{52.5, -1}:   false, // east
		{53, -1.5}:   false, // north
		{53, -2}:     false,
		{52, -1}:     false,
		{53, -1}:     false,
	} {
		if got := square.Contains(p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
		backwards := Ring{square[3], square[2], square[1], square[0]}
		if got := backwards.Contains(p); got != want {
			t.Errorf("%v, wound the other way: %v, want %v", p, got, want)
		}
	}
}

// A point where three and more polygons meet is in one of them.
func TestMeetingPointBelongsToExactlyOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		hub := LatLng{50 + rng.Float64(), -1 + rng.Float64()}
		n := 3 + rng.IntN(9)
		turn := rng.Float64()
		rim := make([]LatLng, n)
		for i := range rim {
			sin, cos := math.Sincos(2 * math.Pi * (float64(i) + turn) / float64(n))
			rim[i] = LatLng{hub.Lat + sin*(0.1+rng.Float64()), hub.Lng + cos*(0.1+rng.Float64())}
		}
		in := 0
		for i := range rim {
			if (Ring{hub, rim[i], rim[(i+1)%n]}).Contains(hub) {
				in++
			}
		}
		if in != 1 {
			t.Fatalf("%v is in %d of %d polygons around it", hub, in, n)
		}
	}
}

// What a polygon contains lies in its rectangle, even where its hole does not
// lie in its outer ring.
func TestBoundHoldsAllOfThePolygon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, shape := range drawShapes(t, LatLng{52, -1}, 1./16) {
			for _, g := range shape {
				p := LatLng{52 + rapid.Float64Range(-0.1, 0.6).Draw(t, "lat"), -1 + rapid.Float64Range(-0.1, 0.6).Draw(t, "lng")}
				if g.Contains(p) && !g.Bound().Contains(p) {
					t.Fatalf("%v is in %v and outside %v", p, g, g.Bound())
				}
			}
		}
	})
	outer, hole := Ring{{52, -2}, {52, -1}, {53, -1}, {53, -2}}, Ring{{52.2, -1.2}, {52.2, -0.5}, {52.4, -0.5}, {52.4, -1.2}}
	if p := (LatLng{52.3, -0.7}); !(Polygon{outer, hole}).Bound().Contains(p) {
		t.Errorf("%v is outside the rectangle", p)
	}
	if r := (Polygon{}).Bound(); !r.empty() {
		t.Errorf("nothing lies in %v", r)
	}
}

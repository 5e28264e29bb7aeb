package geo

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGridRefs(t *testing.T) {
	for _, c := range []struct {
		in   string
		want GridRef
		ref  string
	}{
		{"SU 99049 50522", GridRef{Grid{499049, 150522}, 1}, "SU 99049 50522"},
		{"su9904950522", GridRef{Grid{499049, 150522}, 1}, "SU 99049 50522"},
		{"TQ 30 80", GridRef{Grid{530000, 180000}, 1000}, "TQ 30 80"},
		{"tq38", GridRef{Grid{530000, 180000}, 10_000}, "TQ 3 8"},
		{"SV 000 000", GridRef{Grid{0, 0}, 100}, "SV 000 000"},
		{"HP 6161 1818", GridRef{Grid{461610, 1218180}, 10}, "HP 6161 1818"},
		{"NN 166 712", GridRef{Grid{216600, 771200}, 100}, "NN 166 712"}, // Ben Nevis
		{"JM 99 99", GridRef{Grid{699000, 1299000}, 1000}, "JM 99 99"},
	} {
		got, err := ParseGridRef(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: %v, %v; want %v", c.in, got, err, c.want)
		}
		figures := 2 * (5 - int(math.Round(math.Log10(c.want.Size))))
		if ref := got.Centre().Ref(figures); ref != c.ref {
			t.Errorf("%q comes back as %q, want %q", c.in, ref, c.ref)
		}
	}
	for in, why := range map[string]string{
		"": "two letters", "SU": "100 km", "S": "two letters", "SU 1": "odd", "SU 123": "odd", "SU 123456 123456": "ten figures",
		"IU 12 34": "letter I", "AA 12 34": "not on the National Grid", "12 34": "two letters", "SUA 12": "two letters", "SU 1x": "two letters",
		"ZZ 99 99": "not on the National Grid", "SU12-34": "two letters", "SU 12 34 N": "two letters", "TE 12 34": "not on the National Grid",
	} {
		if got, err := ParseGridRef(in); !errors.Is(err, ErrMalformedGridRef) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, %v; want %q", in, got, err, why)
		}
	}
	if ref := (Grid{-1, 5}).Ref(6); ref != "" {
		t.Errorf("off the grid: %q", ref)
	}
}

func TestGridRefRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := Grid{rapid.Float64Range(0, 699_999).Draw(t, "E"), rapid.Float64Range(0, 1_299_999).Draw(t, "N")}
		figures := 2 * rapid.IntRange(1, 5).Draw(t, "figures")
		r, err := ParseGridRef(g.AppendRef(nil, figures))
		if err != nil || g.E < r.Corner.E || g.E >= r.Corner.E+r.Size || g.N < r.Corner.N || g.N >= r.Corner.N+r.Size {
			t.Fatalf("%v as %q is %v, %v", g, g.Ref(figures), r, err)
		}
	})
}

func TestDecimalsAreStrconvs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[+-]?[0-9]{0,4}(\.[0-9]{0,20})?`).Draw(t, "s")
		got, err := parseDecimal(s)
		want, wantErr := strconv.ParseFloat(s, 64)
		if (err == nil) != (wantErr == nil) || err == nil && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: %v, %v; want %v, %v", s, got, err, want, wantErr)
		}
	})
}

func TestCoordinatesRefused(t *testing.T) {
	for _, s := range []string{"", " ", "NaN", "inf", "-Inf", "1e5", "0x10", "1_000", "51,2", "1.2.3", "--1", "+-1", "°", "181", "-180.0000001", strings.Repeat("9", 50), "51.2N"} {
		if v, err := ParseDegrees(s); !errors.Is(err, ErrMalformedCoordinate) {
			t.Errorf("%q: %v, %v", s, v, err)
		}
	}
	for _, s := range []string{"", "51.2", "51.2,", ",1", "51.2,-0.5,3", "91,0", "51.2;-0.5", "a,b"} {
		if v, err := ParseLatLng(s); !errors.Is(err, ErrMalformedCoordinate) {
			t.Errorf("%q: %v, %v", s, v, err)
		}
	}
	if p, err := ParseLatLng(" 51.2452 , -0.5823 "); err != nil || p != (LatLng{51.2452, -0.5823}) {
		t.Errorf("%v, %v", p, err)
	}
	if v, err := ParseMetres("1e7"); err == nil {
		t.Errorf("metres: %v", v)
	}
	for s, why := range map[string]string{
		"\u22120.5823": "typographic", "-0.5823°": "decimal number", "\u2212": "decimal number", "51,2": "full stop", "499049": "eastings",
		strings.Repeat("9", 1_000_000): "40 digits", strings.Repeat("x", 1_000_000): "decimal number",
	} {
		if _, err := ParseDegrees(s); err == nil || !strings.Contains(err.Error(), why) || len(err.Error()) > 200 {
			t.Errorf("%.20q: %.200v; want %q", s, err, why)
		}
	}
	if _, err := ParseGridRef("SU" + strings.Repeat(" ", 1_000_000)); err == nil || len(err.Error()) > 200 {
		t.Errorf("a long grid reference: %.200v", err)
	}
	if v, err := ParseMetres(" x"); !errors.Is(err, ErrMalformedCoordinate) {
		t.Errorf("metres: %v, %v", v, err)
	}
	if v, err := ParseMetres("499049.5"); err != nil || v != 499049.5 {
		t.Errorf("metres: %v, %v", v, err)
	}
	b := []byte("-0.582312")
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseDegrees(b) }); n != 0 {
		t.Errorf("allocs = %v, want 0", n)
	}
}

func FuzzParseGridRef(f *testing.F) {
	f.Add("SU 99049 50522")
	f.Add("tq38")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseGridRef(s)
		if err != nil {
			return
		}
		figures := 2 * (5 - int(math.Round(math.Log10(r.Size))))
		if q, err := ParseGridRef(r.Corner.Ref(figures)); err != nil || q != r {
			t.Fatalf("%q: %v came back as %v, %v", s, r, q, err)
		}
	})
}

func FuzzParseLatLng(f *testing.F) {
	f.Add("51.2452,-0.5823")
	f.Add(" +51.245200000000000001 ,\t-0.58")
	f.Add("\u22120.5,1")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseLatLng(s)
		if q, errBytes := ParseLatLng([]byte(s)); p != q || (err == nil) != (errBytes == nil) {
			t.Fatalf("%q: as string %v, %v; as bytes %v, %v", s, p, err, q, errBytes)
		}
		if err != nil {
			if !errors.Is(err, ErrMalformedCoordinate) || len(err.Error()) > 400 { // of 60 bytes, each may be quoted by four
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		lat, lng, _ := strings.Cut(s, ",")
		wantLat, _ := strconv.ParseFloat(strings.Trim(lat, " \t"), 64)
		wantLng, _ := strconv.ParseFloat(strings.Trim(lng, " \t"), 64)
		if !p.IsValid() || p != (LatLng{wantLat, wantLng}) {
			t.Fatalf("%q is %v, by strconv %v, %v", s, p, wantLat, wantLng)
		}
	})
}

package api

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coverd/geo"
	"coverd/index"
)

// slowJSON is the oracle: what encoding/json makes of a value.
func slowJSON(t *rapid.T, v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

var utf8Texts = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\x00\x1f\x7f", "a\"b\\c\n\t\r\b\f", "<&>", "\u2028\u2029", "Tŷ Gwyn"}))

// drawPostcode draws a postcode of Great Britain: others do not come in
// answers, and are not read back.
func drawPostcode(t *rapid.T) geo.Postcode {
	return rapid.Custom(func(t *rapid.T) geo.Postcode {
		p, _ := geo.PostcodeFromOrdinal(uint32(rapid.IntRange(0, geo.Outcodes*geo.Inwards-1).Draw(t, "ordinal")))
		return p
	}).Filter(func(p geo.Postcode) bool { _, out := geo.OutOfArea(p.Outcode()); return !out }).Draw(t, "postcode")
}

// fill draws every field of a value, however deep, so that a field that is
// added and forgotten in AppendJSON is found.
func fill(t *rapid.T, v reflect.Value, texts *rapid.Generator[string]) {
	switch p := v.Addr().Interface().(type) {
	case *geo.Postcode:
		*p = drawPostcode(t)
		return
	case *PostcodeText:
		if rapid.Bool().Draw(t, "some") {
			p.V = drawPostcode(t)
		}
		return
	case *OutcodeText:
		if rapid.Bool().Draw(t, "some") {
			p.V = drawPostcode(t).Outcode()
		}
		return
	case *SectorText:
		if rapid.Bool().Draw(t, "some") {
			p.V = drawPostcode(t).Sector()
		}
		return
	case *UPRN:
		p.V = geo.UPRN(rapid.Uint64Range(0, uint64(geo.MaxUPRN)).Draw(t, "uprn"))
		return
	case *Date:
		p.V = index.Day(rapid.Int32Range(-20000, 90000).Draw(t, "day")) // 0 is none
		return
	case *Month:
		if rapid.Bool().Draw(t, "some") {
			p.V = index.Month(rapid.Int32Range(1900*12, 2200*12).Draw(t, "month"))
		}
		return
	case *Degrees:
		*p = Degrees(rapid.OneOf(rapid.Float64Range(-180, 180), rapid.Just(math.NaN()), rapid.Just(0.0)).Draw(t, "degrees"))
		return
	case *Metres:
		*p = Metres(rapid.OneOf(rapid.Float64Range(0, 60_000), rapid.Just(-1.0)).Draw(t, "metres"))
		return
	case *Number:
		*p = Number(rapid.OneOf(rapid.Float64Range(-1e7, 1e7), rapid.Just(math.NaN())).Draw(t, "number"))
		return
	case *Share:
		*p = Share(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(-1.0)).Draw(t, "share"))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts.Draw(t, "string"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int32:
		v.SetInt(int64(rapid.Int32Range(-5, 1_300_000).Draw(t, "int")))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "pointer") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), texts)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, "length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), texts)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field, texts)
		}
	default:
		t.Fatalf("no way to draw a %v", v.Type())
	}
}

// appender is an answer that has a fast way to JSON.
type appender interface{ AppendJSON(b []byte) []byte }

func TestAppendJSONEqualsEncodingJSON(t *testing.T) {
	for _, fresh := range []func() appender{
		func() appender { return new(PostcodeAnswer) },
		func() appender { return new(PremisesAnswer) },
		func() appender { return new(PlaceAnswer) },
		func() appender { return new(LocationAnswer) },
		func() appender { return new(ChangesAnswer) },
	} {
		t.Run(reflect.TypeOf(fresh()).Elem().Name(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a := fresh()
				fill(t, reflect.ValueOf(a).Elem(), rapid.OneOf(utf8Texts, rapid.Just("\xff\xfe")))
				got, want := a.AppendJSON([]byte("before")), append([]byte("before"), slowJSON(t, a)...)
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Fatalf("AppendJSON differs from encoding/json (-want +got):\n%s", diff)
				}
				// What is read back says the same when written again.
				back := fresh()
				if err := json.Unmarshal(got[len("before"):], back); err != nil {
					t.Fatalf("cannot be read back: %v", err)
				}
			})
		})
	}
}

func TestReadingBackLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a PremisesAnswer
		fill(t, reflect.ValueOf(&a).Elem(), utf8Texts)
		first := a.AppendJSON(nil)
		var back PremisesAnswer
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatal(err)
		}
		if again := back.AppendJSON(nil); !bytes.Equal(first, again) {
			t.Fatalf("read and written again:\n%s\n%s", first, again)
		}
	})
}

func TestSpreadIsOneValueOrAList(t *testing.T) {
	for _, c := range []struct {
		spread Spread
		want   string
	}{
		{nil, `null`},
		{Spread{{Name: "", N: 3}}, `null`},
		{Spread{{Name: "SKU1", N: 3}}, `"SKU1"`},
		{Spread{{Name: "SKU1", N: 3}, {Name: "", N: 1}}, `[{"value":"SKU1","premises":3},{"value":null,"premises":1}]`},
	} {
		if got := string(c.spread.appendJSON(nil)); got != c.want {
			t.Errorf("%v: %s, want %s", c.spread, got, c.want)
		}
	}
}

func TestFixedDecimals(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{Degrees(51.2452794999).appendJSON(nil), "51.245279"},
		{Degrees(-0.5823125).appendJSON(nil), "-0.582313"},
		{Degrees(-0.0000001).appendJSON(nil), "0.000000"},
		{NoDegrees().appendJSON(nil), "null"},
		{Metres(18.44).appendJSON(nil), "18.4"},
		{Metres(0).appendJSON(nil), "0.0"},
		{Metres(-1).appendJSON(nil), "null"},
		{Share(0.9999).appendJSON(nil), "0.999"},
		{Share(1).appendJSON(nil), "1.000"},
		{Share(0).appendJSON(nil), "0.000"},
		{Share(0.0129).appendJSON(nil), "0.012"},
		{Share(-1).appendJSON(nil), "null"},
		{GridMetres(0).appendJSON(nil), "null"},
		{Number(51.2452).appendJSON(nil), "51.2452"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

func TestEveryProblemHasOneKind(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range ProblemKinds {
		if seen[k.Code] || k.Title == "" || k.Status < 400 || k.Status > 599 {
			t.Errorf("%+v", k)
		}
		seen[k.Code] = true
	}
}

func BenchmarkPostcodeAnswer(b *testing.B) {
	a := PostcodeAnswer{Outcome: PremisesFound}
	for range 17 {
		a.Premises = append(a.Premises, Premises{
			UPRN: UPRN{990061391234}, AddressIdentifier: "12", Latitude: 51.24531, Longitude: -0.58219, Region: "South", RegionBasis: "boundary", State: "available",
			Fit:      &Fit{NetworkRegion: "South", WANVariant: "SKU1", Reason: "available now, High likelihood"},
			Networks: []Network{{NetworkRegion: "South", State: "available", WANTechnology: "Cellular", WANVariant: "SKU1", ConnectivityLikelihood: "High", CSP: "Telefonica", AsOf: Date{20779}}},
		})
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var body []byte
		for b.Loop() {
			body = a.AppendJSON(body[:0])
		}
		b.ReportMetric(float64(len(body)), "B/answer")
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&a); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A postcode area that is too small to be judged hides no larger one, though it
// has lost a larger share.
func TestSmallAreaHidesNoLargerOne(t *testing.T) {
	first := baseNight()
	first.arqiva = addRows(first.arqiva, "E", 12)
	base := open(t, first.judge(t, nil, Options{}))
	for _, tt := range []struct {
		gate, at string
		edit     func(n *night)
	}{
		{"shrink_area", "GU", func(n *night) {
			n.arqiva = dropRows(dropRows(n.arqiva, "E", 9), "GU", 160)
		}},
		{"empty_area", "wan_variant GU", func(n *night) {
			change(n.arqiva, "E", 6, func(r *nightRow) { r.variant = "" })
			change(n.arqiva, "GU", 90, func(r *nightRow) { r.variant = "" })
		}},
	} {
		res := first.after(func(n *night) {
			n.more = "[gates]\narea_rows = 10\nshrink = 1\nempty = 1\n"
			tt.edit(n)
		}).judge(t, base, Options{})
		if got := refusals(res); !cmp.Equal(got, []string{tt.gate + " Arqiva"}) {
			t.Errorf("%s: refused %v", tt.gate, got)
		}
		if g := gateOf(t, res, tt.gate, "Arqiva"); g.At != tt.at {
			t.Errorf("%s: at %q: %s", tt.gate, g.At, g.Msg)
		}
	}
}

// areasNight is a night on which Arqiva sends coverage areas, too, three squares
// that hold a third of its premises each, on a network region that these have no
// claim on.
func areasNight(n *night, of func(i int) string) world {
	var features strings.Builder
	for i := range 3 {
		west, east := -1-float64(i+1)*34/1e5+5e-6, -1-float64(i)*34/1e5+5e-6
		fmt.Fprintf(&features, "{\"type\": \"Feature\", \"properties\": {\"network_region\": \"4G South\"%s}, \"geometry\": {\"type\": \"Polygon\", \"coordinates\": [[[%[2]f,52.4],[%[3]f,52.4],[%[3]f,52.4995],[%[2]f,52.4995],[%[2]f,52.4]]]}}\n", of(i), west, east)
	}
	return n.world().with("areas.geojsonl", features.String()).
		with("coverd.toml", fmt.Sprintf("\n[[extract]]\ncsp = \"Arqiva\"\nkind = \"areas\"\npath = \"areas.geojsonl\"\nsequence = %d\n", n.sequence))
}

// Coverage areas are few, and each counts: what they lend to premises is judged,
// and a column that is empty in one of them.
func TestGatesOfAreas(t *testing.T) {
	all := func(text string) func(int) string { return func(int) string { return text } }
	const available = `, "coverage_availability": true, "wan_variant": "SKU1"`
	base, _ := areasNight(baseNight(), all(available)).build(t)
	for _, tt := range []struct {
		name string
		of   func(i int) string
		want []string
	}{
		{"the same again", all(available), []string{}},
		{"all refused", all(`, "coverage_availability": false, "wan_variant": "SKU1"`), []string{"changed Arqiva areas"}},
		{"no Variant in one", func(i int) string {
			return []string{`, "coverage_availability": true`, available, available}[i]
		}, []string{"empty Arqiva areas"}},
	} {
		res, err := areasNight(baseNight().after(nil), tt.of).try(t, Options{Previous: base})
		if got := refusals(res); !cmp.Equal(got, tt.want) {
			t.Errorf("%s: refused %v, %v", tt.name, got, err)
		}
		if g := gateOf(t, res, gateChanged, "Arqiva areas"); g.Before < 2000 {
			t.Errorf("%s: %s", tt.name, g.Msg)
		}
	}
}

package main

import (
	"strings"
	"testing"

	"coverd/server/api"
)

// A plan that was missed is called so wherever it is shown.
func TestOverdueIsShown(t *testing.T) {
	location := api.LocationAnswer{Areas: []api.Area{{CSP: "A", NetworkRegion: "South", State: "unavailable", Overdue: true}}}
	premises := api.PremisesAnswer{Premises: api.Premises{Networks: []api.Network{{CSP: "A", NetworkRegion: "South", State: "unavailable", Overdue: true}}}}
	for _, c := range []struct {
		kind keyKind
		body []byte
	}{{keyDegrees, location.AppendJSON(nil)}, {keyUPRN, premises.AppendJSON(nil)}} {
		var out strings.Builder
		if err := answerText(&out, key{kind: c.kind}, 200, c.body); err != nil || !strings.Contains(out.String(), "South: unavailable (overdue)") {
			t.Errorf("%v, %s", err, &out)
		}
	}
}

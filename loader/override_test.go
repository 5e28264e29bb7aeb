package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coverd/index"
)

// overrideText is an override in a manifest.
func overrideText(gate, source, after, by, reason string) string {
	return fmt.Sprintf("[[override]]\ngate = %q\nsource = %q\nafter = %q\nby = %q\nreason = %q\n", gate, source, after, by, reason)
}

// shrunk is a night that the gate shrink refuses, with more in its manifest.
func shrunk(more string) *night {
	return baseNight().after(func(n *night) {
		n.arqiva = dropRows(n.arqiva, "B", 200)
		n.more = more
	})
}

// An override lets pass what it names, once, and is recorded.
func TestOverride(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	after := base.ID()[:12]
	text := overrideText("shrink", "Arqiva", after, "A. Operator", "200 flats were pulled down")
	res := shrunk(text).judge(t, base, Options{})
	if len(res.Refusals) > 0 {
		t.Fatal(res.Refusals)
	}
	want := []index.Override{{
		Gate: "shrink", Source: "Arqiva", After: after, By: "A. Operator", Reason: "200 flats were pulled down",
		Measured: "Arqiva: 1,800 good rows, 2,000 in " + after + ": 10 % fewer; at most 5 % are let pass, which it is over by 5 points",
	}}
	next := open(t, res)
	if diff := cmp.Diff(want, next.Info().Overrides); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, res.Overrides); diff != "" || gateOf(t, res, "shrink", "Arqiva").Verdict != Overridden {
		t.Errorf("reported (-want +got):\n%s", diff)
	}

	// The night after it has expired, and says so.
	expired := refusals(shrunk(text).judge(t, next, Options{}))
	if !cmp.Equal(expired, []string{"override shrink Arqiva"}) {
		t.Errorf("the night after: %v", expired)
	}
	// After a rollback to the first snapshot it is bound to that one again, but
	// has been used.
	res = shrunk(text).judge(t, base, Options{UsedOverrides: next.Info().Overrides})
	if got := refusals(res); !cmp.Equal(got, []string{"override shrink Arqiva", "shrink Arqiva"}) || !strings.Contains(res.Refusals[0].Msg, "is used up") {
		t.Errorf("used again: %v", res.Refusals)
	}
	// A decision of its own is another override.
	res = shrunk(overrideText("shrink", "Arqiva", after, "A. Operator", "checked again after the rollback")).judge(t, base, Options{UsedOverrides: next.Info().Overrides})
	if got := refusals(res); len(got) > 0 {
		t.Errorf("decided anew: %v", got)
	}
}

// An override lets pass nothing else, and what nothing needed is not recorded.
func TestOverrideOfSomethingElse(t *testing.T) {
	base := open(t, baseNight().judge(t, nil, Options{}))
	after := base.ID()[:12]
	for _, o := range [][2]string{{"growth", "Arqiva"}, {"shrink", "Vodafone"}} {
		res := shrunk(overrideText(o[0], o[1], after, "A", "b")).judge(t, base, Options{})
		if got := refusals(res); !cmp.Equal(got, []string{"shrink Arqiva"}) {
			t.Errorf("%v: %v", o, got)
		}
		if !strings.Contains(strings.Join(res.Warnings, "\n"), fmt.Sprintf("nothing needed the override of gate %s for %s", o[0], o[1])) {
			t.Errorf("%v: warnings %v", o, res.Warnings)
		}
	}
	res := baseNight().after(func(n *night) { n.more = overrideText("shrink", "Arqiva", after, "A", "b") }).judge(t, base, Options{})
	if len(res.Refusals) > 0 || len(open(t, res).Info().Overrides) > 0 || len(res.Warnings) != 1 {
		t.Errorf("refused %v, warned %v", res.Refusals, res.Warnings)
	}
}

// Without a previous snapshot an override is bound to that.
func TestOverrideOfFirstBuild(t *testing.T) {
	n := baseNight()
	for i := range 50 {
		n.vodafone[i].uprn = n.arqiva[i].uprn
	}
	res := n.judge(t, nil, Options{})
	if got := refusals(res); !cmp.Equal(got, []string{"overlap South"}) || !strings.Contains(res.Refusals[0].Override, `after  = "none"`) {
		t.Fatalf("refused %v", res.Refusals)
	}
	ready := strings.NewReplacer(`by     = ""`, `by = "A"`, `reason = ""`, `reason = "both serve it"`).Replace(res.Refusals[0].Override)
	n.more = ready
	if got := refusals(n.judge(t, nil, Options{})); len(got) > 0 {
		t.Errorf("refused %v", got)
	}
}

// Baselines are in the file, and are those of the snapshot that a night comes
// after: also after a rollback.
func TestBaselinesFollowThePreviousSnapshot(t *testing.T) {
	first := open(t, baseNight().judge(t, nil, Options{}))
	second := open(t, shrunk(overrideText("shrink", "Arqiva", first.ID()[:12], "A", "b")).judge(t, first, Options{}))
	for _, s := range []*index.Snapshot{first, second} {
		if s.Baselines() == nil || s.Baselines().Source("Arqiva", "premises").Accepted == 0 {
			t.Fatal("no baselines in the file")
		}
	}
	third := shrunk("")
	if got := refusals(third.judge(t, second, Options{})); len(got) > 0 {
		t.Errorf("after the second: %v", got)
	}
	if got := refusals(third.judge(t, first, Options{})); !cmp.Equal(got, []string{"shrink Arqiva"}) {
		t.Errorf("after a rollback to the first: %v", got)
	}
}

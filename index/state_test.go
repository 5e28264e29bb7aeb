package index

import (
	"testing"

	"coverd/geo"
)

// TestPremisesStateTurnsOnItsDay asks each premises on the days around those on
// which its state changes.
func TestPremisesStateTurnsOnItsDay(t *testing.T) {
	ends := func(c Claim, end Day) Claim { c.End = end; return c }
	from := func(c Claim, csp, technology string) Claim { c.CSP, c.Technology = csp, technology; return c }
	yes, no := says(NetworkSouth, AvailabilityTrue), says(NetworkSouth, AvailabilityFalse)
	type turn struct {
		on      Day
		want    State
		from    Day
		overdue bool
	}
	d := worldDay
	cases := []struct {
		name   string
		claims []Claim
		turns  []turn
	}{
		{"available", []Claim{yes}, []turn{{d - 9999, Available, 0, false}, {d, Available, 0, false}, {d + 9999, Available, 0, false}}},
		{"planned, then available", []Claim{planned(NetworkSouth, d+1)}, []turn{
			{d - 1, Planned, d + 1, false}, {d, Planned, d + 1, false}, {d + 1, Available, d + 1, false}, {d + 2, Available, d + 1, false},
		}},
		{"a plan for the day it was made is missed", []Claim{planned(NetworkSouth, d)}, []turn{
			{d - 1, Unavailable, 0, true}, {d, Unavailable, 0, true}, {d + 500, Unavailable, 0, true},
		}},
		{"covered up to its end date", []Claim{ends(yes, d+5)}, []turn{
			{d + 4, Available, 0, false}, {d + 5, Available, 0, false}, {d + 6, Unavailable, 0, false},
		}},
		{"planned, available, ended", []Claim{ends(planned(NetworkSouth, d+3), d+5)}, []turn{
			{d + 2, Planned, d + 3, false}, {d + 3, Available, d + 3, false}, {d + 5, Available, d + 3, false}, {d + 6, Unavailable, 0, false},
		}},
		{"ended before it came", []Claim{ends(planned(NetworkSouth, d+5), d+3)}, []turn{
			{d + 3, Planned, d + 5, false}, {d + 4, Unavailable, 0, false}, {d + 5, Unavailable, 0, false},
		}},
		{"one network ends, another comes", []Claim{ends(yes, d+5), planned(Network4GSouth, d+8)}, []turn{
			{d + 5, Available, 0, false}, {d + 6, Planned, d + 8, false}, {d + 8, Available, d + 8, false},
		}},
		{"two plans: the earlier", []Claim{planned(NetworkSouth, d+9), planned(Network4GSouth, d+4)}, []turn{
			{d, Planned, d + 4, false}, {d + 4, Available, d + 4, false}, {d + 9, Available, d + 4, false},
		}},
		{"unknown is better than no", []Claim{no, says(Network4GSouth, AvailabilityUnknown)}, []turn{{d, Unknown, 0, false}}},
		{"unknown, ended", []Claim{ends(says(NetworkSouth, AvailabilityUnknown), d)}, []turn{{d, Unknown, 0, false}, {d + 1, Unavailable, 0, false}}},
		{"no", []Claim{no}, []turn{{d, Unavailable, 0, false}, {d + 9999, Unavailable, 0, false}}},
		{"a later as-of makes the same date a plan missed", []Claim{{CSP: "Arqiva", AsOf: d + 4, Network: NetworkNorth, Availability: AvailabilityFalse, Anticipated: d + 4}}, []turn{
			{d, Unavailable, 0, true}, {d + 4, Unavailable, 0, true},
		}},
		{"SMETS1 and Unknown do not count", []Claim{says(NetworkSMETS1, AvailabilityTrue), says(NetworkUnknown, AvailabilityTrue)}, []turn{{d, Unknown, 0, false}}},
		{"nor does virtual WAN", []Claim{from(yes, "DCC", "VWAN"), no}, []turn{{d, Unavailable, 0, false}}},
		{"by its other name", []Claim{from(yes, "DCC", "Virtual")}, []turn{{d, Unknown, 0, false}}},
	}
	w := small()
	w.live("GU1 1AA", located(52.5, -1.5))
	for i, c := range cases {
		for _, claim := range c.claims {
			w.add(990_000_000_000+1+geo.UPRN(i), "GU1 1AA", located(52.5, -1.5), "", claim)
		}
	}
	s := w.open(t)
	for i, c := range cases {
		p, ok := s.UPRN(990_000_000_000 + 1 + geo.UPRN(i))
		if !ok {
			t.Fatalf("%s: no premises", c.name)
		}
		for _, turn := range c.turns {
			if got := p.State(turn.on); got != turn.want {
				t.Errorf("%s: on day %+d %v, want %v", c.name, turn.on-d, got, turn.want)
			}
			if fit, ok := p.Claims().Fit(turn.on); ok && (fit.Status != Status{turn.want, turn.from, turn.overdue}) {
				t.Errorf("%s: on day %+d the fit is %+v, want %+v", c.name, turn.on-d, fit.Status, turn)
			}
		}
	}
	// Summaries turn on the same days.
	for on := d - 2; on < d+12; on++ {
		var want Summary
		for p := range s.AllPremises() {
			want.Add(p.State(on), 1)
		}
		u, _ := s.Postcode(mustPostcode("GU1 1AA"))
		o, _ := s.Outcode(u.Postcode().Outcode())
		var dist Distribution
		if o.Distribution(&dist, on); u.Summary(on) != want || dist.Summary != want {
			t.Errorf("on day %+d: postcode %+v, outcode %+v, want %+v", on-d, u.Summary(on), dist.Summary, want)
		}
	}
}

package licence

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"coverd/index"
	"coverd/server/api"
)

// world is what the database really said on each known day, whatever is
// remembered of it.
type world struct {
	begin  index.Day // the first known day there is
	claims []claimList
	absent []bool
}

func (w *world) state(on, known index.Day) index.State {
	if w.absent[known-w.begin] {
		return index.Unknown
	}
	return w.claims[known-w.begin].State(on)
}

// days is how many known days a world has; far is past every date in it.
const (
	days = 120
	far  = 400
)

func drawWorld(t *rapid.T) *world {
	w := &world{begin: day("2023-12-20")} // a leap day and both changes of the clock lie ahead
	date := rapid.Custom(func(t *rapid.T) index.Day {
		return w.begin + index.Day(rapid.IntRange(-20, days+60).Draw(t, "date"))
	})
	claim := rapid.Custom(func(t *rapid.T) index.Claim {
		c := index.Claim{Network: index.NetworkSouth, Availability: index.Availability(rapid.IntRange(0, 2).Draw(t, "availability")), AsOf: w.begin - 30}
		if rapid.Bool().Draw(t, "anticipated") {
			c.Anticipated = date.Draw(t, "anticipated date")
		}
		if rapid.IntRange(0, 3).Draw(t, "end") == 0 {
			c.End = date.Draw(t, "end date")
		}
		return c
	})
	for len(w.claims) < days {
		n := rapid.IntRange(1, 50).Draw(t, "days")
		list := claimList(rapid.SliceOfN(claim, 0, 3).Draw(t, "claims"))
		gone := rapid.IntRange(0, 5).Draw(t, "gone") == 0
		for range min(n, days-len(w.claims)) {
			w.claims, w.absent = append(w.claims, list), append(w.absent, gone)
		}
	}
	return w
}

// history is what is remembered of the world from a day on.
func (w *world) history(from, today index.Day) (list []Indication) {
	for d := from; d <= today; d++ {
		i := Indication{From: d, To: d, Present: !w.absent[d-w.begin]}
		if i.Present {
			i.Claims = w.claims[d-w.begin]
		}
		// What lasts is one indication, and may be several.
		if n := len(list); n > 0 && list[n-1].Present == i.Present && same(list[n-1].Claims, i.Claims) && d%17 != 0 {
			list[n-1].To = d
			continue
		}
		list = append(list, i)
	}
	return list
}

func same(a, b Claims) bool {
	x, _ := a.(claimList)
	y, _ := b.(claimList)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

// check is a check as it would have been answered.
func (w *world) check(ref string, made time.Time, known, on index.Day) Check {
	c := Check{Reference: ref, At: made, Place: rose, On: on, State: w.state(on, known), Basis: BasisClaims}
	if w.absent[known-w.begin] {
		c.Basis = "sector"
		return c
	}
	if fit, ok := w.claims[known-w.begin].Fit(on); ok && (c.State == index.Available || c.State == index.Planned) {
		c.From, c.Until = fit.Status.From, fit.Claim.End
	}
	return c
}

// The conclusions, day by day, with all that the database ever said at hand.

func (w *world) slowException(in *Input) string {
	if w.state(in.Installation, in.CheckDate) == index.Available {
		return api.LicenceDoesNotApply
	}
	for d := in.Installation + 1; d < in.CutOff; d++ {
		if w.state(d, in.CheckDate) == index.Available {
			return api.LicenceApplies
		}
	}
	return api.LicenceDoesNotApply
}

func (w *world) slowEnd(in *Input) (ended index.Day) {
	for d := in.Installation; d <= in.Today; d++ {
		if w.state(d, d) == index.Available {
			return d
		}
	}
	return 0
}

func (w *world) slowExpected(in *Input) index.Day {
	for d := max(in.Installation, in.Today+1); d < in.Today+far; d++ {
		if w.state(d, in.Today) == index.Available {
			return d
		}
	}
	return 0
}

func (w *world) slowIndicated(in *Input) bool {
	for k := in.Applicable - Window; k <= in.Applicable && k <= in.Today; k++ {
		if k >= w.begin && w.state(in.Applicable, k) == index.Available {
			return true
		}
	}
	return false
}

// What is concluded agrees with the twin where all is remembered; where it is
// not, nothing is concluded that is not so.
func TestConclusionsAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		last := w.begin + days - 1
		in := Input{Place: rose, Today: last, London: london}
		in.Installation = w.begin + index.Day(rapid.IntRange(0, days+20).Draw(t, "installation"))
		in.CutOff = w.begin + index.Day(rapid.IntRange(0, days+90).Draw(t, "cut-off"))
		in.CheckDate = w.begin + index.Day(rapid.IntRange(0, int(min(in.Installation, last)-w.begin)).Draw(t, "check"))
		in.Applicable = w.begin + index.Day(rapid.IntRange(0, days+60).Draw(t, "applicable"))
		in.HistoryFrom = w.begin
		whole := rapid.Bool().Draw(t, "all is remembered")
		if !whole {
			in.HistoryFrom += index.Day(rapid.IntRange(0, days-1).Draw(t, "history from"))
		}
		if in.Applicable-Window < w.begin {
			whole = false // 49.10 asks of days before there was anything
		}
		in.History = w.history(in.HistoryFrom, last)
		for range rapid.IntRange(0, 4).Draw(t, "checks") {
			known := w.begin + index.Day(rapid.IntRange(0, days-1).Draw(t, "check known"))
			y, m, d := known.Time().Date()
			made := time.Date(y, m, d, 0, 0, rapid.IntRange(0, 22*3600).Draw(t, "second"), 0, london).UTC()
			on := rapid.SampledFrom([]index.Day{known, in.Installation, in.Applicable, w.begin + 40}).Draw(t, "check on")
			in.Checks = append(in.Checks, w.check("R", made, known, on))
		}
		rules, checks := Evaluate(in)
		w.judge(t, &in, rules, whole)
		w.judgeChecks(t, &in, rules[2], checks)
	})
}

func (w *world) judge(t *rapid.T, in *Input, rules []api.LicenceRule, whole bool) {
	exception, end, duty := rules[0], rules[1], rules[2]
	if want := w.slowException(in); exception.Conclusion != want && (whole || exception.Conclusion != api.LicenceNotKnown) {
		t.Fatalf("49.8(c): %s, want %s: %+v", exception.Conclusion, want, exception)
	}
	ended := w.slowEnd(in)
	switch end.Conclusion {
	case api.LicenceDoesNotArise:
		if exception.Conclusion != api.LicenceDoesNotApply {
			t.Fatalf("49.9 does not arise, and 49.8(c) %s", exception.Conclusion)
		}
	case api.LicenceEnded:
		if end.Ended.V != 0 && end.Ended.V != ended || end.EndedBy.V != 0 && (ended == 0 || ended > end.EndedBy.V) || end.Ended.V+end.EndedBy.V == 0 {
			t.Fatalf("49.9: ended %v, by %v; it ended %v", end.Ended.V, end.EndedBy.V, ended)
		}
		if whole && end.Ended.V == 0 {
			t.Fatalf("49.9: ended by %v, with all remembered", end.EndedBy.V)
		}
	case api.LicenceHasNotEnded:
		if ended != 0 {
			t.Fatalf("49.9: has not ended; it ended %v", ended)
		}
	case api.LicenceNotKnown:
		if whole {
			t.Fatal("49.9: not known, with all remembered")
		}
	}
	if end.Conclusion == api.LicenceHasNotEnded || end.Conclusion == api.LicenceNotKnown {
		if want := w.slowExpected(in); end.Expected.V != want {
			t.Fatalf("49.9: expected %v, want %v", end.Expected.V, want)
		}
	}
	indicated := w.slowIndicated(in)
	switch duty.Conclusion {
	case api.LicenceIndicatedOnly:
		if !indicated {
			t.Fatal("49.10: indicated; it was not")
		}
	case api.LicenceNotIndicated, api.LicenceNotBegun:
		if indicated {
			t.Fatalf("49.10: %s; it was indicated", duty.Conclusion)
		}
	case api.LicenceNotKnown:
		if whole {
			t.Fatal("49.10: not known, with all remembered")
		}
	case api.LicenceAscertained:
		if !indicated {
			t.Fatal("49.10: ascertained; it was not even indicated")
		}
	default:
		t.Fatalf("49.10: %s", duty.Conclusion)
	}
}

// judgeChecks holds each check against what the database really said then.
func (w *world) judgeChecks(t *rapid.T, in *Input, duty api.LicenceRule, checks []api.LicenceCheck) {
	counted := false
	for i, c := range checks {
		known := c.Day.V
		within := known >= in.Applicable-Window && known <= in.Applicable
		truth := within && !w.absent[known-w.begin] && w.state(in.Applicable, known) == index.Available
		if c.Counts && !truth {
			t.Fatalf("check %d counts: %s", i, c.Text)
		}
		if truth && c.On.V == in.Applicable && !c.Counts {
			t.Fatalf("check %d does not count: %s", i, c.Text)
		}
		counted = counted || c.Counts
	}
	if counted != (duty.Conclusion == api.LicenceAscertained) {
		t.Fatalf("a check counts: %v, and 49.10 is %s", counted, duty.Conclusion)
	}
}

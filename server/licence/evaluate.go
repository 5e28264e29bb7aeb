package licence

import (
	"coverd/index"
	"coverd/server/api"
)

// Note is what every answer leaves to its reader.
const Note = "This is what the database and the checks on record show. Whether 49.8(a) or (b) applies, which day is the Applicable Date, and what the licensee must do are for the licensee to say."

// Evaluate reads 49.8(c), 49.9 and 49.10 against an input, and says of each check
// whether it counts.
func Evaluate(input Input) (rules []api.LicenceRule, checks []api.LicenceCheck) {
	in := input.sorted()
	c := in.exception()
	return []api.LicenceRule{c, in.end(c.Conclusion), in.duty()}, in.checked()
}

// exception is 49.8(c).
func (in *Input) exception() (r api.LicenceRule) {
	r.Rule = "49.8(c)"
	r.Asks = "Does the database indicate that the SM WAN is not available on the Installation Date, and will be on a later date before the cut-off?"
	r.Working = append(r.Working, api.LicenceStep{
		Text: "The Installation Date is " + dateText(in.Installation) + ", the cut-off date " + dateText(in.CutOff) + "; the database is read as it was on " + dateText(in.CheckDate) + ".",
		On:   api.Some(in.Installation), Known: api.Some(in.CheckDate),
	})
	conclude := func(conclusion, reason, text string) api.LicenceRule {
		r.Conclusion, r.Reason, r.Text = conclusion, reason, text
		return r
	}
	if in.Installation >= in.CutOff {
		return conclude(api.LicenceDoesNotApply, api.ReasonAfterCutOff, "The exception does not apply: the Installation Date is not before the cut-off date, so that no later date is.")
	}
	s, step, ok := in.read(in.CheckDate, in.Installation)
	r.Working = append(r.Working, step)
	switch {
	case !ok && in.HistoryFrom == 0:
		return conclude(api.LicenceNotKnown, api.ReasonNoHistoryOfPlace, "It is not known: no premises is known at the location, and of a location the database remembers nothing.")
	case !ok:
		return conclude(api.LicenceNotKnown, api.ReasonBeforeHistory, "It is not known: what the database indicated on "+dateText(in.CheckDate)+" is not remembered, and no check on record tells.")
	case !s.present:
		return conclude(api.LicenceDoesNotApply, api.ReasonNoSuchPremises, "The exception does not apply: the database knew no such premises, and so indicated no date on which the SM WAN will be available.")
	}
	switch s.state {
	case index.Available:
		return conclude(api.LicenceDoesNotApply, api.ReasonAvailable, "The exception does not apply: the SM WAN was indicated to be available on the Installation Date.")
	case index.Planned:
		if s.from < in.CutOff {
			return conclude(api.LicenceApplies, api.ReasonBeforeCutOff, "The exception applies: "+dateText(s.from)+" is after the Installation Date and before the cut-off date.")
		}
		return conclude(api.LicenceDoesNotApply, api.ReasonNotBeforeCutOff, "The exception does not apply: "+dateText(s.from)+" is not before the cut-off date.")
	case index.Unavailable:
		return conclude(api.LicenceDoesNotApply, api.ReasonNoDate, "The exception does not apply: no date was indicated from which the SM WAN will be available.")
	default:
		return conclude(api.LicenceDoesNotApply, api.ReasonNoClaim, "The exception does not apply: the database said neither yes nor no, and indicated no date.")
	}
}

// read is what the database said of a day on a known day: by what is remembered,
// or else by a check that was made then.
func (in *Input) read(known, on index.Day) (s said, step api.LicenceStep, ok bool) {
	step.Known, step.On = api.Some(known), api.Some(on)
	if i, remembered := in.at(known); remembered {
		s = i.about(on)
		step.Snapshot = i.Snapshot
		step.Text = "On " + dateText(known) + " the database " + s.indicated(on) + "."
		s.fill(&step)
		return s, step, true
	}
	if c, told, found := in.checkOn(known, on); found {
		step.Check, step.Snapshot = c.Reference, c.Snapshot
		step.Text = "On " + dateText(known) + ", as check " + c.Reference + " shows, the database " + told.indicated(on) + "."
		told.fill(&step)
		return told, step, true
	}
	step.Text = in.forgotten(known, known)
	return said{}, step, false
}

// end is 49.9, after what became of 49.8(c).
func (in *Input) end(exception string) (r api.LicenceRule) {
	r.Rule = "49.9"
	r.Asks = "From which day, if any, does the database show that the SM WAN is available, so that the exception has ended?"
	r.Working = []api.LicenceStep{}
	lead := "The exception"
	switch exception {
	case api.LicenceDoesNotApply:
		r.Conclusion, r.Reason, r.Text = api.LicenceDoesNotArise, api.ReasonNoException, "There is no exception to end: 49.8(c) does not apply."
		return r
	case api.LicenceNotKnown:
		lead = "The exception, if there was one,"
	}
	if in.Installation > in.Today {
		r.Conclusion, r.Reason = api.LicenceHasNotEnded, api.ReasonInstallationAhead
		r.Text = lead + " has not begun: the Installation Date lies ahead."
		in.expect(&r, in.Installation)
		return r
	}
	gap := in.gap(in.Installation, in.Today)
	if gap != nil {
		r.Working = append(r.Working, *gap)
	}
	ended, found := in.shown(&r)
	byCheck, step := in.shownByCheck()
	if step != nil {
		ended, found = byCheck, true
		r.Working = append(r.Working, *step)
	}
	switch {
	case found && gap == nil:
		r.Conclusion, r.Ended = api.LicenceEnded, api.Some(ended)
		r.Text = lead + " has ended on " + dateText(ended) + ", the first day from the Installation Date on that the database showed to be covered."
	case found:
		r.Conclusion, r.Reason, r.EndedBy = api.LicenceEnded, api.ReasonPartlyNotRemembered, api.Some(ended)
		r.Text = lead + " has ended, on " + dateText(ended) + " at the latest; whether before that is not known."
	case gap != nil:
		r.Conclusion, r.Reason = api.LicenceNotKnown, api.ReasonPartlyNotRemembered
		r.Text = "It is not known whether " + lowerFirst(lead) + " has ended: nothing that is remembered shows it, and not all is."
		in.expect(&r, in.Today+1)
	default:
		r.Conclusion = api.LicenceHasNotEnded
		r.Text = lead + " has not ended: up to " + dateText(in.Today) + " no day was shown to be covered when it came."
		in.expect(&r, in.Today+1)
	}
	return r
}

// gap is the step that says which of some known days are not remembered; nil
// where all are.
func (in *Input) gap(from, to index.Day) *api.LicenceStep {
	if in.HistoryFrom != 0 && from >= in.HistoryFrom {
		return nil
	}
	if in.HistoryFrom != 0 {
		to = min(to, in.HistoryFrom-1)
	}
	return &api.LicenceStep{Known: api.Some(from), KnownTo: api.Some(to), Text: in.forgotten(from, to)}
}

// shown goes through what is remembered from the Installation Date on, for the
// first day that was shown to be covered when it came.
func (in *Input) shown(r *api.LicenceRule) (day index.Day, ok bool) {
	for _, i := range in.History {
		from := max(i.From, in.Installation)
		if from > i.To {
			continue
		}
		first, ok := i.firstAvailable(from)
		ok = ok && first <= i.To
		on := from
		if ok {
			on = first
		}
		s := i.about(on)
		step := api.LicenceStep{Known: api.Some(from), KnownTo: api.Some(i.To), On: api.Some(on), Snapshot: i.Snapshot}
		s.fill(&step)
		if ok {
			step.Known, step.KnownTo = api.Some(on), api.Date{}
			step.Text = "On " + dateText(on) + " the database " + s.indicated(on) + "."
		} else {
			step.Text = betweenText(from, i.To) + " the database " + s.indicated(on) + "; on none of these days did it show that day to be covered."
			if from == i.To {
				step.KnownTo = api.Date{}
				step.Text = "On " + dateText(from) + " the database " + s.indicated(on) + "."
			}
		}
		r.Working = append(r.Working, step)
		if ok {
			return first, true
		}
	}
	return 0, false
}

// shownByCheck looks among the checks for such a day that is not remembered: it
// is before all that are.
func (in *Input) shownByCheck() (index.Day, *api.LicenceStep) {
	for i := range in.Checks {
		c := &in.Checks[i]
		day := in.day(c.At)
		if day < in.Installation || day > in.Today || in.usable(c) != "" {
			continue
		}
		if _, remembered := in.at(day); remembered {
			continue
		}
		if told, ok := in.tells(c, day); ok && told.state == index.Available {
			step := &api.LicenceStep{
				Known: api.Some(day), On: api.Some(day), Snapshot: c.Snapshot, Check: c.Reference,
				Text: "On " + dateText(day) + ", as check " + c.Reference + " shows, the database " + told.indicated(day) + ".",
			}
			told.fill(step)
			return day, step
		}
	}
	return 0, nil
}

// expect adds to an exception that has not ended when it will, as the database
// reads now.
func (in *Input) expect(r *api.LicenceRule, from index.Day) {
	i, ok := in.at(in.Today)
	if !ok {
		return
	}
	s := i.about(from)
	step := api.LicenceStep{Known: api.Some(in.Today), On: api.Some(from), Snapshot: i.Snapshot, Text: "Today, on " + dateText(in.Today) + ", the database " + s.indicated(from) + "."}
	s.fill(&step)
	r.Working = append(r.Working, step)
	if first, ok := i.firstAvailable(from); ok {
		r.Expected = api.Some(first)
		r.Text += " As the database reads now, it would end on " + dateText(first) + "; a plan may move."
		return
	}
	r.Text += " The database gives no date on which it would."
}

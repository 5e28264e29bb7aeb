package licence

import (
	"coverd/index"
	"coverd/server/api"
)

// duty is 49.10.
func (in *Input) duty() (r api.LicenceRule) {
	r.Rule = "49.10"
	r.Asks = "Has the licensee ascertained, on any of the 30 days before the Applicable Date, that the database indicates that the SM WAN is available on that date?"
	r.Working = []api.LicenceStep{}
	if in.Applicable == 0 {
		r.Conclusion, r.Text = api.LicenceNoApplicableDate, "No Applicable Date was stated, and it is the licensee's to state."
		return r
	}
	from, to := in.Applicable-Window, in.Applicable
	r.WindowFrom, r.WindowTo = api.Some(from), api.Some(to)
	r.Working = append(r.Working, api.LicenceStep{
		Text: "The Applicable Date is " + dateText(to) + "; the 30 days before it, and itself, begin on " + dateText(from) + ".",
		On:   api.Some(to), Known: api.Some(from), KnownTo: api.Some(to),
	})
	ascertained := in.recorded(&r)
	if ascertained != nil {
		r.Conclusion = api.LicenceAscertained
		r.Text = "The licensee has ascertained, on " + dateText(in.day(ascertained.At)) + ", that the database indicates availability on the Applicable Date: it is not relieved."
		return r
	}
	if from > in.Today {
		r.Conclusion, r.Text = api.LicenceNotBegun, "The 30 days have not begun: they run from "+dateText(from)+"."
		return r
	}
	last := min(to, in.Today)
	gap := in.gap(from, last)
	if gap != nil {
		r.Working = append(r.Working, *gap)
	}
	indicated := in.indications(&r, from, last)
	if in.Unread != "" {
		r.Working = append(r.Working, api.LicenceStep{Text: "The record of checks cannot be read: " + in.Unread + "."})
		r.Conclusion, r.Text = api.LicenceChecksUnavailable, "It is not known whether the licensee has ascertained it: the record of checks cannot be read."
		return r
	}
	switch {
	case indicated:
		r.Conclusion = api.LicenceIndicatedOnly
		r.Text = "The database indicated availability on the Applicable Date, and no check on record shows that the licensee ascertained it: on the record it need not act."
	case gap != nil:
		r.Conclusion, r.Reason = api.LicenceNotKnown, api.ReasonPartlyNotRemembered
		r.Text = "No check on record shows that the licensee ascertained it: on the record it need not act. Whether the database indicated it is not known for all of the days."
	default:
		r.Conclusion = api.LicenceNotIndicated
		r.Text = "The database did not indicate availability on the Applicable Date, and no check shows it: the licensee need not act."
	}
	if last < to {
		if r.Reason == "" {
			r.Reason = api.ReasonWindowStillOpen
		}
		r.Text += " This is so up to " + dateText(last) + "; the days run on until " + dateText(to) + "."
	}
	return r
}

// recorded adds the checks that were made on the 30 days, and returns the first
// that counts.
func (in *Input) recorded(r *api.LicenceRule) (first *Check) {
	for i := range in.Checks {
		c := &in.Checks[i]
		day := in.day(c.At)
		if day < in.Applicable-Window || day > in.Applicable {
			continue
		}
		yes, why := in.counts(c)
		r.Working = append(r.Working, api.LicenceStep{
			Text:  "Check " + c.Reference + " of " + dateText(day) + ", about " + dateText(c.On) + ". " + why,
			Known: api.Some(day), On: api.Some(c.On), Snapshot: c.Snapshot, Check: c.Reference,
		})
		if yes && first == nil {
			first = c
		}
	}
	if first == nil {
		r.Working = append(r.Working, api.LicenceStep{Text: "No check on record, made on one of these days, shows the SM WAN to be available on the Applicable Date."})
	}
	return first
}

// indications adds what the database said of the Applicable Date on known days,
// and reports whether it ever was that it is covered.
func (in *Input) indications(r *api.LicenceRule, from, to index.Day) (indicated bool) {
	for _, i := range in.History {
		first, last := max(i.From, from), min(i.To, to)
		if first > last {
			continue
		}
		s := i.about(in.Applicable)
		step := api.LicenceStep{
			Text:  betweenText(first, last) + " the database " + s.indicated(in.Applicable) + ".",
			Known: api.Some(first), KnownTo: api.Some(last), On: api.Some(in.Applicable), Snapshot: i.Snapshot,
		}
		s.fill(&step)
		r.Working = append(r.Working, step)
		indicated = indicated || s.state == index.Available
	}
	return indicated
}

package licence

import (
	"cmp"
	"slices"
	"time"

	"coverd/index"
	"coverd/server/api"
)

// covers reports whether a check was about the place.
func (in *Input) covers(c *Check) bool {
	p, q := &in.Place, &c.Place
	switch {
	case q.UPRN != 0:
		return q.UPRN == p.UPRN
	case q.Postcode.IsValid():
		return q.Postcode == p.Postcode && (q.Address == "" || index.FoldAddress(q.Address) == index.FoldAddress(p.Address))
	}
	return q.Location.IsValid() && q.Location == p.Location
}

// usable says why a check cannot be held against any day of the place: "" where
// it can.
func (in *Input) usable(c *Check) (why string) {
	switch {
	case !in.covers(c):
		return "it was about another place: " + placeText(&c.Place)
	case c.Basis != BasisClaims && c.Basis != BasisArea:
		return "its answer was an estimate (" + estimateText(c.Basis) + "), which is not what the database says of the place"
	case c.Known != 0 && c.Known != in.day(c.At):
		return "it read the database as it was on " + dateText(c.Known) + ", not as it was on the day of the check"
	}
	return ""
}

// ofPostcode reports whether a check was about all premises of a postcode.
func (c *Check) ofPostcode() bool {
	return c.Place.UPRN == 0 && c.Place.Postcode.IsValid() && c.Place.Address == ""
}

// tells is what a check that is usable told of a day; ok is false where it did
// not. One about a single network region tells only where there is coverage: of
// the others it says nothing.
func (in *Input) tells(c *Check, on index.Day) (s said, ok bool) {
	s, ok = in.told(c, on)
	return s, ok && (c.Network == "" || c.State == 0 || s.state == index.Available)
}

func (in *Input) told(c *Check, on index.Day) (s said, ok bool) {
	s = said{present: true, state: c.State, from: c.From, until: c.Until}
	if c.ofPostcode() {
		// It tells of this premises if that was there; what, if they differ, is what
		// its snapshot held of it, from its as-of day on.
		i, known := in.at(cmp.Or(c.AsOf, in.day(c.At)))
		if !known || !i.Present {
			return said{}, false
		}
		if c.State == 0 {
			return i.about(on), true
		}
	}
	switch {
	case c.State == 0:
	case c.Until != 0 && c.Until < c.From: // a plan that ends before it begins hides any other
	case on == c.On:
		return s, true
	case c.State != index.Available && c.State != index.Planned:
	case c.Until != 0 && c.Until < on:
	case c.From > on: // a plan, and the day lies before it
		s.state = index.Planned
		return s, on > c.On && c.State == index.Planned
	case c.From == 0 && c.State == index.Planned:
	default:
		s.state = index.Available
		return s, true
	}
	return said{}, false
}

// counts says whether a check is one that 49.10 asks for, and why.
func (in *Input) counts(c *Check) (yes bool, why string) {
	day := in.day(c.At)
	if why := in.usable(c); why != "" {
		return false, "It does not count: " + why + "."
	}
	if in.Applicable == 0 {
		return false, "There is no Applicable Date to hold it against."
	}
	switch {
	case day < in.Applicable-Window:
		return false, "It does not count: " + dateText(day) + " is " + daysText(int(in.Applicable-day)) + " before the Applicable Date, more than 30."
	case day > in.Applicable:
		return false, "It does not count: it was made after the Applicable Date."
	}
	told, ok := in.tells(c, in.Applicable)
	switch {
	case !ok && c.ofPostcode():
		return false, "It does not count: it was about all premises of the postcode, and nothing that is remembered shows this one to have been among them."
	case !ok && c.Network != "":
		return false, "It does not count: it was about the network region " + c.Network + " alone, and shows no coverage there on " + dateText(in.Applicable) + "."
	case !ok:
		return false, "It does not count: it was about " + dateText(c.On) + ", and does not tell of " + dateText(in.Applicable) + "."
	case told.state != index.Available:
		return false, "It does not count: it showed that the SM WAN " + told.text(in.Applicable, false) + "."
	case day == in.Applicable:
		return true, "It counts: it was made on the Applicable Date itself, which is taken to be one of the days, and showed that the SM WAN " + told.text(in.Applicable, false) + "."
	}
	return true, "It counts: it was made " + daysText(int(in.Applicable-day)) + " before the Applicable Date, and showed that the SM WAN " + told.text(in.Applicable, false) + "."
}

// checked lists the checks, oldest first, with what becomes of each.
func (in *Input) checked() []api.LicenceCheck {
	list := []api.LicenceCheck{}
	for i := range in.Checks {
		c := &in.Checks[i]
		yes, why := in.counts(c)
		out := api.LicenceCheck{
			Reference: c.Reference, At: c.At.In(in.London).Format(time.RFC3339), Day: api.Some(in.day(c.At)), On: api.Some(c.On),
			From: api.Some(c.From), Until: api.Some(c.Until), Basis: api.Text(c.Basis), Snapshot: c.Snapshot, Counts: yes, Text: why,
		}
		if c.State != 0 {
			out.State = api.Text(c.State.String())
		}
		list = append(list, out)
	}
	return list
}

// sorted returns the input with its checks oldest first, and by their references
// where that is the same.
func (in Input) sorted() *Input {
	in.Checks = slices.Clone(in.Checks)
	slices.SortStableFunc(in.Checks, func(a, b Check) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Reference, b.Reference)) })
	return &in
}

// checkOn is the last usable check of a known day that tells of another, if there
// is one.
func (in *Input) checkOn(known, on index.Day) (c *Check, told said, ok bool) {
	for i := range in.Checks {
		if c := &in.Checks[len(in.Checks)-1-i]; in.day(c.At) == known && in.usable(c) == "" {
			if told, ok := in.tells(c, on); ok {
				return c, told, true
			}
		}
	}
	return nil, said{}, false
}

// LastCheck is the day of the last check about the place up to a day, or else
// that day.
func (in *Input) LastCheck(until index.Day) index.Day {
	last := index.Day(0)
	for i := range in.Checks {
		if day := in.day(in.Checks[i].At); day <= until && day > last && in.usable(&in.Checks[i]) == "" {
			last = day
		}
	}
	return cmp.Or(last, until)
}

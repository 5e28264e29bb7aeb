package licence

import (
	"strconv"
	"strings"

	"coverd/index"
	"coverd/server/api"
)

// dateText writes a day as letters do: 24 December 2026.
func dateText(d index.Day) string { return d.Time().Format("2 January 2006") }

func betweenText(from, to index.Day) string {
	if from == to {
		return "On " + dateText(from)
	}
	return "From " + dateText(from) + " to " + dateText(to)
}

func daysText(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// indicated is what follows "the database".
func (s said) indicated(on index.Day) string {
	switch {
	case !s.present:
		return "knew no such premises"
	case s.state == index.Unknown:
		return "held no claim that says yes or no of " + dateText(on)
	}
	return "indicated that the SM WAN " + s.text(on, true)
}

// text is what follows "the SM WAN": with plan, what is to come too.
func (s said) text(on index.Day, plan bool) string {
	var b strings.Builder
	switch s.state {
	case index.Available:
		b.WriteString("is available on " + dateText(on))
		switch s.from {
		case 0:
		case on:
			b.WriteString(", the first day of coverage")
		default:
			b.WriteString(", from " + dateText(s.from) + " on")
		}
	case index.Planned:
		b.WriteString("is not available on " + dateText(on))
		if !plan {
			return b.String()
		}
		b.WriteString(", and will be from " + dateText(s.from) + " on")
	case index.Unavailable:
		b.WriteString("is not available on " + dateText(on))
		if plan {
			b.WriteString(", and gave no date from which it will be")
		}
		return b.String()
	default:
		return "was not known to be available on " + dateText(on)
	}
	if s.until != 0 {
		b.WriteString(", up to " + dateText(s.until))
	}
	return b.String()
}

// fill puts it into a step as data.
func (s said) fill(step *api.LicenceStep) {
	if s.present {
		step.State, step.From, step.Until = s.state.String(), api.Some(s.from), api.Some(s.until)
	}
}

// forgotten says that some known days are not remembered.
func (in *Input) forgotten(from, to index.Day) string {
	if in.HistoryFrom == 0 {
		return "What the database said of the location is not remembered: no premises is known there."
	}
	if from > in.Today {
		return "What the database will say on " + dateText(from) + " is not known: today is " + dateText(in.Today) + "."
	}
	return "What the database said " + lowerFirst(betweenText(from, to)) + " is not remembered: its history begins on " + dateText(in.HistoryFrom) + "."
}

func placeText(p *Place) string {
	var words []string
	if p.UPRN != 0 {
		words = append(words, "UPRN "+p.UPRN.String())
	}
	if p.Address != "" {
		words = append(words, p.Address)
	}
	if p.Postcode.IsValid() {
		words = append(words, p.Postcode.String())
	}
	if len(words) == 0 && p.Location.IsValid() {
		l := p.Location.LatLng()
		words = append(words, strconv.FormatFloat(l.Lat, 'f', 6, 64)+", "+strconv.FormatFloat(l.Lng, 'f', 6, 64))
	}
	if len(words) == 0 {
		return "one that it does not name"
	}
	return strings.Join(words, ", ")
}

func estimateText(basis string) string {
	if basis == "" {
		return "by nothing"
	}
	return "by " + strings.ReplaceAll(basis, "_", " ")
}

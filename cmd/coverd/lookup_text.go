package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"coverd/server/api"
)

// answerText writes the answer to a key for people: the body of the HTTP
// answer, decoded, so that nothing can be said here that is not said there.
func answerText(w io.Writer, k key, status int, body []byte) error {
	t := &text{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.StripEscape)}
	var err error
	switch {
	case status != http.StatusOK:
		err = decode(body, func(p *api.Problem) { t.problem(k, p) })
	case k.kind == keyPostcode:
		err = decode(body, t.postcode)
	case k.kind == keyUPRN:
		err = decode(body, t.premises)
	case k.kind == keyOutcode || k.kind == keySector:
		err = decode(body, t.place)
	default:
		err = decode(body, t.location)
	}
	if err != nil {
		return err
	}
	return t.w.Flush()
}

// decode reads a body and hands it to what writes it.
func decode[T any](body []byte, write func(*T)) error {
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return err
	}
	write(v)
	return nil
}

// text writes answers as lines and tables.
type text struct{ w *tabwriter.Writer }

func (t *text) line(format string, args ...any) { fmt.Fprintf(t.w, format+"\n", args...) }

func (t *text) postcode(a *api.PostcodeAnswer) {
	t.line("%v: %s, %s", a.Query.Postcode, t.registered(&a.Postcode), regionText(&a.Region))
	if a.Outcome == api.NoPremisesFound {
		t.absence(a.Reason, a.Estimate, a.NextStep)
		for _, c := range a.Candidates {
			t.line("candidate\t%s", c)
		}
	} else {
		if grade := a.AddressMatch.Grade; grade != "" {
			t.line("address %q: %s match", string(a.Query.Address), grade)
		}
		t.line("%s on %v%s", summaryText(&a.Summary), a.Query.On.V, knownText(a.Query.Known))
		t.table(a.Premises)
	}
	t.snapshot(a.Snapshot)
}

// knownText says which day the answer was given on, unless that is today.
func knownText(known api.Date) string {
	if known.V == 0 {
		return ""
	}
	return ", as known on " + known.V.String()
}

func (t *text) premises(a *api.PremisesAnswer) {
	place := "in no postcode"
	if a.Postcode != nil {
		place = fmt.Sprintf("in %v (%s)", a.Postcode.Postcode, t.registered(a.Postcode))
	}
	t.line("UPRN %v: %s, %s", a.UPRN.V, place, regionText(&api.Region{Name: a.Region, Basis: a.RegionBasis, BorderDistance: -1}))
	t.line("%s on %v%s", a.State, a.Query.On.V, knownText(a.Query.Known))
	t.table([]api.Premises{a.Premises})
	for _, n := range a.Networks {
		t.line("%s says\t%s", n.CSP, networkText(&n))
	}
	t.snapshot(a.Snapshot)
}

func (t *text) place(a *api.PlaceAnswer) {
	name := a.Query.Outcode.V.String()
	if a.Query.Sector.V.IsValid() {
		name = a.Query.Sector.V.String()
	}
	t.line("%s: %s, %s of them in no extract", name,
		plural(int64(a.Postcodes.Live), "live postcode", "live postcodes"), countText(int64(a.Postcodes.NotInExtracts)))
	if a.Outcome == api.NoPremisesFound {
		t.absence(a.Reason, a.Estimate, a.NextStep)
	} else {
		t.line("%s on %v", summaryText(&a.Summary), a.Query.On.V)
		for _, c := range []struct {
			name   string
			counts api.Counts
		}{{"Regions", a.Regions}, {"networks", a.NetworkRegions}, {"technologies", a.Technologies}, {"variants", a.Variants}} {
			if text := countsText(c.counts); text != "" {
				t.line("%s\t%s", c.name, text)
			}
		}
	}
	t.inside(a)
	t.snapshot(a.Snapshot)
}

// inside lists the sectors of an outcode, the postcodes of a sector.
func (t *text) inside(a *api.PlaceAnswer) {
	if len(a.Inside) == 0 {
		return
	}
	t.line("\nINSIDE\tREGION\tPREMISES\tAVAILABLE\tPLANNED\tUNAVAILABLE\tUNKNOWN")
	for _, i := range a.Inside {
		name := i.Sector.V.String()
		if i.Postcode.V.IsValid() {
			name = i.Postcode.V.String()
		}
		s := i.Summary
		t.line("%s\t%s\t%d\t%d\t%d\t%d\t%d", name, orNone(i.Region), s.Premises, s.Available, s.Planned, s.Unavailable, s.Unknown)
	}
	if a.Next != "" {
		t.line("and more")
	}
	t.line("")
}

func (t *text) location(a *api.LocationAnswer) {
	l := a.Location
	t.line("%.6f, %.6f (%d %d, %s): %s", l.Latitude, l.Longitude, l.Easting, l.Northing, l.GridReference, regionText(&a.Region))
	t.estimate("coverage", &a.Coverage)
	for _, area := range a.Areas {
		t.line("area\t%s, %s: %s", area.CSP, area.NetworkRegion, claimText(stateText(area.State, area.Overdue), area.From, area.WANVariant, area.AuxiliaryEquipment, ""))
	}
	if len(a.NearestPremises) > 0 {
		t.line("\nNEAREST PREMISES\tUPRN\tPOSTCODE\tADDRESS\tSTATE")
		for _, p := range a.NearestPremises {
			t.line("%.1f m\t%s\t%s\t%s\t%s", p.Distance, dash(p.UPRN.V.String()), dash(p.Postcode.V.String()), dash(string(p.AddressIdentifier)), p.State)
		}
	}
	if len(a.NearestPostcodes) > 0 {
		t.line("\nNEAREST POSTCODES")
		for _, p := range a.NearestPostcodes {
			t.line("%.1f m\t%s", p.Distance, p.Postcode.V)
		}
	}
	t.line("")
	t.nextStep(a.NextStep)
	t.snapshot(a.Snapshot)
}

// table lists premises, one a line.
func (t *text) table(list []api.Premises) {
	t.line("\nADDRESS\tUPRN\tSTATE\tFROM\tNETWORK\tVARIANT\tAUXILIARY\tWHY")
	for _, p := range list {
		fit := p.Fit
		if fit == nil {
			fit = &api.Fit{Reason: "no claim counts"}
		}
		why := fit.Reason
		if p.Conflict {
			why += "; rows contradicted each other"
		}
		t.line("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", dash(string(p.AddressIdentifier)), dash(p.UPRN.V.String()), p.State, dash(fit.From.V.String()),
			dash(fit.NetworkRegion), dash(string(fit.WANVariant)), dash(string(fit.AuxiliaryEquipment)), why)
	}
	t.line("")
}

// absence tells why no premises was found, what may be expected, and what to
// do.
func (t *text) absence(reason string, e *api.Estimate, n *api.NextStep) {
	t.line("no premises found\t%s", strings.ReplaceAll(reason, "_", " "))
	if e != nil {
		t.estimate("estimate", e)
	}
	t.nextStep(n)
}

// nextStep tells what to do, and with what, where there is something.
func (t *text) nextStep(n *api.NextStep) {
	if n == nil {
		return
	}
	t.line("next step\t%s", n.Text)
	if b := n.Body; !b.Latitude.IsZero() {
		t.line("\tlatitude %.6f, longitude %.6f", b.Latitude, b.Longitude)
	}
	if len(n.Needs) > 0 {
		t.line("\tit needs %s", strings.Join(n.Needs, " and "))
	}
}

func (t *text) estimate(label string, e *api.Estimate) {
	basis := "nothing to go by"
	if e.Basis != "" {
		basis = fmt.Sprintf("basis %s, %s", strings.ReplaceAll(string(e.Basis), "_", " "), plural(int64(e.Premises), "premises", "premises"))
		if e.Distance >= 0 {
			basis += fmt.Sprintf(", the nearest %.1f m away", float64(e.Distance))
		}
	}
	t.line("%s\t%s, confidence %v (%s)", label, e.State, e.Confidence, basis)
	if f := e.Fit; f != nil {
		t.line("hub\t%s: %s", claimText(f.NetworkRegion, f.From, f.WANVariant, f.AuxiliaryEquipment, ""), f.Reason)
	}
	for _, n := range e.Networks {
		s := spreadText(n.State)
		if from := spreadText(n.From); from != "" {
			s += " from " + from
		}
		if likelihood := spreadText(n.ConnectivityLikelihood); likelihood != "" {
			s += ", likelihood " + likelihood
		}
		t.line("%s\t%s", n.NetworkRegion, s)
	}
}

func (t *text) snapshot(s api.SnapshotRef) {
	t.line("snapshot %.12s as of %v", s.ID, s.AsOf.V)
}

func (t *text) problem(k key, p *api.Problem) {
	t.line("%s: %s: %s", k.text(), strings.ReplaceAll(p.Code, "_", " "), cmp.Or(p.Detail, p.Title))
	if p.Hint != "" {
		t.line("hint\t%s", p.Hint)
	}
	for _, s := range p.Suggestions {
		t.line("did you mean\t%s (%s)", s.Text, s.Reason)
	}
}

// registered tells what the register says of a postcode.
func (t *text) registered(p *api.Postcode) string {
	switch p.Status {
	case "live":
		if p.Introduced.V != 0 {
			return "live since " + p.Introduced.V.String()
		}
	case "terminated":
		if b := p.TerminatedBetween; b != (api.Between{}) {
			return fmt.Sprintf("terminated between %v and %v", b.After.V, b.By.V)
		}
		return "terminated " + p.Terminated.V.String()
	}
	return strings.ReplaceAll(p.Status, "_", " ")
}

// regionText writes a Region allocation and what it rests on.
func regionText(r *api.Region) string {
	if r.Name == "" {
		return "no Region"
	}
	s := fmt.Sprintf("Region %s (%s", r.Name, r.Basis)
	if r.BorderDistance >= 0 {
		s += fmt.Sprintf(", %.1f m from the border", float64(r.BorderDistance))
	}
	return s + ")"
}

// summaryText writes a summary without its zeros.
func summaryText(s *api.Summary) string {
	var parts []string
	for _, c := range []struct {
		n     int
		state string
	}{{s.Available, "available"}, {s.Planned, "planned"}, {s.Unavailable, "unavailable"}, {s.Unknown, "unknown"}} {
		if c.n > 0 {
			parts = append(parts, countText(int64(c.n))+" "+c.state)
		}
	}
	return countText(int64(s.Premises)) + " premises: " + strings.Join(parts, ", ")
}

// networkText writes one claim of a premises.
func networkText(n *api.Network) string {
	s := n.NetworkRegion + ": " + claimText(stateText(n.State, n.Overdue), n.AnticipatedCoverageDate, n.WANVariant, n.AuxiliaryEquipment, n.ConnectivityLikelihood)
	if n.CoverageEndDate.V != 0 {
		s += ", until " + n.CoverageEndDate.V.String()
	}
	if n.ClaimSource == api.ClaimSourceArea {
		s += ", of the coverage area around it"
	}
	if n.AdditionalInformation != "" {
		s += ", " + fmt.Sprintf("%q", string(n.AdditionalInformation))
	}
	if n.AsOf.V == 0 { // of a claim in the past, whose day is not remembered
		return s
	}
	return s + fmt.Sprintf(" (as of %v)", n.AsOf.V)
}

// stateText writes the state of a claim.
func stateText(state string, overdue bool) string {
	if overdue {
		return state + " (overdue)"
	}
	return state
}

// claimText joins what there is of a claim.
func claimText(head string, from api.Date, variant, auxiliary, likelihood api.Text) string {
	if from.V != 0 {
		head += " from " + from.V.String()
	}
	if variant != "" {
		head += ", " + string(variant)
	}
	if auxiliary != "" {
		head += ", " + string(auxiliary)
	}
	if likelihood != "" {
		head += ", " + string(likelihood) + " likelihood"
	}
	return head
}

// countsText writes counts by name: South 1,204, North 3.
func countsText(c api.Counts) string {
	parts := make([]string, len(c))
	for i, n := range c {
		parts[i] = n.Name + " " + countText(int64(n.N))
	}
	return strings.Join(parts, ", ")
}

// spreadText writes a distribution: the value where all agree, else each with
// the premises that have it: High ×7, Medium ×1.
func spreadText(s api.Spread) string {
	if len(s) == 1 {
		return s[0].Name
	}
	parts := make([]string, len(s))
	for i, n := range s {
		parts[i] = cmp.Or(n.Name, "none") + " ×" + countText(int64(n.N))
	}
	return strings.Join(parts, ", ")
}

func orNone(s api.Text) string { return dash(string(s)) }

func dash(s string) string { return cmp.Or(s, "-") }

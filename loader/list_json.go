package loader

import (
	"strconv"

	"coverd/geo"
	"coverd/index"
)

// What a list tells of a premises as JSON: an element of `premises` in the
// answer about its postcode, with the postcode in front. A test of the command
// holds the one to the other.
type (
	listPremises struct {
		Region      *string       `json:"region"`
		RegionBasis *string       `json:"region_basis"`
		State       string        `json:"state"`
		Conflict    bool          `json:"conflict,omitempty"`
		Fit         *listFit      `json:"fit"`
		Networks    []listNetwork `json:"networks"`
	}
	listFit struct {
		NetworkRegion      string  `json:"network_region"`
		WANVariant         *string `json:"wan_variant"`
		AuxiliaryEquipment *string `json:"auxiliary_equipment"`
		From               *string `json:"from"`
		Reason             string  `json:"reason"`
	}
	listNetwork struct {
		NetworkRegion           string  `json:"network_region"`
		State                   string  `json:"state"`
		Overdue                 bool    `json:"overdue,omitempty"`
		ClaimSource             string  `json:"claim_source,omitempty"`
		WANTechnology           *string `json:"wan_technology"`
		WANVariant              *string `json:"wan_variant"`
		ConnectivityLikelihood  *string `json:"connectivity_likelihood"`
		AuxiliaryEquipment      *string `json:"auxiliary_equipment"`
		AnticipatedCoverageDate *string `json:"anticipated_coverage_date"`
		CoverageEndDate         *string `json:"coverage_end_date"`
		AdditionalInformation   *string `json:"additional_information"`
		CSP                     string  `json:"csp"`
		AsOf                    *string `json:"as_of"`
	}
	// listPoint is flat, as maps want it.
	listPoint struct {
		Region           *string `json:"region"`
		RegionBasis      *string `json:"region_basis"`
		State            string  `json:"state"`
		Conflict         bool    `json:"conflict"`
		FitNetworkRegion *string `json:"fit_network_region"`
		FitVariant       *string `json:"fit_wan_variant"`
		FitAuxiliary     *string `json:"fit_auxiliary_equipment"`
		FitFrom          *string `json:"fit_from"`
		FitReason        *string `json:"fit_reason"`
		NetworkRegions   string  `json:"network_regions"` // those with a claim
	}
)

// orNull is a text, or null for an empty one.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// marshalRest is the inside of a JSON object that follows other fields.
func marshalRest(v any) []byte {
	b := marshal(v)
	b[0] = ','
	return b
}

func premisesRest(set index.ClaimSet, region index.Allocation, conflict bool, on index.Day) listPremises {
	p := listPremises{
		Region: orNull(region.Region.String()), RegionBasis: orNull(region.Basis.String()),
		State: set.State(on).String(), Conflict: conflict, Networks: []listNetwork{},
	}
	if fit, ok := set.Fit(on); ok {
		p.Fit = &listFit{
			fit.Claim.Network.String(), orNull(fit.Claim.Variant), orNull(fit.Claim.Auxiliary), orNull(fit.Status.From.String()), fit.Reason(),
		}
	}
	for i := range set.Len() {
		c, lent := set.At(i)
		p.Networks = append(p.Networks, networkOf(c, lent, on))
	}
	return p
}

func networkOf(c *index.Claim, lent bool, on index.Day) listNetwork {
	status := c.On(on)
	n := listNetwork{
		NetworkRegion: c.Network.String(), State: status.State.String(), Overdue: status.Overdue,
		WANTechnology: orNull(c.Technology), WANVariant: orNull(c.Variant), ConnectivityLikelihood: orNull(c.Likelihood.String()),
		AuxiliaryEquipment: orNull(c.Auxiliary), AnticipatedCoverageDate: orNull(c.Anticipated.String()), CoverageEndDate: orNull(c.End.String()),
		AdditionalInformation: orNull(c.Info), CSP: c.CSP, AsOf: orNull(c.AsOf.String()),
	}
	if lent {
		n.ClaimSource = "area"
	}
	return n
}

func pointRest(set index.ClaimSet, region index.Allocation, conflict bool, on index.Day) listPoint {
	p := listPoint{
		Region: orNull(region.Region.String()), RegionBasis: orNull(region.Basis.String()), State: set.State(on).String(), Conflict: conflict,
	}
	if fit, ok := set.Fit(on); ok {
		p.FitNetworkRegion, p.FitReason = orNull(fit.Claim.Network.String()), orNull(fit.Reason())
		p.FitVariant, p.FitAuxiliary, p.FitFrom = orNull(fit.Claim.Variant), orNull(fit.Claim.Auxiliary), orNull(fit.Status.From.String())
	}
	last := index.NoNetwork
	for i := range set.Len() {
		if c, _ := set.At(i); c.Network != last {
			if last != index.NoNetwork {
				p.NetworkRegions += ", "
			}
			p.NetworkRegions += c.Network.String()
			last = c.Network
		}
	}
	return p
}

// premisesJSON appends the fields that are of one premises alone.
func (w *listWriter) premisesJSON(b []byte, postcode geo.Postcode, d *index.Details) []byte {
	if w.o.Format == ListGeoJSON {
		b = appendPoint(append(b, ",\n"...), d.At)
		b = append(b, `,"properties":`...)
	}
	b = append(b, `{"postcode":`...)
	if postcode.IsValid() {
		b = append(postcode.AppendTo(append(b, '"')), '"')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"uprn":`...)
	if d.UPRN != 0 {
		b = append(d.UPRN.AppendTo(append(b, '"')), '"')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"address_identifier":`...)
	if len(d.Address) > 0 {
		b = appendJSONText(b, d.Address)
	} else {
		b = append(b, "null"...)
	}
	if w.o.Format == ListGeoJSON {
		return b
	}
	return appendDegrees(b, d.At)
}

// appendDegrees appends the fields of a location.
func appendDegrees(b []byte, l geo.Location) []byte {
	if !l.IsValid() {
		return append(b, `,"latitude":null,"longitude":null`...)
	}
	b = appendMillionths(append(b, `,"latitude":`...), l.Lat)
	return appendMillionths(append(b, `,"longitude":`...), l.Lng)
}

// appendPoint appends a feature up to its properties.
func appendPoint(b []byte, l geo.Location) []byte {
	b = append(b, `{"type":"Feature","geometry":`...)
	if !l.IsValid() {
		return append(b, "null"...)
	}
	b = appendMillionths(append(b, `{"type":"Point","coordinates":[`...), l.Lng)
	return append(appendMillionths(append(b, ','), l.Lat), "]}"...)
}

func (w *listWriter) postcodeJSON(b []byte, u index.Unit) []byte {
	e, region, sum := u.Entry(), u.Region(), u.Summary(w.o.On)
	if w.o.Format == ListGeoJSON {
		b = appendPoint(append(b, ",\n"...), e.At)
		b = append(b, `,"properties":`...)
	}
	b = append(e.Postcode.AppendTo(append(b, `{"postcode":"`...)), `","status":"`...)
	b = append(append(b, u.Status().String()...), '"')
	if w.o.Format == ListNDJSON {
		b = appendDegrees(b, e.At)
	}
	text := func(name, value string) {
		b = append(append(append(b, `,"`...), name...), `":`...)
		if value == "" {
			b = append(b, "null"...)
		} else {
			b = appendJSONText(b, value)
		}
	}
	text("introduced", e.Introduced.String())
	text("terminated", e.Terminated.String())
	text("terminated_after", e.TerminatedAfter.String())
	text("terminated_by", e.TerminatedBy.String())
	text("region", region.Region.String())
	text("region_basis", region.Basis.String())
	count := func(name string, n int) {
		b = append(append(append(b, `,"`...), name...), `":`...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	count("premises", sum.Premises)
	count("available", sum.Available)
	count("planned", sum.Planned)
	count("unavailable", sum.Unavailable)
	count("unknown", sum.Unknown)
	if w.o.Format == ListGeoJSON {
		return append(b, "}}"...)
	}
	return append(b, "}\n"...)
}

// areaJSON appends a feature, with the claim as of a premises.
func (w *listWriter) areaJSON(b []byte, a *index.Area) []byte {
	return w.feature(b, marshal(networkOf(&a.Claim, false, w.o.On)), a.Shape)
}

func (w *listWriter) regionJSON(b []byte, r geo.Region) []byte {
	return w.feature(b, []byte(`{"region":"`+r.String()+`"}`), w.s.RegionShape(r))
}

// feature appends an area with its properties.
func (w *listWriter) feature(b, properties []byte, shape geo.MultiPolygon) []byte {
	if w.o.Format == ListGeoJSON {
		b = append(b, ",\n"...)
	}
	b = append(append(b, `{"type":"Feature","properties":`...), properties...)
	b = append(appendGeometry(append(b, `,"geometry":`...), shape), '}')
	if w.o.Format == ListNDJSON {
		b = append(b, '\n')
	}
	return b
}

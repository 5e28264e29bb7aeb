package loader

import (
	"strconv"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// listHeaders are the columns of lists as CSV.
var listHeaders = map[Listed]string{
	ListPremises: "postcode,uprn,address_identifier,latitude,longitude,region,region_basis,state,conflict," +
		"fit_network_region,fit_wan_variant,fit_auxiliary_equipment,fit_from,fit_reason," +
		"network_region,network_state,overdue,claim_source,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment," +
		"anticipated_coverage_date,coverage_end_date,additional_information,csp,as_of",
	ListPostcodes: "postcode,status,latitude,longitude,introduced,terminated,terminated_after,terminated_by,region,region_basis," +
		"premises,available,planned,unavailable,unknown",
	ListAreas: "network_region,network_state,overdue,coverage_availability,wan_technology,wan_variant,connectivity_likelihood,auxiliary_equipment," +
		"anticipated_coverage_date,coverage_end_date,additional_information,csp,as_of,geometry",
	ListRegions: "region,geometry",
}

// kind works out what premises of a kind have in common.
func (w *listWriter) kind(k *listKind, kind uint32) {
	set, region, conflict := w.s.Kind(kind)
	fit, fits := set.Fit(w.o.On)
	switch w.o.Format {
	case ListNDJSON:
		k.ends = [][]byte{append(marshalRest(premisesRest(set, region, conflict, w.o.On)), '\n')}
		return
	case ListGeoJSON:
		k.ends = [][]byte{append(marshalRest(pointRest(set, region, conflict, w.o.On)), '}')}
		return
	case ListCSV:
	}
	b := append(append(append([]byte{','}, region.Region.String()...), ','), region.Basis.String()...)
	b = append(append(b, ','), set.State(w.o.On).String()...)
	b = appendTrue(append(b, ','), conflict)
	if fits {
		b = append(append(b, ','), fit.Claim.Network.String()...)
		b = appendInert(append(b, ','), fit.Claim.Variant)
		b = appendInert(append(b, ','), fit.Claim.Auxiliary)
		b = fit.Status.From.AppendTo(append(b, ','))
		b = appendInert(append(b, ','), fit.AppendReason(nil))
	} else {
		b = append(b, ",,,,,"...)
	}
	b = append(b, ',')
	k.ends = nil
	for i := range set.Len() {
		c, lent := set.At(i)
		status := c.On(w.o.On)
		row := append(append([]byte{}, b...), c.Network.String()...)
		row = append(append(row, ','), status.State.String()...)
		row = append(appendTrue(append(row, ','), status.Overdue), ',')
		if lent {
			row = append(row, "area"...)
		}
		k.ends = append(k.ends, append(appendClaimCells(append(row, ','), c), '\n'))
	}
	if len(k.ends) == 0 {
		k.ends = [][]byte{append(append(b, strings.Repeat(",", 12)...), '\n')}
	}
}

// appendClaimCells appends a claim's cells from wan_technology to as_of.
func appendClaimCells(b []byte, c *index.Claim) []byte {
	b = append(appendInert(b, c.Technology), ',')
	b = append(appendInert(b, c.Variant), ',')
	b = append(append(b, c.Likelihood.String()...), ',')
	b = append(appendInert(b, c.Auxiliary), ',')
	b = append(c.Anticipated.AppendTo(b), ',')
	b = append(c.End.AppendTo(b), ',')
	b = append(appendInert(b, c.Info), ',')
	b = append(appendInert(b, c.CSP), ',')
	return c.AsOf.AppendTo(b)
}

func appendTrue(b []byte, v bool) []byte {
	if v {
		b = append(b, "true"...)
	}
	return b
}

// appendInert appends a cell for a spreadsheet, which must not take it for a
// formula: see Inert.
func appendInert[T ~string | ~[]byte](b []byte, cell T) []byte {
	if isFormula(cell) {
		return appendCell(b, "'"+string(cell))
	}
	return appendCell(b, cell)
}

func (w *listWriter) postcode(b []byte, u index.Unit) []byte {
	if w.o.Format != ListCSV {
		return w.postcodeJSON(b, u)
	}
	e, region, sum := u.Entry(), u.Region(), u.Summary(w.o.On)
	b = append(e.Postcode.AppendTo(b), ',')
	b = append(append(b, u.Status().String()...), ',')
	b = append(appendLocation(b, e.At), ',')
	b = append(e.Introduced.AppendTo(b), ',')
	b = append(e.Terminated.AppendTo(b), ',')
	b = append(e.TerminatedAfter.AppendTo(b), ',')
	b = append(e.TerminatedBy.AppendTo(b), ',')
	b = append(append(b, region.Region.String()...), ',')
	b = append(b, region.Basis.String()...)
	for _, n := range []int{sum.Premises, sum.Available, sum.Planned, sum.Unavailable, sum.Unknown} {
		b = strconv.AppendInt(append(b, ','), int64(n), 10)
	}
	return append(b, '\n')
}

func (w *listWriter) area(b []byte, i int) []byte {
	a := w.s.Area(i)
	if w.o.Format != ListCSV {
		return w.areaJSON(b, &a)
	}
	status := a.Claim.On(w.o.On)
	b = append(append(b, a.Claim.Network.String()...), ',')
	b = append(append(b, status.State.String()...), ',')
	b = append(appendTrue(b, status.Overdue), ',')
	switch a.Claim.Availability {
	case index.AvailabilityTrue:
		b = append(b, "true"...)
	case index.AvailabilityFalse:
		b = append(b, "false"...)
	default:
	}
	b = append(appendClaimCells(append(b, ','), &a.Claim), ',')
	return append(appendWKT(b, a.Shape), '\n')
}

func (w *listWriter) region(b []byte, r geo.Region) []byte {
	if w.o.Format != ListCSV {
		return w.regionJSON(b, r)
	}
	b = append(append(b, r.String()...), ',')
	return append(appendWKT(b, w.s.RegionShape(r)), '\n')
}

// appendWKT appends a shape as a cell of well-known text, as spatial databases
// read it: longitude first.
func appendWKT(b []byte, shape geo.MultiPolygon) []byte {
	b = append(b, `"MULTIPOLYGON (`...)
	for i, polygon := range shape {
		b = append(comma(b, i), '(')
		for j, ring := range polygon {
			b = append(comma(b, j), '(')
			for k := range len(ring) + 1 {
				p := ring[k%len(ring)]
				b = strconv.AppendFloat(comma(b, k), p.Lng, 'f', -1, 64)
				b = strconv.AppendFloat(append(b, ' '), p.Lat, 'f', -1, 64)
			}
			b = append(b, ')')
		}
		b = append(b, ')')
	}
	return append(b, `)"`...)
}

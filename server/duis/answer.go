package duis

import (
	"unicode/utf8"

	"coverd/geo"
	"coverd/index"
)

// Bounds of what a response says, in characters.
const (
	maxTechnology  = 30
	maxAuxiliary   = 50
	maxInformation = 250
)

// Fields are the names of what may be cut off.
var Fields = []string{fieldTechnology, fieldAuxiliary, fieldInformation}

const (
	fieldTechnology  = "WANTechnology"
	fieldAuxiliary   = "AuxiliaryEquipmentRequired"
	fieldInformation = "AdditionalInformation"
)

// Response is what is said of one network region.
type Response struct {
	Region index.NetworkRegion
	Code   Code
	// Coverage is false where there is the code alone; then nothing below is set.
	Coverage    bool
	Available   bool
	Anticipated index.Day // where coverage is planned; else none
	Technology  string
	Likelihood  string
	Auxiliary   string // "" for none
	Information string // "" for none
}

// Answer is the answer to a request.
type Answer struct {
	Request *Request
	Code    Code // of the whole: success where there is coverage to tell of on any network region
	// Responses are those of a List, at least one. Of Flat it is one: without
	// coverage it goes into the header.
	Responses []Response
	// Cut tells what was too long for its field.
	Cut []Cut
}

// Cut is a text of a CSP that is longer than DUIS allows, and was cut off.
type Cut struct {
	CSP, Field   string
	Length, Most int // characters
}

// To answers a request with what was found for it, on a day.
func (a *Answer) To(q *Request, f *Found, codes *Codes, on index.Day) {
	switch f.Reason {
	case "":
		a.of(q, codes, f.Premises.Claims(), f.Region, on)
	case SeveralPremises:
		a.without(q, codes.SeveralPremises, f.Region)
	default:
		a.without(q, codes.NoPremises, f.Region)
	}
}

// without answers with a code and no coverage.
func (a *Answer) without(q *Request, code Code, region geo.Region) {
	a.begin(q)
	a.Code = code
	a.Responses = append(a.Responses, Response{Region: networkOf(region), Code: code})
}

// of answers with what is claimed of a premises of a Region, on a day.
//
// On each network region it is the claim that counts and is best, as for a hub to
// fit; virtual WAN, which does not count, is no SM WAN. Available is true; planned
// is false, with the date; unavailable is false; of what is unknown there is a
// code alone.
func (a *Answer) of(q *Request, codes *Codes, claims index.ClaimSet, region geo.Region, on index.Day) {
	a.begin(q)
	a.Code = codes.NoData
	if q.Version.Shape == Flat {
		a.add(codes, claims, networkOf(region), on)
		return
	}
	for n := index.NetworkNorth; int(n) < index.Networks; n++ {
		if claims.Only(n).Len() > 0 {
			a.add(codes, claims, n, on)
		}
	}
	if len(a.Responses) == 0 {
		a.Responses = append(a.Responses, Response{Region: networkOf(region), Code: codes.NoData})
	}
}

func (a *Answer) begin(q *Request) {
	*a = Answer{Request: q, Responses: a.Responses[:0], Cut: a.Cut[:0]}
}

// networkOf is the 2G/3G or radio network region of a Region.
func networkOf(r geo.Region) index.NetworkRegion {
	switch r {
	case geo.North:
		return index.NetworkNorth
	case geo.Central:
		return index.NetworkCentral
	case geo.South:
		return index.NetworkSouth
	default:
		return index.NetworkUnknown
	}
}

// add appends what is claimed on one network region.
func (a *Answer) add(codes *Codes, claims index.ClaimSet, n index.NetworkRegion, on index.Day) {
	r := Response{Region: n, Code: codes.NoData}
	claim, status, ok := best(claims.Only(n), on)
	if ok && status.State != index.Unknown {
		a.Code, r.Code = codes.Success, codes.Success
		r.Coverage, r.Available = true, status.State == index.Available
		if status.State == index.Planned {
			r.Anticipated = status.From
		}
		r.Likelihood = claim.Likelihood.String()
		information := claim.Info
		if r.Likelihood == "" {
			r.Likelihood = codes.NotStated.Likelihood
			information = likelihoodNotStated + information
		}
		if r.Technology = a.fit(claim, fieldTechnology, claim.Technology, maxTechnology); r.Technology == "" {
			r.Technology = codes.NotStated.Technology
		}
		r.Auxiliary = a.fit(claim, fieldAuxiliary, claim.Auxiliary, maxAuxiliary)
		r.Information = a.fit(claim, fieldInformation, information, maxInformation)
	}
	a.Responses = append(a.Responses, r)
}

// likelihoodNotStated goes before additional information, so that it is never
// what is cut off.
const likelihoodNotStated = "Connectivity likelihood not stated by the CSP. "

// best is the claim to answer with, of those on one network region.
func best(claims index.ClaimSet, on index.Day) (c *index.Claim, st index.Status, ok bool) {
	if fit, ok := claims.Fit(on); ok {
		return fit.Claim, fit.Status, true
	}
	for i := range claims.Len() {
		d, _ := claims.At(i)
		if d.Network.Counts() {
			continue // virtual WAN
		}
		if s := d.On(on); !ok || s.State < st.State {
			c, st, ok = d, s, true
		}
	}
	return c, st, ok
}

func (a *Answer) fit(c *index.Claim, field, text string, most int) string {
	if len(text) > most { // in bytes; perhaps not in characters
		if n := utf8.RuneCountInString(text); n > most {
			a.Cut = append(a.Cut, Cut{c.CSP, field, n, most})
		}
	}
	return fitted(text, most)
}

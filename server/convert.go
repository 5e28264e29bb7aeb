package server

import (
	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// What the index knows, in the words of the wire.

// degrees are those of a location, absent ones for none.
func degrees(l geo.Location) (lat, lng api.Degrees) {
	if !l.IsValid() {
		return api.NoDegrees(), api.NoDegrees()
	}
	p := l.LatLng()
	return api.Degrees(p.Lat), api.Degrees(p.Lng)
}

func regionOf(a index.Allocation) api.Region {
	return api.Region{
		Name: api.Text(a.Region.String()), Basis: api.Text(a.Basis.String()),
		BorderDistance: api.Metres(a.Border), NearBorder: a.NearBorder(),
	}
}

func summaryOf(s index.Summary) api.Summary {
	return api.Summary{Premises: s.Premises, Available: s.Available, Planned: s.Planned, Unavailable: s.Unavailable, Unknown: s.Unknown}
}

// registered is what the register says of a postcode that the snapshot has.
func registered(u index.Unit) api.Postcode {
	e := u.Entry()
	p := api.Postcode{
		Postcode: e.Postcode, Status: u.Status().String(),
		Introduced: api.Some(e.Introduced), Terminated: api.Some(e.Terminated),
		TerminatedBetween: api.Between{After: api.Some(e.TerminatedAfter), By: api.Some(e.TerminatedBy)},
	}
	p.Latitude, p.Longitude = degrees(e.At)
	if e.At.IsValid() {
		if g, ok := geo.GridFromLatLng(e.At.LatLng()); ok {
			p.Easting, p.Northing = api.GridMetres(g.E+0.5), api.GridMetres(g.N+0.5)
		}
	}
	return p
}

// unregistered is a postcode that the snapshot does not have.
func unregistered(p geo.Postcode) api.Postcode {
	return api.Postcode{Postcode: p, Status: index.NotInRegister.String(), Latitude: api.NoDegrees(), Longitude: api.NoDegrees()}
}

// premisesOf describes a premises, by its claims on one network region alone
// unless that is NoNetwork. It returns its state too.
func (q *scratch) premisesOf(p index.Premises, only index.NetworkRegion) (api.Premises, index.State) {
	claims := p.Claims().Only(only)
	state := claims.State(q.on)
	region := p.Region()
	out := api.Premises{
		UPRN: api.Some(p.UPRN()), AddressIdentifier: api.Text(view(p.Address())),
		Region: api.Text(region.Region.String()), RegionBasis: api.Text(region.Basis.String()),
		State: state.String(), Conflict: p.Conflict(),
	}
	out.Latitude, out.Longitude = degrees(p.At())
	q.claimsOf(&out, claims)
	return out, state
}

// claimsOf describes claims: the fit and the networks of a premises.
func (q *scratch) claimsOf(out *api.Premises, claims index.ClaimSet) {
	if fit, ok := claims.Fit(q.on); ok {
		out.Fit = q.fitOf(fit)
	}
	from := len(q.networks)
	for i := range claims.Len() {
		c, fromArea := claims.At(i)
		status := c.On(q.on)
		n := api.Network{
			NetworkRegion: c.Network.String(), State: status.State.String(), Overdue: status.Overdue,
			WANTechnology: api.Text(c.Technology), WANVariant: api.Text(c.Variant),
			ConnectivityLikelihood: api.Text(c.Likelihood.String()), AuxiliaryEquipment: api.Text(c.Auxiliary),
			AnticipatedCoverageDate: api.Some(c.Anticipated), CoverageEndDate: api.Some(c.End),
			AdditionalInformation: api.Text(c.Info), CSP: c.CSP, AsOf: api.Some(c.AsOf),
		}
		if fromArea {
			n.ClaimSource = api.ClaimSourceArea
		}
		q.networks = append(q.networks, n)
	}
	out.Networks = q.networks[from:len(q.networks):len(q.networks)]
}

func (q *scratch) fitOf(f index.Fit) *api.Fit {
	from := len(q.text)
	q.text = f.AppendReason(q.text)
	fit := api.Fit{
		NetworkRegion: f.Claim.Network.String(), WANVariant: api.Text(f.Claim.Variant),
		AuxiliaryEquipment: api.Text(f.Claim.Auxiliary), From: api.Some(f.Status.From), Reason: q.kept(from),
	}
	q.fits = append(q.fits, fit)
	return &q.fits[len(q.fits)-1]
}

// estimated describes an estimate, or with ok false that there is nothing to go
// by.
func (q *scratch) estimated(out *api.Estimate, e *index.Estimate, ok bool) {
	networks := out.Networks[:0]
	if !ok {
		*out = api.Estimate{State: index.Unknown.String(), Agreement: -1, Distance: -1, Networks: networks}
		return
	}
	*out = api.Estimate{
		State: e.State.String(), Basis: api.Text(e.Basis), Confidence: api.Share(e.Confidence), Agreement: api.Share(e.Agreement),
		Premises: e.Premises, Distance: api.Metres(e.Distance),
	}
	if e.HasFit {
		out.Fit = q.fitOf(e.Fit)
	}
	for i := range e.Networks {
		n := &e.Networks[i]
		item := api.NetworkEstimate{
			NetworkRegion: n.Network.String(), Premises: n.Premises, Distance: api.Metres(n.Distance), Agreement: api.Share(n.Agreement), State: n.States, From: n.From, WANVariant: n.Variants,
			AuxiliaryEquipment: n.Auxiliary, ConnectivityLikelihood: n.Likelihoods,
		}
		if n.FromArea {
			item.ClaimSource = api.ClaimSourceArea
		}
		networks = append(networks, item)
	}
	out.Networks = networks
}

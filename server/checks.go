package server

import (
	"context"
	"time"

	"coverd/geo"
	"coverd/server/licence"
	"coverd/server/requests"
)

const (
	checkNear = 25          // metres around a place in which service requests are shown to be about it, or not
	checkWait = time.Second // for the ledger
)

// recorded adds the checks that are kept here: answers to service requests of
// the party that is asked about. What another has looked up is no check of its.
func (q *scratch) recorded(in *licence.Input) {
	if q.srv.desk == nil || !q.given.has(paramParty) || in.Place.UPRN == 0 && !in.Place.Location.IsValid() {
		return
	}
	first := min(in.CheckDate, in.Installation)
	if in.Applicable != 0 {
		first = min(first, in.Applicable-licence.Window)
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkWait)
	defer cancel()
	deleted := q.srv.clock.startOf(q.srv.desk.keptFrom(in.Today))
	err := q.srv.desk.keeper.Read(ctx, func(l requests.Ledger) error {
		list, err := l.Checks(ctx, checkPlace(&in.Place, string(q.values[paramParty])), q.srv.clock.startOf(first), q.now)
		for i := range list {
			in.Checks = append(in.Checks, requestCheck(&list[i], &in.Place))
		}
		if err != nil {
			return err
		}
		before, err := l.Deleted(ctx) // by a server that kept them for less
		if before.After(deleted) {
			deleted = before
		}
		return err
	})
	switch {
	case err != nil:
		q.srv.log.Error("the record of checks cannot be read", "error", err.Error())
		in.Unread = "the store does not answer"
	case in.Applicable != 0 && q.srv.clock.startOf(in.Applicable-licence.Window).Before(deleted):
		in.Unread = "service requests that were closed before " + deleted.In(q.srv.clock.london).Format("2 January 2006") + " are deleted, and those of then may have been"
	}
}

// checkPlace is where a party's checks are looked for.
func checkPlace(p *licence.Place, party string) requests.Place {
	if p.UPRN != 0 {
		return requests.Place{UPRN: p.UPRN, Party: party}
	}
	return requests.Place{At: p.Location.LatLng(), Within: checkNear, Party: party}
}

// requestCheck is the check that a service request was, which is about the place
// if it was made for that location, or answered by that premises. It tells of no
// day after the one that was asked about: of until when, the ledger has no column.
func requestCheck(c *requests.Check, about *licence.Place) licence.Check {
	out := licence.Check{
		Reference: c.Reference, At: c.At, Snapshot: c.Snapshot, AsOf: c.AsOf, On: c.On, State: c.State, From: c.From, Until: c.On, Basis: c.Basis,
	}
	if c.Basis == basisPremises {
		out.Basis = licence.BasisClaims
	}
	if c.UPRN != 0 && about.UPRN != 0 {
		out.Place = licence.Place{UPRN: c.UPRN, Postcode: c.Postcode}
	} else {
		out.Place = licence.Place{Location: geo.LatLng{Lat: c.Latitude, Lng: c.Longitude}.Location()}
	}
	return out
}

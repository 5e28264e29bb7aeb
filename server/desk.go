package server

import (
	"context"
	"sync"
	"time"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
	"coverd/server/receipts"
	"coverd/server/requests"
)

// Distances in metres up to which a premises is taken for the one that a service
// request is about: the nearest of its postcode, where it gives one, else any.
// What CSPs claim of a premises further away is evidence for an estimate: a plot
// at the other end of a new street has its neighbours' postcode.
const (
	sameWithPostcode = 100
	sameWithout      = 25
)

// basisPremises is the basis of a state that is a CSP's own claim.
const basisPremises = "premises"

// answerRequest answers a service request from the snapshot, as of today: into
// q.body the answer about its location, the query of which q.location has. Its
// Region is NoRegion where there is no answer.
//
// Where the extracts have a premises there, what they claim about it is what
// counts; else what is to be expected at the location. claimed is what a receipt
// says of such a premises, nil without one.
func (q *scratch) answerRequest(r *requests.Request) (a requests.Answer, claimed *receipts.Claimed) {
	a = requests.Answer{
		At: q.now.UTC().Truncate(time.Millisecond), Snapshot: q.snap.ref.ID, AsOf: q.snap.ref.AsOf.V, On: q.on, Border: -1, State: index.Unknown,
	}
	region, ok := q.resolve(r.At, defaultNearest, maxRadius)
	if !ok {
		return a, nil
	}
	a.Region, a.RegionBasis, a.Border = region.Region, region.Basis.String(), region.Border
	if !(a.Border >= 0) {
		a.Border = -1
	}
	premises, inExtracts, found := q.premisesAt(r)
	a.InExtracts = inExtracts
	if found {
		claims := premises.Claims()
		a.State, a.Basis, a.UPRN = claims.State(q.on), basisPremises, premises.UPRN()
		claimed = &receipts.Claimed{UPRN: api.Some(a.UPRN), Indicated: indicated(claims, q.on)}
		if fit, ok := claims.Fit(q.on); ok {
			fitted(&a, fit)
		}
	} else if e := &q.surroundings.Estimate; q.surroundings.Estimated {
		a.State, a.Basis = e.State, e.Basis
		if e.HasFit {
			fitted(&a, e.Fit)
		}
	}
	q.body = q.location.AppendJSON(q.body) // without a next step: the service request has been raised
	a.Body = append([]byte(nil), q.body...)
	return a, claimed
}

func fitted(a *requests.Answer, f index.Fit) {
	a.Network, a.Variant, a.Auxiliary, a.From = f.Claim.Network, f.Claim.Variant, f.Claim.Auxiliary, f.Status.From
}

// premisesAt finds the premises that a service request is about.
func (q *scratch) premisesAt(r *requests.Request) (p index.Premises, inExtracts, found bool) {
	if !r.Postcode.IsValid() {
		var near [1]index.Neighbour
		if n := q.snap.Nearest(near[:0], r.At, 1, sameWithout); len(n) > 0 {
			return n[0].Premises, true, true
		}
		return p, false, false
	}
	unit, ok := q.snap.Postcode(r.Postcode)
	if !ok {
		return p, false, false
	}
	least := float64(sameWithPostcode)
	for i := range unit.Len() {
		candidate := unit.Premises(i)
		if at := candidate.At(); at.IsValid() {
			if d := geo.Distance(r.At, at.LatLng()); d < least || d == least && !found {
				p, least, found = candidate, d, true
			}
		}
	}
	return p, unit.Len() > 0, found
}

// desk takes service requests, keeps them, and answers them again after every new
// snapshot.
type desk struct {
	s       *Server
	keeper  *requests.Keeper
	keep    int           // days after which a closed request is deleted; 0: never
	signals chan struct{} // of one slot: there may be something to do
	metrics *deskMetrics
}

const (
	deskBatch  = 100              // requests answered again, and kept, at a time
	deskForget = 1000             // rows deleted at a time: who asks to be kept meanwhile waits for so many
	deskEvery  = time.Hour        // looks for what has expired
	deskRetry  = 10 * time.Second // after the ledger failed
)

func newDesk(s *Server, ledger requests.Opener, keep int) *desk {
	d := &desk{s: s, keep: keep, signals: make(chan struct{}, 1), metrics: newDeskMetrics()}
	d.keeper = requests.NewKeeper(ledger, d.metrics.committed, d.condition)
	return d
}

// swapped has open requests answered from another snapshot.
func (d *desk) swapped() {
	if d != nil {
		signal(d.signals)
	}
}

// condition tells the operator how it stands with the ledger.
func (d *desk) condition(c requests.Condition) {
	switch {
	case c.Open && c.Trouble == "":
		d.s.log.Info("service requests are taken", "requests", d.keeper.String())
		signal(d.signals)
	case c.Open:
		d.s.log.Warn("a service request could not be kept; it was refused", "requests", d.keeper.String(), "trouble", string(c.Trouble), "error", c.Err.Error())
	case c.Trouble == requests.ReadOnly:
		d.s.log.Error("service requests are refused; all else is answered", "requests", d.keeper.String(), "trouble", string(c.Trouble), "error", c.Err.Error(),
			"hint", "say with --requests in which file they can be kept, or --requests none")
	default:
		d.s.log.Error("service requests are refused; all else is answered", "requests", d.keeper.String(), "trouble", string(c.Trouble), "error", c.Err.Error())
	}
}

// run keeps the ledger open, and requests answered, until ctx ends.
func (d *desk) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.keeper.Run(ctx) })
	every := time.NewTicker(deskEvery)
	defer every.Stop()
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.signals:
		case <-every.C:
		case <-retry:
		}
		retry = nil
		if err := d.catchUp(ctx); err != nil && ctx.Err() == nil {
			retry = time.After(deskRetry) // what is wrong was logged
		}
	}
}

// catchUp closes what has expired, answers open requests that were answered from
// another snapshot, and deletes what has been closed for long.
func (d *desk) catchUp(ctx context.Context) error {
	now, today := d.s.clock.read()
	for {
		var events []requests.Event
		if err := d.keeper.Write(ctx, func(l requests.Ledger) (err error) {
			events, err = l.Expire(ctx, today.day, now.UTC().Truncate(time.Millisecond), deskBatch)
			return err
		}); err != nil {
			return err
		}
		d.count(events)
		if len(events) < deskBatch {
			break
		}
	}
	var after int64
	snapshot, answered, changed := "", 0, 0
	for {
		h := d.s.snap.Load()
		if h.ref.ID != snapshot {
			snapshot, after = h.ref.ID, 0 // it was swapped in between: from the beginning
		}
		var due []*requests.Record
		if err := d.keeper.Read(ctx, func(l requests.Ledger) (err error) {
			due, err = l.Outdated(ctx, snapshot, after, deskBatch)
			return err
		}); err != nil {
			return err
		}
		if len(due) == 0 {
			break
		}
		after = due[len(due)-1].ID
		answers := d.answer(h, due)
		var events []requests.Event
		if err := d.keeper.Write(ctx, func(l requests.Ledger) (err error) {
			events, err = l.Reanswer(ctx, answers)
			return err
		}); err != nil {
			return err
		}
		d.count(events)
		answered, changed = answered+len(due), changed+len(events)
	}
	if answered > 0 {
		d.s.log.Info("open service requests were answered again", "snapshot", snapshot, "requests", answered, "events", changed)
	}
	return d.forget(ctx, today.day)
}

// forget deletes requests that have been closed for as long as they are kept, and
// events as old.
func (d *desk) forget(ctx context.Context, today index.Day) error {
	if d.keep == 0 {
		return nil
	}
	before, deleted := d.s.clock.startOf(d.keptFrom(today)), 0
	for {
		var f requests.Forgotten
		if err := d.keeper.Write(ctx, func(l requests.Ledger) (err error) {
			f, err = l.Forget(ctx, before, deskForget)
			return err
		}); err != nil {
			return err
		}
		if f.Events == 0 {
			break
		}
		deleted += f.Requests
	}
	if deleted > 0 {
		d.s.log.Info("service requests were deleted", "requests", deleted, "closed_before", d.keptFrom(today).String())
	}
	return nil
}

// keptFrom is the first day of which no request has been deleted by another; the
// zero day where none ever is.
func (d *desk) keptFrom(today index.Day) index.Day {
	if d.keep == 0 {
		return 0
	}
	return today - index.Day(d.keep)
}

func (d *desk) count(events []requests.Event) {
	for i := range events {
		d.metrics.events.WithLabelValues(string(events[i].Status)).Inc()
	}
}

// answer answers requests from a snapshot.
func (d *desk) answer(h *held, due []*requests.Record) []requests.Reanswer {
	q, ok := h.scratches.Get().(*scratch)
	if !ok {
		q = new(scratch)
	}
	answers := make([]requests.Reanswer, len(due))
	for i, rec := range due {
		q.begin(d.s, h, nil)
		if rec.Installation != 0 {
			q.on = rec.Installation
		}
		q.beginLocation()
		q.location.Query.Latitude, q.location.Query.Longitude = api.Number(rec.At.Lat), api.Number(rec.At.Lng)
		answer, claimed := q.answerRequest(&rec.Request)
		d.sign(&rec.Request, &answer, claimed)
		answers[i] = requests.Reanswer{Record: rec, Answer: answer}
	}
	_ = q.Close()
	return answers
}

// sign adds a receipt, where they are given.
func (d *desk) sign(r *requests.Request, a *requests.Answer, claimed *receipts.Claimed) {
	if d.s.receipts == nil || a.Body == nil {
		return
	}
	question := struct {
		Postcode     api.PostcodeText `json:"postcode,omitzero"`
		Outcode      api.OutcodeText  `json:"outcode,omitzero"`
		Latitude     api.Number       `json:"latitude"`
		Longitude    api.Number       `json:"longitude"`
		On           api.Date         `json:"on"`
		Party        api.Text         `json:"party,omitempty"`
		Role         api.Text         `json:"role,omitempty"`
		OwnReference api.Text         `json:"own_reference,omitempty"`
	}{
		api.Some(r.Postcode), api.Some(r.Outcode), api.Number(r.At.Lat), api.Number(r.At.Lng), api.Some(a.On), api.Text(r.Party), api.Text(r.Role), api.Text(r.OwnReference),
	}
	var err error
	if a.Receipt, err = d.s.receipts.SignRequest("POST "+api.ServiceRequestPath+" "+string(encode(&question)), a.Body, a.Snapshot, a.At, claimed); err != nil {
		d.s.log.Error("an answer goes without its receipt", "error", err.Error())
	}
}

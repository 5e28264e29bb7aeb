package server

import (
	"strconv"
	"strings"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// Bounds of `limit` for changes.
const (
	defaultChanges = 100
	maxChanges     = 1000
)

// answerChanges answers what has changed since a snapshot that the caller has
// answers of.
func (q *scratch) answerChanges([]byte) {
	since := string(q.values[paramSince])
	if id := strings.ToLower(strings.TrimSpace(since)); index.IsSnapshotID(id) {
		since = id
	} else {
		q.problem(api.Problem{
			Code: api.MalformedSnapshot, Parameter: "since", Detail: strconv.Quote(since) + " is not the ID of a snapshot, nor its first 12 digits",
			Hint: "give the snapshot that your answers come from: its ID stands in every answer, and in the header Coverd-Snapshot",
		})
		return
	}
	a := &q.changes
	*a = api.ChangesAnswer{Query: api.ChangesQuery{Since: api.Text(since)}, Snapshot: q.ref, Changes: a.Changes[:0]}
	var ok bool
	if a.Query.Limit, ok = q.count(defaultChanges, maxChanges); !ok {
		return
	}
	var outcode geo.Outcode
	if q.given.has(paramOutcode) {
		var err error
		if outcode, err = geo.ParseOutcode(q.values[paramOutcode]); err != nil {
			q.codeProblem(err, api.MalformedOutcode, "outcode", geo.SuggestOutcode(q.values[paramOutcode]))
			return
		}
		a.Query.Outcode = api.Some(outcode)
	}
	var after index.Cursor
	if q.given.has(paramAfter) {
		var err error
		if after, err = index.ParseCursor(string(q.values[paramAfter])); err != nil {
			q.malformedAfter("place in a list of changes")
			return
		}
		a.Query.After = api.Text(after.String())
	}
	changes, err := q.snap.Changes(since, after, outcode)
	if err != nil {
		q.tooOld(err)
		return
	}
	a.Since = q.sinceOf(since)
	var last index.Cursor
	for at, c := range changes {
		if len(a.Changes) == a.Query.Limit {
			a.Next = api.Text(last.String())
			break
		}
		a.Changes, last = append(a.Changes, ChangeOf(&c)), at
	}
	q.body = a.AppendJSON(q.body)
	q.send()
}

// ChangeOf is a change in the words of the wire.
func ChangeOf(c *index.Change) api.Change {
	return api.Change{
		Kind: c.Kind.String(), Postcode: api.Some(c.Postcode), UPRN: api.Some(c.UPRN), AddressIdentifier: api.Text(c.Address),
		NetworkRegion: api.Text(c.Network.String()), CSP: api.Text(c.CSP), Before: api.Text(c.Before), After: api.Text(c.After),
	}
}

// sinceOf is the snapshot that changes start from, by its first digits.
func (q *scratch) sinceOf(id string) api.Since {
	for _, n := range q.snap.Nights() {
		if strings.HasPrefix(n.Since, id) {
			return api.Since{ID: n.Since, AsOf: api.Some(n.SinceAsOf)}
		}
	}
	return api.Since{ID: q.snap.ID(), AsOf: q.snap.ref.AsOf}
}

// tooOld answers for changes that the snapshot does not remember.
func (q *scratch) tooOld(err error) {
	p := api.Problem{Code: api.ChangesTooOld, Parameter: "since", Detail: err.Error()}
	p.Hint = "fetch everything anew, with coverd export from snapshot " + q.snap.ID() + " or by asking again, and give that snapshot from then on; " +
		"so too where you have answers of a later snapshot, which was taken back"
	oldest := ""
	for _, n := range q.snap.Nights() {
		if !n.TooBig {
			oldest = n.Since
			break
		}
	}
	if oldest == "" {
		p.Hint += "; this snapshot knows of no changes before it"
	} else {
		p.Hint += "; the oldest since that is known is " + oldest
	}
	q.problem(p)
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/valyala/fasthttp"

	"coverd/geo"
	"coverd/index"
	"coverd/server"
)

// LookupOptions say what Lookup asks. The zero value works.
type LookupOptions struct {
	Mix  string // Mixed by default
	Seed uint64
	N    int // questions of each kind: 200,000 by default
	Keys int // different ones: by default N, at most 65,536, which no cache holds
	// NoRegions leaves out the Regions of points, whose points no mix decides.
	NoRegions bool
	// Progress, if set, is told of each kind before it is measured.
	Progress Progress
}

// Progress is told how far a run is: done of total, in what the stage counts.
type Progress func(stage string, done, total int64)

func (p Progress) report(stage string, done, total int) {
	if p != nil {
		p(stage, int64(done), int64(total))
	}
}

// Lookup asks a snapshot every kind of question in process, each by turns with
// its floor.
func Lookup(ctx context.Context, c *Catalogue, o LookupOptions) ([]Row, error) {
	if o.Mix == "" {
		o.Mix = Mixed
	}
	if o.N == 0 {
		o.N = 200_000
	}
	if o.Keys == 0 {
		o.Keys = min(1<<16, max(o.N, 1024))
	}
	keys, err := c.Draw(o.Mix, o.Seed, o.Keys)
	if err != nil {
		return nil, fmt.Errorf("mix %s: %w", o.Mix, err)
	}
	kinds, err := c.questions(keys, &o)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(kinds))
	for i, q := range kinds {
		o.Progress.report("mix "+o.Mix+": "+q.name, i, len(kinds))
		ask, floor, err := q.prepare()
		if err != nil {
			return nil, err
		}
		timings, overhead, err := race(ctx, max(o.N/q.cost, 1), ask, floor)
		if err != nil {
			return nil, err
		}
		r := timings[0].row(q.name, q.unit, &timings[1], q.floor)
		r.Mix = o.Mix
		if q.note != "" {
			r.Note = q.note
		} else if timings[0].batch < tooShortToTime {
			r.Note = fmt.Sprintf("p50 of batches of %d; clock overhead of %.0f ns subtracted from p99", batchSize, overhead)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// question is one kind of question, and the floor beside it.
type question struct {
	name, unit, floor, note string
	cost                    int // by what its number is divided: slow ones are asked less often
	prepare                 func() (ask, floor func(i int), err error)
}

// questions are what Lookup asks. What a floor needs is made when its turn
// comes, and let go after.
func (c *Catalogue) questions(keys *Keys, o *LookupOptions) ([]question, error) {
	snap := c.Snap
	a := &asker{snap: snap, on: snap.Info().AsOf}
	info := snap.Info()
	postcodes := func() func(i int) {
		return get(mapOf(int(info.Postcodes), func(yield func(geo.Postcode) bool) {
			for unit := range snap.AllPostcodes() {
				if !yield(unit.Postcode()) {
					return
				}
			}
		}), keys.Postcodes)
	}
	plain := func(ask func(i int), floor func() func(i int)) func() (func(int), func(int), error) {
		return func() (func(int), func(int), error) { return ask, floor(), nil }
	}
	kinds := []question{
		{qPostcode, unitNs, floorMap, "", 1, plain(func(i int) { a.postcode(wrapped(keys.Postcodes, i)) }, postcodes)},
		{qPremises, unitNs, floorMap, "", 1, plain(func(i int) { a.premises(wrapped(keys.Postcodes, i)) }, postcodes)},
		{qUPRN, unitNs, floorMap, "", 1, plain(func(i int) { a.uprn(wrapped(keys.UPRNs, i)) }, func() func(int) {
			return get(mapOf(int(info.Premises), allUPRNs(snap)), keys.UPRNs)
		})},
		{qOutcode, unitNs, floorMap, "", 1, plain(func(i int) { a.outcode(wrapped(keys.Outcodes, i), i) }, func() func(int) {
			return get(mapOf(int(info.Outcodes), func(yield func(geo.Outcode) bool) {
				for _, o := range c.outcodes {
					if !yield(o) {
						return
					}
				}
			}), keys.Outcodes)
		})},
		{qSector, unitNs, floorMap, "", 1, plain(func(i int) { a.sector(wrapped(keys.Sectors, i), i) }, func() func(int) {
			return get(mapOf(4*int(info.Outcodes), allSectors(snap)), keys.Sectors)
		})},
	}
	region := func(name string, points []geo.LatLng) {
		if len(points) > 0 {
			kinds = append(kinds, question{name, unitNs, floorCell, "", 1, plain(func(i int) { a.region(wrapped(points, i)) }, func() func(int) { return cell(points) })})
		}
	}
	if !o.NoRegions {
		region(qRegionLand, c.LandPoints(o.Seed, o.Keys))
		border, err := c.BorderPoints(o.Seed, min(o.Keys, 1<<14))
		if err != nil && !errors.Is(err, errNone) {
			return nil, err
		}
		region(qRegionBorder, border)
	}
	kinds = append(kinds,
		question{qNearest, unitUs, floorRTree, "", 4, plain(func(i int) { a.nearest(wrapped(keys.Points, i)) }, func() func(int) { return tree(snap, keys.Points) })},
		question{qLocation, unitUs, floorRTree, "", 4, plain(func(i int) { a.location(wrapped(keys.Points, i)) }, func() func(int) { return tree(snap, keys.Points) })},
	)
	srv, err := server.New(snap, server.Options{})
	if err != nil {
		return nil, err
	}
	asJSON := func(name string, uri func(i int) string) question {
		return question{name, unitUs, floorReady, "the handler with a context that is used again; request URI and copy of the body included, as in the floor", 10, func() (func(int), func(int), error) {
			uris, bodies, err := answered(srv, o.Mix, min(o.Keys, 4096), uri)
			if err != nil {
				return nil, nil, err
			}
			ask := handled(uris, func(ctx *fasthttp.RequestCtx, _ int) { srv.AnswerTo(ctx) })
			for i := range uris { // so that what is kept for the next request has room for the largest
				ask(i)
			}
			return ask, ready(uris, bodies), nil
		}}
	}
	postcodesOf, err := c.postcodesToAnswer(keys, o.Mix, o.Seed)
	if err != nil {
		return nil, err
	}
	return append(kinds,
		asJSON(qPostcodeJSON, func(i int) string { return postcodeURI(postcodesOf[i]) }),
		asJSON(qOutcodeJSON, func(i int) string { return outcodeURI(keys.Outcodes[i]) }),
		asJSON(qLocationJSON, func(i int) string { return locationURI(keys.Points[i]) }),
	), nil
}

// answered are n questions of a mix and their answers. Of the mix Hits only
// those are left that find something: a point near a premises may lie at sea.
func answered(srv *server.Server, mix string, n int, uri func(i int) string) (uris []string, bodies [][]byte, err error) {
	for i := range n {
		u := uri(i)
		status, _, body := srv.Answer(http.MethodGet, u)
		if mix != Hits || status == http.StatusOK {
			uris, bodies = append(uris, u), append(bodies, body)
		}
	}
	if len(uris) == 0 {
		err = fmt.Errorf("answers: %w", errNone)
	}
	return uris, bodies, err
}

// allSectors yields the snapshot's sectors.
func allSectors(snap *index.Snapshot) func(yield func(geo.Sector) bool) {
	return func(yield func(geo.Sector) bool) {
		for outcode := range snap.AllOutcodes() {
			for sector := range outcode.Sectors() {
				if !yield(sector.Sector()) {
					return
				}
			}
		}
	}
}

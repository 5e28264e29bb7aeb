// Package server answers questions about a snapshot over HTTP.
//
//	snap, err := index.Open("coverd.snap")
//	…
//	srv, err := server.New(snap, server.Options{Log: log})
//	…
//	err = srv.Serve(ctx, public, admin) // until ctx ends; then requests under way are finished
//
// Questions come in on the public listener (fasthttp): the routes are in
// [Server.Answer]'s words "paths under /v1", their answers in package
// [coverd/server/api]. Health, metrics and profiles are on the admin listener
// (net/http), which is meant for this machine alone: nothing there is secret,
// but nothing there is anybody else's business.
//
// # One snapshot a request
//
// A request loads the pointer to the snapshot once and passes it down, so that
// an answer never mixes two of them. A snapshot is verified when it is opened:
// after that a look-up can miss, but not fail.
//
// # What absence is called
//
// "Not covered", "covered from a date", "no data held", "no such postcode",
// "retired", "issued and in no extract yet", "outside Great Britain" and
// "malformed" are different outcomes. The first three are states of a
// premises. Those about a place that may well exist are answered with 200, an
// outcome of no_premises_found, a reason, an estimate and the next step to
// take; the others with 404 or 400 and a problem document that says how to go
// on.
//
// # Why answers are built in pooled memory
//
// At 100,000 questions a second garbage would be the largest part of the work.
// So a request works in a [scratch] from a pool, whose slices are kept from
// one request to the next; an answer refers to the snapshot's own strings; and
// JSON is appended. A test holds the query routes to zero allocations.
package server

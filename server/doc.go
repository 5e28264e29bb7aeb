// Package server answers questions about a snapshot over HTTP.
//
//	source, err := server.NewDirSource("snapshots")
//	…
//	srv, err := server.Open(source, server.Options{Log: log})
//	…
//	err = srv.Serve(ctx, public, admin) // until ctx ends; then requests under way are finished
//
// Questions come in on the public listener (fasthttp): the routes are in
// [Server.Answer]'s words "paths under /v1", their answers in package
// [coverd/server/api]. Health, metrics, profiles and the snapshots that there are
// to serve are on the admin listener (net/http), which is meant for this machine
// alone: nothing there is secret, but who reaches it can have another snapshot
// served.
//
// # One snapshot a request
//
// A request loads the pointer to the snapshot once and passes it down, so that
// an answer never mixes two of them. A snapshot is verified when it is opened:
// after that a look-up can miss, but not fail.
//
// So another snapshot takes its place by one store to that pointer, with
// nobody stopped. It is opened before, beside the old one, by a single thread
// that gives way to all others: where all cores open it, whoever asks a question
// meanwhile waits for one. What belongs to a snapshot (its scratches, what is
// ready-made of its answers) hangs on it and goes with it, after the last reader;
// then the memory is returned to the system at once. A candidate that cannot be
// opened changes nothing.
//
// # Service requests
//
// They are kept by package [coverd/server/requests]; the desk here answers them
// again after every new snapshot. Whatever is the matter with their ledger, no other
// answer needs it, and a server is as ready as ever.
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

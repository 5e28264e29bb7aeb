// Package bench measures coverd: seeded questions over any snapshot, in process
// and over HTTP, builds, and others that answer the like, each figure beside its
// floor.
//
//	c := bench.NewCatalogue(snap)
//	rows, err := bench.Lookup(ctx, c, bench.LookupOptions{Seed: 1})
//	over, err := bench.HTTP(ctx, c, bench.HTTPOptions{Binary: coverd, Snapshot: "coverd.snap"})
//	built, err := bench.Build(ctx, bench.BuildOptions{Binary: coverd, Manifest: "coverd.toml"})
//	all, err := bench.Measure(ctx, run, bench.ReportOptions{Binary: coverd, Sizes: sizes})
//	err = all.WriteFiles("report") // RESULTS.md, results.json, charts
//
// The command is coverd bench; RESULTS.md in this folder is what it wrote of the
// whole country (make bench-national), and is never edited.
//
// # Questions
//
// A [Catalogue] knows what of a snapshot there is to ask for, and draws [Keys] of
// a mix from it: the same snapshot, mix and seed give the same questions, on any
// machine.
//
// # Floors
//
// A figure alone says as much about the machine as about the program. So every
// question is asked by turns with a floor, the least that anything must spend
// that does the like (a plain map get of the same keys, the S2 cell of the point,
// an R-tree over the postcodes, the same bytes ready-made, a bare handler), and
// the ratio is the median over interleaved rounds: what strikes one strikes both.
//
// # Short questions
//
// Reading the clock takes some 40 ns and keeps the processor from looking ahead.
// The median of a question shorter than a microsecond is therefore that of
// batches of 128; its tail is that of single questions, the clock's own time
// subtracted.
//
// # Two loops over HTTP
//
// In closed loop each connection asks as soon as it has its answer, which tells
// throughput. A server that stalls is then asked less, and the requests that
// would have waited are never made. In open loop request i is due at i/rate
// whatever came of those before, and its latency counts from then. Which rate
// was achieved, and what part of the latency was the client's own lateness,
// stands in the row's note. Both loops go by turns: on a machine that others use
// one run would tell more of them.
//
// Client and server share the machine's processors, so a ratio of throughputs is
// nearer to one than that of the servers alone: the processor time of the
// server's process is a row of its own. How long the handler took is by the
// server's own histogram.
//
// Before anything is measured each answer is compared with the bytes that the
// others answer with.
//
// Keys are a thousand of each kind and a bare handler has the bodies of all of
// them, because a single one would be answered out of the processor's caches.
//
// # Processes
//
// coverd serve, bare handlers, builds and peers run in processes of their own,
// on ports of the kernel's choice or sockets in folders of their own. A bare
// handler is this program again ([Bare]) and ends with its standard input;
// the others are told to end by a signal, and killed if they do not. None
// outlives its measurement, unless this process is killed: then a bare handler
// still ends, and the others have to be ended by hand.
//
// # Peers
//
// Redis and PostgreSQL with PostGIS are measured where they are installed, with
// what would slow them down in production turned off, so that they are at their
// best. Of more than three million premises PostgreSQL gets three million, whole
// postcodes from everywhere. One that fails is left out, and the report says
// why: it is not worth what else was measured. coverd's build is compared with
// the time in which PostgreSQL takes and indexes as many premises.
//
// # Budgets
//
// [Budgets] is what coverd promises at national scale, as code. [Judge] holds
// rows against them; what is missed stands as missed in the same table. Nothing
// here is asserted by a test: a test that fails because a machine is busy is
// soon one that nobody believes.
package bench

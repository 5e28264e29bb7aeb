// Package bench measures coverd: seeded questions over any snapshot, each figure
// beside its floor.
//
//	c := bench.NewCatalogue(snap)
//	rows, err := bench.Lookup(ctx, c, bench.LookupOptions{Mix: bench.Mixed, Seed: 1})
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
// an R-tree over the postcodes, the same bytes ready-made), and the ratio is the
// median over interleaved rounds: what strikes one strikes both.
//
// # Short questions
//
// Reading the clock takes some 40 ns and keeps the processor from looking ahead.
// The median of a question shorter than a microsecond is therefore that of
// batches of 128; its tail is that of single questions, the clock's own time
// subtracted.
package bench

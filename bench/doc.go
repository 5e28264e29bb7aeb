// Package bench measures coverd: seeded questions over any snapshot, in process
// and over HTTP, each figure beside its floor.
package bench

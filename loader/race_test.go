//go:build race

package loader

// underRace is whether the race detector makes everything some ten times as
// slow.
const underRace = true

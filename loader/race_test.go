//go:build race

package loader

// underRace tells tests that everything takes ten times as long, and allocates.
const underRace = true

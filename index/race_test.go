//go:build race

package index

// underRace tells tests that everything takes ten times as long.
const underRace = true

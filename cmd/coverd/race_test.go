//go:build race

package main

// underRace tells scripts that everything takes ten times as long.
const underRace = true

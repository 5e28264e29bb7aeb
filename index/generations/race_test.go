//go:build race

package generations

// underRace tells that everything is many times slower.
const underRace = true

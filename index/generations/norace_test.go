//go:build !race

package generations

const underRace = false

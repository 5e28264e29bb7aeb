package main

import (
	"strings"
	"testing"

	"coverd/bench"
)

// What is missing is named by a key that lookup takes; what could not be
// checked, and what was checked in another way, is said.
func TestPrintPremisesSweep(t *testing.T) {
	var b strings.Builder
	printPremisesSweep(&b, &bench.PremisesSweep{
		Premises: 1500, Postcode: bench.Found{Asked: 1500, Missing: 2, First: "GU1 1AA"}, Location: bench.Found{Asked: 1400}, Crowded: 50,
	})
	want := `premises found by                   asked  missing
UPRN                                    0        0
  nothing was checked: no premises has one
postcode                            1,500        2
  the first is GU1 1AA
location, at distance 0             1,400        0
50 premises are on spots with more than 100, of which a look-up gives no more: they come after all of these
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

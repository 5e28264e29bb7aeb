package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

func contentOf(t *testing.T, w *world) string {
	t.Helper()
	return w.open(t).Info().ContentDigest
}

func TestContentDigestTellsFactsApart(t *testing.T) {
	base := contentOf(t, makeWorld(3, 200))
	changes := map[string]func(w *world){
		"a premises' location": func(w *world) {
			for i := range w.rows {
				if w.rows[i].At.IsValid() {
					w.rows[i].At.Lat++
				}
			}
		},
		"an address":        func(w *world) { w.rows[1].address = "elsewhere" },
		"a claim":           func(w *world) { w.rows[2].claim.Info = "new" },
		"an area's vertex":  func(w *world) { w.areas[0].Shape[0][0][0].Lat += 1e-7 },
		"an area's claim":   func(w *world) { w.areas[1].Claim.Variant = "new" },
		"a postcode less":   func(w *world) { w.entries = w.entries[1:] },
		"a termination":     func(w *world) { w.entries[0].Terminated = 24000 },
		"a Region's vertex": func(w *world) { w.land[1][0][0][3].Lng += 1e-7 },
	}
	for name, change := range changes {
		w := makeWorld(3, 200)
		change(w)
		if contentOf(t, w) == base {
			t.Errorf("%s changed and the content digest did not", name)
		}
	}
	w := makeWorld(3, 200)
	w.options.Tool = "another"
	if contentOf(t, w) != base {
		t.Error("the tool's name is no fact")
	}
}

// TestContentDigestIsOfFactsNotOfTheirOrder gives the same facts in every other
// order: rows, files, areas, register.
func TestContentDigestIsOfFactsNotOfTheirOrder(t *testing.T) {
	base := contentOf(t, makeWorld(9, 300))
	for seed := range uint64(5) {
		w := makeWorld(9, 300)
		rng := rand.New(rand.NewPCG(seed, 4))
		rng.Shuffle(len(w.rows), func(i, j int) { w.rows[i], w.rows[j] = w.rows[j], w.rows[i] })
		rng.Shuffle(len(w.areas), func(i, j int) { w.areas[i], w.areas[j] = w.areas[j], w.areas[i] })
		rng.Shuffle(len(w.entries), func(i, j int) { w.entries[i], w.entries[j] = w.entries[j], w.entries[i] })
		for i := range w.rows {
			w.rows[i].File, w.rows[i].Line = uint32(rng.IntN(9)), uint32(i)
		}
		w.rows = append(w.rows, w.rows[:50]...) // said twice
		w.options.Tool, w.options.Indicative, w.options.Attributions = "another", true, nil
		if contentOf(t, w) != base {
			t.Errorf("shuffle %d: another content digest", seed)
		}
	}
}

// TestContentDigestAndAreasOfOneSize: the order of areas is a fact where it
// decides which claim is lent, and only there.
func TestContentDigestAndAreasOfOneSize(t *testing.T) {
	yes, no := says(NetworkSouth, AvailabilityTrue), says(NetworkSouth, AvailabilityFalse)
	digest := func(reverse bool, claims ...Claim) string {
		w := small()
		w.add(1, "GU1 1AA", located(52.5, -1.5), "", says(NetworkUnknown, AvailabilityTrue))
		for _, c := range claims {
			w.areas = append(w.areas, Area{Claim: c, Shape: geo.MultiPolygon{{square(52.4, -1.6, 0.2)}}})
		}
		if reverse {
			slices.Reverse(w.areas)
		}
		return contentOf(t, w)
	}
	if digest(false, yes, no) == digest(true, yes, no) {
		t.Error("two areas on one network region, exchanged: the same digest, and other answers")
	}
	fourG := says(Network4GSouth, AvailabilityTrue)
	if digest(false, yes, fourG) != digest(true, yes, fourG) {
		t.Error("two areas on two network regions, exchanged: another digest, and the same answers")
	}
}

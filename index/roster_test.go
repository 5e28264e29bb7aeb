package index

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"coverd/geo"
)

// enrol packs premises and reads them back. Groups start at the given rows.
func enrol(t *testing.T, uprns []geo.UPRN, address, kind []uint32, starts []int, workers int) (*Snapshot, *enrolled, uprnPlan) {
	t.Helper()
	in := &enrolled{
		n: len(uprns), kinds: int(slices.Max(kind)) + 1, starts: make([]uint64, blocksOf(len(uprns))),
		address: func(i int) uint32 { return address[i] },
		kind:    func(i int) uint32 { return kind[i] },
		uprn:    func(i int) geo.UPRN { return uprns[i] },
	}
	for _, row := range append([]int{0}, starts...) {
		in.starts[row/blockRows] |= 1 << (row % blockRows)
	}
	plan := planUPRNs(in, workers)
	raws := map[string][]byte{}
	raws[sectionPremHead], raws[sectionPremBits] = packRoster(in, plan.odd, workers)
	raws[sectionRunHead], raws[sectionRunBits] = packDirectory(plan.runs, in.n)
	raws[sectionOddHead], raws[sectionOddBits] = packDirectory(plan.odds, in.n)
	r := newReader(raws, workers)
	s := &Snapshot{
		roster: r.roster(sectionPremHead, sectionPremBits, in.n, int(slices.Max(address))+1, in.kinds),
		runs:   r.directory(sectionRunHead, sectionRunBits, in.n),
		odds:   r.directory(sectionOddHead, sectionOddBits, in.n),
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	return s, in, plan
}

// TestUPRNsHoweverGivenOut codes and finds UPRNs of every kind of distribution.
func TestUPRNsHoweverGivenOut(t *testing.T) {
	const most = maxUPRN
	for name, give := range map[string]func(rng *rand.Rand, i int) int64{
		"none":                    func(*rand.Rand, int) int64 { return 0 },
		"one after another":       func(_ *rand.Rand, i int) int64 { return 100 + int64(i) },
		"from the first there is": func(_ *rand.Rand, i int) int64 { return 1 + int64(i) },
		"up to the last there is": func(_ *rand.Rand, i int) int64 { return most - int64(i) },
		"backwards":               func(_ *rand.Rand, i int) int64 { return 10_000_000 - 3*int64(i) },
		"anywhere":                func(rng *rand.Rand, _ int) int64 { return 1 + rng.Int64N(most) },
		"anywhere near":           func(rng *rand.Rand, i int) int64 { return 1 + 700*int64(i) + rng.Int64N(600) },
		"by turns": func(_ *rand.Rand, i int) int64 { // every group among all others
			return 5_000_000 + int64(i%17)*200 + int64(i/17)
		},
		"shuffled in a small span": func(_ *rand.Rand, i int) int64 { return 1 + int64(i)*7919%1_000_003 },
		"both ends": func(rng *rand.Rand, i int) int64 {
			if i%2 == 0 {
				return 1 + int64(i)
			}
			return most - int64(i)
		},
		"in runs, three in ten elsewhere": func(rng *rand.Rand, i int) int64 {
			if rng.IntN(10) < 3 {
				return 500_000_000 + 2*int64(i) + rng.Int64N(2)
			}
			return 990_000_000_000 + 4*int64(i)
		},
		"every other one": func(_ *rand.Rand, i int) int64 { return int64(i%2) * (1 + int64(i)) },
		"one alone": func(_ *rand.Rand, i int) int64 {
			if i == 37 {
				return most
			}
			return 0
		},
		"powers of two": func(_ *rand.Rand, i int) int64 {
			if i < 39 {
				return 1 << i
			}
			return 0
		},
	} {
		for _, size := range []int{1, 17, 64, 65, 1000} { // of a group
			for _, n := range []int{1, 63, 64, 65, 129, 1500} {
				rng := rand.New(rand.NewPCG(uint64(size), uint64(n)))
				uprns, address, kind := make([]geo.UPRN, n), make([]uint32, n), make([]uint32, n)
				rows := map[geo.UPRN]int{}
				var starts []int
				for i := range n {
					u := geo.UPRN(give(rng, i))
					if _, twice := rows[u]; twice {
						u = 0
					}
					uprns[i] = u
					if u > 0 {
						rows[u] = i
					}
					address[i], kind[i] = uint32(rng.ExpFloat64()*100), uint32(i/50+rng.IntN(2))
					if i%size == 0 {
						starts = append(starts, i)
					}
				}
				s, in, plan := enrol(t, uprns, address, kind, starts, 1+rng.IntN(3))
				for i := range n {
					if got := s.roster.uprn(i); got != uprns[i] {
						t.Fatalf("%s, groups of %d, premises %d of %d: UPRN %v, want %v", name, size, i, n, got, uprns[i])
					}
					if a, k, g := s.roster.address(i), s.roster.kind(i), s.roster.group(i); a != int(address[i]) || k != int(kind[i]) || g != i/size {
						t.Fatalf("%s, groups of %d, premises %d of %d: address %d, kind %d, group %d", name, size, i, n, a, k, g)
					}
					for _, u := range []geo.UPRN{uprns[i] - 1, uprns[i], uprns[i] + 1} {
						want, known := rows[u]
						if p, ok := s.UPRN(u); ok != known || known && int(p.row) != want {
							t.Fatalf("%s, groups of %d: UPRN %v at %d, %v; want %d, %v", name, size, u, p.row, ok, want, known)
						}
					}
				}
				for _, u := range []geo.UPRN{0, 1, most, most + 1, 1 << 41} {
					if _, ok := s.UPRN(u); ok && rows[u] == 0 && uprns[0] != u {
						t.Fatalf("%s: found UPRN %v", name, u)
					}
				}
				checkPlan(t, name, in, &plan)
			}
		}
	}
}

// checkPlan holds a plan against the rule that no run reaches into another.
func checkPlan(t *testing.T, name string, in *enrolled, plan *uprnPlan) {
	t.Helper()
	last, held := uint64(0), 0
	for _, run := range plan.runs {
		if run.uprn <= last {
			t.Fatalf("%s: a run from %d after one up to %d", name, run.uprn, last)
		}
		for row := int(run.row); row < in.runEnd(int(run.row)); row++ {
			if u := uint64(in.uprn(row)); plan.odd[row/blockRows]>>(row%blockRows)&1 == 0 {
				held++
				last = max(last, u)
				if u < run.uprn {
					t.Fatalf("%s: %d in a run from %d", name, u, run.uprn)
				}
			}
		}
	}
	odd := 0
	for _, mask := range plan.odd {
		odd += bits.OnesCount64(mask)
	}
	if held+odd != in.n {
		t.Fatalf("%s: %d in runs and %d alone, of %d", name, held, odd, in.n)
	}
	if name == "one after another" && len(plan.odds) > 0 {
		t.Errorf("%s: %d alone", name, len(plan.odds))
	}
}

// TestRosterHoldsAnyValues draws addresses and kinds that fit no pattern.
func TestRosterHoldsAnyValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		n := 1 + rng.IntN(300)
		uprns, address, kind := make([]geo.UPRN, n), make([]uint32, n), make([]uint32, n)
		wide, kinds := 1+rng.IntN(31), 1+rng.IntN(200)
		for i := range n {
			address[i], kind[i] = rng.Uint32N(1<<rng.IntN(wide+1)), rng.Uint32N(uint32(kinds))
		}
		s, _, _ := enrol(t, uprns, address, kind, nil, 2)
		for i := range n {
			if a, k := s.roster.address(i), s.roster.kind(i); a != int(address[i]) || k != int(kind[i]) {
				t.Fatalf("premises %d: address %d, want %d; kind %d, want %d", i, a, address[i], k, kind[i])
			}
		}
	}
}

func TestTwoWidthsAreTheBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		list := make([]uint32, blockRows)
		for i := range list {
			list[i] = rng.Uint32() >> (8 + rng.IntN(25))
		}
		size := func(w, w2 int) (sum int) {
			for _, v := range list {
				if bits.Len32(v) <= w {
					sum += w
				} else {
					sum += w2
				}
			}
			return sum
		}
		widest := bits.Len32(slices.Max(list))
		w, w2 := twoWidths(list)
		for k := range widest + 1 {
			if size(k, widest) < size(int(w), max(int(w2), int(w))) {
				t.Fatalf("%d and %d bits take %d, %d and %d take %d", w, w2, size(int(w), int(w2)), k, widest, size(k, widest))
			}
		}
	}
}

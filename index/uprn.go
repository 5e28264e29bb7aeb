package index

import (
	"math/bits"
	"slices"

	"coverd/geo"
)

// UPRN finds a premises by its UPRN.
func (s *Snapshot) UPRN(u geo.UPRN) (Premises, bool) {
	if u == 0 || u > maxUPRN {
		return Premises{}, false
	}
	if run, ok := s.runs.floor(uint64(u)); ok {
		if row, ok := s.roster.inRun(int(run.row), u); ok {
			return Premises{s, uint32(row)}, true
		}
	}
	e, ok := s.odds.floor(uint64(u))
	if !ok || e.uprn != uint64(u) {
		return Premises{}, false
	}
	p := Premises{s, e.row}
	return p, p.UPRN() == u
}

// uprnPlan says how UPRNs are coded: which are in runs and which stand alone.
type uprnPlan struct {
	odd  []uint64 // by block: rows that stand alone, those without a UPRN included
	runs []keyed  // the least UPRN and the first row of each run that has any
	odds []keyed  // UPRNs that stand alone
}

// planUPRNs finds the runs. A run is the rows of one group in one block; those
// of its UPRNs that lie close to each other are coded by their distance from
// the least, the others stand alone. No two runs overlap, so that a UPRN is in
// the run that begins last before it, or in none.
//
// # Why
//
// Local authorities give out UPRNs street by street: in most postcodes most lie
// within some tens of each other, and the others anywhere. At national scale
// two in three are in runs, at 5 bits, and a list of the runs finds them all
// for 2.6 bits a premises more. One that stands alone takes some 20 bits, and
// 36 in a list of its own. That makes 3.4 bytes a premises for both directions;
// a column of UPRNs and the rows in their order took 8.1. It is right however
// UPRNs are given out, and at worst, none in a run, takes 10 bytes. A look-up
// takes 0.9 µs, mostly for what is not in the caches; it took 1.7.
func planUPRNs(in *enrolled, workers int) uprnPlan {
	p := uprnPlan{odd: make([]uint64, blocksOf(in.n))}
	shareOut(len(p.odd), 1024, workers, func(block int) { p.odd[block] = oddUPRNs(in, block) })
	isOdd := func(row int) bool { return p.odd[row/blockRows]>>(row%blockRows)&1 == 1 }

	spans := gather(len(p.odd), workers, func(block int, spans []span) []span { return in.appendSpans(spans, block, p.odd[block]) })
	sortParallel(spans, workers, func(a, b span) int { return a.compare(b.keyed) })
	taken := uint64(0) // up to here
	for _, s := range spans {
		if s.uprn <= taken { // what lies among the runs before stands alone
			s.uprn = 0
			for row := int(s.row); row < in.runEnd(int(s.row)); row++ {
				if u := uint64(in.uprn(row)); isOdd(row) {
					continue
				} else if u <= taken {
					p.odd[row/blockRows] |= 1 << (row % blockRows)
				} else if s.uprn == 0 || u < s.uprn {
					s.uprn = u
				}
			}
			if s.uprn == 0 {
				continue
			}
		}
		taken = s.last
		p.runs = append(p.runs, s.keyed)
	}
	p.odds = gather(len(p.odd), workers, func(block int, odds []keyed) []keyed {
		for odd := p.odd[block]; odd != 0; odd &= odd - 1 {
			row := block*blockRows + bits.TrailingZeros64(odd)
			if u := in.uprn(row); u > 0 {
				odds = append(odds, keyed{uint64(u), uint32(row)})
			}
		}
		return odds
	})
	sortParallel(p.odds, workers, keyed.compare)
	return p
}

// span is a run, from its least UPRN to the last.
type span struct {
	keyed
	last uint64
}

// appendSpans appends the runs of a block that have UPRNs.
func (in *enrolled) appendSpans(spans []span, block int, odd uint64) []span {
	first := block * blockRows
	for row, end := first, 0; row < min(in.n, first+blockRows); row = end {
		end = in.runEnd(row)
		s := span{keyed: keyed{row: uint32(row)}}
		for k := row; k < end; k++ {
			if u := uint64(in.uprn(k)); odd>>(k-first)&1 == 0 {
				if s.last == 0 || u < s.uprn {
					s.uprn = u
				}
				s.last = max(s.last, u)
			}
		}
		if s.last > 0 {
			spans = append(spans, s)
		}
	}
	return spans
}

// runEnd returns the end of the run that a row is in.
func (in *enrolled) runEnd(row int) int {
	next := bits.TrailingZeros64(in.starts[row/blockRows] >> (row % blockRows) >> 1)
	return min(row+1+next, (row/blockRows+1)*blockRows, in.n)
}

const (
	// maxRunWidth bounds the reach of a run. Of 6 to 11 bits 8 takes least at
	// national scale: with less fewer UPRNs are in runs, with more runs overlap.
	maxRunWidth = 8
	oddCost     = 52 // about what a UPRN takes that stands alone, in bits
)

// oddUPRNs returns the rows of a block that do not lie within their run's
// reach, the reach being that of all runs of the block that takes fewest bits.
func oddUPRNs(in *enrolled, block int) (odd uint64) {
	first := block * blockRows
	end := min(in.n, first+blockRows)
	var uprns [blockRows]uint64 // of each run in order
	var ends [blockRows]int     // of the runs in uprns
	runs, n := 0, 0
	for row := first; row < end; runs++ {
		from := n
		for stop := in.runEnd(row); row < stop; row++ {
			if u := in.uprn(row); u > 0 {
				uprns[n] = uint64(u)
				n++
			}
		}
		slices.Sort(uprns[from:n])
		ends[runs] = n
	}
	width, least := uint(0), n*oddCost+1
	for w := range uint(maxRunWidth + 1) {
		held, from := 0, 0
		for _, to := range ends[:runs] {
			_, k := densest(uprns[from:to], w)
			held, from = held+k, to
		}
		if cost := held*int(w) + (n-held)*oddCost; cost < least {
			width, least = w, cost
		}
		if held == n {
			break
		}
	}
	run, from := 0, 0
	for row := first; row < end; run++ {
		lo, _ := densest(uprns[from:ends[run]], width)
		from = ends[run]
		for stop := in.runEnd(row); row < stop; row++ {
			if u := uint64(in.uprn(row)); u == 0 || u < lo || u-lo >= 1<<width {
				odd |= 1 << (row - first)
			}
		}
	}
	return odd
}

// densest returns the first of the windows of 2^w numbers that hold most of a
// sorted list, and how many it holds.
func densest(list []uint64, w uint) (start uint64, n int) {
	j := 0
	for i, u := range list {
		for j < len(list) && list[j]-u < 1<<w {
			j++
		}
		if j-i > n {
			start, n = u, j-i
		}
	}
	return start, n
}

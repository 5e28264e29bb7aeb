package bench

import (
	"context"
	"fmt"
	"math"

	"coverd/index"
)

// growth compares sizes, the smallest first: the national one, and those beyond
// it, with the smaller ones.
func growth(sizes []Size, national int64) (rows []Row) {
	if len(sizes) < 2 {
		return nil
	}
	small := &sizes[0]
	for i := range sizes[1:] {
		if large := &sizes[1+i]; large.Snapshot.Premises >= national {
			rows = append(rows, slowing(small, large)...)
		}
	}
	for i := range sizes {
		if i > 0 && sizes[i].Snapshot.Premises >= national || i == len(sizes)-1 && rows == nil {
			rows = append(rows,
				marginal(rowGrowthFile, sizes[:i+1], func(s *Snapshot) int64 { return s.Bytes }),
				marginal(rowGrowthHeld, sizes[:i+1], func(s *Snapshot) int64 { return s.Memory }))
		}
	}
	return rows
}

// slowing compares the times of look-ups at two sizes with those of map gets.
func slowing(small, large *Size) (rows []Row) {
	for _, q := range []string{qPostcode, qUPRN} {
		a, b := find(small.Rows, q), find(large.Rows, q)
		if a == nil || b == nil || a.Floor == nil || b.Floor == nil {
			continue
		}
		ours, floor := *b.P50 / *a.P50, *b.Floor / *a.Floor
		rows = append(rows, Row{
			Name: rowGrowth + q, N: large.Snapshot.Premises, Unit: unitTimes, P50: rounded(ours), Floor: rounded(floor), FloorOf: b.FloorOf,
			Ratio: rounded(ours / floor), Note: "from " + thousands(float64(small.Snapshot.Premises)) + " premises",
		})
	}
	return rows
}

// marginal compares what a further premises costs between two sizes with what
// it cost between the two before: the worst of these ratios. The mean cost of a
// premises would say little, because what does not depend on their number
// spreads over ever more of them. Of two sizes there is only that.
func marginal(name string, sizes []Size, bytes func(*Snapshot) int64) Row {
	at := func(i int) (n, b float64) {
		return float64(sizes[i].Snapshot.Premises), float64(bytes(sizes[i].Snapshot))
	}
	last, _ := at(len(sizes) - 1)
	r := Row{Name: name, N: int64(last), Unit: unitTimes, Note: "bytes of a further premises between neighbouring sizes, times those between the two before; the worst"}
	worst := math.Inf(-1)
	for i := 2; i < len(sizes); i++ {
		n0, b0 := at(i - 2)
		n1, b1 := at(i - 1)
		n2, b2 := at(i)
		worst = max(worst, (b2-b1)/(n2-n1)/((b1-b0)/(n1-n0)))
	}
	if len(sizes) == 2 {
		n0, b0 := at(0)
		n1, b1 := at(1)
		worst = (b1 / n1) / (b0 / n0)
		r.Note = "bytes a premises, times those at the smaller size: two sizes tell no more"
	}
	r.P50, r.Ratio = rounded(worst), rounded(worst)
	return r
}

// beside compares the build of the size that is nearest to the one which
// PostgreSQL was filled with, where it was.
func beside(rows []Row, sizes []Size) []Row {
	load := find(rows, rowPeerLoad)
	if load == nil || load.N == 0 {
		return nil
	}
	far := func(s *Size) float64 { return math.Abs(math.Log(float64(s.Snapshot.Premises) / float64(load.N))) }
	near := &sizes[0]
	for i := range sizes {
		if far(&sizes[i]) < far(near) {
			near = &sizes[i]
		}
	}
	build := find(near.Rows, rowBuild)
	if build == nil {
		return nil
	}
	premises := float64(near.Snapshot.Premises)
	scaled := *load.P50 * premises / float64(load.N)
	return []Row{{
		Name: rowBuildPeer, N: near.Snapshot.Premises, Unit: unitTimes, P50: rounded(scaled / *build.P50),
		Note: fmt.Sprintf("%s premises: here %s s from %s rows of extracts, parsed, checked and merged; there %s s, by the premises, for rows that are merged already",
			thousands(premises), figure(build.P50), thousands(float64(build.N)), figure(rounded(scaled))),
	}}
}

// edgesTested counts how many edges the look-up of a Region tests: at postcodes,
// vertices and corners of cells, at n points beside borders and coasts, and at
// as many anywhere.
func edgesTested(ctx context.Context, snap *index.Snapshot, n int, seed uint64) (Row, error) {
	var points, wrong int64
	most := 0
	err := snap.SweepRegions(ctx, max(n, 1), seed, func(s index.Sweep) {
		points, wrong, most = points+s.Points, wrong+s.Wrong, max(most, s.MaxEdges)
	})
	if err != nil {
		return Row{}, err
	}
	return Row{
		Name: rowEdges, N: points, Unit: unitEdges, P50: new(float64(most)),
		Note: fmt.Sprintf("the Regions of %s of these points are not those of the polygons around them", thousands(float64(wrong))),
	}, nil
}

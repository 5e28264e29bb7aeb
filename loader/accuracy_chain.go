package loader

import (
	"cmp"
	"slices"

	"coverd/index"
)

// chain is snapshots in the order of the days on which they came into force.
type chain struct{ snaps []*index.Snapshot }

// newChain orders snapshots. Of several of one day that stands last which was
// built on the others, or was given last.
func newChain(snaps []*index.Snapshot) chain {
	c := chain{slices.Clone(snaps)}
	slices.SortStableFunc(c.snaps, func(a, b *index.Snapshot) int {
		if day := cmp.Compare(a.Info().AsOf, b.Info().AsOf); day != 0 {
			return day
		}
		switch {
		case a.Info().Previous == b.ID():
			return 1
		case b.Info().Previous == a.ID():
			return -1
		}
		return 0
	})
	c.snaps = slices.CompactFunc(c.snaps, func(a, b *index.Snapshot) bool { return a.ID() == b.ID() })
	return c
}

// at finds the snapshot to ask what the database said on a known day. inForce
// tells that it is the very one that answered on that day; else it is a later
// one, which remembers. A snapshot is in force until the next, which is known
// where that was built on it, or where it is the last. ok is false where none
// reaches back to the day.
func (c *chain) at(known index.Day) (s *index.Snapshot, inForce, ok bool) {
	i, _ := slices.BinarySearchFunc(c.snaps, known+1, func(s *index.Snapshot, day index.Day) int { return cmp.Compare(s.Info().AsOf, day) })
	if i > 0 && (i == len(c.snaps) || c.snaps[i].Info().Previous == c.snaps[i-1].ID()) {
		return c.snaps[i-1], true, true
	}
	for _, s := range c.snaps[i:] {
		if s.HistoryFrom() <= known {
			return s, false, true
		}
	}
	return nil, false, false
}

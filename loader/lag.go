package loader

import (
	"cmp"
	"slices"

	"coverd/index"
)

// How much of a list a report holds.
const (
	maxOutcodes = 100
	maxOldest   = 20
)

// ageBounds are where the classes of ages start, in months.
var ageBounds = [...]int{0, 1, 2, 3, 6, 12, 24, 60}

// lagOf tells how long the postcodes that are in no extract have been waiting.
// Only their register knows when a postcode was introduced, and not every one
// says so; of the others it is told whether the previous snapshot had them.
func lagOf(waiting []index.Entry, asOf index.Day, previous *index.Snapshot, registers *registerCounts) *Lag {
	lag := &Lag{Postcodes: int64(len(waiting)), New: -1, Outcodes: []LagOutcode{}, Oldest: []LagPostcode{}}
	if previous != nil {
		lag.New = 0
	}
	for i, from := range ageBounds {
		a := AgeCount{Months: from}
		if i+1 < len(ageBounds) {
			a.Until = ageBounds[i+1]
		}
		lag.Ages = append(lag.Ages, a)
	}
	today := monthOf(asOf)
	type outcode struct {
		LagOutcode
		oldest  index.Month
		waiting outcodeCount
	}
	var outcodes []outcode
	var dated []index.Entry
	for i := range waiting {
		e := &waiting[i]
		o := e.Postcode.Outcode()
		if i == 0 || waiting[i-1].Postcode.Outcode() != o {
			outcodes = append(outcodes, outcode{LagOutcode: LagOutcode{Outcode: o.String()}})
			if c := registers.outcodes[o]; c != nil {
				outcodes[len(outcodes)-1].Live = c.live
			}
		}
		at := &outcodes[len(outcodes)-1]
		at.Postcodes++
		at.waiting.add(e.At)
		if previous != nil {
			if _, had := previous.Postcode(e.Postcode); !had {
				lag.New++
			}
		}
		if e.Introduced == 0 {
			lag.Undated++
			continue
		}
		lag.Dated++
		if at.oldest == 0 || e.Introduced < at.oldest {
			at.oldest = e.Introduced
		}
		k, _ := slices.BinarySearch(ageBounds[:], max(0, int(today-e.Introduced))+1)
		lag.Ages[k-1].Postcodes++
		dated = append(dated, *e)
	}
	slices.SortFunc(dated, func(a, b index.Entry) int {
		return cmp.Or(cmp.Compare(a.Introduced, b.Introduced), a.Postcode.Compare(b.Postcode))
	})
	for _, e := range dated[:min(len(dated), maxOldest)] {
		lag.Oldest = append(lag.Oldest, LagPostcode{e.Postcode.String(), e.Introduced.String(), max(0, int(today-e.Introduced))})
	}
	slices.SortStableFunc(outcodes, func(a, b outcode) int { return cmp.Compare(b.Postcodes, a.Postcodes) })
	for _, o := range outcodes[:min(len(outcodes), maxOutcodes)] {
		o.Oldest = o.oldest.String()
		o.Place = o.waiting.place()
		lag.Outcodes = append(lag.Outcodes, o.LagOutcode)
	}
	return lag
}

// monthOf is the month of a day.
func monthOf(d index.Day) index.Month {
	t := d.Time()
	return index.Month(t.Year()*12 + int(t.Month()) - 1)
}

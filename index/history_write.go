package index

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"coverd/geo"
)

// Sections of a history; FORMAT.md says what each holds.
const (
	sectionPastHead = "hist.head"
	sectionPastRows = "hist.rows"
	sectionPastBits = "hist.bits"
	sectionPastGone = "hist.gone"
	sectionPastUPRN = "hist.uprn"
	sectionPastText = "hist.text"
)

// What a history may take in the file: at most one in so many bytes of the rest,
// or pastFloor. A year of nights takes a twelfth; the room is for a night that
// changes the whole country.
const (
	pastShare = 2
	pastFloor = 1 << 20
)

// keeper makes the history of a snapshot from that of the one before, and from
// what has changed since.
type keeper struct {
	*tracker
	before, after *Snapshot
	ids           []string
	days          []Day             // and the new snapshot's own
	lost          []uint32          // rows of the old snapshot, rising
	returned      map[uint32]uint32 // by row: which of those gone from the old one it is
	gone          []goneRow
	goneEvents    [][]pastEvent
}

// pastEvent is the night that something changed in, in the numbering of the
// history to be written, and the aspect there was before.
type pastEvent struct{ night, before uint32 }

// historySections writes what a snapshot remembers, in at most so many bytes; no
// sections where it remembers nothing. lost are the rows of the old snapshot that
// are not in the new one.
func historySections(old, now *Snapshot, t *tracker, lost []uint32, room, workers int) []section {
	k := &keeper{tracker: t, before: old, after: now, lost: lost}
	slices.Sort(k.lost)
	if h := old.past; h != nil {
		k.ids, k.days = slices.Clone(h.ids), slices.Clone(h.days[:len(h.ids)])
	}
	if old.info.AsOf < now.info.AsOf { // else it is in force on no day
		k.ids, k.days = append(k.ids, old.ID()), append(k.days, old.info.AsOf)
	}
	k.days = append(k.days, now.info.AsOf)
	k.findReturned()
	drop := 0
	for drop+1 < len(k.ids) && k.days[drop+1] <= now.info.AsOf-keptDays {
		drop++
	}
	for {
		k.forget(drop)
		if len(k.ids) == 0 {
			return nil
		}
		k.findGone()
		sections, perNight := k.write(workers)
		size := 0
		for _, s := range sections {
			size += len(s.raw)
		}
		if size <= room {
			return sections
		}
		drop = excess(perNight, size, room)
	}
}

// excess is how many of the oldest nights must go for the rest to fit.
func excess(perNight []int, size, room int) int {
	total := 0
	for _, n := range perNight {
		total += n
	}
	left, most := total, int(float64(total)*0.95*float64(room)/float64(size))
	for drop, n := range perNight {
		if left <= most && drop > 0 {
			return drop
		}
		left -= n
	}
	return len(perNight)
}

// forget drops the oldest snapshots.
func (k *keeper) forget(n int) {
	k.ids, k.days = k.ids[n:], k.days[n:]
	k.forgotten += n
}

// findReturned looks for new premises among those that were gone.
func (k *keeper) findReturned() {
	k.returned = map[uint32]uint32{}
	if k.before.DepartedLen() == 0 {
		return
	}
	points := map[geo.Location]uint32{}
	for i := range k.before.DepartedLen() {
		d := Departed{k.before, uint32(i)}
		if r := d.row(); r.uprn == 0 && (r.address == "" || !d.Postcode().IsValid()) {
			points[r.at] = uint32(i)
		}
	}
	var list []Departed
	for row, from := range k.from {
		if from != came {
			continue
		}
		p := Premises{k.after, uint32(row)}
		if u := p.UPRN(); u != 0 {
			if d, ok := k.before.Departed(u); ok {
				k.returned[p.row] = d.i
			}
			continue
		}
		postcode, address := p.Postcode(), p.Address()
		if !postcode.IsValid() || len(address) == 0 {
			if i, ok := points[p.At()]; ok && p.At().IsValid() {
				k.returned[p.row] = i
			}
			continue
		}
		fold := FoldAddress(string(address))
		list = k.before.AppendDeparted(list[:0], postcode)
		for _, d := range list {
			if d.UPRN() == 0 && len(d.Address()) > 0 && FoldAddress(string(d.Address())) == fold {
				k.returned[p.row] = d.i
			}
		}
	}
}

// findGone lists the premises that are not there any more and still have a past.
func (k *keeper) findGone() {
	type entry struct {
		goneRow
		events []pastEvent
	}
	var list []entry
	back := map[uint32]bool{}
	for _, i := range k.returned {
		back[i] = true
	}
	add := func(row goneRow, events []pastEvent) {
		if len(events) > 0 {
			list = append(list, entry{row, events})
		}
	}
	for i := range k.before.DepartedLen() {
		if !back[uint32(i)] {
			add(Departed{k.before, uint32(i)}.row(), k.ending(k.carried(nil, k.before.premises.n+i), 0))
		}
	}
	for _, row := range k.lost {
		p := Premises{k.before, row}
		events := k.tonight(k.carried(nil, int(row)), 0, k.old[p.Kind()])
		add(goneRow{postcodePlace(p.Postcode()), p.UPRN(), string(p.Address()), p.At()}, k.ending(events, 0))
	}
	slices.SortStableFunc(list, func(a, b entry) int { return a.compare(&b.goneRow) })
	k.gone, k.goneEvents = make([]goneRow, len(list)), make([][]pastEvent, len(list))
	for i := range list {
		k.gone[i], k.goneEvents[i] = list[i].goneRow, list[i].events
	}
}

// carried appends what is still remembered of a row of the old snapshot.
func (k *keeper) carried(dst []pastEvent, row int) []pastEvent {
	if k.remembers == nil {
		return dst
	}
	c := k.remembers.chain(row)
	for {
		night, code, ok := c.next()
		if !ok {
			return dst
		}
		if night > k.forgotten {
			dst = append(dst, pastEvent{uint32(night - k.forgotten), k.past[code]})
		}
	}
}

// tonight appends that something has changed since the old snapshot to the events
// from an offset on. Of several changes on one day the first tells what was said
// up to it.
func (k *keeper) tonight(events []pastEvent, from int, before uint32) []pastEvent {
	night := uint32(len(k.ids))
	if n := len(events); n > from && events[n-1].night == night {
		return events
	}
	return append(events, pastEvent{night, before})
}

// ending drops the last event, from an offset on, where there was said before it
// what is said now: what was changed that day was changed back.
func (k *keeper) ending(events []pastEvent, now uint32) []pastEvent {
	if n := len(events); n > 0 && events[n-1].before == now {
		return events[:n-1]
	}
	return events
}

// events appends those of a row of the new snapshot, or behind its rows of the
// premises that are gone.
func (k *keeper) events(dst []pastEvent, row int) []pastEvent {
	if row >= len(k.from) {
		return append(dst, k.goneEvents[row-len(k.from)]...)
	}
	origin, from, before := k.from[row], len(dst), uint32(0)
	if origin == 0 {
		return dst
	}
	if origin != came {
		dst, before = k.carried(dst, int(origin-1)), k.old[k.before.roster.kind(int(origin-1))]
	} else if i, back := k.returned[uint32(row)]; back {
		dst = k.carried(dst, k.before.premises.n+int(i))
	}
	now := k.tracker.now[k.after.roster.kind(row)]
	if before != now {
		dst = k.tonight(dst, from, before)
	}
	if len(dst) > from {
		dst = k.ending(dst, now)
	}
	return dst
}

// pastPart is what a worker makes of some blocks of rows.
type pastPart struct {
	rows   []uint32 // those that have a past
	ends   []uint32 // of their events
	events []pastEvent
	bits   []byte
}

// pastPartRows is the number of rows that a worker takes at a time.
const pastPartRows = 64 * pastRows

// write writes the sections, and tells how many events there are of each night.
func (k *keeper) write(workers int) (sections []section, perNight []int) {
	total := len(k.from) + len(k.gone)
	parts := make([]pastPart, (total+pastPartRows-1)/pastPartRows)
	shareOut(len(parts), 1, workers, func(i int) {
		p := &parts[i]
		for row := i * pastPartRows; row < min(total, (i+1)*pastPartRows); row++ {
			n := len(p.events)
			if p.events = k.events(p.events, row); len(p.events) > n {
				p.rows, p.ends = append(p.rows, uint32(row)), append(p.ends, uint32(len(p.events)))
			}
		}
	})
	used := make([]bool, len(k.book.contents))
	perNight = make([]int, len(k.ids))
	for i := range parts {
		for _, e := range parts[i].events {
			used[e.before] = true
			perNight[e.night-1]++
		}
	}
	head, codes, aspects := k.book.encode(k.encodeNights(), used)
	heads := make([]byte, (total+pastRows-1)/pastRows*pastHeadSize)
	w := pastWriter{codes: codes, codeWidth: widthBelow(aspects + 1), nightWidth: widthBelow(len(k.ids))}
	shareOut(len(parts), 1, workers, func(i int) {
		w.part(&parts[i], i*pastPartRows, heads[i*pastPartRows/pastRows*pastHeadSize:], min(total, (i+1)*pastPartRows))
	})
	size := bitPadding
	for i := range parts {
		size += len(parts[i].bits)
	}
	packed := make([]byte, 0, size)
	for i := range parts {
		start := uint32(len(packed) / 8)
		for block := i * pastPartRows / pastRows; block < min(len(heads)/pastHeadSize, (i+1)*pastPartRows/pastRows); block++ {
			h := heads[block*pastHeadSize:]
			binary.LittleEndian.PutUint32(h, binary.LittleEndian.Uint32(h)+start)
		}
		packed = append(packed, parts[i].bits...)
	}
	packed = append(packed, make([]byte, bitPadding)...)
	return append([]section{{sectionPastHead, head}, {sectionPastRows, heads}, {sectionPastBits, packed}}, k.goneSections()...), perNight
}

// encodeNights encodes the snapshots that are remembered.
func (k *keeper) encodeNights() []byte {
	b := binary.AppendUvarint([]byte{historyLayout}, uint64(len(k.ids)))
	for i, id := range k.ids {
		raw, err := hex.DecodeString(id)
		if err != nil || len(raw) != idBytes {
			panic("index: ID " + id) // that of a snapshot
		}
		b = binary.AppendVarint(append(b, raw...), int64(k.days[i]))
	}
	return b
}

func (k *keeper) goneSections() []section {
	var text bytes.Buffer
	var withUPRN []uint32
	for i := range k.gone {
		text.WriteString(k.gone[i].address)
		if k.gone[i].uprn != 0 {
			withUPRN = append(withUPRN, uint32(i))
		}
	}
	slices.SortStableFunc(withUPRN, func(a, b uint32) int { return int(int64(k.gone[a].uprn) - int64(k.gone[b].uprn)) })
	return []section{
		{sectionPastGone, recordsOf(len(k.gone), goneFields(k.gone)...)},
		{sectionPastUPRN, columnOf(len(withUPRN), func(i int) int64 { return int64(withUPRN[i]) })},
		{sectionPastText, text.Bytes()},
	}
}

// pastWriter packs events.
type pastWriter struct {
	codes                 []uint32 // by aspect
	codeWidth, nightWidth uint
}

// part packs the blocks of a part, the first of which begins with row first.
// Starts in heads are from the part's own.
func (w *pastWriter) part(p *pastPart, first int, heads []byte, end int) {
	i, from := 0, uint32(0) // the row under way, and where its events start
	var list []uint32
	for block := first; block < end; block += pastRows {
		head := heads[(block-first)/pastRows*pastHeadSize:][:pastHeadSize]
		binary.LittleEndian.PutUint32(head, uint32(len(p.bits)/8))
		n := i
		for n < len(p.rows) && int(p.rows[n]) < block+pastRows {
			n++
		}
		if n == i {
			continue
		}
		list = list[:0]
		for _, e := range p.events[from:p.ends[n-1]] {
			list = append(list, w.codes[e.before])
		}
		slices.Sort(list)
		list = slices.Compact(list)
		binary.LittleEndian.PutUint32(head[4:], uint32(len(list)))
		width := widthBelow(len(list))
		stride := 1 + w.nightWidth + width
		size := uint(len(list))*w.codeWidth + uint(p.ends[n-1]-from)*stride
		start := len(p.bits)
		p.bits = append(p.bits, make([]byte, (size+63)/64*8+bitPadding)...)
		out, at := p.bits[start:], uint(0)
		for _, code := range list {
			store(out, at, uint64(code))
			at += w.codeWidth
		}
		for ; i < n; i++ {
			row := p.rows[i] % pastRows
			head[8+row/8] |= 1 << (row % 8)
			for ; from < p.ends[i]; from++ {
				e := p.events[from]
				place, _ := slices.BinarySearch(list, w.codes[e.before])
				v := uint64(e.night-1)<<1 | uint64(place)<<(1+w.nightWidth)
				if from+1 == p.ends[i] {
					v |= 1
				}
				store(out, at, v)
				at += stride
			}
		}
		p.bits = p.bits[:len(p.bits)-bitPadding]
	}
}

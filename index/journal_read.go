package index

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"coverd/geo"
)

// readJournal reads the nights, if there are any that this program can read, and
// decodes every event of them once, so that no question fails on one later.
func (s *Snapshot) readJournal(r *reader) {
	head, ok := r.raws[sectionChangeHead]
	if r.err != nil || !ok {
		return
	}
	log := r.bytes(sectionChangeLog)
	if r.err != nil {
		return
	}
	j, err := parseJournal(head, log)
	if j == nil {
		r.check(sectionChangeHead, err)
		return
	}
	if n := len(j.nights); n > 0 && j.nights[n-1].Since != s.info.Previous {
		r.check(sectionChangeHead, fmt.Errorf("changes since %s of a snapshot built on %q", j.nights[n-1].Since, s.info.Previous))
		return
	}
	r.check(sectionChangeLog, j.verify(r.workers))
	s.journal = j
}

// parseJournal reads the list of nights; nil without an error for a layout of
// later.
func parseJournal(head, log []byte) (*journal, error) {
	d := decoder{b: head}
	if layout := d.uvarint(); d.err == nil && layout != journalLayout {
		return nil, nil //nolint:nilnil // none that can be read, which is no damage
	}
	j := &journal{log: log}
	number := func() int { return int(d.below(1<<40, "number")) }
	at := 0
	add := func(most int) (f frame) {
		f = frame{from: at, stored: number(), raw: number()}
		if d.err == nil && (f.stored > len(log)-at || !f.fits(most)) {
			d.err = fmt.Errorf("a frame of %d bytes from %d at %d of %d", f.raw, f.stored, at, len(log))
		}
		at += f.stored
		return f
	}
	for range d.count(len(head), "nights") {
		var n night
		if len(d.b) < idBytes {
			d.fail("ID")
			break
		}
		n.Since, d.b = hex.EncodeToString(d.b[:idBytes]), d.b[idBytes:]
		n.SinceAsOf, n.AsOf = d.day(), d.day()
		n.TooBig = d.byte(2) == 1
		for k := range n.Changes {
			n.Changes[k] = int64(number())
		}
		if !n.TooBig {
			for range d.count(len(head), "blocks") {
				b := block{first: uint32(d.below(uint64(geo.Outcodes)+1, "outcode")), last: uint32(d.below(uint64(geo.Outcodes)+1, "outcode")), before: n.events}
				b.events = number()
				b.frame = add(maxBlock)
				if d.err == nil && (b.events == 0 || b.events > b.raw) {
					d.err = fmt.Errorf("%d events in %d bytes", b.events, b.raw)
				}
				if d.err != nil {
					return nil, d.err
				}
				n.events += b.events
				n.blocks = append(n.blocks, b)
			}
			n.dict = add(maxDictionary)
		}
		if d.err != nil {
			break
		}
		j.nights = append(j.nights, n)
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case len(d.b) > 0:
		return nil, fmt.Errorf("%d bytes after the last night", len(d.b))
	case at != len(log):
		return nil, fmt.Errorf("frames of %d bytes, there are %d", at, len(log))
	}
	return j, nil
}

// verify decodes everything.
func (j *journal) verify(workers int) error {
	errs := make([]error, len(j.nights))
	shareOut(len(j.nights), 1, workers, func(i int) {
		n := &j.nights[i]
		if n.TooBig {
			return
		}
		dict, err := j.dictionary(n)
		for k := 0; err == nil && k < len(n.blocks); k++ {
			err = j.each(dict, &n.blocks[k], func(*event) bool { return true })
		}
		if err != nil {
			errs[i] = fmt.Errorf("the night since %s: %w", n.Since, err)
		}
	})
	return errors.Join(errs...)
}

// unpacker decodes frames, for one goroutine at a time.
type unpacker struct {
	dec *zstd.Decoder
	raw []byte
}

var unpackers = sync.Pool{New: func() any {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // options that are constants
	}
	return &unpacker{dec: dec}
}}

// unpack decodes a frame. What it returns is good until the next.
func (u *unpacker) unpack(log []byte, f frame) ([]byte, error) {
	if cap(u.raw) < f.raw {
		u.raw = make([]byte, 0, f.raw)
	}
	raw, err := u.dec.DecodeAll(log[f.from:f.from+f.stored], u.raw[:0:f.raw])
	if err == nil && len(raw) != f.raw {
		err = fmt.Errorf("%d bytes unpacked, want %d", len(raw), f.raw)
	}
	return raw, err
}

// dictionary reads that of a night.
func (j *journal) dictionary(n *night) (*dictionary, error) {
	u, _ := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	raw, err := u.unpack(j.log, n.dict)
	if err != nil {
		return nil, err
	}
	return parseDictionary(raw, n.AsOf)
}

// each decodes the events of a block, until use returns false. What an event
// refers to is good until use returns.
func (j *journal) each(dict *dictionary, b *block, use func(*event) bool) error {
	u, _ := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	raw, err := u.unpack(j.log, b.frame)
	if err != nil {
		return err
	}
	d := eventDecoder{decoder: decoder{b: raw}, dict: dict}
	for i := range b.events {
		e, err := d.next()
		if err != nil {
			return fmt.Errorf("event %d: %w", b.before+i, err)
		}
		place := placeOf(e.shown().postcode.Outcode())
		if place < b.first || place > b.last {
			return fmt.Errorf("event %d: outcode %d in a block of %d to %d", b.before+i, place, b.first, b.last)
		}
		if !use(e) {
			return nil
		}
	}
	if len(d.b) > 0 {
		return fmt.Errorf("%d bytes after the last event", len(d.b))
	}
	return nil
}

// eventDecoder undoes coding.append.
type eventDecoder struct {
	decoder
	coding coding
	dict   *dictionary
	e      event
}

func (d *eventDecoder) next() (*event, error) {
	head := d.byte(otherAt << 1)
	e := &d.e
	*e = event{kind: eventKind(head & 3)}
	place := d.below(uint64(geo.Postcodes)+1-uint64(d.coding.place), "postcode") + uint64(d.coding.place)
	d.coding.place = uint32(place)
	shown := site{postcode: postcodeAt(uint32(place))}
	switch {
	case d.err != nil:
	case e.kind >= eventKinds || e.kind == eventPostcode && (head != byte(eventPostcode) || !shown.postcode.IsValid()):
		d.err = fmt.Errorf("event of kind %#x", head)
	case e.kind == eventPostcode:
		e.now = shown
		e.was, e.had = d.entry(shown.postcode)
		e.is, e.has = d.entry(shown.postcode)
	default:
		d.premises(shown, head)
	}
	return e, d.err
}

// premises reads the rest of an event about a premises.
func (d *eventDecoder) premises(shown site, head byte) {
	e := &d.e
	e.uprn = geo.UPRN(int64(d.coding.uprn) + d.varint())
	if d.err == nil && e.uprn > maxUPRN {
		d.err = fmt.Errorf("UPRN %d", uint64(e.uprn))
	}
	pair := d.below(uint64(len(d.dict.pairs)), "pair")
	if d.err != nil {
		return
	}
	d.coding.uprn = e.uprn
	p := d.dict.pairs[pair]
	both := p[0] != 0 && p[1] != 0
	shown.address = d.bytes()
	other := site{}
	if both {
		other = shown
	} else if e.kind == eventAway || head&(otherPostcode|otherAddress|otherAt) != 0 {
		d.err = fmt.Errorf("event of kind %#x about a premises that is in one snapshot", head)
		return
	}
	if head&otherPostcode != 0 {
		other.postcode = postcodeAt(uint32(d.below(uint64(geo.Postcodes)+1, "postcode")))
	}
	if head&otherAddress != 0 {
		other.address = d.bytes()
	}
	if head&shownAt != 0 {
		shown.at = d.location()
	}
	if head&otherAt != 0 {
		other.at = d.location()
	}
	if e.kind == eventAway || p[1] == 0 {
		e.old, e.now = shown, other
	} else {
		e.old, e.now = other, shown
	}
	e.outcome = d.dict.outcome(uint32(pair))
}

// postcodeAt undoes postcodePlace.
func postcodeAt(place uint32) geo.Postcode {
	p, _ := geo.PostcodeFromOrdinal(place)
	return p
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("number")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes reads bytes with their number before them. They are not copied.
func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail("text")
		return nil
	}
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

// location reads a location, which must be one.
func (d *eventDecoder) location() geo.Location {
	lat, lng := int64(d.coding.at.Lat)+d.varint(), int64(d.coding.at.Lng)+d.varint()
	if d.err == nil && (lat < -maxLat || lat > maxLat || lng < -maxLng || lng > maxLng || lat == 0 && lng == 0) {
		d.err = fmt.Errorf("location %d, %d", lat, lng)
	}
	if d.err != nil {
		return geo.Location{}
	}
	d.coding.at = geo.Location{Lat: int32(lat), Lng: int32(lng)}
	return d.coding.at
}

// entry undoes appendEntry.
func (d *eventDecoder) entry(p geo.Postcode) (e Entry, held bool) {
	head := d.byte(entryDated << 1)
	if e.Postcode = p; head&entryHeld == 0 {
		if d.err == nil && head != 0 {
			d.err = fmt.Errorf("register entry of kind %#x", head)
		}
		return e, false
	}
	if head&entryLocated != 0 {
		e.At = d.location()
	}
	if head&entryDated != 0 {
		e.Introduced, e.Terminated = Month(d.below(maxMonth+1, "month")), Month(d.below(maxMonth+1, "month"))
		e.TerminatedAfter, e.TerminatedBy = d.day(), d.day()
	}
	return e, true
}

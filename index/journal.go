package index

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"coverd/geo"
)

// journal is what a snapshot keeps of the nights before it: what changed from
// each snapshot to the next, up to itself. FORMAT.md has its encoding.
//
// # Why
//
// A caller that has missed some nights wants what has changed since its own
// snapshot, without either of the two at hand. What a night changes is a few
// thousandths of the country, so that many nights fit an eightieth of a snapshot.
// Each stands in it as it was found, and is handed on from build to build as it
// is: blocks of some 60 KB, each compressed on its own, so that what there is of
// an outcode is found by decoding one or two. Kept are not the changes but what
// they follow from, the premises before and after, which takes less room, and
// from which the country of an earlier night can be told.
type journal struct {
	nights []night // oldest first
	log    []byte
	last   atomic.Pointer[readNight]
}

// night is one of a journal's.
type night struct {
	Night
	dict   frame
	blocks []block
	events int
}

// frame is a piece of the log, a zstd frame.
type frame struct{ from, stored, raw int }

// block is a frame of events.
type block struct {
	frame
	first, last uint32 // outcodes: see place
	before      int    // events of the night before this block's
	events      int
}

// Limits of a journal.
const (
	keptDays      = 400     // how old a snapshot may be whose changes are kept, in days
	keptShare     = 80      // all nights take at most one in so many bytes of the rest of the file,
	keptFloor     = 1 << 16 // or so many bytes
	tonightShare  = 4       // the last one takes at most one in so many bytes,
	tonightFloor  = 1 << 20 // or so many
	blockFull     = 60 << 10
	maxBlock      = 1 << 20 // bytes of a block, unpacked
	packedRatio   = 64      // a frame unpacks to at most so many times its size, and packedSlack more
	packedSlack   = 64 << 10
	journalLayout = 1
	idBytes       = 16
)

// fits reports whether a frame is within the limits.
func (f *frame) fits(most int) bool {
	return f.raw <= most && f.raw <= packedRatio*f.stored+packedSlack
}

// placeOf numbers outcodes in directory order, with none last.
func placeOf(o geo.Outcode) uint32 {
	if !o.IsValid() {
		return uint32(geo.Outcodes)
	}
	return o.Ordinal()
}

// postcodePlace does so for postcodes.
func postcodePlace(p geo.Postcode) uint32 {
	if !p.IsValid() {
		return uint32(geo.Postcodes)
	}
	return p.Ordinal()
}

// nightWriter packs the events of a night, in order.
type nightWriter struct {
	night
	most   int // bytes it may take
	log    []byte
	dict   *dictionaryWriter
	enc    *zstd.Encoder
	b      []byte // the block under way
	block  block
	coding coding
}

// coding is what the encoding of an event refers to: the one before.
type coding struct {
	place uint32
	uprn  geo.UPRN
	at    geo.Location
}

func newNightWriter(most int) (*nightWriter, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
	return &nightWriter{most: most, dict: newDictionaryWriter(), enc: enc}, err
}

// add takes an event.
func (w *nightWriter) add(e *event) {
	if w.TooBig {
		return
	}
	place := placeOf(e.shown().postcode.Outcode())
	if len(w.b) >= blockFull {
		w.flush()
	}
	if len(w.b) == 0 {
		w.block = block{first: place, before: w.events}
	}
	w.block.last = place
	w.block.events++
	w.events++
	w.b = w.coding.append(w.b, e, w.dict)
	if !w.dict.fits() {
		w.tooBig()
	}
}

func (w *nightWriter) tooBig() {
	w.TooBig, w.log, w.b, w.blocks, w.dict, w.events = true, nil, nil, nil, nil, 0
}

// flush ends a block.
func (w *nightWriter) flush() {
	if len(w.b) == 0 {
		return
	}
	w.block.frame = w.pack(w.b)
	if !w.block.fits(maxBlock) || len(w.log) > w.most {
		w.tooBig()
		return
	}
	w.blocks = append(w.blocks, w.block)
	w.b, w.coding = w.b[:0], coding{}
}

// pack appends a frame to the log.
func (w *nightWriter) pack(raw []byte) frame {
	f := frame{from: len(w.log), raw: len(raw)}
	w.log = w.enc.EncodeAll(raw, w.log)
	f.stored = len(w.log) - f.from
	return f
}

// end completes the night: its dictionary is the last frame.
func (w *nightWriter) end() {
	if w.flush(); w.TooBig {
		return
	}
	w.night.dict = w.pack(w.dict.appendTo(nil))
	if !w.night.dict.fits(maxDictionary) || len(w.log) > w.most {
		w.tooBig()
	}
}

// Bits of an event's first byte, beside its kind in the lowest two.
const (
	otherPostcode = 1 << (iota + 2) // it has another postcode in the snapshot it is not shown as in
	otherAddress
	shownAt // its location as shown, where that is not the same in both snapshots
	otherAt
)

// append encodes an event.
func (c *coding) append(b []byte, e *event, dict *dictionaryWriter) []byte {
	shown, other := e.shown(), &e.old
	if shown == other {
		other = &e.now
	}
	place := postcodePlace(shown.postcode)
	delta := place - c.place
	if e.kind == eventPostcode {
		b = binary.AppendUvarint(append(b, byte(e.kind)), uint64(delta))
		c.place = place
		return c.appendEntry(c.appendEntry(b, &e.was, e.had), &e.is, e.has)
	}
	head := byte(e.kind)
	both := e.outcome.before != nil && e.outcome.after != nil
	if both && shown.postcode != other.postcode {
		head |= otherPostcode
	}
	if both && string(shown.address) != string(other.address) {
		head |= otherAddress
	}
	if both && shown.at != other.at || e.outcome.after == nil { // one that comes has it in the snapshot
		if shown.at.IsValid() {
			head |= shownAt
		}
		if both && other.at.IsValid() {
			head |= otherAt
		}
	}
	b = binary.AppendUvarint(append(b, head), uint64(delta))
	b = binary.AppendVarint(b, int64(e.uprn)-int64(c.uprn))
	b = binary.AppendUvarint(b, dict.pair(e.outcome))
	b = appendText(b, shown.address)
	c.place, c.uprn = place, e.uprn
	if head&otherPostcode != 0 {
		b = binary.AppendUvarint(b, uint64(postcodePlace(other.postcode)))
	}
	if head&otherAddress != 0 {
		b = appendText(b, other.address)
	}
	if head&shownAt != 0 {
		b = c.appendLocation(b, shown.at)
	}
	if head&otherAt != 0 {
		b = c.appendLocation(b, other.at)
	}
	return b
}

func (c *coding) appendLocation(b []byte, at geo.Location) []byte {
	b = binary.AppendVarint(b, int64(at.Lat)-int64(c.at.Lat))
	b = binary.AppendVarint(b, int64(at.Lng)-int64(c.at.Lng))
	c.at = at
	return b
}

// Bits of what the register says of a postcode.
const (
	entryHeld = 1 << iota
	entryLocated
	entryDated
)

func (c *coding) appendEntry(b []byte, e *Entry, held bool) []byte {
	if !held {
		return append(b, 0)
	}
	head := byte(entryHeld)
	dated := e.Introduced != 0 || e.Terminated != 0 || e.TerminatedAfter != 0 || e.TerminatedBy != 0
	if e.At.IsValid() {
		head |= entryLocated
	}
	if dated {
		head |= entryDated
	}
	if b = append(b, head); e.At.IsValid() {
		b = c.appendLocation(b, e.At)
	}
	if dated {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.Introduced)), uint64(e.Terminated))
		b = binary.AppendVarint(binary.AppendVarint(b, int64(e.TerminatedAfter)), int64(e.TerminatedBy))
	}
	return b
}

// journalSections runs a comparison with the snapshot before, and writes what has
// changed with what that one knew of the nights before it. rest is what the other
// sections take in the file.
func journalSections(c *comparer, rest int) (list []section, delta *Delta, err error) {
	old, now := c.old, c.now
	w, err := newNightWriter(max(rest/tonightShare, tonightFloor))
	if err != nil {
		return nil, nil, err
	}
	c.run(func(e *event) bool {
		w.add(e)
		return true
	})
	w.end()
	delta = c.delta()
	w.Night = Night{Since: old.ID(), SinceAsOf: old.info.AsOf, AsOf: now.info.AsOf, Changes: delta.Kinds, TooBig: w.TooBig}

	j := &journal{nights: []night{w.night}, log: w.log}
	if old.journal != nil && !w.TooBig {
		kept, log := old.journal.carried(now.info.AsOf, max(rest/keptShare, keptFloor)-len(w.log))
		j.nights, j.log = slices.Concat(kept, j.nights), slices.Concat(log, j.log)
	}
	return []section{{sectionChangeHead, j.encodeHead()}, {sectionChangeLog, j.log}}, delta, nil
}

// carried returns the nights, and their part of the log, that a snapshot of a day
// with room for so many bytes of them takes over.
func (j *journal) carried(day Day, room int) ([]night, []byte) {
	kept, log := j.nights, j.log
	for len(kept) > 0 && (kept[0].TooBig || kept[0].SinceAsOf < day-keptDays || len(log) > room) {
		log, kept = log[kept[0].size():], kept[1:]
	}
	return kept, log
}

// size is how many bytes of the log the night takes.
func (n *night) size() int {
	size := n.dict.stored
	for i := range n.blocks {
		size += n.blocks[i].stored
	}
	return size
}

// encodeHead encodes the list of nights and of their frames.
func (j *journal) encodeHead() (b []byte) {
	number := func(list ...int) {
		for _, v := range list {
			b = binary.AppendUvarint(b, uint64(v))
		}
	}
	number(journalLayout, len(j.nights))
	for i := range j.nights {
		n := &j.nights[i]
		id, err := hex.DecodeString(n.Since)
		if err != nil || len(id) != idBytes {
			panic("index: ID " + n.Since) // that of a snapshot
		}
		b = append(b, id...)
		b = binary.AppendVarint(binary.AppendVarint(b, int64(n.SinceAsOf)), int64(n.AsOf))
		b = append(b, byte(b2i(n.TooBig)))
		for _, k := range n.Changes {
			number(int(k))
		}
		if n.TooBig {
			continue
		}
		number(len(n.blocks))
		for _, k := range n.blocks {
			number(int(k.first), int(k.last), k.events, k.stored, k.raw)
		}
		number(n.dict.stored, n.dict.raw)
	}
	return b
}

package loader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sort"
	"sync"

	"coverd/geo"
	"coverd/index"
)

// ListFormat is the form in which a snapshot's content is listed for people and
// programs.
type ListFormat string

// The formats.
const (
	ListCSV     ListFormat = "csv"     // for spreadsheets and databases
	ListNDJSON  ListFormat = "ndjson"  // a JSON object a line
	ListGeoJSON ListFormat = "geojson" // a FeatureCollection, for maps
)

// ListFormats lists the formats.
var ListFormats = []ListFormat{ListCSV, ListNDJSON, ListGeoJSON}

// Listed is what a list is of.
type Listed string

// What there are lists of.
const (
	ListPremises  Listed = "premises"
	ListAreas     Listed = "areas"
	ListPostcodes Listed = "postcodes"
	ListRegions   Listed = "regions"
)

// AllListed lists what there are lists of.
var AllListed = []Listed{ListPremises, ListAreas, ListPostcodes, ListRegions}

// ListOptions say what is listed, and how.
type ListOptions struct {
	What   Listed
	Format ListFormat
	On     index.Day // the day that states are of; required
	// Outcodes narrow a list of premises or postcodes; none: all of them.
	Outcodes []geo.Outcode
	Packing  Packing // "" is PackPlain
	// Progress is told how far the list is. It is never called concurrently.
	Progress func(Stage)
	// Workers is how many write side by side: by default as many as there are
	// cores. The list does not depend on it.
	Workers int
}

// List writes a list. Postcodes are in directory order, and premises in that of
// their postcodes, then addresses; those without a postcode come last. In CSV,
// whose cells a spreadsheet may take for formulas, these have a quote in front.
// It streams: beside the snapshot it takes some megabytes, whatever is listed.
func List(ctx context.Context, s *index.Snapshot, w io.Writer, o ListOptions) error {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.On == 0 {
		return errors.New("a list needs the day that states are of")
	}
	if len(o.Outcodes) > 0 && o.What != ListPremises && o.What != ListPostcodes {
		return fmt.Errorf("a list of %s cannot be narrowed to outcodes", o.What)
	}
	o.Packing = cmp.Or(o.Packing, PackPlain)
	l := &lister{ctx: ctx, s: s, o: o}
	l.plan()
	return l.write(w)
}

// lister is one list.
type lister struct {
	ctx   context.Context
	s     *index.Snapshot
	o     ListOptions
	n     int // postcodes (or areas, Regions) to go through
	loose int // first premises without a postcode, which follow
	rows  int // premises in all
	head  string
	foot  string
}

// plan works out what there is to go through, and the text around it.
func (l *lister) plan() {
	info := l.s.Info()
	l.rows = int(info.Premises)
	l.loose = l.rows
	switch l.o.What {
	case ListAreas:
		l.n = int(info.Areas)
	case ListRegions:
		l.n = len(geo.Regions)
	case ListPostcodes:
		l.n = int(info.Postcodes)
	default:
		l.n = int(info.Postcodes)
		if len(l.o.Outcodes) == 0 {
			l.loose = sort.Search(l.rows, func(i int) bool {
				_, ok := l.s.PremisesAt(uint32(i)).Unit()
				return !ok
			})
		}
	}
	switch l.o.Format {
	case ListGeoJSON:
		l.head, l.foot = `{"type":"FeatureCollection","features":[`, "\n]}\n"
	case ListCSV:
		l.head = listHeaders[l.o.What] + "\n"
	case ListNDJSON:
	}
}

// stretches walks what there is in pieces: of postcodes, then, counted on from
// there, of premises.
func (l *lister) stretches(yield func([2]int) bool) {
	step := map[Listed]int{ListAreas: 4, ListRegions: 1}[l.o.What]
	for span := range stretches(l.n, cmp.Or(step, 512)) {
		if !yield(span) {
			return
		}
	}
	for span := range stretches(l.rows-l.loose, 1<<13) {
		if !yield([2]int{l.n + span[0], l.n + span[1]}) {
			return
		}
	}
}

// listPart is a stretch of the list.
type listPart struct {
	upTo         int
	text, packed *[]byte
	err          error
}

var listBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (l *lister) write(w io.Writer) error {
	packers := make([]*packer, l.o.Workers)
	writers := make([]*listWriter, l.o.Workers)
	for i := range packers {
		var err error
		if packers[i], err = newPacker(l.o.Packing); err != nil {
			return err
		}
		writers[i] = newListWriter(l)
	}
	own, err := newPacker(l.o.Packing)
	if err != nil {
		return err
	}
	put := func(text string) error {
		b, err := own.append(nil, []byte(text))
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}
	if err := put(l.head); err != nil {
		return err
	}
	begun := false
	for part := range inOrder(l.o.Workers, l.stretches, func(worker int, span [2]int) (p listPart) {
		p = listPart{upTo: span[1], text: listBuffers.Get().(*[]byte), err: l.ctx.Err()}
		*p.text = (*p.text)[:0]
		for i := span[0]; i < span[1] && p.err == nil; i++ {
			*p.text = writers[worker].item(*p.text, i)
		}
		if l.o.Packing != PackPlain && p.err == nil && len(*p.text) > 0 {
			p.packed = listBuffers.Get().(*[]byte)
			*p.packed, p.err = packers[worker].append((*p.packed)[:0], *p.text)
		}
		return p
	}) {
		err := part.err
		switch {
		case err != nil || len(*part.text) == 0:
		case l.o.Format == ListGeoJSON && !begun:
			err = put(string((*part.text)[1:])) // without the comma before all features but the first
		case part.packed != nil:
			_, err = w.Write(*part.packed)
		default:
			_, err = w.Write(*part.text)
		}
		if err != nil {
			return err
		}
		begun = begun || len(*part.text) > 0
		listBuffers.Put(part.text)
		if part.packed != nil {
			listBuffers.Put(part.packed)
		}
		if l.o.Progress != nil {
			l.o.Progress(Stage{Name: string(l.o.What), Done: int64(part.upTo), Total: int64(l.n + l.rows - l.loose)})
		}
	}
	if l.foot == "" {
		return nil
	}
	return put(l.foot)
}

// listWriter writes the items of a list. Each worker has its own.
type listWriter struct {
	*lister
	kinds memo[listKind]
	known []index.Details
	text  []byte
}

// listKind is what premises of a kind have in common: the ends of their rows of
// CSV, from behind the location on, or of their object.
type listKind struct{ ends [][]byte }

func newListWriter(l *lister) *listWriter { return &listWriter{lister: l} }

// item appends item i of the list, with all that is listed there.
func (w *listWriter) item(b []byte, i int) []byte {
	switch w.o.What {
	case ListAreas:
		return w.area(b, i)
	case ListRegions:
		return w.region(b, geo.Regions[i])
	case ListPostcodes:
		if u := w.s.PostcodeAt(i); w.wants(u.Postcode()) {
			return w.postcode(b, u)
		}
		return b
	case ListPremises:
	}
	if i >= w.n {
		p := w.s.PremisesAt(uint32(i - w.n + w.loose))
		d := p.Details()
		return w.premises(b, geo.Postcode{}, &d)
	}
	u := w.s.PostcodeAt(i)
	if u.Len() == 0 || !w.wants(u.Postcode()) {
		return b
	}
	w.known = u.AppendDetails(w.known[:0])
	postcode := u.Postcode()
	for k := range w.known {
		b = w.premises(b, postcode, &w.known[k])
	}
	return b
}

func (w *listWriter) wants(p geo.Postcode) bool {
	return len(w.o.Outcodes) == 0 || slices.Contains(w.o.Outcodes, p.Outcode())
}

func (w *listWriter) premises(b []byte, postcode geo.Postcode, d *index.Details) []byte {
	kind := w.kinds.of(uint64(d.Kind), func(k *listKind) { w.kind(k, d.Kind) })
	if w.o.Format != ListCSV {
		return append(w.premisesJSON(b, postcode, d), kind.ends[0]...)
	}
	w.text = w.text[:0]
	if postcode.IsValid() {
		w.text = postcode.AppendTo(w.text)
	}
	w.text = append(w.text, ',')
	if d.UPRN != 0 {
		w.text = d.UPRN.AppendTo(w.text)
	}
	w.text = appendInert(append(w.text, ','), d.Address)
	w.text = appendLocation(append(w.text, ','), d.At)
	for _, end := range kind.ends {
		b = append(append(b, w.text...), end...)
	}
	return b
}

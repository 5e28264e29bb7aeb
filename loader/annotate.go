package loader

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync/atomic"

	"coverd/index"
)

// AnnotateOptions say how a table is annotated.
type AnnotateOptions struct {
	On      index.Day           // the day asked about; required
	Columns map[SheetKey]string // names of columns that are not found by theirs
	Name    string              // of the table, for reports; "" is the path
	Packing Packing             // of what is written; "" is PackPlain
	// Found is told, before the first row, which columns are looked up by.
	Found func(map[SheetKey]string)
	// Progress is told how far it is, in bytes read. It is never called
	// concurrently.
	Progress func(Stage)
	// Workers is how many work side by side: by default as many as there are
	// cores. What is written does not depend on it.
	Workers int
}

// AnnotatedColumns are the columns that [Annotate] appends.
var AnnotatedColumns = []string{
	"coverd_outcome", "coverd_reason", "coverd_state", "coverd_from", "coverd_network_region", "coverd_variant", "coverd_auxiliary",
	"coverd_region", "coverd_basis", "coverd_confidence", "coverd_distance_m", "coverd_snapshot", "coverd_as_of", "coverd_on",
}

// Annotated counts what came of a table.
type Annotated struct {
	Rows     int64               `json:"rows"`
	Outcomes map[string]int64    `json:"outcomes"` // rows by coverd_outcome
	States   map[string]int64    `json:"states"`   // answered rows by coverd_state
	Columns  map[SheetKey]string `json:"columns"`  // that were looked up by
	Snapshot string              `json:"snapshot"`
	AsOf     index.Day           `json:"as_of"`
	On       index.Day           `json:"on"`
}

// Annotate copies a table of a planner's, CSV with commas, semicolons or tabs
// between its fields, and appends to each row what is known of the coverage there:
// see [AnnotatedColumns]. path "-" is the reader.
//
// All that is read is written again, byte for byte, the quotes, the line ends and
// rows that are no rows included; what is appended stands before the row's line
// end. A row that cannot be answered says why, and the rest goes on. Errors are
// about the table as a whole: a [*FileError], or the file system's.
//
// A row is looked up by its UPRN; where it has none, or none that is known, by its
// postcode, with its address if there is a column of that; where that finds no
// premises, by its location. Where no premises is found there is an estimate, with
// its basis, as in answers over HTTP: see [index.Estimate].
//
// It streams, from a table of any size, in some megabytes.
func Annotate(ctx context.Context, s *index.Snapshot, path string, r io.Reader, w io.Writer, o AnnotateOptions) (*Annotated, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Name, o.Packing = cmp.Or(o.Name, path), cmp.Or(o.Packing, PackPlain)
	var stored atomic.Int64
	var in *input
	var err error
	total := int64(0)
	if path == "-" {
		in, err = openStream(r, cmp.Or(strings.TrimPrefix(o.Name, "-"), "standard input"), &stored)
	} else if in, err = openInput(path, o.Name, &stored); err == nil {
		total = in.size
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	in.most = math.MaxInt64 // it is not kept
	sheet := &sheet{s: s, o: o, in: in, cut: sheetCutter{r: in, size: blockSize}}
	if err := sheet.start(w); err != nil {
		return nil, err
	}
	return sheet.run(ctx, w, func() {
		if o.Progress != nil {
			o.Progress(Stage{Name: "annotate", Source: o.Name, Done: stored.Load(), Total: total})
		}
	})
}

// sheet is a table being annotated.
type sheet struct {
	s       *index.Snapshot
	o       AnnotateOptions
	in      *input
	cut     sheetCutter
	columns *sheetColumns
	used    map[SheetKey]string
}

// start reads the header and writes it.
func (t *sheet) start(w io.Writer) error {
	h, err := t.cut.header(t.o.Name)
	if err != nil {
		return err
	}
	var head []byte
	if t.in.marked {
		head = append(head, bom...)
	}
	head = append(head, h.blank...)
	if t.columns, err = findSheetColumns(h.fields, t.o.Columns); err != nil {
		return &FileError{t.o.Name, h.at, fmt.Sprintf("header: %v", err)}
	}
	t.columns.separator = h.separator
	t.used = t.columns.used(h.fields)
	if t.o.Found != nil {
		t.o.Found(t.used)
	}
	head = append(head, h.line...)
	for _, name := range AnnotatedColumns {
		head = append(append(head, h.separator), name...)
	}
	head = append(head, h.end...)
	p, err := newPacker(t.o.Packing)
	if err != nil {
		return err
	}
	head, err = p.append(nil, head)
	if err == nil {
		_, err = w.Write(head)
	}
	return err
}

// sheetPart is what has come of a block.
type sheetPart struct {
	text, packed *[]byte
	counts       sheetCounts
	err          error
}

// sheetCounts count rows by outcome, and by state.
type sheetCounts struct {
	outcomes [numOutcomes]int64
	states   [len(index.States) + 1]int64
}

func (t *sheet) run(ctx context.Context, w io.Writer, tell func()) (*Annotated, error) {
	annotators := make([]*annotator, t.o.Workers)
	packers := make([]*packer, t.o.Workers)
	for i := range annotators {
		annotators[i] = newAnnotator(t.s, t.columns, t.o.On)
		var err error
		if packers[i], err = newPacker(t.o.Packing); err != nil {
			return nil, err
		}
	}
	var end error
	var sum sheetCounts
	for part := range inOrder(t.o.Workers, each(ctx, t.cut.next, &end), func(worker int, b sheetBlock) (p sheetPart) {
		p.text = sheetPool.Get().(*[]byte)
		*p.text = annotators[worker].block((*p.text)[:0], &b, &p.counts)
		sheetPool.Put(b.owner)
		if t.o.Packing != PackPlain {
			p.packed = sheetPool.Get().(*[]byte)
			*p.packed, p.err = packers[worker].append((*p.packed)[:0], *p.text)
		}
		return p
	}) {
		err := part.err
		switch {
		case err != nil:
		case part.packed != nil:
			_, err = w.Write(*part.packed)
			sheetPool.Put(part.packed)
		default:
			_, err = w.Write(*part.text)
		}
		if err != nil {
			return nil, err
		}
		sheetPool.Put(part.text)
		for i, n := range part.counts.outcomes {
			sum.outcomes[i] += n
		}
		for i, n := range part.counts.states {
			sum.states[i] += n
		}
		tell()
	}
	if end != io.EOF {
		return nil, end
	}
	return t.summary(&sum), nil
}

func (t *sheet) summary(sum *sheetCounts) *Annotated {
	a := &Annotated{
		Outcomes: map[string]int64{}, States: map[string]int64{}, Columns: t.used,
		Snapshot: t.s.ID(), AsOf: t.s.Info().AsOf, On: t.o.On,
	}
	for i, n := range sum.outcomes {
		if n > 0 {
			a.Outcomes[outcomeNames[i]] = n
			a.Rows += n
		}
	}
	for i, n := range sum.states {
		if n > 0 && i > 0 {
			a.States[index.State(i).String()] = n
		}
	}
	return a
}

// WriteText writes the summary for a person to read.
func (a *Annotated) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s rows on %v, from snapshot %.12s as of %v", thousands(a.Rows), a.On, a.Snapshot, a.AsOf)
	for _, name := range outcomeNames {
		if n := a.Outcomes[name]; n > 0 {
			p.line("  %s %s", thousands(n), name)
		}
	}
	if len(a.States) > 0 {
		var parts []string
		for _, s := range index.States {
			if n := a.States[s.String()]; n > 0 {
				parts = append(parts, thousands(n)+" "+s.String())
			}
		}
		p.line("answered: %s", strings.Join(parts, ", "))
	}
	return p.err
}

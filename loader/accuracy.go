package loader

import (
	"bytes"
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

// AccuracyOptions say how outcomes are scored.
type AccuracyOptions struct {
	Columns map[SheetKey]string // names of columns that are not found by theirs
	// Success and NoWAN are further spellings of the two outcomes.
	Success, NoWAN []string
	// Lead is how many days before the installation the database was read. 0 is the
	// day itself, on which it may know already what came of it.
	Lead    int
	Least   int    // outcomes that a group must have to be ranked; 0: 30
	Name    string // of the table, for reports; "" is the path
	Rejects string // path of the file of rejected rows; "": none is written
	// Found is told, before the first row, which columns are read.
	Found func(map[SheetKey]string)
	// Progress is told how far it is, in bytes read. It is never called
	// concurrently.
	Progress func(Stage)
	// Workers is how many work side by side: by default as many as there are
	// cores. The report does not depend on it.
	Workers int
}

// maxRejectsKept is how many rejected rows a report lists.
const maxRejectsKept = 20

// Score scores installation outcomes (service requests 8.14.1, Install Success,
// and 8.14.2, Install, No SM WAN) against what the database had indicated of
// each premises when it was read for the last time before the installation:
// Lead days before it, about its day. path "-" is the reader.
//
// # The rule
//
// The table is CSV with a header row, its columns found by their names: see
// [AccuracyKeys]. A row is looked up by its UPRN, else by its postcode and
// address, as the snapshot in force on the day of reading had it: one of those
// given, or by the history that a later one remembers. Where neither reaches back
// to that day the row counts as not_known, and nothing is guessed. Of a postcode
// without address all premises must agree, or the row is rejected; of several
// premises with one address the worst is meant.
//
// Indicated available and no SM WAN is an inaccurate prediction. Indicated
// unavailable and success is coverage missed. Where the database had no premises
// there, the estimate is scored apart: from the snapshot that was in force, if it
// is one of those given.
//
// A row that cannot be scored is rejected, with its line and the reason, and the
// rest goes on. Errors are about the table as a whole: a [*FileError], or the file
// system's. It is one pass, in memory that the number of groups bounds.
func Score(ctx context.Context, snaps []*index.Snapshot, path string, r io.Reader, o AccuracyOptions) (*Accuracy, error) {
	o.Workers = cmp.Or(max(0, o.Workers), runtime.GOMAXPROCS(0))
	o.Name, o.Least = cmp.Or(o.Name, path), cmp.Or(o.Least, 30)
	var stored atomic.Int64
	var in *input
	var err error
	if path == "-" {
		in, err = openStream(r, cmp.Or(strings.TrimPrefix(o.Name, "-"), "standard input"), &stored)
	} else {
		in, err = openInput(path, o.Name, &stored)
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	in.most = math.MaxInt64 // it is not kept
	t := &scoring{o: o, chain: newChain(snaps), cut: sheetCutter{r: in, size: blockSize}}
	head, err := t.cut.header(o.Name)
	if err != nil {
		return nil, err
	}
	if t.columns, err = findOutcomeColumns(head.fields, o.Columns); err != nil {
		return nil, &FileError{o.Name, head.at, fmt.Sprintf("header: %v", err)}
	}
	t.columns.separator = head.separator
	used := t.columns.used(head.fields)
	if o.Found != nil {
		o.Found(used)
	}
	q, err := openQuarantine(o.Rejects)
	if err != nil {
		return nil, err
	}
	a, err := t.run(ctx, head.at+1, q, func() {
		if o.Progress != nil {
			o.Progress(Stage{Name: "accuracy", Source: o.Name, Done: stored.Load(), Total: in.size})
		}
	})
	if e := q.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	a.Columns = used
	return a, nil
}

// scoring is a table being scored.
type scoring struct {
	o       AccuracyOptions
	chain   chain
	cut     sheetCutter
	columns *outcomeColumns
}

// scoredPart is what has come of a block, beside what its worker counts.
type scoredPart struct {
	rows, lines int
	rejects     []Reject // their lines counted from the block's first, which is 0
}

// run scores all rows, of which the first is on a line.
func (t *scoring) run(ctx context.Context, line int, q *quarantine, tell func()) (*Accuracy, error) {
	workers := make([]*scorer, t.o.Workers)
	for i := range workers {
		workers[i] = newScorer(t)
	}
	var end error
	a := &Accuracy{Lead: t.o.Lead, Least: t.o.Least, RejectedBy: map[Code]int64{}, Rejects: []Reject{}}
	for part := range inOrder(t.o.Workers, each(ctx, t.cut.next, &end), func(worker int, b sheetBlock) scoredPart {
		part := workers[worker].block(&b)
		part.lines = bytes.Count(b.data, []byte{'\n'})
		sheetPool.Put(b.owner)
		return part
	}) {
		a.Rows += int64(part.rows)
		for i := range part.rejects {
			r := &part.rejects[i]
			r.File, r.Line = t.o.Name, r.Line+line
			a.Rejected++
			a.RejectedBy[r.Code]++
			if len(a.Rejects) < maxRejectsKept {
				a.Rejects = append(a.Rejects, *r)
			}
			if err := q.add(r); err != nil {
				return nil, err
			}
		}
		line += part.lines
		tell()
	}
	if end != io.EOF {
		return nil, end
	}
	sum := workers[0].counts
	for _, w := range workers[1:] {
		sum.add(w.counts)
	}
	for _, s := range t.chain.snaps {
		a.Snapshots = append(a.Snapshots, ScoredSnapshot{s.ID(), s.Info().AsOf, s.HistoryFrom()})
	}
	a.report(sum)
	return a, nil
}

package loader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"coverd/geo"
	"coverd/index"
)

// Options say how to build. The zero value is good.
type Options struct {
	// Progress is told of what is being done. It is never called concurrently.
	Progress func(Stage)
	// Rejects is the file that rejected rows are written to, as CSV with the
	// columns source, line, column, reason, row, digest; compressed if it ends in .zst
	// or .gz. "": they are only counted. Without any, the file has just its
	// header.
	Rejects string
	// Previous is the snapshot before this one, if there is one.
	Previous *index.Snapshot
	// PreviousPath is where Previous was opened from, for the hints of refusals.
	PreviousPath string
	// UsedOverrides are the overrides that snapshots were built with already,
	// those that Previous does not descend from included: an override holds once.
	UsedOverrides []index.Override
	// Now is what a clock says: an as-of day may not lie far ahead of it. Zero:
	// that is not checked.
	Now time.Time
	// Tool is the name and version of the program, for the snapshot's record.
	Tool string
	// Workers is how many parse side by side: by default as many as there are
	// cores. The result does not depend on it.
	Workers int
}

// Stage is how far a build has come.
type Stage struct {
	Name   string // what is being done: regions, register, premises, areas, and then what the index says
	Source string // the path being read, as the manifest has it; "" once all is read
	Done   int64  // of Total: bytes of all input files while reading
	Total  int64
}

// Result is what came of a build.
type Result struct {
	Built   *index.Built // nil if the build was refused
	Repeats bool         // Built was made of the very files that Options.Previous was: it is no news
	Report
}

// Build reads all that the manifest names and makes a snapshot of it, ready to
// be written. A [*RefusedError] comes with a Result whose Report tells
// everything that is wrong; other errors come without one.
//
// An extract of which no file is there is refused by a gate after a previous
// snapshot: something came of it once. Without one it is an error of the
// manifest, told at once: its path is likely wrong.
func Build(ctx context.Context, m *Manifest, o Options) (*Result, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Previous == nil && m.absent != nil {
		return nil, m.absent
	}
	q, err := openQuarantine(o.Rejects)
	if err != nil {
		return nil, err
	}
	r := &run{
		ctx: ctx, m: m, o: o, quarantine: q, summary: Summary{AsOf: m.AsOf},
		registers: newRegisterCounts(),
		areasOf:   make([][]index.Area, len(m.Extracts)),
	}
	r.feeds = r.newFeeds()
	r.summary.Sources = make([]SourceSummary, 1+len(m.Registers)+len(m.Extracts))
	built, err := r.build()
	if e := q.Close(); err == nil {
		err = e
	}
	if err == nil && len(r.summary.Refusals) > 0 {
		built, err = nil, &RefusedError{r.summary.Refusals}
	}
	if err != nil {
		if _, refused := errors.AsType[*RefusedError](err); !refused {
			return nil, err
		}
	}
	repeats := built != nil && o.Previous != nil && built.Repeats(o.Previous)
	return &Result{built, repeats, r.report(built)}, err
}

// run is one build.
type run struct {
	ctx        context.Context
	m          *Manifest
	o          Options
	quarantine *quarantine
	builder    *index.Builder
	summary    Summary
	notices    []string             // attributions
	land       *[3]geo.MultiPolygon // the manifest's; nil: the indicative Regions

	feeds       []*feed // in the manifest's order
	registers   registerCounts
	areasOf     [][]index.Area // by extract
	carriedOver []Carried
	gates       []GateResult
	final       bool // a refusal that nobody can override: making a snapshot is no use
	overrides   []manifestOverride
	overridden  []index.Override
	counted     index.Report // what the index says
	delta       *index.Delta // likewise; nil: not known

	files  []sourceFile // of premises extracts, by the number that rows bear
	stored atomic.Int64 // bytes read
	total  int64        // bytes to read
}

// sourceFile is a file of a premises extract.
type sourceFile struct {
	path, name string
	source     *SourceSummary
	extract    *Extract
	fixes      fixes
}

// build returns a nil snapshot when there are refusals.
func (r *run) build() (*index.Built, error) {
	if err := r.measure(); err != nil {
		return nil, err
	}
	r.checkOverrides()
	r.dateGates()
	if err := r.regionsAndBuilder(); err != nil || r.builder == nil {
		return nil, err
	}
	for i := range r.m.Registers {
		if err := r.register(&r.m.Registers[i], &r.summary.Sources[1+i]); err != nil {
			return nil, err
		}
	}
	for i := range r.m.Extracts {
		e, s := &r.m.Extracts[i], &r.summary.Sources[1+len(r.m.Registers)+i]
		s.Source = index.Source{Kind: string(e.Kind), CSP: e.CSP, AsOf: e.AsOf, Sequence: e.Sequence}
		s.Pattern = e.Pattern
		if e.Missing {
			continue
		}
		read := r.premises
		if e.Kind == KindAreas {
			read = r.areas
		}
		if err := r.judge(s, read(i, s)); err != nil {
			return nil, err
		}
		r.sourceGates(e, s)
	}
	if err := r.missing(); err != nil {
		return nil, err
	}
	if err := r.addAreas(); err != nil {
		return nil, err
	}
	built, err := r.freeze()
	if err != nil {
		return nil, err
	}
	r.tooMany()
	r.inputGates()
	if built != nil {
		r.builtGates(built)
	}
	r.unneeded()
	r.count()
	if built == nil {
		return nil, nil
	}
	var sources []index.Source
	for i := range r.summary.Sources {
		sources = append(sources, r.summary.Sources[i].Source)
	}
	r.builder.SetSources(sources)
	r.builder.SetBaselines(r.baselines(&built.Report))
	r.builder.SetOverrides(r.overridden)
	return built, nil
}

// freeze makes the snapshot, also of a night that is refused as it stands: what
// only the snapshot can tell is then told too, and the operator has to look but
// once. Not where a refusal is final, or where there is nothing to make one of.
func (r *run) freeze() (*index.Built, error) {
	if r.final {
		return nil, nil
	}
	built, err := r.builder.Build(r.ctx)
	if errors.Is(err, index.ErrCapacity) {
		r.verdict(gateCapacity, "snapshot", err.Error(), "")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.counted, r.delta = built.Report, built.Delta
	r.takeCounts(&built.Report)
	return built, r.conflicts(built.Report.Conflicts)
}

// measure adds up the sizes of the inputs.
func (r *run) measure() error {
	paths := []string{}
	if r.m.Regions != "" {
		paths = append(paths, r.m.Regions)
	}
	for _, g := range r.m.Registers {
		paths = append(paths, g.Files...)
	}
	for _, e := range r.m.Extracts {
		paths = append(append(paths, e.Files...), e.Corrections...)
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		r.total += info.Size()
	}
	return nil
}

func (r *run) tell(name, source string) {
	if r.o.Progress != nil {
		r.o.Progress(Stage{name, source, r.stored.Load(), r.total})
	}
}

// previous is the snapshot before this one, unless it is of a later day: then
// the night is refused, and only read for the report.
func (r *run) previous() *index.Snapshot {
	if p := r.o.Previous; p != nil && p.Info().AsOf <= r.m.AsOf {
		return p
	}
	return nil
}

// judge turns what is wrong with a file into a refusal and leaves other errors
// as they are.
func (r *run) judge(s *SourceSummary, err error) error {
	if bad, ok := errors.AsType[*FileError](err); ok {
		r.verdict(gateFile, s.Pattern, bad.Error(), "")
		return nil
	}
	return err
}

// refused reports whether a source's files could not be read.
func (r *run) refused(s *SourceSummary) bool {
	for _, f := range r.summary.Refusals {
		if f.Source == s.Pattern && f.Gate == gateFile {
			return true
		}
	}
	return false
}

// regionsAndBuilder reads the boundaries and starts the Builder. No Builder and
// no error: a refusal.
func (r *run) regionsAndBuilder() error {
	s := &r.summary.Sources[0]
	var land [3]geo.MultiPolygon
	var err error
	if r.m.Regions == "" {
		r.tell("regions", "")
		land, err = IndicativeRegions()
		sum := sha256.Sum256(indicativeRegions)
		s.Source = index.Source{
			Kind: "regions", Format: "geojson", Rows: 3, Accepted: 3,
			Files: []index.File{{Path: "indicative.geojson.zst", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(indicativeRegions))}},
			Notes: []string{"the indicative Regions: not the boundaries that the DCC publishes"},
		}
		s.Pattern = "(indicative)"
		r.notices = append(r.notices, IndicativeAttribution())
	} else {
		s.Kind, s.Pattern = "regions", shownPath(r.m.Dir, r.m.Regions)
		r.tell("regions", s.Pattern)
		land, s.Source, err = Regions(r.m.Regions)
		if err == nil {
			s.Files[0].Path = s.Pattern
			r.stored.Add(s.Files[0].Bytes)
			r.land = &land
		}
	}
	if err != nil {
		return r.judge(s, err)
	}
	for _, g := range r.m.Registers {
		if g.Format == "" {
			if g.Format, err = recogniseFile(g.Files[0], g.Pattern); err != nil {
				continue // reading it will tell
			}
		}
		if n := notices[g.Format]; n != "" && !slices.Contains(r.notices, n) {
			r.notices = append(r.notices, n)
		}
	}
	for _, n := range r.m.Attributions {
		if !slices.Contains(r.notices, n) {
			r.notices = append(r.notices, n)
		}
	}
	r.builder, err = index.NewBuilder(land, index.Options{
		AsOf: r.m.AsOf, Prefer: r.m.Prefer, CountsAsWAN: r.m.CountsAsWAN, CSPs: r.m.CSPs(),
		Tool: r.o.Tool, Indicative: r.m.Indicative, Attributions: r.notices, Previous: r.previous(),
		Progress: func(stage string, done, total int64) {
			if r.o.Progress != nil {
				r.o.Progress(Stage{Name: stage, Done: done, Total: total})
			}
		},
	})
	return err
}

// sourceGates checks an extract against what the manifest says of it.
func (r *run) sourceGates(e *Extract, s *SourceSummary) {
	if r.refused(s) {
		return
	}
	r.verdict(gateFile, s.Pattern, "", "")
	if e.Rows >= 0 {
		wrong := ""
		if s.Rows != e.Rows {
			wrong = fmt.Sprintf("%s has %s rows, the manifest says %s: part of it is missing, or the manifest is another night's",
				s.name(), thousands(s.Rows), thousands(e.Rows))
		}
		r.verdict(gateRows, s.Pattern, wrong, "")
	}
	if e.SHA256 != "" && len(s.Files) == 1 {
		wrong := ""
		if s.Files[0].SHA256 != e.SHA256 {
			wrong = fmt.Sprintf("%s has the SHA-256 %s, the manifest says %s: it is another file, or was damaged on the way",
				s.name(), s.Files[0].SHA256, e.SHA256)
		}
		r.verdict(gateSHA256, s.Pattern, wrong, "")
	}
}

// noneAccepted warns of a source so small that all its rows may be bad.
const noneAccepted = "all its rows are rejected: nothing of it is in the snapshot"

// tooMany refuses sources with too many rejected rows.
func (r *run) tooMany() {
	for i := range r.summary.Sources {
		s := &r.summary.Sources[i]
		share := DefaultMaxRejected
		if k := i - 1 - len(r.m.Registers); k >= 0 {
			share = r.m.Extracts[k].MaxRejected
		}
		s.Allowed = allowed(s.Rows, share)
		if s.Rows > 0 && s.Rejected == s.Rows {
			s.Warnings = append(s.Warnings, noneAccepted)
		}
		if s.Rows == 0 || r.refused(s) {
			continue
		}
		rows := float64(s.Rows)
		value, hold := float64(s.Rejected)/rows, min(1, float64(s.Allowed)/rows)
		g := GateResult{
			Gate: gateRejected, Source: s.Pattern, Verdict: Passed, Tonight: s.Rejected, Before: s.Rows,
			Value: value, Hold: hold, Margin: new(hold - value),
			Msg: fmt.Sprintf("%s has %s rejected rows of %s, and at most %s are let pass (max_rejected = %v)",
				s.name(), thousands(s.Rejected), thousands(s.Rows), thousands(s.Allowed), share),
			Look: fmt.Sprintf("coverd build --manifest %s --rejects rejects.csv lists them all", r.m.Path),
		}
		if r.o.Rejects != "" {
			g.Look = "the file of rejected rows lists them all" // where it will be in the end, the caller knows
		}
		if s.Rejected > 0 {
			g.Msg += ": " + s.byReason()
		}
		if s.Rejected > s.Allowed {
			g.Verdict = Refused
		}
		r.result(g, false)
	}
}

// count sums up the extracts.
func (r *run) count() {
	t := &r.summary
	for i := range t.Sources {
		s := &t.Sources[i]
		switch Kind(s.Kind) {
		case KindAreas:
			t.Areas += s.Accepted
			fallthrough
		case KindPremises:
			t.Rows += s.Rows
			t.Accepted += s.Accepted
			t.Rejected += s.Rejected
			t.Corrected += s.Corrected
		}
	}
	for i := range r.carriedOver {
		if c := &r.carriedOver[i]; c.Kind == KindAreas {
			t.Areas += c.Claims
		}
	}
}

// takeCounts takes over what the index has counted.
func (r *run) takeCounts(p *index.Report) {
	t := &r.summary
	t.Premises, t.Merged, t.Conflicts = p.Premises, p.Merged, int64(len(p.Conflicts))
	t.RegionMismatch, t.FutureDates = p.RegionMismatch, p.FutureDates
	t.WithoutLocation, t.WithoutPostcode, t.WithoutUPRN = p.WithoutLocation, p.WithoutPostcode, p.WithoutUPRN
	t.NotInRegister, t.NotInExtracts = p.NotInRegister, p.NotInExtracts
	warn := func(n int64, format string) {
		if n > 0 {
			t.Warnings = append(t.Warnings, fmt.Sprintf(format, thousands(n)))
		}
	}
	warn(t.FutureDates, "%s claims say that coverage is there, and give a date in the future")
	warn(t.RegionMismatch, "%s claims are on a network region of another Region than their premises'")
	if len(r.m.Registers) == 0 {
		t.Warnings = append(t.Warnings, "no register: nothing is known of postcodes that are in no extract")
	}
}

package loader

import (
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/semaphore"

	"coverd/index"
)

// The notices that must travel with registers. Each names the year of the
// edition that was current when this was written; the data's own year is in
// the snapshot's sources.
var notices = map[Format]string{
	FormatCodePointOpen: "Contains OS data © Crown copyright and database right 2025. Contains Royal Mail data © Royal Mail copyright and database right 2025. Contains National Statistics data © Crown copyright and database right 2025. Licensed under the Open Government Licence v3.0.",
	FormatONSPD:         "Source: Office for National Statistics licensed under the Open Government Licence v3.0. Contains OS data © Crown copyright and database right 2024. Contains Royal Mail data © Royal Mail copyright and database right 2024.",
}

// take counts what came of a part of a source, and quarantines its rejects.
func (r *run) take(s *SourceSummary, p *parsed) error {
	s.Rows += p.rows
	s.Accepted += p.accepted
	for _, f := range p.fixed {
		if f.correction.came = f.came; f.came == fixAccepted {
			s.Corrected++
		}
	}
	s.Marks += p.marks
	for i := range p.rejects {
		s.reject(&p.rejects[i])
		if err := r.quarantine.add(&p.rejects[i]); err != nil {
			return err
		}
	}
	return p.err
}

// premises reads a premises extract. Its files are one stream of blocks, so that
// the next file is being read while the last blocks of one are parsed.
func (r *run) premises(extract int, s *SourceSummary) error {
	e := &r.m.Extracts[extract]
	claims := newClaimReader(e)
	newParser := func() *premisesParser {
		return newPremisesParser(r.builder, claims, newRowCounts(r.m.Gates.DistanceMetres))
	}
	parsers := make([]*premisesParser, r.o.Workers)
	for i := range parsers {
		parsers[i] = newParser()
	}
	rest := newParser() // for what a block had too many rejects to hold
	defer func() {
		for _, p := range append(parsers, rest) {
			r.feedOf(extract).counts.merge(p.counts)
		}
	}()
	first := len(r.files)
	if first+len(e.Files) > index.MaxFiles {
		return &FileError{File: s.Pattern, Msg: fmt.Sprintf("too many files: a build reads at most %s of premises", thousands(index.MaxFiles))}
	}
	fixes, err := r.corrections(e, s)
	if err != nil {
		return err
	}
	for _, path := range e.Files {
		name := shownPath(r.m.Dir, path)
		r.files = append(r.files, sourceFile{path, name, s, e, fixes[name]})
	}
	for part := range inOrder(len(parsers), r.parts(first, r.files[first:]), func(w int, p filePart) filePart {
		if p.csv != nil {
			p.parsed = parsers[w].block(p.csv, p.block)
		}
		return p
	}) {
		s.Warnings = append(s.Warnings, part.warnings...)
		if err := r.take(s, &part.parsed); err != nil {
			return err
		}
		for part.rest != nil {
			part.parsed = rest.block(part.csv, *part.rest)
			if err := r.take(s, &part.parsed); err != nil {
				return err
			}
		}
		if part.done != nil {
			s.Files = append(s.Files, *part.done)
		}
		r.tell("premises", s.Pattern)
	}
	unusedFixes(fixes, s)
	if s.Marks > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%s rows that claim nothing, and mark premises that rows contradicted each other about", thousands(s.Marks)))
	}
	return nil
}

// filePart is a block of a file and what has come of it; or, without csv, what
// there is to say of a file when it is opened or at its end.
type filePart struct {
	csv   *csvFile
	block block
	parsed
	warnings []string
	done     *index.File
}

// parts walks all blocks of premises files, the first of which has a number. It
// ends after a part with an error.
func (r *run) parts(first int, files []sourceFile) func(yield func(filePart) bool) {
	return func(yield func(filePart) bool) {
		for i, f := range files {
			going := true
			err := r.fileParts(uint32(first+i), f, func(p filePart) bool {
				going = yield(p)
				return going
			})
			if err != nil && going {
				yield(filePart{parsed: parsed{err: err}})
			}
			if err != nil || !going {
				return
			}
		}
	}
}

// fileParts is parts for one file.
func (r *run) fileParts(number uint32, f sourceFile, yield func(filePart) bool) error {
	in, err := openInput(f.path, f.name, &r.stored)
	if err != nil {
		return err
	}
	defer in.Close()
	split := newSplitter(f.name, in, blockSize)
	csv, warnings, err := bindFile(split, number, f.extract, f.fixes)
	if err != nil {
		return err
	}
	for i, w := range warnings {
		warnings[i] = f.name + ": " + w
	}
	if !yield(filePart{warnings: warnings}) {
		return nil
	}
	var end error
	for b := range each(r.ctx, split.next, &end) {
		if !yield(filePart{csv: csv, block: b}) {
			return nil
		}
	}
	done, err := finishInput(in, end)
	if err != nil {
		return err
	}
	if split.cut && f.extract.SHA256 == "" {
		return split.unended(", or give its sha256 in the manifest")
	}
	yield(filePart{done: &done})
	return nil
}

// areas reads a coverage-area extract.
func (r *run) areas(extract int, s *SourceSummary) error {
	e := &r.m.Extracts[extract]
	p := newAreaParser(e)
	fixes, err := r.corrections(e, s)
	if err != nil {
		return err
	}
	var seen [numClaimColumns]bool
	unknown := unknownNames{}
	for _, path := range e.Files {
		name := shownPath(r.m.Dir, path)
		if err := r.areasFile(extract, path, name, fixes[name], p, s, &seen, unknown); err != nil {
			return err
		}
	}
	unusedFixes(fixes, s)
	if s.Accepted > 0 || s.Rejected > 0 {
		for _, name := range p.missing(seen, e) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("no feature has a property %q", name))
		}
	}
	s.Warnings = append(s.Warnings, unknown.warnings()...)
	return nil
}

func (r *run) areasFile(extract int, path, name string, fixes fixes, p *areaParser, s *SourceSummary, seen *[numClaimColumns]bool, unknown unknownNames) error {
	in, err := openInput(path, name, &r.stored)
	if err != nil {
		return err
	}
	defer in.Close()
	var end error
	held := semaphore.NewWeighted(maxAreaFeature) // bytes of features that are being parsed
	walk := func(yield func(feature) bool) {
		end = features(name, in, maxAreaFeature, func(f feature) bool {
			return held.Acquire(r.ctx, f.weight()) == nil && yield(f)
		})
		if end == nil {
			end = r.ctx.Err()
		}
	}
	work := func(_ int, f feature) areaPart {
		defer held.Release(f.weight())
		return p.feature(name, f, fixes)
	}
	for part := range inOrder(r.o.Workers, walk, work) {
		if err := r.take(s, &part.parsed); err != nil {
			return err
		}
		for i := range seen {
			seen[i] = seen[i] || part.seen[i]
		}
		unknown.add(part.unknown)
		if part.accepted > 0 {
			r.takeArea(extract, &part.area)
		}
		r.tell("areas", s.Pattern)
	}
	done, err := finishInput(in, end)
	if err != nil {
		return err
	}
	s.Files = append(s.Files, done)
	return nil
}

// register reads a postcode register.
func (r *run) register(g *RegisterInput, s *SourceSummary) error {
	s.Source = index.Source{Kind: "register", Format: string(g.Format)}
	s.Pattern = g.Pattern
	reader := registerReader{format: g.Format, workers: r.o.Workers, stored: &r.stored}
	for _, path := range g.Files {
		for part := range reader.read(path, shownPath(r.m.Dir, path)) {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			if err := r.judge(s, r.take(s, &part.parsed)); err != nil || r.refused(s) {
				return err
			}
			s.OutOfArea += part.outOfArea
			s.Unlocated += part.unlocated
			for i := range part.entries {
				r.addPostcode(s, shownPath(r.m.Dir, path), &part.entries[i])
			}
			if part.file != nil {
				s.Files = append(s.Files, *part.file)
			}
			r.tell("register", s.Pattern)
		}
	}
	s.Format = string(reader.format)
	note := func(n int64, format string) {
		if n > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf(format, thousands(n)))
		}
	}
	note(s.Unlocated, "%s postcodes without coordinates")
	note(s.OutOfArea, "%s rows outside smart metering in Great Britain, left out")
	note(s.Repeated, "%s rows that say what an earlier one does")
	if s.Differing > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s rows of postcodes that an earlier row has otherwise: the first stays", thousands(s.Differing)))
	}
	return nil
}

// addPostcode gives an entry to the Builder; of several for a postcode the
// first stays.
func (r *run) addPostcode(s *SourceSummary, file string, e *registerEntry) {
	if r.builder.AddPostcode(e.Entry) {
		r.registers.add(&e.Entry)
		return
	}
	if first, _ := r.builder.Postcode(e.Postcode); first == e.Entry {
		s.Repeated++
		return
	}
	s.Differing++
	if s.Differing <= maxShown {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s:%d: an earlier row has %v otherwise", file, e.line, e.Postcode))
	}
}

// recogniseFile tells the format of a register's file.
func recogniseFile(path, name string) (Format, error) {
	in, err := openInput(path, name, nil)
	if err != nil {
		return "", err
	}
	defer in.Close()
	first, err := newSplitter(name, in, maxRecord).peek()
	if err != nil {
		return "", err
	}
	return recognise(first), nil
}

// conflictLine is a row to be quarantined because others claim otherwise.
type conflictLine struct {
	line     uint32
	row      uint32 // of the conflict's
	conflict *index.Conflict
}

// conflictReason names one of the others.
func (r *run) conflictReason(l conflictLine) string {
	other := l.conflict.Rows[0]
	if l.row == 0 {
		other = l.conflict.Rows[1]
	}
	reason := fmt.Sprintf("conflict with %s:%d: different claims of one CSP for one premises on %v; neither is taken",
		r.files[other.File].name, other.Line, l.conflict.Network)
	if more := len(l.conflict.Rows) - 2; more > 0 {
		reason += fmt.Sprintf(" (nor %d more)", more)
	}
	return reason
}

// conflicts quarantines the rows that the index found to contradict each other.
// Only now is it known which they are, so their files are read once more.
func (r *run) conflicts(all []index.Conflict) error {
	byFile := make([][]conflictLine, len(r.files))
	for k := range all {
		c := &all[k]
		for i, row := range c.Rows {
			byFile[row.File] = append(byFile[row.File], conflictLine{row.Line, uint32(i), c})
		}
	}
	for i, lines := range byFile {
		if len(lines) == 0 {
			continue
		}
		slices.SortFunc(lines, func(a, b conflictLine) int { return int(a.line) - int(b.line) })
		if r.files[i].path == "" {
			r.carriedConflicts(r.files[i], lines)
			continue
		}
		if err := r.judge(r.files[i].source, r.quarantineLines(r.files[i], lines)); err != nil {
			return err
		}
	}
	return nil
}

// quarantineLines finds rows of a file by their lines.
func (r *run) quarantineLines(f sourceFile, lines []conflictLine) error {
	in, err := openInput(f.path, f.name, nil)
	if err != nil {
		return err
	}
	defer in.Close()
	changed := &FileError{File: f.name, Msg: "it changed while it was read: start the build when it is complete"}
	split := newSplitter(f.name, in, blockSize)
	if _, err := split.header(); err != nil {
		return changed
	}
	var x lexer
	for len(lines) > 0 {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		b, err := split.next()
		if err == io.EOF {
			return changed
		}
		if err != nil {
			return err
		}
		data, line := b.data, b.line
		if b.bad != nil && lines[0].line == line { // it has been corrected
			if err := r.rejectConflict(f, lines[0], *b.bad); err != nil {
				return err
			}
			lines = lines[1:]
		}
		for len(data) > 0 && len(lines) > 0 && lines[0].line < split.line {
			n, k, _ := x.next(data)
			if line == lines[0].line {
				raw := trimEnd(data[:n])
				if err := r.rejectConflict(f, lines[0], Reject{Row: string(raw), Digest: rowDigest(raw)}); err != nil {
					return err
				}
				lines = lines[1:]
			}
			data, line = data[n:], line+uint32(k)
		}
		b.free()
	}
	return nil
}

// rejectConflict quarantines a row that had been accepted, or the correction of
// it that was. as has the row as it stands, and its digest.
func (r *run) rejectConflict(f sourceFile, l conflictLine, as Reject) error {
	rej := Reject{File: f.name, Line: int(l.line), Code: CodeConflict, Reason: r.conflictReason(l), Row: as.Row, Digest: as.Digest}
	if fix := f.fixes.accepted(l.line, as.Digest); fix != nil {
		rej.Row = string(fix.row)
		rej.Reason += fix.where()
		f.source.Corrected--
	}
	f.source.reject(&rej)
	f.source.Accepted--
	return r.quarantine.add(&rej)
}

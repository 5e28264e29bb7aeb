package loader

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Limits on corrections, which are held in memory while their extract is read:
// whoever needs more has the provider mend the extract.
const (
	maxCorrections = 16 << 20           // bytes of text, of all files of an extract
	maxCorrection  = 3 * maxRowKept     // of a row of the file: a row that is kept, with its quotes doubled
	conflictPrefix = CodeConflict + ":" // of the reason of a row that is good but for another one
)

// A correction is a rejected row that a person has put right. It is bound to
// the place of the row and to the digest of what stands there, so that another
// night's row is never taken for it.
type correction struct {
	source   string // the file it is about
	at       uint32 // the line in it
	digest   string // of the row that stands there
	conflict bool   // the row was good, and another one claimed otherwise
	row      []byte

	file string // of corrections
	line int    // in it
	came outcome
}

// outcome is what came of a correction.
type outcome uint8

const (
	fixUnused      outcome = iota // the row it is about is not there
	fixNone                       // it changes nothing
	fixNotRejected                // the row it is about is good
	fixAmbiguous                  // another one corrects the row otherwise
	fixRejected                   // it was read, and is bad
	fixAccepted                   // it was read, and taken
)

// fixed tells what came of a correction. It travels with what came of its
// block: corrections themselves are only read while blocks are parsed.
type fixed struct {
	*correction
	came outcome
}

// fixes are the corrections of a file's rows, by line. On one line there are
// several where other nights had other rows there, or where features share it.
type fixes map[uint32][]*correction

// choose finds the correction of a row as it stands. Without a code the row is
// good, and only one of what is wrong between rows counts.
func (f fixes) choose(line uint32, as *Reject, out *parsed) (chosen *correction) {
	several := false
	for _, c := range f[line] {
		switch {
		case c.digest != as.Digest:
		case bytes.Equal(c.row, unbroken(as.Row)):
			out.fixed = append(out.fixed, fixed{c, fixNone})
		case as.Code == "" && !c.conflict:
			out.fixed = append(out.fixed, fixed{c, fixNotRejected})
		case chosen == nil:
			chosen = c
		case !bytes.Equal(c.row, chosen.row):
			several = true
			out.fixed = append(out.fixed, fixed{c, fixAmbiguous})
		default:
			out.fixed = append(out.fixed, fixed{c, fixNone})
		}
	}
	if several {
		out.fixed = append(out.fixed, fixed{chosen, fixAmbiguous})
		return nil
	}
	return chosen
}

// settle tells what came of a correction of a row: f is what is wrong with it.
// The reject is of the place of the row, so that it can be corrected again.
func (c *correction) settle(as *Reject, f *cellFault, out *parsed) *Reject {
	if f == nil {
		out.fixed = append(out.fixed, fixed{c, fixAccepted})
		return nil
	}
	out.fixed = append(out.fixed, fixed{c, fixRejected})
	return &Reject{
		File: as.File, Line: as.Line, Column: f.column, Code: f.code, Reason: f.msg + c.where(),
		Row: clipRow(c.row, maxRowKept), Digest: as.Digest,
	}
}

// where is the end of a reason: whose row it is about.
func (c *correction) where() string { return fmt.Sprintf(" (as corrected in %s:%d)", c.file, c.line) }

// accepted is the correction that was taken for the row of a line, if any.
func (f fixes) accepted(line uint32, digest string) *correction {
	for _, c := range f[line] {
		if c.came == fixAccepted && c.digest == digest {
			return c
		}
	}
	return nil
}

// unbroken is a row as it comes back from a file of rejects: of the line breaks
// inside it, CRLF has become LF.
func unbroken(row string) []byte {
	return bytes.TrimRight(bytes.ReplaceAll([]byte(row), []byte("\r\n"), []byte("\n")), "\r\n")
}

// corrections reads what corrects rows of an extract, by the name of the file
// that it is about.
func (r *run) corrections(e *Extract, s *SourceSummary) (map[string]fixes, error) {
	if len(e.Corrections) == 0 {
		return nil, nil
	}
	byFile := map[string]fixes{}
	for _, path := range e.Files {
		byFile[shownPath(r.m.Dir, path)] = fixes{}
	}
	elsewhere := map[string]int64{} // sources of no table of the manifest
	left := maxCorrections
	for _, path := range e.Corrections {
		name := shownPath(r.m.Dir, path)
		in, err := openInput(path, name, &r.stored)
		if err != nil {
			return nil, err
		}
		end := readCorrections(name, in, &left, func(c *correction) {
			if of, ok := byFile[c.source]; ok {
				of[c.at] = append(of[c.at], c)
			} else if !r.isInput(c.source) {
				elsewhere[c.source]++
			}
		})
		file, err := finishInput(in, end)
		in.Close()
		if err != nil {
			return nil, err
		}
		s.Corrections = append(s.Corrections, file)
	}
	var warnings []string
	for _, name := range sortedKeys(elsewhere) {
		warnings = append(warnings, fmt.Sprintf("%s corrections are of %q, which is no file of the manifest: not used", thousands(elsewhere[name]), clip([]byte(name))))
	}
	s.Warnings = append(s.Warnings, firstFew(warnings, "files of corrections that are not there")...)
	return byFile, nil
}

// isInput reports whether the manifest names a file, as reports have it.
func (r *run) isInput(name string) bool {
	is := func(path string) bool { return shownPath(r.m.Dir, path) == name }
	return is(r.m.Regions) ||
		slices.ContainsFunc(r.m.Registers, func(g RegisterInput) bool { return slices.ContainsFunc(g.Files, is) }) ||
		slices.ContainsFunc(r.m.Extracts, func(e Extract) bool { return slices.ContainsFunc(e.Files, is) })
}

// readCorrections walks a file of rejects whose rows may have been corrected;
// those left as they were are not told. left is how many bytes it may have. The
// error is why the walk ended: [io.EOF] if all is well.
func readCorrections(name string, r io.Reader, left *int, yield func(*correction)) error {
	split := newSplitter(name, r, blockSize)
	split.most = maxCorrection
	header, err := split.header()
	if err != nil {
		return err
	}
	at, err := correctionColumns(header)
	if err != nil {
		return &FileError{name, 1, "header: " + err.Error()}
	}
	var x lexer
	for {
		b, err := split.next()
		if err != nil {
			return err
		}
		if b.bad != nil {
			return &FileError{name, b.bad.Line, b.bad.Reason}
		}
		if *left -= len(b.data); *left < 0 {
			return &FileError{name, int(b.line), fmt.Sprintf("more than %d MiB of corrections: have the extract mended", maxCorrections>>20)}
		}
		for data, line := b.data, b.line; len(data) > 0; {
			n, lines, err := x.next(data)
			if len(trimEnd(data[:n])) > 0 {
				c, what := newCorrection(&x, at, len(header), err)
				if what != "" {
					return &FileError{name, int(line), what}
				}
				if c.file, c.line = name, int(line); rowDigest(c.row) != c.digest {
					yield(c)
				}
			}
			data, line = data[n:], line+uint32(lines)
		}
		b.free()
	}
}

// correctionColumns finds the columns that a correction needs, in the order of
// rejectColumns; others may be there.
func correctionColumns(header []string) (at [len(rejectColumns)]int, err error) {
	for i, want := range rejectColumns {
		switch at[i] = slices.Index(header, want); {
		case want == "column": // for people
		case at[i] < 0:
			return at, fmt.Errorf("no column %s: corrections are a file of rejected rows (--rejects) whose column row has been corrected", want)
		case slices.Contains(header[at[i]+1:], want):
			return at, fmt.Errorf("column %s is there twice", want)
		}
	}
	return at, nil
}

// newCorrection reads the lexer's record; what tells what is wrong with it.
func newCorrection(x *lexer, at [len(rejectColumns)]int, fields int, err error) (c *correction, what string) {
	switch {
	case err != nil:
		return nil, err.Error()
	case len(x.fields) != fields:
		return nil, fmt.Sprintf("%d fields, the header has %d", len(x.fields), fields)
	}
	cell := func(i int) string { return strings.Trim(string(x.fields[at[i]]), " ") }
	line, err := strconv.ParseUint(cell(1), 10, 32)
	if err != nil || line == 0 {
		return nil, fmt.Sprintf("line: not the number of a line: %q", clip([]byte(cell(1))))
	}
	digest := strings.ToLower(cell(5))
	if hexadecimal, ok := strings.CutPrefix(digest, digestPrefix); !ok || len(hexadecimal) != 16 || strings.Trim(hexadecimal, "0123456789abcdef") != "" {
		return nil, fmt.Sprintf("digest: %q is none: leave that of the rejected row", clip([]byte(cell(5))))
	}
	row := unbroken(original(string(x.fields[at[4]])))
	switch {
	case len(row) > maxRowKept+len("…"):
		return nil, fmt.Sprintf("row: over %d bytes", maxRowKept)
	case len(row) == 0:
		return nil, "row: it is empty: leave it as it was, or delete the line, where a row is not corrected"
	}
	return &correction{
		source: original(string(x.fields[at[0]])), at: uint32(line), digest: digest,
		conflict: strings.HasPrefix(cell(3), string(conflictPrefix)), row: row,
	}, ""
}

// unusedFixes warns of the corrections of an extract that nothing came of.
func unusedFixes(byFile map[string]fixes, s *SourceSummary) {
	whys := map[outcome]string{
		fixUnused:      "another row than the one corrected stands at %s:%d now, or none: not used",
		fixNotRejected: "the row at %s:%d is not rejected: not used",
		fixAmbiguous:   "another correction of %s:%d says otherwise: neither is used",
	}
	var left []*correction
	for _, name := range sortedKeys(byFile) {
		for _, list := range byFile[name] {
			for _, c := range list {
				if whys[c.came] != "" {
					left = append(left, c)
				}
			}
		}
	}
	slices.SortFunc(left, func(a, b *correction) int {
		return cmp.Or(strings.Compare(a.file, b.file), a.line-b.line)
	})
	var warnings []string
	for _, c := range left {
		warnings = append(warnings, fmt.Sprintf("%s:%d: "+whys[c.came], c.file, c.line, c.source, c.at))
	}
	s.Warnings = append(s.Warnings, firstFew(warnings, "corrections are not used")...)
}

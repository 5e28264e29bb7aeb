package loader

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"coverd/geo"
	"coverd/index"
)

// Format is the form a postcode register comes in.
type Format string

// The formats.
const (
	// FormatONSPD is the ONS Postcode Directory: CSV with a header.
	FormatONSPD Format = "onspd"
	// FormatCodePointOpen is Ordnance Survey's: CSV without header, one file a
	// postcode area.
	FormatCodePointOpen Format = "code-point-open"
	// FormatCoverd is our own: postcode,latitude,longitude[,introduced,terminated]
	// [,terminated_after,terminated_by].
	FormatCoverd Format = "coverd"
)

var formats = []Format{FormatONSPD, FormatCodePointOpen, FormatCoverd}

// registerFolder looks into a folder for a register's files: as Code-Point
// Open is shipped (codepo_gb, or its Doc beside Data), or directly.
func registerFolder(path string) (glob string, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return "", false
	}
	folders := []string{filepath.Join(path, "Data", "CSV"), filepath.Join(path, "CSV")}
	if filepath.Base(filepath.Clean(path)) == "Doc" {
		folders = append(folders, filepath.Join(path, "..", "Data", "CSV"))
	}
	const files = "*.csv*" // plain or compressed
	for _, f := range folders {
		g := filepath.Join(f, files)
		if found, err := filepath.Glob(g); err == nil && len(found) > 0 {
			return g, true
		}
	}
	return filepath.Join(path, files), true
}

// Register reads a postcode register: a file, a glob, or a folder. The format
// may be "" to have it recognised. Entries come in the order of the files'
// names and of their rows; a postcode may come twice. A bad row is yielded as
// a [*Reject], and the walk goes on; any other error ends it. ONSPD rows of
// places outside GB smart metering are left out.
func Register(path string, format Format) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		if glob, ok := registerFolder(path); ok {
			path = glob
		}
		files, err := expandGlob(path)
		if err != nil {
			yield(index.Entry{}, err)
			return
		}
		r := registerReader{format: format, workers: runtime.GOMAXPROCS(0)}
		for _, f := range files {
			for part := range r.read(f, filepath.Base(f)) {
				for _, e := range part.entries {
					if !yield(e.Entry, nil) {
						return
					}
				}
				for i := range part.rejects {
					if !yield(index.Entry{}, &part.rejects[i]) {
						return
					}
				}
				if part.err != nil {
					yield(index.Entry{}, part.err)
					return
				}
			}
		}
	}
}

// registerEntry is an entry and where it stands.
type registerEntry struct {
	index.Entry
	line int
}

// registerPart is what has come of a block of a register.
type registerPart struct {
	parsed
	entries   []registerEntry
	outOfArea int64 // rows left out
	unlocated int64 // entries without coordinates
	file      *index.File
}

// registerReader reads the files of one register.
type registerReader struct {
	format  Format // "": the first file tells
	workers int
	size    int           // of blocks; 0: as usual
	stored  *atomic.Int64 // bytes read so far
}

// rowReader reads a record of a register. skip says that it is of a place
// outside GB smart metering.
type rowReader func(fields [][]byte) (e index.Entry, skip bool, f *cellFault)

// read yields what comes of a file, block by block; the last part has the file
// or the error.
func (r *registerReader) read(path, name string) iter.Seq[registerPart] {
	return func(yield func(registerPart) bool) {
		fail := func(err error) { yield(registerPart{parsed: parsed{err: err}}) }
		in, err := openInput(path, name, r.stored)
		if err != nil {
			fail(err)
			return
		}
		defer in.Close()
		size := r.size
		if size == 0 {
			size = blockSize
		}
		s := newSplitter(name, in, size)
		row, fields, err := r.start(s)
		if err != nil {
			fail(err)
			return
		}
		lexers := make([]lexer, r.workers)
		var rest lexer
		var end error
		blocks := func(yield func(block) bool) {
			for {
				b, err := s.next()
				if err != nil {
					end = err
					return
				}
				if !yield(b) {
					return
				}
			}
		}
		for part := range inOrder(r.workers, blocks, func(w int, b block) registerPart {
			return parseRegister(name, &lexers[w], b, row, fields)
		}) {
			for {
				if !yield(part) || part.err != nil {
					return
				}
				if part.rest == nil {
					break
				}
				part = parseRegister(name, &rest, *part.rest, row, fields)
			}
		}
		file, err := finishInput(in, end)
		if err != nil {
			fail(err)
			return
		}
		yield(registerPart{file: &file})
	}
}

// start recognises the file's format by its first record, and returns how its
// rows are read and how many fields they have.
func (r *registerReader) start(s *splitter) (rowReader, int, error) {
	first, err := s.peek()
	if err != nil {
		return nil, 0, err
	}
	format := recognise(first)
	switch {
	case format == "":
		return nil, 0, &FileError{s.name, 1, fmt.Sprintf("not a postcode register: the first line is neither Code-Point Open's, nor the header of an ONSPD, nor ours (postcode,latitude,longitude); it has: %s",
			clip([]byte(strings.Join(first, ", "))))}
	case r.format == "":
		r.format = format
	case r.format != format:
		return nil, 0, &FileError{s.name, 1, fmt.Sprintf("looks like format %q, not %q", format, r.format)}
	}
	if format == FormatCodePointOpen {
		return codePointOpenRow, len(first), nil
	}
	header, err := s.header()
	if err != nil {
		return nil, 0, err
	}
	var row rowReader
	if format == FormatONSPD {
		row, err = onspdRows(header)
	} else {
		row, err = coverdRows(header)
	}
	if err != nil {
		return nil, 0, &FileError{s.name, 1, "header: " + err.Error()}
	}
	return row, len(header), nil
}

// recognise tells a register's format by its first record.
func recognise(first []string) Format {
	names := lowered(first)
	switch {
	case slices.ContainsFunc(names, isPostcodeColumn) && slices.Contains(names, "doterm"):
		return FormatONSPD
	case slices.Contains(names, "postcode") && slices.Contains(names, "latitude") && slices.Contains(names, "longitude"):
		return FormatCoverd
	case len(first) >= 4:
		if _, err := geo.ParsePostcode(first[0]); err == nil && isDigits(first[1]) && isDigits(first[2]) && isDigits(first[3]) {
			return FormatCodePointOpen
		}
	}
	return ""
}

func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(strings.Trim(n, " "))
	}
	return out
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// parseRegister reads the rows of a block, as far as their rejects can be held.
func parseRegister(name string, x *lexer, b block, row rowReader, fields int) (out registerPart) {
	if b.bad != nil {
		return registerPart{parsed: parsed{rows: 1, rejects: []Reject{*b.bad}}}
	}
	data, line := b.data, int(b.line)
	for len(data) > 0 {
		if len(out.rejects) >= maxRejects {
			out.rest = &block{line: uint32(line), data: data, cut: b.cut, owner: b.owner}
			b.owner = nil
			break
		}
		n, lines, err := x.next(data)
		raw := trimEnd(data[:n])
		data = data[n:]
		if len(raw) > 0 {
			out.rows++
			e, skip, f := registerRow(x, raw, err, row, fields)
			switch {
			case b.cut && len(data) == 0 && err == nil && len(x.fields) < fields:
				out.err = &FileError{name, line, "it is cut: the last row has no line end and only part of its fields"}
				return out
			case f != nil:
				out.rejects = append(out.rejects, *newReject(name, line, f, raw))
			case skip:
				out.outOfArea++
			default:
				out.accepted++
				if !e.At.IsValid() {
					out.unlocated++
				}
				out.entries = append(out.entries, registerEntry{e, line})
			}
		}
		line += lines
	}
	b.free()
	return out
}

func registerRow(x *lexer, raw []byte, err error, row rowReader, fields int) (e index.Entry, skip bool, f *cellFault) {
	if err != nil {
		return e, false, fault("", CodeQuotes, "%v", err)
	}
	if n := len(x.fields); n != fields {
		return e, false, fault("", CodeFieldCount, "%d fields, the first line has %d", n, fields)
	}
	if !isPlain(raw) {
		if code, what := textFault(raw, false); code != "" {
			return e, false, fault("", code, "%s", what)
		}
	}
	return row(x.fields)
}

// codePointOpenRow reads postcode, quality, eastings, northings; the rest is
// codes of areas.
func codePointOpenRow(fields [][]byte) (e index.Entry, skip bool, f *cellFault) {
	if e.Postcode, f = registerPostcode(fields[0]); f != nil {
		return e, false, f
	}
	quality, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return e, false, fault("quality", CodeCoordinate, "not a positional quality: %q", clip(fields[1]))
	}
	const noCoordinates = 90
	if quality == noCoordinates || string(fields[2]) == "0" && string(fields[3]) == "0" {
		return e, false, nil
	}
	at, f := eastingNorthing(fields[2], fields[3])
	if f != nil {
		return e, false, f
	}
	e.At = at.Location()
	return e, false, nil
}

func registerPostcode(cell []byte) (geo.Postcode, *cellFault) {
	p, err := geo.ParsePostcode(cell)
	if err != nil {
		return p, postcodeFault(colPostcode.String(), cell, err)
	}
	return p, nil
}

// coverdRows reads our own format: postcode, latitude, longitude, and perhaps
// introduced, terminated, terminated_after and terminated_by.
func coverdRows(header []string) (rowReader, error) {
	at, err := registerColumns(header, []string{"postcode", "latitude", "longitude"}, []string{"introduced", "terminated", "terminated_after", "terminated_by"})
	if err != nil {
		return nil, err
	}
	return func(fields [][]byte) (e index.Entry, skip bool, f *cellFault) {
		cell := func(name string) []byte {
			if i, ok := at[name]; ok {
				return trimSpace(fields[i])
			}
			return nil
		}
		if e.Postcode, f = registerPostcode(cell("postcode")); f != nil {
			return e, false, f
		}
		switch lat, lng := cell("latitude"), cell("longitude"); {
		case len(lat) == 0 && len(lng) == 0:
		case len(lat) == 0:
			return e, false, fault("latitude", CodeHalfPair, "longitude without latitude")
		case len(lng) == 0:
			return e, false, fault("longitude", CodeHalfPair, "latitude without longitude")
		default:
			p, f := latLng(lat, lng)
			if f != nil {
				return e, false, f
			}
			e.At = p.Location()
		}
		if e.Introduced, f = coverdMonth("introduced", cell("introduced")); f != nil {
			return e, false, f
		}
		if e.Terminated, f = coverdMonth("terminated", cell("terminated")); f != nil {
			return e, false, f
		}
		if f = monthOrder("terminated", &e); f != nil {
			return e, false, f
		}
		return e, false, terminatedBetween(&e, cell("terminated_after"), cell("terminated_by"))
	}, nil
}

// terminatedBetween reads the two days that a termination lies between.
func terminatedBetween(e *index.Entry, after, by []byte) *cellFault {
	var err error
	if e.TerminatedAfter, err = parseDay(after); err != nil {
		return fault("terminated_after", CodeDate, "%v", err)
	}
	if e.TerminatedBy, err = parseDay(by); err != nil {
		return fault("terminated_by", CodeDate, "%v", err)
	}
	switch {
	case len(after) == 0 && len(by) > 0:
		return fault("terminated_after", CodeHalfPair, "terminated_by without terminated_after")
	case len(by) == 0 && len(after) > 0:
		return fault("terminated_by", CodeHalfPair, "terminated_after without terminated_by")
	case e.TerminatedBy < e.TerminatedAfter:
		return fault("terminated_by", CodeDateOrder, "terminated by %v, and after %v", e.TerminatedBy, e.TerminatedAfter)
	}
	return nil
}

// coverdMonth reads a month as `2026-11`; empty is none.
func coverdMonth(column string, cell []byte) (index.Month, *cellFault) {
	if len(cell) == 0 {
		return 0, nil
	}
	m, err := index.ParseMonth(cell)
	if err != nil {
		return 0, fault(column, CodeDate, "%v", err)
	}
	return m, nil
}

func monthOrder(column string, e *index.Entry) *cellFault {
	if e.Introduced != 0 && e.Terminated != 0 && e.Terminated < e.Introduced {
		return fault(column, CodeDateOrder, "terminated in %v, before it was introduced in %v", e.Terminated, e.Introduced)
	}
	return nil
}

// registerColumns finds columns by name.
func registerColumns(header, required, optional []string) (map[string]int, error) {
	names := lowered(header)
	at := map[string]int{}
	for _, want := range slices.Concat(required, optional) {
		i := slices.Index(names, want)
		if i < 0 {
			if slices.Contains(required, want) {
				return nil, fmt.Errorf("no column %s; it has: %s", want, listed(header))
			}
			continue
		}
		if slices.Contains(names[i+1:], want) {
			return nil, fmt.Errorf("column %s is there twice", want)
		}
		at[want] = i
	}
	return at, nil
}

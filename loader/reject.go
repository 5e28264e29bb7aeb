package loader

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Code is the kind of reason a row is rejected for. EXTRACTS.md lists them
// with what to do about each.
type Code string

// The codes.
const (
	CodeFieldCount    Code = "field_count"    // not as many fields as the header
	CodeQuotes        Code = "quotes"         // quotes against RFC 4180
	CodeLineLength    Code = "line_length"    // a record over 64 KiB
	CodeEncoding      Code = "encoding"       // not UTF-8
	CodeControl       Code = "control"        // a control character
	CodeUPRN          Code = "uprn"           // not a UPRN
	CodePostcode      Code = "postcode"       // not a postcode
	CodeOutOfArea     Code = "out_of_area"    // a postcode outside GB smart metering
	CodeTooLong       Code = "too_long"       // text over its length
	CodeHalfPair      Code = "half_pair"      // one coordinate without the other
	CodeCoordinate    Code = "coordinate"     // not a number
	CodeSwapped       Code = "swapped"        // latitude and longitude exchanged
	CodeOutside       Code = "outside"        // not in or near Great Britain
	CodeDisagree      Code = "disagree"       // latitude/longitude and easting/northing differ
	CodeNetworkRegion Code = "network_region" // none of the eight
	CodeAvailability  Code = "availability"   // neither true nor false nor empty
	CodeDate          Code = "date"           // not a date, or a month
	CodeDateOrder     Code = "date_order"     // dates that run backwards
	CodeLikelihood    Code = "likelihood"     // none of the three
	CodeNoIdentity    Code = "no_identity"    // nothing to tell the premises by
	CodeConflict      Code = "conflict"       // another row of the CSP claims otherwise
	CodeConflictMark  Code = "conflict_mark"  // a claim in a row that says that there is none
	CodeJSON          Code = "json"           // not a GeoJSON feature
	CodeGeometry      Code = "geometry"       // not an area
	CodeProperty      Code = "property"       // neither text nor boolean nor null, or there twice
)

// A Reject is a bad row: where it stands, what is wrong with it, and the row.
// It is an error.
type Reject struct {
	File   string `json:"file"`   // relative to the manifest
	Line   int    `json:"line"`   // counted from 1; of a record over several lines the first
	Column string `json:"column"` // our name, theirs where we have none; "" for the row as a whole
	Code   Code   `json:"code"`
	Reason string `json:"reason"`
	Row    string `json:"row"`    // as it stands in the file, or was corrected; at most 64 KiB of it
	Digest string `json:"digest"` // of the row as it stands in the file, whole: what a correction is bound to
}

func (r *Reject) Error() string {
	if r.Column == "" {
		return fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Reason)
	}
	return fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, r.Column, r.Reason)
}

// A FileError is what is wrong with an input file as a whole. Nothing of the
// extract it belongs to is believed.
type FileError struct {
	File string
	Line int // 0: none in particular
	Msg  string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// cellFault is what is wrong with a cell, before it is known where it stands.
type cellFault struct {
	column string // "": the row as a whole
	code   Code
	msg    string
}

func fault(column string, code Code, format string, args ...any) *cellFault {
	return &cellFault{column, code, fmt.Sprintf(format, args...)}
}

// rowDigest identifies a row as it stands in a file, without its line end.
func rowDigest(row []byte) string {
	sum := sha256.Sum256(row)
	return digestText(sum[:])
}

// digestText is the first 64 bits of a SHA-256 as text. The prefix keeps
// spreadsheets from taking digits alone, or digits around an E, for a number,
// and writing another one.
func digestText(sum []byte) string { return digestPrefix + hex.EncodeToString(sum[:8]) }

const digestPrefix = "sha256:"

// maxRowKept is how much of a row is kept of rows that may be longer.
const maxRowKept = 64 << 10

// clipRow shortens a row that is too long to keep.
func clipRow(row []byte, most int) string {
	if len(row) <= most {
		return string(row)
	}
	return string(row[:most]) + "…"
}

// quarantine writes rejected rows to a CSV file, compressed if its name says
// so. A nil quarantine takes them and keeps nothing.
type quarantine struct {
	csv   *csv.Writer
	close []io.Closer // in order
	row   [6]string
}

// rejectColumns are the columns of the file of rejected rows.
var rejectColumns = [6]string{"source", "line", "column", "reason", "row", "digest"}

// openQuarantine creates the file, with its header: an empty one says that
// nothing was rejected.
func openQuarantine(path string) (*quarantine, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	q := &quarantine{}
	buf := bufio.NewWriterSize(f, 1<<16)
	var w io.Writer = buf
	switch {
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewWriter(buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		w, q.close = z, append(q.close, z)
	case strings.HasSuffix(path, ".gz"):
		z := gzip.NewWriter(buf)
		w, q.close = z, append(q.close, z)
	}
	q.close = append(q.close, closerFunc(buf.Flush), f)
	q.csv = csv.NewWriter(w)
	q.row = rejectColumns
	return q, q.csv.Write(q.row[:])
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

func (q *quarantine) add(r *Reject) error {
	if q == nil {
		return nil
	}
	q.row = [6]string{Inert(r.File), strconv.Itoa(r.Line), Inert(r.Column), string(r.Code) + ": " + r.Reason, Inert(r.Row), r.Digest}
	return q.csv.Write(q.row[:])
}

// Close writes what is left. It may be called again, to no effect.
func (q *quarantine) Close() error {
	if q == nil || q.close == nil {
		return nil
	}
	q.csv.Flush()
	err := q.csv.Error()
	for _, c := range q.close {
		if e := c.Close(); err == nil {
			err = e
		}
	}
	q.close = nil
	return err
}

package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"coverd/geo"
	"coverd/index"
	"coverd/loader"
)

// withdraw writes the extracts of a manifest anew without the rows at some
// postcodes, and a manifest of them for the next night. It returns how many
// premises that takes away.
func (w *yearWorld) withdraw(t *testing.T, from, to string, gone []geo.Postcode, asOf string) (premises int) {
	t.Helper()
	s, err := index.Open(w.path("2.snap"))
	if err != nil {
		t.Fatal(err)
	}
	drop := map[geo.Postcode]bool{}
	for _, p := range gone {
		drop[p] = true
		if u, ok := s.Postcode(p); ok {
			premises += u.Len()
		}
	}
	m, err := loader.ReadManifest(w.path(from))
	if err != nil {
		t.Fatal(err)
	}
	dropped := 0
	for _, e := range m.Extracts {
		if e.Kind != loader.KindPremises {
			continue
		}
		column := e.Columns["postcode"]
		if column == "" {
			column = "postcode"
		}
		for _, f := range e.Files {
			dropped += withdrawFrom(t, f, column, drop)
		}
	}
	if dropped < premises {
		t.Errorf("%d rows of %d premises", dropped, premises)
	}
	text, err := os.ReadFile(w.path(from))
	if err != nil {
		t.Fatal(err)
	}
	manifest := regexp.MustCompile(`(?m)^(rows|sha256|sequence) = .*\n`).ReplaceAllString(string(text), "")
	writeText(t, w.path(to), topAsOf.ReplaceAllString(manifest, "${1}as_of = "+asOf))
	return premises
}

// withdrawFrom rewrites one file and returns how many rows it has lost.
func withdrawFrom(t *testing.T, path, column string, drop map[geo.Postcode]bool) (dropped int) {
	t.Helper()
	tmp := filepath.Join(filepath.Dir(path), ".rest.csv.zst.tmp")
	dropped, err := func() (int, error) {
		in, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		defer func() { _ = in.Close() }()
		out, err := os.Create(tmp)
		if err != nil {
			return 0, err
		}
		n, err := copyWithout(out, in, column, drop)
		return n, errors.Join(err, out.Close())
	}()
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return dropped
}

func copyWithout(out io.Writer, in io.Reader, column string, drop map[geo.Postcode]bool) (dropped int, err error) {
	z, err := zstd.NewReader(in)
	if err != nil {
		return 0, err
	}
	defer z.Close()
	e, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return 0, err
	}
	buf := bufio.NewWriterSize(e, 1<<20)
	r, w := csv.NewReader(bufio.NewReaderSize(z, 1<<20)), csv.NewWriter(buf)
	r.ReuseRecord = true
	at := -1
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			w.Flush()
			return dropped, errors.Join(w.Error(), buf.Flush(), e.Close())
		}
		if err != nil {
			return 0, err
		}
		if at < 0 {
			if at = slices.Index(row, column); at < 0 {
				return 0, errors.New("no column " + column + " in " + strings.Join(row, ","))
			}
		} else if p, err := geo.ParsePostcode(row[at]); err == nil && drop[p] {
			dropped++
			continue
		}
		if err := w.Write(row); err != nil {
			return 0, err
		}
	}
}

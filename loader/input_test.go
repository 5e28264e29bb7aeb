package loader

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"coverd/index"
)

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t testing.TB, text string, o ...zstd.EOption) string {
	t.Helper()
	z, err := zstd.NewWriter(nil, append(o, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

// readInput reads a file with some content and a name.
func readInput(t testing.TB, name, content string) (text string, file index.File, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := openInput(path, name, nil)
	if err != nil {
		return "", file, err
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	if err == nil {
		file, err = in.finish()
	}
	return string(b), file, err
}

func TestInput(t *testing.T) {
	const text = "uprn,postcode\r\n1,GU1 1AA\r\n"
	empty := zstded(t, "x")
	skippable := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
	for _, tt := range []struct{ name, content, want string }{
		{"plain.csv", text, text},
		{"a.csv.gz", gzipped(t, text), text},
		{"a.csv.zst", zstded(t, text), text},
		{"wrong name.csv", gzipped(t, text), text}, // the content tells
		{"wrong name.gz", zstded(t, text), text},
		{"members.gz", gzipped(t, text[:9]) + gzipped(t, text[9:]), text},
		{"frames.zst", zstded(t, text[:9]) + zstded(t, text[9:]), text},
		{"skippable.zst", skippable + zstded(t, text), text},
		{"empty.csv", "", ""},
		{"empty.gz", gzipped(t, ""), ""},
		{"one.zst", empty, "x"},
		{"bom.csv", "\xef\xbb\xbf" + text, text},
		{"bom.csv.gz", gzipped(t, "\xef\xbb\xbf"+text), text},
		{"bom alone.csv", "\xef\xbb\xbf", ""},
		{"two boms.csv", "\xef\xbb\xbf\xef\xbb\xbf" + text, "\xef\xbb\xbf" + text},
		{"long window.zst", zstded(t, text, zstd.WithWindowSize(64<<20)), text},
	} {
		got, file, err := readInput(t, tt.name, tt.content)
		if got != tt.want || err != nil {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
			continue
		}
		want := index.File{Path: tt.name, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(tt.content))), Bytes: int64(len(tt.content))}
		if diff := cmp.Diff(want, file); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestBadInput(t *testing.T) {
	text := strings.Repeat("uprn,postcode\n1,GU1 1AA\n", 100)
	gz, zst := gzipped(t, text), zstded(t, text)
	const (
		cut    = "it is cut: the compressed data ends too early"
		cannot = "it cannot be decompressed: "
		named  = "its name says compressed, its content is not"
		utf16  = "it is UTF-16"
		window = "it needs a zstd window of over 8 MiB: compress it again with at most `zstd -19`"
	)
	flip := func(s string, i int) string { return s[:i] + string(s[i]^0x55) + s[i+1:] }
	for _, tt := range []struct{ name, content, want string }{
		{"plain.gz", text, named},
		{"plain.csv.zst", text, named},
		{"nothing.zst", "", named},
		{"short.gz", "\x1f", named},
		{"damaged.gz", flip(gz, len(gz)-6), cannot},
		{"damaged.zst", flip(zst, len(zst)-2), cannot},
		{"more after.gz", gz + "junk, not a member", cannot},
		{"more after.zst", zst + "junk, not a frame", cannot},
		{"second cut.gz", gz + gz[:len(gz)/2], cut},
		{"second cut.zst", zst + zst[:len(zst)/2], cut},
		{"le.csv", "\xff\xfeu\x00p\x00r\x00n\x00", utf16},
		{"be.csv", "\xfe\xff\x00u\x00p", utf16},
		{"le without mark.csv", "u\x00p\x00r\x00n\x00", utf16},
		{"be without mark.csv", "\x00u\x00p\x00r\x00n", utf16},
		{"le.csv.gz", gzipped(t, "\xff\xfeu\x00p\x00"), utf16},
		{"a.zip", "PK\x03\x04whatever", "it is a zip archive or spreadsheet"},
		{"a.zip.zst", zstded(t, "PK\x03\x04whatever"), "it is a zip archive or spreadsheet"},
		{"a.xz", "\xfd7zXZ\x00....", "it is xz"},
		{"a.bz2", "BZh91AY&SY", "it is bzip2"},
		{"a.7z", "7z\xbc\xaf\x27\x1c", "it is 7-Zip"},
		{"a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "it is an old spreadsheet"},
		{"a.pdf", "%PDF-1.7", "it is a PDF"},
		{"a.parquet", "PAR1....", "it is Parquet"},
		{"a.gpkg", "SQLite format 3\x00", "it is a SQLite database"},
		{"window.zst", "\x28\xb5\x2f\xfd\x00\xb8\x01\x00\x00", window}, // asks for 1 GiB of memory
		{"16 MiB window.zst", "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00", window},
		{"16 MiB in one segment.zst", "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x01\x01\x00\x00", window},
		{"dictionary.zst", "\x28\xb5\x2f\xfd\x01\x20\x07\x01\x00\x00", "it needs a zstd dictionary"},
		{"twice.gz.gz", gzipped(t, gz), "it is compressed twice"},
		{"twice.zst.gz", gzipped(t, zst), "it is compressed twice"},
		{"twice.zst.zst", zstded(t, zst), "it is compressed twice"},
	} {
		got, _, err := readInput(t, tt.name, tt.content)
		bad, ok := errors.AsType[*FileError](err)
		if !ok || bad.File != tt.name || !strings.HasPrefix(bad.Msg, tt.want) {
			t.Errorf("%s: got %.40q, error %v, want %s: %s", tt.name, got, err, tt.name, tt.want)
		}
	}
}

// Every cut of a compressed file is found.
func TestCutCompressed(t *testing.T) {
	text := strings.Repeat("uprn,postcode\n1,GU1 1AA\n", 20)
	for name, content := range map[string]string{"a.gz": gzipped(t, text), "a.zst": zstded(t, text)} {
		for n := range len(content) {
			if _, _, err := readInput(t, name, content[:n]); err == nil {
				t.Errorf("%s cut after %d of %d bytes: no error", name, n, len(content))
			} else if _, ok := errors.AsType[*FileError](err); !ok {
				t.Errorf("%s cut after %d bytes: %v is no FileError", name, n, err)
			}
		}
	}
}

// A small file that expands without end is given up long before that, in little
// memory.
func TestBomb(t *testing.T) {
	zeros := &repeated{unit: strings.Repeat("\x00", 1<<16), left: 96 << 20}
	var gz, zst bytes.Buffer
	zw, err := zstd.NewWriter(&zst, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	gw := gzip.NewWriter(&gz)
	if _, err := io.Copy(io.MultiWriter(gw, zw), zeros); err != nil {
		t.Fatal(err)
	}
	gw.Close()
	zw.Close()
	for name, content := range map[string][]byte{"a.gz": gz.Bytes(), "a.zst": zst.Bytes()} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		in, err := openInput(path, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, in)
		in.Close()
		runtime.ReadMemStats(&after)
		if bad, ok := errors.AsType[*FileError](err); !ok || bad.Msg != "it expands to more than 500 times its size: no extract does" {
			t.Errorf("%s: %d bytes, error %v", name, n, err)
		}
		if limit := int64(len(content)+1<<18)*maxExpansion + freeOutput; n > limit {
			t.Errorf("%s: %d bytes of output, more than %d", name, n, limit)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d bytes allocated", name, used)
		}
	}
}

// What compresses well, and is small, is no bomb.
func TestNoBomb(t *testing.T) {
	text := strings.Repeat("a", freeOutput)
	if got, _, err := readInput(t, "a.csv.zst", zstded(t, text)); got != text || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestInputChanges(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(path string) error
	}{
		{"grows", func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("more\n")
			return err
		}},
		{"is touched", func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, 0)) }},
		{"shrinks", func(path string) error { return os.Truncate(path, 10) }},
		{"is replaced", func(path string) error {
			if err := os.WriteFile(path+"2", []byte("another"), 0o644); err != nil {
				return err
			}
			return os.Rename(path+"2", path)
		}},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(strings.Repeat("a,b\n", 1000)), 0o644); err != nil {
			t.Fatal(err)
		}
		in, err := openInput(path, "a.csv", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.change(path); err != nil {
			t.Fatal(err)
		}
		_, err = in.finish()
		in.Close()
		if bad, ok := errors.AsType[*FileError](err); !ok || !strings.HasPrefix(bad.Msg, "it changed while it was read") {
			t.Errorf("%s: error %v", tt.name, err)
		}
	}
}

// The bytes read are those of the files as stored, all of them, also where the
// reader stopped early.
func TestInputCountsStoredBytes(t *testing.T) {
	content := gzipped(t, strings.Repeat("a,b\n", 100_000))
	path := filepath.Join(t.TempDir(), "a.gz")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	var stored atomic.Int64
	in, err := openInput(path, "a.gz", &stored)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := finishInput(in, io.EOF); err != nil || stored.Load() != int64(len(content)) {
		t.Errorf("%d of %d bytes, %v", stored.Load(), len(content), err)
	}
}

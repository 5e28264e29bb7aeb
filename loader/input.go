package loader

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"coverd/index"
)

// Limits on what a compressed file may ask for.
const (
	maxWindow    = 8 << 20  // of zstd, in bytes: what `zstd -19` needs; the decoder holds some three of them
	freeOutput   = 4 << 20  // bytes of output before the ratio is looked at
	maxExpansion = 500      // output to input: of real extracts it is under 30, of a bomb thousands
	maxOutput    = 64 << 30 // bytes of output of one file: a national extract has 5 GB
)

// input is a file being read: plain, gzip or zstd, told by its first bytes.
// What is read is hashed as it is stored.
type input struct {
	name   string // for reports
	path   string
	file   io.ReadCloser
	size   int64
	mtime  time.Time
	digest hash.Hash
	stored *atomic.Int64 // bytes read from the file, shared for progress
	taken  int64         // bytes read from the file, of this one
	used   atomic.Int64  // bytes that were taken to unpack, perhaps by another goroutine
	given  int64         // bytes given to the reader
	most   int64         // of them
	text   io.Reader
	marked bool // it starts with a byte order mark, which Read does not give
	free   func()
}

// openInput opens a file. stored, if not nil, is advanced by what is read.
// Errors about the file's content, here and from Read, are [*FileError].
func openInput(path, name string, stored *atomic.Int64) (*input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	in := &input{
		name: name, path: path, file: f, size: info.Size(), mtime: info.ModTime(),
		digest: sha256.New(), stored: stored, most: maxOutput, free: func() {},
	}
	if err := in.decompress(); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// openStream is openInput for what is no file of ours to open, such as standard
// input.
func openStream(r io.Reader, name string, stored *atomic.Int64) (*input, error) {
	in := &input{name: name, file: io.NopCloser(r), digest: sha256.New(), stored: stored, most: maxOutput, free: func() {}}
	if err := in.decompress(); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// The first bytes of the formats that are told apart.
var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd}
	wrongs    = []struct {
		magic string
		what  string
	}{
		{"\xff\xfe", "UTF-16"},
		{"\xfe\xff", "UTF-16"},
		{"PK\x03\x04", "a zip archive or spreadsheet"},
		{"\xfd7zXZ\x00", "xz"},
		{"BZh", "bzip2"},
		{"7z\xbc\xaf", "7-Zip"},
		{"\xd0\xcf\x11\xe0", "an old spreadsheet"},
		{"%PDF", "a PDF"},
		{"PAR1", "Parquet"},
		{"SQLite format 3", "a SQLite database"},
		{string(magicGzip), "compressed twice"},
		{string(magicZstd), "compressed twice"},
	}
	bom = []byte("\xef\xbb\xbf")
)

// decompress looks at the first bytes and puts the right reader in front.
func (in *input) decompress() error {
	raw := bufio.NewReaderSize(rawReader{in}, 1<<18)
	head, err := raw.Peek(4)
	if err != nil && err != io.EOF {
		return in.fault(err)
	}
	used := &usedReader{raw, &in.used}
	var text io.Reader = used
	switch {
	case bytes.HasPrefix(head, magicGzip):
		z, err := gzip.NewReader(used)
		if err != nil {
			return in.fault(err)
		}
		text = z
	case bytes.Equal(head, magicZstd), isSkippable(head):
		z, err := zstd.NewReader(used,
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxOutput), zstd.WithDecoderConcurrency(2))
		if err != nil {
			return in.fault(err)
		}
		text, in.free = z, z.Close
	case strings.HasSuffix(in.name, ".gz"), strings.HasSuffix(in.name, ".zst"):
		return &FileError{File: in.name, Msg: "its name says compressed, its content is not: rename it, or fetch it again"}
	}
	buffered := bufio.NewReaderSize(&expansionGuard{in, text}, 1<<16)
	start, err := buffered.Peek(16)
	if err != nil && err != io.EOF {
		return err // from Read, so a fault already
	}
	for _, w := range wrongs {
		if bytes.HasPrefix(start, []byte(w.magic)) {
			return &FileError{File: in.name, Msg: "it is " + w.what + ": want UTF-8 text, plain or compressed with gzip or zstd"}
		}
	}
	if bytes.HasPrefix(start, bom) {
		_, _ = buffered.Discard(len(bom)) // cannot fail: it is buffered
		in.marked = true
	} else if len(start) > 1 && (start[0] == 0) != (start[1] == 0) {
		return &FileError{File: in.name, Msg: "it is UTF-16: want UTF-8 text, plain or compressed with gzip or zstd"}
	}
	in.text = buffered
	return nil
}

// isSkippable tells a zstd file that starts with a skippable frame.
func isSkippable(head []byte) bool {
	return len(head) == 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18
}

// rawReader reads the file as stored and hashes it.
type rawReader struct{ *input }

func (r rawReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.digest.Write(p[:n])
	r.taken += int64(n)
	if r.stored != nil {
		r.stored.Add(int64(n))
	}
	return n, err
}

// usedReader counts what is taken from a buffer.
type usedReader struct {
	r *bufio.Reader
	n *atomic.Int64
}

func (u *usedReader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	u.n.Add(int64(n))
	return n, err
}

// expansionGuard stops a small file from becoming an endless one.
type expansionGuard struct {
	in   *input
	text io.Reader
}

func (g *expansionGuard) Read(p []byte) (int, error) {
	n, err := g.text.Read(p)
	in := g.in
	in.given += int64(n)
	if in.given > freeOutput && in.given/maxExpansion > in.used.Load() {
		return 0, &FileError{File: in.name, Msg: fmt.Sprintf(
			"it expands to more than %d times its size: no extract does", maxExpansion)}
	}
	if in.given > in.most {
		return 0, &FileError{File: in.name, Msg: fmt.Sprintf("it has more than %s bytes of text: split it", thousands(in.most))}
	}
	if err != nil && err != io.EOF {
		err = g.in.fault(err)
	}
	return n, err
}

// fault tells errors of the content from those of the machine.
func (in *input) fault(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*FileError](err); ok {
		return err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return &FileError{File: in.name, Msg: "it is cut: the compressed data ends too early; fetch it again"}
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &FileError{File: in.name, Msg: fmt.Sprintf(
			"it needs a zstd window of over %d MiB: compress it again with at most `zstd -19`, without --long and --ultra", maxWindow>>20)}
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return &FileError{File: in.name, Msg: "it needs a zstd dictionary: compress it again without one"}
	}
	return &FileError{File: in.name, Msg: "it cannot be decompressed: " + err.Error()}
}

// Read gives the text, without a byte order mark.
func (in *input) Read(p []byte) (int, error) { return in.text.Read(p) }

// finish reads the rest, so that all of the file is hashed, and describes it.
// That it changed since it was opened is an error.
func (in *input) finish() (index.File, error) {
	if _, err := io.Copy(io.Discard, in); err != nil {
		return index.File{}, err
	}
	if _, err := io.Copy(io.Discard, rawReader{in}); err != nil {
		return index.File{}, err
	}
	info, err := os.Stat(in.path)
	if err != nil {
		return index.File{}, err
	}
	if in.taken != in.size || info.Size() != in.size || !info.ModTime().Equal(in.mtime) {
		return index.File{}, &FileError{File: in.name, Msg: "it changed while it was read: start the build when it is complete"}
	}
	return index.File{Path: in.name, SHA256: hex.EncodeToString(in.digest.Sum(nil)), Bytes: in.taken}, nil
}

// Close frees the file; finish first for its description.
func (in *input) Close() {
	in.free()
	_ = in.file.Close() // it was only read
}

// finishInput ends a walk over a file: end is [io.EOF], or why the walk ended
// before.
func finishInput(in *input, end error) (index.File, error) {
	if end != nil && end != io.EOF {
		return index.File{}, end
	}
	return in.finish()
}

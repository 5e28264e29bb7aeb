package loader

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"coverd/index"
)

// Packing is how a file that is written is packed.
type Packing string

// The packings.
const (
	PackZstd  Packing = "zstd"
	PackGzip  Packing = "gzip"
	PackPlain Packing = "none"
)

// Packings lists the packings.
var Packings = []Packing{PackZstd, PackGzip, PackPlain}

// PackingOf tells by its name how a file is to be packed.
func PackingOf(path string) Packing {
	switch {
	case strings.HasSuffix(path, ".zst"):
		return PackZstd
	case strings.HasSuffix(path, ".gz"):
		return PackGzip
	}
	return PackPlain
}

// suffix is the end of the name of a file packed so.
func (p Packing) suffix() string {
	switch p {
	case PackZstd:
		return ".zst"
	case PackGzip:
		return ".gz"
	default:
		return ""
	}
}

// packer packs pieces of a text, each into a frame of its own: these after each
// other are one file. So pieces can be packed side by side, and the bytes do not
// depend on how many do it. Each worker has its own.
type packer struct {
	packing Packing
	zstd    *zstd.Encoder
	gzip    *gzip.Writer
}

func newPacker(p Packing) (*packer, error) {
	z := &packer{packing: p}
	var err error
	switch p {
	case PackZstd:
		z.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	case PackGzip:
		z.gzip = gzip.NewWriter(nil)
	case PackPlain:
	}
	return z, err
}

// maxFrame is how much text a frame holds at most, so that a reader with little
// memory can unpack it.
const maxFrame = 4 << 20

// append appends the packed text to dst.
func (z *packer) append(dst, text []byte) ([]byte, error) {
	switch z.packing {
	case PackZstd:
		for {
			n := min(len(text), maxFrame)
			dst = z.zstd.EncodeAll(text[:n], dst)
			if text = text[n:]; len(text) == 0 {
				return dst, nil
			}
		}
	case PackGzip:
		to := bytes.NewBuffer(dst)
		z.gzip.Reset(to)
		if _, err := z.gzip.Write(text); err != nil {
			return dst, err
		}
		if err := z.gzip.Close(); err != nil {
			return dst, err
		}
		dst = to.Bytes()
	case PackPlain:
		dst = append(dst, text...)
	}
	return dst, nil
}

// outFile is a new file being written, and its digest.
type outFile struct {
	path   string
	file   *os.File
	digest hash.Hash
	bytes  int64
}

func createFile(path string) (*outFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &outFile{path: path, file: f, digest: sha256.New()}, nil
}

var _ io.Writer = (*outFile)(nil)

func (f *outFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.digest.Write(p[:n])
	f.bytes += int64(n)
	return n, err
}

// finish closes the file and describes it.
func (f *outFile) finish() (index.File, error) {
	return index.File{Path: f.path, SHA256: hex.EncodeToString(f.digest.Sum(nil)), Bytes: f.bytes}, f.file.Close()
}

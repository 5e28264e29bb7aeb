package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The file as FORMAT.md specifies it: header, section table, sections, digest.
const (
	magic         = "coverd\r\n"
	formatVersion = 2
	headerSize    = 64
	entrySize     = 64
	digestSize    = sha256.Size
	maxSections   = 4096
	maxName       = 16
	minSize       = headerSize + digestSize
	// All sections together unpack to at most the size of the file and maxSlack
	// bytes more, so that a hostile table cannot ask for all the memory there is.
	// Only sections below maxPacked are compressed, and there are some fifty.
	maxSlack = 64 << 20
	// minGain is the bytes that compression must save: what is stored as it is
	// opens sooner, and can be read in a hexadecimal dump.
	minGain = 64
	// maxPacked is the size from which sections are stored as they are, and so
	// used where they lie in the file: packed, they would be held twice. At
	// national scale nearly all bytes are in such; zstd would save little of
	// them, being bits without a pattern.
	maxPacked = 1 << 20
)

// Codecs of a section.
const (
	codecRaw  = 0
	codecZstd = 1
)

// Errors that say what is wrong with a snapshot file. The errors of Open and
// OpenBytes wrap one of them.
var (
	ErrNotSnapshot = errors.New("not a coverd snapshot")
	ErrVersion     = errors.New("snapshot of another format version")
	ErrCorrupt     = errors.New("damaged snapshot")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// section is one named part of the file.
type section struct {
	name string
	raw  []byte
}

// packed is a section as it goes into the file.
type packed struct {
	name    string
	codec   byte
	rawSize uint64
	stored  []byte
}

// pack compresses the small sections, in parallel, each on its own and always the
// same way, so that the bytes do not depend on the number of cores.
func pack(sections []section, workers int) ([]packed, error) {
	out := make([]packed, len(sections))
	errs := make([]error, len(sections))
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
			for i := range next {
				if err != nil {
					errs[i] = err
					continue
				}
				s := sections[i]
				p := packed{name: s.name, codec: codecRaw, rawSize: uint64(len(s.raw)), stored: s.raw}
				if len(s.raw) < maxPacked {
					if z := enc.EncodeAll(s.raw, nil); len(z)+minGain <= len(s.raw) {
						p.codec, p.stored = codecZstd, z
					}
				}
				out[i], sections[i].raw = p, nil
			}
		})
	}
	for i := range sections {
		next <- i
	}
	close(next)
	wg.Wait()
	return out, errors.Join(errs...)
}

// writeFile writes header, table, sections and digest.
func writeFile(w io.Writer, sections []packed) (int64, error) {
	head := make([]byte, headerSize, headerSize+entrySize*len(sections))
	offset := uint64(headerSize + entrySize*len(sections))
	for _, s := range sections {
		var e [entrySize]byte
		copy(e[:maxName], s.name)
		e[16] = s.codec
		binary.LittleEndian.PutUint64(e[24:], offset)
		binary.LittleEndian.PutUint64(e[32:], uint64(len(s.stored)))
		binary.LittleEndian.PutUint64(e[40:], s.rawSize)
		binary.LittleEndian.PutUint32(e[48:], crc32.Checksum(s.stored, castagnoli))
		head = append(head, e[:]...)
		offset += uint64(len(s.stored))
	}
	copy(head, magic)
	binary.LittleEndian.PutUint32(head[8:], formatVersion)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(sections)))
	// head[16:24] must-understand and head[24:32] may-ignore feature flags: none yet.
	binary.LittleEndian.PutUint64(head[32:], offset+digestSize)
	binary.LittleEndian.PutUint32(head[60:], headerChecksum(head))

	digest := sha256.New()
	out := io.MultiWriter(w, digest)
	total := int64(0)
	write := func(b []byte) error {
		n, err := out.Write(b)
		total += int64(n)
		return err
	}
	if err := write(head); err != nil {
		return total, err
	}
	for _, s := range sections {
		if err := write(s.stored); err != nil {
			return total, err
		}
	}
	n, err := w.Write(digest.Sum(nil))
	return total + int64(n), err
}

// headerChecksum covers header and table, the field itself left out.
func headerChecksum(head []byte) uint32 {
	c := crc32.Update(0, castagnoli, head[:60])
	return crc32.Update(c, castagnoli, head[headerSize:])
}

// entry is a row of the section table.
type entry struct {
	name                string
	codec               byte
	offset, stored, raw uint64
	crc                 uint32
}

// stretch is the most that is hashed in one go. Both hashes are assembly, where
// a goroutine cannot be stopped: a collection that begins meanwhile has stopped
// all others, and they wait until it is through. Of 300 MB that would be a fifth
// of a second in which a server does not answer; of this it is 50 µs.
const stretch = 64 << 10

// digestOf is the SHA-256 of b.
func digestOf(b []byte) []byte {
	digest := sha256.New()
	for piece := range slices.Chunk(b, stretch) {
		_, _ = digest.Write(piece) // never an error
	}
	return digest.Sum(nil)
}

// checksumOf is the CRC-32C of b.
func checksumOf(b []byte) (sum uint32) {
	for piece := range slices.Chunk(b, stretch) {
		sum = crc32.Update(sum, castagnoli, piece)
	}
	return sum
}

// parseTable checks everything about the file that can be told without
// unpacking a section, the digest over the whole of it included.
func parseTable(file []byte) (entries []entry, id string, err error) {
	size := uint64(len(file))
	n, err := headLength(file[:min(size, headerSize)], size)
	if err != nil {
		return nil, "", err
	}
	head := file[:n]
	if err := checkHead(head); err != nil {
		return nil, "", err
	}
	digest := digestOf(file[:size-digestSize])
	if !bytes.Equal(digest, file[size-digestSize:]) {
		return nil, "", fmt.Errorf("%w: digest over the whole file", ErrCorrupt)
	}
	entries, err = parseEntries(head, size)
	return entries, idOf(digest), err
}

// idOf makes a snapshot's ID from the digest of its file.
func idOf(digest []byte) string { return hex.EncodeToString(digest[:16]) }

// headLength returns the size of header and section table together, from the
// header of a file of size bytes, or what there is of that.
func headLength(header []byte, size uint64) (n uint64, err error) {
	if len(header) < 12 || string(header[:8]) != magic {
		return 0, fmt.Errorf("%w: it does not start with the magic bytes", ErrNotSnapshot)
	}
	if v := binary.LittleEndian.Uint32(header[8:]); v != formatVersion {
		return 0, fmt.Errorf("%w: it has version %d, this program reads version %d", ErrVersion, v, formatVersion)
	}
	if size < minSize || len(header) < headerSize {
		return 0, fmt.Errorf("%w: cut off after %d bytes", ErrCorrupt, size)
	}
	if want := binary.LittleEndian.Uint64(header[32:]); want != size {
		return 0, fmt.Errorf("%w: %d bytes, its header says %d", ErrCorrupt, size, want)
	}
	sections := uint64(binary.LittleEndian.Uint32(header[12:]))
	if sections > maxSections || headerSize+sections*entrySize > size-digestSize {
		return 0, fmt.Errorf("%w: %d sections in %d bytes", ErrCorrupt, sections, size)
	}
	return headerSize + sections*entrySize, nil
}

// checkHead checks header and section table against accidents, and that this
// program understands what follows.
func checkHead(head []byte) error {
	if headerChecksum(head) != binary.LittleEndian.Uint32(head[60:]) {
		return fmt.Errorf("%w: header checksum", ErrCorrupt)
	}
	if f := binary.LittleEndian.Uint64(head[16:]); f != 0 {
		return fmt.Errorf("%w: it needs features %#x that this program does not know", ErrVersion, f)
	}
	return nil
}

// parseEntries reads the section table of a file of size bytes.
func parseEntries(head []byte, size uint64) (entries []entry, err error) {
	end := size - digestSize
	at, left := uint64(len(head)), size+maxSlack
	for b := head[headerSize:]; len(b) > 0; b = b[entrySize:] {
		e := entry{
			name:   string(bytes.TrimRight(b[:maxName], "\x00")),
			codec:  b[16],
			offset: binary.LittleEndian.Uint64(b[24:]),
			stored: binary.LittleEndian.Uint64(b[32:]),
			raw:    binary.LittleEndian.Uint64(b[40:]),
			crc:    binary.LittleEndian.Uint32(b[48:]),
		}
		if e.offset != at || e.stored > end-at {
			return nil, fmt.Errorf("%w: section %q at [%d,+%d) of %d bytes, expected at %d", ErrCorrupt, e.name, e.offset, e.stored, size, at)
		}
		if e.codec > codecZstd || e.codec == codecRaw && e.raw != e.stored || e.codec == codecZstd && e.raw >= maxPacked || e.raw > left {
			return nil, fmt.Errorf("%w: section %q: codec %d, %d bytes from %d", ErrCorrupt, e.name, e.codec, e.raw, e.stored)
		}
		at += e.stored
		left -= e.raw
		entries = append(entries, e)
	}
	if at != end {
		return nil, fmt.Errorf("%w: %d bytes belong to no section", ErrCorrupt, end-at)
	}
	return entries, nil
}

// unpack returns the sections by name, unpacked in parallel. Those stored as
// they are share memory with file.
func unpack(file []byte, entries []entry, workers int) (map[string][]byte, error) {
	dec, err := newUnpacker(workers)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	raws := make([][]byte, len(entries))
	errs := make([]error, len(entries))
	shareOut(len(entries), 1, workers, func(i int) { raws[i], errs[i] = entries[i].unpack(file, dec) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m := make(map[string][]byte, len(entries))
	for i, e := range entries {
		if _, twice := m[e.name]; twice {
			return nil, fmt.Errorf("%w: section %q twice", ErrCorrupt, e.name)
		}
		m[e.name] = raws[i]
	}
	return m, nil
}

// newUnpacker returns a decoder for so many calls of entry.unpack at a time.
func newUnpacker(workers int) (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(workers), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecodeAllCapLimit(true))
}

func (e *entry) unpack(file []byte, dec *zstd.Decoder) ([]byte, error) {
	stored := file[e.offset : e.offset+e.stored]
	if checksumOf(stored) != e.crc {
		return nil, fmt.Errorf("%w: section %q: checksum", ErrCorrupt, e.name)
	}
	if e.codec == codecRaw {
		return slices.Clip(stored), nil
	}
	// The capacity is the limit: a section that unpacks to more is refused.
	raw, err := dec.DecodeAll(stored, make([]byte, 0, e.raw))
	if err == nil && uint64(len(raw)) != e.raw {
		err = fmt.Errorf("%d bytes unpacked, want %d", len(raw), e.raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: section %q: %w", ErrCorrupt, e.name, err)
	}
	return raw, nil
}

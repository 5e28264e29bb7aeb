package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// maxMeta bounds what ReadInfo takes into memory of a file's meta section: that
// of a country takes some kilobytes.
const maxMeta = 64 << 20

// ReadInfo reads what a snapshot says of itself, in a few kilobytes of it, to
// list snapshots without opening each. Header, section table and meta section
// are checked by their checksums, the rest is not looked at: Memory is 0, and ID
// is what the file's last bytes say, which only [Open] verifies. The errors are
// those of Open.
func ReadInfo(path string) (*Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	var info *Info
	stat, err := f.Stat()
	if err == nil {
		if info, err = readInfo(f, stat.Size()); err != nil {
			err = &fs.PathError{Op: "open snapshot", Path: path, Err: err}
		}
	}
	return info, errors.Join(err, f.Close())
}

func readInfo(f io.ReaderAt, size int64) (*Info, error) {
	read := func(at, n uint64) ([]byte, error) {
		b := make([]byte, n)
		got, err := f.ReadAt(b, int64(at))
		if got == len(b) || errors.Is(err, io.EOF) {
			err = nil
		}
		return b[:got], err
	}
	head, err := read(0, headerSize)
	if err != nil {
		return nil, err
	}
	n, err := headLength(head, uint64(size))
	if err != nil {
		return nil, err
	}
	if head, err = read(0, n); err != nil {
		return nil, err
	}
	if uint64(len(head)) < n {
		return nil, fmt.Errorf("%w: cut off while it was read", ErrCorrupt)
	}
	if err := checkHead(head); err != nil {
		return nil, err
	}
	entries, err := parseEntries(head, uint64(size))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == sectionMeta })
	if i < 0 || entries[i].stored > maxMeta {
		return nil, fmt.Errorf("%w: section %q: missing, or too large", ErrCorrupt, sectionMeta)
	}
	meta := entries[i]
	stored, err := read(meta.offset, meta.stored)
	if err != nil {
		return nil, err
	}
	digest, err := read(uint64(size)-digestSize, digestSize)
	if err != nil {
		return nil, err
	}
	if uint64(len(stored)) < meta.stored || len(digest) < digestSize {
		return nil, fmt.Errorf("%w: cut off while it was read", ErrCorrupt)
	}
	dec, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	meta.offset = 0 // in stored
	raw, err := meta.unpack(stored, dec)
	if err != nil {
		return nil, err
	}
	info, err := parseMeta(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: section %q: %w", ErrCorrupt, sectionMeta, err)
	}
	info.ID, info.FormatVersion, info.Bytes = idOf(digest), formatVersion, size
	info.Sections = sectionInfos(entries)
	return &info, nil
}

// parseMeta reads the meta section, which says nothing of what follows from the
// file itself.
func parseMeta(raw []byte) (Info, error) {
	var i Info
	err := json.Unmarshal(raw, &i)
	i.ID, i.FormatVersion, i.Bytes, i.Memory, i.Sections = "", 0, 0, 0, nil
	switch {
	case err != nil:
	case i.AsOf == 0:
		err = errors.New("no as-of day")
	default:
		err = i.withinLimits()
	}
	return i, err
}

func sectionInfos(entries []entry) (list []SectionInfo) {
	for _, e := range entries {
		list = append(list, SectionInfo{e.name, int64(e.stored), int64(e.raw)})
	}
	return list
}

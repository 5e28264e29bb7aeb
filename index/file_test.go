package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// tinyFile is a small snapshot with something in every section, built on another.
func tinyFile(t testing.TB) []byte {
	t.Helper()
	w := makeWorld(61, 60)
	w.areas = w.areas[:2]
	for i, l := range w.land {
		w.land[i] = l[:1]
		w.land[i][0] = l[0][:1]
	}
	w.options.AsOf--
	next := w.nightOn(rand.New(rand.NewPCG(61, 3)), 12)
	next.options.Previous = w.open(t)
	next.baselines, next.overrides = someBaselines(), []Override{{"shrink", "Arqiva", "7ec1b1d29b72", "A", "b", "10 % fewer"}}
	file, _ := next.build(t, nil)
	return file
}

func TestOpenReadsAFile(t *testing.T) {
	file := tinyFile(t)
	path := filepath.Join(t.TempDir(), "tiny.snap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	info := s.Info()
	digest := sha256.Sum256(file[:len(file)-digestSize])
	if info.ID != s.ID() || len(info.ID) != 32 || !bytes.Equal(digest[:], file[len(file)-digestSize:]) {
		t.Errorf("ID %q", info.ID)
	}
	if info.Bytes != int64(len(file)) || info.FormatVersion != formatVersion || info.Tool != "test" || info.AsOf != worldDay {
		t.Errorf("%+v", info)
	}
	if info.Premises == 0 || info.Areas != 2 || len(info.ContentDigest) != 64 || info.Attributions[0] != "made up" {
		t.Errorf("%+v", info)
	}
	total := int64(headerSize + digestSize + entrySize*len(info.Sections))
	for _, s := range info.Sections {
		total += s.Stored
	}
	if total != info.Bytes {
		t.Errorf("sections explain %d of %d bytes", total, info.Bytes)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// TestOpenReadsAPipe: `coverd verify <(zstd -dc s.snap.zst)`.
// One worker makes the same snapshot as many do.
func TestOpenWithOneWorker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny.snap")
	if err := os.WriteFile(path, tinyFile(t), 0o600); err != nil {
		t.Fatal(err)
	}
	many, err := OpenWith(path, OpenOptions{Workers: 5})
	if err != nil {
		t.Fatal(err)
	}
	one, err := OpenWith(path, OpenOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(many.Info(), one.Info()); d != "" {
		t.Error(d)
	}
	same := func(a, b nearby) bool { return reflect.DeepEqual(a.levels, b.levels) }
	if !same(many.nearPremises, one.nearPremises) || !same(many.nearPoints, one.nearPoints) || !reflect.DeepEqual(many.sectors, one.sectors) {
		t.Error("what is derived from the file differs")
	}
}

func TestOpenReadsAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("no files stand for descriptors here: ", err)
	}
	file := tinyFile(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		_, err := w.Write(file)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Info().Bytes != int64(len(file)) {
		t.Errorf("%d bytes, want %d", s.Info().Bytes, len(file))
	}
}

// TestOpenOfWhatIsNoSnapshot: a file that ends before its size says, as one
// does that is cut off while it is read, is damaged. Files of the kernel's are
// like that.
func TestOpenOfWhatIsNoSnapshot(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(empty); !errors.Is(err, ErrNotSnapshot) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a folder opened")
	}
	const short = "/sys/kernel/mm/transparent_hugepage/enabled"
	if info, err := os.Stat(short); err == nil && info.Size() > 1000 {
		if _, err := Open(short); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), short+": ") {
			t.Errorf("a file cut off: %v", err)
		}
	}
}

func TestOtherVersionsAndFeaturesAreRefusedByName(t *testing.T) {
	_, err := Open("testdata/version1.snap")
	versionRefused(t, err, "it has version 1, this program reads version 2")
	file := tinyFile(t)
	other := bytes.Clone(file)
	binary.LittleEndian.PutUint32(other[8:], formatVersion+1)
	_, err = OpenBytes(other)
	versionRefused(t, err, "it has version 3, this program reads version 2")
	other = bytes.Clone(file)
	other[16] = 1
	reseal(other)
	_, err = OpenBytes(other)
	versionRefused(t, err, "it needs features 0x1 that this program does not know")
	other = bytes.Clone(file)
	other[24] = 1
	reseal(other)
	if _, err := OpenBytes(other); err != nil {
		t.Errorf("may-ignore flag: %v", err)
	}
}

// versionRefused checks that an error says no more than which versions there
// are: what to do about it depends on where the file came from.
func versionRefused(t *testing.T, err error, end string) {
	t.Helper()
	if !errors.Is(err, ErrVersion) || !strings.HasSuffix(err.Error(), end) {
		t.Errorf("%v, want it to end %q", err, end)
	}
}

// reseal makes checksums and digest right again.
func reseal(file []byte) {
	if len(file) < minSize {
		return
	}
	n := int(binary.LittleEndian.Uint32(file[12:]))
	end := headerSize + n*entrySize
	if n > maxSections || end > len(file)-digestSize {
		return
	}
	for e := headerSize; e < end; e += entrySize {
		off, size := binary.LittleEndian.Uint64(file[e+24:]), binary.LittleEndian.Uint64(file[e+32:])
		if size <= uint64(len(file)) && off <= uint64(len(file))-size {
			binary.LittleEndian.PutUint32(file[e+48:], crc32.Checksum(file[off:off+size], castagnoli))
		}
	}
	binary.LittleEndian.PutUint32(file[60:], headerChecksum(file[:end]))
	sealDigest(file)
}

// sealDigest makes the digest right again.
func sealDigest(file []byte) {
	digest := sha256.Sum256(file[:len(file)-digestSize])
	copy(file[len(file)-digestSize:], digest[:])
}

func FuzzOpenBytes(f *testing.F) {
	file := tinyFile(f)
	f.Add(file, 70, byte(1))
	f.Add(file, 500, byte(0x80))
	golden, _ := tinyWorld().build(f, nil)
	f.Add(golden, 0xdcd, byte(2)) // prem.head: the rows that start a group
	f.Fuzz(func(t *testing.T, b []byte, at int, with byte) {
		b = bytes.Clone(b)
		if at >= 0 && at < len(b) {
			b[at] ^= with
		}
		reseal(b)
		s, err := OpenBytes(b)
		if err != nil {
			return
		}
		if s.info.Premises > 10_000 || s.keys.n > 10_000 {
			return // slow to walk, not wrong
		}
		ask(s)
	})
}

func TestUnpackingIsBounded(t *testing.T) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 64<<20), nil)
	var file bytes.Buffer
	// It says a kilobyte and holds 64 MiB.
	if _, err := writeFile(&file, []packed{{name: sectionMeta, codec: codecZstd, rawSize: 1024, stored: bomb}}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBytes(file.Bytes()); !errors.Is(err, ErrCorrupt) {
		t.Errorf("bomb: %v", err)
	}
}

func TestColumnHoldsAnyValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		n, width := rng.IntN(70), rng.IntN(58)
		base := rng.Int64N(1<<50) - 1<<49
		values := make([]int64, n)
		for i := range values {
			values[i] = base + int64(rng.Uint64()&(1<<width-1))
		}
		c, err := parseColumn(columnOf(n, func(i int) int64 { return values[i] }))
		if err != nil || c.n != n {
			t.Fatal(err)
		}
		for i, v := range values {
			if c.at(i) != v {
				t.Fatalf("value %d of %d bits: %d, want %d", i, width, c.at(i), v)
			}
		}
	}
}

func TestCoordinatesComeBackToTheBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, decimals := range []bool{true, false} {
		values := make([]float64, 1000)
		for i := range values {
			values[i] = rng.Float64()*360 - 180
			if decimals {
				values[i] = float64(rng.IntN(3_600_000_000)-1_800_000_000) / 1e7
			}
		}
		raw := coordinates(len(values), func(i int) float64 { return values[i] })
		if (raw[0] == 7) != decimals {
			t.Errorf("decimals %v: kind %d", decimals, raw[0])
		}
		got, err := parseCoordinates(raw, 180)
		if err != nil || len(got) != len(values) {
			t.Fatal(len(got), err)
		}
		for i := range got {
			if got[i] != values[i] {
				t.Fatalf("%v came back as %v", values[i], got[i])
			}
		}
	}
}

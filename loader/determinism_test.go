package loader

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"coverd/index"
)

// buildIn builds the manifest of a folder and returns the snapshot file.
func buildIn(t *testing.T, dir string, o Options) []byte {
	t.Helper()
	m, err := ReadManifest(filepath.Join(dir, "coverd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := Build(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return fileOf(t, res)
}

// The same files give the same bytes: whatever the number of cores, the folder,
// the time zone, and who reads them.
func TestSameBytes(t *testing.T) {
	first := buildIn(t, sampleDir(t), Options{})
	check := func(name string, got []byte) {
		t.Helper()
		if !bytes.Equal(first, got) {
			t.Errorf("%s: other bytes", name)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "another folder", "deep")
	if err := os.CopyFS(elsewhere, os.DirFS(sampleDir(t))); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_000_000_000, 0)
	if err := os.Chtimes(filepath.Join(elsewhere, "terminated.csv"), old, old); err != nil {
		t.Fatal(err)
	}
	check("another folder", buildIn(t, elsewhere, Options{Workers: 7}))
	if underRace {
		return // what follows races no more than this did
	}

	t.Chdir(elsewhere)
	check("from inside the folder", buildIn(t, ".", Options{}))
	check("one worker", buildIn(t, elsewhere, Options{Workers: 1}))
	for _, procs := range []int{1, 2} {
		before := runtime.GOMAXPROCS(procs)
		got := buildIn(t, elsewhere, Options{})
		runtime.GOMAXPROCS(before)
		check("cores", got)
	}
	zone := time.Local
	time.Local = time.FixedZone("far east", 14*3600)
	got := buildIn(t, elsewhere, Options{})
	time.Local = zone
	check("time zone", got)
}

// The same facts in other rows and other packing give the same content.
func TestSameContent(t *testing.T) {
	dir := sampleDir(t)
	digest := func() string {
		s, err := index.OpenBytes(buildIn(t, dir, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		return s.Info().ContentDigest
	}
	first := digest()
	rng := rand.New(rand.NewPCG(3, 5))
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, ".csv") || strings.HasPrefix(path, "bad/") || path == "onspd-ab1.csv" {
			return err
		}
		return repack(t, dir, path, rng)
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, "coverd.toml")
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	globs := strings.NewReplacer(`"register/*.csv"`, `"register/*"`, `"terminated.csv"`, `"terminated.csv.*"`, `arqiva/*.csv"`, `arqiva/*.csv.*"`, `dcc/premises.csv"`, `dcc/premises.csv.*"`)
	if err := os.WriteFile(manifest, []byte(globs.Replace(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := digest(); got != first {
		t.Errorf("content %s, was %s", got, first)
	}
}

// repack shuffles a file's rows, but for a header, and packs it otherwise.
func repack(t *testing.T, dir, path string, rng *rand.Rand) error {
	t.Helper()
	in, err := openInput(filepath.Join(dir, path), path, nil)
	if err != nil {
		return err
	}
	s := newSplitter(path, in, blockSize)
	var head string
	if !strings.HasPrefix(path, "register/") {
		names, err := s.header()
		if err != nil {
			return err
		}
		head = strings.Join(names, ",") + "\r\n"
	}
	var rows []string
	var x lexer
	for {
		b, err := s.next()
		if err != nil {
			break
		}
		for data := b.data; len(data) > 0; {
			n, _, _ := x.next(data)
			rows = append(rows, string(data[:n]))
			data = data[n:]
		}
		b.free()
	}
	in.Close()
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	text := "\xef\xbb\xbf" + head + strings.Join(rows, "")
	if err := os.Remove(filepath.Join(dir, path)); err != nil {
		return err
	}
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
	var packed bytes.Buffer
	if rng.IntN(2) == 0 {
		packed.WriteString(gzipped(t, text))
		path += ".gz"
	} else {
		packed.WriteString(zstded(t, text, zstd.WithEncoderLevel(zstd.SpeedBetterCompression)))
		path += ".zst"
	}
	return os.WriteFile(filepath.Join(dir, path), packed.Bytes(), 0o644)
}

package receipts

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

func open(t *testing.T, dir string) *Signer {
	t.Helper()
	s, err := Open(dir, "coverd")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t *testing.T, s *Signer) string {
	t.Helper()
	compact, err := s.Sign(example())
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// saved is what a holder of receipts has saved of the key set.
func saved(t *testing.T, s *Signer) KeySet {
	t.Helper()
	keys, err := ParseKeySet(s.Document())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// A running server signs with the new key at once, and receipts of all the keys
// before it stay good.
func TestRotation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir)
	var receipts []string
	var names []string
	for range 5 {
		receipts = append(receipts, sign(t, s))
		name, err := Rotate(dir)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	receipts = append(receipts, sign(t, s))
	keys := saved(t, s)
	if got := keys.Names(); len(got) != 6 || got[0] != names[4] || !s.Signs(names[4]) || s.Signs(names[3]) {
		t.Errorf("%v after %v", got, names)
	}
	seen := map[string]bool{}
	for i, r := range receipts {
		st, err := Verify(keys, r)
		if err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
		seen[st.Key] = true
	}
	if len(seen) != 6 {
		t.Errorf("signed with %d keys, want 6", len(seen))
	}
	// One private key is left, and it is nobody else's to read.
	private, err := filepath.Glob(filepath.Join(dir, "*"+privateSuffix))
	if err != nil || len(private) != 1 || !strings.Contains(private[0], names[4]) {
		t.Errorf("%v, %v", private, err)
	}
	if info, err := os.Stat(private[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".key-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	// A set saved before a rotation does not know the new key, and says so.
	old := KeySet{keys: keys.keys[1:]}
	if _, err := Verify(old, receipts[5]); reasonOf(err) != ReasonUnknownKey {
		t.Error(err)
	}
	if again := open(t, dir); !slices.Equal(again.Keys().Names(), keys.Names()) {
		t.Error("reading the directory anew gives other keys")
	}
}

// What is published has no private half.
func TestDocumentIsPublic(t *testing.T) {
	s := open(t, t.TempDir())
	var doc struct{ Keys []map[string]string }
	if err := json.Unmarshal(s.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	k := doc.Keys[0]
	if k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["alg"] != "EdDSA" || k["use"] != "sig" || len(k["x"]) != 43 || len(k["kid"]) != 43 || len(k) != 6 {
		t.Errorf("%v", k)
	}
}

// A rotation that ends at any point leaves a directory with all public keys,
// which signs.
func TestInterruptedRotation(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	first := sign(t, s)
	before := readDir(t, dir)
	if _, err := Rotate(dir); err != nil {
		t.Fatal(err)
	}
	after := readDir(t, dir)
	var privateFile, publicFile, oldPrivate string
	for name := range after {
		if _, old := before[name]; !old {
			if strings.HasSuffix(name, privateSuffix) {
				privateFile = name
			} else {
				publicFile = name
			}
		}
	}
	for name := range before {
		if _, still := after[name]; !still {
			oldPrivate = name
		}
	}
	// The states that it goes through, by their files.
	state := map[string]string{}
	maps.Copy(state, before)
	for i, change := range []func(){
		func() {},
		func() { state[".key-1.tmp"] = "half a ke" },
		func() { state[privateFile] = after[privateFile] },
		func() { delete(state, ".key-1.tmp") },
		func() { state[".key-2.tmp"] = after[publicFile] },
		func() { state[publicFile] = after[publicFile] },
		func() { delete(state, ".key-2.tmp") },
		func() { delete(state, oldPrivate) },
	} {
		change()
		crashed := t.TempDir()
		for n, text := range state {
			if err := os.WriteFile(filepath.Join(crashed, n), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, crashed)
		for _, r := range []string{first, sign(t, s)} {
			if _, err := Verify(saved(t, s), r); err != nil {
				t.Errorf("state %d: %v", i, err)
			}
		}
		if _, err := Rotate(crashed); err != nil {
			t.Errorf("state %d: %v", i, err)
		}
		if _, err := Verify(saved(t, open(t, crashed)), first); err != nil {
			t.Errorf("state %d, rotated: %v", i, err)
		}
	}
}

func readDir(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// Servers that start at once on one new directory share one key.
func TestFirstKeyIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	var g errgroup.Group
	signers := make([]*Signer, 8)
	for i := range signers {
		g.Go(func() (err error) {
			signers[i], err = Open(dir, "coverd")
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, s := range signers {
		if _, err := Verify(signers[0].Keys(), sign(t, s)); err != nil {
			t.Error(err)
		}
	}
	if n := len(readDir(t, dir)); n != 2 {
		t.Errorf("%d files", n)
	}
}

// What is wrong with a directory is said, and nothing is made anew over it.
func TestBadDirectories(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(dir, public, private string) error
	}{
		{"private key open to others", "make its mode 0600", func(_, _, private string) error { return os.Chmod(private, 0o640) }},
		{"private key lost", "'coverd receipt keys rotate' makes another", func(_, _, private string) error { return os.Remove(private) }},
		{"private key is the public one", "not the private key of", func(_, public, private string) error { return copyFile(public, private) }},
		{"private key published", "a private key, in a file that is published", func(_, public, private string) error { return copyFile(private, public) }},
		{"not JSON", "invalid character", func(_, public, _ string) error { return os.WriteFile(public, []byte("key"), 0o644) }},
		{"too long", "9000 bytes are no key", func(_, public, _ string) error { return os.WriteFile(public, make([]byte, 9000), 0o644) }},
		{"misnamed", "is not its thumbprint", func(_, public, _ string) error {
			text, err := os.ReadFile(public)
			if err != nil {
				return err
			}
			return os.WriteFile(public, []byte(strings.Replace(string(text), `"kid":"`, `"kid":"x`, 1)), 0o644)
		}},
		{"a file", "not a directory", func(dir, _, _ string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o644)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			s := open(t, dir)
			name := s.Keys().Names()[0]
			must(t, c.spoil(dir, filepath.Join(dir, "000001"+publicSuffix), filepath.Join(dir, name+privateSuffix)))
			if _, err := Open(dir, "coverd"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			// A server that was running goes on with what it has.
			if _, err := s.Sign(example()); err != nil {
				t.Errorf("a running server: %v", err)
			}
		})
	}
	if _, _, err := List(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, ErrNoKeys) {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func TestKeySetDocuments(t *testing.T) {
	_, keys := fixedKey(t, 7)
	document, err := keys.Document()
	must(t, err)
	other := `{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r"}`
	mixed := strings.Replace(string(document), `[{`, `[`+other+`,{`, 1)
	if set, err := ParseKeySet([]byte(mixed)); err != nil || len(set.keys) != 1 {
		t.Errorf("beside an RSA key: %v, %v", set, err)
	}
	for _, text := range []string{"", "[]", "{}", `{"keys":[` + other + `]}`, strings.Replace(string(document), `"kid":"`, `"kid":"x`, 1), strings.Replace(string(document), `"x":"`, `"x":"!`, 1)} {
		if _, err := ParseKeySet([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

package receipts

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Names of files in a directory of keys: 000001.public.json, and the private key
// by its thumbprint, <key>.private.json.
const (
	publicSuffix  = ".public.json"
	privateSuffix = ".private.json"
	maxKeyFile    = 4 << 10
)

// ErrNoKeys says that a directory has no keys yet.
var ErrNoKeys = errors.New("there are no receipt keys yet")

// ring is what a directory of keys holds.
type ring struct {
	set  KeySet
	last int // the number of the last public key

	// private is the key that signs; nil where private why says why not.
	private ed25519.PrivateKey
	why     error
}

// List reads the public keys of a directory. Of the first, the last made, it
// says why it cannot sign, if it cannot. Without any the error is [ErrNoKeys].
func List(dir string) (keys KeySet, why, err error) {
	r, err := readRing(dir)
	if err != nil {
		return KeySet{}, nil, err
	}
	return r.set, r.why, nil
}

// readRing reads a directory of keys.
func readRing(dir string) (*ring, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r := &ring{}
	for _, e := range slices.Backward(entries) {
		number, ok := strings.CutSuffix(e.Name(), publicSuffix)
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 {
			continue
		}
		key, err := readKey(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if !key.IsPublic() {
			return nil, fmt.Errorf("%s: it is a private key, in a file that is published", filepath.Join(dir, e.Name()))
		}
		r.set.keys = append(r.set.keys, key)
		r.last = max(r.last, n)
	}
	if len(r.set.keys) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoKeys)
	}
	r.private, r.why = readPrivate(dir, r.set.keys[0].KeyID)
	return r, nil
}

func readKey(path string) (jose.JSONWebKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	if len(text) > maxKeyFile {
		return jose.JSONWebKey{}, fmt.Errorf("%s: %d bytes are no key", path, len(text))
	}
	key, err := parseKey(text)
	if err != nil {
		return key, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// readPrivate reads the private key of a name, which nobody else may be able to.
func readPrivate(dir, name string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, name+privateSuffix)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the private key of %s cannot be read: %w; 'coverd receipt keys rotate' makes another", name, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read it (%v): make its mode 0600, and rotate if they have", path, mode)
	}
	key, err := readKey(path)
	if err != nil {
		return nil, err
	}
	private, ok := key.Key.(ed25519.PrivateKey)
	if !ok || key.KeyID != name {
		return nil, fmt.Errorf("%s: not the private key of %s", path, name)
	}
	return private, nil
}

// Rotate makes a key, which signs from now on, in a directory that is made if it
// is not there. The keys before it stay published; the private key that it
// replaces is removed. It returns the new key's thumbprint. When it fails, the
// old key signs on.
func Rotate(dir string) (key string, err error) {
	r, err := readRing(dir)
	if errors.Is(err, ErrNoKeys) {
		r, err = &ring{}, nil
	}
	if err != nil {
		return "", err
	}
	if key, err = add(dir, r.last+1); err != nil {
		return "", err
	}
	if len(r.set.keys) > 0 {
		old := filepath.Join(dir, r.set.keys[0].KeyID+privateSuffix)
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return key, fmt.Errorf("the new key signs, and the old private key is still there: %w", err)
		}
	}
	return key, nil
}

// errTaken says that another process has made a key of the number.
var errTaken = errors.New("another process has just made a key")

// add makes key number n, the private one first: it is of no use to anybody until
// the public one is there.
func add(dir string, n int) (name string, err error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	if name, err = thumbprint(public); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	secret := published(public, name)
	secret.Key = private
	if err := place(dir, name+privateSuffix, secret, 0o600); err != nil {
		return "", err
	}
	err = place(dir, fmt.Sprintf("%06d%s", n, publicSuffix), published(public, name), 0o644)
	if err != nil {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name+privateSuffix)))
	}
	return name, err
}

// place writes a key to a file that is not there yet: whole, to stay, or not at
// all.
func place(dir, name string, key jose.JSONWebKey, mode fs.FileMode) (err error) {
	text, err := json.Marshal(key)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*.tmp") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(append(bytes.TrimSpace(text), '\n'))
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// A link, unlike a renaming, never replaces what has the name.
	if err := os.Link(f.Name(), filepath.Join(dir, name)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: %s", errTaken, filepath.Join(dir, name))
		}
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

package receipts

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Signer signs statements with the last key of a directory, and knows all its
// public keys. When the directory is rotated it notices before it signs again.
// It is safe for concurrent use.
type Signer struct {
	dir, issuer string

	mu   sync.Mutex // held by who reads the directory
	held atomic.Pointer[heldKeys]
}

// heldKeys is a directory as it was read.
type heldKeys struct {
	*ring
	document []byte
	signer   jose.Signer // nil where ring.why says why

	modified time.Time // of the directory
	settled  bool      // a later change would show in modified
}

// tick is how much later, at the most, a change shows in the time of a directory.
const tick = 2 * time.Second

// Open reads a directory of keys, which need not be writable; one without any
// gets its first. Statements are signed in the name of issuer.
func Open(dir, issuer string) (*Signer, error) {
	s := &Signer{dir: dir, issuer: issuer}
	_, err := readRing(dir)
	if errors.Is(err, ErrNoKeys) {
		if _, err = add(dir, 1); errors.Is(err, errTaken) {
			err = nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("receipt keys: %w", err)
	}
	if err := s.Look(); err != nil {
		return nil, err
	}
	return s, s.held.Load().why
}

// Look reads the directory again if it has changed. After an error the keys that
// there were stay in use.
func (s *Signer) Look() error {
	info, err := os.Stat(s.dir)
	if err != nil {
		return fmt.Errorf("receipt keys: %w", err)
	}
	if h := s.held.Load(); h != nil && h.settled && h.modified.Equal(info.ModTime()) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if info, err = os.Stat(s.dir); err != nil {
		return fmt.Errorf("receipt keys: %w", err)
	}
	h := &heldKeys{modified: info.ModTime(), settled: now.Sub(info.ModTime()) > tick}
	if h.ring, err = readRing(s.dir); err != nil {
		return fmt.Errorf("receipt keys: %w", err)
	}
	if h.document, err = h.set.Document(); err != nil {
		return err
	}
	if h.why == nil {
		if h.signer, err = newSigner(h.private, h.set.keys[0].KeyID); err != nil {
			return err
		}
	}
	if old := s.held.Load(); old != nil && h.signer == nil && old.signer != nil {
		return fmt.Errorf("receipt keys: %w", h.why)
	}
	s.held.Store(h)
	return nil
}

func newSigner(private ed25519.PrivateKey, name string) (jose.Signer, error) {
	key := jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: name}}
	return jose.NewSigner(key, (&jose.SignerOptions{}).WithType(Type))
}

// Sign makes the receipt of a statement, whose Issuer it fills in. A directory
// that has become unreadable does not keep it from signing with the key it has.
func (s *Signer) Sign(st Statement) (compact string, err error) {
	_ = s.Look() // the server says so, when it looks
	h := s.held.Load()
	if h.signer == nil {
		return "", h.why
	}
	// What is not UTF-8 would be read back as something else.
	st.Issuer = strings.ToValidUTF8(s.issuer, "\uFFFD")
	st.Question, st.Place.Address = strings.ToValidUTF8(st.Question, "\uFFFD"), strings.ToValidUTF8(st.Place.Address, "\uFFFD")
	payload, err := st.encode()
	if err != nil {
		return "", err
	}
	if _, err := decode(payload); err != nil {
		return "", fmt.Errorf("this could not be read back: %w", err)
	}
	signed, err := h.signer.Sign(payload)
	if err != nil {
		return "", err
	}
	if compact, err = signed.CompactSerialize(); err == nil && len(compact) > MaxLength {
		err = fmt.Errorf("the receipt would have %d bytes, more than %d", len(compact), MaxLength)
	}
	return compact, err
}

// Keys are the public keys there are, the one that signs first.
func (s *Signer) Keys() KeySet { return s.held.Load().set }

// Document is the key set to publish (RFC 7517).
func (s *Signer) Document() []byte { return s.held.Load().document }

// Signs reports whether a key is the one that signs now.
func (s *Signer) Signs(key string) bool { return s.held.Load().set.keys[0].KeyID == key }

package receipts

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Type is what the header of a receipt says it is.
const Type = "coverd-receipt+jwt"

// MaxLength is the most bytes that a receipt has. Most have fewer than a
// thousand; one that repeats the longest address that can be asked for has more
// than all that a request may have.
const MaxLength = 32 << 10

// Error says why a text is not a valid receipt.
type Error struct {
	// Reason is for programs: one of the Reason constants.
	Reason string
	// Detail is for people.
	Detail string
}

// Error implements error.
func (e *Error) Error() string { return e.Detail }

// Reasons for an [Error].
const (
	ReasonMalformed  = "malformed"      // it is not spelt as a receipt is
	ReasonKind       = "not_a_receipt"  // it is signed, but it is something else
	ReasonUnknownKey = "unknown_key"    // no key of the set has signed it
	ReasonSignature  = "altered"        // the signature is not of this text
	ReasonStatement  = "not_understood" // signed by a known key, and not a statement that this release knows
	ReasonAnswer     = "answer_altered" // the receipt is good, and of another answer
)

var errSpelling = errors.New("it is not spelt as statements are")

// A KeySet is public keys to verify receipts with. It is immutable.
type KeySet struct {
	keys []jose.JSONWebKey // the last made first
}

// ParseKeySet reads a key set (RFC 7517), such as /.well-known/jwks.json of a
// server answers. Keys of other kinds than Ed25519 are passed over.
func ParseKeySet(document []byte) (KeySet, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return KeySet{}, fmt.Errorf("not a key set: %w", err)
	}
	var set KeySet
	for i, raw := range doc.Keys {
		var kind struct{ Kty, Crv string }
		if err := json.Unmarshal(raw, &kind); err != nil {
			return KeySet{}, fmt.Errorf("key %d of the set: %w", i+1, err)
		}
		if kind.Kty != "OKP" || kind.Crv != "Ed25519" {
			continue
		}
		key, err := parseKey(raw)
		if err != nil {
			return KeySet{}, fmt.Errorf("key %d of the set: %w", i+1, err)
		}
		set.keys = append(set.keys, key.Public())
	}
	if len(set.keys) == 0 {
		return KeySet{}, errors.New("there is no Ed25519 key in the set")
	}
	return set, nil
}

// parseKey reads a key of ours, public or private.
func parseKey(raw []byte) (key jose.JSONWebKey, err error) {
	if err := json.Unmarshal(raw, &key); err != nil {
		return key, err
	}
	public, ok := key.Public().Key.(ed25519.PublicKey)
	if !ok {
		return key, errors.New("not an Ed25519 key")
	}
	name, err := thumbprint(public)
	if err == nil && name != key.KeyID {
		err = fmt.Errorf("its kid %q is not its thumbprint, %s", key.KeyID, name)
	}
	return key, err
}

// thumbprint names a key (RFC 7638, with SHA-256).
func thumbprint(public ed25519.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// published describes a public key in a set.
func published(public ed25519.PublicKey, name string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: public, KeyID: name, Algorithm: string(jose.EdDSA), Use: "sig"}
}

// Document is the set as it is published.
func (k KeySet) Document() ([]byte, error) { return json.Marshal(jose.JSONWebKeySet{Keys: k.keys}) }

// Names lists the keys' thumbprints, the last made first.
func (k KeySet) Names() []string {
	names := make([]string, len(k.keys))
	for i := range k.keys {
		names[i] = k.keys[i].KeyID
	}
	return names
}

// key finds a key by its thumbprint.
func (k KeySet) key(name string) (ed25519.PublicKey, bool) {
	for i := range k.keys {
		if k.keys[i].KeyID == name {
			public, ok := k.keys[i].Key.(ed25519.PublicKey)
			return public, ok
		}
	}
	return nil, false
}

// header is the one spelling of a receipt's header.
func header(key string) string {
	return `{"alg":"EdDSA","kid":"` + key + `","typ":"` + Type + `"}`
}

// Verify checks a receipt with a set of public keys, and returns what it says.
// Every error is an [*Error].
func Verify(keys KeySet, compact string) (Statement, error) {
	if len(compact) > MaxLength {
		return Statement{}, &Error{ReasonMalformed, fmt.Sprintf("a receipt has at most %d bytes", MaxLength)}
	}
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return Statement{}, &Error{ReasonMalformed, "a receipt is three parts, joined by dots"}
	}
	var raw [3][]byte
	for i, name := range []string{"header", "statement", "signature"} {
		var err error
		if raw[i], err = decodePart(parts[i]); err != nil {
			return Statement{}, &Error{ReasonMalformed, "the " + name + " is not spelt as base64url is: " + err.Error()}
		}
	}
	key, err := keyOf(raw[0])
	if err != nil {
		return Statement{}, err
	}
	public, ok := keys.key(key)
	if !ok {
		return Statement{}, &Error{ReasonUnknownKey, "it is signed with the key " + key + ", which is not in the key set: this is another server's, or the set is older than the key"}
	}
	signed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return Statement{}, &Error{ReasonMalformed, err.Error()}
	}
	payload, err := signed.Verify(public)
	if err != nil || !bytes.Equal(payload, raw[1]) {
		return Statement{}, &Error{ReasonSignature, "the signature is not of this text: the receipt was altered, or cut"}
	}
	s, err := decode(payload)
	if err != nil {
		return Statement{}, &Error{ReasonStatement, "the signature is good, but this release does not understand the whole statement: " + err.Error()}
	}
	s.Key = key
	return s, nil
}

// decodePart reads base64url without padding, spare bits or line breaks, which
// the library's decoder passes over.
func decodePart(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("there is a line break in it")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// keyOf returns the key that a header names, which must say nothing else.
func keyOf(raw []byte) (string, error) {
	var h struct {
		Alg, Kid, Typ string
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		return "", &Error{ReasonMalformed, "the header is not JSON: " + err.Error()}
	}
	switch {
	case h.Alg != string(jose.EdDSA):
		return "", &Error{ReasonKind, fmt.Sprintf("its algorithm is %q; receipts are signed with EdDSA alone", h.Alg)}
	case h.Typ != Type:
		return "", &Error{ReasonKind, fmt.Sprintf("its type is %q; a receipt's is %s", h.Typ, Type)}
	case string(raw) != header(h.Kid):
		return "", &Error{ReasonMalformed, "the header is not spelt as a receipt's is: " + header("…")}
	}
	return h.Kid, nil
}

// VerifyAnswer checks that an answer, without its receipt, is the one that a
// statement is about.
func (s *Statement) VerifyAnswer(answer []byte) error {
	if got := Digest(answer); got != s.AnswerSHA256 {
		return &Error{ReasonAnswer, "the receipt is of another answer: the SHA-256 of this one is " + got + ", not " + s.AnswerSHA256 + "; it must be as it came, byte for byte"}
	}
	return nil
}

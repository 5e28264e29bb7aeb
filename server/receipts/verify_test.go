package receipts

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

var (
	update = flag.Bool("update", false, "rewrite the golden receipt")
	every  = flag.Bool("receipts.every", false, "change each byte of a receipt to each other one, not by each bit only")
)

// fixedKey is a key that is the same in every run.
func fixedKey(t testing.TB, seed byte) (ed25519.PrivateKey, KeySet) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, _ := private.Public().(ed25519.PublicKey)
	name, err := thumbprint(public)
	if err != nil {
		t.Fatal(err)
	}
	return private, KeySet{keys: []jose.JSONWebKey{published(public, name)}}
}

// signed is a statement's receipt by a key.
func signed(t testing.TB, private ed25519.PrivateKey, keys KeySet, s Statement) string {
	t.Helper()
	signer, err := newSigner(private, keys.keys[0].KeyID)
	if err != nil {
		t.Fatal(err)
	}
	h := &Signer{issuer: "coverd", dir: t.TempDir()}
	h.held.Store(&heldKeys{ring: &ring{set: keys}, signer: signer})
	compact, err := h.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func mustPostcode(s string) geo.Postcode {
	p, err := geo.ParsePostcode(s)
	if err != nil {
		panic(err)
	}
	return p
}

func day(s string) index.Day {
	d, err := index.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

// example is a statement about a planned premises.
func example() Statement {
	return Statement{
		IssuedAt: 1796126400, Question: "GET /v1/premises/990000000301?on=2026-12-24", AnswerSHA256: Digest([]byte(`{"outcome":"premises_found"}`)),
		Outcome: "premises_found", Snapshot: "3d45cfe4578f4dc5b9a6b54a6f3d0c37", AsOf: day("2026-11-22"), On: day("2026-12-24"), Known: day("2026-12-01"),
		Place:  Place{UPRN: api.Some(geo.UPRN(990000000301)), Postcode: api.Some(mustPostcode("GU1 2AB")), Address: `Rose Cottage, "Tŷ" <Gwyn>`, Location: &api.Point{Latitude: 51.238778, Longitude: -0.564620}},
		Region: "South", Basis: BasisClaims, Indicated: Indicated{State: "planned", From: day("2027-02-15")},
	}
}

// A receipt of a release must be good for ever: this one is of the first.
func TestGoldenReceipt(t *testing.T) {
	private, keys := fixedKey(t, 7)
	want := example()
	compact := signed(t, private, keys, want)
	document, err := keys.Document()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(compact, ".")
	var text strings.Builder
	for _, p := range parts[:2] {
		raw, err := decodePart(p)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s\n", raw)
	}
	fmt.Fprintf(&text, "%s\n%s\n", compact, document)
	if *update {
		if err := os.WriteFile("testdata/receipt.golden", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/receipt.golden")
	if err != nil {
		t.Fatal(err)
	}
	if string(golden) != text.String() {
		t.Errorf("got\n%s\nwant\n%s", text.String(), golden)
	}
	lines := strings.Split(string(golden), "\n")
	set, err := ParseKeySet([]byte(lines[3]))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verify(set, lines[2])
	if err != nil {
		t.Fatal(err)
	}
	want.Issuer, want.Key = "coverd", set.Names()[0]
	if a, b := asJSON(t, got), asJSON(t, want); a != b {
		t.Errorf("got %s, want %s", a, b)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Any byte changed, added or left out anywhere, and the receipt is refused.
// -receipts.every changes each to all 255 others, which takes six seconds.
func TestEveryByteCounts(t *testing.T) {
	private, keys := fixedKey(t, 7)
	compact := signed(t, private, keys, example())
	if _, err := Verify(keys, compact); err != nil {
		t.Fatal(err)
	}
	tried := 0
	refused := func(kind string, at int, altered string) {
		tried++
		if _, err := Verify(keys, altered); err == nil {
			t.Errorf("byte %d %s, and the receipt is good: %s", at, kind, altered)
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("byte %d %s: %T %v", at, kind, err, err)
		}
	}
	for i := range compact {
		for c := range 256 {
			if x := byte(c) ^ compact[i]; x != 0 && (*every || x == 1 || x&(x-1) == 0 && !testing.Short()) {
				refused("changed", i, compact[:i]+string([]byte{byte(c)})+compact[i+1:])
			}
		}
		refused("left out", i, compact[:i]+compact[i+1:])
	}
	for i := range len(compact) + 1 {
		for _, c := range "A=\n" {
			refused("put in before", i, compact[:i]+string(c)+compact[i:])
		}
		refused("is where it ends, it", i, compact[:i][:max(0, min(i, len(compact)-1))])
	}
	t.Logf("%d altered receipts of %d bytes refused", tried, len(compact))
}

// Another spelling of what was signed is not the receipt: it would be a second
// text with the same signature, or one that other programs read otherwise.
func TestOneSpelling(t *testing.T) {
	private, keys := fixedKey(t, 7)
	compact := signed(t, private, keys, example())
	parts := strings.Split(compact, ".")
	payload, _ := decodePart(parts[1])
	head, _ := decodePart(parts[0])
	sig, _ := decodePart(parts[2])
	key := keys.Names()[0]
	// again signs a header and a payload as they stand, as nobody without the key can.
	again := func(header, payload string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		return input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(input)))
	}
	// mac signs with the public key as if it were a secret.
	mac := func(header string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1]
		m := hmac.New(sha256.New, keys.keys[0].Key.(ed25519.PublicKey))
		m.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + key + `","typ":"` + Type + `"}`))
	p := string(payload)
	for _, c := range []struct{ name, compact, reason string }{
		{"padding", compact + "==", ReasonMalformed},
		{"padding of the header", parts[0] + "=." + parts[1] + "." + parts[2], ReasonMalformed},
		{"spare bits", spareBits(t, parts), ReasonMalformed},
		{"plain base64", base64.StdEncoding.EncodeToString(head) + "." + base64.StdEncoding.EncodeToString(payload) + "." + base64.StdEncoding.EncodeToString(sig), ReasonMalformed},
		{"space before", " " + compact, ReasonMalformed},
		{"line end", compact + "\n", ReasonMalformed},
		{"wrapped", compact[:64] + "\n" + compact[64:], ReasonMalformed},
		{"a fourth part", compact + "." + parts[2], ReasonMalformed},
		{"an encrypted token", compact + "..", ReasonMalformed},
		{"JSON serialisation", `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, ReasonMalformed},
		{"no signature", parts[0] + "." + parts[1] + ".", ReasonSignature},
		{"no statement", parts[0] + ".." + parts[2], ReasonSignature},
		{"none", none + "." + parts[1] + ".", ReasonKind},
		{"none with a signature", none + "." + parts[1] + "." + parts[2], ReasonKind},
		{"HS256 by the public key", mac(`{"alg":"HS256","kid":"` + key + `","typ":"` + Type + `"}`), ReasonKind},
		{"EdDSA that is HS256", mac(header(key)), ReasonSignature},
		{"another type", again(`{"alg":"EdDSA","kid":"`+key+`","typ":"JWT"}`, p), ReasonKind},
		{"no type", again(`{"alg":"EdDSA","kid":"`+key+`"}`, p), ReasonKind},
		{"no key", again(`{"alg":"EdDSA","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"critical", again(`{"alg":"EdDSA","crit":["exp"],"exp":1,"kid":"`+key+`","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"unencoded payload", again(`{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"`+key+`","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"a key of its own", again(`{"alg":"EdDSA","jwk":{},"kid":"`+key+`","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"algorithm twice", again(`{"alg":"none","alg":"EdDSA","kid":"`+key+`","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"header in another order", again(`{"kid":"`+key+`","alg":"EdDSA","typ":"`+Type+`"}`, p), ReasonMalformed},
		{"space in the header", again(strings.Replace(header(key), ",", ", ", 1), p), ReasonMalformed},
		{"a member twice", again(header(key), strings.Replace(p, `"outcome":`, `"outcome":"no_premises_found","outcome":`, 1)), ReasonStatement},
		{"a member in capitals", again(header(key), strings.Replace(p, `"outcome":`, `"OUTCOME":`, 1)), ReasonStatement},
		{"a member more", again(header(key), strings.Replace(p, `"outcome":`, `"weather":"fine","outcome":`, 1)), ReasonStatement},
		{"space in the statement", again(header(key), p+" "), ReasonStatement},
		{"two statements", again(header(key), p+p), ReasonStatement},
		{"no JSON", again(header(key), "hello"), ReasonStatement},
		{"too long", strings.Repeat("A", MaxLength+1), ReasonMalformed},
		{"nothing", "", ReasonMalformed},
	} {
		_, err := Verify(keys, c.compact)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if e.Reason != c.reason {
			t.Errorf("%s: %s (%s), want %s", c.name, e.Reason, e.Detail, c.reason)
		}
	}
	if _, err := Verify(keys, again(header(key), p)); err != nil {
		t.Errorf("signed again as it was: %v", err)
	}
	_, others := fixedKey(t, 8)
	if _, err := Verify(others, compact); reasonOf(err) != ReasonUnknownKey {
		t.Errorf("another's keys: %v", err)
	}
}

// reasonOf is why a receipt was refused; "" where it was not, or otherwise.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// spareBits is the receipt with a bit of the signature's last character changed
// that no byte comes from: 64 bytes end in a character of which two bits count.
func spareBits(t *testing.T, parts []string) string {
	t.Helper()
	sig := []byte(parts[2])
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, sig[len(sig)-1])
	sig[len(sig)-1] = alphabet[last^1]
	before, _ := base64.RawURLEncoding.DecodeString(parts[2])
	after, err := base64.RawURLEncoding.DecodeString(string(sig))
	if err != nil || !bytes.Equal(before, after) {
		t.Fatal("the bits are not spare")
	}
	return parts[0] + "." + parts[1] + "." + string(sig)
}

func TestDetachUndoesAttach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := asJSONText(t)
		compact := rapid.StringMatching(`[A-Za-z0-9_.-]{0,40}`).Draw(t, "compact")
		got, receipt, ok := Detach([]byte("\n " + string(Attach(bytes.Clone(answer), compact)) + " \n"))
		if !ok || receipt != compact || !bytes.Equal(got, answer) {
			t.Fatalf("%s, %s, %v", got, receipt, ok)
		}
	})
	for _, text := range []string{"", "{}", `{"a":1}`, `{"receipt":"a"}`, `{"a":",\"receipt\":\"b"}`, `{"a":1,"receipt":"b","c":1}`} {
		if answer, receipt, ok := Detach([]byte(text)); ok {
			t.Errorf("%s: %s, %s", text, answer, receipt)
		}
	}
}

// asJSONText draws an object whose text may look like one with a receipt.
func asJSONText(t *rapid.T) []byte {
	b, err := json.Marshal(map[string]string{"q": rapid.OneOf(rapid.String(), rapid.Just(`,"receipt":"x"}`)).Draw(t, "text")})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Nothing that was not signed verifies, and nothing makes Verify panic.
func FuzzVerify(f *testing.F) {
	private, keys := fixedKey(f, 7)
	good := signed(f, private, keys, example())
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(good + "=")
	f.Add("..")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(header(keys.Names()[0]))) + ".e30.")
	f.Fuzz(func(t *testing.T, compact string) {
		if _, err := Verify(keys, compact); (err == nil) != (compact == good) {
			t.Errorf("%q: %v", compact, err)
		}
	})
}

func BenchmarkReceipt(b *testing.B) {
	s, err := Open(b.TempDir(), "coverd")
	if err != nil {
		b.Fatal(err)
	}
	var compact string
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			if compact, err = s.Sign(example()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(compact)), "B/receipt")
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if _, err := Verify(s.Keys(), compact); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Package receipts proves that a question was asked and what was answered: a
// receipt is a short signed statement about one answer, which its holder keeps
// and anybody with the published keys can check, offline and years later.
//
//	signer, err := receipts.Open("receipt-keys", "coverd") // makes the first key
//	compact, err := signer.Sign(statement)                 // eyJhbGciOiJFZERTQSIs…
//	…
//	keys, err := receipts.ParseKeySet(document)            // of /.well-known/jwks.json
//	statement, err := receipts.Verify(keys, compact)
//
// # What a receipt is
//
// A JSON Web Signature in compact serialisation (RFC 7515), signed with Ed25519
// (RFC 8037): three parts in base64url, joined by dots. The header is always
//
//	{"alg":"EdDSA","kid":"<key>","typ":"coverd-receipt+jwt"}
//
// where the key is named by its thumbprint (RFC 7638). The payload is a
// [Statement] in JSON; iss and iat in it mean what they mean in a JSON Web Token,
// so that any library for those can read a receipt too.
//
// # What it is about
//
// In an answer the receipt is the last member, `"receipt"`. The statement has the
// SHA-256 of the answer's bytes without that member: of the body as it came, up
// to the comma before `"receipt"`, and the closing brace. See [Detach]. Of a
// service request, which changes as time goes by, it is of the member `answer`.
//
// # Why a receipt has one spelling
//
// Base64 has spare bits, JSON has white space and members given twice, and a
// library that is told to be helpful reads them all. Then two different texts are
// one receipt, and two programs may read one text differently. So [Verify] takes
// a receipt only if it is spelt as [Signer.Sign] spells it: whatever is altered,
// in any byte, is refused. This also refuses what a later release adds to a
// statement: better no verdict than one on half of what was signed.
//
// # Why files that are written once
//
// A directory of keys has a public key a file, numbered, and the private key of
// the last of them. To rotate adds two files, and removes the private key that
// they replace: with it receipts could be dated back. No file is ever changed, so
// that no crash loses a public key, and old receipts stay good for as long as the
// directory is kept. The public file comes into being under its number at once
// and whole, or not at all, and only if nobody else has taken the number.
//
// # Why go-jose
//
// It is kept by those who run certificate authorities on it, has had its
// algorithms confused and its parsers fuzzed for a decade, makes its caller list
// the algorithms that are acceptable, and brings nothing along. golang-jwt would
// do for tokens but knows no key sets; jwx knows far more than this needs.
package receipts

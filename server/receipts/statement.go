package receipts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"coverd/index"
	"coverd/server/api"
)

// Statement is what a receipt says. The order of its fields is that of the
// signed bytes.
type Statement struct {
	// Issuer is whose server answered.
	Issuer string `json:"iss"`
	// IssuedAt is when it answered, in seconds since 1970 (UTC).
	IssuedAt int64 `json:"iat"`
	// Question is the method and the path that were asked, in their shortest
	// spelling, with the day asked about filled in.
	Question string `json:"question"`
	// AnswerSHA256 is the digest of the answer without its receipt, in
	// hexadecimal: see [Digest].
	AnswerSHA256 string `json:"answer_sha256"`
	// Outcome is the answer's, and Reason that of no_premises_found.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
	// Snapshot is the ID of the snapshot that was answered from, and AsOf the day
	// that its data describes.
	Snapshot string    `json:"snapshot"`
	AsOf     index.Day `json:"as_of"`
	// On is the day asked about, Known the day that the database was read.
	On    index.Day `json:"on"`
	Known index.Day `json:"known"`
	Place Place     `json:"place"`
	// Network is the one network region that was asked about; "" for all.
	Network string `json:"network,omitempty"`
	// Region is the one that the place is allocated to; "" where there is no
	// telling.
	Region string `json:"region,omitempty"`
	// Basis is what the state rests on: [BasisClaims], or that of the answer's
	// estimate ([BasisNone] where there is nothing to go by), which Estimate then
	// says it is: no CSP claims that.
	Basis    string `json:"basis"`
	Estimate bool   `json:"estimate,omitempty"`
	Indicated
	// Area is what the coverage areas around a place without premises claim.
	Area *Indicated `json:"area,omitempty"`
	// Summary counts the premises that the answer lists, of a postcode or more.
	Summary *api.Summary `json:"summary,omitempty"`

	// Key is the thumbprint of the key that signed it. [Verify] sets it.
	Key string `json:"-"`
}

// Place is what was asked about, and what was found of it.
type Place struct {
	UPRN     api.UPRN         `json:"uprn,omitzero"`
	Postcode api.PostcodeText `json:"postcode,omitzero"`
	Outcode  api.OutcodeText  `json:"outcode,omitzero"`
	Sector   api.SectorText   `json:"sector,omitzero"`
	// Address is the address identifier of the one premises that was found, or
	// else the one that was asked for.
	Address string `json:"address_identifier,omitempty"`
	// Location is that which was asked about, or that of the one premises.
	Location *api.Point `json:"location,omitempty"`
}

// Indicated is what the answer says of coverage on the day asked about.
type Indicated struct {
	// State is available, planned, unavailable or unknown; "" where several
	// premises differ.
	State string `json:"state,omitempty"`
	// From and Until are the days between which there is coverage, both included;
	// none where there is no bound.
	From  index.Day `json:"from,omitzero"`
	Until index.Day `json:"until,omitzero"`
}

// Bases of a state beside those of estimates.
const (
	BasisClaims = "claims" // the CSPs' own statement about the premises
	BasisNone   = "none"   // there was nothing to go by
)

// Time is when the answer was given.
func (s *Statement) Time() time.Time { return time.Unix(s.IssuedAt, 0).UTC() }

// Digest is the digest of an answer, without its receipt, as a statement has it:
// SHA-256 in hexadecimal.
func Digest(answer []byte) string {
	sum := sha256.Sum256(answer)
	return hex.EncodeToString(sum[:])
}

// member precedes a receipt in an answer, quote follows it.
var (
	member = []byte(`,"receipt":"`)
	ending = []byte(`"}`)
)

// Attach makes a receipt the last member of an answer, a JSON object that is not
// empty, whose memory it may use.
func Attach(answer []byte, compact string) []byte {
	answer = append(answer[:len(answer)-1], member...)
	return append(append(answer, compact...), ending...)
}

// Detach takes an answer apart: what it was before its receipt was attached, and
// the receipt. White space around the answer is passed over. ok is false for what
// does not end in a receipt.
func Detach(body []byte) (answer []byte, compact string, ok bool) {
	body = bytes.TrimSpace(body)
	body, ok = bytes.CutSuffix(body, ending)
	at := bytes.LastIndex(body, member)
	if !ok || at < 0 {
		return nil, "", false
	}
	compact = string(body[at+len(member):])
	if bytes.ContainsAny([]byte(compact), `"\`) {
		return nil, "", false
	}
	return append(bytes.Clone(body[:at]), '}'), compact, true
}

// Reference is a short name of a receipt, by its text.
func Reference(compact string) string {
	return "receipt-" + Digest([]byte(compact))[:12]
}

// encode is the one spelling of a statement.
func (s *Statement) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// decode reads a statement in that spelling.
func decode(payload []byte) (s Statement, err error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Statement{}, err
	}
	again, err := s.encode()
	if err == nil && !bytes.Equal(again, payload) {
		err = errSpelling
	}
	return s, err
}

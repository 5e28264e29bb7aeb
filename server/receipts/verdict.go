package receipts

import (
	"bytes"
	"errors"
)

// Verdict is what came of checking a receipt, as people and programs are told.
type Verdict struct {
	Valid bool `json:"valid"`
	// Reason and Detail say why it is not: see [Error].
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Reference is the receipt's short name.
	Reference string `json:"reference,omitempty"`
	// Key is the thumbprint of the key that signed it.
	Key string `json:"key,omitempty"`
	// Answer is [AnswerMatches] or [AnswerNotGiven]; of another answer the receipt
	// is not valid.
	Answer    string     `json:"answer,omitempty"`
	Statement *Statement `json:"statement,omitempty"`
}

// What a [Verdict] says of the answer.
const (
	AnswerMatches  = "matches"
	AnswerNotGiven = "not_given"
)

// Judge checks a text that is a receipt, or an answer with one. answer, if it is
// not nil, is the answer that the receipt must be of, with the receipt or
// without. White space around either is passed over.
func Judge(keys KeySet, text, answer []byte) Verdict {
	text = bytes.TrimSpace(text)
	compact := string(text)
	if bytes.HasPrefix(text, []byte("{")) {
		with, inside, ok := Detach(text)
		if !ok {
			return refused("", &Error{ReasonMalformed, "it is JSON, and does not end in a receipt: the answer must be as it came, byte for byte"})
		}
		compact = inside
		if answer == nil {
			answer = with
		}
	}
	s, err := Verify(keys, compact)
	if err != nil {
		return refused(Reference(compact), err)
	}
	v := Verdict{Valid: true, Reference: Reference(compact), Key: s.Key, Answer: AnswerNotGiven, Statement: &s}
	if answer == nil {
		return v
	}
	answer = bytes.TrimSpace(answer)
	if without, _, ok := Detach(answer); ok {
		answer = without
	}
	if err := s.VerifyAnswer(s.answered(answer)); err != nil {
		r := refused(v.Reference, err)
		r.Key, r.Statement = v.Key, v.Statement
		return r
	}
	v.Answer = AnswerMatches
	return v
}

func refused(reference string, err error) Verdict {
	v := Verdict{Reference: reference, Reason: ReasonMalformed, Detail: err.Error()}
	if e, ok := errors.AsType[*Error](err); ok {
		v.Reason = e.Reason
	}
	return v
}

package duis

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Fault says why a body is not a request that can be answered.
type Fault struct {
	Code    string // one of the codes below
	Detail  string // what is wrong
	Hint    string // how to mend it
	Element string // the element it is about; "" for none
	// Line and Column are where in the body it is, from 1 on, the column in bytes.
	Line, Column int
	RequestID    string // of the request, where it had been read
}

// Codes of faults. They are stable; details and hints are for people.
const (
	NotXML             = "not_xml"             // not well formed, or not UTF-8
	ForbiddenXML       = "forbidden_xml"       // well formed, but of a kind that is not taken
	TooMuch            = "too_much"            // more than a request can have
	UnexpectedContent  = "unexpected_content"  // an element, attribute or text where there is none in a request
	MissingContent     = "missing_content"     // the reverse
	MalformedValue     = "malformed_value"     // not what the element holds
	UnsupportedVersion = "unsupported_version" // a schemaVersion that is not known here
)

func (f *Fault) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Detail)
}

// FaultNamespace is that of a fault's elements, which are ours alone.
const FaultNamespace = "urn:problem:coverd:duis"

// AppendXML appends the fault as a document.
func (f *Fault) AppendXML(b []byte) []byte {
	b = append(b, prolog...)
	b = append(b, `<Fault xmlns="`+FaultNamespace+`">`...)
	if f.RequestID != "" {
		b = appendElement(b, "RequestID", f.RequestID)
	}
	b = appendElement(b, "Code", f.Code)
	b = appendElement(b, "Detail", f.Detail)
	if f.Hint != "" {
		b = appendElement(b, "Hint", f.Hint)
	}
	if f.Element != "" {
		b = appendElement(b, "Element", f.Element)
	}
	b = appendElement(b, "Line", strconv.Itoa(f.Line))
	b = appendElement(b, "Column", strconv.Itoa(f.Column))
	return append(b, "</Fault>\n"...)
}

// quote is text of a request as a fault repeats it.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s[:min(len(s), most*utf8.UTFMax)])[:most]) + "…"
	}
	return strconv.Quote(s)
}

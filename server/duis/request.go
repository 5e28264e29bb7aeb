package duis

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"coverd/geo"
)

// Bounds of values, in characters.
const (
	maxRequestID         = 100
	maxAddressIdentifier = 30
	leastPostCode        = 6
	mostPostCode         = 8
)

// Request is a RequestWANMatrix: a UPRN, or a postcode and an address identifier.
type Request struct {
	Version   Version
	RequestID string // "" for none

	UPRN geo.UPRN // 0: by address

	Postcode geo.Postcode // the zero value where it is out of area
	// OutOfArea tells a postcode that is real and outside smart metering in Great
	// Britain.
	OutOfArea         bool
	PostCode          string // as it was given, where it has 6 to 8 characters
	AddressIdentifier string // may be empty
}

// Parse reads a request. Its error is a [*Fault].
func Parse(body []byte) (*Request, error) {
	r, err := newReader(body)
	if err != nil {
		return nil, err
	}
	q := new(Request)
	if err := q.read(r); err != nil {
		return nil, err
	}
	return q, nil
}

func (q *Request) read(r *reader) error {
	root, err := r.start("Request", "RequestWANMatrix")
	if err != nil {
		return err
	}
	if err := q.version(r, root); err != nil {
		return err
	}
	if root.Name.Local == "RequestWANMatrix" {
		if err := q.matrix(r); err != nil {
			return err
		}
		return r.over()
	}
	if err := q.header(r); err != nil {
		return err
	}
	if _, err := r.start("Body"); err != nil {
		return err
	}
	if _, err := r.start("RequestWANMatrix"); err != nil {
		return err
	}
	if err := q.matrix(r); err != nil {
		return err
	}
	if err := r.end(); err != nil { // of Body
		return err
	}
	if err := r.end(); err != nil { // of Request
		return err
	}
	return r.over()
}

const hintVersion = "give the version of DUIS that you read: up to 5.1 the answer is flat, from 5.3 on it is a list"

func (q *Request) version(r *reader, root xml.StartElement) error {
	for _, a := range root.Attr {
		if a.Name.Space != "" || a.Name.Local != "schemaVersion" {
			continue
		}
		v, err := parseVersion(strings.TrimSpace(a.Value))
		if err != nil {
			return r.fault(UnsupportedVersion, root.Name.Local, "schemaVersion: "+err.Error(), hintVersion)
		}
		q.Version = v
		return nil
	}
	return r.fault(MissingContent, root.Name.Local, "there is no schemaVersion", hintVersion)
}

// header reads the header, whose optional elements, if there, have one value.
func (q *Request) header(r *reader) error {
	if _, err := r.start("Header"); err != nil {
		return err
	}
	if _, err := r.start("RequestID"); err != nil {
		return err
	}
	at := r.at
	id, err := r.text()
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(id); n == 0 || n > maxRequestID {
		r.at = at
		return r.fault(MalformedValue, "RequestID", "RequestID has "+strconv.Itoa(n)+" characters", "give it 1 to "+strconv.Itoa(maxRequestID))
	}
	q.RequestID, r.id = id, id
	fixed := [][2]string{{"CommandVariant", "8"}, {"ServiceReference", "12.1"}, {"ServiceReferenceVariant", "12.1"}}
	for {
		t, err := r.token(false)
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			for len(fixed) > 0 && fixed[0][0] != t.Name.Local {
				fixed = fixed[1:]
			}
			if len(fixed) == 0 || t.Name.Space != Namespace {
				return r.unexpected(t, "after RequestID a Header has at most CommandVariant, ServiceReference and ServiceReferenceVariant, in this order")
			}
			if err := r.only(fixed[0][1]); err != nil {
				return err
			}
			fixed = fixed[1:]
		default:
			return r.fault(UnexpectedContent, "Header", "there is text where an element belongs", "leave it out")
		}
	}
}

// only reads the text of an element that has but one value here.
func (r *reader) only(want string) error {
	name, at := r.inside(), r.at
	got, err := r.text()
	if err != nil {
		return err
	}
	if got != want {
		r.at = at
		return r.fault(MalformedValue, name, name+" is "+quote(got), "the only service request answered here has "+name+" "+want)
	}
	return nil
}

// matrix reads what is in a RequestWANMatrix, and its end.
func (q *Request) matrix(r *reader) error {
	t, err := r.start("UPRN", "PartialAddress")
	if err != nil {
		return err
	}
	if t.Name.Local == "UPRN" {
		err = q.uprn(r)
	} else {
		err = q.address(r)
	}
	if err != nil {
		return err
	}
	return r.end()
}

func (q *Request) uprn(r *reader) error {
	at := r.at
	text, err := r.text()
	if err != nil {
		return err
	}
	if q.UPRN, err = geo.ParseUPRN(strings.TrimPrefix(text, "+")); err != nil {
		r.at = at
		e, _ := errors.AsType[*geo.UPRNError](err)
		return r.fault(MalformedValue, "UPRN", quote(text)+" is not a UPRN: "+e.Msg, "a UPRN is a number of up to twelve digits, such as 990061391234")
	}
	return nil
}

func (q *Request) address(r *reader) error {
	if _, err := r.start("PostCode"); err != nil {
		return err
	}
	if err := q.postcode(r); err != nil {
		return err
	}
	if _, err := r.start("AddressIdentifier"); err != nil {
		return err
	}
	at := r.at
	text, err := r.text()
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(text); n > maxAddressIdentifier {
		r.at = at
		return r.fault(MalformedValue, "AddressIdentifier", "AddressIdentifier has "+strconv.Itoa(n)+" characters", "give the number or name of the house in at most "+strconv.Itoa(maxAddressIdentifier))
	}
	q.AddressIdentifier = text
	return r.end()
}

// postcode reads a postcode in any spelling that can be one postcode only.
func (q *Request) postcode(r *reader) error {
	at := r.at
	text, err := r.text()
	if err != nil {
		return err
	}
	p, err := geo.ParsePostcode(text)
	if errors.Is(err, geo.ErrOutOfArea) {
		q.OutOfArea, err = true, nil
	}
	n := utf8.RuneCountInString(text)
	if q.OutOfArea && (n < leastPostCode || n > mostPostCode) {
		err = errors.New("it has " + strconv.Itoa(n) + " characters") // and no other spelling that is known
	}
	if err != nil {
		r.at = at
		detail, hint := err.Error(), ""
		if e, ok := errors.AsType[*geo.PostcodeError](err); ok {
			detail, hint = e.Msg, e.Hint
		}
		for _, s := range geo.SuggestPostcode(text) {
			if s.What == "postcode" {
				hint = "did you mean " + s.Text + "?"
				break
			}
		}
		if hint == "" {
			hint = "write it as GU1 1AA"
		}
		return r.fault(MalformedValue, "PostCode", quote(text)+" is not a postcode: "+detail, hint)
	}
	q.Postcode, q.PostCode = p, text
	if n < leastPostCode || n > mostPostCode {
		q.PostCode = p.String()
	}
	return nil
}

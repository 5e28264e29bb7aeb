package duis

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a request. A real one has some twenty tags. How deep they are nested
// needs no bound of its own: what has no place in a request is refused where it
// starts.
const (
	MaxBody  = 64 << 10 // bytes
	maxMarks = 256      // of each of < = &
)

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

// reader reads the elements of a request in their order. Its methods return a
// *Fault, as an error, for whatever else there is.
type reader struct {
	d        *xml.Decoder
	id       string   // the RequestID, once read
	open     []string // the elements around the next token
	body     []byte
	at       int // the byte of body where the token that was read last starts
	began    bool
	encoding string // the one declared, where it is not UTF-8
}

func (r *reader) fault(code, element, detail, hint string) *Fault {
	line, column := position(r.body, r.at)
	return &Fault{Code: code, Element: clip(element), Detail: detail, Hint: hint, Line: line, Column: column, RequestID: r.id}
}

// newReader looks a body over before it is parsed.
func newReader(body []byte) (*reader, error) {
	r := &reader{body: body}
	switch {
	case len(body) > MaxBody:
		return nil, r.fault(TooMuch, "", "the body has over 64 KiB", "send one RequestWANMatrix in it")
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}), bytes.HasPrefix(body, []byte{0xFF, 0xFE}), bytes.HasPrefix(body, []byte("<\x00")), bytes.HasPrefix(body, []byte("\x00<")):
		return nil, r.fault(NotXML, "", "the body is UTF-16", hintUTF8)
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	r.body = body
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, r.fault(NotXML, "", "the body is empty", hintWhole)
	}
	if i := invalidUTF8(body); i >= 0 {
		r.at = i
		return nil, r.fault(NotXML, "", "there is a byte that is not UTF-8", hintUTF8)
	}
	for _, mark := range []byte("<=&") {
		n := 0
		for i, c := range body {
			if c != mark {
				continue
			}
			if n++; n > maxMarks {
				r.at = i
				return nil, r.fault(TooMuch, "", "there are over "+strconv.Itoa(maxMarks)+" of "+strconv.QuoteRune(rune(mark)), "send one RequestWANMatrix, which has some twenty elements")
			}
		}
	}
	r.d = xml.NewDecoder(bytes.NewReader(body))
	r.d.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) {
		r.encoding = label
		return nil, errors.New("not UTF-8")
	}
	return r, nil
}

const (
	hintUTF8  = "send UTF-8"
	hintWhole = "post a Request, or a RequestWANMatrix with its schemaVersion, as application/xml"
)

func invalidUTF8(body []byte) int {
	for i := 0; i < len(body); {
		c, size := utf8.DecodeRune(body[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// position is the line and column of a byte of a body, or of its end.
func position(body []byte, i int) (line, column int) {
	return 1 + bytes.Count(body[:i], []byte("\n")), i - bytes.LastIndexByte(body[:i], '\n')
}

// token is the next tag or text that is not just space between tags; io.EOF is
// its error at the end of the document.
func (r *reader) token(inText bool) (xml.Token, error) {
	for {
		r.at = int(r.d.InputOffset())
		t, err := r.d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, r.syntax(err)
		}
		first := !r.began
		r.began = true
		switch t := t.(type) {
		case xml.ProcInst:
			if t.Target == "xml" && first {
				continue
			}
			return nil, r.fault(ForbiddenXML, "", "there is a processing instruction", "leave it out")
		case xml.Directive:
			return nil, r.fault(ForbiddenXML, "", "there is a document type or another declaration", "leave <!DOCTYPE …> out: no entities are expanded here, and nothing is fetched")
		case xml.Comment:
			if inText {
				return nil, r.fault(ForbiddenXML, r.inside(), "there is a comment within a value", "leave it out")
			}
		case xml.CharData:
			if inText || len(bytes.TrimSpace(t)) > 0 {
				return t, nil
			}
		case xml.StartElement:
			r.open = append(r.open, t.Name.Local)
			return t, r.attributes(t)
		case xml.EndElement:
			r.open = r.open[:len(r.open)-1]
			return t, nil
		}
	}
}

// inside names the element that is open.
func (r *reader) inside() string {
	if len(r.open) == 0 {
		return ""
	}
	return r.open[len(r.open)-1]
}

// syntax is the fault for what is not well formed.
func (r *reader) syntax(err error) *Fault {
	r.at = int(r.d.InputOffset())
	if r.encoding != "" {
		return r.fault(NotXML, "", "the encoding declared is "+quote(r.encoding), hintUTF8)
	}
	var detail string
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		detail = e.Msg
	} else {
		detail = strings.TrimPrefix(err.Error(), "xml: ")
	}
	const most = 200
	if len(detail) > most {
		detail = strings.ToValidUTF8(detail[:most], "") + "…"
	}
	hint := "send well-formed XML 1.0"
	switch {
	case strings.Contains(detail, "entity"):
		hint = "there are no entities but &amp; &lt; &gt; &quot; &apos; and those of characters, such as &#38;"
	case strings.Contains(detail, "EOF"):
		hint = "the body ends too early: send all of it"
	}
	return r.fault(NotXML, r.inside(), detail, hint)
}

// attributes refuses those that no request has.
func (r *reader) attributes(t xml.StartElement) error {
	for i, a := range t.Attr {
		for _, b := range t.Attr[:i] {
			if a.Name == b.Name {
				return r.fault(NotXML, t.Name.Local, "attribute "+quote(a.Name.Local)+" is there twice", "give it once")
			}
		}
		root := len(r.open) == 1
		switch {
		case a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns":
		case root && a.Name.Space == "" && a.Name.Local == "schemaVersion":
		case root && a.Name.Space == schemaInstance && a.Name.Local == "schemaLocation": // a hint, which is not followed
		default:
			return r.fault(UnexpectedContent, t.Name.Local, "there is an attribute "+quote(a.Name.Local), "leave it out: the only attribute is schemaVersion, on the outermost element")
		}
	}
	return nil
}

// start reads the start of one of several elements, and returns its name.
func (r *reader) start(names ...string) (xml.StartElement, error) {
	want := "want <" + strings.Join(names, "> or <") + ">"
	t, err := r.token(false)
	if errors.Is(err, io.EOF) {
		return xml.StartElement{}, r.fault(MissingContent, "", "there is no element", want)
	}
	if err != nil {
		return xml.StartElement{}, err
	}
	switch t := t.(type) {
	case xml.StartElement:
		for _, n := range names {
			if t.Name.Local != n {
				continue
			}
			if t.Name.Space != Namespace {
				return t, r.fault(UnexpectedContent, n, "<"+n+"> is of the namespace "+quote(t.Name.Space), `want xmlns="`+Namespace+`"`)
			}
			return t, nil
		}
		return t, r.unexpected(t, want)
	case xml.EndElement:
		return xml.StartElement{}, r.fault(MissingContent, names[0], "<"+t.Name.Local+"> ends without <"+strings.Join(names, "> or <")+">", want)
	}
	return xml.StartElement{}, r.fault(UnexpectedContent, r.inside(), "there is text where an element belongs", want)
}

func (r *reader) unexpected(t xml.StartElement, want string) *Fault {
	if t.Name.Local == "Signature" {
		return r.fault(UnexpectedContent, "Signature", "the request is signed", "signatures are not checked here: send it without")
	}
	return r.fault(UnexpectedContent, clip(t.Name.Local), "<"+clip(t.Name.Local)+"> has no place here", want)
}

// clip shortens a name.
func clip(name string) string {
	const most = 60
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// end reads the end of the element that is open.
func (r *reader) end() error {
	name := r.inside()
	want := "want </" + name + ">"
	t, err := r.token(false)
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case xml.EndElement:
		return nil
	case xml.StartElement:
		return r.unexpected(t, want)
	}
	return r.fault(UnexpectedContent, name, "there is text where </"+name+"> belongs", want)
}

// text reads the text of the element that is open, and its end. Space around it
// does not count.
func (r *reader) text() (string, error) {
	name := r.inside()
	var b strings.Builder
	for {
		t, err := r.token(true)
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			return "", r.fault(UnexpectedContent, name, "there is an element <"+clip(t.Name.Local)+"> within the value of <"+name+">", "put the value there")
		case xml.EndElement:
			return strings.TrimSpace(b.String()), nil
		}
	}
}

// over reads to the end of the document.
func (r *reader) over() error {
	t, err := r.token(false)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	if s, ok := t.(xml.StartElement); ok {
		return r.unexpected(s, "end the document after one request")
	}
	return r.fault(UnexpectedContent, "", "there is text after the request", "end the document there")
}

package duis

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A validator for as much of XML Schema as the schemas in testdata use. What it
// does not know it refuses, in a schema as in a document: a test with it cannot
// pass because something was passed over.

// node is an element of a document.
type node struct {
	name  xml.Name
	attr  []xml.Attr
	nodes []*node
	text  string
}

func parseTree(document []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(document))
	top := new(node)
	open := []*node{top}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		in := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{name: t.Name, attr: slices.Clone(t.Attr)}
			in.nodes = append(in.nodes, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			in.text += string(t)
		}
	}
	if len(top.nodes) != 1 || strings.TrimSpace(top.text) != "" {
		return nil, errors.New("not one element")
	}
	return top.nodes[0], nil
}

// particle is an element, or a sequence or choice of particles.
type particle struct {
	kind     string // element, sequence or choice
	min, max int
	name     string
	typ      string
	parts    []*particle
}

type simpleType struct {
	base                            string
	minLength, maxLength, maxDigits int // −1: none
	values                          []string
}

type complexType struct {
	content  *particle
	required []string // attributes
}

type schema struct {
	target   string
	simple   map[string]*simpleType
	complex  map[string]*complexType
	elements map[string]string // global, and their types
}

const xsdNamespace = "http://www.w3.org/2001/XMLSchema"

func readSchema(t testing.TB, file string) *schema {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSchema(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

// attributes are those of a schema's element, all of which must be known.
func (n *node) attributes(known ...string) (map[string]string, error) {
	m := map[string]string{}
	for _, a := range n.attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			continue
		}
		if a.Name.Space != "" || !slices.Contains(known, a.Name.Local) {
			return nil, fmt.Errorf("%s: attribute %s is not known", n.name.Local, a.Name.Local)
		}
		m[a.Name.Local] = a.Value
	}
	return m, nil
}

func parseSchema(text []byte) (*schema, error) {
	root, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	at, err := root.attributes("targetNamespace", "elementFormDefault")
	if err != nil {
		return nil, err
	}
	if root.name != (xml.Name{Space: xsdNamespace, Local: "schema"}) || at["elementFormDefault"] != "qualified" {
		return nil, errors.New("not a schema with qualified elements")
	}
	s := &schema{at["targetNamespace"], map[string]*simpleType{}, map[string]*complexType{}, map[string]string{}}
	for _, n := range root.nodes {
		at, err := n.attributes("name", "type")
		if err != nil {
			return nil, err
		}
		name := at["name"]
		switch n.name.Local {
		case "simpleType":
			s.simple[name], err = parseSimple(n)
		case "complexType":
			s.complex[name], err = parseComplex(n)
		case "element":
			s.elements[name] = at["type"]
		default:
			err = fmt.Errorf("%s is not known", n.name.Local)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, nil
}

func parseSimple(n *node) (*simpleType, error) {
	if len(n.nodes) != 1 || n.nodes[0].name.Local != "restriction" {
		return nil, errors.New("not a restriction")
	}
	at, err := n.nodes[0].attributes("base")
	if err != nil {
		return nil, err
	}
	t := &simpleType{base: at["base"], minLength: -1, maxLength: -1, maxDigits: -1}
	for _, f := range n.nodes[0].nodes {
		at, err := f.attributes("value")
		if err != nil {
			return nil, err
		}
		number, _ := strconv.Atoi(at["value"])
		switch f.name.Local {
		case "minLength":
			t.minLength = number
		case "maxLength":
			t.maxLength = number
		case "totalDigits":
			t.maxDigits = number
		case "enumeration":
			t.values = append(t.values, at["value"])
		default:
			return nil, fmt.Errorf("facet %s is not known", f.name.Local)
		}
	}
	return t, nil
}

func parseComplex(n *node) (*complexType, error) {
	t := new(complexType)
	for i, c := range n.nodes {
		if c.name.Local == "attribute" {
			at, err := c.attributes("name", "type", "use")
			if err != nil {
				return nil, err
			}
			if at["use"] != "required" || at["type"] != "xs:string" {
				return nil, errors.New("an attribute that is not a required string")
			}
			t.required = append(t.required, at["name"])
			continue
		}
		p, err := parseParticle(c)
		if err != nil {
			return nil, err
		}
		if i > 0 || p.kind == "element" {
			return nil, errors.New("not one sequence or choice")
		}
		t.content = p
	}
	return t, nil
}

func parseParticle(n *node) (*particle, error) {
	at, err := n.attributes("name", "type", "minOccurs", "maxOccurs")
	if err != nil {
		return nil, err
	}
	p := &particle{kind: n.name.Local, min: 1, max: 1, name: at["name"], typ: at["type"]}
	if v, ok := at["minOccurs"]; ok {
		if p.min, err = strconv.Atoi(v); err != nil {
			return nil, err
		}
	}
	switch v := at["maxOccurs"]; v {
	case "":
	case "unbounded":
		p.max = 1 << 30
	default:
		if p.max, err = strconv.Atoi(v); err != nil {
			return nil, err
		}
	}
	switch p.kind {
	case "element":
		if p.name == "" || p.typ == "" || len(n.nodes) > 0 {
			return nil, errors.New("an element without name and type")
		}
		return p, nil
	case "sequence", "choice":
		for _, c := range n.nodes {
			q, err := parseParticle(c)
			if err != nil {
				return nil, err
			}
			p.parts = append(p.parts, q)
		}
		return p, nil
	}
	return nil, fmt.Errorf("%s is not known", p.kind)
}

// validate reports what is wrong with a document.
func (s *schema) validate(document []byte) error {
	root, err := parseTree(document)
	if err != nil {
		return err
	}
	typ, ok := s.elements[root.name.Local]
	if !ok || root.name.Space != s.target {
		return fmt.Errorf("no such document: %v", root.name)
	}
	return s.element(root, typ)
}

func (s *schema) element(n *node, typ string) error {
	if err := s.content(n, typ); err != nil {
		return fmt.Errorf("%s: %w", n.name.Local, err)
	}
	return nil
}

func (s *schema) content(n *node, typ string) error {
	local, ours := strings.CutPrefix(typ, "sr:")
	c, isComplex := s.complex[local]
	var required []string
	if isComplex && ours {
		required = slices.Clone(c.required)
	}
	for _, a := range n.attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		i := slices.Index(required, a.Name.Local)
		if a.Name.Space != "" || i < 0 {
			return fmt.Errorf("attribute %v", a.Name)
		}
		required = slices.Delete(required, i, i+1)
	}
	if len(required) > 0 {
		return fmt.Errorf("no %s", required[0])
	}
	if !ours || !isComplex {
		if len(n.nodes) > 0 {
			return errors.New("an element in a value")
		}
		return s.value(n.text, typ)
	}
	if strings.TrimSpace(n.text) != "" {
		return fmt.Errorf("text %q", n.text)
	}
	end, err := s.match(c.content, n.nodes)
	if err == nil && end < len(n.nodes) {
		err = fmt.Errorf("%s has no place", n.nodes[end].name.Local)
	}
	return err
}

// match matches a particle as often as it can, and returns how many nodes it
// took. Content models are deterministic, so that nothing is ever taken back.
func (s *schema) match(p *particle, nodes []*node) (taken int, err error) {
	for n := range p.max {
		k, err := s.once(p, nodes[taken:])
		if k < 0 || err != nil {
			if n < p.min && err == nil {
				err = fmt.Errorf("no %s %s", p.kind, p.name)
			}
			return taken, err
		}
		if k == 0 {
			return taken, nil
		}
		taken += k
	}
	return taken, nil
}

// once matches a particle once; −1: it is not there.
func (s *schema) once(p *particle, nodes []*node) (int, error) {
	switch p.kind {
	case "element":
		if len(nodes) == 0 || nodes[0].name != (xml.Name{Space: s.target, Local: p.name}) {
			return -1, nil
		}
		return 1, s.element(nodes[0], p.typ)
	case "choice":
		for _, q := range p.parts {
			if k, err := s.match(q, nodes); err == nil && k > 0 {
				return k, nil
			} else if err != nil && len(nodes) > 0 && nodes[0].name.Local == q.name {
				return -1, err
			}
		}
		return -1, nil
	}
	taken := 0
	for _, q := range p.parts {
		k, err := s.match(q, nodes[taken:])
		if err != nil {
			if taken == 0 && p.min == 0 && (len(nodes) == 0 || nodes[0].name.Local != p.parts[0].name) {
				return -1, nil
			}
			return 0, err
		}
		taken += k
	}
	return taken, nil
}

// value checks a text against a simple type.
func (s *schema) value(text, typ string) error {
	if base, builtin := strings.CutPrefix(typ, "xs:"); builtin {
		switch base {
		case "string":
			return nil
		case "boolean":
			if text != "true" && text != "false" {
				return fmt.Errorf("%q is no boolean", text)
			}
		case "date":
			_, err := time.Parse("2006-01-02", text)
			return err
		case "dateTime":
			_, err := time.Parse("2006-01-02T15:04:05Z", text)
			return err
		case "positiveInteger":
			if strings.Trim(text, "0123456789") != "" || strings.Trim(text, "0") == "" {
				return fmt.Errorf("%q is no positive integer", text)
			}
		default:
			return fmt.Errorf("type %s is not known", typ)
		}
		return nil
	}
	t := s.simple[strings.TrimPrefix(typ, "sr:")]
	if t == nil {
		return fmt.Errorf("type %s is not known", typ)
	}
	if err := s.value(text, t.base); err != nil {
		return err
	}
	n := utf8.RuneCountInString(text)
	switch {
	case n < t.minLength:
		return fmt.Errorf("%q is short", text)
	case t.maxLength >= 0 && n > t.maxLength:
		return fmt.Errorf("%q is long", text)
	case t.maxDigits >= 0 && len(strings.TrimLeft(text, "0")) > t.maxDigits:
		return fmt.Errorf("%q has too many digits", text)
	case len(t.values) > 0 && !slices.Contains(t.values, text):
		return fmt.Errorf("%q is none of %q", text, t.values)
	}
	return nil
}

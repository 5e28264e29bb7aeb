package duis

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"
)

// hostile is a body that is no request, and the code of its fault.
type hostile struct {
	name, body, code string
}

// wrap is a request in its envelope, with something else for its matrix.
func wrap(matrix string) string {
	return `<Request xmlns="` + Namespace + `" schemaVersion="5.4"><Header><RequestID>1</RequestID></Header><Body>` + matrix + `</Body></Request>`
}

func matrix(inside string) string { return wrap("<RequestWANMatrix>" + inside + "</RequestWANMatrix>") }

func address(postcode, identifier string) string {
	return matrix("<PartialAddress><PostCode>" + postcode + "</PostCode><AddressIdentifier>" + identifier + "</AddressIdentifier></PartialAddress>")
}

func inUTF16(s string, big bool, mark bool) string {
	var b []byte
	if mark {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

// bomb is a document type whose entities grow tenfold, depth times.
func bomb(depth int) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE b [<!ENTITY a0 "aaaaaaaaaa">`)
	for i := 1; i < depth; i++ {
		fmt.Fprintf(&b, `<!ENTITY a%d "%s">`, i, strings.Repeat(fmt.Sprintf("&a%d;", i-1), 10))
	}
	b.WriteString("]>")
	return b.String()
}

func hostiles() (list []hostile) {
	add := func(name, code string, bodies ...string) {
		for i, b := range bodies {
			list = append(list, hostile{fmt.Sprintf("%s %d", name, i), b, code})
		}
	}
	const uprn = "<UPRN>1</UPRN>"
	const partial = "<PartialAddress><PostCode>GU1 1AA</PostCode><AddressIdentifier>1</AddressIdentifier></PartialAddress>"
	good := matrix(partial)
	prologue := `<?xml version="1.0" encoding="UTF-8"?>`
	long := strings.Repeat("a", 60_000)

	for i := range len(good) {
		code := NotXML
		add("cut off", code, good[:i])
	}
	add("empty", NotXML, " \n\t ", "\ufeff", prologue[:20])
	add("prolog alone", MissingContent, prologue, prologue+"<!-- nothing -->")
	add("not XML", UnexpectedContent, "hello", "{}", `{"uprn":"1"}`, "uprn=1", long)
	add("not XML", NotXML, "<", "<<>>", "<>", "< Request/>", "</Request>", "&", "<Request", "<a b></a>", "<a b=c></a>", "<a b='<'></a>", "<1/>", "\x00", good[:40]+"\x00"+good[40:], "\x01"+good,
		strings.Replace(good, "GU1 1AA", "GU1\x0b1AA", 1), strings.Replace(good, "GU1 1AA", "&#0;", 1), strings.Replace(good, "GU1 1AA", "&#x1F;", 1),
		strings.Replace(good, "GU1 1AA", "&#x110000;", 1), strings.Replace(good, "GU1 1AA", "]]>", 1), strings.Replace(good, "</PostCode>", "</Postcode>", 1), strings.Replace(good, "<Body>", "<Body><!-- a -- b -->", 1))
	add("encoding", NotXML, "\xff"+good, strings.Replace(good, "GU1", "GU\xc0\xb11", 1), strings.Replace(good, "GU1", "\xed\xa0\x80", 1), strings.Replace(good, ">1<", ">\xe9<", 1),
		`<?xml version="1.0" encoding="ISO-8859-1"?>`+good, `<?xml version="1.0" encoding="UTF-16"?>`+good, `<?xml version="1.0" encoding="utf-7"?>`+good, `<?xml version="1.0" encoding="ebcdic-cp-gb"?>`+good,
		`<?xml version="1.0" encoding="`+long+`"?>`+good, `<?xml version="1.1"?>`+good,
		inUTF16(good, true, true), inUTF16(good, false, true), inUTF16(good, true, false), inUTF16(good, false, false), inUTF16(prologue+good, true, true))
	add("document type", ForbiddenXML, "<!DOCTYPE Request>"+good, prologue+"<!DOCTYPE Request>"+good, `<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">`+good, `<!DOCTYPE r SYSTEM "file:///etc/passwd">`+good,
		`<!DOCTYPE r PUBLIC "-//x" "http://127.0.0.1:1/x.dtd">`+good, `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>`+strings.Replace(good, ">1<", ">&x;<", 1), `<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:1/"> %x;]>`+good,
		`<!DOCTYPE r [<!ATTLIST Request schemaVersion CDATA "5.4">]>`+good, `<!DOCTYPE r [<!ELEMENT Request ANY>]>`+good, "<!DOCTYPE r ["+long+"]>"+good, "<!ELEMENT a ANY>"+good, "<!doctype html>"+good, strings.Replace(good, "<Body>", "<Body><!DOCTYPE r>", 1))
	add("entity bomb", ForbiddenXML, bomb(2)+good, bomb(3)+strings.Replace(good, ">1<", ">&a2;<", 1), bomb(20)+strings.Replace(good, ">1<", ">&a9;<", 1))
	add("entity bomb", TooMuch, bomb(100)+good, strings.Replace(good, ">1<", ">"+strings.Repeat("&amp;", 10_000)+"<", 1), strings.Replace(good, ">1<", ">"+strings.Repeat("&#49;", 10_000)+"<", 1))
	add("entity", NotXML, strings.Replace(good, ">1<", ">&x;<", 1), strings.Replace(good, ">1<", ">&nbsp;<", 1), strings.Replace(good, ">1<", ">&"+long+";<", 1), strings.Replace(good, ">1<", ">&;<", 1), strings.Replace(good, ">1<", ">&amp<", 1))
	add("processing instruction", ForbiddenXML, `<?php echo 1 ?>`+good, prologue+`<?xml-stylesheet href="http://127.0.0.1:1/"?>`+good, " "+prologue+good, prologue+prologue+good, good+prologue, strings.Replace(good, "<Body>", "<Body><?a b?>", 1), strings.Replace(good, ">GU1", "><?a b?>GU1", 1))
	add("comment in a value", ForbiddenXML, address("GU1<!-- x --> 1AA", "1"), address("GU1 1AA", "<!---->1"), matrix("<UPRN>1<!-- 2 -->3</UPRN>"), strings.Replace(good, "<RequestID>1", "<RequestID><!-- -->1", 1))
	add("text", UnexpectedContent, "a"+good, good+"a", good+"&#32;a", strings.Replace(good, "<Header>", "a<Header>", 1), strings.Replace(good, "<Header>", "<Header>a", 1), strings.Replace(good, "</Header>", "a</Header>", 1), strings.Replace(good, "<Body>", "<Body>a", 1), strings.Replace(good, "</Body>", "a</Body>", 1),
		matrix("a"+uprn), matrix(uprn+"a"), matrix("<![CDATA[<UPRN>1</UPRN>]]>"), matrix(strings.Replace(partial, "<Add", "a<Add", 1)), matrix(strings.Replace(partial, "</Par", "a</Par", 1)), good+"<![CDATA[a]]>")
	add("deep", UnexpectedContent, matrix(strings.Replace(partial, "GU1 1AA", "<a><b><c><d/></c></b></a>", 1)), strings.Repeat("<Request>", 5), "<a></b>", strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20), matrix(strings.Replace(partial, "GU1 1AA", "<a/>", 1)))
	add("deep", NotXML, strings.Repeat("<a ", 200))
	add("deep", TooMuch, strings.Repeat("<a>", 10_000), strings.Repeat("<a/>", 10_000), matrix(strings.Repeat(uprn, 1000)), strings.Repeat("<", 10_000))
	add("many attributes", TooMuch, `<Request xmlns="`+Namespace+`" `+strings.Repeat(`a="" `, 10_000)+">", "<Request "+strings.Repeat(`xmlns:a="" `, 5000)+">", "<a "+strings.Repeat("=", 60_000))
	add("attributes", UnexpectedContent, strings.Replace(good, "<Request ", `<Request id="1" `, 1), strings.Replace(good, "<Request ", `<Request `+strings.Repeat("a", 50_000)+`="1" `, 1), strings.Replace(good, "<Body>", `<Body schemaVersion="5.4">`, 1), strings.Replace(good, "<PostCode>", `<PostCode xml:lang="en">`, 1),
		strings.Replace(good, "<PostCode>", `<PostCode xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">`, 1), strings.Replace(good, "<Request ", `<Request xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="http://127.0.0.1:1/" `, 1),
		strings.Replace(good, "<PartialAddress>", `<PartialAddress a="1">`, 1), strings.Replace(good, "<Request ", `<Request p:schemaVersion="5.4" `, 1))
	for i := range 20 {
		add("attribute", UnexpectedContent, strings.Replace(good, "<Request ", fmt.Sprintf(`<Request a%d="%d" `, i, i), 1))
	}
	add("attribute twice", NotXML, strings.Replace(good, "<Request ", `<Request schemaVersion="5.4" `, 1), strings.Replace(good, "<Body>", `<Body xmlns:a="u" xmlns:a="v">`, 1), strings.Replace(good, "<Request ", `<Request xmlns:a="u" xmlns:a="v" `, 1))
	add("namespace", UnexpectedContent, strings.Replace(good, Namespace, "urn:other", 1), strings.Replace(good, ` xmlns="`+Namespace+`"`, "", 1), strings.Replace(good, Namespace, Namespace+"/", 1), strings.Replace(good, "http:", "https:", 1), strings.Replace(good, Namespace, "", 1),
		strings.Replace(good, "<Body>", `<Body xmlns="">`, 1), strings.Replace(good, "<PostCode>", `<PostCode xmlns="urn:other">`, 1), strings.ReplaceAll(strings.ReplaceAll(good, "<", "<sr:"), "<sr:/", "</sr:"), strings.Replace(good, "<Header>", `<Header xmlns="urn:o">`, 1),
		strings.ReplaceAll(good, "RequestWANMatrix>", "x:RequestWANMatrix>"), `<RequestWANMatrix schemaVersion="5.4">`+uprn+`</RequestWANMatrix>`)
	add("other document", UnexpectedContent, "<html/>", "<Fault/>", `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`+good+`</soap:Body></soap:Envelope>`, `<Response xmlns="`+Namespace+`" schemaVersion="5.4"/>`, `<request xmlns="`+Namespace+`"/>`, "<"+long+"/>")
	add("signed", UnexpectedContent, strings.Replace(good, "</Request>", `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></Request>`, 1), strings.Replace(good, "<Header>", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/><Header>`, 1))
	add("version", UnsupportedVersion, strings.Replace(good, "5.4", "5.2", 1), strings.Replace(good, "5.4", "5.2a", 1), strings.Replace(good, "5.4", "", 1), strings.Replace(good, "5.4", "x", 1), strings.Replace(good, "5.4", "0", 1), strings.Replace(good, "5.4", "-1", 1), strings.Replace(good, "5.4", "5,4", 1),
		strings.Replace(good, "5.4", "5.4.1", 1), strings.Replace(good, "5.4", "5.", 1), strings.Replace(good, "5.4", "+5.4", 1), strings.Replace(good, "5.4", "99999999999999999999", 1), strings.Replace(good, "5.4", long, 1), strings.Replace(good, "5.4", "1e9", 1), strings.Replace(good, "5.4", "٥.٤", 1))
	add("version", MissingContent, strings.Replace(good, ` schemaVersion="5.4"`, "", 1), `<RequestWANMatrix xmlns="`+Namespace+`">`+uprn+`</RequestWANMatrix>`)
	add("header", MissingContent, strings.Replace(good, "<RequestID>1</RequestID>", "", 1), `<Request xmlns="`+Namespace+`" schemaVersion="5.4"/>`, `<Request xmlns="`+Namespace+`" schemaVersion="5.4"><Header><RequestID>1</RequestID></Header></Request>`, wrap(""))
	add("header", UnexpectedContent, strings.Replace(good, "<Header><RequestID>1</RequestID></Header>", "", 1), strings.Replace(good, "<RequestID>1</RequestID>", "<RequestID>1</RequestID><RequestID>1</RequestID>", 1), strings.Replace(good, "</Header>", "<Extra/></Header>", 1),
		strings.Replace(good, "</Header>", "<ServiceReference>12.1</ServiceReference><CommandVariant>8</CommandVariant></Header>", 1), strings.Replace(good, "</Header>", "<CommandVariant>8</CommandVariant><CommandVariant>8</CommandVariant></Header>", 1), strings.Replace(good, "<Body>", "<Header/><Body>", 1),
		strings.Replace(good, "</Body>", "</Body><Body/>", 1))
	add("header", MalformedValue, strings.Replace(good, "<RequestID>1", "<RequestID>", 1), strings.Replace(good, "<RequestID>1", "<RequestID>"+strings.Repeat("1", 101), 1), strings.Replace(good, "<RequestID>1", "<RequestID>"+long, 1), strings.Replace(good, "</Header>", "<CommandVariant>1</CommandVariant></Header>", 1), strings.Replace(good, "</Header>", "<ServiceReference>8.14.1</ServiceReference></Header>", 1))
	add("neither", MissingContent, matrix(""), matrix("<!-- -->"), matrix("  "), wrap("<RequestWANMatrix/>"), matrix("<PartialAddress/>"), matrix("<PartialAddress><PostCode>GU1 1AA</PostCode></PartialAddress>"))
	add("both", UnexpectedContent, matrix(uprn+partial), matrix(partial+uprn), matrix(uprn+uprn), matrix(partial+partial), wrap("<RequestWANMatrix>"+uprn+"</RequestWANMatrix><RequestWANMatrix>"+uprn+"</RequestWANMatrix>"), good+good, matrix(strings.Replace(partial, "</PartialAddress>", uprn+"</PartialAddress>", 1)),
		matrix("<PartialAddress><AddressIdentifier>1</AddressIdentifier><PostCode>GU1 1AA</PostCode></PartialAddress>"), matrix(strings.Replace(partial, "<PostCode>", "<PostCode>GU1 1AA</PostCode><PostCode>", 1)), matrix(strings.Replace(partial, "</PartialAddress>", "<AddressIdentifier/></PartialAddress>", 1)), matrix("<uprn>1</uprn>"), matrix("<Postcode>GU1 1AA</Postcode>"))
	for _, v := range []string{"", "0", "-1", "1.0", "1e5", "1234567890123", "9999999999999999999999999", "0x10", "1 2", "١", "1,000", "abc", long, "<![CDATA[ ]]>", "++1"} {
		add("UPRN", MalformedValue, matrix("<UPRN>"+v+"</UPRN>"))
	}
	for _, v := range []string{"", "G", "GU1", "GU1 1A", "GU1 1AAA", "GU11AA GU11AA", "12345678", "GUI 1AA!", "Q1 1AA", "QQ1 1AA", "&lt;script&gt;", "' OR 1=1", "GU1 1AA\u200b", "Ｇｕ1 1AA", long, "../../etc", "GU1-1AA-X", "&#xD800;"} {
		add("postcode", MalformedValue, address(v, "1"))
	}
	for _, v := range []string{strings.Repeat("1", 31), strings.Repeat("ŷ", 31), strings.Repeat("&amp;", 31), long, "<![CDATA[" + long + "]]>"} {
		add("address", MalformedValue, address("GU1 1AA", v))
	}
	add("too large", TooMuch, good+strings.Repeat(" ", MaxBody), strings.Repeat(long, 10))
	return list
}

// TestHostileBodies: each gets a fault that says what and where, and how to mend
// it, for not much more memory than its size.
func TestHostileBodies(t *testing.T) {
	list := hostiles()
	codes := map[string]int{}
	var worst float64
	for _, h := range list {
		body := []byte(h.body)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		q, err := Parse(body)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: taken as %+v: %.200q", h.name, q, h.body)
			continue
		}
		f, ok := errors.AsType[*Fault](err)
		if !ok {
			t.Errorf("%s: %T: %v", h.name, err, err)
			continue
		}
		codes[f.Code]++
		if f.Code != h.code {
			t.Errorf("%s: %s, want %s: %v: %.200q", h.name, f.Code, h.code, f, h.body)
		}
		if f.Detail == "" || f.Hint == "" || f.Line < 1 || f.Column < 1 || f.Line > 1+strings.Count(h.body, "\n") || f.Column > len(body)+1 {
			t.Errorf("%s: %+v", h.name, f)
		}
		document := f.AppendXML(nil)
		if err := xml.Unmarshal(document, new(struct{})); err != nil || len(document) > 2000 {
			t.Errorf("%s: %v, %d bytes: %s", h.name, err, len(document), document)
		}
		const constant = 32 << 10
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 10*uint64(len(body))+constant {
			t.Errorf("%s: %d bytes allocated for a body of %d", h.name, spent, len(body))
		} else if len(body) > 10_000 {
			worst = max(worst, float64(spent)/float64(len(body)))
		}
	}
	if len(list) < 500 || len(codes) != 7 {
		t.Errorf("%d bodies, codes %v", len(list), codes)
	}
	t.Logf("%d bodies, %v; of the large ones at most %.1f bytes allocated a byte", len(list), codes, worst)
}

// What looks odd and is a request all the same.
func TestOddRequestsAreTaken(t *testing.T) {
	good := address("GU1 1AA", "1")
	for _, body := range []string{
		good, "\ufeff" + good, `<?xml version="1.0" encoding="utf-8" standalone="yes"?>` + "\r\n" + good + "\r\n<!-- end -->\n",
		strings.ReplaceAll(good, "><", ">\n  <"), strings.Replace(good, "<Body>", "<!-- a --><Body><!-- b -->", 1),
		address("<![CDATA[GU1 1AA]]>", "<![CDATA[1]]>"), address("&#71;U1 1AA", "&#x31;"), address(" gu11aa\n", " 1 "), address("G U 1 1 A A", "1"),
		strings.Replace(strings.ReplaceAll(strings.ReplaceAll(good, "<", "<sr:"), "<sr:/", "</sr:"), "xmlns=", "xmlns:sr=", 1),
		strings.Replace(good, "</Header>", "<CommandVariant>8</CommandVariant><ServiceReference>12.1</ServiceReference><ServiceReferenceVariant>12.1</ServiceReferenceVariant></Header>", 1),
		strings.Replace(good, "<Request ", `<Request xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" `, 1),
		`<RequestWANMatrix xmlns="` + Namespace + `" schemaVersion="5.4"><PartialAddress><PostCode>GU1 1AA</PostCode><AddressIdentifier>1</AddressIdentifier></PartialAddress></RequestWANMatrix>`,
	} {
		q := mustParse(t, []byte(body))
		if q.Postcode != mustPostcode("GU1 1AA") || q.AddressIdentifier != "1" || q.Version != (Version{"5.4", List}) || len(q.PostCode) < 6 || len(q.PostCode) > 8 {
			t.Errorf("%+v of %s", q, body)
		}
	}
	for _, uprn := range []string{"1", "000000000001", " 1 ", "+1", "0000000000000001"} {
		if q := mustParse(t, []byte(matrix("<UPRN>"+uprn+"</UPRN>"))); q.UPRN != 1 {
			t.Errorf("%q: %+v", uprn, q)
		}
	}
	if q := mustParse(t, []byte(address("B11AA", ""))); q.PostCode != "B1 1AA" || q.AddressIdentifier != "" {
		t.Errorf("%+v", q)
	}
	for version, shape := range map[string]Shape{"1.0": Flat, "5": Flat, "5.0": Flat, "5.1": Flat, "4.9": Flat, "5.3": List, "5.3a": List, "5.4": List, "5.10": List, "6.0": List} {
		if q := mustParse(t, bodyOf(version, "1", "", "")); q.Version != (Version{version, shape}) {
			t.Errorf("%+v", q.Version)
		}
	}
}

// FuzzParse: any body is a request, whose answers are valid, or a fault that says
// something.
func FuzzParse(f *testing.F) {
	for _, h := range hostiles() {
		if len(h.body) < 1000 && !strings.HasPrefix(h.name, "cut off") {
			f.Add([]byte(h.body))
		}
	}
	f.Add([]byte(address("GU1 1AA", "1")))
	f.Add(bodyOf("5.1", "2", "", ""))
	flat, list := readSchema(f, "testdata/duis-5.1.xsd"), readSchema(f, "testdata/duis-5.4.xsd")
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := Parse(body)
		if err != nil {
			fault, ok := errors.AsType[*Fault](err)
			if !ok || fault.Detail == "" || fault.Hint == "" || fault.Line < 1 || fault.Column < 1 {
				t.Fatalf("%#v", err)
			}
			if err := xml.Unmarshal(fault.AppendXML(nil), new(struct{})); err != nil {
				t.Fatal(err)
			}
			return
		}
		_, got := answer(q, guildford())
		s := list
		if q.Version.Shape == Flat {
			s = flat
		}
		if err := s.validate(got); err != nil {
			t.Fatalf("%v in %s", err, got)
		}
		if again := mustParse(t, bodyOf("5.4", q.UPRN.String(), q.PostCode, q.AddressIdentifier)); again.UPRN != q.UPRN || again.Postcode != q.Postcode || again.AddressIdentifier != q.AddressIdentifier {
			t.Fatalf("%+v, repeated %+v", q, again)
		}
		if !bytes.Contains(got, appendEscaped(nil, q.AddressIdentifier)) && bytes.Contains(got, []byte("<PostCode>")) {
			t.Fatalf("the request is not repeated in %s", got)
		}
	})
}

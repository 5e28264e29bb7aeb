package duis

import (
	"time"
	"unicode/utf8"
)

const prolog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// AppendXML appends the answer as a document, made at a time.
func (a *Answer) AppendXML(b []byte, at time.Time) []byte {
	q := a.Request
	flat := q.Version.Shape == Flat
	b = append(b, prolog+`<Response xmlns="`+Namespace+`" schemaVersion="`...)
	b = append(appendEscaped(b, q.Version.Text), `"><Header>`...)
	if q.RequestID != "" {
		b = appendElement(b, "RequestID", q.RequestID)
	}
	b = appendElement(b, "ResponseCode", a.Code.Code)
	b = appendElement(b, "ResponseText", a.Code.Text)
	bodiless := flat && !a.Responses[0].Coverage
	if bodiless {
		b = appendElement(b, "CSPRegion", a.Responses[0].Region.String())
	}
	b = append(b, "<ResponseDateTime>"...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
	b = append(b, "</ResponseDateTime></Header>"...)
	if bodiless {
		return append(b, "</Response>\n"...)
	}
	b = q.appendXML(append(b, "<Body><DSPWANMatrix>"...))
	for i := range a.Responses {
		r := &a.Responses[i]
		if flat {
			b = appendElement(b, "CSPRegion", r.Region.String())
			b = r.appendCoverage(b)
			continue
		}
		b = append(b, "<DSPWANMatrixResponse>"...)
		b = appendElement(b, "CSPRegion", r.Region.String())
		b = appendElement(b, "CSPRegionResponseCode", r.Code.Code)
		if r.Coverage {
			b = r.appendCoverage(b)
		}
		b = append(b, "</DSPWANMatrixResponse>"...)
	}
	return append(b, "</DSPWANMatrix></Body></Response>\n"...)
}

// appendXML appends the request, as an answer repeats it.
func (q *Request) appendXML(b []byte) []byte {
	if q.UPRN != 0 {
		b = q.UPRN.AppendTo(append(b, "<Request><UPRN>"...))
		return append(b, "</UPRN></Request>"...)
	}
	b = append(b, "<Request><PartialAddress>"...)
	b = appendElement(b, "PostCode", q.PostCode)
	b = appendElement(b, "AddressIdentifier", q.AddressIdentifier)
	return append(b, "</PartialAddress></Request>"...)
}

func (r *Response) appendCoverage(b []byte) []byte {
	if r.Available {
		b = append(b, "<CoverageAvailability>true</CoverageAvailability>"...)
	} else {
		b = append(b, "<CoverageAvailability>false</CoverageAvailability>"...)
	}
	if r.Anticipated != 0 {
		b = r.Anticipated.AppendTo(append(b, "<AnticipatedCoverageDate>"...))
		b = append(b, "</AnticipatedCoverageDate>"...)
	}
	b = appendElement(b, "WANTechnology", r.Technology)
	b = appendElement(b, "ConnectivityLikelihood", r.Likelihood)
	if r.Auxiliary != "" {
		b = appendElement(b, "AuxiliaryEquipmentRequired", r.Auxiliary)
	}
	if r.Information != "" {
		b = appendElement(b, "AdditionalInformation", r.Information)
	}
	return b
}

func appendElement(b []byte, name, text string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	b = appendEscaped(b, text)
	return append(append(append(b, "</"...), name...), '>')
}

// appendEscaped appends text as the content of an element or of an attribute in
// double quotes. What XML 1.0 has no characters for becomes U+FFFD.
func appendEscaped(b []byte, s string) []byte {
	for _, r := range s {
		switch r {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\r':
			b = append(b, "&#xD;"...)
		case '\n', '\t': // which a reader may take for a space
			b = append(b, '&', '#', 'x', "9A"[r-'\t'], ';')
		default:
			if !isXML(r) {
				r = utf8.RuneError
			}
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

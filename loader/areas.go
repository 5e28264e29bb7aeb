package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"coverd/index"
)

// areaParser turns features of a coverage-area extract into areas.
type areaParser struct {
	claims *claimReader
	names  [numClaimColumns]string // of the properties
}

func newAreaParser(e *Extract) *areaParser {
	p := &areaParser{claims: newClaimReader(e)}
	for i := range p.names {
		ours := columnNames[firstClaim+column(i)]
		p.names[i] = ours
		if theirs, ok := e.Columns[ours]; ok {
			p.names[i] = theirs
		}
	}
	return p
}

// areaPart is what has come of a feature.
type areaPart struct {
	parsed
	area    index.Area
	unknown []string // properties that are not read
	seen    [numClaimColumns]bool
}

// feature reads one feature, or a correction of it.
func (p *areaParser) feature(name string, f feature, fixes fixes) (out areaPart) {
	out.rows = 1
	area, fault := p.area(f, &out)
	if fault != nil && f.cut && !json.Valid(f.raw) {
		out.err = &FileError{name, f.line, "it is cut: the last line has no line end and only part of its feature"}
		return out
	}
	var bad *Reject
	line := uint32(f.line)
	switch {
	case fault != nil:
		fault.msg += fmt.Sprintf(" (feature %d)", f.number)
		bad = newReject(name, f.line, fault, f.raw)
	case len(fixes[line]) > 0:
		bad = &Reject{File: name, Line: f.line, Row: clipRow(f.raw, maxRowKept), Digest: rowDigest(f.raw)}
	}
	if bad != nil {
		if fix := fixes.choose(line, bad, &out.parsed); fix != nil {
			area, fault = p.area(feature{raw: bytes.Trim(fix.row, " \t\r\n")}, &out)
			bad = fix.settle(bad, fault, &out.parsed)
		}
	}
	if bad != nil && bad.Code != "" {
		out.rejects = []Reject{*bad}
		return out
	}
	out.accepted, out.area = 1, area
	return out
}

func (p *areaParser) area(f feature, out *areaPart) (a index.Area, bad *cellFault) {
	properties, geometry, bad := f.parse()
	if bad != nil {
		return a, bad
	}
	var cells [numClaimColumns][]byte
	for i, name := range p.names {
		v, ok := properties[name]
		out.seen[i] = ok
		delete(properties, name)
		column := columnNames[firstClaim+column(i)]
		switch {
		case len(v) == 0, string(v) == "null":
		case v[0] == '"':
			text, ok := v.text()
			if !ok {
				return a, fault(column, CodeEncoding, "half of a surrogate pair in it")
			}
			if code, what := textFault([]byte(text), mayBreak(column)); code != "" {
				return a, fault(column, code, "%s", what)
			}
			cells[i] = []byte(text)
		case v[0] == 't', v[0] == 'f':
			cells[i] = v
		default:
			return a, fault(column, propertyCode(column), "%s: want text, true, false or null, not a number, list or object", clip(v))
		}
	}
	out.unknown = sortedKeys(properties)
	if a.Claim, bad = p.claims.claim(&cells); bad != nil {
		return a, bad
	}
	var err error
	if a.Shape, err = parseArea(geometry, nearBritain); err != nil {
		code := CodeGeometry
		switch {
		case strings.Contains(err.Error(), "are exchanged"):
			code = CodeSwapped
		case strings.Contains(err.Error(), "in or near Great Britain"):
			code = CodeOutside
		}
		return a, fault("geometry", code, "%v", err)
	}
	return a, nil
}

// propertyCode is the code for a property of the wrong JSON type.
func propertyCode(column string) Code {
	if column == colAvailable.String() {
		return CodeAvailability
	}
	return CodeProperty
}

// missing lists the properties that no feature of an extract had, of those
// that the manifest maps or a claim cannot do without.
func (p *areaParser) missing(seen [numClaimColumns]bool, e *Extract) []string {
	var names []string
	for i, name := range p.names {
		_, mapped := e.Columns[columnNames[firstClaim+column(i)]]
		need := mapped || slices.Contains([]column{colNetwork, colAvailable}, firstClaim+column(i))
		if need && !seen[i] {
			names = append(names, name)
		}
	}
	return names
}

// unknownNames are the names of properties that are not read.
type unknownNames map[string]bool

// maxUnknown is how many of them are kept: someone may have made one up for each
// feature.
const maxUnknown = 1000

func (u unknownNames) add(names []string) {
	for _, name := range names {
		if name = clip([]byte(name)); len(u) < maxUnknown || u[name] {
			u[name] = true
		}
	}
}

// warnings tells of the first few.
func (u unknownNames) warnings() (warnings []string) {
	for _, name := range sortedKeys(u) {
		w := fmt.Sprintf("property %q is not read", name)
		if ours := closest(name); ours != "" && ours != name {
			w += fmt.Sprintf(": if it is our %s, say so under [extract.columns]: %s = %q", ours, ours, name)
		}
		warnings = append(warnings, w)
	}
	return firstFew(warnings, "properties are not read")
}

// firstFew shortens a list of warnings of one kind.
func firstFew(warnings []string, what string) []string {
	if more := len(warnings) - maxShown; more > 1 {
		warnings = append(warnings[:maxShown:maxShown], fmt.Sprintf("and %s more %s", thousands(int64(more)), what))
	}
	return warnings
}

package loader

import (
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

// feature reads one feature.
func (p *areaParser) feature(name string, f feature) (out areaPart) {
	out.rows = 1
	area, bad := p.area(f, &out)
	if bad != nil {
		if f.cut && !json.Valid(f.raw) {
			out.err = &FileError{name, f.line, "it is cut: the last line has no line end and only part of its feature"}
			return out
		}
		bad.msg += fmt.Sprintf(" (feature %d)", f.number)
		out.reject(name, f.line, bad, f.raw)
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
		switch v := v.(type) {
		case nil:
		case string:
			if code, what := textFault([]byte(v), mayBreak(column)); code != "" {
				return a, fault(column, code, "%s", what)
			}
			cells[i] = []byte(v)
		case bool:
			cells[i] = fmt.Append(nil, v)
		default:
			return a, fault(column, propertyCode(column), "%v: want text, true, false or null, not a number, list or object", v)
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

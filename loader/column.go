package loader

import (
	"fmt"
	"slices"
	"strings"
)

// column is one of our columns.
type column int

// Our columns, in the order in which a row is checked. Those from firstClaim
// on make up the claim; the others say which premises it is about.
const (
	colUPRN column = iota
	colPostcode
	colAddress
	colLat
	colLng
	colEasting
	colNorthing
	colConflict
	colNetwork
	colAvailable
	colAnticipated
	colEnd
	colTechnology
	colVariant
	colLikelihood
	colAuxiliary
	colInfo
	numColumns

	firstClaim      = colNetwork
	numClaimColumns = int(numColumns - firstClaim)
)

var columnNames = [numColumns]string{
	"uprn", "postcode", "address_identifier", "latitude", "longitude", "easting", "northing", "claims_conflict",
	"network_region", "coverage_availability", "anticipated_coverage_date", "coverage_end_date",
	"wan_technology", "wan_variant", "connectivity_likelihood", "auxiliary_equipment", "additional_information",
}

func (c column) String() string { return columnNames[c] }

// columnsOf lists the columns of a kind of extract: an area has no premises.
func columnsOf(k Kind) []string {
	if k == KindAreas {
		return columnNames[firstClaim:]
	}
	return columnNames[:]
}

// The longest text of each column, in characters.
var maxLength = [numColumns]int{
	colAddress: 30, colTechnology: 30, colVariant: 30, colAuxiliary: 50, colInfo: 250,
}

// binding says which field of a CSV file is which of our columns.
type binding struct {
	fields [numColumns]int // −1: the file has no such column
	names  []string        // by field: our name for it, theirs where we have none
	// The claim's fields are these and all between, in whatever order; −1: other
	// columns stand between them.
	claimFirst, claimLast int
}

// has reports whether the file has the columns.
func (b *binding) has(cols ...column) bool {
	return !slices.ContainsFunc(cols, func(c column) bool { return b.fields[c] < 0 })
}

// bind finds our columns in a header. The warnings are about columns that are
// not read; the error is why the file cannot be.
func bind(header []string, columns map[string]string) (b *binding, warnings []string, err error) {
	b = &binding{names: make([]string, len(header))}
	at := map[string]int{}
	for i, name := range header {
		name = strings.Trim(name, " ")
		b.names[i] = name
		if name == "" {
			warnings = append(warnings, fmt.Sprintf("column %d has no name and is not read", i+1))
			continue
		}
		if j, ok := at[name]; ok {
			return nil, nil, fmt.Errorf("column %q is there twice, as the %d. and the %d.: nothing says which one counts", name, j+1, i+1)
		}
		at[name] = i
	}
	if len(header) == 1 {
		for _, sep := range []string{";", "\t", "|"} {
			if strings.Contains(header[0], sep) {
				return nil, nil, fmt.Errorf("the header is one column with %q in it: columns are separated by commas", sep)
			}
		}
	}
	for c, ours := range columnNames {
		theirs, mapped := columns[ours]
		if !mapped {
			theirs = ours
		}
		i, ok := at[theirs]
		if !ok {
			i = -1
			if mapped {
				return nil, nil, fmt.Errorf("the manifest reads %s from column %q, which is not there%s; the header has: %s",
					ours, theirs, didYouMean(theirs, header), listed(header))
			}
		}
		b.fields[c] = i
	}
	for c, i := range b.fields {
		if i >= 0 {
			b.names[i] = columnNames[c]
			delete(at, strings.Trim(header[i], " "))
		}
	}
	for i, name := range header {
		name = strings.Trim(name, " ")
		if _, left := at[name]; !left {
			continue
		}
		w := fmt.Sprintf("column %d, %q, is not read", i+1, name)
		if ours := closest(name); ours != "" && b.fields[slices.Index(columnNames[:], ours)] < 0 {
			w += fmt.Sprintf(": if it is our %s, say so under [extract.columns]: %s = %q", ours, ours, name)
		}
		warnings = append(warnings, w)
	}
	b.claimFirst, b.claimLast = b.claimSpan()
	return b, firstFew(warnings, "columns are not read"), b.check(header)
}

// claimSpan finds the claim's fields where they stand together.
func (b *binding) claimSpan() (first, last int) {
	first, last = len(b.names), -1
	n := 0
	for _, i := range b.fields[firstClaim:] {
		if i >= 0 {
			first, last, n = min(first, i), max(last, i), n+1
		}
	}
	if n == 0 || last-first+1 != n {
		return -1, -1
	}
	return first, last
}

// closest is our column that a name may be another spelling of, or "".
func closest(name string) string {
	name = strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(name))
	for _, c := range columnNames {
		if editDistance(name, c) <= len(c)/5 {
			return c
		}
	}
	return ""
}

// check reports whether the columns are enough to make claims from.
func (b *binding) check(header []string) error {
	missing := func(what string) error {
		return fmt.Errorf("no %s: name it under [extract.columns] if it is called otherwise; the header has: %s",
			what, listed(header))
	}
	for _, c := range []column{colNetwork, colAvailable} {
		if !b.has(c) {
			return missing("column " + c.String())
		}
	}
	for _, pair := range [][2]column{{colLat, colLng}, {colEasting, colNorthing}} {
		if b.has(pair[0]) != b.has(pair[1]) {
			return missing(fmt.Sprintf("pair of columns %v and %v, only one of them", pair[0], pair[1]))
		}
	}
	if !b.has(colUPRN) && !b.has(colPostcode, colAddress) && !b.has(colLat) && !b.has(colEasting) {
		return missing("way to tell premises apart: uprn, or postcode and address_identifier, or coordinates")
	}
	return nil
}

// listed is a header for a message.
func listed(header []string) string {
	const most = 40
	if len(header) > most {
		header = append(slices.Clone(header[:most]), fmt.Sprintf("and %d more", len(header)-most))
	}
	text := strings.Join(header, ", ")
	if len(text) > most*60 {
		text = strings.ToValidUTF8(text[:most*60], "") + "…"
	}
	return text
}

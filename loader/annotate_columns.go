package loader

import (
	"fmt"
	"slices"
	"strings"
)

// SheetKey is a kind of column by which a row of a planner's table is looked up.
type SheetKey string

// The kinds, best first.
const (
	SheetUPRN          SheetKey = "uprn"
	SheetPostcode      SheetKey = "postcode"
	SheetAddress       SheetKey = "address" // narrows a postcode
	SheetLatitude      SheetKey = "latitude"
	SheetLongitude     SheetKey = "longitude"
	SheetEasting       SheetKey = "easting"
	SheetNorthing      SheetKey = "northing"
	SheetX             SheetKey = "x" // longitude or easting: the numbers tell
	SheetY             SheetKey = "y"
	SheetGridReference SheetKey = "grid_reference"
)

// SheetKeys lists the kinds of column, best first.
var SheetKeys = []SheetKey{
	SheetUPRN, SheetPostcode, SheetAddress, SheetLatitude, SheetLongitude, SheetEasting, SheetNorthing, SheetX, SheetY, SheetGridReference,
}

// The names by which a column is known, the commonest first: in lower case, and
// of letters and digits alone.
var sheetNames = map[SheetKey][]string{
	SheetUPRN:     {"uprn", "uprnno", "uprnnumber", "uniquepropertyreferencenumber", "propertyuprn", "siteuprn"},
	SheetPostcode: {"postcode", "pcode", "pcds", "pcd", "pcd8", "pcd7", "postalcode", "postcd", "sitepostcode", "propertypostcode"},
	SheetAddress: {
		"addressidentifier", "addressid", "address", "address1", "addressline1", "house", "housenumber", "housename", "houseno",
		"housenameornumber", "housenumberorname", "propertynumber", "paon",
	},
	SheetLatitude:      {"latitude", "lat"},
	SheetLongitude:     {"longitude", "long", "lng", "lon"},
	SheetEasting:       {"easting", "eastings", "oseast1m", "east1m", "oseasting"},
	SheetNorthing:      {"northing", "northings", "osnrth1m", "north1m", "osnorthing"},
	SheetX:             {"x", "xcoordinate", "xcoord"},
	SheetY:             {"y", "ycoordinate", "ycoord"},
	SheetGridReference: {"gridreference", "gridref", "osgridreference", "osgridref", "osref", "ngr"},
}

// sheetName is a name in the form in which names are compared.
func sheetName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// sheetColumns are the columns that a table is looked up by: of each kind its
// number, or −1.
type sheetColumns struct {
	at        map[SheetKey]int
	separator byte
	fields    int
}

// findSheetColumns finds them in a header. given are those that the caller names.
func findSheetColumns(header []string, given map[SheetKey]string) (*sheetColumns, error) {
	c := &sheetColumns{at: map[SheetKey]int{}, fields: len(header)}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = sheetName(h)
		if own := strings.ToLower(strings.TrimSpace(h)); slices.Contains(AnnotatedColumns, own) {
			return nil, fmt.Errorf("column %q is there already: take the table as it was before it was annotated, or remove the columns that start with coverd_", own)
		}
	}
	for _, key := range SheetKeys {
		c.at[key] = -1
		if theirs, ok := given[key]; ok {
			i := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == theirs })
			if i < 0 {
				return nil, fmt.Errorf("there is no column %q for the %s%s; the header has: %s", theirs, key, didYouMean(theirs, header), strings.Join(header, ", "))
			}
			c.at[key] = i
		}
	}
	for _, key := range SheetKeys {
		if c.at[key] >= 0 {
			continue
		}
		for _, name := range sheetNames[key] {
			if i := slices.Index(names, name); i >= 0 && !c.taken(i) {
				c.at[key] = i
				break
			}
		}
	}
	for _, pair := range [][2]SheetKey{{SheetLatitude, SheetLongitude}, {SheetEasting, SheetNorthing}, {SheetX, SheetY}} {
		if c.at[pair[0]] < 0 || c.at[pair[1]] < 0 { // half a pair says nothing
			c.at[pair[0]], c.at[pair[1]] = -1, -1
		}
	}
	if c.at[SheetPostcode] < 0 {
		c.at[SheetAddress] = -1
	}
	if len(c.used(header)) == 0 {
		return nil, fmt.Errorf("no column to look up by: neither a UPRN, nor a postcode, nor a location; name one, as in --column postcode=PC; the header has: %s",
			strings.Join(header, ", "))
	}
	return c, nil
}

func (c *sheetColumns) taken(i int) bool {
	for _, j := range c.at {
		if i == j {
			return true
		}
	}
	return false
}

// used names the columns that are looked up by.
func (c *sheetColumns) used(header []string) map[SheetKey]string {
	used := map[SheetKey]string{}
	for key, i := range c.at {
		if i >= 0 {
			used[key] = strings.TrimSpace(header[i])
		}
	}
	return used
}

// sheetHeader takes a header apart by the separator that makes the most of it.
func sheetHeader(line []byte) (header []string, separator byte, err error) {
	for _, sep := range []byte{',', ';', '\t'} {
		x := sheetLexer{separator: sep}
		n, bad := x.next(line)
		if bad != nil || n < len(line) {
			if err == nil {
				err = bad
			}
			continue
		}
		if len(x.ends) > len(header) {
			header, separator = nil, sep
			for i := range x.ends {
				var scratch []byte
				header = append(header, string(x.field(line, i, &scratch)))
			}
		}
	}
	if len(header) < 2 && err != nil {
		return nil, 0, err
	}
	return header, separator, nil
}

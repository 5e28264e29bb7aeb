package loader

import (
	"fmt"
	"slices"
	"strings"
)

// Columns of installation outcomes, beside those that a row is looked up by. The
// names are those of the fields of service requests 8.14.1 and 8.14.2.
const (
	SheetInstallationDate SheetKey = "installation_date" // required
	SheetOutcome          SheetKey = "outcome"           // required, unless the install type tells it
	SheetInstallType      SheetKey = "chf_install_type"
	SheetCHFLocation      SheetKey = "chf_location"
	SheetPremiseType      SheetKey = "premise_type"
	SheetMetal            SheetKey = "metal_obstruction_check"
	SheetConnectivity     SheetKey = "connectivity_obstruction_check"
	SheetShared           SheetKey = "shared_obstruction_check"
	SheetAerial           SheetKey = "aerial_install"
)

// outcomeKeys are the columns of outcomes; those from the third on are groups to
// report by.
var outcomeKeys = []SheetKey{
	SheetInstallationDate, SheetOutcome, SheetInstallType, SheetCHFLocation, SheetPremiseType, SheetMetal, SheetConnectivity, SheetShared, SheetAerial,
}

// Places in outcomeKeys.
const (
	keyInstallationDate = iota
	keyOutcome
	keyInstallType
	numOutcomeColumns = 9
)

// AccuracyKeys lists the kinds of column of a table of outcomes.
var AccuracyKeys = slices.Concat(SheetKeys, outcomeKeys)

// The names by which a column of outcomes is known, as in sheetNames.
var outcomeColumnNames = map[SheetKey][]string{
	SheetInstallationDate: {"installationdate", "installdate", "dateofinstallation", "dateinstalled", "installedon", "visitdate", "date"},
	SheetOutcome:          {"outcome", "installationoutcome", "installoutcome", "result", "servicerequest", "servicereference", "srv", "srvvariant"},
	SheetInstallType:      {"chfinstalltype", "installtype", "chinstalltype"},
	SheetCHFLocation:      {"chflocation", "chlocation", "hublocation"},
	SheetPremiseType:      {"premisetype", "premisestype", "propertytype"},
	SheetMetal:            {"metalobstructioncheck", "metalobstruction"},
	SheetConnectivity:     {"connectivityobstructioncheck", "connectivityobstruction"},
	SheetShared:           {"sharedobstructioncheck", "sharedobstruction"},
	SheetAerial:           {"aerialinstall", "aerialinstalled", "aerial"},
}

// outcomeColumns are the columns of a table of outcomes.
type outcomeColumns struct {
	*sheetColumns
	outcome [numOutcomeColumns]int // by place in outcomeKeys; −1: there is none
}

// findOutcomeColumns finds them in a header. given are those that the caller
// names.
func findOutcomeColumns(header []string, given map[SheetKey]string) (*outcomeColumns, error) {
	c := &outcomeColumns{}
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = sheetName(h)
	}
	place := map[SheetKey]string{}
	for key, theirs := range given {
		if slices.Contains(SheetKeys, key) {
			place[key] = theirs
		}
	}
	var err error
	if c.sheetColumns, err = findSheetColumns(header, place); err != nil {
		return nil, err
	}
	for k, key := range outcomeKeys {
		c.outcome[k] = -1
		if theirs, ok := given[key]; ok {
			i := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == theirs })
			if i < 0 {
				return nil, fmt.Errorf("there is no column %q for the %s%s; the header has: %s", theirs, key, didYouMean(theirs, header), strings.Join(header, ", "))
			}
			c.outcome[k] = i
		}
	}
	for k, key := range outcomeKeys {
		for _, name := range outcomeColumnNames[key] {
			if i := slices.Index(names, name); i >= 0 && c.outcome[k] < 0 && !c.taken(i) && !slices.Contains(c.outcome[:], i) {
				c.outcome[k] = i
			}
		}
	}
	missing := ""
	switch {
	case c.outcome[keyInstallationDate] < 0:
		missing = "installation_date"
	case c.outcome[keyOutcome] < 0 && c.outcome[keyInstallType] < 0:
		missing = "outcome"
	default:
		return c, nil
	}
	return nil, fmt.Errorf("no column for the %s; name it, as in --column %s=THEIRS; the header has: %s", missing, missing, strings.Join(header, ", "))
}

// used names the columns that are read.
func (c *outcomeColumns) used(header []string) map[SheetKey]string {
	used := c.sheetColumns.used(header)
	for k, i := range c.outcome {
		if i >= 0 {
			used[outcomeKeys[k]] = strings.TrimSpace(header[i])
		}
	}
	return used
}

// Values that a column of outcomes may have, as DUIS has them.
var outcomeValues = [numOutcomeColumns][]string{
	keyInstallType: {"New CHF Install", "Replacement CHF Install", noWANInstall},
	3:              {"Outside Premises", "Indoors on external wall", "Deep indoors", "Basement or Cellar"},
	4:              {"Detached / Semi Detached", "Terraced", "Low Rise Apartment (MDU <= 5 floors)", "High Rise Apartment (MDU > 5 floors)"},
	5:              booleanValues, 6: booleanValues, 7: booleanValues, 8: booleanValues,
}

var booleanValues = []string{"true", "false"}

// noWANInstall is the install type of 8.14.2.
const noWANInstall = "CHF Install - no SM WAN"

// What stands for a cell that has none of the values.
const (
	valueEmpty   = "(empty)"
	valueUnknown = "(not recognised)"
)

// valueAliases are other spellings, in the form in which names are compared.
var valueAliases = map[string]string{
	"yes": "true", "y": "true", "1": "true", "no": "false", "n": "false", "0": "false",
	"new": "New CHF Install", "newinstall": "New CHF Install", "replacement": "Replacement CHF Install", "nosmwan": noWANInstall,
	"outside": "Outside Premises", "basement": "Basement or Cellar", "cellar": "Basement or Cellar",
	"detached": "Detached / Semi Detached", "semidetached": "Detached / Semi Detached",
	"lowrise": "Low Rise Apartment (MDU <= 5 floors)", "lowriseapartment": "Low Rise Apartment (MDU <= 5 floors)",
	"highrise": "High Rise Apartment (MDU > 5 floors)", "highriseapartment": "High Rise Apartment (MDU > 5 floors)",
}

// outcomeValue reads a cell of a column of outcomes: case, spacing and
// punctuation do not matter.
func outcomeValue(column int, cell string) string {
	name := sheetName(cell)
	if name == "" {
		return valueEmpty
	}
	for _, v := range outcomeValues[column] {
		if sheetName(v) == name || valueAliases[name] == v {
			return v
		}
	}
	return valueUnknown
}

package loader

import (
	"fmt"
	"slices"
	"strings"

	"coverd/index"
)

// manifestChecker turns a raw manifest into a checked one and collects what is
// wrong.
type manifestChecker struct {
	path, dir string
	lines     map[string]int
	files     map[string]string // by file: what names it
	errs      []error
	absent    []error // of extracts that are not there
}

// fail notes that something is wrong with the key at a place such as
// `extract#2.kind`.
func (c *manifestChecker) fail(at, format string, args ...any) {
	c.errs = append(c.errs, c.errorAt(at, format, args...))
}

func (c *manifestChecker) errorAt(at, format string, args ...any) *ManifestError {
	line := 0
	for p := at; ; p = p[:strings.LastIndexByte(p, '.')] { // the table, if the key is missing
		if line = c.lines[p]; line != 0 || !strings.Contains(p, ".") {
			break
		}
	}
	return &ManifestError{c.path, line, fmt.Sprintf(format, args...)}
}

func (c *manifestChecker) manifest(raw *rawManifest) *Manifest {
	c.files = map[string]string{}
	m := &Manifest{
		Path: c.path, Dir: c.dir, AsOf: raw.AsOf.Day, CountsAsWAN: raw.CountsAsWAN,
		Attributions: raw.Attributions, Indicative: raw.Regions == nil || raw.Regions.Indicative,
	}
	if m.AsOf == 0 {
		c.fail("as_of", "as_of is missing: write the day the data describes, such as as_of = 2026-11-22")
	}
	for _, name := range raw.Prefer {
		n, err := index.ParseNetworkRegion(name)
		switch {
		case err != nil:
			c.fail("prefer", "prefer: %v%s", err, didYouMean(name, networkNames()))
		case slices.Contains(m.Prefer, n):
			c.fail("prefer", "prefer: %q is listed twice", name)
		default:
			m.Prefer = append(m.Prefer, n)
		}
	}
	if raw.Snapshots != "" {
		m.Snapshots = c.resolve(raw.Snapshots)
	}
	if raw.Regions != nil {
		if files := c.expand("regions.path", c.resolve(raw.Regions.Path)); len(files) > 1 {
			c.fail("regions.path", "regions: path matches %d files: give one", len(files))
		} else if len(files) == 1 {
			m.Regions = files[0]
		}
	}
	for i := range raw.Register {
		m.Registers = append(m.Registers, c.register(fmt.Sprintf("register#%d", i+1), &raw.Register[i]))
	}
	if len(raw.Extract) == 0 {
		c.fail("extract", "no extracts: name at least one in an [[extract]] table with csp, kind and path")
	}
	for i := range raw.Extract {
		m.Extracts = append(m.Extracts, c.extract(fmt.Sprintf("extract#%d", i+1), &raw.Extract[i], m.AsOf))
	}
	m.Gates = c.thresholds(raw.Gates)
	for i := range raw.Override {
		m.Overrides = append(m.Overrides, c.override(fmt.Sprintf("override#%d", i+1), &raw.Override[i]))
	}
	return m
}

func (c *manifestChecker) register(at string, raw *rawRegister) RegisterInput {
	r := RegisterInput{Pattern: raw.Path, Format: Format(raw.Format)}
	if raw.Format != "" && !slices.Contains(formats, r.Format) {
		c.fail(at+".format", "register: unknown format %q: want %s, or leave it out to have it recognised%s",
			raw.Format, orList(formats), didYouMean(raw.Format, formats))
	}
	path := c.resolve(raw.Path)
	if inside, ok := registerFolder(path); ok {
		path = inside
	}
	r.Files = c.expand(at+".path", path)
	return r
}

func (c *manifestChecker) extract(at string, raw *rawExtract, asOf index.Day) Extract {
	e := Extract{
		CSP: raw.CSP, Kind: Kind(raw.Kind), Pattern: raw.Path,
		AsOf: raw.AsOf.Day, Rows: -1, SHA256: strings.ToLower(raw.SHA256),
		MaxRejected: DefaultMaxRejected, Columns: raw.Columns, Values: raw.Values,
	}
	what := "extract " + at[len("extract#"):]
	if raw.CSP != "" {
		what += " (" + raw.CSP + ")"
	}
	fail := func(key, format string, args ...any) {
		c.fail(at+"."+key, "%s: %s", what, fmt.Sprintf(format, args...))
	}
	switch {
	case raw.CSP == "":
		fail("csp", `csp is missing: write who made the extract, such as csp = "Arqiva"`)
	case strings.TrimSpace(raw.CSP) != raw.CSP || !plainText(raw.CSP):
		fail("csp", "csp %q has space around it or control characters", raw.CSP)
	}
	switch e.Kind {
	case KindPremises, KindAreas:
	case "":
		fail("kind", `kind is missing: write kind = "premises" or kind = "areas"`)
	default:
		fail("kind", `unknown kind %q: want "premises" or "areas"`, raw.Kind)
	}
	if e.AsOf == 0 {
		e.AsOf = asOf
	} else if asOf != 0 && e.AsOf > asOf {
		fail("as_of", "as_of %v is after the manifest's, %v: an extract cannot describe a later day than the build", e.AsOf, asOf)
	}
	if raw.Sequence != nil {
		if e.Sequence = *raw.Sequence; e.Sequence < 1 {
			fail("sequence", "sequence %d: sequences start at 1", e.Sequence)
		}
	}
	if raw.Rows != nil {
		if e.Rows = *raw.Rows; e.Rows < 0 {
			fail("rows", "rows %d: a count cannot be negative", e.Rows)
		}
	}
	if raw.MaxRejected != nil {
		if e.MaxRejected = *raw.MaxRejected; !(e.MaxRejected >= 0 && e.MaxRejected <= 1) {
			fail("max_rejected", "max_rejected %v: want a share from 0 to 1, such as %v", e.MaxRejected, DefaultMaxRejected)
		}
	}
	switch raw.OnMissing {
	case "", onMissingRefuse:
	case onMissingCarry:
		e.Carry, e.CarryDays = true, DefaultCarryDays
	default:
		fail("on_missing", "on_missing %q: want %q or %q", raw.OnMissing, onMissingRefuse, onMissingCarry)
	}
	if raw.CarryDays != nil {
		switch e.CarryDays = *raw.CarryDays; {
		case !e.Carry:
			fail("carry_days", "carry_days without on_missing = %q", onMissingCarry)
		case e.CarryDays < 1:
			fail("carry_days", "carry_days %d: want 1 or more", e.CarryDays)
		}
	}
	if path := c.resolve(raw.Path); anyFile(path) {
		e.Files = c.expand(at+".path", path)
	} else if e.Missing = true; !e.Carry {
		_, err := expandGlob(path)
		c.absent = append(c.absent, c.errorAt(at+".path", "%s: path: %v", tableOf(at), err))
	}
	if e.SHA256 != "" {
		if len(e.SHA256) != 64 || strings.Trim(e.SHA256, "0123456789abcdef") != "" {
			fail("sha256", "sha256 %q is not 64 hexadecimal digits", raw.SHA256)
		}
		if len(e.Files) > 1 {
			fail("sha256", "sha256 is of one file, and path matches %d: give each file an [[extract]] of its own", len(e.Files))
		}
	}
	if raw.Corrections != "" {
		var err error
		// Of a glob there may be none tonight.
		if e.Corrections, err = expandGlob(c.resolve(raw.Corrections)); err != nil && !strings.ContainsAny(raw.Corrections, "*?[") {
			fail("corrections", "corrections: %v", err)
		}
	}
	for _, ours := range sortedKeys(e.Columns) {
		switch {
		case !slices.Contains(columnsOf(e.Kind), ours):
			c.fail(at+".columns."+ours, "%s: columns: %q is none of our columns%s", what, ours, didYouMean(ours, columnsOf(e.Kind)))
		case e.Columns[ours] == "":
			c.fail(at+".columns."+ours, "%s: columns: %s has no name: write theirs, or leave the line out", what, ours)
		}
	}
	for _, ours := range sortedKeys(e.Values) {
		if !slices.Contains(columnsOf(e.Kind), ours) {
			c.fail(at+".values."+ours, "%s: values: %q is none of our columns%s", what, ours, didYouMean(ours, columnsOf(e.Kind)))
			continue
		}
		for _, theirs := range sortedKeys(e.Values[ours]) {
			if strings.Trim(theirs, " ") != theirs {
				c.fail(at+".values."+ours+"."+theirs, "%s: values: %s: %q has space around it, which cells never have: leave it out", what, ours, theirs)
			}
			if err := checkValue(ours, e.Values[ours][theirs]); err != nil {
				c.fail(at+".values."+ours+"."+theirs, "%s: values: %s: %q stands for %v", what, ours, theirs, err)
			}
		}
	}
	return e
}

// What on_missing says.
const (
	onMissingRefuse = "refuse"
	onMissingCarry  = "carry"
)

// checkValue reports whether a value that theirs are mapped to can be one.
// Those of the premises' own columns are checked row by row.
func checkValue(name, value string) (err error) {
	switch c := column(slices.Index(columnNames[:], name)); c {
	case colNetwork:
		_, err = index.ParseNetworkRegion(value)
	case colAvailable:
		_, err = parseAvailability([]byte(value))
	case colAnticipated, colEnd:
		_, err = parseDay([]byte(value))
	case colLikelihood:
		_, err = index.ParseLikelihood(value)
	case colAddress, colTechnology, colVariant, colAuxiliary, colInfo:
		if err = checkLength(c, value); err == nil && !plainText(value) {
			err = fmt.Errorf("%q, which has control characters", value)
		}
	default: // of the premises
	}
	return err
}

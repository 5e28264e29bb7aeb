package loader

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"coverd/index"
)

// A Manifest names the inputs of a build. [ReadManifest] makes one; all of it
// has been checked, and every file it names exists, but for those of an extract
// that may be missing.
type Manifest struct {
	Path string // of the manifest itself, as given
	Dir  string // its folder: what its paths are relative to

	AsOf         index.Day             // the day the data describes
	Prefer       []index.NetworkRegion // tie-break for fits, best first
	Snapshots    string                // directory of generations; "" if not given
	CountsAsWAN  bool                  // virtual-WAN claims count
	Regions      string                // Region boundaries; "" for the indicative ones
	Indicative   bool                  // the boundaries are not the DCC's
	Attributions []string              // notices that must travel with the data, besides those of the formats
	Registers    []RegisterInput
	Extracts     []Extract
	Gates        Thresholds
	Overrides    []Override

	absent error // tells which extracts are not there that nothing is carried for; nil: none
}

// RegisterInput is one postcode register of a manifest.
type RegisterInput struct {
	Pattern string   // the path, as written
	Files   []string // what it matches, sorted
	Format  Format   // "" to recognise it
}

// Kind says what an extract holds.
type Kind string

// The kinds of extract.
const (
	KindPremises Kind = "premises"
	KindAreas    Kind = "areas"
)

// Extract is one extract of a manifest.
type Extract struct {
	CSP         string
	Kind        Kind
	Pattern     string   // the path, as written
	Files       []string // what it matches, sorted
	AsOf        index.Day
	Sequence    int64                        // 0 if not given
	Rows        int64                        // what the provider says it sent; -1 if not given
	SHA256      string                       // of the only file, in lower case; "" if not given
	MaxRejected float64                      // share of rows that may be rejected, never fewer than ten rows
	Columns     map[string]string            // ours = theirs
	Values      map[string]map[string]string // by our column: theirs = ours
	Carry       bool                         // where it is missing or empty, the previous snapshot's claims are taken
	CarryDays   int                          // and these are at most so many days old
	Missing     bool                         // no file is there
	Corrections []string                     // files of rejected rows that have been corrected, sorted
}

// DefaultCarryDays is for how many days claims are carried where the manifest
// does not say.
const DefaultCarryDays = 3

// DefaultMaxRejected is the share of an extract's rows that may be rejected
// where the manifest does not say.
const DefaultMaxRejected = 0.001

// minAllowed is how many rejected rows never stop a build.
const minAllowed = 10

// CSPs returns the CSPs in order of precedence: that in which the manifest
// first names them.
func (m *Manifest) CSPs() []string {
	var csps []string
	for _, e := range m.Extracts {
		if !slices.Contains(csps, e.CSP) {
			csps = append(csps, e.CSP)
		}
	}
	return csps
}

// ManifestError is one thing wrong with a manifest.
type ManifestError struct {
	Path string
	Line int // 0 where there is none, as for something missing
	Msg  string
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
}

// The manifest as TOML has it.
type (
	rawManifest struct {
		AsOf         tomlDay       `toml:"as_of"`
		Prefer       []string      `toml:"prefer"`
		Snapshots    string        `toml:"snapshots"`
		CountsAsWAN  bool          `toml:"counts_as_wan"`
		Attributions []string      `toml:"attributions"`
		Regions      *rawRegions   `toml:"regions"`
		Register     []rawRegister `toml:"register"`
		Extract      []rawExtract  `toml:"extract"`

		Gates    map[string]float64 `toml:"gates"`
		Override []rawOverride      `toml:"override"`
	}
	rawRegions struct {
		Path       string `toml:"path"`
		Indicative bool   `toml:"indicative"`
	}
	rawRegister struct {
		Path   string `toml:"path"`
		Format string `toml:"format"`
	}
	rawExtract struct {
		CSP         string                       `toml:"csp"`
		Kind        string                       `toml:"kind"`
		Path        string                       `toml:"path"`
		AsOf        tomlDay                      `toml:"as_of"`
		Sequence    *int64                       `toml:"sequence"`
		Rows        *int64                       `toml:"rows"`
		SHA256      string                       `toml:"sha256"`
		MaxRejected *float64                     `toml:"max_rejected"`
		OnMissing   string                       `toml:"on_missing"`
		CarryDays   *int                         `toml:"carry_days"`
		Corrections string                       `toml:"corrections"`
		Columns     map[string]string            `toml:"columns"`
		Values      map[string]map[string]string `toml:"values"`
	}
)

// The keys of each table, for suggestions.
var manifestKeys = map[string][]string{
	"":         {"as_of", "prefer", "snapshots", "counts_as_wan", "attributions", "regions", "register", "extract", "gates", "override"},
	"regions":  {"path", "indicative"},
	"register": {"path", "format"},
	"extract": {
		"csp", "kind", "path", "as_of", "sequence", "rows", "sha256", "max_rejected",
		"on_missing", "carry_days", "corrections", "columns", "values",
	},
	"gates":    thresholdNames(),
	"override": {"gate", "source", "after", "by", "reason"},
}

// tomlDay is a day as TOML writes it, as a date or as text.
type tomlDay struct{ index.Day }

// UnmarshalTOML implements toml.Unmarshaler.
func (d *tomlDay) UnmarshalTOML(v any) (err error) {
	switch v := v.(type) {
	case time.Time:
		if v.Location().String() != "date-local" { // so the TOML library marks a date without a time
			return errors.New("want a date alone, such as 2026-11-22, not a time")
		}
		d.Day, err = index.ParseDay(v.Format(time.DateOnly))
	case string:
		d.Day, err = index.ParseDay(v)
	default:
		err = fmt.Errorf("want a date such as 2026-11-22, not %v", v)
	}
	return err
}

// ReadManifest reads and checks a manifest. Paths are taken relative to its
// folder and globs are resolved. Where several things are wrong the error
// tells them all; each is a [*ManifestError], unless the manifest cannot be
// read. An extract of which no file is there is for [Build] to judge.
func ReadManifest(path string) (*Manifest, error) {
	text, err := readSmall(path, maxManifest)
	if err != nil {
		return nil, err
	}
	if line := tooDeep(text); line > 0 {
		return nil, &ManifestError{path, line, fmt.Sprintf("more than %d brackets deep: not a manifest", maxBrackets)}
	}
	var raw rawManifest
	meta, err := toml.Decode(string(text), &raw)
	if err != nil {
		if p, ok := errors.AsType[toml.ParseError](err); ok {
			msg := p.Message
			if p.LastKey != "" {
				msg = p.LastKey + ": " + msg
			}
			return nil, &ManifestError{path, p.Position.Line, msg}
		}
		return nil, typeError(path, err)
	}
	c := manifestChecker{path: path, dir: filepath.Dir(path), lines: findLines(string(text))}
	c.unknownKeys(meta.Keys())
	m := c.manifest(&raw)
	if len(c.errs) > 0 {
		return nil, errors.Join(append(c.errs, c.absent...)...)
	}
	m.absent = errors.Join(c.absent...)
	return m, nil
}

// What the TOML library says of a value of the wrong type.
var wrongType = regexp.MustCompile(`^toml: line (\d+) \(last key "([^"]*)"\): (.*)`)

func typeError(path string, err error) *ManifestError {
	m := wrongType.FindStringSubmatch(err.Error())
	if m == nil {
		return &ManifestError{path, 0, strings.TrimPrefix(err.Error(), "toml: ")}
	}
	line, _ := strconv.Atoi(m[1]) // it is digits
	return &ManifestError{path, line, m[2] + ": " + m[3]}
}

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

// unknownKeys finds the keys that are none of ours, to the letter: the TOML
// library would take As_Of for as_of.
func (c *manifestChecker) unknownKeys(keys []toml.Key) {
	told := map[string]bool{}
	for _, k := range keys {
		for i, name := range k {
			table := strings.Join(k[:i], ".")
			known, ok := manifestKeys[table]
			if !ok {
				break // [extract.columns] and [extract.values], whose keys are checked with their extract
			}
			if slices.Contains(known, name) {
				continue
			}
			if place := k[:i+1].String(); !told[place] {
				told[place] = true
				where := ""
				if table != "" {
					where = " in [" + table + "]"
				}
				for _, at := range c.places(k[:i+1]) {
					c.fail(at, "unknown key %q%s%s", name, where, didYouMean(name, known))
				}
			}
			break
		}
	}
}

// places finds a key in every table of an array that has it, in order, or what
// is in the table that the key is.
func (c *manifestChecker) places(k toml.Key) []string {
	want := strings.Join(k, ".")
	var found, inside []string
	for at := range c.lines {
		switch whole := tableNumber.ReplaceAllString(at, ""); {
		case whole == want:
			found = append(found, at)
		case strings.HasPrefix(whole, want+"."):
			inside = append(inside, at)
		}
	}
	byLine := func(a, b string) int { return cmp.Compare(c.lines[a], c.lines[b]) }
	slices.SortFunc(found, byLine)
	switch {
	case len(found) > 0:
		return found
	case len(inside) > 0:
		return []string{slices.MinFunc(inside, byLine)}
	}
	return []string{want}
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

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

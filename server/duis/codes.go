package duis

import (
	"fmt"
	"unicode/utf8"

	"coverd/index"
)

// Code is a response code of the DCC, and what it is said to mean. Codes are
// opaque: beyond I0 their wording is not public.
type Code struct {
	Code string `toml:"code"`
	Text string `toml:"text"`
}

// Codes are what a [Response] says in place of, or beside, coverage.
type Codes struct {
	Success         Code `toml:"success"`          // there is coverage to tell of
	NoPremises      Code `toml:"no_premises"`      // none with this UPRN, or at this address
	NoData          Code `toml:"no_data"`          // a premises, and no CSP says of the network region whether it has coverage
	SeveralPremises Code `toml:"several_premises"` // more than one with this address
	// NotStated is what stands for what a CSP did not state and the schema
	// demands.
	NotStated NotStated `toml:"not_stated"`
}

// NotStated are values for what a CSP left out.
type NotStated struct {
	Technology string `toml:"wan_technology"`          // 1 to 30 characters
	Likelihood string `toml:"connectivity_likelihood"` // High, Medium or Low
}

// DefaultCodes are those of the DCC, with texts of our own. A likelihood that is
// not stated is Low, lest it promise anything.
func DefaultCodes() Codes {
	return Codes{
		Success:         Code{"I0", "Success"},
		NoPremises:      Code{"E120101", "No premises found"},
		NoData:          Code{"E120102", "No coverage data held"},
		SeveralPremises: Code{"E120103", "More than one premises found"},
		NotStated:       NotStated{"Not stated", index.Low.String()},
	}
}

// Bounds of codes and their texts, in characters.
const (
	maxCode = 20
	maxText = 250
)

// Check reports whether answers can carry the codes, which must differ from one
// another.
func (c *Codes) Check() error {
	seen := map[string]string{}
	for _, k := range []struct {
		name string
		Code
	}{{"success", c.Success}, {"no_premises", c.NoPremises}, {"no_data", c.NoData}, {"several_premises", c.SeveralPremises}} {
		if len(k.Code.Code) == 0 || len(k.Code.Code) > maxCode || !isCode(k.Code.Code) {
			return fmt.Errorf("%s: code %q: want 1 to %d letters and digits", k.name, k.Code.Code, maxCode)
		}
		if k.Text != fitted(k.Text, maxText) || k.Text == "" {
			return fmt.Errorf("%s: text: want 1 to %d characters, none of them a control character", k.name, maxText)
		}
		if other := seen[k.Code.Code]; other != "" {
			return fmt.Errorf("%s: code %s is that of %s too: who reads it could not tell them apart", k.name, k.Code.Code, other)
		}
		seen[k.Code.Code] = k.name
	}
	if t := c.NotStated.Technology; t == "" || t != fitted(t, maxTechnology) {
		return fmt.Errorf("not_stated: wan_technology %q: want 1 to %d characters, none of them a control character", t, maxTechnology)
	}
	if l, err := index.ParseLikelihood(c.NotStated.Likelihood); err != nil || l == index.NoLikelihood {
		return fmt.Errorf("not_stated: connectivity_likelihood %q: want High, Medium or Low", c.NotStated.Likelihood)
	}
	return nil
}

func isCode(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z') {
			return false
		}
	}
	return true
}

// fitted is s as an answer can carry it: what XML 1.0 has no characters for is
// U+FFFD, and what is over a number of characters is cut off.
func fitted(s string, most int) string {
	n := 0
	for i, r := range s {
		if n == most {
			return s[:i]
		}
		if r == utf8.RuneError || !isXML(r) {
			return refitted(s, most)
		}
		n++
	}
	return s
}

func refitted(s string, most int) string {
	var b []byte
	for _, r := range s {
		if most--; most < 0 {
			break
		}
		if !isXML(r) {
			r = utf8.RuneError
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// isXML reports whether XML 1.0 has a character.
func isXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

package duis

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"coverd/index"
	"coverd/server/api"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// schemas by the version that goes with each shape.
func schemas(t testing.TB) map[string]*schema {
	t.Helper()
	return map[string]*schema{"5.1": readSchema(t, "testdata/duis-5.1.xsd"), "5.4": readSchema(t, "testdata/duis-5.4.xsd")}
}

var goldens = []struct{ name, uprn, postcode, address string }{
	{"available", "", "GU1 1AA", "1"},
	{"by-uprn", "000000000001", "", ""},
	{"planned", "", "gu11aa", "No. 2"},
	{"unavailable", "3", "", ""},
	{"unknown", "4", "", ""},
	{"only-4g", "5", "", ""},
	{"partial-success", "6", "", ""},
	{"not-stated", "7", "", ""},
	{"too-long", "8", "", ""},
	{"virtual-wan", "9", "", ""},
	{"smets1", "10", "", ""},
	{"plan-come-true", "11", "", ""},
	{"ended", "", "GU1 1AA", "apt 12 wey hse"},
	{"several", "", "GU1 1AB", "The Mill"},
	{"several-no-address", "", "GU1 1AA", ""},
	{"one-no-address", "", "GU1 1AD", ""},
	{"address-not-matched", "", "GU1 1AA", "13 & <more>"},
	{"not-in-extracts", "", "GU1 1AE", "1"},
	{"retired", "", "GU1 1AF", "1"},
	{"not-in-register", "", "GU1 9ZZ", "1"},
	{"unknown-postcode", "", "ZE1 0AA", "1"},
	{"unknown-uprn", "999999999999", "", ""},
	{"out-of-area", "", "BT1 1AA", "1"},
}

func TestGoldenAnswers(t *testing.T) {
	for version, s := range schemas(t) {
		for _, g := range goldens {
			q := bodyOf(version, g.uprn, g.postcode, g.address)
			if err := s.validate(q); err != nil {
				t.Errorf("%s: the request is not valid: %v", g.name, err)
			}
			_, got := answer(mustParse(t, q), guildford())
			if err := s.validate(got); err != nil {
				t.Errorf("%s: %v in %s", g.name, err, got)
			}
			// A line for each element, so that a change can be read.
			got = bytes.ReplaceAll(got, []byte("><"), []byte(">\n<"))
			file := filepath.Join("testdata", "golden", g.name+"."+version+".xml")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s:\n%s\nwant (-update rewrites it)\n%s", file, got, want)
			}
		}
	}
}

// TestMapping: what becomes of the states, in words.
func TestMapping(t *testing.T) {
	for _, c := range []struct {
		uprn, flat, list string
	}{
		{"1", "I0 South true", "I0 South:I0 true"},
		{"2", "I0 South false 2026-12-21", "I0 South:I0 false 2026-12-21"},
		{"3", "I0 South false", "I0 South:I0 false"},
		{"4", "E120102 South", "E120102 South:E120102"},
		{"5", "E120102 South", "I0 4G South:I0 true"},
		{"6", "I0 South true", "I0 South:I0 true 4G South:E120102"},
		{"9", "E120102 South", "E120102 South:E120102"},
		{"10", "E120102 South", "I0 SMETS1:I0 true"},
		{"11", "I0 South true", "I0 South:I0 true"},
		{"12", "I0 South false", "I0 South:I0 false 4G South:I0 true"},
		{"77", "E120101 Unknown", "E120101 Unknown:E120101"},
	} {
		for version, want := range map[string]string{"5.1": c.flat, "5.4": c.list} {
			a, _ := answer(mustParse(t, bodyOf(version, c.uprn, "", "")), guildford())
			var got strings.Builder
			got.WriteString(a.Code.Code)
			for _, r := range a.Responses {
				got.WriteString(" " + r.Region.String())
				if version == "5.4" {
					got.WriteString(":" + r.Code.Code)
				}
				if r.Coverage {
					got.WriteString(" " + strconv.FormatBool(r.Available))
				}
				if r.Anticipated != 0 {
					got.WriteString(" " + r.Anticipated.String())
				}
			}
			if got.String() != want {
				t.Errorf("premises %s, version %s: %s, want %s", c.uprn, version, got.String(), want)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		postcode, address, reason string
		grade                     index.AddressGrade
		candidates                int
		first                     string
	}{
		{"GU1 1AA", "1", "", index.AddressExact, 0, ""},
		{"gu1 1aa", "No 1", "", index.AddressNormalised, 0, ""},
		{"GU1 1AA", "12A", api.AddressNotMatched, index.AddressNone, 12, "1"},
		{"GU1 1AA", "", SeveralPremises, index.AddressNone, 12, "1"},
		{"GU1 1AB", "mill  the", "", index.AddressExact, 0, ""},
		{"GU1 1AB", "the Mill", SeveralPremises, index.AddressNormalised, 2, "MILL THE"},
		{"GU1 1AD", "", "", index.AddressNone, 0, ""},
		{"GU1 1AE", "1", api.PostcodeNotInExtracts, index.AddressNone, 0, ""},
		{"GU1 1AF", "", api.PostcodeTerminated, index.AddressNone, 0, ""},
		{"GU1 9ZZ", "1", api.PostcodeNotInRegister, index.AddressNone, 0, ""},
		{"ZE1 0AA", "1", api.UnknownPostcode, index.AddressNone, 0, ""},
		{"JE2 4WD", "1", api.OutOfArea, index.AddressNone, 0, ""},
	} {
		f := mustParse(t, bodyOf("5.4", "", c.postcode, c.address)).Find(guildford())
		if f.Reason != c.reason || f.Grade != c.grade || len(f.Candidates) != c.candidates {
			t.Errorf("%+v: %q, %v, %d candidates", c, f.Reason, f.Grade, len(f.Candidates))
		}
		if c.first != "" && len(f.Candidates) > 0 && string(f.Candidates[0].Address()) != c.first {
			t.Errorf("%+v: first %q", c, f.Candidates[0].Address())
		}
	}
}

// TestAnythingValidates: whatever is claimed, and however it is written, the
// answer is valid in both shapes, and xmllint, where it is installed, agrees.
func TestAnythingValidates(t *testing.T) {
	all := schemas(t)
	dir := t.TempDir()
	files := map[string][]string{}
	coverage, cut := 0, 0
	for version, s := range all {
		for u := range 600 {
			q := bodyOf(version, strconv.Itoa(1000+u), "", "")
			if u%5 == 0 {
				q = bodyOf(version, "", "GU1 1AB", "house "+strconv.Itoa(u/2))
			}
			a, got := answer(mustParse(t, q), anyone())
			if err := s.validate(got); err != nil {
				t.Fatalf("%v in %q", err, got)
			}
			if !utf8.Valid(got) {
				t.Fatalf("not UTF-8: %q", got)
			}
			if a.Code.Code == "I0" {
				coverage++
			}
			cut += len(a.Cut)
			file := filepath.Join(dir, version+"-"+strconv.Itoa(u)+".xml")
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
			files[version] = append(files[version], file)
		}
	}
	if coverage < 400 || cut < 100 {
		t.Errorf("%d answers with coverage, %d texts cut: the premises are too tame", coverage, cut)
	}
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("xmllint is not installed: the answers were validated here alone")
		return
	}
	for version, list := range files {
		args := append([]string{"--nonet", "--noout", "--schema", "testdata/duis-" + version + ".xsd"}, list...)
		if out, err := exec.Command(lint, args...).CombinedOutput(); err != nil {
			t.Errorf("xmllint: %v\n%.3000s", err, out)
		}
	}
}

// TestValidatorRefuses: what is wrong with a document the validator says, as
// xmllint does.
func TestValidatorRefuses(t *testing.T) {
	_, list := answer(mustParse(t, bodyOf("5.4", "2", "", "")), guildford())
	_, flat := answer(mustParse(t, bodyOf("5.1", "2", "", "")), guildford())
	valid := map[string]string{"5.1": string(flat), "5.4": string(list)}
	all := schemas(t)
	lint, _ := exec.LookPath("xmllint")
	n := 0
	for version, text := range valid {
		for _, change := range [][2]string{
			{"<CoverageAvailability>false</CoverageAvailability>", ""},
			{">false<", ">no<"},
			{"2026-12-21", "2026-02-30"},
			{"2026-12-21", "21/12/2026"},
			{"<WANTechnology>Cellular</WANTechnology>", "<WANTechnology/>"},
			{"<WANTechnology>Cellular</WANTechnology><ConnectivityLikelihood>High</ConnectivityLikelihood>", "<ConnectivityLikelihood>High</ConnectivityLikelihood><WANTechnology>Cellular</WANTechnology>"},
			{">Cellular<", ">" + strings.Repeat("ŷ", 31) + "<"},
			{">T2<", ">" + strings.Repeat("a", 51) + "<"},
			{">High<", ">high<"},
			{">High<", "><High/><"},
			{"<CSPRegion>South</CSPRegion>", "<CSPRegion>Wessex</CSPRegion>"},
			{"<CSPRegion>South</CSPRegion>", ""},
			{"<CSPRegion>South</CSPRegion>", "<CSPRegion>South</CSPRegion><CSPRegion>South</CSPRegion>"},
			{"<UPRN>2</UPRN>", ""},
			{"<UPRN>2</UPRN>", "<UPRN>0</UPRN>"},
			{"<UPRN>2</UPRN>", "<UPRN>1234567890123</UPRN>"},
			{"<UPRN>2</UPRN>", "<UPRN>2</UPRN><UPRN>2</UPRN>"},
			{` schemaVersion="` + version + `"`, ""},
			{` schemaVersion=`, ` schemaversion=`},
			{"<Header>", "<Header>text"},
			{"</Body>", "</Body><Body/>"},
			{Namespace, "urn:other"},
			{"<AdditionalInformation>", "<Extra/><AdditionalInformation>"},
		} {
			bad := strings.Replace(text, change[0], change[1], 1)
			if bad == text {
				t.Fatalf("%q is not in %s", change[0], text)
			}
			n++
			if all[version].validate([]byte(bad)) == nil {
				t.Errorf("%s: valid with %q", version, change)
			}
			if lint != "" {
				cmd := exec.Command(lint, "--nonet", "--noout", "--schema", "testdata/duis-"+version+".xsd", "-")
				cmd.Stdin = strings.NewReader(bad)
				if cmd.Run() == nil {
					t.Errorf("%s: valid for xmllint with %q", version, change)
				}
			}
		}
	}
	t.Log(n, "refused")
}

// What is cut is cut behind a whole character, and told.
func TestCut(t *testing.T) {
	a, _ := answer(mustParse(t, bodyOf("5.4", "8", "", "")), guildford())
	r := a.Responses[0]
	for field, text := range map[string]string{"WANTechnology": r.Technology, "AuxiliaryEquipmentRequired": r.Auxiliary, "AdditionalInformation": r.Information} {
		most := map[string]int{"WANTechnology": 30, "AuxiliaryEquipmentRequired": 50, "AdditionalInformation": 250}[field]
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) != most {
			t.Errorf("%s: %d characters, %q", field, utf8.RuneCountInString(text), text)
		}
	}
	if len(a.Cut) != 3 || a.Cut[2] != (Cut{"Telefonica", "AdditionalInformation", 344, 250}) {
		t.Errorf("%+v", a.Cut)
	}
}

func TestCodesAreChecked(t *testing.T) {
	good := DefaultCodes()
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Codes){
		"success: code":             func(c *Codes) { c.Success.Code = "" },
		"no_data: code \"E 1\"":     func(c *Codes) { c.NoData.Code = "E 1" },
		"no_premises: text":         func(c *Codes) { c.NoPremises.Text = "a\x00" },
		"several_premises: text":    func(c *Codes) { c.SeveralPremises.Text = strings.Repeat("a", 251) },
		"that of success too":       func(c *Codes) { c.NoData.Code = "I0" },
		"wan_technology":            func(c *Codes) { c.NotStated.Technology = strings.Repeat("a", 31) },
		"want High, Medium or Low":  func(c *Codes) { c.NotStated.Likelihood = "" },
		"want 1 to 250 characters,": func(c *Codes) { c.Success.Text = "" },
	} {
		c := DefaultCodes()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

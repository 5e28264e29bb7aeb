package geo

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseUPRN(t *testing.T) {
	for s, want := range map[string]UPRN{
		"1": 1, "100012345678": 100012345678, "999999999999": MaxUPRN, "000000000001": 1, "0010001234567": 10001234567,
		"00000000000000000000000000999999999999": MaxUPRN, " 42 ": 42, "\t42\r\n": 42, "10": 10,
	} {
		if u, err := ParseUPRN(s); err != nil || u != want || !u.IsValid() {
			t.Errorf("%q: %v, %v", s, u, err)
		}
		if u, err := ParseUPRN([]byte(s)); err != nil || u != want {
			t.Errorf("bytes %q: %v, %v", s, u, err)
		}
	}
}

func TestMalformedUPRN(t *testing.T) {
	for _, c := range []struct {
		input string
		pos   int
		says  string
	}{
		{"", 0, "empty"},
		{"  ", 2, "empty"},
		{"0", 0, "zero"},
		{"000000000000", 0, "zero"},
		{"1000000000000", 12, "more than 12 digits"},
		{"0001000000000000", 15, "more than 12 digits"},
		{"99999999999999999999999999", 12, "more than 12 digits"},
		{"100012345678.0", 12, "spreadsheet"},
		{"1.00012E+11", 1, "spreadsheet"},
		{"1E11", 1, "spreadsheet"},
		{"+42", 0, "spreadsheet"},
		{"-42", 0, "no sign or hyphen"},
		{"1000-1234", 4, "no sign or hyphen"},
		{"100,012,345", 3, "separators"},
		{"100 012", 3, "separators"},
		{"U123", 0, "only digits"},
		{"12a", 2, "only digits"},
		{"0x1F", 1, "only digits"},
		{"１２３", 0, "only digits"},
		{"GU1 1AA", 0, "only digits"},
		{"#N/A", 0, "only digits"},
		{"\"42\"", 0, "only digits"},
		{"42\x00", 2, "only digits"},
	} {
		u, err := ParseUPRN(c.input)
		e, ok := errors.AsType[*UPRNError](err)
		if u != 0 || !ok || !errors.Is(err, ErrMalformedUPRN) || e.Pos != c.pos || e.Input != c.input || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, %v; want %q at %d", c.input, u, err, c.says, c.pos)
		}
	}
	if err := new(UPRN).UnmarshalText([]byte("a" + strings.Repeat("é", 500))); err == nil || len(err.Error()) > 150 || strings.Contains(err.Error(), `\x`) {
		t.Errorf("%v", err)
	}
}

func TestUPRNValues(t *testing.T) {
	if UPRN(0).IsValid() || (MaxUPRN + 1).IsValid() || !UPRN(1).IsValid() || UPRN(0).String() != "" || MaxUPRN.String() != "999999999999" {
		t.Error("bounds")
	}
	if b, err := UPRN(7).AppendText([]byte("n")); err != nil || string(b) != "n7" {
		t.Errorf("%s, %v", b, err)
	}
}

func TestUPRNAgreesWithSlow(t *testing.T) {
	part := rapid.SampledFrom([]string{"0", "1", "9", "00", "12345", "999999", " ", "\t", "-", ".", "E", "٣"})
	rapid.Check(t, func(t *rapid.T) { agreeUPRN(t, strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")) })
}

func agreeUPRN(t interface {
	Helper()
	Fatalf(string, ...any)
}, s string,
) {
	t.Helper()
	u, err := ParseUPRN(s)
	want, ok := slowParseUPRN(s)
	if u != want || (err == nil) != ok {
		t.Fatalf("%q: %v, %v; slowly %v, %v", s, u, err, want, ok)
	}
	if err != nil {
		if e, ok := errors.AsType[*UPRNError](err); !ok || e.Pos < 0 || e.Pos > len(s) || e.Msg == "" {
			t.Fatalf("%q: %+v", s, err)
		}
		return
	}
	if back, err := ParseUPRN(u.String()); err != nil || back != u || !u.IsValid() {
		t.Fatalf("%q: %v reads back as %v, %v", s, u, back, err)
	}
}

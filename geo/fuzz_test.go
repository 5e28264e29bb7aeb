package geo

import (
	"bytes"
	"testing"
)

func FuzzParsePostcode(f *testing.F) {
	for _, m := range readMalformed(f) {
		f.Add(m.input)
	}
	for i, s := range sample(f) {
		if i%100 == 0 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		agree(t, s)
		sound(t, s)
		p, errString := ParsePostcode(s)
		q, errBytes := ParsePostcode([]byte(s))
		if p != q || (errString == nil) != (errBytes == nil) {
			t.Fatalf("%q: as string %v, %v; as bytes %v, %v", s, p, errString, q, errBytes)
		}
	})
}

func FuzzParseUPRN(f *testing.F) {
	for _, s := range []string{"", "1", "100012345678", "000100012345678", " 42\n", "1.0E+11", "9999999999999", "0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		given := bytes.Clone(b)
		agreeUPRN(t, string(b))
		u, err := ParseUPRN(b)
		if !bytes.Equal(b, given) {
			t.Fatalf("%q was changed to %q", given, b)
		}
		if v, errString := ParseUPRN(string(b)); u != v || (err == nil) != (errString == nil) {
			t.Fatalf("%q: as bytes %v, %v; as string %v, %v", b, u, err, v, errString)
		}
	})
}

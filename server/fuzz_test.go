package server

import (
	"encoding/json"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is asked is answered with JSON, twice with the same, and with
// nobody's fault but the asker's.
func FuzzAnswer(f *testing.F) {
	for _, uri := range questions {
		f.Add(uri)
	}
	f.Add("/v1/postcodes/%")
	f.Add("/v1/install-and-leave?uprn=990061391234&installation_date=2026-12-05&cut_off=2028-01-01&applicable_date=2026-12-20")
	f.Add("/v1/locations?easting=1e309&northing=%00")
	f.Add("/v1/sectors/GU1%201?after=GU1%201AB&limit=1&on=9999-12-31")
	s := testServer(f, Options{})
	f.Fuzz(func(t *testing.T, uri string) {
		status, _, body := s.Answer("GET", uri)
		if status != 200 && (status < 400 || status > 499) && status != 501 || !json.Valid(body) {
			t.Errorf("GET %q: %d: %s", uri, status, body)
		}
		if again, _, b := s.Answer("GET", uri); again != status || string(b) != string(body) {
			t.Errorf("GET %q: %d, then %d:\n%s\n%s", uri, status, again, body, b)
		}
	})
}

// A key is decoded as its encoder meant it, and what the gate lets through is
// decoded as net/url would.
func TestAppendDecoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.String().Draw(t, "key")
		if got := appendDecoded(nil, []byte(url.PathEscape(key))); string(got) != key {
			t.Fatalf("%q for %q", got, key)
		}
		sent := rapid.StringMatching(`(%[0-9a-fA-F]{2}|[a-z%]){0,6}`).Draw(t, "sent")
		if want, err := url.PathUnescape(sent); err == nil {
			if got := appendDecoded(nil, []byte(sent)); string(got) != want {
				t.Fatalf("%q for %q, want %q", got, sent, want)
			}
		}
	})
}

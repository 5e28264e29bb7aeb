package main

import "testing"

func TestParseKey(t *testing.T) {
	tests := []struct {
		in   string
		want key
	}{
		{"GU1 1AA", key{keyPostcode, "GU1 1AA", ""}},
		{" gu11aa ", key{keyPostcode, "gu11aa", ""}},
		{"BT1 1AA", key{keyPostcode, "BT1 1AA", ""}}, // out of area is the answer to a postcode question
		{"BT1", key{keyOutcode, "BT1", ""}},
		{"BT1 1", key{keySector, "BT1 1", ""}},
		{"E1 1AA", key{keyPostcode, "E1 1AA", ""}},
		{"E11", key{keyOutcode, "E11", ""}},
		{"E1 1", key{keySector, "E1 1", ""}},
		{"E1  1", key{keySector, "E1  1", ""}},
		{"E11 1", key{keySector, "E11 1", ""}},
		{"E111", key{keySector, "E111", ""}}, // no outcode has this shape
		{"GU1", key{keyOutcode, "GU1", ""}},
		{"GU11", key{keyOutcode, "GU11", ""}},
		{"sw1a", key{keyOutcode, "sw1a", ""}},
		{"SW1A 1", key{keySector, "SW1A 1", ""}},
		{"990061391234", key{keyUPRN, "990061391234", ""}},
		{"000012345678", key{keyUPRN, "000012345678", ""}},
		{"1", key{keyUPRN, "1", ""}},
		{"499049 150522", key{keyMetres, "499049", "150522"}},
		{"499049.5  150522", key{keyMetres, "499049.5", "150522"}},
		{"51.2452,-0.5823", key{keyDegrees, "51.2452", "-0.5823"}},
		{"51.2452, -0.5823", key{keyDegrees, "51.2452", "-0.5823"}},
		{"a,b", key{keyDegrees, "a", "b"}},
		{"51.2452 -0.5823", key{keyDegrees, "51.2452", "-0.5823"}}, // no metres
		{"499049,150522", key{keyMetres, "499049", "150522"}},      // no degrees
		{"SU 99049 50522", key{keyGridReference, "SU 99049 50522", ""}},
		{"su990505", key{keyGridReference, "su990505", ""}},
		{"SU9950", key{keyGridReference, "SU9950", ""}},
		{"TQ38", key{keyOutcode, "TQ38", ""}},
		{"TQ3 8", key{keySector, "TQ3 8", ""}},
		{"", key{keyPostcode, "", ""}},
		{"!!", key{keyPostcode, "!!", ""}},
		{"GU1 IAA", key{keyPostcode, "GU1 IAA", ""}},
	}
	for _, tt := range tests {
		if got := parseKey(tt.in); got != tt.want {
			t.Errorf("parseKey(%q) = %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestKeyURI(t *testing.T) {
	tests := []struct {
		in   string
		ask  asked
		want string
	}{
		{"GU1 1AA", asked{}, "/v1/postcodes/GU1%201AA"},
		{"GU1 1AA", asked{address: "12 High St"}, "/v1/postcodes/GU1%201AA?address=12+High+St"},
		{"GU1", asked{on: "2026-12-24", address: "12"}, "/v1/outcodes/GU1?on=2026-12-24"},
		{"E1 1", asked{explain: true}, "/v1/sectors/E1%201?explain=1"},
		{"990061391234", asked{}, "/v1/premises/990061391234"},
		{"990061391234", asked{on: "2026-12-24", known: "2026-11-20"}, "/v1/premises/990061391234?known=2026-11-20&on=2026-12-24"},
		{"51.2452,-0.5823", asked{}, "/v1/locations?latitude=51.2452&longitude=-0.5823"},
		{"499049 150522", asked{}, "/v1/locations?easting=499049&northing=150522"},
		{"SU 99049 50522", asked{}, "/v1/locations?grid_reference=SU+99049+50522"},
	}
	for _, tt := range tests {
		if got := parseKey(tt.in).uri(&tt.ask); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.want)
		}
	}
}

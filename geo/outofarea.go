package geo

import "strings"

// OutOfArea reports whether an outcode is real but outside smart metering in
// Great Britain, and why: "BT is Northern Ireland, …".
func OutOfArea(o Outcode) (reason string, ok bool) {
	reason = outsideArea(o.Area())
	return reason, reason != ""
}

// outsideGB reports whether a well-formed outcode's area is out of area.
func outsideGB(b *[maxChars]byte) bool {
	switch b[0] {
	case 'B':
		return b[1] == 'T' || b[1] == 'F' || b[1] == 'X'
	case 'G':
		return b[1] == 'Y' || b[1] == 'X'
	case 'I':
		return b[1] == 'M'
	case 'J':
		return b[1] == 'E'
	}
	return false
}

// outsideArea tells where an area out of area is, or "".
func outsideArea(area string) string {
	switch area {
	case "BT":
		return "BT is Northern Ireland, which has its own electricity and gas arrangements"
	case "JE":
		return "JE is Jersey, a Crown dependency outside Great Britain"
	case "GY":
		return "GY is Guernsey, Alderney and Sark, Crown dependencies outside Great Britain"
	case "IM":
		return "IM is the Isle of Man, a Crown dependency outside Great Britain"
	case "BF":
		return "BF is the British Forces Post Office, which is not a place in Great Britain"
	case "BX":
		return "BX is for mail without a place, such as that of banks and HMRC"
	case "GX":
		return "GX is Gibraltar, outside Great Britain"
	}
	return ""
}

// outsideCode tells where a code that breaks the grammar and is nonetheless
// real is, or "": whole (ASCN1ZZ), outcode (ASCN) or sector (ASCN1), in
// capitals without spaces.
func outsideCode(s string) string {
	if number, ok := strings.CutPrefix(s, "BFPO"); ok && len(number) <= 4 && strings.Trim(number, "0123456789") == "" {
		return "BFPO is the British Forces Post Office, which is not a place in Great Britain"
	}
	if len(s) < 3 {
		return ""
	}
	if strings.HasPrefix("GIR0AA", s) {
		return "GIR 0AA was Girobank's own code, which is not a place to fit a meter"
	}
	if len(s) < 4 || !strings.HasPrefix("1ZZ", s[4:]) || len(s) == 6 {
		return ""
	}
	switch s[:4] {
	case "ASCN":
		return "ASCN is Ascension Island, overseas"
	case "STHL":
		return "STHL is Saint Helena, overseas"
	case "TDCU":
		return "TDCU is Tristan da Cunha, overseas"
	case "BBND":
		return "BBND is the British Indian Ocean Territory, overseas"
	case "BIQQ":
		return "BIQQ is the British Antarctic Territory, overseas"
	case "FIQQ":
		return "FIQQ is the Falkland Islands, overseas"
	case "SIQQ":
		return "SIQQ is South Georgia and the South Sandwich Islands, overseas"
	case "PCRN":
		return "PCRN is the Pitcairn Islands, overseas"
	case "TKCA":
		return "TKCA is the Turks and Caicos Islands, overseas"
	}
	return ""
}

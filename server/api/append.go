package api

import (
	"math"
	"strconv"
	"unicode/utf8"

	"coverd/geo"
)

// AppendLocated appends the part of a premises before its Region: what
// [Premises] would, from the values that the index holds and without one, whose
// degrees would be floating-point. A test holds the one to the other.
func AppendLocated(b []byte, u geo.UPRN, address string, at geo.Location) []byte {
	b = append(b, `"uprn":`...)
	if u == 0 {
		b = append(b, "null"...)
	} else {
		b = append(appendDigits(append(b, '"'), uint64(u)), '"')
	}
	b = append(b, `,"address_identifier":`...)
	b = Text(address).appendJSON(b)
	if !at.IsValid() {
		return append(b, `,"latitude":null,"longitude":null`...)
	}
	b = appendMillionths(append(b, `,"latitude":`...), int64(at.Lat))
	return appendMillionths(append(b, `,"longitude":`...), int64(at.Lng))
}

// appendFixed appends f, rounded half away from zero, with a number of
// decimals. f is a coordinate or a distance on Earth: far from overflowing.
func appendFixed(b []byte, f float64, decimals int) []byte {
	scale := [...]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}[decimals]
	n := int64(math.Round(f * scale))
	if decimals == 6 {
		return appendMillionths(b, n)
	}
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	unit := int64(scale)
	b = append(appendDigits(b, uint64(n/unit)), '.')
	for ; decimals > 0; decimals-- {
		n %= unit
		unit /= 10
		b = append(b, byte('0'+n/unit))
	}
	return b
}

// appendMillionths appends n millionths, with six decimals.
func appendMillionths(b []byte, n int64) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = appendDigits(b, uint64(n)/1e6)
	d := uint64(n) % 1e6
	i, j, k := d/10000*2, d/100%100*2, d%100*2
	return append(b, '.', pairs[i], pairs[i+1], pairs[j], pairs[j+1], pairs[k], pairs[k+1])
}

// pairs are the numbers from 00 to 99.
const pairs = "00010203040506070809" + "10111213141516171819" + "20212223242526272829" + "30313233343536373839" + "40414243444546474849" +
	"50515253545556575859" + "60616263646566676869" + "70717273747576777879" + "80818283848586878889" + "90919293949596979899"

// appendDigits appends n in decimal.
func appendDigits(b []byte, n uint64) []byte {
	if n < 10 {
		return append(b, byte('0'+n))
	}
	if n < 100 {
		return append(b, pairs[2*n], pairs[2*n+1])
	}
	var digits [20]byte
	i := len(digits)
	for n >= 100 {
		k := 2 * (n % 100)
		n /= 100
		i -= 2
		digits[i], digits[i+1] = pairs[k], pairs[k+1]
	}
	if n >= 10 {
		i -= 2
		digits[i], digits[i+1] = pairs[2*n], pairs[2*n+1]
	} else {
		i--
		digits[i] = byte('0' + n)
	}
	return append(b, digits[i:]...)
}

const hexDigits = "0123456789abcdef"

// plain tells the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends s as a JSON string, the way encoding/json does without
// escaping for HTML: what is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			return appendEscaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[start:i]...)
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

func appendInt(b []byte, name string, n int) []byte {
	b = append(b, name...)
	if n < 0 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return appendDigits(b, uint64(n))
}

func appendNamed(b []byte, name, s string) []byte { return appendString(append(b, name...), s) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

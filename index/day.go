package index

import (
	"errors"
	"fmt"
	"time"
)

// Day is a calendar day, counted from 1 January 1970. The zero value means
// "no day"; every other value is a day of the years 1900 to 9999.
type Day int32

// The first and last Day and the last Month.
const (
	minDay   = -25_567   // 1 January 1900
	maxDay   = 2_932_896 // 31 December 9999
	maxMonth = 9999*12 + 11
)

// ErrMalformedDay is what ParseDay's errors wrap.
var ErrMalformedDay = errors.New("not a date")

// ParseDay reads a date as `2026-11-22`. Only dates that exist are accepted.
func ParseDay[T ~string | ~[]byte](s T) (Day, error) {
	y, m, d, ok := 0, 0, 0, len(s) == 10 && s[4] == '-' && s[7] == '-'
	if ok {
		y, ok = digits(s[0:4], ok)
		m, ok = digits(s[5:7], ok)
		d, ok = digits(s[8:10], ok)
	}
	if !ok {
		return 0, fmt.Errorf("%w: %q (want YYYY-MM-DD)", ErrMalformedDay, string(s))
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d || int(t.Month()) != m || y < 1900 {
		return 0, fmt.Errorf("%w: %q does not exist or is before 1900", ErrMalformedDay, string(s))
	}
	day := Day(t.Unix() / 86400)
	if day == 0 {
		return 0, fmt.Errorf("%w: %q stands for \"no date\" in many systems and is not accepted", ErrMalformedDay, string(s))
	}
	return day, nil
}

// digits reads s as a decimal number; it keeps a false ok.
func digits[T ~string | ~[]byte](s T, ok bool) (int, bool) {
	n := 0
	for i := range len(s) {
		c := s[i] - '0'
		ok = ok && c <= 9
		n = n*10 + int(c)
	}
	return n, ok
}

// DayOf returns the calendar day of t in t's own time zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time returns the start of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// AppendTo appends the day as `2026-11-22`, or nothing for no day.
func (d Day) AppendTo(b []byte) []byte {
	if d == 0 {
		return b
	}
	y, m, day := d.civil()
	b = append(b, byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-')
	return append(b, byte('0'+m/10), byte('0'+m%10), '-', byte('0'+day/10), byte('0'+day%10))
}

// civil converts to year, month and day: the proleptic Gregorian calendar in
// eras of 400 years starting on 1 March (H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", civil_from_days).
func (d Day) civil() (year, month, day int) {
	z := int(d) + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	if month > 12 {
		month -= 12
	}
	year = yoe + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// String returns the day as `2026-11-22`, or "".
func (d Day) String() string { return string(d.AppendTo(nil)) }

// MarshalText implements encoding.TextMarshaler.
func (d Day) MarshalText() ([]byte, error) { return d.AppendTo(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty text is no day.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d = 0
	if len(b) > 0 {
		*d, err = ParseDay(b)
	}
	return err
}

// Month is a calendar month: twelve times the year plus the month, January
// being 0. The zero value means "no month".
type Month int32

// ParseMonth reads a month as `2026-11`.
func ParseMonth[T ~string | ~[]byte](s T) (Month, error) {
	y, m, ok := 0, 0, len(s) == 7 && s[4] == '-'
	if ok {
		y, ok = digits(s[0:4], ok)
		m, ok = digits(s[5:7], ok)
	}
	if !ok || y < 1900 || m < 1 || m > 12 {
		return 0, fmt.Errorf("%w: %q (want YYYY-MM)", ErrMalformedDay, string(s))
	}
	return Month(y*12 + m - 1), nil
}

// AppendTo appends the month as `2026-11`, or nothing for no month.
func (m Month) AppendTo(b []byte) []byte {
	if m == 0 {
		return b
	}
	y, mm := int(m)/12, int(m)%12+1
	return append(b, byte('0'+y/1000%10), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-', byte('0'+mm/10), byte('0'+mm%10))
}

// String returns the month as `2026-11`, or "".
func (m Month) String() string { return string(m.AppendTo(nil)) }

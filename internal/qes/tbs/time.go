package tbs

import (
	"time"

	"brama/internal/der"
)

// ReadTime takes a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5 (seconds, Z, no fraction) from r; errors
// stay in r.
func ReadTime(r *der.Reader) time.Time {
	v := r.Next()
	if r.Err() != nil {
		return time.Time{}
	}
	t, ok := parseTime(v.Tag, v.Bytes)
	if !ok {
		r.Fail(der.ErrValue)
	}
	return t
}

func parseTime(tag der.Tag, b []byte) (time.Time, bool) {
	yearDigits := 2
	switch tag {
	case der.UTCTime:
	case der.GeneralizedTime:
		yearDigits = 4
	default:
		return time.Time{}, false
	}
	if len(b) != yearDigits+11 || b[len(b)-1] != 'Z' {
		return time.Time{}, false
	}
	for _, o := range b[:len(b)-1] {
		if o < '0' || o > '9' {
			return time.Time{}, false
		}
	}
	two := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year := two(0)
	switch {
	case yearDigits == 4:
		year = year*100 + two(2)
	case year >= 50: // RFC 5280 4.1.2.5.1
		year += 1900
	default:
		year += 2000
	}
	f := yearDigits
	t := time.Date(year, time.Month(two(f)), two(f+2), two(f+4), two(f+6), two(f+8), 0, time.UTC)
	// time.Date carries a 31 February over into March; the fields must come back as they were.
	same := t.Year() == year && int(t.Month()) == two(f) && t.Day() == two(f+2) &&
		t.Hour() == two(f+4) && t.Minute() == two(f+6) && t.Second() == two(f+8)
	return t, same
}

package dataset

import (
	"errors"
	"strconv"
	"strings"
)

// wholeNumber reads an integer, also one that was printed as a float.
func wholeNumber(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) {
		return 0, errors.New("no whole number")
	}
	return int64(f), nil
}

// sameValue compares as text, else as numbers: 1.0 is 1.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// decimal reads a decimal number, with or without exponent, as an integer of 10^-shift units (seconds and shift 6:
// microseconds), without going through a float. Up to three digits below the unit are exact (nanoseconds) and rounded down; more are
// the noise of a printed float, and the nearest unit is meant.
func decimal(s string, shift int) (int64, error) {
	bad := errors.New("is no number")
	digits, exp, found := s, 0, false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e < -400 || e > 400 {
			return 0, bad
		}
		digits, exp = s[:i], e
	}
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimLeft(digits, "+-")
	whole, part, _ := strings.Cut(digits, ".")
	mantissa := whole + part
	for _, r := range mantissa {
		if found = r >= '0' && r <= '9'; !found {
			break
		}
	}
	if !found || len(s)-len(digits) > 1 && exp == 0 && !strings.ContainsAny(s, "eE") {
		return 0, bad
	}
	point := len(whole) + exp + shift // digits before it count
	switch {
	case point <= 0:
		mantissa, point = strings.Repeat("0", min(1-point, 500))+mantissa, 1
	case point > len(mantissa):
		if strings.Trim(mantissa, "0") == "" {
			return 0, nil
		}
		if point > 20+len(mantissa) {
			return 0, errors.New("is out of range")
		}
		mantissa += strings.Repeat("0", point-len(mantissa))
	}
	n, err := strconv.ParseInt(mantissa[:point], 10, 64)
	if err != nil || n > 1<<62 {
		return 0, errors.New("is out of range")
	}
	rest := strings.TrimRight(mantissa[point:], "0")
	if len(rest) <= 3 { // down, which for a negative number is away from 0
		if negative && rest != "" {
			n++
		}
	} else if rest[0] >= '5' {
		n++
	}
	if negative {
		n = -n
	}
	return n, nil
}

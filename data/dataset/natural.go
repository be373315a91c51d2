package dataset

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Natural orders text with numbers as people do: "day2" before "day10".
func Natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		nx, rx := number(x)
		ny, ry := number(y)
		if rx == x || ry == y { // a letter on either side
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		if nx != ny {
			return cmp.Compare(nx, ny)
		}
		x, y = rx, ry
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// number takes the digits off the front of s; numbers beyond 64 bits count as the largest.
func number(s string) (uint64, string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return 0, s
	}
	n, err := strconv.ParseUint(s[:i], 10, 64)
	if err != nil {
		n = math.MaxUint64
	}
	return n, s[i:]
}

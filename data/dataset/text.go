package dataset

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text is s as a data set stores it. Paths, and labels taken from them, may hold bytes that are no UTF-8, which pandas
// and DuckDB refuse to read: each such byte becomes \xNN, its number in hexadecimal, as Python prints bytes. Text that
// is UTF-8 stays as it is, so the same path always gives the same name.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[0])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

package npz

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// header is the Python dictionary in front of an array.
type header struct {
	descr   string // "<f4"
	kind    string // "f4", "U"
	item    int    // bytes of one element
	big     bool
	fortran bool
	shape   []int
	bytes   int64 // of the whole header, magic included
}

// readHeader reads formats 1, 2 and 3; they differ in the width of the length and in the text's encoding.
func readHeader(r io.Reader) (header, error) {
	var h header
	pre := make([]byte, 12)
	_, err := io.ReadFull(r, pre[:8])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return h, err
	}
	if err != nil || string(pre[:6]) != magic {
		return h, fmt.Errorf("not a NumPy array (no %q at the start); save it with numpy.save", magic)
	}
	wide := 2
	if v := pre[6]; v == 2 || v == 3 {
		wide = 4
	} else if v != 1 {
		return h, fmt.Errorf("NumPy format %d is unknown; save with numpy.save", v)
	}
	if _, err := io.ReadFull(r, pre[8:8+wide]); err != nil {
		return h, fmt.Errorf("cut in the header (%w)", err)
	}
	n := int(binary.LittleEndian.Uint16(pre[8:]))
	if wide == 4 {
		u := binary.LittleEndian.Uint32(pre[8:])
		if u > maxHeader {
			return h, fmt.Errorf("header of %d bytes; the limit is %d", u, maxHeader)
		}
		n = int(u)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, fmt.Errorf("cut in the header (%w)", err)
	}
	h.bytes = int64(8 + wide + n)
	return h, h.parse(string(text))
}

// parse reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
func (h *header) parse(text string) error {
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "{") || !strings.HasSuffix(s, "}") {
		return fmt.Errorf("header %.40q is no dictionary", text)
	}
	s = s[1 : len(s)-1]
	seen := map[string]bool{}
	for s = strings.TrimLeft(s, " ,"); s != ""; s = strings.TrimLeft(s, " ,") {
		key, rest, err := quoted(s)
		if err != nil {
			return err
		}
		rest = strings.TrimLeft(rest, " ")
		if seen[key] || !strings.HasPrefix(rest, ":") {
			return fmt.Errorf("header: key %q", key)
		}
		seen[key] = true
		rest = strings.TrimLeft(rest[1:], " ")
		switch key {
		case "descr":
			if strings.HasPrefix(rest, "[") {
				return fmt.Errorf("structured arrays are not supported; save the fields one by one")
			}
			h.descr, s, err = quoted(rest)
		case "fortran_order":
			word, tail, _ := strings.Cut(rest, ",")
			h.fortran, s = strings.TrimSpace(word) == "True", tail
			if w := strings.TrimSpace(word); w != "True" && w != "False" {
				err = fmt.Errorf("header: fortran_order %q", w)
			}
		case "shape":
			s, err = h.parseShape(rest)
		default:
			err = fmt.Errorf("header: unknown key %q", key)
		}
		if err != nil {
			return err
		}
	}
	if !seen["descr"] || !seen["fortran_order"] || !seen["shape"] {
		return fmt.Errorf("header %.80q lacks descr, fortran_order or shape", text)
	}
	return h.parseType()
}

// parseShape reads (), (5,), (2, 3); Python 2 wrote 5L.
func (h *header) parseShape(s string) (rest string, err error) {
	in, rest, ok := strings.Cut(s, ")")
	if !ok || !strings.HasPrefix(in, "(") {
		return "", fmt.Errorf("header: shape %.40q", s)
	}
	h.shape = []int{}
	for _, f := range strings.Split(in[1:], ",") {
		if f = strings.TrimSuffix(strings.TrimSpace(f), "L"); f == "" {
			continue
		}
		n, err := strconv.ParseUint(f, 10, 48)
		if err != nil {
			return "", fmt.Errorf("header: shape (%s)", in[1:])
		}
		if h.shape = append(h.shape, int(n)); len(h.shape) > maxDims {
			return "", fmt.Errorf("header: more than %d dimensions", maxDims)
		}
	}
	return rest, nil
}

func (h *header) parseType() error {
	d := h.descr
	if d != "" && strings.IndexByte("<>|=", d[0]) >= 0 {
		h.big, d = d[0] == '>', d[1:]
	}
	if w, ok := strings.CutPrefix(d, "U"); ok {
		n, err := strconv.ParseUint(w, 10, 24)
		if err != nil {
			return fmt.Errorf("type %q", h.descr)
		}
		h.kind, h.item = "U", int(4*n)
		return nil
	}
	switch d {
	case "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1":
		h.kind, h.item = d, int(d[1]-'0')
		return nil
	case "O":
		return fmt.Errorf("object arrays (pickles) are refused, since reading one runs code; save plain numbers or strings")
	}
	return fmt.Errorf("type %q is not supported; use floats, integers, booleans or fixed-width unicode", h.descr)
}

// quoted takes a Python string off the front of s.
func quoted(s string) (text, rest string, err error) {
	if s == "" || (s[0] != '\'' && s[0] != '"') {
		return "", "", fmt.Errorf("header: %.20q is no string", s)
	}
	end := strings.IndexByte(s[1:], s[0])
	if end < 0 {
		return "", "", fmt.Errorf("header: %.20q does not end", s)
	}
	return s[1 : 1+end], s[2+end:], nil
}

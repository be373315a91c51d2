package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// CSVFormat says which columns of a csv mean what. ParseCSVFormat makes it.
type CSVFormat struct {
	columns map[string]string // time, size, payload, ip, frame, direction → column number from 0, or name
	header  string            // yes, no, auto: there is one when the first line's numbers are none
	unit    int               // of time: 6 s, 3 ms, 0 us
	up      string            // direction of packets from the client
	session string            // first field of lines that start a new capture, its name in the second
	comma   rune
}

const defaultCSV = "time=0,size=1,direction=2"

var csvColumns = []string{"time", "size", "payload", "ip", "frame", "direction"}

// ParseCSVFormat reads KEY=VALUE pairs between commas.
//
//	time, size, direction   a column by number from 0 or by name; time=none when there are sizes only (every packet is at 0),
//	                        direction=sign when the sign of the size tells it; without direction it is unknown
//	payload, ip, frame      columns of the three sizes; a size without a column is the named one before it
//	header=auto|yes|no      whether the first line names the columns
//	unit=s|ms|us            of the times (default s). Nanoseconds are rounded down; more digits are a printed float and round to the nearest
//	up=1                    the direction, or the sign, of packets from the client
//	session=WORD            lines "WORD,NAME" start a capture of its own, the source FILE#NAME
//	sep=comma|tab|semicolon
//
// The empty spec is time=0,size=1,direction=2.
func ParseCSVFormat(spec string) (CSVFormat, error) {
	f := CSVFormat{columns: map[string]string{}, header: "auto", unit: 6, up: "1", comma: ','}
	if spec == "" {
		spec = defaultCSV
	}
	for _, kv := range strings.Split(spec, ",") {
		k, v, ok := strings.Cut(strings.TrimSpace(kv), "=")
		if !ok || v == "" {
			return f, fmt.Errorf("dataset: csv format: %q is not KEY=VALUE", kv)
		}
		choose := func(of ...string) error {
			if !slices.Contains(of, v) {
				return fmt.Errorf("dataset: csv format: %s=%s; it is one of %s", k, v, strings.Join(of, ", "))
			}
			return nil
		}
		var err error
		switch {
		case slices.Contains(csvColumns, k):
			f.columns[k] = v
		case k == "header":
			f.header, err = v, choose("auto", "yes", "no")
		case k == "unit":
			f.unit, err = map[string]int{"s": 6, "ms": 3, "us": 0}[v], choose("s", "ms", "us")
		case k == "sep":
			f.comma, err = map[string]rune{"comma": ',', "tab": '\t', "semicolon": ';'}[v], choose("comma", "tab", "semicolon")
		case k == "up":
			f.up = v
		case k == "session":
			f.session = v
		default:
			err = fmt.Errorf("dataset: csv format: unknown key %q; there are %s, header, unit, up, session, sep", k, strings.Join(csvColumns, ", "))
		}
		if err != nil {
			return f, err
		}
	}
	if f.sizes() == 0 {
		return f, errors.New("dataset: csv format: no column for the size; name one with size=")
	}
	if f.columns["time"] == "" {
		return f, errors.New("dataset: csv format: no column for the time; name one with time=, or say time=none")
	}
	return f, nil
}

func (f *CSVFormat) sizes() (n int) {
	for _, k := range csvColumns[1:5] {
		if f.columns[k] != "" {
			n++
		}
	}
	return n
}

package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// UCR is a file of the UCR and UEA archives of time series.
type UCR struct {
	X       []float32 // (N, C, T); missing values are NaN
	N, C, T int
	Labels  []string // (N), as written; numbers without a useless ".0000"
	Split   string   // train or test by the file's name, else empty
}

// ReadUCR reads a .ts file (univariate or not), or one with the label first in each line and values between tabs,
// commas or blanks (.tsv, .csv, .txt). Series of unequal length are refused.
func ReadUCR(path string) (*UCR, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	u, err := readUCR(f, strings.EqualFold(filepath.Ext(path), ".ts"))
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", path, err)
	}
	name := strings.ToUpper(filepath.Base(path))
	switch {
	case strings.Contains(name, "_TRAIN"):
		u.Split = "train"
	case strings.Contains(name, "_TEST"):
		u.Split = "test"
	}
	return u, nil
}

func readUCR(r io.Reader, ts bool) (*UCR, error) {
	u := &UCR{}
	b := bufio.NewReaderSize(r, 1<<16)
	inData, labelled := !ts, true
	for n := 1; ; n++ {
		line, err := b.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			var e error
			switch {
			case !inData && strings.EqualFold(line, "@data"):
				inData = true
			case !inData:
				labelled, e = u.directive(line, labelled)
			case ts:
				e = u.tsLine(line, labelled)
			default:
				e = u.plainLine(line)
			}
			if e != nil {
				return nil, fmt.Errorf("line %d: %w", n, e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if u.N == 0 {
		return nil, errors.New("no series; a .ts file has them behind @data")
	}
	return u, nil
}

// directive reads a line of the .ts header. What changes the meaning of the data and is not supported is an error.
func (u *UCR) directive(line string, labelled bool) (bool, error) {
	w := strings.Fields(strings.ToLower(line))
	if w[0][0] != '@' {
		return labelled, fmt.Errorf("%.40q before @data; a .ts file has its series behind that line", line)
	}
	value := ""
	if len(w) > 1 {
		value = w[1]
	}
	switch w[0] {
	case "@timestamps":
		if value == "true" {
			return labelled, errors.New("series with time stamps are not supported")
		}
	case "@classlabel":
		return value == "true", nil
	case "@targetlabel":
		if value == "true" {
			return labelled, errors.New("regression targets are not supported")
		}
	}
	return labelled, nil
}

// tsLine reads "1,2,3:4,5,6:label".
func (u *UCR) tsLine(line string, labelled bool) error {
	dims := strings.Split(line, ":")
	label := ""
	if labelled {
		label = strings.TrimSpace(dims[len(dims)-1])
		if dims = dims[:len(dims)-1]; len(dims) == 0 {
			return errors.New("no series before the label")
		}
	}
	return u.add(label, dims, ",")
}

// plainLine reads "label<tab>1<tab>2"; also commas, or any number of blanks.
func (u *UCR) plainLine(line string) error {
	sep := ","
	if !strings.Contains(line, sep) {
		sep = "\t"
		line = strings.Join(strings.Fields(line), sep)
	}
	label, values, ok := strings.Cut(line, sep)
	if !ok {
		return errors.New("a label and nothing else")
	}
	return u.add(strings.TrimSpace(label), []string{values}, sep)
}

func (u *UCR) add(label string, dims []string, sep string) error {
	if u.N == 0 {
		u.C, u.T = len(dims), strings.Count(dims[0], sep)+1
	}
	if len(dims) != u.C {
		return fmt.Errorf("%d dimensions, %d before", len(dims), u.C)
	}
	for _, d := range dims {
		if n := strings.Count(d, sep) + 1; n != u.T {
			return fmt.Errorf("%d values, %d before; cut or pad the series to one length", n, u.T)
		}
		for _, v := range strings.Split(d, sep) {
			x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
			if v := strings.TrimSpace(v); v == "?" || strings.EqualFold(v, "nan") {
				x, err = math.NaN(), nil
			}
			if err != nil {
				return fmt.Errorf("value %.20q is no number; correct the file", strings.TrimSpace(v))
			}
			u.X = append(u.X, float32(x))
		}
	}
	if f, err := strconv.ParseFloat(label, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		label = strconv.FormatInt(int64(f), 10)
	}
	u.Labels = append(u.Labels, label)
	u.N++
	return nil
}

// decodeUCR emits the series of a file, labelled by the axes class and split. They are stored as they are, since they never
// were packets.
func decodeUCR(path string, c Capture, emit func(piece) error) error {
	u, err := ReadUCR(path)
	if err != nil {
		return err
	}
	each := u.C * u.T
	for i := range u.N {
		x := u.X[i*each : (i+1)*each]
		for _, v := range x {
			if v != v {
				return fmt.Errorf("series %d has missing values; fill them first", i)
			}
		}
		cp := c
		cp.Source, cp.Link, cp.Records = fmt.Sprintf("%s#%d", c.Source, i), UCRs, int64(u.T)
		cp.Labels = map[string]string{classAxis: u.Labels[i], "split": u.Split}
		if emit(piece{c: &cp, series: x, channels: u.C}) != nil {
			return nil
		}
	}
	return nil
}

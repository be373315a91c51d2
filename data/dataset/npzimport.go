package dataset

import (
	"fmt"
	"math"
	"strings"

	"earshot/data/dataset/npz"
	"earshot/data/trace"
)

// NPZFormat says what the numbers of an array X (N, L) of packets mean. Arrays that Export wrote need none.
type NPZFormat struct {
	Values string // "size": bytes (default), or "time": seconds; the sign tells the direction, + is up, 0 is padding
	Size   int    // bytes of each packet when Values is "time"; 0: 512, a Tor cell
}

// ParseNPZFormat reads values=size|time and size=N between commas.
func ParseNPZFormat(spec string) (NPZFormat, error) {
	f := NPZFormat{Values: "size", Size: 512}
	for _, kv := range strings.Split(spec, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(kv), "=")
		switch {
		case kv == "":
		case k == "values" && (v == "size" || v == "time"):
			f.Values = v
		case k == "size":
			if _, err := fmt.Sscanf(v, "%d", &f.Size); err != nil || f.Size < 1 || f.Size > 1<<20 {
				return f, fmt.Errorf("dataset: npz format: size %q is no number of bytes", v)
			}
		default:
			return f, fmt.Errorf("dataset: npz format: %q; there are values=size, values=time and size=N", kv)
		}
	}
	return f, nil
}

// classAxis is the axis of labels that come as an array y.
const classAxis = "class"

// decode reads one of three layouts:
//
//   - the arrays of Export: offsets (N+1) into t_us, direction, payload_bytes …, and label_AXIS (N);
//   - X (N, L), one packet a number (see NPZFormat), and y (N), as the tools for website fingerprinting keep them;
//   - X (N, C, T), and y (N): series, as `earshot bin` writes them.
//
// Labels y become the axis "class", through the array classes when there is one.
func (f NPZFormat) decode(path string, c Capture, emit func(piece) error) error {
	m, err := npz.Read(path)
	if err != nil {
		return err
	}
	c.Link = "npz"
	if _, ok := m["offsets"]; ok {
		return decodeExported(m, c, emit)
	}
	x, ok := m["X"]
	if !ok || len(x.Shape) < 2 || len(x.Shape) > 3 {
		return fmt.Errorf("no array X of shape (N, L) or (N, C, T), and no offsets of an export")
	}
	v, err := x.AsFloat64()
	if err != nil {
		return fmt.Errorf("array X: %w", err)
	}
	n := x.Shape[0]
	labels, err := classLabels(m, n)
	if err != nil {
		return err
	}
	each := 0
	if n > 0 {
		each = len(v) / n
	}
	for i := range n {
		cp := c
		cp.Source = fmt.Sprintf("%s#%d", c.Source, i)
		if labels != nil {
			cp.Labels = map[string]string{classAxis: labels[i]}
		}
		row := v[i*each : (i+1)*each]
		if len(x.Shape) == 3 {
			series := make([]float32, each)
			for j, y := range row {
				series[j] = float32(y)
			}
			if err := emit(piece{c: &cp, series: series, channels: x.Shape[1]}); err != nil {
				return nil
			}
			continue
		}
		s := newSender(cp, emit)
		if err := f.packets(row, s); err != nil {
			s.c.ProblemAt, s.c.Problem = s.n+1, err.Error()
		}
		s.c.Records, s.c.Decoded = s.n, s.n
		if s.end(nil) != nil {
			return nil
		}
	}
	return nil
}

// packets sends one row of X.
func (f NPZFormat) packets(row []float64, s *sender) error {
	for len(row) > 0 && row[len(row)-1] == 0 {
		row = row[:len(row)-1]
	}
	first := int64(0)
	for i, v := range row {
		if math.IsNaN(v) || math.Abs(v) > 1<<30 {
			return fmt.Errorf("array X: value %v", v)
		}
		p := trace.Packet{Flow: -1, Direction: trace.Up}
		if v < 0 {
			p.Direction = trace.Down
		}
		size := math.Abs(v)
		if f.Values == "time" {
			p.Time = int64(math.Round(size * 1e6))
			if v == 0 {
				p.Direction = trace.Unknown // at time 0 the sign is lost
			}
			size = float64(f.Size)
			if f.Size == 0 {
				size = 512
			}
		}
		if i == 0 {
			first = p.Time
		}
		p.Time -= first
		p.PayloadBytes = int32(size)
		p.IPBytes, p.FrameBytes = p.PayloadBytes, p.PayloadBytes
		if err := s.add(p); err != nil {
			return err
		}
	}
	return nil
}

// classLabels names the class of each of n rows; nil without y.
func classLabels(m map[string]npz.Array, n int) ([]string, error) {
	y, ok := m["y"]
	if !ok {
		return nil, nil
	}
	labels, err := y.AsStrings()
	if err != nil {
		return nil, fmt.Errorf("array y: %w", err)
	}
	if len(labels) != n {
		return nil, fmt.Errorf("%d labels y for %d rows of X", len(labels), n)
	}
	classes := m["classes"]
	if y.Str != nil || classes.Str == nil {
		return labels, nil
	}
	at, err := y.AsInt64()
	if err != nil {
		return nil, fmt.Errorf("array y: %w", err)
	}
	named := make([]string, n)
	for i, k := range at {
		if k < 0 || k >= int64(len(classes.Str)) {
			return nil, fmt.Errorf("array y: class %d of %d", k, len(classes.Str))
		}
		named[i] = classes.Str[k]
	}
	return named, nil
}

const labelPrefix = "label_"

// sourceAxes are the label axes that a source brings itself.
func sourceAxes(s source) []string {
	switch s.format {
	case UCRs:
		return []string{classAxis, "split"}
	case NPZ:
		names, _ := npz.Names(s.path) // an unreadable file is reported when it is read
		var axes []string
		for _, n := range names {
			if a, ok := strings.CutPrefix(n, labelPrefix); ok {
				axes = append(axes, a)
			} else if n == "y" {
				axes = append(axes, classAxis)
			}
		}
		return axes
	}
	return nil
}

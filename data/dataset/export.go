package dataset

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"earshot/data/dataset/npz"
	"earshot/data/trace"
)

// ExportFormats are what Export writes.
var ExportFormats = []string{CSV, NPZ, Compact}

// Export writes the packets of all included captures to one file, or a copy of the set to a folder.
//
//	csv  a line per packet: capture_id, source, label_AXIS…, then t_us, direction (0 unknown, 1 up, 2 down), flow, protocol, the
//	     three sizes and the TCP fields
//	npz  capture_id, capture (source), start_us, label_AXIS (N); offsets (N+1): the packets of capture i are the rows
//	     offsets[i] to offsets[i+1] of t_us, direction, protocol, payload_bytes, ip_bytes, frame_bytes. Import reads it back.
//	compact  a data set without addresses and TCP fields, 3 bytes a packet; all captures, with their marks, and what a recorder says of them
func Export(s *Set, format, out string) error {
	if s.HasSeries() {
		return fmt.Errorf("dataset: %s: holds series, not packets; write them with `earshot bin`", s.Dir)
	}
	switch format {
	case CSV:
		return s.exportCSV(out)
	case NPZ:
		return s.exportNPZ(out)
	case Compact:
		return s.exportCompact(out)
	}
	return fmt.Errorf("dataset: export format %q is unknown; it is one of %s", format, listOr(ExportFormats, ""))
}

func (s *Set) includedIDs() (ids []int64) {
	for _, c := range s.Included() {
		ids = append(ids, c.ID)
	}
	return ids
}

func (s *Set) exportCSV(out string) error {
	return writeFile(filepath.Dir(out), filepath.Base(out), func(f io.Writer) error {
		b := bufio.NewWriterSize(f, 1<<18)
		b.WriteString("capture_id,source") // bufio.Writer keeps the first error for Flush
		for _, a := range s.Manifest.Axes {
			b.WriteString("," + labelPrefix + a)
		}
		b.WriteString(",t_us,direction,flow,protocol,payload_bytes,ip_bytes,frame_bytes,tcp_flags,tcp_seq,tcp_ack,tcp_window\n")
		var line []byte
		err := s.Each(s.includedIDs(), func(c *Capture, t *trace.Trace) error {
			line = strconv.AppendInt(line[:0], c.ID, 10)
			line = appendCell(line, c.Source)
			for _, a := range s.Manifest.Axes {
				line = appendCell(line, c.Labels[a])
			}
			head := len(line)
			for i := range t.Packets {
				p := &t.Packets[i]
				line = line[:head]
				for _, v := range [...]int64{
					p.Time, int64(p.Direction), int64(p.Flow), int64(p.Protocol), int64(p.PayloadBytes), int64(p.IPBytes), int64(p.FrameBytes),
					int64(p.TCPFlags), int64(p.TCPSeq), int64(p.TCPAck), int64(p.TCPWindow),
				} {
					line = strconv.AppendInt(append(line, ','), v, 10)
				}
				line = append(line, '\n')
				if _, err := b.Write(line); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return b.Flush()
	})
}

// appendCell appends a comma and a cell, quoted where csv asks for it.
func appendCell(line []byte, s string) []byte {
	line = append(line, ',')
	if !slices.ContainsFunc([]byte(s), func(c byte) bool { return c == ',' || c == '"' || c == '\n' || c == '\r' }) {
		return append(line, s...)
	}
	line = append(line, '"')
	for _, c := range []byte(s) {
		if c == '"' {
			line = append(line, '"')
		}
		line = append(line, c)
	}
	return append(line, '"')
}

func (s *Set) exportNPZ(out string) error {
	caps := s.Included()
	total := int64(0)
	for i := range caps {
		total += caps[i].Packets
	}
	var (
		ids, starts, protocol = []int64{}, []int64{}, make([]int32, 0, total)
		offsets, times        = []int64{0}, make([]int64, 0, total)
		direction             = make([]int32, 0, total)
		sizes                 [3][]int32
		sources               = []string{}
		labels                = make([][]string, len(s.Manifest.Axes))
	)
	for i := range sizes {
		sizes[i] = make([]int32, 0, total)
	}
	for i := range labels {
		labels[i] = []string{}
	}
	err := s.Each(s.includedIDs(), func(c *Capture, t *trace.Trace) error {
		ids, starts, sources = append(ids, c.ID), append(starts, c.StartUS), append(sources, c.Source)
		for i, a := range s.Manifest.Axes {
			labels[i] = append(labels[i], c.Labels[a])
		}
		for i := range t.Packets {
			p := &t.Packets[i]
			times, direction, protocol = append(times, p.Time), append(direction, int32(p.Direction)), append(protocol, int32(p.Protocol))
			for k, v := range [3]int32{p.PayloadBytes, p.IPBytes, p.FrameBytes} {
				sizes[k] = append(sizes[k], v)
			}
		}
		offsets = append(offsets, int64(len(times)))
		return nil
	})
	if err != nil {
		return err
	}
	arrays := []npz.Named{
		{Name: "capture_id", Array: npz.Int64(ids)}, {Name: "capture", Array: npz.Strings(sources)}, {Name: "start_us", Array: npz.Int64(starts)},
		{Name: "offsets", Array: npz.Int64(offsets)}, {Name: "t_us", Array: npz.Int64(times)}, {Name: "direction", Array: npz.Int32(direction)},
		{Name: "protocol", Array: npz.Int32(protocol)},
		{Name: "payload_bytes", Array: npz.Int32(sizes[0])}, {Name: "ip_bytes", Array: npz.Int32(sizes[1])}, {Name: "frame_bytes", Array: npz.Int32(sizes[2])},
	}
	for i, a := range s.Manifest.Axes {
		arrays = append(arrays, npz.Named{Name: labelPrefix + a, Array: npz.Strings(labels[i])})
	}
	return npz.Write(out, arrays...)
}

// decodeExported reads what exportNPZ wrote.
func decodeExported(m map[string]npz.Array, c Capture, emit func(piece) error) error {
	ints := func(name string) ([]int64, error) {
		a, ok := m[name]
		if !ok {
			return nil, fmt.Errorf("no array %s", name)
		}
		v, err := a.AsInt64()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return v, nil
	}
	names := []string{"t_us", "direction", "protocol", "payload_bytes", "ip_bytes", "frame_bytes"}
	columns := make([][]int64, len(names))
	for i, n := range names {
		var err error
		if columns[i], err = ints(n); err != nil {
			return err
		}
		if len(columns[i]) != len(columns[0]) {
			return fmt.Errorf("%s: %d packets, t_us has %d", n, len(columns[i]), len(columns[0]))
		}
	}
	offsets, err := ints("offsets")
	if err != nil {
		return err
	}
	starts, err := ints("start_us")
	if err != nil {
		return err
	}
	sources, err := exportedText(m, "capture", len(starts))
	if err != nil {
		return err
	}
	if len(offsets) != len(starts)+1 {
		return fmt.Errorf("%d offsets for %d captures", len(offsets), len(starts))
	}
	labels := map[string][]string{}
	for name := range m {
		if len(name) > len(labelPrefix) && name[:len(labelPrefix)] == labelPrefix {
			if labels[name[len(labelPrefix):]], err = exportedText(m, name, len(starts)); err != nil {
				return err
			}
		}
	}
	for i, start := range starts {
		from, to := offsets[i], offsets[i+1]
		if from < 0 || to < from || to > int64(len(columns[0])) {
			return fmt.Errorf("offsets %d to %d of %d packets", from, to, len(columns[0]))
		}
		cp := c
		cp.Source, cp.StartUS, cp.Labels = sources[i], start, map[string]string{}
		cp.Records, cp.Decoded, cp.FirstUS, cp.LastUS = to-from, to-from, start, start
		for a, v := range labels {
			cp.Labels[a] = v[i]
		}
		s := newSender(cp, emit)
		for k := from; k < to; k++ {
			p := trace.Packet{
				Time: columns[0][k], Direction: trace.Direction(columns[1][k]), Protocol: uint8(columns[2][k]), Flow: -1,
				PayloadBytes: int32(columns[3][k]), IPBytes: int32(columns[4][k]), FrameBytes: int32(columns[5][k]),
			}
			if p.Direction > trace.Down || min(p.PayloadBytes, p.IPBytes, p.FrameBytes) < 0 {
				s.c.ProblemAt, s.c.Problem = k-from+1, "a direction beyond 2 or a negative size"
				break
			}
			s.c.LastUS = max(s.c.LastUS, start+p.Time)
			if s.add(p) != nil {
				return nil
			}
		}
		if s.end(nil) != nil {
			return nil
		}
	}
	return nil
}

func exportedText(m map[string]npz.Array, name string, n int) ([]string, error) {
	a, ok := m[name]
	if !ok {
		return nil, fmt.Errorf("no array %s", name)
	}
	v, err := a.AsStrings()
	if err == nil && len(v) != n {
		err = fmt.Errorf("%d of them for %d captures", len(v), n)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

package dataset

import (
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"reflect"

	"earshot/data/trace"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// groupRows is how many packets a row group holds, the unit of reading: one capture costs no more than the groups it lies in.
const groupRows = 1 << 17

// options of every part. zstd's fastest level is within 2 % of the default's size here and takes three quarters of the time.
func options() []parquet.WriterOption {
	return []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.MaxRowsPerRowGroup(groupRows),
		parquet.CreatedBy("earshot", fmt.Sprint(Format), ""),
	}
}

// packetRow is one row of packets-*.parquet.
type packetRow struct {
	CaptureID    int64  `parquet:"capture_id,delta"`
	TimeUS       int64  `parquet:"t_us,delta"`
	Direction    int8   `parquet:"direction"`
	Flow         int32  `parquet:"flow"`
	Protocol     uint8  `parquet:"protocol"`
	PayloadBytes int32  `parquet:"payload_bytes"`
	IPBytes      int32  `parquet:"ip_bytes"`
	FrameBytes   int32  `parquet:"frame_bytes"`
	TCPFlags     uint16 `parquet:"tcp_flags"`
	TCPSeq       uint32 `parquet:"tcp_seq"`
	TCPAck       uint32 `parquet:"tcp_ack"`
	TCPWindow    uint16 `parquet:"tcp_window"`
	MSS          uint16 `parquet:"tcp_mss"`
	WindowScale  int8   `parquet:"tcp_window_scale"` // -1: absent
	SACKPermit   bool   `parquet:"tcp_sack_permitted"`
	SACKBlocks   uint8  `parquet:"tcp_sack_blocks"`
	TSVal        uint32 `parquet:"tcp_ts_val"`
	TSEcr        uint32 `parquet:"tcp_ts_ecr"`
}

func toRow(id int64, p *trace.Packet) packetRow {
	return packetRow{
		CaptureID: id, TimeUS: p.Time, Direction: int8(p.Direction), Flow: p.Flow, Protocol: p.Protocol,
		PayloadBytes: p.PayloadBytes, IPBytes: p.IPBytes, FrameBytes: p.FrameBytes,
		TCPFlags: p.TCPFlags, TCPSeq: p.TCPSeq, TCPAck: p.TCPAck, TCPWindow: p.TCPWindow, MSS: p.MSS, WindowScale: p.WindowScale,
		SACKPermit: p.SACKPermit, SACKBlocks: p.SACKBlocks, TSVal: p.TSVal, TSEcr: p.TSEcr,
	}
}

// packetColumns reads the columns back, one at a time: five times as fast as row by row.
var packetColumns = map[string]func(p *trace.Packet, v int64){
	"t_us":               func(p *trace.Packet, v int64) { p.Time = v },
	"direction":          func(p *trace.Packet, v int64) { p.Direction = trace.Direction(v) },
	"flow":               func(p *trace.Packet, v int64) { p.Flow = int32(v) },
	"protocol":           func(p *trace.Packet, v int64) { p.Protocol = uint8(v) },
	"payload_bytes":      func(p *trace.Packet, v int64) { p.PayloadBytes = int32(v) },
	"ip_bytes":           func(p *trace.Packet, v int64) { p.IPBytes = int32(v) },
	"frame_bytes":        func(p *trace.Packet, v int64) { p.FrameBytes = int32(v) },
	"tcp_flags":          func(p *trace.Packet, v int64) { p.TCPFlags = uint16(v) },
	"tcp_seq":            func(p *trace.Packet, v int64) { p.TCPSeq = uint32(v) },
	"tcp_ack":            func(p *trace.Packet, v int64) { p.TCPAck = uint32(v) },
	"tcp_window":         func(p *trace.Packet, v int64) { p.TCPWindow = uint16(v) },
	"tcp_mss":            func(p *trace.Packet, v int64) { p.MSS = uint16(v) },
	"tcp_window_scale":   func(p *trace.Packet, v int64) { p.WindowScale = int8(v) },
	"tcp_sack_permitted": func(p *trace.Packet, v int64) { p.SACKPermit = v != 0 },
	"tcp_sack_blocks":    func(p *trace.Packet, v int64) { p.SACKBlocks = uint8(v) },
	"tcp_ts_val":         func(p *trace.Packet, v int64) { p.TSVal = uint32(v) },
	"tcp_ts_ecr":         func(p *trace.Packet, v int64) { p.TSEcr = uint32(v) },
}

// seriesColumns are what binning looks at.
var seriesColumns = []string{"t_us", "direction", "payload_bytes", "ip_bytes", "frame_bytes"}

// flowRow is one row of flows-*.parquet: the 5-tuple behind packets' flow number.
type flowRow struct {
	CaptureID  int64  `parquet:"capture_id"`
	Flow       int32  `parquet:"flow"`
	Client     string `parquet:"client"`
	ClientPort uint16 `parquet:"client_port"`
	Server     string `parquet:"server"`
	ServerPort uint16 `parquet:"server_port"`
	Protocol   uint8  `parquet:"protocol"`
}

func flowToRow(id int64, i int, f trace.Flow) flowRow {
	return flowRow{id, int32(i), addr(f.Client), f.Client.Port(), addr(f.Server), f.Server.Port(), f.Protocol}
}

func addr(a netip.AddrPort) string {
	if !a.Addr().IsValid() {
		return ""
	}
	return a.Addr().String()
}

func (r flowRow) flow() trace.Flow {
	parse := func(s string, port uint16) netip.AddrPort {
		a, _ := netip.ParseAddr(s) // empty: no address, the zero value
		return netip.AddrPortFrom(a, port)
	}
	return trace.Flow{Client: parse(r.Client, r.ClientPort), Server: parse(r.Server, r.ServerPort), Protocol: r.Protocol}
}

// captureType is Capture with the labels spread out into columns, since their number is known only at run time.
func captureType(axes []string) reflect.Type {
	var fields []reflect.StructField
	for i, f := range reflect.VisibleFields(reflect.TypeFor[Capture]()) {
		if f.Name != "Labels" {
			fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
			continue
		}
		for j, a := range axes {
			tag := fmt.Sprintf(`parquet:"label_%s"`, a)
			fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Label%d_%d", i, j), Type: reflect.TypeFor[string](), Tag: reflect.StructTag(tag)})
		}
	}
	return reflect.StructOf(fields)
}

// copyCapture moves c to a row of captureType(axes), or back.
func copyCapture(c *Capture, row reflect.Value, axes []string, back bool) {
	v, at := reflect.ValueOf(c).Elem(), 0
	for i := range v.NumField() {
		if v.Type().Field(i).Name == "Labels" {
			if back {
				c.Labels = make(map[string]string, len(axes))
			}
			for _, a := range axes {
				if back {
					c.Labels[a] = row.Field(at).String()
				} else {
					row.Field(at).SetString(c.Labels[a])
				}
				at++
			}
			continue
		}
		if back {
			v.Field(i).Set(row.Field(at))
		} else {
			row.Field(at).Set(v.Field(i))
		}
		at++
	}
}

func writeCaptures(w io.Writer, caps []Capture, axes []string) error {
	t := captureType(axes)
	row := reflect.New(t)
	p := parquet.NewWriter(w, append(options(), parquet.SchemaOf(row.Interface()))...)
	for i := range caps {
		copyCapture(&caps[i], row.Elem(), axes, false)
		if err := p.Write(row.Interface()); err != nil {
			return err
		}
	}
	return p.Close()
}

func readCaptures(files fs.FS, name string, axes []string) ([]Capture, error) {
	f, _, err := openAt(files, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := captureType(axes)
	row := reflect.New(t)
	p := parquet.NewReader(f, parquet.SchemaOf(row.Interface()))
	defer p.Close()
	caps := make([]Capture, 0, min(p.NumRows(), 1<<16))
	for {
		row.Elem().SetZero()
		err := p.Read(row.Interface())
		if err == io.EOF {
			return caps, nil
		}
		if err != nil {
			return nil, err
		}
		var c Capture
		copyCapture(&c, row.Elem(), axes, true)
		caps = append(caps, c)
	}
}

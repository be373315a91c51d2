package experiments

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"earshot/data/dataset"
	"earshot/data/trace"
)

// auditor is what the captures of a data set, or the series of a data set of an archive, say, whatever the split.
type auditor struct {
	AuditOptions
	label   string
	k       int // classes
	words   auditWords
	probers []auditProber
	rows    []auditRow
	kins    []kin             // captures are rows
	near    *neighbors        // nil: not needed yet
	gaps    map[string]gapped // by axis; nil: the data know of no groups
}

// auditRow is what an audit keeps of one capture.
type auditRow struct {
	dataset.Capture
	class    int
	side     side
	sizes    [3]int64 // packets: unknown, up, down
	hosts    []string // of both ends, sorted
	ports    []string // of the servers, "tcp 443", sorted
	clients  []int    // ports of the clients in the order of the flows
	client   string   // address with the most flows
	session  []float64
	shape    []float64 // what traffic looks like, for the groups' neighbors
	hasTCP   bool
	hasHosts bool

	levels []float64 // of series: mean and standard deviation of each channel
	still  []float64 // steps at the first and at the last value of each channel
	z      []float32 // each channel with mean 0 and variance 1; nil where nothing changes
}

// side is where a split puts a capture.
type side uint8

const (
	noSide side = iota
	trainSide
	testSide
)

// openAudit reads the captures of ids once.
func openAudit(data AuditData, label string, classes []string, ids []int64, o AuditOptions) (*auditor, error) {
	a := &auditor{AuditOptions: o, label: label, k: len(classes), words: captureWords, probers: probes, gaps: map[string]gapped{}}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var packets int64
	undirected := false
	for _, id := range ids {
		c, err := data.Capture(id)
		if err != nil {
			return nil, err
		}
		row := auditRow{Capture: *c, class: slices.Index(classes, c.Labels[label])}
		if row.class < 0 {
			return nil, fmt.Errorf("experiments: audit: capture %d (%s): %s is %q, which is none of the classes", id, c.Source, label, c.Labels[label])
		}
		if onlySizes(c) {
			packets += 3 * c.Packets // several readings of its sizes
		}
		packets += c.Packets
		undirected = undirected || c.Packets > 0 && c.BytesUp+c.BytesDown == 0
		a.rows = append(a.rows, row)
	}
	pass := uint64(0)
	for ; packets > windowsKept; packets /= 2 {
		pass = pass<<1 | 1
	}
	var ws []window
	i := 0
	err := data.Each(ids, func(c *dataset.Capture, t *trace.Trace) error {
		ws = windows(ws, t, int32(i), onlySizes(c), undirected, pass)
		a.rows[i].read(t)
		i++
		return nil
	})
	a.kins = relatives(ws, len(a.rows))
	return a, err
}

// divide puts the captures on the sides of a split.
func (a *auditor) divide(train, test []int64) error {
	for i := range a.rows {
		a.rows[i].side = noSide
	}
	for s, ids := range [][]int64{trainSide: train, testSide: test} {
		if s != int(noSide) && len(ids) == 0 {
			return fmt.Errorf("experiments: audit: %d training and %d test captures", len(train), len(test))
		}
		for _, id := range ids {
			i, ok := slices.BinarySearchFunc(a.rows, id, func(r auditRow, id int64) int { return cmp.Compare(r.ID, id) })
			if !ok || a.rows[i].side != noSide {
				return fmt.Errorf("experiments: audit: split: capture %d is unknown, or named twice", id)
			}
			a.rows[i].side = side(s)
		}
	}
	return nil
}

// read takes what the probes need from the packets.
func (r *auditRow) read(t *trace.Trace) {
	hosts, ports, clients := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, f := range t.Flows {
		if f.Client.Addr().IsValid() {
			hosts[f.Client.Addr().String()] = true
			clients[f.Client.Addr().String()]++
		}
		if f.Server.Addr().IsValid() {
			hosts[f.Server.Addr().String()] = true
		}
		if f.Server.Port() > 0 || f.Client.Port() > 0 {
			ports[fmt.Sprintf("%d %d", f.Protocol, f.Server.Port())] = true
			r.clients = append(r.clients, int(f.Client.Port()))
		}
	}
	r.hosts, r.ports = slices.Sorted(maps.Keys(hosts)), slices.Sorted(maps.Keys(ports))
	r.hasHosts = len(hosts) > 0
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		if clients[name] > clients[r.client] || r.client == "" {
			r.client = name
		}
	}
	r.readSession(t)
	r.readShape(t)
}

// sessionFields are what readSession takes of each direction: of the first packet of the capture that is TCP, then of
// the first SYN, -1 where there is none. The time to live is not in a data set.
var sessionFields = []string{"window", "sequence number", "time stamp", "mss", "window scale", "sack permitted"}

func (r *auditRow) readSession(t *trace.Trace) {
	r.session = make([]float64, 2*len(sessionFields))
	for i := range r.session {
		r.session[i] = -1
	}
	var first, syn [2]bool
	for i := range t.Packets {
		p := &t.Packets[i]
		d := int(p.Direction) - int(trace.Up)
		if p.Protocol != 6 || d < 0 || d > 1 || p.TCPFlags == 0 {
			continue
		}
		f := r.session[d*len(sessionFields):]
		if !first[d] {
			first[d], r.hasTCP = true, true
			f[0], f[1], f[2] = float64(p.TCPWindow), float64(p.TCPSeq), float64(p.TSVal)
		}
		if !syn[d] && p.TCPFlags&trace.SYN != 0 {
			syn[d] = true
			f[3], f[4], f[5] = float64(p.MSS), float64(p.WindowScale), 0
			if p.SACKPermit {
				f[5] = 1
			}
		}
		if syn[0] && syn[1] {
			break
		}
	}
}

// The shape of a capture: logarithms of packets and bytes of each direction and of the duration; shares of the packets in
// ten sizes for each direction, in eight gaps; the share of the bytes at eight points of the packets' order.
const (
	shapeSizes = 10
	shapeGaps  = 8
	shapeCurve = 8
)

func (r *auditRow) readShape(t *trace.Trace) {
	var bytes [3]float64
	sizes, gaps, curve := make([]float64, 3*shapeSizes), make([]float64, shapeGaps), make([]float64, shapeCurve)
	sum, last := 0.0, int64(0)
	total := float64(max(1, r.Bytes()))
	for i := range t.Packets {
		p := &t.Packets[i]
		d := min(p.Direction, trace.Down)
		r.sizes[d]++
		bytes[d] += float64(p.PayloadBytes)
		bin := min((int(p.PayloadBytes)+162)/163, shapeSizes-1) // 0, then steps of 163 bytes up to 1467 and beyond
		sizes[int(d)*shapeSizes+bin]++
		if i > 0 {
			gap := 0
			for us := max(0, p.Time-last); us >= 10 && gap < shapeGaps-1; us /= 10 {
				gap++
			}
			gaps[gap]++
		}
		last = max(last, p.Time)
		sum += float64(p.PayloadBytes)
		if at := (i + 1) * shapeCurve / len(t.Packets); at > i*shapeCurve/len(t.Packets) {
			for k := i * shapeCurve / len(t.Packets); k < at; k++ {
				curve[k] = sum / total
			}
		}
	}
	r.shape = append(r.shape, math.Log1p(float64(max(0, r.DurationUS))))
	for d := range bytes {
		r.shape = append(r.shape, math.Log1p(bytes[d]), math.Log1p(float64(r.sizes[d])))
	}
	share := func(counts []float64, n int64) {
		for _, v := range counts {
			r.shape = append(r.shape, v/float64(max(1, n)))
		}
	}
	for d, n := range r.sizes {
		share(sizes[d*shapeSizes:(d+1)*shapeSizes], n)
	}
	share(gaps, int64(len(t.Packets))-1)
	r.shape = append(r.shape, curve...)
}

// clocked reports whether the capture's start is a point in time: pcaps whose clock was removed begin at 0.
func (r *auditRow) clocked() bool { return r.StartUS >= (24 * time.Hour).Microseconds() }

// file is the source without the name of one of several captures in it.
func (r *auditRow) file() string {
	name, _, _ := strings.Cut(r.Source, "#")
	return name
}

package capture

import (
	"net/netip"

	"earshot/data/trace"
)

// Rule says which addresses are clients, servers, or both. A packet goes up when its sender is the client of its
// connection. Addresses on no list leave their packets' direction unknown; when both lists are empty, the client of each
// connection is guessed (see guess) and Report.Guessed is set.
type Rule struct{ Clients, Servers []netip.Prefix }

func (r Rule) empty() bool { return len(r.Clients) == 0 && len(r.Servers) == 0 }

// client tells which end of a connection is the client: +1 a, -1 b, 0 neither list decides.
func (r Rule) client(a, b netip.Addr) int {
	c := count(r.Clients, a) - count(r.Clients, b) - count(r.Servers, a) + count(r.Servers, b)
	return max(-1, min(1, c))
}

func count(list []netip.Prefix, a netip.Addr) int {
	if contains(list, a) {
		return 1
	}
	return 0
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Assembler joins the records of one capture into a trace: times from the first record, one flow table for the whole
// capture, and directions. Its memory grows with the flows, not with the packets.
type Assembler struct {
	Flows  []trace.Flow
	Report Report // Link and Err are the caller's

	rule    Rule
	first   int64
	decided []bool // per flow: the client is known, or guessed
	index   map[flowKey]int32
	recent  [slots]int32           // flow numbers + 1 by a hash of both ends, to spare the map
	clients map[[2]netip.Addr]bool // by ordered pair of addresses: the first of them was the client of a flow with ports
}

// slots of the short memory: 4 KiB of the first-level cache.
const slots = 1024

// flowKey is a 5-tuple, the same in both directions.
type flowKey struct {
	low, high netip.AddrPort
	protocol  uint8
}

// NewAssembler starts a trace.
func NewAssembler(rule Rule) *Assembler {
	return &Assembler{rule: rule, index: map[flowKey]int32{}, clients: map[[2]netip.Addr]bool{}}
}

// Add takes the next record and returns it as a packet of the trace. Clocks may step back: the first packet is the first
// record, and Report holds the smallest and the largest time.
func (a *Assembler) Add(r *Record) trace.Packet {
	rep := &a.Report
	if rep.Records == 0 {
		a.first, rep.FirstUS, rep.LastUS = r.UnixUS, r.UnixUS, r.UnixUS
	}
	rep.Records++
	if r.Damage != nil {
		if rep.Damaged++; rep.Damaged <= MaxNotes {
			rep.Notes = append(rep.Notes, r.Damage)
		}
	}
	rep.FirstUS, rep.LastUS = min(rep.FirstUS, r.UnixUS), max(rep.LastUS, r.UnixUS)
	p := r.Packet
	p.Time = r.UnixUS - a.first
	p.Direction, p.Flow = trace.Unknown, -1
	if !r.Decoded() {
		return p
	}
	rep.Decoded++
	if p.IPBytes > mtu {
		rep.Oversize++
	}
	p.Flow = a.flow(r)
	size := int64(p.PayloadBytes)
	switch {
	case !a.decided[p.Flow]:
		rep.PayloadUnknown += size
	case a.Flows[p.Flow].Client == r.Src:
		p.Direction = trace.Up
		rep.PayloadUp += size
	default:
		p.Direction = trace.Down
		rep.PayloadDown += size
	}
	return p
}

// Start is the time of the first record in Unix microseconds.
func (a *Assembler) Start() int64 { return a.first }

// mtu is the largest IP packet of an Ethernet; longer ones were joined by the receiver's or not yet split by the
// sender's network card.
const mtu = 1500

// flow finds or adds the flow of a decoded record.
func (a *Assembler) flow(r *Record) int32 {
	slot := &a.recent[slotOf(r)]
	if i := *slot - 1; i >= 0 {
		f := &a.Flows[i]
		if f.Protocol == r.Protocol && (f.Client == r.Src && f.Server == r.Dst || f.Client == r.Dst && f.Server == r.Src) {
			return i
		}
	}
	key := flowKey{r.Src, r.Dst, r.Protocol}
	if key.high.Compare(key.low) < 0 {
		key.low, key.high = key.high, key.low
	}
	i, ok := a.index[key]
	if !ok {
		i = int32(len(a.Flows))
		a.index[key] = i
		client, known := a.clientOf(r)
		f := trace.Flow{Client: r.Src, Server: r.Dst, Protocol: r.Protocol}
		if known && client < 0 {
			f.Client, f.Server = f.Server, f.Client
		}
		a.Flows = append(a.Flows, f)
		a.decided = append(a.decided, known)
	}
	*slot = i + 1
	return i
}

// slotOf hashes what is cheap to hash, the same in both directions. The slots need not tell all flows apart.
func slotOf(r *Record) uint16 {
	h := r.Src.Port() ^ r.Dst.Port()
	h ^= h>>10 ^ uint16(r.Protocol)<<5
	if r.Src.Addr().Is4() {
		h ^= 1 << 8
	}
	return h % slots
}

// clientOf decides who the client of a new flow is: +1 the record's sender, -1 its receiver.
func (a *Assembler) clientOf(r *Record) (client int, known bool) {
	if !a.rule.empty() {
		client = a.rule.client(r.Src.Addr(), r.Dst.Addr())
		return client, client != 0
	}
	a.Report.Guessed = true
	pair := [2]netip.Addr{r.Src.Addr(), r.Dst.Addr()}
	client = guess(r)
	if client == 0 { // what earlier connections of the two hosts showed
		switch {
		case a.clients[pair]:
			client = 1
		case a.clients[[2]netip.Addr{pair[1], pair[0]}]:
			client = -1
		default:
			client = guessHosts(pair[0], pair[1])
		}
		return client, true
	}
	if client < 0 {
		pair[0], pair[1] = pair[1], pair[0]
	}
	if !a.clients[[2]netip.Addr{pair[1], pair[0]}] {
		a.clients[pair] = true
	}
	return client, true
}

// guess tells the client of a connection by its first record: who sends the SYN, else the ports: a server's is below
// 1024, or at least below 32768 where clients of most systems begin, while the other's is not. 0: it cannot be told.
func guess(r *Record) int {
	if r.Protocol == protoTCP && r.TCPFlags&trace.SYN != 0 {
		if r.TCPFlags&trace.ACK != 0 {
			return -1
		}
		return 1
	}
	src, dst := r.Src.Port(), r.Dst.Port()
	for _, limit := range []uint16{1024, 32768} {
		if (src < limit) != (dst < limit) {
			if src < limit {
				return -1
			}
			return 1
		}
	}
	return 0
}

// guessHosts tells the client by the addresses: groups and broadcasts are no clients, a private address is one when the
// other is public; else it is the sender of the first packet.
func guessHosts(src, dst netip.Addr) int {
	for _, public := range []func(netip.Addr) bool{isGroup, func(a netip.Addr) bool { return !isLocal(a) }} {
		if s, d := public(src), public(dst); s != d {
			if s {
				return -1
			}
			return 1
		}
	}
	return 1
}

func isGroup(a netip.Addr) bool {
	return a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

func isLocal(a netip.Addr) bool { return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() }

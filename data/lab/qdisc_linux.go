package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// qdiscs are the kernel's queueing disciplines that take work off the relay. They stand where frames leave it: a packet is late or lost
// first and waits in front of the line then, as in the relay itself (see shaper).
type qdiscs struct {
	tbf   bool // the line, where its rate is fixed and nobody else is on it
	netem bool // delay, jitter, loss
}

func (q qdiscs) String() string {
	var names []string
	if q.tbf {
		names = append(names, "tbf")
	}
	if q.netem {
		names = append(names, "netem")
	}
	if names == nil {
		return ShaperUser
	}
	return strings.Join(names, "+")
}

// kernelQdiscs says which of Shapers this kernel can be: what works for ShaperAuto, exactly those that are named otherwise.
func kernelQdiscs(shaper string) (qdiscs, error) {
	want := qdiscs{strings.Contains(shaper, "tbf"), strings.Contains(shaper, "netem")}
	if shaper == ShaperUser {
		return want, nil
	}
	have := qdiscs{}
	ns, err := newNamespace()
	if err != nil {
		return have, err
	}
	defer ns.close()
	for _, q := range []struct {
		have *bool
		only qdiscs
	}{{&have.tbf, qdiscs{tbf: true}}, {&have.netem, qdiscs{netem: true}}} {
		_, err := q.only.install(ns, "lo", Lane{Rate: 1e6, Queue: 1 << 16, Delay: 1e6}, 1)
		if *q.have = err == nil; err != nil && shaper != ShaperAuto && !errors.Is(err, unix.ENOENT) {
			return have, err
		}
	}
	if shaper == ShaperAuto {
		return have, nil
	}
	for _, q := range []struct {
		name       string
		want, have bool
	}{{"tbf", want.tbf, have.tbf}, {"netem", want.netem, have.netem}} {
		if q.want && !q.have {
			return have, fmt.Errorf("this kernel has no %s; load it (modprobe sch_%[1]s), or take --shaper %s", q.name, have)
		}
	}
	return want, nil
}

// install puts what the kernel does of a lane at the exit of an interface, in place of what was there, and returns what is left to do.
// netem draws the same for the same seed since Linux 6.6; older ones draw afresh.
func (q qdiscs) install(ns *namespace, iface string, l Lane, seed uint64) (rest Lane, err error) {
	if q == (qdiscs{}) {
		return l, nil
	}
	h, err := ns.netlink()
	if err != nil {
		return l, err
	}
	defer h.Close()
	dev, err := h.LinkByName(iface)
	if err != nil {
		return l, fmt.Errorf("link %s: %w", iface, err)
	}
	at := netlink.QdiscAttrs{LinkIndex: dev.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
	err = h.QdiscDel(&netlink.GenericQdisc{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: at.LinkIndex, Parent: netlink.HANDLE_ROOT}})
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) { // these two: the interface had none
		return l, fmt.Errorf("link %s: %w", iface, err)
	}
	if q.netem && (l.Delay > 0 || l.Jitter > 0 || l.Loss > 0) {
		if err := ns.do(func() error { return addNetem(at, l, seed) }); err != nil {
			return l, fmt.Errorf("link %s: netem: %w", iface, err)
		}
		l.Delay, l.Jitter, l.Loss = 0, 0, 0
		at.Handle, at.Parent = netlink.MakeHandle(2, 0), netlink.MakeHandle(1, 1)
	}
	if q.tbf && l.Rate > 0 && l.Log == nil && l.Cross == 0 {
		rate := uint64(l.Rate / 8)
		err := h.QdiscAdd(&netlink.Tbf{
			QdiscAttrs: at, Rate: rate, Limit: uint32(l.Queue),
			// Two packets at once, or what a millisecond takes: the timer of a faster line would wake for every packet.
			Buffer: netlink.Xmittime(rate, uint32(max(2*frameBytes, rate/1000))),
		})
		if err != nil {
			return l, fmt.Errorf("link %s: tbf: %w", iface, err)
		}
		l.Rate, l.Queue = 0, 0
	}
	return l, nil
}

// frameBytes is the size of the largest frame.
const frameBytes = mtu + 14

// netem's own attribute and scale, see linux/pkt_sched.h.
const (
	netemSeed    = 14   // TCA_NETEM_PRNG_SEED
	netemScale   = 8192 // of a distribution's standard deviation
	netemEntries = 4096 // of its table
	netemPackets = 1 << 20
)

// addNetem makes a netem with the delays of a normal distribution. It has a rate, too, far above every line's: with one, netem
// keeps packets in order.
func addNetem(at netlink.QdiscAttrs, l Lane, seed uint64) error {
	q := netlink.NewNetem(at, netlink.NetemQdiscAttrs{Latency: uint32(l.Delay.Microseconds()), Jitter: uint32(l.Jitter.Microseconds()), Limit: netemPackets})
	q.Loss = uint32(l.Loss * math.MaxUint32)
	opt := nl.TcNetemQopt{Latency: q.Latency, Jitter: q.Jitter, Limit: q.Limit, Loss: q.Loss}
	options := nl.NewRtAttr(nl.TCA_OPTIONS, opt.Serialize())
	options.AddRtAttr(nl.TCA_NETEM_RATE, (&nl.TcNetemRate{Rate: math.MaxUint32}).Serialize())
	if l.Jitter > 0 {
		options.AddRtAttr(nl.TCA_NETEM_DELAY_DIST, normalTable())
	}
	options.AddRtAttr(netemSeed, binary.NativeEndian.AppendUint64(nil, seed))
	req := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(at.LinkIndex), Handle: at.Handle, Parent: at.Parent})
	req.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated(q.Type())))
	req.AddData(options)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// normalTable is the inverse of the normal distribution, as netem reads it.
func normalTable() []byte {
	var b []byte
	for i := range netemEntries {
		z := math.Sqrt2 * math.Erfinv((2*float64(i)+1)/netemEntries-1)
		b = binary.NativeEndian.AppendUint16(b, uint16(int16(math.Round(netemScale*z))))
	}
	return b
}

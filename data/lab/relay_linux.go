package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// relay carries frames between two interfaces of a namespace that does nothing else, as a network does: late, one by one, and
// not all of them; what the kernel can do of that, it leaves to the kernel. It works on frames, so that the two hosts are neighbors and their own stacks do the rest.
type relay struct {
	began  time.Time
	lanes  [2]*relayLane // down: server to client; up
	wait   sync.WaitGroup
	settle time.Duration // how long a frame is on the way at most in the network in force, but for those in front of its line
	qdiscs
}

// relayLane is one direction: a reader that asks the shaper and a writer that waits for the time.
type relayLane struct {
	from, to *relayPort
	ns       *namespace // of both
	queue    chan relayFrame

	mu     sync.Mutex
	shaper *shaper
	shapes atomic.Int64 // networks that were in force; their number is that of the one that is
}

type relayFrame struct {
	at    time.Duration
	shape int64 // number of the network that said so
	bytes []byte
}

// relayPort is a packet socket with virtio headers: they hand over that the sender left its checksum to the
// hardware, which a copy of the bytes alone would not say.
type relayPort struct {
	file *os.File
	conn syscall.RawConn
}

// vnetHeader is the length of struct virtio_net_hdr, which is in front of every frame.
const vnetHeader = 10

// newRelay joins interfaces client and server of the namespace, with the help of the kernel's q. Until shape is called it carries nothing.
func newRelay(ns *namespace, client, server string, q qdiscs) (*relay, error) {
	r := &relay{began: time.Now(), qdiscs: q}
	c, err := newRelayPort(ns, client)
	if err != nil {
		return nil, err
	}
	s, err := newRelayPort(ns, server)
	if err != nil {
		c.file.Close()
		return nil, err
	}
	r.lanes = [2]*relayLane{{from: s, to: c, ns: ns}, {from: c, to: s, ns: ns}}
	for _, l := range r.lanes {
		l.queue = make(chan relayFrame, 1<<14)
		r.wait.Go(func() { l.read(r.began) })
		r.wait.Go(func() { l.write(r.began) })
	}
	return r, nil
}

func newRelayPort(ns *namespace, iface string) (*relayPort, error) {
	p := &relayPort{}
	err := ns.do(func() error {
		dev, err := net.InterfaceByName(iface)
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		p.file = os.NewFile(uintptr(fd), iface)
		for _, o := range []struct{ level, name, value int }{
			{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1},
			{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
			{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16 << 20},
		} {
			if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
				return os.NewSyscallError("setsockopt", err)
			}
		}
		protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
		if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: dev.Index}); err != nil {
			return os.NewSyscallError("bind", err)
		}
		p.conn, err = p.file.SyscallConn()
		return err
	})
	if err != nil {
		if p.file != nil {
			p.file.Close()
		}
		return nil, fmt.Errorf("relay: %s: %w", iface, err)
	}
	return p, nil
}

// shape puts a network in force. The same seed loses the same packets of the same sequence. What is on its way by then, the end of a
// connection above all, arrives first; what still waits in front of a line, for minutes where a bandwidth log has an outage, follows at once,
// or is lost where the kernel keeps the queue.
func (r *relay) shape(n Network, seed uint64) error {
	time.Sleep(min(r.settle, time.Second))
	r.settle = 0
	for i, lane := range []Lane{n.Down, n.Up} {
		r.settle = max(r.settle, lane.Delay+4*lane.Jitter)
		l := r.lanes[i]
		// What waits in the kernel counts as unsent: packets of headers alone take several times their size.
		room := min(max(16<<20, 4*lane.Queue), math.MaxInt32/2)
		rest, err := r.install(l.ns, l.to.file.Name(), lane, seed+uint64(i))
		if err == nil {
			e := l.to.conn.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, room) })
			err = errors.Join(e, err)
		}
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		s := newShaper(rest, seed+uint64(i))
		s.start(time.Since(r.began))
		l.mu.Lock()
		l.shaper = s
		l.shapes.Add(1)
		l.mu.Unlock()
	}
	return nil
}

// read hands frames to the shaper as they arrive, until the port is closed.
func (l *relayLane) read(began time.Time) {
	defer close(l.queue)
	buf := make([]byte, 1<<16+256)
	for {
		var n int
		var err error
		wait := l.from.conn.Read(func(fd uintptr) bool {
			n, err = unix.Read(int(fd), buf)
			return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
		})
		if wait != nil {
			return
		}
		if err != nil || n <= vnetHeader {
			continue // the link was down for a moment
		}
		now := time.Since(began)
		l.mu.Lock()
		s, shape := l.shaper, l.shapes.Load()
		at, ok := time.Duration(0), false
		if s != nil {
			at, ok = s.enter(now, n-vnetHeader)
		}
		l.mu.Unlock()
		if !ok {
			continue
		}
		select {
		case l.queue <- relayFrame{at, shape, append([]byte(nil), buf[:n]...)}:
		default: // the machine does not keep up: lost, as on a router
		}
	}
}

// relayPatience is how long the writer waits before it looks whether the network is still the one that told it to.
const relayPatience = 20 * time.Millisecond

// write puts frames on the other link at their time, or as soon as their network is over.
func (l *relayLane) write(began time.Time) {
	runtime.LockOSThread() // for good: the thread, whose timers are exact now, ends with the lane
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	for f := range l.queue {
		for f.shape == l.shapes.Load() {
			d := f.at - time.Since(began)
			if d <= 0 {
				break
			}
			// Not time.Sleep, which may take a millisecond more.
			ts := unix.NsecToTimespec(int64(min(d, relayPatience)))
			for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, &ts) == unix.EINTR {
			}
		}
		l.to.conn.Write(func(fd uintptr) bool {
			unix.Write(int(fd), f.bytes) // a frame that the link does not take is lost
			return true
		})
	}
}

func (r *relay) close() error {
	if r == nil {
		return nil
	}
	err := errors.Join(r.lanes[0].from.file.Close(), r.lanes[1].from.file.Close())
	for _, l := range r.lanes {
		l.shapes.Add(1) // the writers need not wait for what is in their queues
	}
	r.wait.Wait()
	return err
}

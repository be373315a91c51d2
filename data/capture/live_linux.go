package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// liveBuffer is what the system may hold for us: half a second at 500 Mbit/s.
	liveBuffer = 32 << 20
	// liveFrame is the largest frame: 64 KiB of IP behind segmentation offload, and link headers.
	liveFrame = 1<<16 + 256
)

// liveSocket is a packet socket (packet(7)) as a container.
type liveSocket struct {
	file    *os.File
	conn    syscall.RawConn
	link    uint32
	unit    int  // the interface's MTU
	loop    bool // the loopback
	out     bool // the latest frame was sent by this machine
	frame   []byte
	control []byte
	lost    int64
}

func openSocket(iface string, f Filter) (*liveSocket, error) {
	dev, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("no such network interface; there are %s", interfaceNames())
	}
	// Protocol 0: nothing arrives before the socket is bound to the interface, so that no other's packets are in it.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) {
		return nil, errors.New("no permission to capture; run as root or give the program CAP_NET_RAW")
	}
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s := &liveSocket{file: os.NewFile(uintptr(fd), iface), frame: make([]byte, liveFrame), control: make([]byte, 256), link: linkEthernet}
	if dev.HardwareAddr == nil && dev.Flags&net.FlagLoopback == 0 {
		s.link = linkRaw // a tunnel: frames begin with the IP header
	}
	s.unit, s.loop = dev.MTU, dev.Flags&net.FlagLoopback != 0
	s.conn, err = s.file.SyscallConn()
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
	if err == nil && !f.empty() {
		err = attach(fd, f, s.link)
	}
	if err == nil && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, liveBuffer) != nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, liveBuffer)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: dev.Index})
	}
	if err != nil {
		s.file.Close()
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	return s, nil
}

// attach gives the kernel the filter, before the socket is bound and the first packet can arrive.
func attach(fd int, f Filter, link uint32) error {
	ip := uint32(0)
	if link == linkEthernet {
		ip = 14
	}
	code, err := f.compile(ip)
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	program := make([]unix.SockFilter, len(code))
	for i, c := range code {
		program[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	return nil
}

func interfaceNames() string {
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		return "none"
	}
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Name
	}
	return strings.Join(names, ", ")
}

func (s *liveSocket) sent() bool       { return s.out }
func (s *liveSocket) mtu() int         { return s.unit }
func (s *liveSocket) linkType() uint32 { return s.link }

func htons(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// next waits for a frame. Once the socket is stopped it returns frames that are there already, then io.EOF.
func (s *liveSocket) next(r *raw) error {
	var err error
	wait := s.conn.Read(func(fd uintptr) bool {
		err = s.receive(int(fd), r)
		return !errors.Is(err, unix.EAGAIN)
	})
	if errors.Is(wait, os.ErrDeadlineExceeded) {
		wait = s.conn.Control(func(fd uintptr) { err = s.receive(int(fd), r) })
		if errors.Is(err, unix.EAGAIN) {
			return io.EOF
		}
	}
	if errors.Is(wait, os.ErrClosed) {
		return io.EOF
	}
	return errors.Join(wait, err)
}

// receive takes one frame, its length on the wire and the kernel's time stamp.
func (s *liveSocket) receive(fd int, r *raw) error {
	for {
		n, nc, _, from, err := unix.Recvmsg(fd, s.frame, s.control, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if s.out = ok && ll.Pkttype == unix.PACKET_OUTGOING; s.out && s.loop {
			continue
		}
		r.link, r.length, r.bytes = s.link, int64(n), s.frame[:min(n, len(s.frame))]
		r.size = int64(len(r.bytes))
		r.unixUS, err = stamp(s.control[:nc])
		return err
	}
}

// stamp reads the time of arrival out of the control messages.
func stamp(control []byte) (unixUS int64, err error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, fmt.Errorf("time stamp: %w", err)
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMPNS || len(m.Data) < 16 {
			continue
		}
		sec, nsec := binary.NativeEndian.Uint64(m.Data), binary.NativeEndian.Uint64(m.Data[8:])
		return int64(sec)*1_000_000 + int64(nsec)/1000, nil
	}
	return 0, errors.New("time stamp: the system gave none")
}

// stop makes the waiting next end; the deadline lies in the past for good.
func (s *liveSocket) stop() {
	s.file.SetReadDeadline(time.Unix(1, 0))
}

func (s *liveSocket) close() error { return s.file.Close() }

// drops adds up PACKET_STATISTICS, which the kernel sets back at every look.
func (s *liveSocket) drops() (int64, error) {
	var err error
	wait := s.conn.Control(func(fd uintptr) {
		var st *unix.TpacketStats
		if st, err = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			s.lost += int64(st.Drops)
		}
	})
	return s.lost, errors.Join(wait, err)
}

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

// liveSocket is a packet socket (packet(7)) as a container.
type liveSocket struct {
	file    *os.File
	conn    syscall.RawConn
	link    uint32
	unit    int  // the interface's MTU
	loop    bool // the loopback
	out     bool // the latest frame was sent by this machine
	ring    *ring
	scratch []byte // a frame whose VLAN tag was put back
	ended   bool
	lost    int64
}

func openSocket(iface string, f Filter, buffer int) (*liveSocket, error) {
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
	s := &liveSocket{file: os.NewFile(uintptr(fd), iface), link: linkEthernet}
	if dev.HardwareAddr == nil && dev.Flags&net.FlagLoopback == 0 {
		s.link = linkRaw // a tunnel: frames begin with the IP header
	}
	s.unit, s.loop = dev.MTU, dev.Flags&net.FlagLoopback != 0
	s.conn, err = s.file.SyscallConn()
	if err == nil && !f.empty() {
		err = attach(fd, f, s.link)
	}
	if err == nil {
		s.ring, err = newRing(fd, buffer)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: dev.Index})
	}
	if err != nil {
		s.close()
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
	r.link = s.link
	for {
		at, ok := s.ring.next()
		for !ok {
			if s.ended {
				return io.EOF
			}
			err := s.conn.Read(func(uintptr) bool { at, ok = s.ring.next(); return ok })
			switch {
			case errors.Is(err, os.ErrDeadlineExceeded):
				// Stopped, and nothing more comes in: the block that the kernel still fills is ours after its time.
				time.Sleep(3 * blockMillis * time.Millisecond)
				s.ended = true
				at, ok = s.ring.next()
			case errors.Is(err, os.ErrClosed):
				return io.EOF
			case err != nil:
				return err
			}
		}
		if s.out = s.ring.frame(at, r, &s.scratch); !s.out || !s.loop {
			return nil
		}
	}
}

// stop makes the kernel pass nothing more, and the waiting next end; the deadline lies in the past for good.
func (s *liveSocket) stop() {
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	s.conn.Control(func(fd uintptr) { // fails on a closed socket only
		unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	})
	s.file.SetReadDeadline(time.Unix(1, 0))
}

func (s *liveSocket) close() error {
	err := s.file.Close()
	if s.ring != nil {
		err = errors.Join(err, s.ring.close())
	}
	return err
}

// drops adds up PACKET_STATISTICS, which the kernel sets back at every look.
func (s *liveSocket) drops() (int64, error) {
	var err error
	wait := s.conn.Control(func(fd uintptr) {
		var st *unix.TpacketStatsV3
		if st, err = unix.GetsockoptTpacketStatsV3(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			s.lost += int64(st.Drops)
		}
	})
	return s.lost, errors.Join(wait, err)
}

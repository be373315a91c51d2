package capture

import "fmt"

// Live reads the packets of a network interface as they pass, both directions, frames whole. It is a Reader whose Next waits for
// the next packet; after Stop it returns what the system had taken before, and then io.EOF. On the loopback, where the
// system shows each packet on its way out and again on its way in, only the way in is read.
type Live struct {
	Reader
	socket *liveSocket
}

// OpenLive opens an interface by its name in the network namespace of the calling thread. It needs Linux and the right to open
// packet sockets (root, or CAP_NET_RAW).
func OpenLive(iface string) (*Live, error) {
	return OpenLiveFiltered(iface, Filter{}, LiveBuffer)
}

// LiveBuffer is how much the system may hold for us by default: a third of a second at 400 Mbit/s. It is taken from the
// system's memory for each open interface.
const LiveBuffer = 16 << 20

// OpenLiveFiltered is OpenLive for the packets that pass a filter, with a buffer of so many bytes.
func OpenLiveFiltered(iface string, f Filter, buffer int) (*Live, error) {
	s, err := openSocket(iface, f, buffer)
	if err != nil {
		return nil, fmt.Errorf("capture: %s: %w", iface, err)
	}
	l := &Live{Reader: Reader{name: iface, file: s}, socket: s}
	l.closers = append(l.closers, s.close)
	return l, nil
}

// Stop ends the capture: packets that pass later are not read. It may be called from any goroutine, more than once.
func (l *Live) Stop() { l.socket.stop() }

// Drops counts the packets that passed and were lost because nobody read them in time.
func (l *Live) Drops() (int64, error) {
	n, err := l.socket.drops()
	if err != nil {
		return n, fmt.Errorf("capture: %s: packets lost: %w", l.name, err)
	}
	return n, nil
}

// NextFrame is Next with the packet's bytes as they were captured, which stay valid until the next call, and whether this
// machine sent them.
func (l *Live) NextFrame(p *Record) (frame []byte, sent bool, err error) {
	if err := l.Next(p); err != nil {
		return nil, false, err
	}
	return l.raw.bytes, l.socket.sent(), nil
}

// LinkType is the LINKTYPE_ number of the frames.
func (l *Live) LinkType() uint32 { return l.socket.linkType() }

// MTU is the largest IP packet that the interface sends; larger ones were captured behind offload.
func (l *Live) MTU() int { return l.socket.mtu() }

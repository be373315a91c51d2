package capture

import "fmt"

// Live reads the packets of a network interface as they pass, both directions, frames whole. It is a Reader whose Next waits for
// the next packet; after Stop it returns what the system had taken before, and then io.EOF.
type Live struct {
	Reader
	socket *liveSocket
}

// OpenLive opens an interface by its name in the network namespace of the calling thread. It needs Linux and the right to open
// packet sockets (root, or CAP_NET_RAW).
func OpenLive(iface string) (*Live, error) {
	s, err := openSocket(iface)
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

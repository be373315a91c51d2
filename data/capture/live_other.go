//go:build !linux

package capture

import (
	"errors"
	"io"
)

// liveSocket is Linux's.
type liveSocket struct{}

func openSocket(string, Filter, int) (*liveSocket, error) {
	return nil, errors.New("live capture needs Linux; record with tcpdump or Wireshark and import the file")
}

func (*liveSocket) next(*raw) error       { return io.EOF }
func (*liveSocket) sent() bool            { return false }
func (*liveSocket) mtu() int              { return 0 }
func (*liveSocket) linkType() uint32      { return 0 }
func (*liveSocket) stop()                 {}
func (*liveSocket) close() error          { return nil }
func (*liveSocket) drops() (int64, error) { return 0, nil }

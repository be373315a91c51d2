package capture

import (
	"io"
	"net"
	"strings"
	"testing"
)

func TestLive(t *testing.T) {
	l, err := OpenLive("lo")
	if err != nil && strings.Contains(err.Error(), "no permission") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	to, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from, err := net.Dial("udp4", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	port := uint16(to.LocalAddr().(*net.UDPAddr).Port)
	for i := range 10 {
		if _, err := from.Write(make([]byte, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
	l.Stop()
	l.Stop()
	var (
		r    Record
		got  = map[int32]int{}
		last int64
	)
	for {
		err := l.Next(&r)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Dst.Port() != port {
			continue // other programs of the machine
		}
		if r.Protocol != protoUDP || r.IPBytes != r.PayloadBytes+28 || r.FrameBytes != r.IPBytes+14 {
			t.Errorf("packet %+v", r)
		}
		if r.UnixUS < last {
			t.Errorf("time %d after %d", r.UnixUS, last)
		}
		last = r.UnixUS
		got[r.PayloadBytes]++
	}
	for i := range int32(10) {
		if n := got[100+i]; n != 1 { // not on its way out and again on its way in
			t.Errorf("payload of %d bytes: seen %d times, want 1", 100+i, n)
		}
	}
	if n, err := l.Drops(); n != 0 || err != nil {
		t.Errorf("drops %d, %v", n, err)
	}
}

func TestLiveNoInterface(t *testing.T) {
	_, err := OpenLive("nothing0")
	if err == nil || !strings.Contains(err.Error(), "capture: nothing0: no such network interface") {
		t.Errorf("got %v", err)
	}
}

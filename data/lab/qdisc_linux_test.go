package lab

import (
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// allQdiscs are what the kernel has.
func allQdiscs(t *testing.T) qdiscs {
	t.Helper()
	q, err := kernelQdiscs(ShaperAuto)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// eachShaper runs a test on a rig of each of Shapers that this kernel can be.
func eachShaper(t *testing.T, test func(t *testing.T, r *rig)) {
	needRoot(t)
	cert, _, err := newCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, shaper := range Shapers[1:] {
		t.Run(shaper, func(t *testing.T) {
			q, err := kernelQdiscs(shaper)
			if err != nil {
				t.Skip(err)
			}
			r, err := newRig(0, cert, q)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			test(t, r)
		})
	}
}

func TestKernelQdiscs(t *testing.T) {
	needRoot(t)
	all := allQdiscs(t)
	for _, shaper := range Shapers[1:] {
		q, err := kernelQdiscs(shaper)
		if missing := strings.Contains(shaper, "tbf") && !all.tbf || strings.Contains(shaper, "netem") && !all.netem; missing != (err != nil) || err == nil && q.String() != shaper {
			t.Errorf("%s of %s: %s, %v", shaper, all, q, err)
		}
	}
	t.Logf("this kernel has %s", all)
}

// TestShaperLink measures a line's rate with a transfer that takes a second on it.
func TestShaperLink(t *testing.T) {
	eachShaper(t, func(t *testing.T, r *rig) {
		if err := r.relay.shape(Network{Down: lane(8e6, 5*time.Millisecond, 0, 0), Up: lane(8e6, 5*time.Millisecond, 0, 0)}, 1); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		send(t, r, 1_000_000)
		// 1,000,000 bytes and 4.5 % of headers at 8 Mbit/s take 1.05 s; a loaded machine may take longer, never shorter.
		took := time.Since(began)
		if took < 1040*time.Millisecond || took > 4*time.Second {
			t.Errorf("%v for a megabyte at 8 Mbit/s", took)
		}
		t.Logf("%v for a megabyte at 8 Mbit/s", took)
	})
}

// probe is a datagram's way from server to client.
type probe struct {
	number        int
	sent, arrived time.Duration
}

// probes sends n datagrams of a size, one every gap, and returns those that arrived.
func probes(t *testing.T, r *rig, n, bytes int, gap time.Duration) (out []probe) {
	t.Helper()
	var from, to net.PacketConn
	if err := r.server.do(func() (err error) { from, err = net.ListenPacket("udp4", serverAddr+":6000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if err := r.client.do(func() (err error) { to, err = net.ListenPacket("udp4", clientAddr+":5000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	at := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(clientAddr + ":5000"))
	to.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 2000)
	for i := 0; ; i++ { // until address resolution is done; nothing of it may be in the way afterwards
		from.WriteTo([]byte{0}, at)
		to.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, _, err := to.ReadFrom(b); err == nil {
			break
		} else if i == 20 {
			t.Fatal(err)
		}
	}
	began := time.Now()
	go func() {
		p := make([]byte, bytes)
		for i := range n {
			time.Sleep(time.Duration(i)*gap - time.Since(began))
			binary.NativeEndian.PutUint64(p, uint64(i))
			binary.NativeEndian.PutUint64(p[8:], uint64(time.Since(began)))
			from.WriteTo(p, at)
		}
		time.Sleep(500 * time.Millisecond)
		for range 20 { // the end; one of them arrives
			from.WriteTo([]byte{0}, at)
		}
	}()
	to.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		m, _, err := to.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if m == bytes {
			out = append(out, probe{int(binary.NativeEndian.Uint64(b)), time.Duration(binary.NativeEndian.Uint64(b[8:])), time.Since(began)})
		} else if len(out) > 0 {
			return out
		}
	}
}

// moments are mean and standard deviation.
func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x))
	}
	return mean, math.Sqrt(sd)
}

// quartiles are the median and the distance of the quartiles, which a machine that stands still for a moment does not change.
func quartiles(x []float64) (median, spread float64) {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return x[n/2], x[3*n/4] - x[n/4]
}

// TestShaperWay holds delay, jitter and loss of a link against those of the shaper by itself, whoever makes them. Packets stay in order.
func TestShaperWay(t *testing.T) {
	const n, gap = 500, 5 * time.Millisecond
	l := Lane{Delay: 20 * time.Millisecond, Jitter: 4 * time.Millisecond, Loss: 0.1}
	s, ideal := newShaper(l, 1), []float64{}
	for i := range 100_000 {
		if at, ok := s.enter(time.Duration(i)*gap, 100); ok {
			ideal = append(ideal, float64(at-time.Duration(i)*gap)/1e6)
		}
	}
	wantMedian, wantSpread := quartiles(ideal)
	eachShaper(t, func(t *testing.T, r *rig) {
		if err := r.relay.shape(Network{Down: l}, 1); err != nil {
			t.Fatal(err)
		}
		var ms []float64
		last := time.Duration(0)
		for _, p := range probes(t, r, n, 100, gap) {
			if p.sent < last {
				t.Error("the order changed")
			}
			last = p.sent
			ms = append(ms, float64(p.arrived-p.sent)/1e6)
		}
		median, spread := quartiles(ms)
		// Bounds below are those of chance; above, of a machine that does something else meanwhile, too.
		if median < wantMedian-1 || median > wantMedian+8 || spread < 0.7*wantSpread || spread > 4*wantSpread {
			t.Errorf("delay %.2f ms, quartiles %.2f apart; want %.2f, %.2f apart", median, spread, wantMedian, wantSpread)
		}
		if lost := n - len(ms); math.Abs(float64(lost)-0.1*n) > 5*math.Sqrt(0.09*n) {
			t.Errorf("%d of %d lost, want a tenth", lost, n)
		}
		t.Logf("delay %.2f ms, quartiles %.2f apart; want %.2f, %.2f apart; %d of %d lost", median, spread, wantMedian, wantSpread, n-len(ms), n)
	})
}

// TestShaperLine sends packets faster than the line takes them: they arrive at its rate, and those that its queue has no room for are lost.
func TestShaperLine(t *testing.T) {
	eachShaper(t, func(t *testing.T, r *rig) {
		// 1292 bytes take 2.584 ms at 4 Mbit/s; 600 packets come in 600 ms, 64 KiB wait.
		if err := r.relay.shape(Network{Down: Lane{Rate: 4e6, Queue: 64 << 10, Delay: 10 * time.Millisecond}}, 1); err != nil {
			t.Fatal(err)
		}
		const n, frame = 600, 1250 + 42
		took := time.Duration(frame * 8 * float64(time.Second) / 4e6)
		got := probes(t, r, n, 1250, time.Millisecond)
		var gaps []float64
		for i := 2; i < len(got); i++ { // two may come at once
			gaps = append(gaps, float64(got[i].arrived-got[i-1].arrived)/1e6)
		}
		mean, sd := moments(gaps)
		arrive := 600/2.584 + float64(64<<10)/frame
		if math.Abs(mean-took.Seconds()*1e3) > 0.05*took.Seconds()*1e3 || float64(len(got)) < 0.9*arrive || float64(len(got)) > 1.1*arrive {
			t.Errorf("packets %.3f ms apart, want %v; %d arrived, want %.0f", mean, took, len(got), arrive)
		}
		t.Logf("packets %.3f ± %.3f ms apart, want %v; %d arrived, want %.0f", mean, sd, took, len(got), arrive)
	})
}

// TestShaperOver: what waits in front of a slow line, for a minute and more here, keeps neither the next network back nor the end of the rig.
func TestShaperOver(t *testing.T) {
	eachShaper(t, func(t *testing.T, r *rig) {
		fill := func() {
			if err := r.relay.shape(Network{Down: Lane{Rate: 8e3, Queue: 64 << 10}}, 1); err != nil {
				t.Fatal(err)
			}
			var from net.PacketConn
			if err := r.server.do(func() (err error) { from, err = net.ListenPacket("udp4", serverAddr+":6001"); return err }); err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			for range 60 {
				from.WriteTo(make([]byte, 1000), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(clientAddr+":5001")))
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err := r.relay.shape(Network{}, 1); err != nil {
			t.Fatal(err)
		}
		probes(t, r, 1, 100, 0) // address resolution
		fill()
		if err := r.relay.shape(Network{}, 1); err != nil {
			t.Fatal(err)
		}
		if p := probes(t, r, 1, 100, 0); len(p) != 1 || p[0].arrived-p[0].sent > time.Second {
			t.Errorf("behind the packets of an earlier network: %+v", p)
		}
		fill()
		began := time.Now()
		if err := r.close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v to take a rig apart", took)
		}
	})
}

// TestShaperSeeds: the same seed loses the same packets, another one others. netem takes a seed since Linux 6.6.
func TestShaperSeeds(t *testing.T) {
	eachShaper(t, func(t *testing.T, r *rig) {
		arrived := func(l Lane, seed uint64) (numbers []int) {
			if err := r.relay.shape(Network{Down: l}, seed); err != nil {
				t.Fatal(err)
			}
			for _, p := range probes(t, r, 300, 100, time.Millisecond) {
				numbers = append(numbers, p.number)
			}
			return numbers
		}
		arrived(Lane{}, 1) // address resolution, too, is packets
		l := Lane{Delay: time.Millisecond, Loss: 0.1}
		a, b, c := arrived(l, 5), arrived(l, 5), arrived(l, 6)
		var u unix.Utsname
		if err := unix.Uname(&u); err != nil {
			t.Fatal(err)
		}
		var major, minor int
		fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
		if seeds := major > 6 || major == 6 && minor >= 6; !slices.Equal(a, b) && (seeds || !r.relay.netem) {
			t.Errorf("the same seed: %d and %d of 300 arrived, not the same ones", len(a), len(b))
		}
		if slices.Equal(a, c) {
			t.Errorf("another seed lost the same %d packets", 300-len(a))
		}
	})
}

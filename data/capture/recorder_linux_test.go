package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace runs f on a thread of a new network namespace with the ends of a link named send and see, both up. The
// thread ends with f, and the namespace with it.
func inNamespace(t *testing.T, f func() error) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread is of no use afterwards
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "send", MTU: 1500, TxQLen: 1000}, PeerName: "see"})
		}
		for _, name := range []string{"send", "see"} {
			var l netlink.Link
			if err == nil {
				if l, err = netlink.LinkByName(name); err == nil {
					err = netlink.LinkSetUp(l)
				}
			}
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// sender puts frames on an interface.
func sender(iface string) (send func([]byte) error, err error) {
	l, err := netlink.LinkByName(iface)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	to := &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Protocol: htons(unix.ETH_P_ALL)}
	return func(b []byte) error {
		for {
			err := unix.Sendto(fd, b, 0, to)
			if err != unix.ENOBUFS { // the link's queue is full
				return err
			}
			time.Sleep(time.Millisecond)
		}
	}, nil
}

// ours tells the test's frames from what the system sends by itself: they come from and go to no hardware address.
func ours(frame []byte) bool { return bytes.Equal(frame[:12], make([]byte, 12)) }

// recordFrames records on see what is sent on send, and returns the complete files.
func recordFrames(o RecorderOptions, f Filter, frames [][]byte, pace time.Duration) (*Recorder, error) {
	live, err := OpenLiveFiltered("see", f, LiveBuffer)
	if err != nil {
		return nil, err
	}
	defer live.Close()
	o.Heading.Link, o.Heading.Interface, o.Heading.Filter = live.LinkType(), "see", f.String()
	out, err := NewRecorder(o)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- out.Run(live) }()
	send, err := sender("send")
	for _, b := range frames {
		if err == nil {
			err = send(b)
		}
		time.Sleep(pace)
	}
	live.Stop() // at once: what was sent is in the socket and must not be lost
	if e := <-done; err == nil {
		err = e
	}
	return out, err
}

// TestRecord: every frame that passes is in the file, byte for byte and in order, as our reader and tshark see it.
func TestRecord(t *testing.T) {
	frames := filterFrames()
	path := filepath.Join(t.TempDir(), "x.pcapng")
	var out *Recorder
	inNamespace(t, func() (err error) {
		out, err = recordFrames(RecorderOptions{Out: path, Heading: Heading{Authorized: "a test's own packets"}}, Filter{}, frames, 0)
		return err
	})
	if s := out.State(); s.Dropped != 0 || s.Packets < int64(len(frames)) || len(out.Files) != 1 || out.Files[0].Packets != s.Packets {
		t.Errorf("%+v %+v", s, out.Files)
	}
	st, err := os.Stat(path)
	if err != nil || st.Size() != out.Files[0].Bytes {
		t.Errorf("%v, %d bytes told", err, out.Files[0].Bytes)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, last := 0, int64(0)
	var p, want Record
	for {
		err := r.Next(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !ours(r.raw.bytes) {
			continue
		}
		if n == len(frames) || !bytes.Equal(r.raw.bytes, frames[n]) || r.raw.length != int64(len(frames[n])) {
			t.Fatalf("packet %d is %x", n+1, r.raw.bytes)
		}
		var dec decoder
		dec.decode(&want, &raw{link: linkEthernet, length: int64(len(frames[n])), bytes: frames[n]})
		want.UnixUS = p.UnixUS
		if p != want || p.UnixUS < last {
			t.Errorf("packet %d: %+v, want %+v", n+1, p, want)
		}
		last = p.UnixUS
		n++
	}
	if n != len(frames) {
		t.Errorf("%d of %d frames", n, len(frames))
	}
	if s, f := r.Statement(); s != "a test's own packets" || f != "" {
		t.Errorf("statement %q, filter %q", s, f)
	}
	tsharkAgrees(t, path, frames)
}

// tsharkAgrees compares lengths and ports of our frames with tshark's reading.
func tsharkAgrees(t *testing.T, path string, frames [][]byte) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Log("no tshark here")
		return
	}
	text, err := exec.Command("tshark", "-o", "ip.defragment:FALSE", "-r", path, "-Y", "eth.src == 00:00:00:00:00:00 || !eth", "-T", "fields", "-E", "separator=,", "-e", "frame.len", "-e", "frame.packet_flags_direction", "-e", "udp.srcport", "-e", "tcp.srcport").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(frames) {
		t.Fatalf("tshark reads %d packets, want %d", len(lines), len(frames))
	}
	for i, b := range frames {
		var p Record
		var dec decoder
		dec.decode(&p, &raw{link: linkEthernet, length: int64(len(b)), bytes: b})
		f := strings.Split(lines[i], ",")
		port := f[2] + f[3]
		if p.Src.Port() != 0 && strings.TrimRight(port, ",") != strconv.Itoa(int(p.Src.Port())) || f[0] != strconv.Itoa(len(b)) {
			t.Errorf("packet %d: tshark says %s, we %d bytes from port %d", i+1, lines[i], len(b), p.Src.Port())
		}
		if !strings.HasSuffix(f[1], "1") { // received: nothing was sent on this end
			t.Errorf("packet %d: direction %s", i+1, f[1])
		}
	}
}

// TestRecordFiltered: the kernel passes what the filter's program passes.
func TestRecordFiltered(t *testing.T) {
	frames := filterFrames()
	for i, text := range []string{"udp,port=443", "host=2001:db8::/32", "tcp,port=8080,host=8.8.8.8+203.0.113.0/24"} {
		f := parseFilter(t, text)
		path := filepath.Join(t.TempDir(), fmt.Sprint(i, ".pcapng"))
		inNamespace(t, func() error {
			_, err := recordFrames(RecorderOptions{Out: path}, f, frames, 0)
			return err
		})
		var want [][]byte
		for k, pass := range passes(t, f, frames, 14) {
			if pass {
				want = append(want, frames[k])
			}
		}
		if got := framesOf(t, path); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %d frames, want %d", text, len(got), len(want))
		}
	}
}

func framesOf(t *testing.T, path string) (frames [][]byte) {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p Record
	for {
		if err := r.Next(&p); err == io.EOF {
			return frames
		} else if err != nil {
			t.Fatal(err)
		}
		if ours(r.raw.bytes) {
			frames = append(frames, bytes.Clone(r.raw.bytes))
		}
	}
}

// TestRecordRotates: files follow each other by size and by age; together they hold everything, in order.
func TestRecordRotates(t *testing.T) {
	var frames [][]byte
	for _, it := range traffic(300, 7) {
		frames = append(frames, it.data)
	}
	for _, c := range []struct {
		name  string
		o     RecorderOptions
		pace  time.Duration
		files int
	}{
		{"by size", RecorderOptions{Rotate: true, RotateBytes: 64 << 10}, 0, 3},
		{"by age", RecorderOptions{Rotate: true, RotateEvery: 50 * time.Millisecond}, time.Millisecond, 4},
	} {
		c.o.Out = filepath.Join(t.TempDir(), "new", "folder")
		var out *Recorder
		inNamespace(t, func() (err error) {
			out, err = recordFrames(c.o, Filter{}, frames, c.pace)
			return err
		})
		var got [][]byte
		for _, f := range out.Files {
			if c.o.RotateBytes > 0 && f.Bytes > c.o.RotateBytes+2000 {
				t.Errorf("%s: %+v", c.name, f)
			}
			got = append(got, framesOf(t, f.Name)...)
		}
		if len(out.Files) < c.files || fmt.Sprint(got) != fmt.Sprint(frames) {
			t.Errorf("%s: %d files with %d of %d frames", c.name, len(out.Files), len(got), len(frames))
		}
		if left, _ := filepath.Glob(filepath.Join(c.o.Out, "*"+partialSuffix)); len(left) > 0 {
			t.Errorf("%s: %v is left", c.name, left)
		}
	}
}

// TestRecordFlush: what was flushed is readable while the recording goes on, and the name says that it does.
func TestRecordFlush(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pcapng")
	out, err := NewRecorder(RecorderOptions{Out: path, Heading: Heading{Interface: "x", Link: linkEthernet}})
	if err != nil {
		t.Fatal(err)
	}
	frame := filterFrames()[1]
	for i := range 10 {
		if err := out.packet(int64(i), int64(len(frame)), frame, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := framesOf(t, path+partialSuffix); len(got) != 10 {
		t.Errorf("%d packets", len(got))
	}
	if _, err := NewRecorder(RecorderOptions{Out: path}); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Error(err)
	}
	if err := out.end(3); err != nil {
		t.Fatal(err)
	}
	if got := framesOf(t, path); len(got) != 10 {
		t.Errorf("%d packets", len(got))
	}
}

// TestRecordTags: VLAN tags, which the kernel takes out of frames on their way, are in the file as they were on the wire.
func TestRecordTags(t *testing.T) {
	ip := ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100))
	frames := [][]byte{ether(ip, 100), ether(ip), ether(ip, 200, 100), ether(ip, 0xe000|7)}
	path := filepath.Join(t.TempDir(), "x.pcapng")
	inNamespace(t, func() error {
		_, err := recordFrames(RecorderOptions{Out: path}, Filter{}, frames, 0)
		return err
	})
	got := framesOf(t, path)
	if len(got) != len(frames) {
		t.Fatalf("%d frames", len(got))
	}
	for i := range got {
		if !bytes.Equal(got[i], frames[i]) {
			t.Errorf("frame %d is %x, want %x", i, got[i][:24], frames[i][:24])
		}
	}
	if _, rep, err := ReadTrace(path, Rule{}); err != nil || rep.Decoded < 4 {
		t.Errorf("%+v %v", rep, err)
	}
}

// TestRecordLong: a long recording goes round the ring several times, and nothing is lost or twice at the blocks' ends.
func TestRecordLong(t *testing.T) {
	var frames [][]byte
	for i := range 30_000 { // 25 MB, six times round the ring; each frame tells its number
		b := ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 100+i%1200)))
		be.PutUint32(b[len(b)-4:], uint32(i))
		frames = append(frames, b)
	}
	path := filepath.Join(t.TempDir(), "x.pcapng")
	var state Recording
	inNamespace(t, func() error {
		live, err := OpenLiveFiltered("see", Filter{}, 4<<20)
		if err != nil {
			return err
		}
		defer live.Close()
		out, err := NewRecorder(RecorderOptions{Out: path, Heading: Heading{Interface: "see", Link: live.LinkType()}})
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- out.Run(live) }()
		send, err := sender("send")
		for i, b := range frames {
			if err == nil {
				err = send(b)
			}
			if i%1000 == 999 { // no faster than a loaded machine reads
				for wait := 0; out.State().Packets < int64(i) && wait < 10_000; wait++ {
					time.Sleep(time.Millisecond)
				}
			}
		}
		live.Stop()
		if e := <-done; err == nil {
			err = e
		}
		state = out.State()
		return err
	})
	got := framesOf(t, path)
	if state.Dropped > 0 || len(got) != len(frames) {
		t.Fatalf("%+v, %d frames", state, len(got))
	}
	for i := range got {
		if !bytes.Equal(got[i], frames[i]) {
			t.Fatalf("frame %d is not what was sent", i)
		}
	}
}

// TestRecordDrops: what came while nobody read, and did not fit into the ring, is counted, by the recording and in its file.
func TestRecordDrops(t *testing.T) {
	const n = 4000 // 6 MB; the ring holds 2
	path := filepath.Join(t.TempDir(), "x.pcapng")
	var state Recording
	inNamespace(t, func() error {
		live, err := OpenLiveFiltered("see", parseFilter(t, "udp,port=5000"), 2<<20)
		if err != nil {
			return err
		}
		defer live.Close()
		out, err := NewRecorder(RecorderOptions{Out: path, Heading: Heading{Interface: "see", Link: live.LinkType()}})
		if err != nil {
			return err
		}
		send, err := sender("send")
		b := ether(ip4(hostA, hostB, protoUDP, 0, nil, udpBytes(5000, 443, 1400)))
		for range n {
			if err == nil {
				err = send(b)
			}
		}
		live.Stop()
		if e := out.Run(live); err == nil {
			err = e
		}
		state = out.State()
		return err
	})
	if state.Dropped < n/4 || state.Packets < n/5 || state.Packets+state.Dropped != n || state.Oversize != 0 {
		t.Errorf("%+v of %d", state, n)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The last block: type, length, interface, time, then isb_ifrecv and isb_ifdrop, the end, and the length again.
	last := file[len(file)-int(le.Uint32(file[len(file)-4:])):]
	if len(last) != 52 || le.Uint32(last) != blockStatistics || le.Uint16(last[20:]) != 4 || le.Uint64(last[24:]) != n || le.Uint16(last[32:]) != 5 || int64(le.Uint64(last[36:])) != state.Dropped {
		t.Errorf("the last block is %x", last)
	}
}

// TestRecordOffload: a segment that the card is to split, larger than the interface's MTU, is recorded whole and counted.
func TestRecordOffload(t *testing.T) {
	const payload = 4000
	path := filepath.Join(t.TempDir(), "x.pcapng")
	var state Recording
	inNamespace(t, func() error {
		live, err := OpenLiveFiltered("see", parseFilter(t, "tcp,port=443"), LiveBuffer)
		if err != nil {
			return err
		}
		defer live.Close()
		out, err := NewRecorder(RecorderOptions{Out: path, Heading: Heading{Interface: "see", Link: live.LinkType()}})
		if err != nil {
			return err
		}
		l, err := netlink.LinkByName("send")
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
			return err
		}
		// struct virtio_net_hdr: checksum left to the card, TCP over IPv4 to be cut at 1448 bytes.
		header := []byte{1, 1}
		for _, v := range []uint16{54, 1448, 34, 16} { // lengths of headers and segments, where the checksum begins and lies
			header = binary.NativeEndian.AppendUint16(header, v)
		}
		frame := append(header, ether(ip4(hostA, hostB, protoTCP, 0, nil, tcpBytes(443, 5000, 0x10, nil, payload)))...)
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index, Protocol: htons(unix.ETH_P_IP), Halen: 6}); err != nil {
			return err
		}
		live.Stop()
		err = out.Run(live)
		state = out.State()
		return err
	})
	if state.Packets != 1 || state.Oversize != 1 || state.Bytes != payload+54 {
		t.Errorf("%+v", state)
	}
	if tr, _, err := ReadTrace(path, Rule{}); err != nil || len(tr.Packets) != 1 || tr.Packets[0].PayloadBytes != payload {
		t.Errorf("%v %v", tr, err)
	}
}

package lab

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/data/trace"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// needRoot skips where namespaces cannot be made.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if err := canUnshare(); err != nil {
		t.Skipf("network namespaces: %v", err)
	}
}

// links lists the interfaces of the namespace that the test runs in.
func links(t *testing.T) string {
	t.Helper()
	list, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, l.Attrs().Name)
	}
	entries, _ := os.ReadDir("/run/netns")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestRig sends datagrams through a rig: nothing is larger than the link takes, sizes are exact on the client's link, the relay keeps
// them back as the network says, and the machine's own interfaces are what they were.
func TestRig(t *testing.T) {
	needRoot(t)
	before := links(t)
	cert, _, err := newCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRig(0, cert, allQdiscs(t))
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			r.close()
		}
	}()
	if during := links(t); during != before {
		t.Errorf("interfaces %s, were %s", during, before)
	}
	if err := r.relay.shape(Network{Down: Lane{Delay: 30 * time.Millisecond}, Up: Lane{Delay: 20 * time.Millisecond}}, 1); err != nil {
		t.Fatal(err)
	}
	var client, server net.PacketConn
	listen := func(ns *namespace, addr string, c *net.PacketConn) {
		if err := ns.do(func() (err error) { *c, err = net.ListenPacket("udp4", addr); return err }); err != nil {
			t.Fatal(err)
		}
	}
	listen(r.client, clientAddr+":5000", &client)
	listen(r.server, serverAddr+":6000", &server)
	defer client.Close()
	defer server.Close()
	go func() { // an echo
		b := make([]byte, 2000)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			server.WriteTo(b[:n], from)
		}
	}()
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(serverAddr + ":6000"))
	echo := func(n int) (took time.Duration) {
		begin := time.Now()
		client.SetReadDeadline(begin.Add(5 * time.Second))
		if _, err := client.WriteTo(make([]byte, n), to); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 2000)
		if m, _, err := client.ReadFrom(b); err != nil || m != n {
			t.Fatalf("echo of %d bytes: %d, %v", n, m, err)
		}
		return time.Since(begin)
	}
	echo(1) // address resolution
	rec, err := r.record()
	if err != nil {
		t.Fatal(err)
	}
	sizes := []int{1, 100, 1000, 1472}
	least := time.Hour
	for _, n := range sizes {
		least = min(least, echo(n))
	}
	// The delay is the least that can be; above it lies what the machine does meanwhile.
	if least < 50*time.Millisecond || least > 500*time.Millisecond {
		t.Errorf("round trip of %v, want 50 ms", least)
	}
	time.Sleep(20 * time.Millisecond)
	records, link, drops, err := rec.stop()
	if err != nil || link != "ethernet" || drops != 0 {
		t.Errorf("link %q, %d lost, %v", link, drops, err)
	}
	k := &take{records: records, played: 0, duration: math.MaxInt64 / 2, link: link}
	tr, _ := k.trace(clientRule)
	var up, down []int
	for i := range tr.Packets {
		p := &tr.Packets[i]
		if p.Protocol != unix.IPPROTO_UDP {
			continue
		}
		if p.FrameBytes != p.PayloadBytes+42 {
			t.Errorf("packet %+v", p)
		}
		if p.Direction == trace.Up {
			up = append(up, int(p.PayloadBytes))
		} else {
			down = append(down, int(p.PayloadBytes))
		}
	}
	for i, n := range sizes {
		if len(up) != len(sizes) || len(down) != len(sizes) || up[i] != n || down[i] != n {
			t.Fatalf("sent %v: seen %v up, %v down", sizes, up, down)
		}
	}
	// A megabyte over TCP, with the kernel's offload at hand: no packet may be larger than the wire's.
	if err := r.relay.shape(Networks[0], 1); err != nil {
		t.Fatal(err)
	}
	if rec, err = r.record(); err != nil {
		t.Fatal(err)
	}
	send(t, r, 1<<20)
	if records, _, drops, err = rec.stop(); err != nil || drops != 0 {
		t.Fatal(drops, err)
	}
	var bytes, largest int64
	for _, p := range records {
		bytes, largest = bytes+int64(p.PayloadBytes), max(largest, int64(p.IPBytes))
	}
	if bytes < 1<<20 || bytes > 1<<20+1<<17 || largest != mtu {
		t.Errorf("%d payload bytes in packets up to %d, want %d and little more in packets of %d", bytes, largest, 1<<20, mtu)
	}
	closed = true
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if after := links(t); after != before {
		t.Errorf("left behind: %s, were %s", after, before)
	}
}

// TestRigFails lets every step of building a rig fail, for want of file descriptors: an error each time, and nothing is left open.
func TestRigFails(t *testing.T) {
	needRoot(t)
	cert, _, err := newCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	q := allQdiscs(t)
	build := func() error {
		r, err := newRig(0, cert, q)
		if err == nil {
			err = r.close()
		}
		return err
	}
	if err := build(); err != nil { // what the runtime opens once is open now
		t.Fatal(err)
	}
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list) - 1 // that of the folder itself
	}
	before := open()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	steps := map[string]bool{}
	for room := 0; ; room++ {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(before + room), Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		built := build()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		if after := open(); after != before {
			t.Errorf("room for %d: %d descriptors are open, were %d (%v)", room, after, before, built)
		}
		if built == nil || room == 100 {
			break
		}
		if !errors.Is(built, unix.EMFILE) || !strings.HasPrefix(built.Error(), "lab: rig 0: ") {
			t.Errorf("room for %d: %v", room, built)
		}
		steps[built.Error()] = true
	}
	if len(steps) < 3 { // such as a namespace, a link, the server
		t.Errorf("failures: %v", steps)
	}
}

// send sends n bytes from server to client over TCP.
func send(t *testing.T, r *rig, n int64) {
	t.Helper()
	var l net.Listener
	if err := r.server.do(func() (err error) { l, err = net.Listen("tcp4", serverAddr+":7000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.CopyN(c, zeros{}, n)
			c.Close()
		}
	}()
	var c net.Conn
	if err := r.client.do(func() (err error) { c, err = net.Dial("tcp4", serverAddr+":7000"); return err }); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	if got, err := io.Copy(io.Discard, c); got != n || err != nil {
		t.Fatalf("%d bytes arrived of %d: %v", got, n, err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestScratch finds and removes the folder of a recorder that is gone, with its processes, and leaves one that is at work.
func TestScratch(t *testing.T) {
	root := shortTemp(t)
	long := root + strings.Repeat("/long", 20)
	if err := os.MkdirAll(long, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	if _, err := newScratch(); err == nil || !strings.Contains(err.Error(), "set TMPDIR=/tmp") {
		t.Errorf("a path that no socket can have: %v", err)
	}
	if left, _ := os.ReadDir(long); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := os.RemoveAll(filepath.Join(root, "long")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", root)
	at, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(root, scratchPrefix+"gone")
	if err := os.MkdirAll(filepath.Join(gone, "profile"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "sleep", "60")
	c.Args[0] = "sleep --user-data-dir=" + gone + "/profile"
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	second, err := newScratch()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", gone, err)
	}
	if err := c.Wait(); err == nil || ctx.Err() != nil {
		t.Errorf("the process of the gone recorder: %v", err)
	}
	if _, err := os.Stat(at.dir); err != nil {
		t.Errorf("the folder of a recorder at work: %v", err)
	}
	for _, s := range []*scratch{at, second} {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestPreflight(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := preflight()
	if err == nil {
		t.Fatal("nothing is missing on an empty PATH")
	}
	for _, want := range []string{"chromium (apt-get install chromium)", "ffmpeg (apt-get install ffmpeg)", "nsenter"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v: no word of %s", err, want)
		}
	}
}

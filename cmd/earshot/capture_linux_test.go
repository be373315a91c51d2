package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/dataset"
)

// TestCaptureCommand records packets of its own on the loopback until it is interrupted, each once, and imports the file.
func TestCaptureCommand(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a packet socket needs root")
	}
	t.Chdir(t.TempDir())
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
	_, port, _ := net.SplitHostPort(to.LocalAddr().String())
	ctx, stop := context.WithCancel(context.Background())
	var out, errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		err := run(ctx, []string{"data", "capture", "--interface", "lo", "--filter", "udp,port=" + port, "--authorized", "a test's own packets", "--out", "a_1.pcapng", "--json"}, nil, &out, &errs)
		done <- status(err, &errs)
	}()
	for i := 0; ; i++ { // open when the file is there
		if _, err := os.Stat("a_1.pcapng.partial"); err == nil {
			break
		}
		if i == 500 {
			t.Fatal(errs.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	for i := range 20 {
		if _, err := from.Write(make([]byte, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if code := <-done; code != exitInterrupted || !strings.Contains(errs.String(), "all 20 packets are in a_1.pcapng") {
		t.Errorf("status %d: %s", code, errs.String())
	}
	var r captured
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Packets != 20 || r.Dropped != 0 || r.Oversize != 0 || r.Authorized != "a test's own packets" || r.Filter != "udp,port="+port || len(r.Files) != 1 {
		t.Errorf("%+v", r)
	}
	if code, _, errs := in("data", "capture", "--interface", "lo", "--authorized", "x", "--duration", "1s", "--out", "a_1.pcapng"); code != exitFailed || !strings.Contains(errs, "exists already") {
		t.Errorf("%d: %s", code, errs)
	}
	if code, _, errs := in("data", "import", "a_1.pcapng", "--label", "(?P<song>[a-z])_", "--clients", "127.0.0.0/8", "--out", "ds"); code != 0 {
		t.Fatal(errs)
	}
	s, err := dataset.Open("ds")
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Manifest; m.Authorized != "a test's own packets" || m.Filter != "udp,port="+port {
		t.Errorf("%+v", m)
	}
	if c := s.Captures[0]; c.Packets != 20 || c.Bytes() != 20*100+190 {
		t.Errorf("%+v", c)
	}
	// A folder of small files, interrupted: together they hold every packet.
	ctx, stop = context.WithCancel(context.Background())
	out.Reset()
	errs.Reset()
	go func() {
		err := run(ctx, []string{"data", "capture", "--interface", "lo", "--filter", "udp,port=" + port, "--rotate-size", "2KiB", "--authorized", "x", "--out", "small", "--json"}, nil, &out, &errs)
		done <- status(err, &errs)
	}()
	const first, all = 5, 100
	for i := 0; ; i++ { // it records once there is a file
		if i == 500 {
			t.Fatal(errs.String())
		}
		if _, err := from.Write(make([]byte, first)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Millisecond)
		if open, _ := filepath.Glob("small/*"); len(open) > 0 {
			break
		}
	}
	for range all {
		if _, err := from.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if code := <-done; code != exitInterrupted {
		t.Errorf("status %d: %s", code, errs.String())
	}
	r = captured{}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	sum, names := int64(0), []string{}
	for _, f := range r.Files {
		sum += f.Packets
		names = append(names, f.Name)
	}
	if there, _ := filepath.Glob("small/*"); len(there) < 5 || !slices.Equal(there, names) || sum != r.Packets || r.Dropped != 0 {
		t.Errorf("%+v, files %v", r, there)
	}
	if code, _, errs := in("data", "import", "small", "--clients", "127.0.0.0/8", "--out", "smallds"); code != 0 {
		t.Fatal(errs)
	}
	if s, err = dataset.Open("smallds"); err != nil {
		t.Fatal(err)
	}
	sum = 0
	for _, c := range s.Captures {
		sum += c.Bytes()
	}
	if want := all*100 + (r.Packets-all)*first; sum != want {
		t.Errorf("%d bytes in the files, want %d", sum, want)
	}
	// For a time, with a folder: the last file ends with the time.
	if code, _, errs := in("data", "capture", "--interface", "lo", "--filter", "udp,port="+port, "--authorized", "x", "--duration", "200ms", "--rotate-every", "1h", "--out", "many"); code != 0 {
		t.Errorf("%d: %s", code, errs)
	}
}

// TestCaptureRefuses: wrong usage opens and makes nothing, above all without a statement.
func TestCaptureRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--interface lo --out x.pcapng", 2, "--authorized is needed"},
		{"--interface lo --out x.pcapng --authorized SPACE", 2, "--authorized is needed"},
		{"--out x.pcapng --authorized x", 2, "interface"},
		{"--interface lo --authorized x", 2, "out"},
		{"--interface lo --out x.pcap --authorized x", 2, "name a file .pcapng"},
		{"--interface lo --out x.pcapng --authorized x --filter quic", 2, `term "quic" is unknown`},
		{"--interface lo --out x.pcapng --authorized x --filter host=@gone.txt", 1, "gone.txt: does not exist; check the path"},
		{"--interface lo --out x.pcapng --authorized x --duration -1s", 2, "--duration"},
		{"--interface lo --out gone/x.pcapng --authorized x", 1, "the folder gone does not exist"},
		{"--interface nothing0 --out x.pcapng --authorized x", 1, "no such network interface"},
	} {
		args := []string{"data", "capture"}
		for _, f := range strings.Fields(c.args) {
			args = append(args, strings.ReplaceAll(f, "SPACE", " "))
		}
		if code, _, errs := in(args...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: status %d: %s", c.args, code, errs)
		}
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Error(fmt.Sprint(left, " was made"))
	}
}

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"earshot/data/dataset/npz"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"earshot": main})
}

// TestScript runs whole commands: each file of testdata/script is a shell session with the files it starts from and the
// output it must give. Beside testscript's own commands there are:
//
//	status N earshot ARG…   runs a command that must end with exit status N
//	pcap FILE NOTATION      writes a capture of UDP packets; "0 <1448, 12 >60": microseconds, < from the server 192.0.2.1:443
//	                        or > from the client 10.0.0.2:40000, payload bytes
//	json PATH VALUE         compares one value of the JSON on the last stdout; "sources.0.records 3"
//	npy FILE f4|i8 SHAPE V… writes an array: the values over and over until the shape (4,1,60) is full
//	table FILE ROW…         writes X and y of a table of features; "0.5,1,7" is a row of two features and class 7
//	npz FILE NAME           prints an array of a .npz or .npy: its type and shape, then its elements
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: false,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EARSHOT_PACKS", os.Getenv("EARSHOT_PACKS"))
			e.Setenv("EARSHOT_KERNEL", os.Getenv("EARSHOT_KERNEL"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status": scriptStatus, "pcap": scriptPcap, "json": scriptJSON, "npz": scriptNPZ, "npy": scriptNPY, "table": scriptTable,
		},
	})
}

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: status N earshot ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func scriptPcap(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: pcap FILE NOTATION")
	}
	b, err := pcapOf(args[1])
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[0])), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// pcapOf writes a microsecond pcap of raw IPv4 packets (link type 101) that starts at Unix time 1,600,000,000.
func pcapOf(notation string) ([]byte, error) {
	le, be := binary.LittleEndian, binary.BigEndian
	var b []byte
	for _, v := range []uint32{0xa1b2c3d4, 4<<16 | 2, 0, 0, 1 << 18, 101} {
		b = le.AppendUint32(b, v)
	}
	for _, f := range strings.Split(notation, ",") {
		w := strings.Fields(f)
		if len(w) == 0 {
			continue
		}
		if len(w) != 2 || len(w[1]) < 2 || (w[1][0] != '<' && w[1][0] != '>') {
			return nil, fmt.Errorf("packet %q", f)
		}
		us, err := strconv.ParseUint(w[0], 10, 32)
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseUint(w[1][1:], 10, 16)
		if err != nil || size > 65535-28 {
			return nil, fmt.Errorf("packet %q: size", f)
		}
		n := uint32(28 + size)
		for _, v := range []uint32{1600000000 + uint32(us/1e6), uint32(us % 1e6), n, n} {
			b = le.AppendUint32(b, v)
		}
		src, dst, sport, dport := []byte{10, 0, 0, 2}, []byte{192, 0, 2, 1}, uint16(40000), uint16(443)
		if w[1][0] == '<' {
			src, dst, sport, dport = dst, src, dport, sport
		}
		b = be.AppendUint16(append(b, 0x45, 0), uint16(n))
		b = append(b, 0, 0, 0, 0, 64, 17, 0, 0)
		b = append(append(b, src...), dst...)
		b = be.AppendUint16(be.AppendUint16(b, sport), dport)
		b = append(be.AppendUint16(b, uint16(8+size)), 0, 0)
		b = append(b, make([]byte, size)...)
	}
	return b, nil
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	for _, key := range strings.Split(args[0], ".") {
		switch at := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = at[key]; !ok {
				ts.Fatalf("no %q in %s", key, args[0])
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(at) {
				ts.Fatalf("no element %q among %d", key, len(at))
			}
			v = at[i]
		default:
			ts.Fatalf("%s: nothing below %q", args[0], key)
		}
	}
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	ts.Check(e.Encode(v))
	text := strings.Trim(strings.TrimSpace(got.String()), `"`)
	if (text == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], text)
	}
}

func scriptNPZ(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: npz FILE NAME")
	}
	m, err := npz.Read(ts.MkAbs(args[0]))
	ts.Check(err)
	a, ok := m[args[1]]
	if !ok {
		var names []string
		for n := range m {
			names = append(names, n)
		}
		slices.Sort(names)
		ts.Fatalf("no array %q; there are %v", args[1], names)
	}
	fmt.Fprintln(ts.Stdout(), strings.TrimLeft(a.DType, "<>|="), a.Shape)
	for _, v := range []any{a.F32, a.F64, a.I32, a.I64, a.Bool, a.Str} {
		if s := fmt.Sprint(v); s != "[]" {
			fmt.Fprintln(ts.Stdout(), s)
		}
	}
}

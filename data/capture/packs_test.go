package capture

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// pack is a folder of real captures under $EARSHOT_PACKS; the test is skipped without it.
func pack(t testing.TB, folder string) string {
	root := os.Getenv("EARSHOT_PACKS")
	if root == "" {
		t.Skip("set EARSHOT_PACKS to the folder that holds the unpacked data packs")
	}
	path := filepath.Join(root, folder)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not unpacked there: %v", folder, err)
	}
	return path
}

// TestNDPIPack: every capture of the pack has as many packets and bytes as capinfos counts, and as much TCP and UDP
// payload as tshark adds up.
func TestNDPIPack(t *testing.T) {
	folder := pack(t, "ndpi/ndpi/pcap")
	f, err := os.Open("testdata/ndpi_capinfos.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.Comment = '#'
	rows, err := c.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		var want [3]int64
		for i := range want {
			if want[i], err = strconv.ParseInt(row[i+1], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if row[0] == "fuzz-2021-06-07-c6c72a0a56.pcap" {
			want[1], want[2] = 48, 6 // its only record claims 4 GB, which capinfos believes; 48 bytes are in the file
		}
		if got := totals(t, filepath.Join(folder, row[0])); got != want {
			t.Errorf("%s: packets, bytes, payload = %d, capinfos and tshark say %d", row[0], got, want)
		}
	}
}

// totals counts packets, bytes on the wire and the payload of TCP and UDP packets whose ports are known.
func totals(t testing.TB, path string) (n [3]int64) {
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p Record
	for {
		err := r.Next(&p)
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Error(err)
			return n
		}
		n[0]++
		n[1] += int64(p.FrameBytes)
		if (p.Protocol == protoTCP || p.Protocol == protoUDP) && p.Src.Port()|p.Dst.Port() != 0 {
			n[2] += int64(p.PayloadBytes)
		}
	}
}

// TestEveryPackReads: no capture of the packs panics, and what is damaged says so with a packet number.
func TestEveryPackReads(t *testing.T) {
	for _, folder := range []string{"ndpi", "echo_N", "tor_cells_01_60"} {
		t.Run(folder, func(t *testing.T) { readEvery(t, pack(t, folder)) })
	}
}

func readEvery(t *testing.T, root string) {
	files, packets, problems := 0, int64(0), 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ok, err := IsCapture(path); !ok {
			return err
		}
		_, rep, err := ReadTrace(path, Rule{})
		if err != nil {
			return err
		}
		files, packets = files+1, packets+rep.Records
		if rep.Err != nil {
			problems++
			t.Log(rep.Err)
			var p *Problem
			if !errors.As(error(rep.Err), &p) || p.Packet != rep.Records+1 {
				t.Errorf("problem at packet %d after %d", p.Packet, rep.Records)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d captures, %d packets, %d problems", files, packets, problems)
}

package dataset

import (
	"bytes"
	"path/filepath"
	"testing"

	"earshot/data/capture"
)

// TestRecordedStatements: what recordings say of themselves is in the manifest once, unless the import says it.
func TestRecordedStatements(t *testing.T) {
	file := func(h capture.Heading) string {
		var b bytes.Buffer
		w, err := capture.NewWriter(&b, h)
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	dir := tree(t, map[string]string{
		"a.pcapng": file(capture.Heading{Authorized: "my laptop", Filter: "udp"}),
		"b.pcapng": file(capture.Heading{Authorized: "my phone", Filter: "udp"}),
		"c.pcapng": file(capture.Heading{Authorized: "my laptop"}),
		"d.pcap":   pcapText("0 >1"),
	})
	for _, c := range []struct{ given, want string }{{"", "my laptop; my phone"}, {"all of it is mine", "all of it is mine"}} {
		dst := filepath.Join(t.TempDir(), "ds")
		for range 2 { // the second time adds nothing
			s, _, _, err := imported(t, dst, ImportOptions{Authorized: c.given, Clients: client10}, dir)
			if err != nil {
				t.Fatal(err)
			}
			if m := s.Manifest; m.Authorized != c.want || m.Filter != "udp" {
				t.Errorf("authorized %q, filter %q", m.Authorized, m.Filter)
			}
		}
	}
}

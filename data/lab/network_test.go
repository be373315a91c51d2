package lab

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseNetwork(t *testing.T) {
	log := filepath.Join(t.TempDir(), "a+b.json")
	if err := os.WriteFile(log, []byte(`[{"duration_ms": 1000, "bandwidth_kbps": 1285, "latency_ms": 100}, {"duration_ms": 500.5, "bandwidth_kbps": 0, "latency_ms": 90}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	n, err := ParseNetwork("bus:cross=1mbit+log=" + log)
	if err != nil {
		t.Fatal(err)
	}
	want := []Phase{{time.Second, 1285_000}, {500500 * time.Microsecond, 0}}
	if n.Name != "bus" || !reflect.DeepEqual(n.Down.Log, want) || n.Down.Delay != 50*time.Millisecond || n.Up.Delay != 50*time.Millisecond || n.Down.Cross != 1e6 {
		t.Errorf("replay: %+v", n)
	}
	n, err = ParseNetwork("slow:down=1.5mbit+up=512kbit+delay=80ms+jitter=5ms+loss=1%+queue=32KiB")
	if err != nil {
		t.Fatal(err)
	}
	lane := Lane{Rate: 1_500_000, Queue: 32 << 10, Delay: 80 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.01}
	up := lane
	up.Rate = 512_000
	if !reflect.DeepEqual(n, Network{"slow", lane, up}) {
		t.Errorf("slow: %+v", n)
	}
	if n, err = ParseNetwork("lte:loss=2%"); err != nil || n.Down.Rate != 20e6 || n.Down.Loss != 0.02 {
		t.Errorf("lte with more loss: %+v, %v", n, err)
	}
	for _, name := range NetworkNames() {
		if _, err := ParseNetwork(name); err != nil {
			t.Error(err)
		}
	}
	for bad, want := range map[string]string{
		"lan2":              "it is one of lan, fiber",
		"":                  "it is one of lan",
		"A:loss=1%":         "lower-case",
		"x:rate=1mbit":      "it is one of down, up",
		"x:down=20":         "such as 512kbit",
		"x:down=1kbit":      "such as 512kbit",
		"x:down=NaNmbit":    "such as 512kbit",
		"x:delay=-1ms":      "such as 20ms",
		"x:loss=100%":       "such as 0.1%",
		"x:loss=NaN":        "such as 0.1%",
		"x:queue=1":         "2KiB to",
		"x:log=/nowhere/at": "no such file",
	} {
		if _, err := ParseNetwork(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
	for bad, want := range map[string]string{
		`[`: "unexpected end", `[]`: "no row with a bandwidth", `[{"duration_ms":0,"bandwidth_kbps":1}]`: "row 1",
		`[{"duration_ms":1e300,"bandwidth_kbps":1}]`: "row 1", `[{"duration_ms":5,"bandwidth_kbps":0}]`: "no row with a bandwidth",
	} {
		os.WriteFile(log, []byte(bad), 0o644)
		if _, err := ParseNetwork("x:log=" + log); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("log %s: %v, want %q", bad, err, want)
		}
	}
}

// TestReplayPacks reads the public 3G and FCC logs where they are.
func TestReplayPacks(t *testing.T) {
	dir := os.Getenv("EARSHOT_PACKS")
	files, _ := filepath.Glob(filepath.Join(dir, "sabre", "mmsys18", "*", "*.json"))
	if dir == "" || len(files) == 0 {
		t.Skip("EARSHOT_PACKS names no folder with bandwidth logs")
	}
	for _, f := range files {
		if _, err := ParseNetwork("x:log=" + f); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d logs", len(files))
}

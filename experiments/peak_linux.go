package experiments

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// resetPeak makes the system forget the highest resident memory of this process, so that peakBytes is the cell's own.
// Where that is not allowed, the peak is that of the process so far.
func resetPeak() {
	debug.FreeOSMemory() // of the cell before
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// peakBytes is the highest resident memory since resetPeak; 0 when the system does not say.
func peakBytes() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, ok := bytes.Cut(b, []byte("VmHWM:"))
	if f := bytes.Fields(rest); ok && len(f) > 0 {
		kb, _ := strconv.ParseInt(string(f[0]), 10, 64)
		return kb << 10
	}
	return 0
}

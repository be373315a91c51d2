//go:build !linux

package experiments

func resetPeak() {}

// peakBytes is not measured on this system.
func peakBytes() int64 { return 0 }

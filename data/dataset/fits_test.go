package dataset

import (
	"strings"
	"testing"
)

func TestTensorFitsMemory(t *testing.T) {
	if err := fits(111, 1, 60000); err != nil {
		t.Errorf("27 MB refused: %v", err)
	}
	err := fits(2185, 1, 10_000_000_000)
	if err == nil || !strings.Contains(err.Error(), "2185 captures x 1 channels x 10000000000 steps") {
		t.Errorf("87 TB: %v, want the arithmetic", err)
	}
}

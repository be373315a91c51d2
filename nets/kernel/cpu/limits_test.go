package cpu_test

import (
	"testing"

	"earshot/nets/kernel/cpu"
)

// BenchmarkLimit is what the other benchmarks are to be compared with.
func BenchmarkLimit(b *testing.B) {
	for _, name := range cpu.Names() {
		b.Run("op=fma/kernel="+name, func(b *testing.B) {
			be, ok := openFor(b, name, threads()).(*cpu.Backend)
			if !ok {
				b.Skip("plain Go")
			}
			flops := 0.0
			for b.Loop() {
				flops = be.Exercise()
			}
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
		})
	}
}

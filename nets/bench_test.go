package nets_test

import (
	"fmt"
	"testing"

	"earshot/nets"
	"earshot/nets/kernel/cpu"
	"earshot/nets/nn"
)

func BenchmarkStep(b *testing.B) {
	be, err := cpu.FromEnv(2)
	if err != nil {
		b.Fatal(err)
	}
	for _, net := range []string{"fcn", "resnet", "lstm", "inceptiontime"} {
		for _, t := range []int{600, 6000} {
			b.Run(fmt.Sprintf("net=%s/N=16/T=%d/kernel=%s", net, t, be.Name()), func(b *testing.B) {
				a, _ := nets.Lookup(net, "tsai")
				m, err := nn.NewModel(be, a, 1, t, 3, 1)
				if err != nil {
					b.Fatal(err)
				}
				defer m.Close()
				x := make([]float32, 16*t)
				for i, v := range uniform("x", len(x)) {
					x[i] = float32(v)
				}
				y := make([]int32, 16)
				for i := range y {
					y[i] = int32(i % 3)
				}
				for b.Loop() {
					if _, err := m.Step(x, y); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

package nets_test

import (
	"fmt"

	"earshot/nets"
	"earshot/nets/kernel/cpu"
	"earshot/nets/nn"

	"gorgonia.org/gorgonia"
)

// Four series of two classes, flat and jagged, learned by heart.
func Example() {
	const steps, classes = 16, 2
	x := make([]float32, 4*steps) // (N, C, T)
	y := []int32{0, 1, 0, 1}
	for i := range x {
		x[i] = 0.1 * float32(i/steps)
		if y[i/steps] == 1 {
			x[i] += float32(i % 2)
		}
	}

	arch, err := nets.Lookup("fcn", "tsai")
	if err != nil {
		panic(err)
	}
	kernels, err := cpu.Open("auto", 1)
	if err != nil {
		panic(err)
	}
	m, err := nn.NewModel(kernels, arch, 1, steps, classes, 1)
	if err != nil {
		panic(err)
	}
	defer m.Close()

	solver := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(0.01))
	for range 20 {
		if _, err := m.Step(x, y); err != nil {
			panic(err)
		}
		if err := m.Solve(solver); err != nil {
			panic(err)
		}
	}
	for i := range y {
		row := m.Logits()[i*classes : (i+1)*classes]
		fmt.Println(row[1] > row[0])
	}
	fmt.Println(m.Info().Parameters, "parameters, each value sees", m.Info().FieldOfViewSteps, "steps")
	// Output:
	// false
	// true
	// false
	// true
	// 264322 parameters, each value sees 13 steps
}

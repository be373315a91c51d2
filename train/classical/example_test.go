package classical_test

import (
	"fmt"
	"math/rand/v2"

	"earshot/train/classical"
)

// A grid search over whole pipelines inside an outer split: the score is of rows that neither the scaler, nor the search,
// nor the model has seen.
func Example() {
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := classical.Matrix{N: 120, F: 2}, make([]int, 120)
	for i := range y {
		y[i] = i % 3
		x.X = append(x.X, float64(y[i])+0.2*rng.NormFloat64(), 100*rng.Float64())
	}
	outer, _ := classical.StratifiedShuffle(y, 5, 0.2, rng)
	s := classical.Search{Points: classical.Grid(classical.Point{Model: "svm", Scale: true}, map[string][]string{"C": {"0.1", "1", "10"}})}
	trials, err := s.Nested(x, y, 3, outer, func(rows []int, rng *rand.Rand) ([]classical.Fold, error) {
		inner := make([]int, len(rows))
		for i, r := range rows {
			inner[i] = y[r]
		}
		return classical.StratifiedKFold(inner, 3, rng)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mean := 0.0
	for _, t := range trials {
		mean += t.Score / float64(len(trials))
	}
	fmt.Printf("%d trials, accuracy above 0.9: %v\n", len(trials), mean > 0.9)
	// Output: 5 trials, accuracy above 0.9: true
}

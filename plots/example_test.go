package plots_test

import (
	"fmt"
	"time"

	"earshot/plots"
)

func ExampleAccuracyVsStep() {
	f := plots.AccuracyVsStep(plots.AccuracyCurve{
		Lines: []plots.AccuracyLine{{Name: "FCN", Points: []plots.AccuracyPoint{
			{Step: time.Second, Mean: 0.36, Low: 0.17, High: 0.59},
			{Step: 10 * time.Millisecond, Mean: 0.50, Low: 0.28, High: 0.72},
		}}},
		References: []plots.Reference{{Name: "chance", Value: 1. / 3}},
	})
	f.Synthetic = true
	pdf, err := f.Encode("pdf")
	fmt.Println(string(pdf[:5]), err)
	// Output: %PDF- <nil>
}

func ExampleCorrelationMap() {
	f := plots.CorrelationMap([]string{"song A", "song B"}, [][]float64{{1, 0.12}, {0.12, 1}})
	w, _ := f.Size()
	fmt.Println(w, "inches wide")
	// Output: 3.35 inches wide
}

func ExampleConfusionMatrix() {
	// Means over five repeats.
	f := plots.ConfusionMatrix([]string{"song A", "song B"}, plots.Confusion{Counts: [][]float64{{6.4, 0.6}, {2.2, 4.8}}})
	fmt.Println(len(f.Panels), "panel")
	// Output: 1 panel
}

func ExampleLearningCurves() {
	f := plots.LearningCurves([]plots.LearningPanel{{YLabel: "Training loss", Lines: []plots.LearningLine{
		{Name: "FCN", Epoch: []float64{1, 2, 3}, Mean: []float64{1.1, 0.7, 0.5}},
	}}})
	fmt.Println(f.Key[0].Name)
	// Output: FCN
}

func ExampleBurst() {
	f := plots.Burst(
		plots.BurstPanel{Name: "song A", Step: time.Second, Down: []float64{325e3, 0, 0, 0}, Up: []float64{9e3, 0, 0, 0}},
		plots.BurstPanel{Name: "song B", Step: time.Second, Down: []float64{0, 298e3, 0, 0}, Up: []float64{0, 8e3, 0, 0}},
	)
	fmt.Println(len(f.Panels), "panels,", f.YLabel)
	// Output: 2 panels, kB per 1 s
}

func ExampleDurations() {
	f := plots.Durations([]string{"song A", "song B"}, [][]float64{{60, 60, 59.5}, {60, 12, 60}}, 60)
	fmt.Println(f.Key[0].Name)
	// Output: window of the tensor
}

func ExampleSeriesMap() {
	f := plots.SeriesMap([]string{"song A", "song B"}, []int{1, 2}, [][]float64{{325e3, 0}, {0, 298e3}}, time.Second)
	fmt.Println(len(f.Panels), "panel")
	// Output: 1 panel
}

func ExampleCriticalDifference() {
	// Mean ranks on 14 data sets; Nemenyi's test tells A from C alone.
	f := plots.CriticalDifference([]plots.Ranked{{Name: "A", Rank: 1.3}, {Name: "B", Rank: 2}, {Name: "C", Rank: 2.7}}, [][]int{{0, 1}, {1, 2}}, 0.89)
	w, _ := f.Size()
	fmt.Println(w, "inches wide")
	// Output: 3.35 inches wide
}

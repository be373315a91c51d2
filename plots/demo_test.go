package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The figures that the tests draw, made from small made-up values with a fixed seed.

func demos() map[string]*Figure {
	return map[string]*Figure{
		"accuracy":     demoAccuracy(),
		"accuracy_two": demoAccuracyTwo(),
		"correlation":  demoCorrelation(3),
		"correlation8": demoCorrelation(8),
		"lag":          demoLag(),
		"blocks":       demoBlocks(),
		"confusion":    demoConfusion(3),
		"confusion4":   demoConfusion(4),
		"confusion5":   demoConfusion(5),
		"confusion12":  demoConfusion(12),
		"confusion100": demoConfusion(100),
		"learning":     demoLearning(1),
		"learning3":    demoLearning(3),
		"burst":        demoBurst(),
		"durations":    demoDurations(3),
		"series":       demoSeries(),
		"open_world":   demoOpenWorld(),
		"ranks":        demoRanks(),
		"ranks_many":   demoManyRanks(),
		"tree":         demoTree(),
		"dots":         demoDots(),
		"dots_one":     demoDotsOne(),
	}
}

func demoCurve() AccuracyCurve {
	steps := []time.Duration{0, time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond}
	c := AccuracyCurve{References: []Reference{{"chance", 1. / 3}, {"majority", 8. / 22}, {"totals only", 0.52}}}
	for i, n := range []string{"FCN", "ResNet", "LSTM", "InceptionTime"} {
		l := AccuracyLine{Name: n}
		for j, s := range steps {
			m := 0.36 + 0.12*float64(j) + 0.03*float64(i)
			if n == "LSTM" {
				m = 0.36
			}
			q := AccuracyPoint{Step: s, Mean: m, Low: m - 0.1, High: m + 0.12, Significant: m > 0.7}
			if j > 0 {
				q.Published = []float64{0.3636, 0.5455, 0.4167, 0.33}[j-1] + 0.01*float64(i)
			}
			l.Points = append(l.Points, q)
		}
		c.Lines = append(c.Lines, l)
	}
	return c
}

func demoAccuracy() *Figure { return AccuracyVsStep(demoCurve()) }

func demoAccuracyTwo() *Figure {
	a, b := demoCurve(), demoCurve()
	a.Title, b.Title = "(a) protocol of the study", "(b) ours"
	return AccuracyVsStep(a, b)
}

func demoNames(k int) (names []string) {
	for i := range k {
		names = append(names, fmt.Sprintf("song-%02d", i+1))
	}
	if k == 3 {
		return []string{"Für Elise", "Песня", "Song β − long"}
	}
	return names
}

func demoMatrix(k int) [][]float64 {
	r := rand.New(rand.NewPCG(1, uint64(k)))
	z := make([][]float64, k)
	for i := range z {
		z[i] = make([]float64, k)
		z[i][i] = 1
		for j := range i {
			z[i][j] = 1.4*r.Float64() - 0.7
			z[j][i] = z[i][j]
		}
	}
	return z
}

func demoCorrelation(k int) *Figure { return CorrelationMap(demoNames(k), demoMatrix(k)) }

func demoLag() *Figure {
	lag := demoMatrix(3)
	for i := range lag {
		for j := range lag {
			lag[i][j] = math.Round(lag[i][j]*100) / 10
			if i == j {
				lag[i][j] = 0
			}
		}
	}
	return LagMap(demoNames(3), demoMatrix(3), lag)
}

func demoBlocks() *Figure {
	n := 60
	z := demoMatrix(n)
	class := func(i int) int { return i * i * 3 / (n * n) }
	ends := make([]int, 3)
	for i := range n {
		ends[class(i)]++
		for j := range n {
			if i != j && class(i) == class(j) {
				z[i][j] = 0.7 + 0.2*z[i][j]
			} else if i != j {
				z[i][j] *= 0.3
			}
		}
	}
	for k := 1; k < 3; k++ {
		ends[k] += ends[k-1]
	}
	return BlockMap(demoNames(3), ends, z)
}

func demoConfusion(k int) *Figure {
	r := rand.New(rand.NewPCG(2, uint64(k)))
	z := make([][]float64, k)
	for i := range z {
		z[i] = make([]float64, k)
		z[i][i] = 6 + 4*r.Float64()
		for range 4 {
			z[i][r.IntN(k)] += 1.5 * r.Float64()
		}
	}
	if k == 4 || k == 5 { // five: a second row that is not full
		var ms []Confusion
		for _, name := range []string{"FCN", "ResNet", "LSTM", "InceptionTime", "MiniRocket + ridge"}[:k] {
			ms = append(ms, Confusion{name, [][]float64{{z[0][0], z[1][2], 0}, {1, z[1][1], 0.2}, {z[2][0], 0, z[2][2]}}})
		}
		return ConfusionMatrix(demoNames(3), ms...)
	}
	return ConfusionMatrix(demoNames(k), Confusion{Counts: z})
}

func demoLearning(n int) *Figure {
	r := rand.New(rand.NewPCG(3, 0))
	rows := make([][]LearningPanel, 1+n/2)
	for q := range rows {
		for i := range n {
			d := LearningPanel{YLabel: []string{"Training loss", "Training accuracy (%)"}[q], Percent: q == 1}
			if n > 1 && q == 0 {
				d.Title = []string{"1 s", "100 ms", "10 ms"}[i]
			}
			for j, net := range []string{"FCN", "ResNet", "LSTM", "InceptionTime"} {
				l := LearningLine{Name: net}
				for e := 1; e <= 25; e++ {
					v := 0.1*float64(j) + 0.7*math.Exp(-float64(e)/8) + 0.02*r.Float64()
					if q == 1 {
						v = 1 - v
					}
					l.Epoch = append(l.Epoch, float64(e))
					l.Mean, l.Low, l.High = append(l.Mean, v), append(l.Low, v*0.9), append(l.High, min(1, v*1.1))
				}
				d.Lines = append(d.Lines, l)
			}
			rows[q] = append(rows[q], d)
		}
	}
	return LearningCurves(rows...)
}

func demoBurst() *Figure {
	r := rand.New(rand.NewPCG(4, 0))
	var panels []BurstPanel
	for i := range 3 {
		d := BurstPanel{Name: demoNames(3)[i], Step: 100 * time.Millisecond, Down: make([]float64, 600), Up: make([]float64, 600)}
		for t := range 600 {
			if t%100 < 4 {
				d.Down[t] = 60000 + 50000*r.Float64()
				d.Up[t] = 4000 * r.Float64()
			} else if r.IntN(20) == 0 {
				d.Down[t], d.Up[t] = 200, 90
			}
		}
		panels = append(panels, d)
	}
	return Burst(panels...)
}

func demoDurations(k int) *Figure {
	r := rand.New(rand.NewPCG(5, 0))
	s := make([][]float64, k)
	for i := range s {
		for range 37 {
			s[i] = append(s[i], 40+10*r.NormFloat64()+float64(i%7))
		}
	}
	return Durations(demoNames(k), s, 60)
}

func demoSeries() *Figure {
	r := rand.New(rand.NewPCG(6, 0))
	z := make([][]float64, 30)
	for i := range z {
		z[i] = make([]float64, 600)
		for t := range z[i] {
			switch {
			case (t+i/10*20)%100 < 4:
				z[i][t] = 60000 + 50000*r.Float64()
			case r.IntN(20) == 0:
				z[i][t] = 200
			}
		}
	}
	return SeriesMap(demoNames(3), []int{10, 20, 30}, z, 100*time.Millisecond)
}

// demoOpenWorld has a model that raises no false alarm at first, one whose own answer has none, and one without points.
func demoOpenWorld() *Figure {
	nan := math.NaN()
	panel := func(title string, base float64) PrecisionPanel {
		d := PrecisionPanel{Title: title}
		for k, name := range []string{"MiniRocket + ridge", "FCN", "none"} {
			l := PrecisionLine{Name: name, Answer: PrecisionPoint{Recall: nan, Precision: nan, Low: nan}}
			for i := range 20 - 20*(k/2) {
				recall, alarms := float64(i+1)/20, max(0, float64(i-10+5*k))/60
				q := PrecisionPoint{recall, recall / (recall + base*alarms), recall / (recall + base*(alarms+0.03))}
				if alarms == 0 {
					q.Precision = nan
				}
				if l.Points = append(l.Points, q); i == 14-10*k {
					l.Answer = q
				}
			}
			d.Lines = append(d.Lines, l)
		}
		return d
	}
	row := func(others string) []PrecisionPanel {
		return []PrecisionPanel{panel(others+", r = 1", 1), panel(others+", r = 20", 20), panel(others+", r = 1000", 1000)}
	}
	return PrecisionRecall(row("others seen"), row("others unseen"))
}

func demoRanks() *Figure {
	return CriticalDifference([]Ranked{{"C4.5", 3.143}, {"C4.5+m", 2}, {"C4.5+cf", 2.893}, {"C4.5+m+cf", 1.964}}, [][]int{{3, 1, 2}, {2, 0}}, 1.12)
}

func demoTree() *Figure {
	return Tree([]TreeNode{
		{Test: "avg_win_adv <= 1013", Class: 0, Name: "music", Share: 0.4, Rows: 104, Yes: 1, No: 2},
		{Class: 0, Name: "music", Share: 1, Rows: 40, Yes: 0, No: 0},
		{Test: "size_3 <= 0.25", Class: 1, Name: "weather", Share: 0.6, Rows: 64, Yes: 3, No: 4},
		{Class: 1, Name: "weather", Share: 0.95, Rows: 36, Yes: 0, No: 0},
		{Test: "iat_1 <= 0.7", Class: 2, Name: "quotes", Share: 0.8, Rows: 28, Yes: 5, No: 6},
		{Class: 2, Name: "quotes", Share: 1, Rows: 20}, {Class: 1, Name: "weather", Share: 1, Rows: 8},
	}, 2)
}

func demoManyRanks() *Figure {
	var models []Ranked
	for i := range 17 {
		models = append(models, Ranked{fmt.Sprintf("model %d", i+1), 1.5 + 14*math.Sqrt(float64(i)/16)})
	}
	return CriticalDifference(models, [][]int{{1, 2, 3}, {3, 4, 5, 6, 7}, {5, 6, 7, 8, 9, 10, 11}, {9, 16}}, 0)
}

func demoDots() *Figure {
	var panels []DotPanel
	for i, set := range []string{"tcptrace", "histogram", "combined"} {
		d := DotPanel{Title: set, XLabel: "Accuracy (%)", Percent: true, Rows: []string{"decision tree", "random forest", "SVM, linear", "k nearest neighbors"},
			References: []Reference{{"chance", 1. / 6}, {"majority", 0.35}}}
		for j, name := range []string{"random", "commands held out"} {
			s := DotSeries{Name: name}
			for k := range d.Rows {
				m := 0.9 - 0.35*float64(j) - 0.05*float64(k) + 0.02*float64(i)
				q := DotPoint{Mean: m, Low: m - 0.04, High: m + 0.05}
				if j == 0 {
					q.Published = 0.95 - 0.01*float64(k)
				}
				s.Points = append(s.Points, q)
			}
			d.Series = append(d.Series, s)
		}
		panels = append(panels, d)
	}
	return Dots(panels...)
}

func demoDotsOne() *Figure {
	d := DotPanel{XLabel: "Accuracy lost (points)", Rows: []string{"max_win_adv_down", "avg_win_adv_down", "size_01_down", "iat_15_down"}, Series: []DotSeries{{Points: []DotPoint{
		{Mean: 6.2, Low: 4, High: 8.1}, {Mean: 3, Low: 1, High: 5}, {Mean: -0.4, Low: -1, High: 0.2}, {Mean: math.NaN()}}}}}
	return Dots(d)
}

package plots

import (
	"os"
	"testing"
	"time"
)

func demoAccuracy() *Figure {
	nets := []string{"FCN", "ResNet", "LSTM", "InceptionTime"}
	steps := []time.Duration{0, time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond}
	c := AccuracyCurve{References: []Reference{{"chance", 1. / 3}, {"majority", 8. / 22}, {"totals only", 0.52}}}
	for i, n := range nets {
		l := AccuracyLine{Name: n}
		for j, s := range steps {
			m := 0.36 + 0.12*float64(j) + 0.03*float64(i)
			if n == "LSTM" {
				m = 0.36
			}
			l.Points = append(l.Points, AccuracyPoint{Step: s, Mean: m, Low: m - 0.1, High: m + 0.12, Significant: m > 0.7, Published: 0.3 + 0.05*float64(j)})
		}
		c.Lines = append(c.Lines, l)
	}
	return AccuracyVsStep(c)
}

func TestLook(t *testing.T) {
	dir := os.Getenv("EARSHOT_LOOK")
	if dir == "" {
		t.Skip("set EARSHOT_LOOK to a folder to write the figures there")
	}
	for name, f := range map[string]*Figure{"accuracy": demoAccuracy()} {
		f.Synthetic = true
		for _, e := range Formats {
			if err := Save(f, dir+"/"+name+"."+e); err != nil {
				t.Error(err)
			}
		}
	}
}

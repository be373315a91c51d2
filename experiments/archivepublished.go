package experiments

import (
	"math"
	"slices"

	"earshot/train"
)

// PublishedScore is an accuracy on the official split of a data set, as printed in a publication.
type PublishedScore struct {
	Dataset string
	Mean    float64 // a fraction
	SD      float64 // over Runs; 0 with several runs means that all were equal
	PublishedSource
}

// PublishedSource says what a published accuracy is of.
type PublishedSource struct {
	Net   string // our name of the model, where we have it
	Title string
	Paper string
	Runs  int // 1: a single result, without standard deviation
}

// archiveSources are the publications, in the columns of archiveScores.
var archiveSources = []PublishedSource{
	{"mlp", "MLP", fawaz2019, 5},
	{"fcn", "FCN", fawaz2019, 5},
	{"resnet", "ResNet", fawaz2019, 5},
	{"inceptiontime", "Inception, 1 net", inception2020, 5},
	{"", "InceptionTime, 5 nets", inception2020, 1},
	{"", "OS-CNN", "Tang et al., Omni-scale CNNs, ICLR 2022", 1},
	{"", "ROCKET", "Dempster, Petitjean, Webb, ROCKET, DMKD 34, 2020", 1},
	{Rocket, "MiniRocket", minirocket2021, 1},
	{"", "MiniRocket, 30 resamples", minirocket2021, 1},
	{"lstm_fcn", "LSTM-FCN", "Karim et al., LSTM fully convolutional networks, IEEE Access 6, 2018; chosen by training loss, runs high", 1},
}

const (
	fawaz2019      = "Ismail Fawaz et al., Deep learning for time series classification: a review, DMKD 33, 2019, table of the 128 data sets"
	inception2020  = "Ismail Fawaz et al., InceptionTime, DMKD 34, 2020"
	minirocket2021 = "Dempster, Schmidt, Webb, MiniRocket, KDD 2021"
)

// archiveScores are percent, mean and standard deviation, in the order of archiveSources; NaN where nothing was published.
var archiveScores = []struct {
	dataset string
	percent [10][2]float64
}{
	{"GunPoint", [10][2]float64{{92.8, 0.9}, {100, 0}, {99.1, 0.7}, {100, 0}, {100}, {99.9}, {100}, {99.3}, {99.2}, {100}}},
	{"ItalyPowerDemand", [10][2]float64{{95.3, 0.2}, {96.3, 0.1}, {96.2, 0.2}, {96.4, 0.5}, {96.5}, {94.7}, {97.0}, {96.9}, {96.0}, {96.2}}},
	{"ArrowHead", [10][2]float64{{78.4, 1.4}, {84.3, 1.1}, {83.8, 2.1}, {84.7, 2.5}, {84.6}, {83.8}, {81.4}, {86.3}, {88.1}, {89.7}}},
	{"Coffee", [10][2]float64{{99.3, 1.4}, {100, 0}, {100, 0}, {100, 0}, {100}, {100}, {100}, {100}, {99.9}, {100}}},
	{"ECG200", [10][2]float64{{91.4, 0.8}, {88.8, 0.7}, {87.4, 1.6}, {91.8, 1.3}, {93.0}, {90.8}, {90.6}, {91.0}, {89.9}, {87.0}}},
	{"BME", [10][2]float64{{90.5, 1.3}, {83.6, 0.5}, {99.9, 0.3}, {99.3, 0}, {99.3}, {100}, {math.NaN()}, {100}, {99.2}, {math.NaN()}}},
}

// PublishedScores are the published accuracies on a data set; nil where we know of none.
func PublishedScores(dataset string) (out []PublishedScore) {
	for _, row := range archiveScores {
		for i, p := range row.percent {
			if row.dataset == dataset && !math.IsNaN(p[0]) {
				out = append(out, PublishedScore{dataset, math.Round(10*p[0]) / 1000, math.Round(10*p[1]) / 1000, archiveSources[i]})
			}
		}
	}
	return out
}

// publishedScore is what was published for one of our models.
func publishedScore(dataset, net string) (PublishedScore, bool) {
	all := PublishedScores(dataset)
	i := slices.IndexFunc(all, func(p PublishedScore) bool { return p.Net != "" && p.Net == net })
	if i < 0 {
		return PublishedScore{}, false
	}
	return all[i], true
}

// publishedEpochs is how many epochs the publication of a network trained on n series; 0 for models that have none.
func publishedEpochs(net string, n int) int {
	if isRocket(net) || !slices.ContainsFunc(archiveSources, func(s PublishedSource) bool { return s.Net == net }) {
		return 0
	}
	c, err := train.Recipe(net, train.ProfilePaper, n)
	if err != nil {
		return 0
	}
	return c.Epochs
}

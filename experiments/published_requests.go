package experiments

// RequestsPublished are the numbers of the smart-speaker study (2018) and of the work on its recordings. Accuracies are
// fractions, means over 100 trials unless said otherwise.
type RequestsPublished struct {
	Bins      []PublishedBins     // Table I
	Models    []PublishedModel    // Table II
	Confusion []PublishedMatrix   // Figures 5 and 6
	Ablations []PublishedAblation // section Discussion
	Chosen    []PublishedChoice   // section Classifiers: trials in which a grid point won, where the study counts them
	Tests     []PublishedTest     // section Results
	Commands  []PublishedCommand  // 100 commands: the published work on the public recordings
}

// PublishedBins is one row of Table I: accuracy of a forest of 400 trees on two histograms of B bins.
type PublishedBins struct {
	B                  int
	WithACKs, WithData float64
}

// PublishedModel is one entry of Table II.
type PublishedModel struct {
	Set, Model       string
	Mean, SD, Median float64
}

// PublishedMatrix is an averaged confusion matrix of the best model of a set: test captures, rows actual, in the order of
// Classes.
type PublishedMatrix struct {
	Set, Figure string
	Classes     []string
	Counts      [][]float64
}

// PublishedAblation is the accuracy of a forest on some of the features; SD is 0 where the study prints none.
type PublishedAblation struct {
	Set      string
	Mean, SD float64
}

// PublishedChoice is how often a value of a setting won.
type PublishedChoice struct {
	Set, Model, Setting, Value string
	Trials                     int
}

// PublishedTest is a comparison that the study prints: forests on two sets. The interval is of the difference in points.
type PublishedTest struct {
	A, B      string
	P         float64
	Below     bool // p is below P
	Low, High float64
}

// PublishedCommand is a method's accuracy on 100 commands, five-fold, on all 1,000 csv of the recordings.
type PublishedCommand struct {
	Method   string
	Accuracy float64
}

// Table II in the order of the study.
var requestsPublished = RequestsPublished{
	Bins: []PublishedBins{
		{5, 0.8516, 0.8201}, {10, 0.9059, 0.8800}, {15, 0.9234, 0.9321}, {25, 0.9240, 0.9325}, {50, 0.9297, 0.9330}, {100, 0.9392, 0.9396}, {200, 0.9272, 0.9387},
	},
	Models: []PublishedModel{
		{"tcptrace", "tree", 0.9569, 0.0158, 0.9551}, {"tcptrace", "forest", 0.9687, 0.0134, 0.9679}, {"tcptrace", "svm_linear", 0.9401, 0.0168, 0.9423},
		{"tcptrace", "svm_rbf", 0.9403, 0.0169, 0.9423}, {"tcptrace", "mlp", 0.9424, 0.0157, 0.9423}, {"tcptrace", "knn", 0.9408, 0.0184, 0.9423},
		{"histogram", "tree", 0.8705, 0.0229, 0.8718}, {"histogram", "forest", 0.9323, 0.0182, 0.9327}, {"histogram", "svm_linear", 0.8689, 0.0231, 0.8718},
		{"histogram", "svm_rbf", 0.8791, 0.0231, 0.8782}, {"histogram", "mlp", 0.8815, 0.0236, 0.8846}, {"histogram", "knn", 0.8887, 0.0209, 0.8910},
		{"combined", "tree", 0.9542, 0.0168, 0.9551}, {"combined", "forest", 0.9701, 0.0114, 0.9744}, {"combined", "svm_linear", 0.9612, 0.0147, 0.9615},
		{"combined", "svm_rbf", 0.9556, 0.0123, 0.9551}, {"combined", "mlp", 0.9507, 0.0144, 0.9519}, {"combined", "knn", 0.9572, 0.0171, 0.9551},
	},
	Confusion: []PublishedMatrix{
		{"histogram", "Figure 5", requestTypes, [][]float64{
			{20.15, 0.29, 0.63, 4.47, 0.39, 0.07}, {0.32, 25.68, 0, 0, 0, 0}, {0.27, 0, 25.65, 0.08, 0, 0},
			{2.59, 0, 0.13, 23.08, 0.04, 0.16}, {0.60, 0, 0, 0.52, 24.88, 0}, {0, 0, 0, 0, 0, 26}}},
		{"combined", "Figure 6", requestTypes, [][]float64{
			{22.72, 0.32, 0.01, 2.58, 0.37, 0}, {0.14, 25.86, 0, 0, 0, 0}, {0.22, 0, 25.77, 0.01, 0, 0},
			{0.26, 0, 0.04, 25.70, 0, 0}, {0.50, 0, 0, 0.21, 25.29, 0}, {0, 0, 0, 0, 0, 26}}},
	},
	Ablations: []PublishedAblation{
		{"combined", 0.9701, 0.0114}, {"tcptrace", 0.9687, 0.0134}, {"windows", 0.9192, 0}, {"amounts", 0.8692, 0},
		{"histogram", 0.9323, 0.0182}, {"sizes", 0.9253, 0.0201}, {"times", 0.4385, 0},
	},
	Chosen: []PublishedChoice{
		{"combined", "tree", "criterion", "entropy", 69}, {"combined", "tree", "criterion", "gini", 31},
		{"tcptrace", "svm_linear", "C", "5", 30}, {"tcptrace", "svm_linear", "C", "10", 28},
		{"histogram", "svm_linear", "C", "1", 34}, {"histogram", "svm_linear", "C", "0.5", 37},
		{"combined", "svm_linear", "C", "0.1", 53}, {"combined", "svm_linear", "C", "0.5", 38},
		{"tcptrace", "knn", "n_neighbors", "3", 37}, {"tcptrace", "knn", "n_neighbors", "5", 24},
		{"histogram", "knn", "n_neighbors", "5", 46}, {"histogram", "knn", "n_neighbors", "3", 20},
		{"combined", "knn", "n_neighbors", "5", 50}, {"combined", "knn", "n_neighbors", "3", 35},
	},
	Tests: []PublishedTest{
		{A: "tcptrace", B: "histogram", P: 0.0001, Below: true}, {A: "combined", B: "histogram", P: 0.0001, Below: true},
		{A: "tcptrace", B: "combined", P: 0.427, Low: -0.4869, High: 0.2069}, {A: "sizes", B: "histogram", Low: -1.23, High: -0.17},
	},
	Commands: []PublishedCommand{{"LL-Jaccard", 0.174}, {"LL-NB", 0.338}, {"VNG++", 0.249}, {"P-SVM", 0.334}},
}

// requestTypes are the classes of Figures 5 and 6, in their order.
var requestTypes = []string{"information", "unintelligible", "quotes", "weather", "directions", "music"}

// Model returns the row of Table II.
func (p *RequestsPublished) Model(set, model string) (PublishedModel, bool) {
	if p != nil {
		for _, m := range p.Models {
			if m.Set == set && m.Model == model {
				return m, true
			}
		}
	}
	return PublishedModel{}, false
}

// Package features turns traces into rows of numbers for classifiers that take vectors.
//
// A Set computes the columns of one paper or program: what tcptrace prints of a connection, histograms of sizes and
// inter-arrival times, the statistics of CICFlowMeter and NFStream, packet sequences, traffic aggregation matrices,
// cumulative sizes, bursts. All lists them; every column carries its unit and its formula. Steps:
//
//	x, err := features.New("tcptrace22,histogram", features.Options{Set: map[string]string{"bins": "15"}})
//	m, err := x.Extract(source) // source calls back with one trace after the other
//
// A row is one capture or one connection (Options.Per). Memory holds the rows and one trace, never the data set. What
// does not exist, such as the rate of a capture without duration, is NaN; sequences shorter than their columns are
// filled with 0. Nothing is scaled: scaling belongs to the training data of a fold.
//
// Letters: N rows, F columns (features). Directions: up is client to server, down server to client.
package features

package experiments

// Group is one row of summary.csv: the repeats (splits and seeds) of one setting. Values that do not exist are NaN.
type Group struct {
	Settings         // those shared by the repeats; Split and Seed are zero
	Cells    []*Cell // the repeats that have numbers, in the order of the sweep
	Repeats  int
	Mean     float64
	SD       float64 // n - 1
	Median   float64
	CILow    float64 // corrected resampled t, 95 %; Clopper-Pearson when there is one repeat
	CIHigh   float64
	P        float64 // one-sided, mean accuracy above 1/K
	PHolm    float64 // P corrected over the networks of its table; NaN for controls
	NTrain   int
	NTest    int
}

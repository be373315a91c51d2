package metrics

// Detection counts what became of the events of one class when a detector decides by itself when to speak: Found were
// reported rightly, Mistaken as another class, Missed not at all; False are reports of this class for events of others.
type Detection struct{ Found, Mistaken, Missed, False int }

// Events is the number of events of the class.
func (d Detection) Events() int { return d.Found + d.Mistaken + d.Missed }

// Precision is the share of the class's reports that are right; 0 without reports.
func (d Detection) Precision() float64 { return ratio(d.Found, d.Found+d.False) }

// Recall is the share of the class's events that were found; 0 without events.
func (d Detection) Recall() float64 { return ratio(d.Found, d.Events()) }

// Pool adds the counts of all classes: their precision and recall weigh every event alike.
func Pool(ds []Detection) (sum Detection) {
	for _, d := range ds {
		sum.Found += d.Found
		sum.Mistaken += d.Mistaken
		sum.Missed += d.Missed
		sum.False += d.False
	}
	return sum
}

// Macro is the plain mean of precision and recall over the classes, each weighing alike; 0 without classes.
func Macro(ds []Detection) (precision, recall float64) {
	for _, d := range ds {
		precision += d.Precision() / float64(len(ds))
		recall += d.Recall() / float64(len(ds))
	}
	return precision, recall
}

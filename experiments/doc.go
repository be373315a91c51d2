// Package experiments runs whole studies: it joins captures, representations, networks and statistics into the tables of
// a paper, and keeps every number's evidence in a folder.
//
// A Study is a typed value: data, representations, networks, protocols, repeats, and the published numbers that ours
// stand beside. Sweep turns it into cells. A Cell is one trained model (or one control) on one split with one seed: a network
// or MiniRocket on a series, or a classical model, with an inner search, on a table of features. It
// is a folder with its settings and metrics (cell.json), predictions, history and weights, written under a temporary
// name and renamed, so that a run can be stopped at any moment and goes on where it was.
//
// Everything after the sweep reads the folder alone: LoadRun opens it, WriteTables makes cells.csv, summary.csv and
// tables/, WriteReport the figures and the report, Verify recomputes them all and trains one cell again.
//
// Before the first cell, Audit looks at the data for what gives the classes away beside the traffic: the same packets on
// both sides of a split, groups on both sides, a clock that names the class. Of an archive it looks at each data set's
// series: the same on both sides, as they are or but for level, scale and rounding. A run keeps it in audit.json.
//
// How numbers are made. A cell has an exact interval, a p against guessing and a p against the constant answer.
// Repeats are summarized by mean, standard deviation and the corrected resampled t interval and are never pooled as one
// binomial. The p-values of one table get Holm's correction. In an open world (Study.World) some values are monitored and
// the rest is one class: what an alarm is worth is given at stated base rates, and p-values are against the constant answer.
package experiments

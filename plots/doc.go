// Package plots draws the figures of a paper: plain values go in, a Figure comes out, and Save writes it as PDF, SVG or PNG.
//
// One file holds one kind of figure:
//
//	accuracy.go     accuracy against time step, one line per net, with intervals
//	correlation.go  correlation of classes, of captures, and over all lags
//	confusion.go    confusion matrices
//	learning.go     loss and accuracy against epoch
//	burst.go        bytes over time of single captures
//	durations.go    how long the captures of each class last
//	tree.go         the first levels of a decision tree
//	openworld.go    precision against recall at base rates
//	ranks.go        mean ranks of models over data sets: the critical-difference diagram
//
// All share one style (style.go): column widths of two-column papers, 7-8 pt type at print size, colors that
// color-blind readers tell apart and that differ in dash and marker too, so that a copy in gray still works. The same
// values give the same bytes, in every format: nothing reads the clock. A Figure's panels are gonum plots, which a caller
// may change before saving. Captions, titles and tables are the caller's; this package decides no statistics.
package plots

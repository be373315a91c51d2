// Package metrics turns right and wrong answers into numbers that a paper can print: accuracies with their intervals,
// tests against guessing and against another classifier, confusion matrices, corrections for many comparisons, and the
// number of test points that a claim needs.
//
// One cell of a table is k right answers of n: ClopperPearson is its interval, BinomialTail its p against guessing and
// McNemarExact its p against another classifier on the same points. Repeats of one experiment share their training
// data, so they are never pooled as one binomial: CorrectedResampledT summarizes them. Captures that were recorded
// together are not independent: ClopperPearsonClustered counts groups (a bootstrap of groups, the usual answer, covers half of
// what it promises with two of them); Bootstrap is for statistics of independent captures that have no exact interval. A table of many cells gets Holm's correction. Several models on several data sets
// are compared by their ranks: Friedman, CriticalDifference and Nemenyi, PairwiseWilcoxon. A detector that speaks when it
// wants is counted by Detection, and a classifier that meets what it was not asked for by OpenWorld.
//
// Levels and probabilities are fractions (0.95, not 95). A number that does not exist (the standard deviation of one
// repeat) is NaN. Nothing here draws from a global random source.
package metrics

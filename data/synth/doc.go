// Package synth generates traffic whose answer is known. Each generator has a knob that sets how well the best possible
// rule could tell the classes apart, from guessing to certainty, and states that accuracy exactly: networks, statistics
// and defenses are then tested against truth rather than against each other.
//
// Nothing here is a claim about real traffic. Generators take a seed and read neither the clock nor a global source.
package synth

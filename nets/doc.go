// Package nets declares the networks, one per file, and reads and writes their weights.
//
// Letters, here and in the packages below: N rows of a batch, C channels, T time steps, K classes (or taps of a
// filter), F filters, H hidden units. Tensors are float32 and (N, C, T), row-major.
//
// A network is a small struct with what varies between its profiles, and a method Build that declares it over
// nn.Builder. Profile tsai is the library of that name at version 0.3.1, to the letter of its state_dict; profile paper
// is the network's own publication. Profile sklearn is the perceptron of scikit-learn.
//
// To add a network: write a file with paper, shapes and deviations in its comment, name the layers as the reference
// names its tensors, and add a line per profile to All. The tests over All then check shapes, gradients, memory and
// that it learns; parameter counts and goldens of the reference are one row each in the tests.
package nets

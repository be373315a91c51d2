package nets

import "earshot/nets/nn"

// LSTM is one layer of long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9(8), 1997, with the
// forget gate of Gers, Schmidhuber and Cummins, Neural Computation 12(10), 2000), as tsai and the song study use it.
//
// It reads the series step by step, C values each; a linear layer classifies the last hidden state.
//
// Input (N, C, T), output logits (N, K). The papers fix no size and no initial weights: the paper profile starts as
// Keras does. Profile tsai1 is tsai from 0.4.1 on.
type LSTM struct {
	Hidden int // units: 100 in tsai
}

// Build declares the network.
func (a LSTM) Build(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
	return b.Linear("fc", b.LSTM("rnn", x, a.Hidden), classes) // (N, C, T) to (N, H) to (N, K)
}

package nets

import "earshot/nets/nn"

// FCN is the fully convolutional network of Wang, Yan and Oates, "Time series classification from scratch with deep
// neural networks: a strong baseline", IJCNN 2017.
//
// Three blocks of convolution, batch norm and ReLU, then the mean over time and a linear layer.
//
// Input (N, C, T), output logits (N, K). Deviations of the paper profile: convolutions have no bias, since batch norm
// would remove it.
type FCN struct {
	Kernels [3]int // taps: 8, 5, 3 in the paper; 7, 5, 3 in tsai
}

// Build declares the network.
func (a FCN) Build(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
	x = b.ConvBlock("convblock1", x, 128, a.Kernels[0], true)
	x = b.ConvBlock("convblock2", x, 256, a.Kernels[1], true)
	x = b.ConvBlock("convblock3", x, 128, a.Kernels[2], true)
	return b.Linear("fc", b.GAP(x), classes) // (N, 128, T) to (N, 128) to (N, K)
}

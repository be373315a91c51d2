package nets

import (
	"fmt"

	"earshot/nets/nn"
)

// ResNet is the residual network of Wang, Yan and Oates, "Time series classification from scratch with deep neural
// networks: a strong baseline", IJCNN 2017.
//
// Three blocks of three convolutions each. A shortcut leads around each block: batch norm alone where the number of
// channels stays, else a convolution of one tap and batch norm. Then the mean over time and a linear layer.
//
// Input (N, C, T), output logits (N, K). Deviations of the paper profile: convolutions have no bias, since batch norm
// would remove it.
type ResNet struct {
	Kernels [3]int // taps: 8, 5, 3 in the paper; 7, 5, 3 in tsai
}

// Build declares the network.
func (a ResNet) Build(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
	for i, filters := range []int{64, 128, 128} {
		x = a.block(b, fmt.Sprintf("resblock%d.", i+1), x, filters)
	}
	return b.Linear("fc", b.GAP(x), classes) // (N, 128, T) to (N, 128) to (N, K)
}

func (a ResNet) block(b *nn.Builder, name string, x nn.Tensor, filters int) nn.Tensor {
	y := b.ConvBlock(name+"convblock1", x, filters, a.Kernels[0], true)
	y = b.ConvBlock(name+"convblock2", y, filters, a.Kernels[1], true)
	y = b.ConvBlock(name+"convblock3", y, filters, a.Kernels[2], false)
	if x.Channels() == filters {
		x = b.BatchNorm(name+"shortcut", x, false)
	} else {
		x = b.ConvBlock(name+"shortcut", x, filters, 1, false)
	}
	return b.AddReLU(y, x)
}

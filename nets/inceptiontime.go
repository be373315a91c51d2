package nets

import (
	"fmt"

	"earshot/nets/nn"
)

// InceptionTime is one network of the ensemble of Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series
// classification", Data Mining and Knowledge Discovery 34, 2020.
//
// Six modules of 4 x 32 filters, with a shortcut around modules 1 to 3 and 4 to 6. Then the mean over time and a linear
// layer.
//
// Input (N, C, T), output logits (N, K). tsai makes the even kernels odd and has batch norm alone in the second
// shortcut; both skip the bottleneck of a single channel. Deviations of the paper profile: one network, not five.
type InceptionTime struct {
	Kernels   [3]int // taps: 40, 20, 10 in the paper; 39, 19, 9 in tsai
	ConvsOnly bool   // every shortcut has a convolution, as in the paper, also where the number of channels stays
}

const inceptionFilters = 32 // of each path, and of the bottleneck

// Build declares the network.
func (a InceptionTime) Build(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
	residual := x
	for i := range 6 {
		x = a.module(b, fmt.Sprintf("inceptionblock.inception.%d.", i), x)
		if i%3 == 2 {
			name := fmt.Sprintf("inceptionblock.shortcut.%d", i/3)
			if residual.Channels() == x.Channels() && !a.ConvsOnly {
				residual = b.BatchNorm(name, residual, false)
			} else {
				residual = b.ConvBlock(name, residual, x.Channels(), 1, false)
			}
			x = b.AddReLU(x, residual)
			residual = x
		}
	}
	return b.Linear("fc", b.GAP(x), classes) // (N, 128, T) to (N, 128) to (N, K)
}

// module takes (N, C, T) to (N, 128, T): three convolutions of a bottleneck beside a convolution of the maxima.
func (a InceptionTime) module(b *nn.Builder, name string, x nn.Tensor) nn.Tensor {
	narrow := x
	if x.Channels() > 1 {
		narrow = b.Conv1D(name+"bottleneck", x, inceptionFilters, 1)
	}
	y := b.ConcatConvs(
		nn.Branch{Name: name + "convs.0", X: narrow, Filters: inceptionFilters, K: a.Kernels[0]},
		nn.Branch{Name: name + "convs.1", X: narrow, Filters: inceptionFilters, K: a.Kernels[1]},
		nn.Branch{Name: name + "convs.2", X: narrow, Filters: inceptionFilters, K: a.Kernels[2]},
		nn.Branch{Name: name + "maxconvpool.1", X: b.MaxPool3(x), Filters: inceptionFilters, K: 1},
	)
	return b.BatchNorm(name+"bn", y, true)
}

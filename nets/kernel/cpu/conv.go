package cpu

// convTier holds the micro-kernels of convolution in one tier.
type convTier struct{}

package cpu

var (
	convAVX2   = convTier{}
	convAVX512 = convTier{}
)

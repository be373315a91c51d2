package cpu

var (
	gemmAVX2 = gemmTier{
		lanes: 8,
		tiles: [3][4]gemmFunc{2: {gemm1x3AVX2, gemm2x3AVX2, gemm4x3AVX2}, 1: {gemm1x2AVX2, gemm2x2AVX2, gemm4x2AVX2}},
		part:  [4]gemmPart{gemm1PartAVX2, gemm2PartAVX2, gemm4PartAVX2, gemm8PartAVX2},
		curve: [2]curveFunc{logisticAVX2, tanhAVX2}, slope: [2]slopeFunc{logisticSlopeAVX2, tanhSlopeAVX2},
		softmax: softmaxAVX2, squares: sumSquaresAVX2,
	}
	gemmAVX512 = gemmTier{
		lanes: 16,
		tiles: [3][4]gemmFunc{2: {gemm1x3AVX512, gemm2x3AVX512, gemm4x3AVX512, gemm8x3AVX512}, 1: {gemm1x2AVX512, gemm2x2AVX512, gemm4x2AVX512, gemm8x2AVX512}},
		part:  [4]gemmPart{gemm1PartAVX512, gemm2PartAVX512, gemm4PartAVX512, gemm8PartAVX512},
		half:  [4]gemmPart{gemm1HalfAVX512, gemm2HalfAVX512, gemm4HalfAVX512, gemm8HalfAVX512},
		curve: [2]curveFunc{logisticAVX512, tanhAVX512}, slope: [2]slopeFunc{logisticSlopeAVX512, tanhSlopeAVX512},
		softmax: softmaxAVX512, squares: sumSquaresAVX512,
	}
)

package cpu

var (
	lstmAVX2 = lstmTier{
		lanes: 8, rows: 4,
		mul4:  [3]lstmMul{lstmMul4x1AVX2, lstmMul4x2AVX2, lstmMul4x3AVX2},
		outer: [3]lstmOuter{lstmOuter1AVX2, lstmOuter2AVX2, lstmOuter3AVX2}, outerTile: [3]int{8, 4, 4},
		cell: lstmCellAVX2, back: lstmBackAVX2,
	}
	lstmAVX512 = lstmTier{
		lanes: 16, rows: 8,
		mul4:  [3]lstmMul{lstmMul4x1AVX512, lstmMul4x2AVX512, lstmMul4x3AVX512},
		mul8:  [3]lstmMul{lstmMul8x1AVX512, lstmMul8x2AVX512, lstmMul8x3AVX512},
		outer: [3]lstmOuter{lstmOuter1AVX512, lstmOuter2AVX512, lstmOuter3AVX512}, outerTile: [3]int{16, 8, 8},
		cell: lstmCellAVX512, back: lstmBackAVX512,
		narrow: &lstmAVX2,
	}
)

package cpu

var rowsAVX2 = rowsTier{
	lanes:   8,
	moments: bnMomentsAVX2, bnSums: bnSumsAVX2, bnApply: bnApplyAVX2,
	add: addActAVX2, accumulate: accumulateAVX2, positive: keepPositiveAVX2,
	sum: sumActAVX2, poolMax: poolMaxAVX2, poolArg: poolArgAVX2, poolBack: poolBackAVX2,
	adam: adamAVX2,
}

var rowsAVX512 = rowsTier{
	lanes:   16,
	moments: bnMomentsAVX512, bnSums: bnSumsAVX512, bnApply: bnApplyAVX512,
	add: addActAVX512, accumulate: accumulateAVX512, positive: keepPositiveAVX512,
	sum: sumActAVX512, poolMax: poolMaxAVX512, poolArg: poolArgAVX512, poolBack: poolBackAVX512,
	adam: adamAVX512,
}

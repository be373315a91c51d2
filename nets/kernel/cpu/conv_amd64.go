package cpu

var convAVX2 = convTier{
	lanes: 8, rows: 4, tiles: [3]tileFunc{convTile1AVX2, convTile2AVX2, convTile3AVX2}, far: convTileFarAVX2,
	pairs: 6, filters: 16, outer: convOuterAVX2,
	transpose: transposeAVX2, pack: convPackAVX2, peak: fmaPeakAVX2,
	timeOuter: 8,
}

var convAVX512 = convTier{
	lanes: 16, rows: 8, tiles: [3]tileFunc{convTile1AVX512, convTile2AVX512, convTile3AVX512}, far: convTileFarAVX512, masks: true,
	pairs: 12, filters: 32, outer: convOuterAVX512,
	transpose: transposeAVX512, pack: convPackAVX512, peak: fmaPeakAVX512,
	timeOuter: 1, channelBlock: 64,
}

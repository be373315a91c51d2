package cpu

import xcpu "golang.org/x/sys/cpu"

// tiers lists the tiers of this architecture, fastest first.
var tiers = []tier{
	{name: "avx512", missing: missingAVX512, conv: convAVX512, lstm: lstmAVX512, rows: rowsAVX512, gemm: gemmAVX512},
	{name: "avx2", missing: missingAVX2, conv: convAVX2, lstm: lstmAVX2, rows: rowsAVX2, gemm: gemmAVX2},
}

func missingAVX2() []string {
	return lacking([]feature{{xcpu.X86.HasAVX2, "AVX2"}, {xcpu.X86.HasFMA, "FMA"}})
}

// missingAVX512 asks for the Skylake server set; the system must save the wide registers, which x/sys checks.
func missingAVX512() []string {
	return append(missingAVX2(), lacking([]feature{
		{xcpu.X86.HasAVX512F, "AVX512F"}, {xcpu.X86.HasAVX512BW, "AVX512BW"},
		{xcpu.X86.HasAVX512DQ, "AVX512DQ"}, {xcpu.X86.HasAVX512VL, "AVX512VL"},
	})...)
}

type feature struct {
	has  bool
	name string
}

func lacking(fs []feature) []string {
	var names []string
	for _, f := range fs {
		if !f.has {
			names = append(names, f.name)
		}
	}
	return names
}

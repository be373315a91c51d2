package cpu

import (
	"fmt"
	"math"

	"earshot/nets/kernel"
)

// SoftmaxCrossEntropy implements kernel.Backend. As in kernel/ref the loss is taken from the logits, so that it stays
// finite where a probability rounds to 0.
func (be *Backend) SoftmaxCrossEntropy(n, k int, prob, logits kernel.Buf, y []int32) float64 {
	const name = "SoftmaxCrossEntropy"
	ps, ls := values(name, "prob", prob, n*k), values(name, "logits", logits, n*k)
	checkClasses(name, y, n, k)
	if n == 0 {
		return math.NaN()
	}
	be.shared.reset(2*n, 2)
	sums, tops := be.shared.take(n), be.shared.take(n)
	each := max(1, itemValues/max(k, 1))
	be.pool.Run(ceilDiv(n, each), func(_, i int) {
		r := i * each
		be.tier.gemm.softmax(&ps[r*k], &sums[r], &tops[r], &ls[r*k], min(each, n-r), k/8, k%8, float32(k%8))
	})
	// The logarithms of a few sums are that of their product: each lies between 1 and k.
	loss, product := 0.0, 1.0
	for i, c := range y {
		loss += float64(tops[i]) - float64(ls[i*k+int(c)])
		if product *= float64(sums[i]); !(product < 1e200) {
			loss, product = loss+math.Log(product), 1
		}
	}
	return (loss + math.Log(product)) / float64(n)
}

// SoftmaxCrossEntropyBackward implements kernel.Backend.
func (be *Backend) SoftmaxCrossEntropyBackward(n, k int, dlogits, prob kernel.Buf, y []int32, scale float32) {
	const name = "SoftmaxCrossEntropyBackward"
	ds, ps := values(name, "dlogits", dlogits, n*k), values(name, "prob", prob, n*k)
	checkClasses(name, y, n, k)
	s := scale / float32(n)
	for i, p := range ps {
		ds[i] = p * s
	}
	for i, c := range y {
		ds[i*k+int(c)] = (ps[i*k+int(c)] - 1) * s
	}
}

func checkClasses(method string, y []int32, n, k int) {
	if len(y) != n {
		panic(fmt.Sprintf("cpu: %s: %d classes for %d rows", method, len(y), n))
	}
	for i, c := range y {
		if uint32(c) >= uint32(k) {
			panic(fmt.Sprintf("cpu: %s: row %d: class %d of %d", method, i, c, k))
		}
	}
}

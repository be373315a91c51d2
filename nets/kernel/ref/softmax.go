package ref

import (
	"fmt"
	"math"

	"earshot/nets/kernel"
)

// SoftmaxCrossEntropy computes prob (N, K) = softmax(logits) and returns the mean over rows of -log prob[y]. The
// largest logit of a row is subtracted first, so no exponential overflows, and the loss is taken from the logits
// rather than from prob, so it stays finite where prob[y] rounds to 0.
func (b *Backend) SoftmaxCrossEntropy(n, k int, prob, logits kernel.Buf, y []int32) float64 {
	const name = "softmax cross entropy"
	ps, ls := values(name, "prob", prob, n*k), values(name, "logits", logits, n*k)
	checkClasses(name, y, n, k)
	var loss float64
	for i := range n {
		row, out := ls[i*k:][:k], ps[i*k:][:k]
		largest := math.Inf(-1)
		for _, v := range row {
			largest = max(largest, float64(v))
		}
		var sum float64
		for _, v := range row {
			sum += math.Exp(float64(v) - largest)
		}
		for j, v := range row {
			out[j] = float32(math.Exp(float64(v)-largest) / sum)
		}
		loss += math.Log(sum) + largest - float64(row[y[i]])
	}
	return loss / float64(n)
}

// SoftmaxCrossEntropyBackward computes dlogits = (prob - onehot(y)) * scale / n.
func (b *Backend) SoftmaxCrossEntropyBackward(n, k int, dlogits, prob kernel.Buf, y []int32, scale float32) {
	const name = "softmax cross entropy backward"
	ds, ps := values(name, "dlogits", dlogits, n*k), values(name, "prob", prob, n*k)
	checkClasses(name, y, n, k)
	s := scale / float32(n)
	for i := range n {
		for j := range k {
			d := ps[i*k+j]
			if int32(j) == y[i] {
				d--
			}
			ds[i*k+j] = d * s
		}
	}
}

func checkClasses(name string, y []int32, n, k int) {
	if len(y) != n {
		panic(fmt.Sprintf("ref: %s: %d classes for %d rows", name, len(y), n))
	}
	for i, c := range y {
		if c < 0 || int(c) >= k {
			panic(fmt.Sprintf("ref: %s: row %d: class %d of %d", name, i, c, k))
		}
	}
}

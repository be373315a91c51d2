// Package kernel is the arithmetic under the networks: one interface, Backend, and nothing of graphs or layers.
//
// Backends are kernel/ref (plain Go, the oracle) and kernel/cpu (AVX2 and AVX-512 tiers chosen at run time; everything
// they do not accelerate is ref's). Letters: N rows of a batch, C channels, T time steps, F filters, K taps or classes,
// H hidden units. Tensors are dense, float32, row-major, (N, C, T).
//
// Every result has the same bits for any number of threads: partial sums are formed over parts of the work that depend
// on the shapes alone, and are added in a fixed order.
//
// Kernels never see a graph: the caller owns every buffer, and a length that does not fit the stated shape panics with
// both lengths, since it is a mistake of the program and never of its input.
package kernel

// Buf is a run of float32 values in the memory of one backend. On a host backend Host holds the values; on a device
// Host is nil and Device names the allocation, Off and Len the part of it in values. The zero Buf means "none" where a
// method allows that.
type Buf struct {
	Host   []float32
	Device uintptr
	Off    int
	Len    int
}

// Host wraps values in the program's own memory.
func Host(v []float32) Buf { return Buf{Host: v, Len: len(v)} }

// None reports whether the buffer is absent.
func (b Buf) None() bool { return b.Len == 0 }

// Act is an activation that is still pending on a stored tensor: who reads channel c sees Scale[c]*x + Shift[c], then
// max(0, .) when ReLU is set. The zero Act is the identity. It lets batch norm + ReLU happen while the next operator
// packs its input, so that the normalized tensor is never stored.
type Act struct {
	Scale, Shift Buf // (C)
	ReLU         bool
}

// Identity reports whether reading through a changes nothing.
func (a Act) Identity() bool { return a.Scale.None() && !a.ReLU }

// Conv describes a batch of 1-D cross-correlations, stride 1, zero padded so that the output has T steps too:
//
//	y[n][f][t] = b[f] + sum over c, k of w[f][c][k] * x[n][c][t + k*Dilation - PadLeft]
//
// XStride and YStride are the channel counts of the buffers that x and y lie in (0: C and F): a convolution may read or
// write a range of channels of a wider tensor; the Buf then starts at the first channel of row 0 of that range and ends
// with the last channel of row N-1.
type Conv struct {
	N, C, T  int
	F, K     int
	PadLeft  int
	Dilation int // 0 means 1
	XStride  int
	YStride  int
}

// BN describes batch normalization over N and T of an (N, C, T) tensor.
type BN struct {
	N, C, T  int
	Eps      float32
	Momentum float32 // running = (1-Momentum)*running + Momentum*batch; running variance unbiased, normalization biased
	ReLU     bool    // an activation follows: the backward pass masks by it
}

// Pool describes stride-1 pooling of width K with PadLeft zeros' worth of padding that never wins a maximum.
type Pool struct {
	N, C, T int
	K       int
	PadLeft int
}

// Curve is an elementwise function that ends a linear layer.
type Curve uint8

// The curves: x, max(0, x), 1/(1+exp(-x)), tanh(x). The derivative of each is a function of its value.
const (
	Identity Curve = iota
	ReLU
	Logistic
	Tanh
)

// Linear describes y = Curve(x wᵀ + b), x (N, C), w (F, C), y (N, F).
type Linear struct {
	N, C, F int
	Curve   Curve
}

// LSTM describes one layer over whole sequences: x (N, C, T) read step by step, H units, gate order i, f, g, o
// (PyTorch's), two bias vectors. Only the last step's output leaves.
//
//	wih (4H, C), whh (4H, H), bih, bhh (4H), y (N, H)
//
// SaveEvery = 0 keeps every step's gates and cell for the backward pass. SaveEvery = S > 0 keeps hidden and cell state
// of every S-th step only, and the backward pass recomputes the steps between.
type LSTM struct {
	N, C, T, H int
	SaveEvery  int
}

// Adam holds the scalars of one step of fastai's Adam with decoupled weight decay:
//
//	g += L2*w;  w *= 1 - LR*Decay;  m = Beta1*m + (1-Beta1)*g;  v = Beta2*v + (1-Beta2)*g*g
//	w -= LR * (m/Debias1) / (sqrt(v/Debias2) + Eps)
//
// L2 is the coupled form of the decay, scikit-learn's and that of the first publication; g itself does not change. The
// scalars are in double precision so that 1-Beta2 keeps its digits.
type Adam struct {
	LR, Decay, L2, Beta1, Beta2, Debias1, Debias2, Eps float64
}

// Backend is a set of kernels with the memory that they work on. Methods that write a gradient take acc: false
// overwrites, true adds. A Backend is safe for use from one goroutine at a time; it runs its own workers inside.
type Backend interface {
	// Name is the tier: "ref", "avx2", "avx512".
	Name() string
	// Threads is the number of workers that one call uses.
	Threads() int

	// Alloc returns n zeroed values, aligned to 64 bytes.
	Alloc(n int) (Buf, error)
	Upload(dst Buf, src []float32) error
	Download(dst []float32, src Buf) error
	// Sync waits for everything queued; host backends have nothing to wait for.
	Sync() error

	// Conv1D computes y from act(x). b may be None.
	Conv1D(p Conv, y, x Buf, a Act, w, b Buf)
	// Conv1DBackwardData computes the gradient of act(x) (not of x): dx (N, C, T) in XStride channels.
	Conv1DBackwardData(p Conv, dx, dy, w Buf, acc bool)
	// Conv1DBackwardFilter computes dw (F, C, K) and, where db is given, db (F), from act(x).
	Conv1DBackwardFilter(p Conv, dw, db, dy, x Buf, a Act)

	// BatchNormStats computes mean and 1/sqrt(var+eps) of each channel of x over N and T (double precision sums),
	// updates the running statistics, and writes the pending activation scale = gamma*rstd, shift = beta - mean*scale.
	BatchNormStats(p BN, x, gamma, beta, runMean, runVar, mean, rstd, scale, shift Buf)
	// BatchNormFold writes scale and shift from the running statistics (evaluation mode).
	BatchNormFold(p BN, gamma, beta, runMean, runVar, scale, shift Buf)
	// BatchNormBackward takes the gradient dz of z = act(x) and writes dx, dgamma, dbeta. dx may be dz itself.
	// The ReLU mask is scale*x+shift > 0, recomputed.
	BatchNormBackward(p BN, dx, dz, x, gamma, mean, rstd, scale, shift, dgamma, dbeta Buf)

	// AddAct computes y = act1(x1) + act2(x2), then max(0, .) when relu. All (N, C, T).
	AddAct(n, c, t int, y, x1 Buf, a1 Act, x2 Buf, a2 Act, relu bool)
	// ReLUBackward computes dx = dy where y > 0, else 0. dx may be dy.
	ReLUBackward(dx, dy, y Buf)
	// Accumulate adds src to dst.
	Accumulate(dst, src Buf)
	// Apply stores act(x) in y.
	Apply(n, c, t int, y, x Buf, a Act)

	// MaxPool1D computes y from act(x); ties go to the first step of the window.
	MaxPool1D(p Pool, y, x Buf, a Act)
	// MaxPool1DBackward finds the maxima of act(x) again and routes dy to them: the gradient of act(x).
	MaxPool1DBackward(p Pool, dx, dy, x Buf, a Act, acc bool)
	// GlobalAvgPool computes y (N, C) = mean over T of act(x).
	GlobalAvgPool(n, c, t int, y, x Buf, a Act)
	// GlobalAvgPoolBackward spreads dy (N, C) over dx (N, C, T).
	GlobalAvgPoolBackward(n, c, t int, dx, dy Buf)

	Linear(p Linear, y, x, w, b Buf)
	// LinearBackward writes dx (unless None), dw, db from dy and the layer's result y, which is None for Identity.
	LinearBackward(p Linear, dx, dw, db, dy, y, x, w Buf)

	// SoftmaxCrossEntropy computes prob (N, K) and the mean loss over the n rows; y holds n class numbers.
	SoftmaxCrossEntropy(n, k int, prob, logits Buf, y []int32) float64
	// SoftmaxCrossEntropyBackward computes dlogits = (prob - onehot(y)) * scale / n.
	SoftmaxCrossEntropyBackward(n, k int, dlogits, prob Buf, y []int32, scale float32)

	// LSTMSaved is the number of values that LSTM keeps for LSTMBackward.
	LSTMSaved(p LSTM) int
	LSTM(p LSTM, y, saved, x, wih, whh, bih, bhh Buf)
	// LSTMBackward takes dy (N, H) and writes dwih, dwhh, dbih, dbhh, and dx (N, C, T) unless it is None. It may
	// overwrite saved.
	LSTMBackward(p LSTM, dx, dwih, dwhh, dbih, dbhh, dy, saved, x, wih, whh, bih, bhh Buf)

	// SumSquares is the sum of x*x, in double precision.
	SumSquares(x Buf) float64

	// Adam updates w, m and v from g.
	Adam(p Adam, w, g, m, v Buf)
}

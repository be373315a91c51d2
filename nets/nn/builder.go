package nn

import (
	"fmt"
	"math"

	"earshot/nets/kernel"

	"gorgonia.org/gorgonia"
)

// Builder declares a network layer by layer. A layer is named by the prefix that its tensors have in tsai's state_dict;
// layers without tensors need no name. Shapes are inferred. The first mistake is kept, with the layer's name, and
// everything after it does nothing, so that a network needs no error handling.
//
// The same declaration runs once to find the parameters, and again for each batch size and mode.
type Builder struct {
	p      *program
	rules  Rules
	params []*Param
	byName map[string]*Param
	known  bool // parameters are from an earlier run
	used   map[string]bool
	macs   int64 // multiply-adds of one row, forward
	err    error
}

// Tensor is a value of the network under declaration: (N, C, T), or (N, C) after global pooling or an LSTM.
type Tensor struct {
	node *gorgonia.Node
	c, t int // t = 0: no time axis
	view int // time steps of the input that a value depends on, or everything
}

// everything is the view of a value that depends on all steps; sums of it and of window lengths do not overflow.
const everything = math.MaxInt / 2

// Channels is the number of channels.
func (x Tensor) Channels() int { return x.c }

func newBuilder(p *program, rules Rules, params []*Param) *Builder {
	b := &Builder{p: p, rules: rules, params: params, byName: map[string]*Param{}, known: params != nil, used: map[string]bool{}}
	for _, q := range params {
		b.byName[q.Name] = q
	}
	return b
}

func (b *Builder) fail(name, format string, args ...any) Tensor {
	if b.err == nil {
		b.err = fmt.Errorf("nn: %s: %w", name, fmt.Errorf(format, args...))
	}
	return Tensor{}
}

// check reports whether the layer can go on: no earlier mistake, and inputs with a time axis where one is needed.
func (b *Builder) check(name string, needTime bool, xs ...Tensor) bool {
	for _, x := range xs {
		if b.err == nil && (x.node == nil || (x.t > 0) != needTime) {
			axis := "(N, C)"
			if needTime {
				axis = "(N, C, T)"
			}
			b.fail(name, "input has shape %v, want %s", x.shape(), axis)
		}
	}
	return b.err == nil
}

func (x Tensor) shape() string {
	if x.t == 0 {
		return fmt.Sprintf("(N, %d)", x.c)
	}
	return fmt.Sprintf("(N, %d, %d)", x.c, x.t)
}

// param declares a tensor of the state, or finds it.
func (b *Builder) param(q Param) *Param {
	if b.used[q.Name] {
		b.fail(q.Name, "two tensors of one name")
	}
	b.used[q.Name] = true
	if have := b.byName[q.Name]; have != nil {
		return have
	}
	if b.known {
		b.fail(q.Name, "the declaration changes from one run to the next")
	}
	b.byName[q.Name] = &q
	b.params = append(b.params, &q)
	return &q
}

func (b *Builder) weight(name string, d Draw, shape ...int) *Param {
	return b.param(Param{Name: name, Shape: shape, Trainable: true, Decay: true, draw: d})
}

func (b *Builder) undecayed(name string, d Draw, shape ...int) *Param {
	return b.param(Param{Name: name, Shape: shape, Trainable: true, draw: d})
}

func (b *Builder) state(name string, d Draw, shape ...int) *Param {
	return b.param(Param{Name: name, Shape: shape, draw: d})
}

// ConvOption changes a convolution.
type ConvOption func(*convConfig)

type convConfig struct {
	bias, relu bool
	dilation   int
}

// WithBias adds a bias; without it a convolution has none.
func WithBias(c *convConfig) { c.bias = true }

// BeforeReLU starts the filters for a batch norm with ReLU behind them.
func BeforeReLU(c *convConfig) { c.relu = true }

// Dilated spaces the taps by d steps.
func Dilated(d int) ConvOption { return func(c *convConfig) { c.dilation = d } }

// Conv1D convolves x (N, C, T) with filters of k taps: (N, filters, T), stride 1. Zeros pad both ends; for even k there
// are (k-1)/2 on the left, rounded down, and one more on the right.
func (b *Builder) Conv1D(name string, x Tensor, filters, k int, opt ...ConvOption) Tensor {
	return b.ConcatConvs(Branch{name, x, filters, k, opt})
}

// Branch is one convolution of ConcatConvs.
type Branch struct {
	Name    string
	X       Tensor
	Filters int
	K       int
	Options []ConvOption
}

// ConcatConvs convolves several tensors of one length, or one several times, and concatenates the results over
// channels in the order given.
func (b *Builder) ConcatConvs(branches ...Branch) Tensor {
	if len(branches) == 0 {
		return b.fail("concat", "no branches")
	}
	y := Tensor{t: branches[0].X.t}
	var bs []branch
	for _, r := range branches {
		if !b.check(r.Name, true, r.X) {
			return Tensor{}
		}
		if r.X.t != y.t {
			return b.fail(r.Name, "%d steps beside branches of %d", r.X.t, y.t)
		}
		if r.Filters < 1 || r.K < 1 {
			return b.fail(r.Name, "%d filters of %d taps", r.Filters, r.K)
		}
		cfg := convConfig{dilation: 1}
		for _, o := range r.Options {
			o(&cfg)
		}
		c := branch{x: r.X.node, Conv: kernel.Conv{C: r.X.c, F: r.Filters, K: r.K, Dilation: cfg.dilation}}
		c.w = b.weight(r.Name+".weight", b.rules.Conv(r.X.c, r.Filters, r.K, cfg.relu), r.Filters, r.X.c, r.K)
		if cfg.bias {
			_, d := b.rules.Linear(r.X.c*r.K, r.Filters)
			c.b = b.undecayed(r.Name+".bias", d, r.Filters)
		}
		bs = append(bs, c)
		y.c += r.Filters
		y.view = max(y.view, r.X.view+(r.K-1)*cfg.dilation)
		b.macs += int64(r.Filters) * int64(r.X.c) * int64(r.K) * int64(y.t)
	}
	if b.err != nil {
		return Tensor{}
	}
	y.node = b.p.convs(branches[0].Name, y.t, bs)
	return y
}

// BatchNorm normalizes x (N, C, T) over N and T, then scales and shifts each channel, then takes max(0, .) if relu.
func (b *Builder) BatchNorm(name string, x Tensor, relu bool) Tensor {
	if !b.check(name, true, x) {
		return Tensor{}
	}
	if !pending(x.node).Identity() {
		return b.fail(name, "batch norm directly after a batch norm")
	}
	s := norm{
		gamma:    b.undecayed(name+".weight", constant(1), x.c),
		beta:     b.undecayed(name+".bias", constant(b.rules.BNShift), x.c),
		mean:     b.state(name+".running_mean", constant(0), x.c),
		variance: b.state(name+".running_var", constant(1), x.c),
		tracked:  b.state(name+".num_batches_tracked", nil),
	}
	if b.err != nil {
		return Tensor{}
	}
	x.node = b.p.batchNorm(name, x.node, x.c, x.t, s, b.rules, relu)
	return x
}

// ConvBlock is a convolution without bias, named name.0, and its batch norm, name.1, with ReLU if relu.
func (b *Builder) ConvBlock(name string, x Tensor, filters, k int, relu bool) Tensor {
	var opt []ConvOption
	if relu {
		opt = append(opt, BeforeReLU)
	}
	return b.BatchNorm(name+".1", b.Conv1D(name+".0", x, filters, k, opt...), relu)
}

// AddReLU is max(0, x + y) of two tensors of one shape.
func (b *Builder) AddReLU(x, y Tensor) Tensor {
	if !b.check("add", true, x, y) {
		return Tensor{}
	}
	if x.c != y.c || x.t != y.t {
		return b.fail("add", "shapes %s and %s", x.shape(), y.shape())
	}
	return Tensor{b.p.addReLU("add", x.node, y.node, x.c, x.t), x.c, x.t, max(x.view, y.view)}
}

// MaxPool3 is the maximum over the step before, the step and the step after, within the series.
func (b *Builder) MaxPool3(x Tensor) Tensor {
	if !b.check("max pool", true, x) {
		return Tensor{}
	}
	x.view += 2
	x.node = b.p.maxPool("max pool", x.node, x.c, x.t, 3)
	return x
}

// GAP is global average pooling: (N, C, T) to (N, C).
func (b *Builder) GAP(x Tensor) Tensor {
	if !b.check("global average pool", true, x) {
		return Tensor{}
	}
	return Tensor{b.p.gap("global average pool", x.node, x.c, x.t), x.c, 0, x.view}
}

// Flatten is x (N, C, T) as (N, C*T): every step of every channel is a feature.
func (b *Builder) Flatten(x Tensor) Tensor {
	if !b.check("flatten", true, x) {
		return Tensor{}
	}
	if !pending(x.node).Identity() {
		return b.fail("flatten", "directly after a batch norm")
	}
	return Tensor{b.p.flatten("flatten", x.node, x.c, x.t), x.c * x.t, 0, everything}
}

// Versus makes two logits of one: (N, 1) to (N, 2), 0 and x.
func (b *Builder) Versus(x Tensor) Tensor {
	if !b.check("versus", false, x) {
		return Tensor{}
	}
	if x.c != 1 {
		return b.fail("versus", "%d logits, want 1", x.c)
	}
	return Tensor{b.p.versus("versus", x.node), 2, 0, x.view}
}

// Curve is an elementwise function at the end of a linear layer.
type Curve = kernel.Curve

// The curves of Dense.
const (
	Identity = kernel.Identity
	ReLU     = kernel.ReLU
	Logistic = kernel.Logistic
	Tanh     = kernel.Tanh
)

// Linear is a fully connected layer with bias: (N, C) to (N, out).
func (b *Builder) Linear(name string, x Tensor, out int) Tensor {
	return b.Dense(name, x, out, Identity)
}

// Dense is Linear with a curve behind it.
func (b *Builder) Dense(name string, x Tensor, out int, curve Curve) Tensor {
	if !b.check(name, false, x) {
		return Tensor{}
	}
	if out < 1 {
		return b.fail(name, "%d outputs", out)
	}
	dw, db := b.rules.Linear(x.c, out)
	w, bias := b.weight(name+".weight", dw, out, x.c), b.undecayed(name+".bias", db, out)
	if b.err != nil {
		return Tensor{}
	}
	b.macs += int64(x.c) * int64(out)
	return Tensor{b.p.linear(name, x.node, x.c, out, curve, w, bias), out, 0, x.view}
}

// LSTM reads x (N, C, T) step by step and returns the hidden state (N, H) after the last. Its biases are decayed:
// fastai spares what is called bias, and these are called bias_ih_l0 and bias_hh_l0.
func (b *Builder) LSTM(name string, x Tensor, hidden int) Tensor {
	if !b.check(name, true, x) {
		return Tensor{}
	}
	if !pending(x.node).Identity() {
		return b.fail(name, "LSTM directly after a batch norm")
	}
	if hidden < 1 {
		return b.fail(name, "%d hidden units", hidden)
	}
	ih, hh, bih, bhh := b.rules.LSTM(x.c, hidden)
	w := lstmWeights{
		ih:  b.weight(name+".weight_ih_l0", ih, 4*hidden, x.c),
		hh:  b.weight(name+".weight_hh_l0", hh, 4*hidden, hidden),
		bih: b.weight(name+".bias_ih_l0", bih, 4*hidden),
		bhh: b.weight(name+".bias_hh_l0", bhh, 4*hidden),
	}
	if b.err != nil {
		return Tensor{}
	}
	b.macs += int64(4*hidden) * int64(x.c+hidden) * int64(x.t)
	return Tensor{b.p.lstm(name, x.node, x.c, x.t, hidden, w), hidden, 0, everything}
}

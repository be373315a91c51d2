package nets

import (
	"fmt"

	"earshot/nets/nn"
)

// MLP is the multilayer perceptron (Rumelhart, Hinton and Williams, Nature 323, 1986) as scikit-learn's MLPClassifier sets
// it up: hidden layers with one curve behind each, and a softmax over the classes, or for two classes a single logistic
// unit, the logit of class 1 against class 0.
//
// Input (N, C, T), read as C*T features; output logits (N, K). Weights and biases start uniform on the Glorot bound. The
// tensors are scikit-learn's coefs_ and intercepts_, layer by layer, the weights transposed to (out, in) as in every
// network here.
type MLP struct {
	Hidden []int    // units of each hidden layer; none makes it a linear model
	Curve  nn.Curve // of the hidden layers
}

// Build declares the network.
func (a MLP) Build(b *nn.Builder, x nn.Tensor, classes int) nn.Tensor {
	x = b.Flatten(x)
	for i, units := range a.Hidden {
		x = b.Dense(fmt.Sprintf("layers.%d", i), x, units, a.Curve) // (N, units)
	}
	out := fmt.Sprintf("layers.%d", len(a.Hidden))
	if classes == 2 {
		return b.Versus(b.Linear(out, x, 1))
	}
	return b.Linear(out, x, classes)
}

// Arch is the network as NewModel takes it.
func (a MLP) Arch() nn.Arch {
	return nn.Arch{Name: "mlp", Profile: "sklearn", Paper: mlp1986, Build: a.Build, Rules: nn.Sklearn(a.Curve)}
}

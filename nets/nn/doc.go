// Package nn turns the declaration of a network into a program that trains it: fused operators on Gorgonia's expression
// graph, run by Gorgonia's tape machine, computed by a kernel.Backend.
//
// An Arch declares a network over a Builder, layer by layer. NewModel draws its weights; Step runs a batch forward and
// backward, Solve hands weights and gradients to a gorgonia.Solver, Forward gives logits.
//
// Letters: N rows of a batch, C channels, T time steps, K classes (or taps of a filter), F filters, H hidden units.
// Tensors are float32, (N, C, T).
//
// Three ideas keep the memory small. Every operator owns its result, and a planner that knows the order of execution
// lays all results of a program into one slab (plan.go). Batch norm is lazy: its consumers normalize while they read
// (batchnorm.go). Convolutions write into channel ranges of one output, and gradients of a tensor with several readers
// are added where they lie (conv.go, backward.go).
//
// Gorgonia's own numeric operators, losses, initializers and dropout are not used: they are slow, hold every
// intermediate result, and some have wrong gradients.
package nn

// The pinned version asks the runtime whether the collector moves objects; the older one that gorgonia.org/tensor asks
// for panics on every Go newer than itself. Imported here so that go.mod names it.
import _ "go4.org/unsafe/assume-no-moving-gc"

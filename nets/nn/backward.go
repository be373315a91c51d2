package nn

import "gorgonia.org/gorgonia"

// backward adds the nodes that compute the gradient of loss with respect to every parameter. It is gorgonia.Grad with
// three differences: an op that can adds its part of a gradient to what other readers of the same tensor have left,
// where Gorgonia inserts additions of its own; what leads to no parameter is not differentiated; and the backward ops
// come in an order of our choosing, the reverse of the forward one, on which the planner's result depends.
func (p *program) backward(loss *gorgonia.Node) {
	grads := map[*gorgonia.Node]*gorgonia.Node{}
	given := map[*gorgonia.Node]int{} // to how many tensors a node is the gradient
	for i := len(p.ops) - 1; i >= 0; i-- {
		n, o := p.nodes[i], p.ops[i]
		dy := grads[n]
		if !p.needs[n] || (dy == nil && n != loss) {
			continue
		}
		// A sum may go on in the memory of what there is, unless that is another tensor's gradient, too.
		sum := make(gorgonia.Nodes, len(o.in))
		for k, c := range o.in {
			if g := grads[c]; o.adds && g != nil && given[g] == 1 {
				sum[k] = g
			}
		}
		for k, d := range o.diff(o.in, n, dy, sum) {
			if d == nil {
				continue
			}
			c := o.in[k]
			if g := grads[c]; g != nil && sum[k] == nil {
				d = p.sum(o.name, g, d)
			}
			grads[c] = d
			given[d]++
		}
	}
	for n, g := range grads {
		gorgonia.SetDerivOf(g, n)
	}
}

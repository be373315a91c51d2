package experiments

import (
	"fmt"
	"slices"

	"earshot/nets"
)

// unsettledGap is how much less of its training set a network may name right when it is tested than it did in training.
const unsettledGap = 0.1

// unsettled reports whether a network was tested by batch norm statistics that do not fit its weights. In training each
// batch has its own; the running ones, which tests go by, follow over a hundred batches and more, while the weights move.
// Then a network at almost no loss may answer by chance even on the series that it was trained on, and so the rule needs
// no test series: of those it was trained on it names fewer right, by more than unsettledGap, than it did in the epoch
// whose weights it has. A network without batch norm is never unsettled.
func (c *Cell) unsettled() bool {
	if c.kind() != network || c.Evaluate == EvaluateBatch || c.History.Kept(c.Profile).TrainAccuracy-c.TrainAccuracy <= unsettledGap {
		return false
	}
	arch, err := nets.Lookup(c.Net, c.Profile)
	return err == nil && arch.Normalizes()
}

func (g Group) unsettled() bool { return slices.ContainsFunc(g.Cells, (*Cell).unsettled) }

// settled are the groups without the unsettled ones and, since models are compared over all data sets, without any other
// of their networks.
func settled(groups []Group) []Group {
	return slices.DeleteFunc(slices.Clone(groups), func(g Group) bool {
		return slices.ContainsFunc(groups, func(h Group) bool { return h.Net == g.Net && h.Control == g.Control && h.unsettled() })
	})
}

// unsettledWords is what a report says first: which networks were not tested as they were trained, and on what.
func unsettledWords(groups []Group) (lines []string) {
	on := map[string][]string{}
	var names []string
	for _, g := range groups {
		if g.Control == "" && g.unsettled() {
			if on[g.Net] == nil {
				names = append(names, g.Net)
			}
			on[g.Net] = append(on[g.Net], g.Dataset)
		}
	}
	for _, net := range names {
		lines = append(lines, fmt.Sprintf("%s is not judged: on %s the statistics that batch norm was tested by do not fit its weights. Tested, it names more than %g points fewer of its own training series right than in training. It needs more steps (--epochs); it is left out of the ranks.",
			netTitle(net), shorten(on[net], 10), 100*unsettledGap))
	}
	return lines
}

package main

import (
	"fmt"
	"os"
	"strings"

	"earshot/experiments"
	"earshot/plots"
	"earshot/train"
	"earshot/train/classical"
)

// treeFigure draws the tree of a model folder.
func treeFigure(dir string, depth int) (experiments.Figure, error) {
	if depth < 1 {
		return experiments.Figure{}, usagef("--depth %d: at least 1 is needed", depth)
	}
	t, info, scaled, err := loadTree(dir)
	if err != nil {
		return experiments.Figure{}, err
	}
	nodes := make([]plots.TreeNode, len(t.Nodes))
	for i, n := range t.Nodes {
		shares := t.Dist[i*t.K : (i+1)*t.K]
		best := 0
		for k, v := range shares {
			if v > shares[best] {
				best = k
			}
		}
		nodes[i] = plots.TreeNode{Class: best, Name: nameOf(info.Classes, "class", best), Share: shares[best], Rows: int(n.Rows)}
		if n.Feature >= 0 {
			nodes[i].Test = fmt.Sprintf("%s <= %.4g", nameOf(info.Features, "feature", int(n.Feature)), n.Threshold)
			nodes[i].Yes, nodes[i].No = int(n.Left), int(n.Right)
		}
	}
	caption := fmt.Sprintf("Decision tree of %d nodes on %d rows, the first %d levels below the root: test, most frequent class with its share, rows.", len(nodes), info.Rows, depth)
	if scaled {
		caption += " Thresholds are in standard deviations from the mean."
	}
	return experiments.Figure{Figure: plots.Tree(nodes, depth), Name: "tree", Caption: caption}, nil
}

// loadTree reads a model folder that holds one tree.
func loadTree(dir string) (t *classical.Tree, info classical.Info, scaled bool, err error) {
	info, model, err := train.LoadClassifier(dir)
	if err != nil {
		return nil, info, false, err
	}
	if p, ok := model.(*classical.Pipeline); ok {
		model, scaled = p.Model, true
	}
	t, ok := model.(*classical.Tree)
	if !ok {
		return nil, info, false, fmt.Errorf("plot tree: %s: a model %s; train one with classify --model tree --save", dir, info.Model)
	}
	return t, info, scaled, nil
}

func nameOf(names []string, kind string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s %d", kind, i)
}

// plotDOT writes a tree for Graphviz.
func (a *app) plotDOT(dir string, f plotFlags) error {
	if err := checkOut(f.out, f.force); err != nil {
		return err
	}
	b, err := treeDOT(dir)
	if err == nil {
		err = os.WriteFile(f.out, b, 0o644)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s: a decision tree in Graphviz's language\n", f.out)
	return err
}

// treeDOT is the whole tree of a model folder in Graphviz's language.
func treeDOT(dir string) ([]byte, error) {
	t, info, _, err := loadTree(dir)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.DOT(&b, info.Features, info.Classes); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

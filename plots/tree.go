package plots

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// TreeNode is a node of a decision tree: a test with two branches, or a leaf.
type TreeNode struct {
	Test    string // of an inner node, such as "size_3 <= 0.25": the left branch is where it holds
	Class   int    // most frequent class
	Name    string // of that class
	Share   float64
	Rows    int // training rows that reached the node
	Yes, No int // indexes of the branches; equal in a leaf
}

// Tree draws the first levels of a decision tree, nodes[0] at the top: what each node asks, the class that is most
// frequent there with its share, and the rows that reach it. Tints are the class's color, as deep as its share. A branch
// that goes on below depth ends in dots.
func Tree(nodes []TreeNode, depth int) *Figure {
	d := treeDiagram{nodes: nodes, depth: depth}
	if len(nodes) == 0 {
		return &Figure{}
	}
	d.place(0, 0)
	p := newPlot("", "")
	p.HideAxes()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(&d)
	f := &Figure{Width: Single, PanelHeight: float64(treeLevel*vg.Length(d.levels)+treeBox+8) / 72, Panels: [][]*plot.Plot{{p}}}
	if d.leaves > 4 {
		f.Width = Double
	}
	return f
}

// Sizes of the diagram, in points.
const (
	treeLevel = 46 // from one level to the next
	treeBox   = 26 // height of a node
	treeGap   = 4  // between two nodes side by side, at least
)

// treeDiagram holds the nodes that are drawn: x counts the ends of branches from the left.
type treeDiagram struct {
	nodes  []TreeNode
	depth  int
	drawn  []placedNode
	leaves int
	levels int
}

type placedNode struct {
	node, level, parent int
	x                   float64
	cut                 bool // goes on below
	yes                 bool // the branch of its parent
}

// place gives a node and those below it their places and returns its number among the drawn ones.
func (d *treeDiagram) place(i, level int) int {
	at := len(d.drawn)
	d.drawn = append(d.drawn, placedNode{node: i, level: level, parent: -1})
	d.levels = max(d.levels, level)
	n := d.nodes[i]
	if n.Yes == n.No || level == d.depth {
		d.drawn[at].x, d.drawn[at].cut = float64(d.leaves), n.Yes != n.No
		d.leaves++
		return at
	}
	yes, no := d.place(n.Yes, level+1), d.place(n.No, level+1)
	d.drawn[yes].parent, d.drawn[yes].yes, d.drawn[no].parent = at, true, at
	d.drawn[at].x = (d.drawn[yes].x + d.drawn[no].x) / 2
	return at
}

// Plot draws the whole diagram.
func (d *treeDiagram) Plot(c draw.Canvas, _ *plot.Plot) {
	slot := (c.Max.X - c.Min.X) / vg.Length(d.leaves)
	center := func(p placedNode) vg.Point {
		return vg.Point{X: c.Min.X + slot*vg.Length(p.x+0.5), Y: c.Max.Y - treeBox/2 - treeLevel*vg.Length(p.level)}
	}
	for _, p := range d.drawn {
		if p.parent < 0 {
			continue
		}
		from, to := center(d.drawn[p.parent]), center(p)
		from.Y -= treeBox / 2
		to.Y += treeBox / 2
		c.StrokeLine2(stroke(pale, 0.6), from.X, from.Y, to.X, to.Y)
		word, side, away := "no", draw.XLeft, vg.Length(2) // beside the branch, on its upper side
		if p.yes {
			word, side, away = "yes", draw.XRight, -2
		}
		c.FillText(lettering(sizeSmall, side, pale), vg.Point{X: (from.X+to.X)/2 + away, Y: (from.Y+to.Y)/2 + 1}, word)
	}
	for _, p := range d.drawn {
		n, at := d.nodes[p.node], center(p)
		lines := []string{fmt.Sprintf("%s %.0f %%", n.Name, 100*n.Share), fmt.Sprintf("%d rows", n.Rows)}
		if n.Yes != n.No {
			lines = append([]string{n.Test}, lines...)
		}
		width := vg.Length(0)
		for _, l := range lines {
			width = max(width, lettering(sizeSmall, draw.XCenter, ink).Width(l))
		}
		// Long names of a full level are cut to their place by smaller letters, down to a third.
		size := 1.0
		if room := slot - treeGap; p.level == d.levels && width+4 > room {
			size = max(1./3, float64(room/(width+4)))
		}
		half := (width*vg.Length(size) + 4) / 2
		box := []vg.Point{{X: at.X - half, Y: at.Y - treeBox/2}, {X: at.X + half, Y: at.Y - treeBox/2}, {X: at.X + half, Y: at.Y + treeBox/2}, {X: at.X - half, Y: at.Y + treeBox/2}}
		c.FillPolygon(tint(okabeIto[n.Class%len(okabeIto)], n.Share), box)
		c.StrokeLines(stroke(ink, 0.5), append(box, box[0]))
		for i, l := range lines {
			y := at.Y + treeBox/2 - vg.Length(i+1)*treeBox/vg.Length(len(lines)+1)
			c.FillText(lettering(sizeSmall*size, draw.XCenter, ink), vg.Point{X: at.X, Y: y}, l)
		}
		if p.cut {
			c.FillText(lettering(sizeTick, draw.XCenter, pale), vg.Point{X: at.X, Y: at.Y - treeBox/2 - 4}, "…")
		}
	}
}

// tint mixes a color with paper: a share of 1 keeps two fifths of it, so that letters stay legible.
func tint(c color.NRGBA, share float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(255 - 0.4*share*float64(255-v)) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

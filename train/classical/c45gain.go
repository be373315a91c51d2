package classical

import (
	"math"
	"slices"
)

// choose returns the test with the best gain ratio among those with at least average gain; feature -1 for none.
func (g *c45Grower) choose(rows []int) c45Test {
	tests, sum, n := []c45Test{}, 0.0, 0
	for j := range g.x.F {
		t := g.test(j, rows)
		tests = append(tests, t)
		// Nominal attributes with very many values do not count for the average.
		if t.gain > -c45Epsilon && (g.m.values(j) == 0 || float64(g.m.values(j)) < 0.3*float64(g.x.N)) {
			sum, n = sum+t.gain, n+1
		}
	}
	average := 1e6
	if n > 0 {
		average = sum / float64(n)
	}
	best, ratio := c45Test{feature: -1}, -c45Epsilon
	for _, t := range tests {
		worth := -c45Epsilon
		if t.gain >= average-c45Epsilon && t.gain > -c45Epsilon && t.info > c45Epsilon {
			worth = t.gain / t.info
		}
		if worth > ratio {
			best, ratio = t, worth
		}
	}
	return best
}

// test finds the gain of attribute j; a test that is not allowed has a gain of -1.
func (g *c45Grower) test(j int, rows []int) c45Test {
	t := c45Test{feature: j, gain: -1}
	n := float64(len(rows))
	total := make([]float64, g.m.K)
	for _, i := range rows {
		total[g.y[i]]++
	}
	base := information(total) / n
	least := g.m.minObjects()
	if v := g.m.values(j); v > 0 {
		table, size := make([]float64, v*g.m.K), make([]float64, v)
		for _, i := range rows {
			c := int(g.x.X[i*g.x.F+j])
			table[c*g.m.K+g.y[i]]++
			size[c]++
		}
		after, enough := 0.0, 0
		for c, s := range size {
			after += information(table[c*g.m.K:(c+1)*g.m.K]) / n
			if int(s) >= least {
				enough++
			}
		}
		if enough >= 2 {
			t.gain, t.info = base-after, information(size)/n
		}
		return t
	}
	order := slices.Clone(rows)
	at := func(i int) float64 { return g.x.X[i*g.x.F+j] }
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case at(a) < at(b):
			return -1
		case at(a) > at(b):
			return 1
		}
		return 0
	})
	// Each side keeps a tenth of a class's share, between least and 25 rows.
	side := max(min(0.1*n/float64(g.m.K), 25), float64(least))
	left, right := make([]float64, g.m.K), slices.Clone(total)
	tries, where := 0, 0
	for p, i := range order[:len(order)-1] {
		left[g.y[i]]++
		right[g.y[i]]--
		a, b := at(i), at(order[p+1])
		if float64(p+1) < side || n-float64(p+1) < side || !(a < b-1e-5) {
			continue
		}
		tries++
		if gain := base - (information(left)+information(right))/n; gain > t.gain {
			t.gain, where = gain, p+1
		}
	}
	if tries == 0 {
		return t
	}
	t.info = information([]float64{float64(where), n - float64(where)}) / n
	// Choosing among many cuts costs bits too (Quinlan, 1996).
	t.gain -= math.Log2(float64(tries)) / n
	t.cut = g.below(j, (at(order[where-1])+at(order[where]))/2)
	return t
}

// below is the largest training value of attribute j that is not above v.
func (g *c45Grower) below(j int, v float64) float64 {
	if g.sorted[j] == nil {
		s := make([]float64, g.x.N)
		for i := range s {
			s[i] = g.x.X[i*g.x.F+j]
		}
		slices.Sort(s)
		g.sorted[j] = s
	}
	s := g.sorted[j]
	i, _ := slices.BinarySearchFunc(s, v, func(a, b float64) int {
		if a <= b {
			return -1
		}
		return 1
	})
	return s[max(i-1, 0)]
}

// information is the entropy of a class count times its sum.
func information(count []float64) float64 {
	sum, h := 0.0, 0.0
	for _, v := range count {
		sum += v
		h -= xlog2x(v)
	}
	return h + xlog2x(sum)
}

package classical

// narrowed is what a grower works on: all rows, or those of a node alone, with numbers of their own. Deep nodes of many rows
// would otherwise find each value in another part of memory.
type narrowed struct {
	r    *ranks
	y    []int32   // (N, outputs)
	w    []float64 // (N)
	info []uint32  // (N) class<<16 | weight, of whole weights of one output
	bits []uint64  // one for each place, all 0 between sorts
}

const (
	narrowFrom = 1 << 13 // rows from which it pays
	narrowBy   = 8
)

// narrow restricts the grower to the rows of a node, which become 0, 1, …, and returns what to restore afterwards. The
// first constant features of order will not be looked at.
func (g *grower) narrow(rows []uint32, constant int) narrowed {
	was := g.narrowed
	m := len(rows)
	if len(g.levels) == g.level {
		g.levels = append(g.levels, narrowed{r: &ranks{}})
	}
	to := &g.levels[g.level]
	g.level++
	r := to.r
	r.n, r.f = m, was.r.f
	r.place, r.unsorted = resize(r.place, m*r.f), was.r.unsorted
	if !r.unsorted {
		r.order, r.vals = resize(r.order, m*r.f), resize(r.vals, m*r.f)
	}
	to.y, to.w, to.info, to.bits = resize(to.y, m*g.outputs), resize(to.w, m), resize(to.info, m), was.bits[:(m+63)/64]
	for j, i := range rows {
		g.number[i] = uint32(j)
		to.w[j], to.info[j] = was.w[i], was.info[i]
		copy(to.y[j*g.outputs:], g.classes(i))
	}
	for _, f := range g.order[constant:] {
		place, order, vals := was.r.column(int(f))
		p, o, v := r.column(int(f))
		if r.unsorted {
			for j, i := range rows {
				p[j] = place[i]
			}
			continue
		}
		keys := g.sorted(rows, place)
		for k, at := range keys {
			j := g.number[order[at]]
			p[j], o[k], v[k] = uint32(k), j, vals[at]
		}
	}
	for j := range rows {
		rows[j] = uint32(j)
	}
	g.narrowed = *to
	return was
}

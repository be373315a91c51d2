package classical

import "math/bits"

// sorted returns the places of rows, rising.
func (g *grower) sorted(rows, place []uint32) []uint32 {
	m := len(rows)
	keys := g.keys[:m]
	if m <= 12 {
		for j, i := range rows {
			p, k := place[i], j
			for ; k > 0 && keys[k-1] > p; k-- {
				keys[k] = keys[k-1]
			}
			keys[k] = p
		}
		return keys
	}
	// Places differ: a bit for each of them, read in order, sorts without comparing.
	set := g.bits
	if len(set) <= 2*m {
		for _, i := range rows {
			p := place[i]
			set[p>>6] |= 1 << (p & 63)
		}
		k := 0
		for w, b := range set {
			if b == 0 {
				continue
			}
			set[w] = 0
			k = spread(g.keys, k, b, uint32(w)<<6)
		}
		return keys
	}
	for _, i := range rows {
		p := place[i]
		set[p>>6] |= 1 << (p & 63)
		g.touched[p>>12] |= 1 << (p >> 6 & 63)
	}
	k := 0
	for v, t := range g.touched {
		g.touched[v] = 0
		for ; t != 0; t &= t - 1 {
			w := v<<6 | bits.TrailingZeros64(t)
			b := set[w]
			set[w] = 0
			for base := uint32(w) << 6; b != 0; b &= b - 1 {
				keys[k] = base | uint32(bits.TrailingZeros64(b))
				k++
			}
		}
	}
	return keys
}

// spread writes base plus the numbers of the bits of b, at least one, to keys from k on and returns the next k. It writes
// eight at a time, some of them in vain, since that leaves nothing to guess for the processor.
func spread(keys []uint32, k int, b uint64, base uint32) int {
	next := k + bits.OnesCount64(b)
	for ; b != 0; k += 8 {
		o := (*[8]uint32)(keys[k : k+8])
		for j := range o {
			o[j] = base + uint32(bits.TrailingZeros64(b))
			b &= b - 1
		}
	}
	return next
}

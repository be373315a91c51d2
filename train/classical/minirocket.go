package classical

import (
	"fmt"
	"math/rand/v2"
)

// MiniRocket turns a time series into the shares of time that 84 fixed convolutions spend above some of their own
// quantiles (Dempster, Schmidt and Webb, MiniRocket, 2021), as aeon's MiniRocket does: kernels of length 9 with three
// weights of 2 and six of -1, dilations spaced exponentially, every other combination without padding. Nothing is
// learned but the biases, which are quantiles on series drawn by Seed.
type MiniRocket struct {
	Features     int // asked for; made are 84 for each whole 84. 0: 10,000
	MaxDilations int // 0: 32
	Seed         uint64
	Threads      int // 0: all processors

	RocketKernels
}

// Fit finds dilations and biases for x, (n, c, t) series of at least nine steps.
func (m *MiniRocket) Fit(x []float32, n, c, t int) error {
	if err := rocketShape("minirocket", len(x), n, c, t, 9); err != nil {
		return err
	}
	m.fit(x, n, c, t, cmp0(m.Features, 10000), m.MaxDilations, rand.New(rand.NewPCG(m.Seed, 0x6d696e69)), m.Threads)
	return nil
}

// Made is the number of features.
func (m *MiniRocket) Made() int { return len(m.Biases) }

// Transform returns the features of n series, (n, Made), each between 0 and 1.
func (m *MiniRocket) Transform(x []float32, n int) (Matrix, error) {
	f, err := m.transform(x, n)
	return f.wide(), err
}

func (m *MiniRocket) transform(x []float32, n int) (singles, error) {
	if len(x) != n*m.C*m.T {
		return singles{}, fmt.Errorf("minirocket: %d values for %d series; it was fitted on %d channels and %d steps", len(x), n, m.C, m.T)
	}
	out := singles{n, m.Made(), make([]float32, n*m.Made())}
	ws := make([]rocketBuffer, workers(m.Threads, n))
	counts := make([][]int32, len(ws))
	groups := m.groups()
	parallel(m.Threads, n, func(w, i int) {
		if counts[w] == nil {
			counts[w] = make([]int32, m.Made())
		}
		count := counts[w]
		clear(count)
		ws[w].room(&m.RocketKernels)
		m.walk(&ws[w], groups, x[i*m.C*m.T:(i+1)*m.C*m.T], 0, func(j, first, _, _ int, u, v []float32) {
			last := first + m.PerDilation[j]
			above(u, v, m.Biases[first:last], count[first:last])
		})
		m.shares(count, out.row(i))
	})
	return out, nil
}

// shares divides counts by the steps that each kernel was seen at.
func (m *MiniRocket) shares(count []int32, out []float32) {
	at := 0
	for j, n := range m.PerDilation {
		for k := range rocketKernels {
			long := m.T
			if (j+k)%2 == 1 {
				long -= 8 * m.Dilations[j]
			}
			for range n {
				out[at] = float32(count[at]) / float32(long)
				at++
			}
		}
	}
}

// above adds to count the steps at which u + v is above each bias; both have rocketSlack behind them.
func above(u, v, biases []float32, count []int32) {
	v = v[:len(u)]
	if !simd {
		for i, l := range biases {
			n := int32(0)
			for t, a := range u {
				if a+v[t] > l {
					n++
				}
			}
			count[i] += n
		}
		return
	}
	for len(biases) > 0 {
		k := min(4, len(biases))
		var found [4]int32
		if simd512 {
			rocketAbove5(&u[0], &v[0], len(u), &biases[0], k, &found)
		} else {
			rocketAbove2(&u[0], &v[0], len(u), &biases[0], k, &found)
		}
		for i := range k {
			count[i] += found[i]
		}
		biases, count = biases[k:], count[k:]
	}
}

package dataset

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"earshot/data/trace"
)

// loss is a recorder that misses packets: each with the same probability, whatever it holds.
type loss struct {
	share float64
	seed  uint64
}

// Lose makes the set one of an eavesdropper who misses a share of the packets (0 to less than 1), drawn for each packet on its own:
// the song study's assumption A, that every packet is seen, put to the test. Whoever reads packets of the set afterwards gets what is
// left; the same capture loses the same ones under the same seed. What the capture table counts stays what was recorded.
func (s *Set) Lose(share float64, seed uint64) error {
	if !(share >= 0 && share < 1) {
		return Unknown(fmt.Sprintf("dataset: loss %g: a share of the packets, from 0 to less than 1", share))
	}
	if share > 0 && s.HasSeries() {
		return Unknown(fmt.Sprintf("dataset: %s: holds series, which have no packets to lose", s.Dir))
	}
	s.loss = loss{share, seed}
	return nil
}

// apply takes the lost packets out of a capture.
func (l loss) apply(c *Capture, t *trace.Trace) {
	if l.share == 0 {
		return
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], l.seed)
	copy(key[8:], c.Digest) // of the packets: the order of captures plays no part
	r := rand.New(rand.NewChaCha8(key))
	t.Packets = slices.DeleteFunc(t.Packets, func(trace.Packet) bool { return r.Float64() < l.share })
}

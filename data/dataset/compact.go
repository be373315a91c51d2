package dataset

import (
	"slices"

	"earshot/data/trace"
)

// Compact is the export format that is a data set again, a small one.
const Compact = "compact"

// exportCompact copies the set with times, directions, protocols and sizes only: no addresses, ports and TCP fields. What is left takes
// about 3 bytes a packet, so that a data set can be shared or lie inside a program (see OpenFS). Captures keep their ids, labels,
// marks and digests, and tensors made of the copy are those made of the set.
func (s *Set) exportCompact(dir string) error {
	m := s.Manifest
	m.Parts = nil
	w, err := Create(dir, m)
	if err != nil {
		return err
	}
	defer w.Close()
	ids := make([]int64, len(s.Captures))
	for i := range ids {
		ids[i] = int64(i)
	}
	err = s.Each(ids, func(c *Capture, t *trace.Trace) error {
		bare := &trace.Trace{Start: t.Start, Packets: slices.Clone(t.Packets)}
		for i := range bare.Packets {
			p := &bare.Packets[i]
			*p = trace.Packet{
				Time: p.Time, Direction: p.Direction, Protocol: p.Protocol, Flow: -1,
				PayloadBytes: p.PayloadBytes, IPBytes: p.IPBytes, FrameBytes: p.FrameBytes,
			}
		}
		return w.Add(*c, bare)
	})
	if err != nil {
		return err
	}
	return w.Commit()
}

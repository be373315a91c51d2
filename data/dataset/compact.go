package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"earshot/data/trace"
)

// Compact is the export format that is a data set again, a small one.
const Compact = "compact"

// CardName is the data card: how the captures were made and what they are good for, in words.
const CardName = "README.md"

// Card is the data card that lies beside the captures, README.md; empty when there is none.
func (s *Set) Card() (string, error) {
	b, err := fs.ReadFile(s.files, CardName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("dataset: %w", err)
	}
	return string(b), nil
}

// exportCompact copies the set with times, directions, protocols and sizes only: no addresses, ports and TCP fields. What is left takes
// about 3 bytes a packet, so that a data set can be shared or lie inside a program (see OpenFS). Captures keep their ids, labels,
// marks and digests, and tensors made of the copy are those made of the set. However many parts the set has, the copy has one of each
// kind for two million packets.
//
// With it come the notes on what could not be read, the data card, and what a recorder keeps: the captures' health and its
// settings. What happened during the captures (truth.jsonl) stays behind, since it is larger than they are; so do
// lists of addresses.
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
	problems, err := s.problems()
	if err != nil {
		return err
	}
	for _, p := range problems {
		w.problemRow(p)
	}
	if err := s.copySides(dir); err != nil {
		return err
	}
	return w.Commit()
}

// copySides copies what belongs beside a compact set. Rows of captures that a recorder has made since the set was opened are left out.
func (s *Set) copySides(dir string) error {
	for _, name := range []string{healthName, settingsName, CardName} {
		b, err := fs.ReadFile(s.files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("dataset: %w", err)
		}
		if name == healthName {
			x := side{seen: map[string]bool{}}
			if err := x.add(".csv", b, func(id int64) (int64, bool) { return id, id < int64(len(s.Captures)) }); err != nil {
				return fmt.Errorf("dataset: %s: %s: %w", s.Dir, name, err)
			}
			if err := x.write(dir, name); err != nil {
				return err
			}
			continue
		}
		if err := writeFile(dir, name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
			return err
		}
	}
	return nil
}

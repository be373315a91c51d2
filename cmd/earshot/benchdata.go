package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"earshot/data/binning"
	"earshot/data/capture"
	"earshot/data/trace"
)

// benchPackets are read per repetition: benchChunk different ones, over and over, from memory.
const (
	benchPackets = 1 << 20
	benchChunk   = 1 << 12
)

// benchData measures the way of the data on one thread: a capture to records, to a trace with flows and directions, and
// to a series of 600 steps. The limit is copying the file's bytes once.
func benchData(ctx context.Context, a *app, o benchOptions, row func(benchRow)) error {
	for _, f := range []struct {
		name string
		ng   bool
		snap int
	}{{"pcap", false, 1 << 16}, {"pcap", false, 96}, {"pcapng", true, 1 << 16}, {"pcapng", true, 96}} {
		file := newBenchCapture(a.seed, f.ng, f.snap)
		shape := fmt.Sprintf("packets=%d snap=%d bytes=%d", benchPackets, f.snap, file.size())
		var failed error
		measure := func(name string, run func() error) error {
			if !o.matches(name, shape) {
				return nil
			}
			took, garbage, err := o.best(ctx, func() {
				if err := run(); err != nil {
					failed = err
				}
			}, func() {})
			if err == nil {
				err = failed
			}
			if err != nil {
				return err
			}
			row(benchRow{Name: name, Shape: shape, Threads: 1, Kernel: "go", MS: took.Seconds() * 1e3,
				PeakShare: file.copyTime().Seconds() / took.Seconds(), RSSBytes: residentBytes(), AllocBytes: garbage})
			return nil
		}
		err := measure(f.name+" to records", func() error {
			return eachBenchRecord(file, func(*capture.Record) {})
		})
		if err == nil {
			err = measure(f.name+" to trace", func() error {
				_, err := benchTrace(file)
				return err
			})
		}
		if err == nil {
			c := binning.Default()
			steps := make([]float32, c.Duration/c.Step)
			err = measure(f.name+" to series", func() error {
				t, err := benchTrace(file)
				if err == nil {
					_, err = binning.Bin(c, t, steps)
				}
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func eachBenchRecord(file *benchCapture, f func(*capture.Record)) error {
	r, err := capture.NewReader(file.reader(), "benchmark")
	if err != nil {
		return err
	}
	defer r.Close()
	var p capture.Record
	for n := 0; ; n++ {
		if err := r.Next(&p); err == io.EOF && n == benchPackets {
			return nil
		} else if err != nil {
			return fmt.Errorf("bench data: after %d of %d packets: %w", n, benchPackets, err)
		}
		f(&p)
	}
}

func benchTrace(file *benchCapture) (*trace.Trace, error) {
	a := capture.NewAssembler(capture.Rule{})
	t := &trace.Trace{Packets: make([]trace.Packet, 0, benchPackets)}
	err := eachBenchRecord(file, func(r *capture.Record) { t.Packets = append(t.Packets, a.Add(r)) })
	t.Start, t.Flows = a.Start(), a.Flows
	return t, err
}

// benchCapture is a capture of full and empty TCP segments and QUIC datagrams of 64 connections.
type benchCapture struct{ head, chunk []byte }

func newBenchCapture(seed uint64, ng bool, snap int) *benchCapture {
	le, be := binary.LittleEndian, binary.BigEndian
	words := func(b []byte, v ...uint32) []byte {
		for _, x := range v {
			b = le.AppendUint32(b, x)
		}
		return b
	}
	c := &benchCapture{head: words(nil, 0xa1b2c3d4, 4<<16|2, 0, 0, uint32(snap), 1)}
	if ng { // a section and an Ethernet interface
		c.head = words(nil, 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 1<<32-1, 1<<32-1, 28, 1, 20, 1, uint32(snap), 20)
	}
	rng := rand.New(rand.NewPCG(seed, 0x62656e6368)) // the second word spells "bench"
	for i := range benchChunk {
		size, tcp, up := 1448, rng.IntN(4) > 0, rng.IntN(3) == 0
		switch {
		case up:
			size = 0
		case !tcp:
			size = 1200
		}
		header, protocol := 32, byte(6)
		if !tcp {
			header, protocol = 8, 17
		}
		ends := []byte{192, 168, 1, 5, 203, 0, 113, 7}
		ports := []uint16{40000 + uint16(rng.IntN(64)), 443}
		if !up {
			ends = append(ends[4:8:8], ends[:4]...)
			ports[0], ports[1] = ports[1], ports[0]
		}
		p := append(make([]byte, 12), 8, 0, 0x45, 0)
		p = be.AppendUint16(p, uint16(20+header+size))
		p = append(p, 0, 0, 0x40, 0, 64, protocol, 0, 0)
		p = be.AppendUint16(be.AppendUint16(append(p, ends...), ports[0]), ports[1])
		if tcp {
			p = append(p, 0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x10, 2, 0, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 4)
		} else {
			p = append(be.AppendUint16(p, uint16(8+size)), 0, 0)
		}
		wire := uint32(len(p) + size)
		p = append(p, make([]byte, size)...)
		p = p[:min(len(p), snap)]
		us := uint64(1.7e15) + uint64(i)*57 // 60 s of a million packets; every chunk has the same times
		if ng {
			p = append(p, make([]byte, -len(p)&3)...)
			n := uint32(32 + len(p))
			c.chunk = words(c.chunk, 6, n, 0, uint32(us>>32), uint32(us), min(wire, uint32(snap)), wire)
			c.chunk = words(append(c.chunk, p...), n)
		} else {
			c.chunk = append(words(c.chunk, uint32(us/1e6), uint32(us%1e6), uint32(len(p)), wire), p...)
		}
	}
	return c
}

func (c *benchCapture) size() int { return len(c.head) + benchPackets/benchChunk*len(c.chunk) }

func (c *benchCapture) reader() *benchReader {
	return &benchReader{c: c, rest: c.head, left: benchPackets / benchChunk}
}

// copyTime is the least time in which the bytes can be taken from a reader.
func (c *benchCapture) copyTime() time.Duration {
	buf := make([]byte, 1<<19)
	shortest := time.Duration(1 << 62)
	for range 3 {
		start, r := time.Now(), c.reader()
		for {
			if _, err := r.Read(buf); err != nil {
				break
			}
		}
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

// benchReader is a stream of the head and then the chunk, left times.
type benchReader struct {
	c    *benchCapture
	rest []byte
	left int
}

func (r *benchReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.rest = r.c.chunk
		r.left--
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

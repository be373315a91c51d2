package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"earshot/data/capture"
	"earshot/data/dataset"
	"earshot/data/trace"

	"github.com/spf13/cobra"
)

// packetColumns are the columns of `data packets`; other programs rely on them.
var packetColumns = [...]string{"no", "t_us", "src", "dst", "sport", "dport", "protocol", "direction", "payload_bytes", "ip_bytes",
	"frame_bytes", "tcp_flags", "tcp_seq", "tcp_ack", "tcp_window"}

func newDataPacketsCommand(a *app) *cobra.Command {
	var lists addressFlags
	var id int64
	c := &cobra.Command{
		Use:   "packets FILE|DS [--capture ID]",
		Short: "Print the packets of a capture as csv",
		Long: `Print the packets of a capture file, or of one capture of a data set, as csv.

Times are microseconds from the first packet; direction is 0 unknown, 1 up (client to server), 2 down; numbers that do
not belong to the packet's protocol are 0. Addresses and ports are empty when the packet is not IP.`,
		Example: `  earshot data packets evening.pcapng --clients 192.168.0.0/16 > packets.csv
  earshot data packets songs --capture 3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := lists.rule()
			if err != nil {
				return err
			}
			w := newPacketWriter(a.stdout, a.json)
			if dataset.IsSet(args[0]) {
				if lists != (addressFlags{}) {
					return usagef("data packets: %s is a data set, whose directions are stored: --clients and --servers are for files", args[0])
				}
				err = setPackets(cmd.Context(), w, args[0], id, cmd.Flags().Changed("capture"))
			} else if cmd.Flags().Changed("capture") {
				return usagef("data packets: --capture chooses from a data set, and %s is none", args[0])
			} else {
				err = a.filePackets(cmd.Context(), w, args[0], rule)
			}
			if err != nil {
				return err
			}
			return w.end()
		},
	}
	lists.add(c.Flags())
	c.Flags().Int64Var(&id, "capture", 0, "capture of the data set, by its capture_id")
	return c
}

// filePackets streams a capture file. The client of a connection is decided at its first packet, so one pass is enough.
func (a *app) filePackets(ctx context.Context, w *packetWriter, path string, rule capture.Rule) error {
	t := capture.NewAssembler(rule)
	return a.eachRecord(path, func(r *capture.Record) error {
		if t.Report.Records%4096 == 0 && ctx.Err() != nil {
			return fmt.Errorf("data packets: %w; nothing is stored, run it again", ctx.Err())
		}
		p := t.Add(r)
		return w.packet(&p, r.Src, r.Dst)
	})
}

func setPackets(ctx context.Context, w *packetWriter, dir string, id int64, chosen bool) error {
	s, err := dataset.Open(dir)
	if err != nil {
		return err
	}
	if !chosen && len(s.Captures) != 1 {
		return usagef("data packets: %s holds %d captures; choose one with --capture ID", dir, len(s.Captures))
	}
	if id < 0 || id >= int64(len(s.Captures)) {
		return usagef("data packets: %s has no capture %d; its captures are 0 to %d", dir, id, len(s.Captures)-1)
	}
	t, err := s.Trace(id)
	if err != nil {
		return err
	}
	for i := range t.Packets {
		p := &t.Packets[i]
		var src, dst netip.AddrPort // of a packet without direction the sender is not stored
		if p.Flow >= 0 && int(p.Flow) < len(t.Flows) && p.Direction != trace.Unknown {
			src, dst = t.Flows[p.Flow].Client, t.Flows[p.Flow].Server
			if p.Direction == trace.Down {
				src, dst = dst, src
			}
		}
		if i%4096 == 0 && ctx.Err() != nil {
			return fmt.Errorf("data packets: %w; nothing is stored, run it again", ctx.Err())
		}
		if err := w.packet(p, src, dst); err != nil {
			return err
		}
	}
	return nil
}

// packetWriter prints packets as csv, or as one JSON array of objects with the same names: as they come, because a capture
// need not fit into memory.
type packetWriter struct {
	out  *bufio.Writer
	json bool
	n    int64
	line []byte
}

func newPacketWriter(out io.Writer, asJSON bool) *packetWriter {
	return &packetWriter{out: bufio.NewWriterSize(out, 1<<16), json: asJSON}
}

func (w *packetWriter) packet(p *trace.Packet, src, dst netip.AddrPort) error {
	w.header()
	w.n++
	b := w.line[:0]
	if w.json {
		if w.n > 1 {
			b = append(b, ",\n"...)
		}
		b = append(b, '{')
	}
	column := 0
	name := func() {
		if column > 0 {
			b = append(b, ',')
		}
		if w.json {
			b = append(strconv.AppendQuote(b, packetColumns[column]), ':')
		}
		column++
	}
	number := func(v int64) {
		name()
		b = strconv.AppendInt(b, v, 10)
	}
	number(w.n)
	number(p.Time)
	for _, end := range []netip.AddrPort{src, dst} {
		name()
		switch {
		case end.IsValid() && w.json:
			b = append(end.Addr().AppendTo(append(b, '"')), '"')
		case end.IsValid():
			b = end.Addr().AppendTo(b)
		case w.json:
			b = append(b, "null"...)
		}
	}
	for _, end := range []netip.AddrPort{src, dst} {
		name()
		if end.IsValid() {
			b = strconv.AppendUint(b, uint64(end.Port()), 10)
		} else if w.json {
			b = append(b, "null"...)
		}
	}
	for _, v := range [...]int64{int64(p.Protocol), int64(p.Direction), int64(p.PayloadBytes), int64(p.IPBytes), int64(p.FrameBytes),
		int64(p.TCPFlags), int64(p.TCPSeq), int64(p.TCPAck), int64(p.TCPWindow)} {
		number(v)
	}
	if w.json {
		b = append(b, '}')
	} else {
		b = append(b, '\n')
	}
	w.line = b
	_, err := w.out.Write(b)
	return err
}

// header begins the output, once.
func (w *packetWriter) header() {
	if w.n > 0 {
		return
	}
	if w.json {
		w.out.WriteString("[")
		return
	}
	for i, c := range packetColumns {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.out.WriteString(c)
	}
	w.out.WriteByte('\n')
}

func (w *packetWriter) end() error {
	w.header()
	if w.json {
		w.out.WriteString("]\n")
	}
	return w.out.Flush()
}
